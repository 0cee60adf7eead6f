package simd

import "math"

// The elementary functions have errors of less than one unit in the last place for every float32, subnormal numbers
// among them, and give infinities and NaN where they should; go test -run TestEveryFloat32 -every tries all, and found
// the bound of each. They reduce their argument as W. J. Cody and W. Waite do, Software Manual for the Elementary
// Functions, 1980, and evaluate polynomials whose largest error is the least for their degree. What a sum loses is
// carried on to where it counts: T. J. Dekker, A floating-point technique for extending the available precision, 1971.

// Exp is dst = exp(src), with an error below 0.86 units in the last place. dst may be src, here and below.
func Exp(dst, src []float32) { inParts(active.kernels.exp, dst, src) }

// Log is the natural logarithm, with an error below 0.92: infinite for 0 and NaN below.
func Log(dst, src []float32) { inParts(active.kernels.log, dst, src) }

// Sigmoid is 1/(1+exp(-src)), with an error below 0.78.
func Sigmoid(dst, src []float32) { inParts(active.kernels.sigmoid, dst, src) }

// Tanh is the hyperbolic tangent, with an error below 0.79.
func Tanh(dst, src []float32) { inParts(active.kernels.tanh, dst, src) }

// Erf is the error function, with an error below 1.
func Erf(dst, src []float32) { inParts(active.kernels.erf, dst, src) }

const (
	log2E = float32(math.Log2E)
	// ln 2 in two parts, the first with so few bits that its product with n is exact.
	high2 = float32(0.693359375)
	low2  = float32(-2.12194440e-4)
	// Adding it rounds a small number to a whole one, which is then in the last bits: 1.5·2^23.
	whole = float32(12582912)
)

// power is exp(x) = 2^n·(1 + high + low).
type power struct {
	high, low float32
	n         int32
}

// exponential takes x apart as n·ln 2 + rest with |rest| ≤ ln(2)/2, where exp is 1 + rest + rest²·p(rest). Beyond the
// bounds of x the result is 0 or infinite.
func exponential(x float32) power {
	if x > 88.8 {
		x = 88.8
	}
	if x < -104 {
		x = -104
	}
	shifted := fma(x, log2E, whole)
	n := shifted - whole
	r := fma(-n, high2, x)
	rest := fma(-n, low2, r)
	low := fma(-n, low2, r-rest)
	p := float32(1.9914546e-04)
	p = fma(p, rest, 0.0013941277)
	p = fma(p, rest, 0.008333272)
	p = fma(p, rest, 0.04166635)
	p = fma(p, rest, 0.16666667)
	p = fma(p, rest, 0.5)
	square := fma(rest*rest, p, low)
	high := rest + square
	return power{
		high: high,
		low:  (rest - high) + square,
		n:    int32(math.Float32bits(shifted)) - int32(math.Float32bits(whole)),
	}
}

// scale is x·2^n. n is halved so that each factor is a normal number; the result is rounded once.
func scale(x float32, n int32) float32 {
	half := n >> 1
	x *= math.Float32frombits(uint32(half+127) << 23)
	return float32(x * math.Float32frombits(uint32(n-half+127)<<23))
}

// quotient is (h + l)/(d + lost), where l and lost are small beside h and d.
func quotient(h, l, d, lost float32) float32 {
	inverse := 1 / d
	q := h * inverse
	rest := fma(-q, d, h) + fma(-q, lost, l)
	return fma(rest, inverse, q)
}

func exp(x float32) float32 {
	e := exponential(x)
	return scale(e.high+1, e.n)
}

// sigmoid is 1/(1+e), or e/(1+e) for a negative x, where e = exp(-|x|) does not overflow.
func sigmoid(x float32) float32 {
	e := exponential(math.Float32frombits(math.Float32bits(x) | 1<<31))
	h := e.high + 1
	l := (e.high - (h - 1)) + e.low
	h, l = scale(h, e.n), scale(l, e.n)
	d := h + 1
	lost := (h - (d - 1)) + l
	if x < 0 {
		return quotient(h, l, d, lost)
	}
	return quotient(1, 0, d, lost)
}

// tanh is -m/(2+m) with m = exp(-2|x|) - 1. Below -20 that is 1 to the last bit.
func tanh(x float32) float32 {
	u := math.Float32frombits(math.Float32bits(x+x) | 1<<31)
	if u < -20 {
		u = -20
	}
	h, l := exponential(u).lessOne()
	d := h + 2
	lost := (h - (d - 2)) + l
	return withSign(quotient(-h, -l, d, lost), x)
}

// lessOne is exp(x) - 1 as h + l.
func (e power) lessOne() (h, l float32) {
	s := scale(1, e.n)
	a := s - 1
	lost := s - (a + 1)
	m, small := float32(s*e.high), float32(s*e.low)
	h = a + m
	return h, (m - (h - a)) + (small + lost)
}

func withSign(x, sign float32) float32 {
	return math.Float32frombits(math.Float32bits(x)&^(1<<31) | math.Float32bits(sign)&(1<<31))
}

// logarithm is n·ln 2 + log(1+t) for x = 2^n·(1+t) with 1+t between √½ and √2.
func logarithm(x float32) float32 {
	const smallest = 0x1p-126
	switch {
	case x != x:
		return x
	case x < 0:
		return math.Float32frombits(0x7fc00000)
	case x == 0:
		return float32(math.Inf(-1))
	case x > math.MaxFloat32:
		return x
	}
	shift := float32(0)
	if x < smallest {
		x *= 1 << 23
		shift = -23
	}
	u := int32(math.Float32bits(x))
	exponent := (u - 0x3f3504f3) >> 23 // the subtraction carries into the exponent
	t := math.Float32frombits(uint32(u-exponent<<23)) - 1
	return logarithmOf(float32(exponent)+shift, t)
}

// logarithmOf is n·ln 2 + log(1+t).
func logarithmOf(n, t float32) float32 {
	p := float32(-0.07825373)
	p = fma(p, t, 0.13007052)
	p = fma(p, t, -0.1320908)
	p = fma(p, t, 0.14163157)
	p = fma(p, t, -0.16611086)
	p = fma(p, t, 0.20003028)
	p = fma(p, t, -0.25001526)
	p = fma(p, t, 0.33333308)
	p = fma(p, t, -0.49999988)
	correction := (t * t) * p
	high := float32(n * high2)
	sum := high + t
	lost := (high - sum) + t
	return sum + (lost + fma(n, low2, correction))
}

// erf is x + x·p(x²) near 0, and 1 - exp(p(|x|)) beyond, where p is the logarithm of erfc.
func erf(x float32) float32 {
	t := withSign(x, 1)
	if t < 0.94 {
		z := x * x
		p := float32(8.5988e-05)
		p = fma(p, z, -8.2019804e-04)
		p = fma(p, z, 0.0052066687)
		p = fma(p, z, -0.026861753)
		p = fma(p, z, 0.112837344)
		p = fma(p, z, -0.37612635)
		p = fma(p, z, 0.12837917)
		return fma(p, x, x)
	}
	if t > 4 {
		t = 4
	}
	p := float32(-2.1253118e-05)
	p = fma(p, t, 4.3630786e-04)
	p = fma(p, t, -0.0041800113)
	p = fma(p, t, 0.02514288)
	p = fma(p, t, -0.10831609)
	p = fma(p, t, -0.63331443)
	p = fma(p, t, -1.1295309)
	p = fma(p, t, 1.7799732e-04)
	e := exponential(p)
	s := scale(1, e.n)
	return withSign(fma(-s, e.high, 1-s), x)
}

func expGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = exp(x)
	}
}

func logGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = logarithm(x)
	}
}

func sigmoidGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = sigmoid(x)
	}
}

func tanhGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = tanh(x)
	}
}

func erfGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = erf(x)
	}
}
