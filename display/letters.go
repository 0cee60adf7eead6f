package display

import (
	"image"
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// lacksLetters reports whether something is written on the figure for which our font has no letters, as it has none for Chinese. An
// SVG is written in the fonts of its reader, but a bitmap would have gaps.
func (f *Figure) lacksLetters() bool { return f.undrawable() != "" }

// undrawable is the first text on the figure for which our font has no letters, "" if there is none.
func (f *Figure) undrawable() string {
	w, h := f.lengths()
	c := &letters{}
	f.draw(draw.NewCanvas(c, w, h))
	return c.lacking
}

// drawable reports whether the font of figures has all letters of a text.
func drawable(s string) bool {
	face := font.DefaultCache.Lookup(sans(smallSize, false), smallSize)
	for _, r := range s {
		if r < 0x7f {
			continue
		}
		if glyph, err := face.Face.GlyphIndex(nil, r); err != nil || glyph == 0 {
			return false
		}
	}
	return true
}

// letters is a canvas that looks at nothing but what is written on it.
type letters struct{ lacking string }

var _ vg.Canvas = (*letters)(nil)

// FillString looks at the text.
func (l *letters) FillString(_ font.Face, _ vg.Point, s string) {
	if l.lacking == "" && !drawable(s) {
		l.lacking = s
	}
}

// What is not written does not matter.

func (*letters) SetLineWidth(vg.Length)              {}
func (*letters) SetLineDash([]vg.Length, vg.Length)  {}
func (*letters) SetColor(color.Color)                {}
func (*letters) Rotate(float64)                      {}
func (*letters) Translate(vg.Point)                  {}
func (*letters) Scale(float64, float64)              {}
func (*letters) Push()                               {}
func (*letters) Pop()                                {}
func (*letters) Stroke(vg.Path)                      {}
func (*letters) Fill(vg.Path)                        {}
func (*letters) DrawImage(vg.Rectangle, image.Image) {}
