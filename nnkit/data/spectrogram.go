package data

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// SpectrogramOptions say how sounds are cut into steps and what is kept of each. What is 0 has its default.
type SpectrogramOptions struct {
	Window       int // samples of a step, a power of two; by default the one nearest to 25 ms
	Hop          int // samples from a step to the next; by default 10 ms
	Bands        int // of MelSpectrogram and MFCC; by default 40
	Coefficients int // of MFCC; by default 13
	Low, High    float64
	// Low and High are the lowest and the highest frequency of the bands, in Hz; by default 0 and half the rate.
}

// Spectrogram makes of each sound the natural logarithm of its power at the frequencies k·Rate/Window, for k from 0 to
// Window/2: X gets the shape (rows, steps, Window/2+1). Windows are Hann's, and a millionth is added to a power before
// its logarithm is taken, so that silence is -13.8. [Normalize] brings the bands to one scale.
//
// It is an error when e holds no sounds, (rows, samples) with a Rate, or sounds shorter than a window.
func Spectrogram(e *Examples, o SpectrogramOptions) (*Examples, error) {
	if err := o.complete("Spectrogram", e); err != nil {
		return nil, err
	}
	return o.steps(e, o.Window/2+1, func(dst []float32, power []float64) {
		for k, p := range power {
			dst[k] = logPower(p)
		}
	}), nil
}

// MelSpectrogram makes of each sound the natural logarithm of its power in bands that are as wide as the ear's, by the
// mel scale 2595·log10(1 + f/700): triangles of height 1 that overlap by half (S. S. Stevens, J. Volkmann and E. B.
// Newman, 1937; S. Davis and P. Mermelstein, 1980; HTK's variant, torchaudio's default). X gets the shape (rows, steps,
// Bands). What else holds for [Spectrogram] holds here.
func MelSpectrogram(e *Examples, o SpectrogramOptions) (*Examples, error) {
	if err := o.complete("MelSpectrogram", e); err != nil {
		return nil, err
	}
	bank := o.melBank(e.Rate)
	return o.steps(e, o.Bands, func(dst []float32, power []float64) {
		for b, f := range bank {
			dst[b] = logPower(f.of(power))
		}
	}), nil
}

// MFCC makes of each sound the mel frequency cepstral coefficients, the first of the cosine transform (type II,
// orthonormal) of each step of its [MelSpectrogram]: X gets the shape (rows, steps, Coefficients). They tell the shape
// of the mouth from the pitch of the voice (S. Davis and P. Mermelstein, 1980).
func MFCC(e *Examples, o SpectrogramOptions) (*Examples, error) {
	if err := o.complete("MFCC", e); err != nil {
		return nil, err
	}
	bank, n := o.melBank(e.Rate), float64(o.Bands)
	transform := make([][]float64, o.Coefficients)
	for c := range transform {
		factor := math.Sqrt(2 / n)
		if c == 0 {
			factor = math.Sqrt(1 / n)
		}
		transform[c] = make([]float64, o.Bands)
		for b := range transform[c] {
			transform[c][b] = factor * cosine(float64(c)*(float64(b)+0.5)/n/2)
		}
	}
	return o.steps(e, o.Coefficients, func(dst []float32, power []float64) {
		sum := make([]float64, o.Coefficients)
		for b, f := range bank {
			v := float64(logPower(f.of(power)))
			for c, row := range transform {
				sum[c] += float64(row[b] * v)
			}
		}
		for c, v := range sum {
			dst[c] = float32(v)
		}
	}), nil
}

func logPower(p float64) float32 { return float32(simd.Log64(p + 1e-6)) }

// complete fills in the defaults and checks all.
func (o *SpectrogramOptions) complete(call string, e *Examples) error {
	if e == nil || e.X == nil {
		return fmt.Errorf("%s: there are no sounds: the call that made them must have failed", call)
	}
	shape := e.X.Shape()
	if len(shape) != 2 || e.Rate < 1 {
		return fmt.Errorf("%s: X has the shape %v and Rate is %d; sounds are (rows, samples) and have a Rate in samples a second",
			call, shape, e.Rate)
	}
	rate := float64(e.Rate)
	if o.Window == 0 {
		o.Window = nearestPowerOfTwo(rate / 40)
	}
	if o.Hop == 0 {
		o.Hop = max(1, e.Rate/100)
	}
	if o.Bands == 0 {
		o.Bands = 40
	}
	if o.Coefficients == 0 {
		o.Coefficients = min(13, o.Bands)
	}
	if o.High == 0 {
		o.High = rate / 2
	}
	switch {
	case !isPowerOfTwo(o.Window) || o.Window < 2:
		return fmt.Errorf("%s: Window is %d, and must be a power of two: %d is the nearest to 25 ms", call, o.Window, nearestPowerOfTwo(rate/40))
	case o.Window > shape[1]:
		return fmt.Errorf("%s: the sounds have %d samples and a window %d: make Window smaller, or the sounds longer", call, shape[1], o.Window)
	case o.Hop < 1:
		return fmt.Errorf("%s: Hop is %d, and must be at least 1", call, o.Hop)
	case o.Bands < 1 || o.Bands > o.Window/2:
		return fmt.Errorf("%s: Bands is %d, and must be between 1 and %d, half a window", call, o.Bands, o.Window/2)
	case o.Coefficients < 1 || o.Coefficients > o.Bands:
		return fmt.Errorf("%s: Coefficients is %d, and must be between 1 and the %d bands", call, o.Coefficients, o.Bands)
	case !(o.Low >= 0 && o.Low < o.High && o.High <= rate/2):
		return fmt.Errorf("%s: the bands go from %v to %v Hz, and must lie between 0 and %v, half the rate", call, o.Low, o.High, rate/2)
	}
	return nil
}

// steps makes a row of width numbers of each step's power spectrum.
func (o *SpectrogramOptions) steps(e *Examples, width int, f func(dst []float32, power []float64)) *Examples {
	rows := e.X.Rows()
	n := 1 + (len(rows[0])-o.Window)/o.Hop
	x := make([]float32, len(rows)*n*width)
	inBlocks(len(rows), func(lo, hi int) {
		s, power := newSpectrum(o.Window), make([]float64, o.Window/2+1)
		for i := lo; i < hi; i++ {
			for step := range n {
				s.power(power, rows[i][step*o.Hop:][:o.Window])
				f(x[(i*n+step)*width:][:width], power)
			}
		}
	})
	out := *e
	out.X, out.Rate = tensor(x, len(rows), n, width), 0
	return &out
}

// band is a triangle over a power spectrum.
type band struct {
	from   int // the first frequency with a weight
	weight []float64
}

func (b band) of(power []float64) float64 {
	sum := 0.0
	for i, w := range b.weight {
		sum += float64(w * power[b.from+i])
	}
	return sum
}

const perOctave10 = 2595 / math.Ln10

func mel(hertz float64) float64  { return float64(perOctave10 * simd.Log64(1+hertz/700)) }
func hertz(mels float64) float64 { return float64(700 * (simd.Exp64(mels/perOctave10) - 1)) }

// melBank places the corners of the bands evenly on the mel scale.
func (o *SpectrogramOptions) melBank(rate int) []band {
	low, high := mel(o.Low), mel(o.High)
	corner := func(i int) float64 { return hertz(low + float64((high-low)*(float64(i)/float64(o.Bands+1)))) }
	bank := make([]band, o.Bands)
	for b := range bank {
		left, middle, right := corner(b), corner(b+1), corner(b+2)
		for k := range o.Window/2 + 1 {
			f := float64(k) * float64(rate) / float64(o.Window)
			w := math.Min((f-left)/(middle-left), (right-f)/(right-middle))
			if w <= 0 {
				continue
			}
			if bank[b].weight == nil {
				bank[b].from = k
			}
			bank[b].weight = append(bank[b].weight, w)
		}
		if bank[b].weight == nil { // narrower than the distance of two frequencies: the nearest one
			bank[b] = band{min(o.Window/2, int(math.Round(middle*float64(o.Window)/float64(rate)))), []float64{1}}
		}
	}
	return bank
}
