package notebook

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// A color is one of a terminal's: 0 is the default one.
type color uint32

const (
	paletteColor color = 1 << 24 // plus an index below 256
	trueColor    color = 2 << 24 // plus 0xRRGGBB
)

// An attribute is a set of the ways in which a terminal shows text.
type attribute uint8

const (
	bold attribute = 1 << iota
	dim
	italic
	underline
	inverse
	strike
)

// A style is how a terminal shows a piece of text.
type style struct {
	fg, bg color
	attribute
}

// attributeCodes are the codes that set an attribute and the classes that show
// it.
var attributeCodes = []struct {
	attribute
	on, off int
	class   string
}{
	{bold, 1, 22, "a-bold"},
	{dim, 2, 22, "a-dim"},
	{italic, 3, 23, "a-italic"},
	{underline, 4, 24, "a-underline"},
	{inverse, 7, 27, ""},
	{strike, 9, 29, "a-strike"},
}

// apply returns the style after the control sequence ESC [ params m.
func (s style) apply(params string) style {
	var codes []int
	for p := range strings.FieldsFuncSeq(params, func(r rune) bool { return r == ';' || r == ':' }) {
		n, err := strconv.Atoi(p)
		if err != nil {
			return s
		}
		codes = append(codes, n)
	}
	if len(codes) == 0 {
		return style{}
	}
	for len(codes) > 0 {
		code := codes[0]
		codes = codes[1:]
		switch {
		case code == 0:
			s = style{}
		case 30 <= code && code <= 37:
			s.fg = paletteColor + color(code-30)
		case 40 <= code && code <= 47:
			s.bg = paletteColor + color(code-40)
		case 90 <= code && code <= 97:
			s.fg = paletteColor + color(code-90+8)
		case 100 <= code && code <= 107:
			s.bg = paletteColor + color(code-100+8)
		case code == 38:
			s.fg, codes = extendedColor(s.fg, codes)
		case code == 48:
			s.bg, codes = extendedColor(s.bg, codes)
		case code == 39:
			s.fg = 0
		case code == 49:
			s.bg = 0
		default:
			for _, a := range attributeCodes {
				switch code {
				case a.on:
					s.attribute |= a.attribute
				case a.off:
					s.attribute &^= a.attribute
				}
			}
		}
	}
	return s
}

// extendedColor reads "5;index" or "2;red;green;blue" and returns the codes that
// follow.
func extendedColor(c color, codes []int) (color, []int) {
	switch {
	case len(codes) >= 2 && codes[0] == 5:
		return paletteColor + color(codes[1]&0xff), codes[2:]
	case len(codes) >= 4 && codes[0] == 2:
		return trueColor + color(codes[1]&0xff)<<16 + color(codes[2]&0xff)<<8 + color(codes[3]&0xff), codes[4:]
	}
	return c, nil
}

// sequence returns the control sequence that sets the style on a terminal in
// its default style.
func (s style) sequence() string {
	if s == (style{}) {
		return ""
	}
	var codes []string
	for _, a := range attributeCodes {
		if s.attribute&a.attribute != 0 {
			codes = append(codes, strconv.Itoa(a.on))
		}
	}
	for _, ground := range []struct {
		color
		base int
	}{{s.fg, 30}, {s.bg, 40}} {
		v := int(ground.color & 0xffffff)
		switch ground.color &^ 0xffffff {
		case trueColor:
			codes = append(codes, fmt.Sprintf("%d;2;%d;%d;%d", ground.base+8, v>>16, v>>8&0xff, v&0xff))
		case paletteColor:
			switch {
			case v < 8:
				codes = append(codes, strconv.Itoa(ground.base+v))
			case v < 16:
				codes = append(codes, strconv.Itoa(ground.base+60+v-8))
			default:
				codes = append(codes, fmt.Sprintf("%d;5;%d", ground.base+8, v))
			}
		}
	}
	return "\x1b[" + strings.Join(codes, ";") + "m"
}

// change returns the sequences that lead from style s to another.
func (s style) change(to style) string {
	switch {
	case s == to:
		return ""
	case s == style{}:
		return to.sequence()
	}
	return "\x1b[0m" + to.sequence()
}

// attrs returns the HTML attributes that show the style. The sixteen named
// colours are classes, since what is legible depends on the page's theme.
func (s style) attrs() string {
	if s == (style{}) {
		return ""
	}
	var classes, css []string
	for _, a := range attributeCodes {
		if s.attribute&a.attribute != 0 && a.class != "" {
			classes = append(classes, a.class)
		}
	}
	fg, bg := s.fg, s.bg
	if s.attribute&inverse != 0 {
		fg, bg = bg, fg
		if fg == 0 {
			classes = append(classes, "a-fg-page")
		}
		if bg == 0 {
			classes = append(classes, "a-bg-text")
		}
	}
	for _, ground := range []struct {
		color
		class, property string
	}{{fg, "a-fg-", "color"}, {bg, "a-bg-", "background-color"}} {
		switch index := ground.color & 0xffffff; {
		case ground.color == 0:
		case ground.color&^0xffffff == paletteColor && index < 16:
			classes = append(classes, ground.class+strconv.Itoa(int(index)))
		default:
			css = append(css, fmt.Sprintf("%s:#%06x", ground.property, ground.rgb()))
		}
	}
	var b strings.Builder
	if len(classes) > 0 {
		fmt.Fprintf(&b, ` class="%s"`, strings.Join(classes, " "))
	}
	if len(css) > 0 {
		fmt.Fprintf(&b, ` style="%s"`, strings.Join(css, ";"))
	}
	return b.String()
}

// rgb returns 0xRRGGBB for a true colour or for one of the palette from 16 on:
// a cube of 6×6×6 and 24 greys.
func (c color) rgb() uint32 {
	v := uint32(c & 0xffffff)
	if c&^0xffffff == trueColor {
		return v
	}
	if v >= 232 {
		return (8 + 10*(v-232)) * 0x010101
	}
	level := func(n uint32) uint32 {
		if n == 0 {
			return 0
		}
		return 55 + 40*n
	}
	v -= 16
	return level(v/36)<<16 | level(v/6%6)<<8 | level(v%6)
}

// ansiHTML turns what a terminal prints into HTML. Colours become spans, other
// control sequences vanish.
func ansiHTML(text string) string {
	var b strings.Builder
	var s style
	for text != "" {
		if seq, params, final := cutEscape(text); seq != "" {
			if final == 'm' {
				s = s.apply(params)
			}
			text = text[len(seq):]
			continue
		}
		end := strings.IndexByte(text[1:], 0x1b) + 1
		if end == 0 {
			end = len(text)
		}
		piece := html.EscapeString(dropControls(text[:end]))
		if attrs := s.attrs(); attrs != "" && piece != "" {
			fmt.Fprintf(&b, "<span%s>%s</span>", attrs, piece)
		} else {
			b.WriteString(piece)
		}
		text = text[end:]
	}
	return b.String()
}

// withoutEscapes returns what a terminal shows, without its colours.
func withoutEscapes(text string) string {
	var b strings.Builder
	for text != "" {
		if seq, _, _ := cutEscape(text); seq != "" {
			text = text[len(seq):]
			continue
		}
		end := strings.IndexByte(text[1:], 0x1b) + 1
		if end == 0 {
			end = len(text)
		}
		b.WriteString(text[:end])
		text = text[end:]
	}
	return b.String()
}

// dropControls removes the control characters that HTML does not allow.
func dropControls(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}

// cutEscape returns the escape sequence that text begins with, if it does. For
// control sequences (ESC [ …) it also returns parameters and final letter.
func cutEscape(text string) (seq, params string, final byte) {
	if text == "" || text[0] != 0x1b {
		return "", "", 0
	}
	if len(text) < 2 || text[1] < ' ' || text[1] > '~' {
		return text[:1], "", 0
	}
	switch text[1] {
	case '[':
		for i := 2; i < len(text) && ' ' <= text[i] && text[i] <= '~'; i++ {
			if c := text[i]; c >= '@' {
				return text[:i+1], text[2:i], c
			}
		}
	case ']': // a title or a link: up to BEL or ESC \
		for i := 2; i < len(text) && text[i] != '\n'; i++ {
			if text[i] == '\a' {
				return text[:i+1], "", 0
			}
			if text[i] == 0x1b && i+1 < len(text) && text[i+1] == '\\' {
				return text[:i+2], "", 0
			}
		}
	}
	return text[:2], "", 0
}
