package display

import (
	"sync"
	"unicode"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// measured is the handler of all text. It remembers sizes, since gonum/plot asks for those of every label a dozen
// times in each drawing, and a live picture is drawn four times a second.
var measured text.Handler = &measure{Plain: text.Plain{Fonts: font.DefaultCache}}

type measure struct {
	text.Plain
	mu      sync.Mutex
	boxes   map[boxKey]box
	extents map[font.Font]font.Extents
}

type boxKey struct {
	text string
	font font.Font
}

type box struct{ width, height, depth vg.Length }

// manyBoxes is when the sizes are forgotten, so that a session of days does not gather them all.
const manyBoxes = 4096

// Extents returns the extents of a font.
func (m *measure) Extents(f font.Font) font.Extents {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.extents[f]
	if !ok {
		e = m.Plain.Extents(f)
		if m.extents == nil {
			m.extents = map[font.Font]font.Extents{}
		}
		m.extents[f] = e
	}
	return e
}

// Box returns the size of one line of text.
func (m *measure) Box(s string, f font.Font) (width, height, depth vg.Length) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := boxKey{s, f}
	b, ok := m.boxes[k]
	if !ok {
		b.width, b.height, b.depth = m.Plain.Box(s, f)
		for _, r := range s {
			if wideRune(r) { // has the width of its size in every font, but for ours, which draws an empty box
				box, _, _ := m.Plain.Box(string(r), f)
				b.width += f.Size - box
			}
		}
		if m.boxes == nil || len(m.boxes) >= manyBoxes {
			m.boxes = map[boxKey]box{}
		}
		m.boxes[k] = b
	}
	return b.width, b.height, b.depth
}

// wideRune reports whether a character is as wide as high, as those of Chinese, Japanese and Korean are.
func wideRune(r rune) bool {
	return r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Yi) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff01 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1faff)
}
