package display

import (
	"image"
	"image/color"
	"math"
)

// A ramp gives each share of a range its colour. Equal steps of the range are equal distances in OKLab (Ottosson, 2020), a
// space in which those look equal, so that no edge is seen where the numbers have none.
type ramp []color.RGBA

// rampSize is how many colours a ramp holds, one in the middle: neighbours differ by less than the eye sees.
const rampSize = 257

// newRamp lays a way through colours, 0xRRGGBB, and marks it at equal distances.
func newRamp(stops ...uint32) ramp { return way(rampSize, stops) }

// newDiverging does so on each side of the middle one of its colours, which is that of zero.
func newDiverging(stops ...uint32) ramp {
	const side = rampSize/2 + 1
	return append(way(side, stops[:len(stops)/2+1]), way(side, stops[len(stops)/2:])[1:]...)
}

func way(n int, stops []uint32) ramp {
	labs := make([]oklab, len(stops))
	gone := make([]float64, len(stops)) // how long the way is up to each stop
	for i, s := range stops {
		labs[i] = toOKLab(rgb(s))
		if i > 0 {
			gone[i] = gone[i-1] + labs[i].distance(labs[i-1])
		}
	}
	r := make(ramp, n)
	leg := 1
	for i := range r {
		at := gone[len(gone)-1] * float64(i) / float64(n-1)
		for leg < len(stops)-1 && gone[leg] < at {
			leg++
		}
		r[i] = labs[leg-1].mix(labs[leg], (at-gone[leg-1])/(gone[leg]-gone[leg-1])).color()
	}
	return r
}

// at returns the colour of a share from 0 to 1.
func (r ramp) at(share float64) color.RGBA {
	return r[int(math.Round(min(max(share, 0), 1)*(rampSize-1)))]
}

// bar is the ramp, or the few colours of bands, as an image, its end on top.
func (r ramp) bar() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 1, rampSize))
	for i := range rampSize {
		img.SetRGBA(0, rampSize-1-i, r[i*len(r)/rampSize])
	}
	return img
}

// oklab is a colour by lightness, green to red, blue to yellow.
type oklab struct{ l, a, b float64 }

func toOKLab(c color.RGBA) oklab {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return oklab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

// encoded is the encoding of sRGB.
func encoded(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(v * 255))
}

// linear undoes the encoding of sRGB.
func linear(v uint8) float64 {
	s := float64(v) / 255
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

func (c oklab) color() color.RGBA {
	cube := func(v float64) float64 { return v * v * v }
	l := cube(c.l + 0.3963377774*c.a + 0.2158037573*c.b)
	m := cube(c.l - 0.1055613458*c.a - 0.0638541728*c.b)
	s := cube(c.l - 0.0894841775*c.a - 1.2914855480*c.b)
	return color.RGBA{
		encoded(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		encoded(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		encoded(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		0xff,
	}
}

func (c oklab) mix(d oklab, share float64) oklab {
	return oklab{c.l + (d.l-c.l)*share, c.a + (d.a-c.a)*share, c.b + (d.b-c.b)*share}
}

func (c oklab) distance(d oklab) float64 {
	return math.Sqrt((c.l-d.l)*(c.l-d.l) + (c.a-d.a)*(c.a-d.a) + (c.b-d.b)*(c.b-d.b))
}

// tint lays a share of a colour over the card.
func (t Theme) tint(c color.RGBA, share float64) color.RGBA {
	return toOKLab(t.card).mix(toOKLab(c), share).color()
}

// luminance is WCAG's, from 0 to 1.
func luminance(c color.RGBA) float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// inkOn returns the dark or the light ink, whichever reads better on a ground: their contrast is at least 4.5:1 on any.
func inkOn(ground color.RGBA) color.RGBA {
	const switchAt = 0.179 // where black and white have the same contrast: sqrt(1.05 * 0.05) - 0.05
	if luminance(ground) > switchAt {
		return rgb(0x000000)
	}
	return rgb(0xffffff)
}
