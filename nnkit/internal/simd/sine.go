package simd

import "math"

// Sine is dst = sin(src), src in radians, with an error below 0.51 units in the last place up to a million, and below
// 2e-16·|src| beyond; NaN for infinite numbers. dst may be src. It has no assembly: each number is computed in float64.
func Sine(dst, src []float32) {
	for i, x := range src {
		dst[i] = sine(x, 0)
	}
}

// Cosine is dst = cos(src), as Sine.
func Cosine(dst, src []float32) {
	for i, x := range src {
		dst[i] = sine(x, 1)
	}
}

// sine is sin(x + quarters·π/2): x is brought to within π/4 of a multiple of π/2, whose number says which of the two Taylor series
// is meant, and the sign. The multiple is subtracted in two parts, the first of which has so few bits that the products are exact
// (W. J. Cody and W. Waite, Software manual for the elementary functions, 1980).
func sine(x float32, quarters uint64) float32 {
	const (
		high = 0x1.921fb544p+0 // 33 bits of π/2
		low  = 0x1.0b4611a626331p-34
	)
	r := float64(x)
	if !(math.Abs(r) < 1e6) {
		r = math.Remainder(r, 2*math.Pi)
	}
	n := math.RoundToEven(float64(r * (2 / math.Pi)))
	if n != 0 { // which keeps the sign of a zero
		r = r - float64(n*high) - float64(n*low)
	}
	quarters += uint64(int64(n))
	s := float64(r * r)
	var y float64
	if quarters&1 == 0 {
		y = series(s, -1./39916800, 1./362880, -1./5040, 1./120, -1./6, 1)
		y = float64(y * r)
	} else {
		y = series(s, 1./479001600, -1./3628800, 1./40320, -1./720, 1./24, -1./2)
		y = float64(y*s) + 1
	}
	if quarters&2 != 0 {
		y = -y
	}
	return float32(y)
}

func series(x, c5, c4, c3, c2, c1, c0 float64) float64 {
	y := float64(c5*x) + c4
	y = float64(y*x) + c3
	y = float64(y*x) + c2
	y = float64(y*x) + c1
	return float64(y*x) + c0
}
