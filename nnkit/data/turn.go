package data

import "math"

// sine is sin(2πt), t in turns, with an error below 1e-15; like all that is generated here it is the same to the last
// bit on every machine, which package math does not promise. The conversions forbid fused multiply-adds.
func sine(t float64) float64 {
	t -= math.Round(t)
	quarter := math.Round(4 * t)
	x := 2 * math.Pi * (t - quarter/4) // between -π/4 and π/4
	z := x * x
	switch quarter {
	case -1:
		return -even(z)
	case 0:
		return float64(x * odd(z))
	case 1:
		return even(z)
	default: // half a turn, to either side
		return float64(-x * odd(z))
	}
}

// cosine is cos(2πt).
func cosine(t float64) float64 { return sine(t + 0.25) }

// odd is sin(x)/x by its series in z = x².
func odd(z float64) float64 {
	return series(z, -1.0/1307674368000, 1.0/6227020800, -1.0/39916800, 1.0/362880, -1.0/5040, 1.0/120, -1.0/6, 1)
}

// even is cos(x) by its series in z = x².
func even(z float64) float64 {
	return series(z, 1.0/20922789888000, -1.0/87178291200, 1.0/479001600, -1.0/3628800, 1.0/40320, -1.0/720, 1.0/24, -1.0/2, 1)
}

// series evaluates a polynomial, the highest power first.
func series(z float64, coefficients ...float64) float64 {
	y := 0.0
	for _, c := range coefficients {
		y = float64(y*z) + c
	}
	return y
}
