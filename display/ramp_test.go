package display

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"
)

// deficiencies are Machado, Oliveira and Fernandes' (2009) matrices for those who lack one of the three kinds of cone, over linear RGB.
var deficiencies = map[string][3][3]float64{
	"full":     {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"no red":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"no green": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"no blue":  {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// seen is a colour as somebody with a deficiency sees it.
func seen(c color.RGBA, by [3][3]float64) oklab {
	in := [3]float64{linear(c.R), linear(c.G), linear(c.B)}
	var out [3]uint8
	for i, row := range by {
		out[i] = encoded(row[0]*in[0] + row[1]*in[1] + row[2]*in[2])
	}
	return toOKLab(color.RGBA{out[0], out[1], out[2], 0xff})
}

// The colours of classes and runs are told apart by people with each colour blindness, by twice what can be seen at all (0.02).
func TestHuesAreToldApart(t *testing.T) {
	for _, theme := range []Theme{Light, Dark} {
		for name, by := range deficiencies {
			for i, a := range theme.hues {
				for j, b := range theme.hues[:i] {
					if d := seen(a.strong, by).distance(seen(b.strong, by)); d < 0.04 {
						t.Errorf("%s, %s: hues %d and %d are %.3f apart", theme.name, name, j, i, d)
					}
				}
			}
		}
	}
}

// Equal steps of a ramp look equal, its lightness goes one way on each side of the middle, and ink on every step can be read.
func TestRamps(t *testing.T) {
	for _, theme := range []Theme{Light, Dark} {
		for name, r := range map[string]ramp{"sequential": theme.sequential, "diverging": theme.diverging} {
			name = fmt.Sprintf("%s, %s", theme.name, name)
			const stride = 16 // colours of eight bits make single steps uneven
			least, most := math.Inf(1), 0.0
			for i := stride; i < rampSize; i += stride {
				d := toOKLab(r[i]).distance(toOKLab(r[i-stride]))
				least, most = math.Min(least, d), math.Max(most, d)
				if i == rampSize/2 || i == rampSize-1 { // the sides of a diverging ramp need not be as long as each other
					if most > 1.2*least {
						t.Errorf("%s: steps from %.4f to %.4f", name, least, most)
					}
					least, most = math.Inf(1), 0
				}
			}
			turns := 0
			for i := 2 * stride; i < rampSize; i += stride {
				a, b, c := toOKLab(r[i-2*stride]).l, toOKLab(r[i-stride]).l, toOKLab(r[i]).l
				if (b-a)*(c-b) < 0 {
					turns++
				}
			}
			want := 0
			if r[0] == theme.diverging[0] {
				want = 1
			}
			if turns != want {
				t.Errorf("%s: the lightness turns %d times, want %d", name, turns, want)
			}
			for i, c := range r {
				if got := contrast(inkOn(c), c); got < 4.5 {
					t.Errorf("%s: ink on colour %d has a contrast of %.2f", name, i, got)
				}
			}
			// Nothing is near the colour of the card.
			zero := r[0]
			if want == 1 {
				zero = r[rampSize/2]
			}
			if d := toOKLab(zero).distance(toOKLab(theme.card)); d > 0.06 {
				t.Errorf("%s: nothing lies %.3f from the card", name, d)
			}
		}
	}
}

// In a PDF images are turned over, since vgpdf turns them once more, and a translucent colour keeps its hue.
func TestPDFCanvasMendsImagesAndColours(t *testing.T) {
	img := image.NewGray(image.Rect(0, 5, 1, 8))
	img.SetGray(0, 5, color.Gray{200})
	if r, _, _, _ := (upended{img}).At(0, 7).RGBA(); r>>8 != 200 {
		t.Errorf("the first row is not the last: %d", r>>8)
	}
	r, g, b, a := straight(translucent(rgb(0x804020), 0.5)).RGBA()
	if r>>8 != 0x80 || g>>8 != 0x40 || b>>8 != 0x20 || a>>8 != 0x80 {
		t.Errorf("half of 804020 is %x %x %x, opacity %x", r>>8, g>>8, b>>8, a>>8)
	}
}

// Signed values are as many-coloured for those who see no red or no green.
func TestDivergingSidesAreToldApart(t *testing.T) {
	for _, theme := range []Theme{Light, Dark} {
		for name, by := range deficiencies {
			for _, share := range []float64{0.1, 0.25, 0.5} {
				a, b := theme.diverging.at(0.5-share), theme.diverging.at(0.5+share)
				if d := seen(a, by).distance(seen(b, by)); d < 0.05 {
					t.Errorf("%s, %s: ±%g of the scale are %.3f apart", theme.name, name, 2*share, d)
				}
			}
		}
	}
}
