package simd

import "math"

// Losses and what is computed once are in float64, by fixed formulas: no machine's own exp or fused multiply-add shows.
// Rounded to float32 their error is below 0.51 units in the last place.

const (
	ln2High = 6.93147180369123816490e-01 // its product with a small whole number is exact
	ln2Low  = 1.90821492927058770002e-10
)

// Exp64 is exp(x) with a relative error below 1e-10, 0 below -700 and infinite above 709.
func Exp64(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709:
		return math.Inf(1)
	case x < -700:
		return 0
	}
	// x = k·ln 2 + r with |r| ≤ ln(2)/2, and exp(r) by its series, in pairs so that the multiplications overlap.
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := x - float64(k*ln2High) - float64(k*ln2Low)
	r2 := r * r
	r4 := r2 * r2
	p0 := 1 + r
	p1 := 1./2 + float64(r*(1./6))
	p2 := 1./24 + float64(r*(1./120))
	p3 := 1./720 + float64(r*(1./5040))
	p4 := 1./40320 + float64(r*(1./362880))
	low := p0 + float64(r2*p1)
	high := p2 + float64(r2*p3) + float64(r4*p4)
	y := low + float64(r4*high)
	return y * math.Float64frombits(uint64(int64(k)+1023)<<52)
}

// Log64 is the natural logarithm of a float64 above the subnormal range, with an error below 1e-10. It is -infinite
// for 0 and NaN below.
func Log64(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	u := math.Float64bits(x)
	// x = 2^e·m with m in [√½, √2): the subtraction carries into the exponent.
	e := int64(u-0x3fe6a09e667f3bcd) >> 52
	m := math.Float64frombits(u - uint64(e)<<52)
	return float64(float64(e)*math.Ln2) + logRatio((m-1)/(m+1))
}

// logRatio is log((1+s)/(1-s)) by its series, for |s| up to 1/3, with a relative error below 1e-10.
func logRatio(s float64) float64 {
	z := s * s
	z2 := z * z
	// The even and the odd powers of z apart, so that the multiplications overlap.
	even, odd := 1./17, 1./19
	even, odd = 1./13+float64(even*z2), 1./15+float64(odd*z2)
	even, odd = 1./9+float64(even*z2), 1./11+float64(odd*z2)
	even, odd = 1./5+float64(even*z2), 1./7+float64(odd*z2)
	even, odd = 1+float64(even*z2), 1./3+float64(odd*z2)
	return 2 * s * (even + float64(odd*z))
}

// Log1pExpNeg is log(1+exp(-|z|)), the part of the logistic loss that is not linear.
func Log1pExpNeg(z float32) float64 {
	t := Exp64(-math.Abs(float64(z)))
	return logRatio(t / (2 + t)) // 1+t = (1+s)/(1-s)
}
