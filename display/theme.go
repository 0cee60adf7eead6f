package display

import "image/color"

// Theme is a set of colours. It is an [Option]: pass Light or Dark to a figure, or to [Defaults] for all of them.
type Theme struct {
	name         string
	words        words      // what figures say, in their language; nil for English
	card, border color.RGBA // the ground a figure brings along, and its hairline
	text, quiet  color.RGBA // titles; everything that is read second
	grid, axis   color.RGBA
	warn         color.RGBA
	hues         []hue
	sequential   ramp // from nothing, near the card's colour, to much
	diverging    ramp // from negative through the card's colour to positive
}

// A hue is one run or one kind of thing: strong for what it was trained on, soft for what it was judged on, and fill
// for areas, which weigh more than lines.
type hue struct{ strong, soft, fill color.RGBA }

// Light is the default: dark ink on a white card. On a dark page the card keeps the figure legible.
//
// The first hues are Okabe and Ito's, which people with any common colour blindness tell apart, darkened where a thin line
// on white would otherwise fall below a contrast of 3:1; the others are chosen by the same measure.
var Light = Theme{
	name: "light",
	card: rgb(0xffffff), border: rgb(0xd8dee4),
	text: rgb(0x1f2328), quiet: rgb(0x59636e),
	grid: rgb(0xe7eaee), axis: rgb(0xa3abb4),
	warn: rgb(0xb3470b),
	hues: []hue{
		{rgb(0x0069a8), rgb(0x2b8ccb), rgb(0x4a9bd1)},
		{rgb(0xc2410c), rgb(0xd86f38), rgb(0xd87439)},
		{rgb(0x009068), rgb(0x2fa583), rgb(0x2f9b7c)},
		{rgb(0xa8487f), rgb(0xcc79a7), rgb(0xc777a4)},
		{rgb(0x6b4fd8), rgb(0x8d77e3), rgb(0x8f7ae4)},
		{rgb(0x6b4a00), rgb(0x967432), rgb(0x9a7936)},
		{rgb(0x24292f), rgb(0x6e7781), rgb(0x6e7781)},
	},
	sequential: newRamp(0xf8faf0, 0xa9dcb5, 0x41b0c4, 0x2163a8, 0x101f56),
	diverging:  newDiverging(0x0b4f8a, 0x6fb1dc, 0xf6f7f8, 0xf0a574, 0xa8390a),
}

// Dark is light ink on a dark card, for those who work in a dark theme.
var Dark = Theme{
	name: "dark",
	card: rgb(0x1b1f24), border: rgb(0x363c44),
	text: rgb(0xe6edf3), quiet: rgb(0xa0a9b4),
	grid: rgb(0x2d333b), axis: rgb(0x626b76),
	warn: rgb(0xf0883e),
	hues: []hue{
		{rgb(0x56b4e9), rgb(0x9fd3f3), rgb(0x3f93c4)},
		{rgb(0xe69f00), rgb(0xf3c766), rgb(0xc08a1a)},
		{rgb(0x1fae86), rgb(0x8be0c8), rgb(0x2a9c7e)},
		{rgb(0xd98cb8), rgb(0xecc0da), rgb(0xb5729a)},
		{rgb(0x7f62e6), rgb(0xa995f0), rgb(0x7f62e6)},
		{rgb(0xf6eb8a), rgb(0xfaf3bd), rgb(0xbfb45c)},
		{rgb(0xd9dee3), rgb(0xeef1f4), rgb(0x9aa3ad)},
	},
	sequential: newRamp(0x20252b, 0x2a4487, 0x2b7fb8, 0x4fc1b0, 0xf0f8b8),
	diverging:  newDiverging(0x8ccbf5, 0x2f76a8, 0x272c33, 0xb0622a, 0xffbb85),
}

func (t Theme) apply(s *settings) { s.theme = t }

// hue returns the colours of the i-th run, starting again when there are more runs than hues.
func (t Theme) hue(i int) hue { return t.hues[i%len(t.hues)] }

func rgb(v uint32) color.RGBA {
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}
