package simd

import "math"

// Expm1 is dst = exp(src) - 1, accurate near 0, with an error below 1.1 units in the last place. dst may be src.
func Expm1(dst, src []float32) { inParts(active.kernels.expm1, dst, src) }

// Log1p is the natural logarithm of 1 + src, accurate near 0, with an error below 1.1 units in the last place: -infinite
// for -1 and NaN below.
func Log1p(dst, src []float32) { inParts(active.kernels.log1p, dst, src) }

func expm1(x float32) float32 {
	e := exponential(x)
	if x > 40 {
		return scale(e.high+1, e.n)
	}
	h, l := e.lessOne()
	return h + l
}

// log1p is logarithm of u = 1+x, with what the sum lost put back where it counts.
func log1p(x float32) float32 {
	u := x + 1
	switch {
	case x != x:
		return x
	case u < 0:
		return math.Float32frombits(0x7fc00000)
	case u == 0:
		return float32(math.Inf(-1))
	case u > math.MaxFloat32:
		return u
	}
	lost := x - (u - 1)
	bits := int32(math.Float32bits(u))
	exponent := (bits - 0x3f3504f3) >> 23
	power := exponent << 23
	down := math.Float32frombits(uint32(0x3f800000 - power)) // 2^-exponent
	return logarithmOf(float32(exponent), fma(lost, down, math.Float32frombits(uint32(bits-power))-1))
}

func expm1Go(dst, src []float32) {
	for i, x := range src {
		dst[i] = expm1(x)
	}
}

func log1pGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = log1p(x)
	}
}
