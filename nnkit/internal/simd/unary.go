package simd

import "math"

// Sqrt is the square root, correctly rounded: NaN below 0. dst may be src, here and below.
func Sqrt(dst, src []float32) { inParts(active.kernels.sqrt, dst, src) }

// Rsqrt is 1/√src, with an error below 0.51 units in the last place from 2^-80 on and below 1.5 for smaller numbers:
// infinite for 0 and NaN below.
func Rsqrt(dst, src []float32) { inParts(active.kernels.rsqrt, dst, src) }

// Square is src².
func Square(dst, src []float32) { inParts(active.kernels.square, dst, src) }

// Abs is |src|.
func Abs(dst, src []float32) { inParts(active.kernels.abs, dst, src) }

// Negate is -src.
func Negate(dst, src []float32) { inParts(active.kernels.negate, dst, src) }

// Sign is -1 below 0, 1 above, and src itself for zeros and NaN.
func Sign(dst, src []float32) { inParts(active.kernels.sign, dst, src) }

// Minimum is the smaller of a and b, element by element, and NaN where one of them is.
func Minimum(dst, a, b []float32) { inThreeParts(active.kernels.minimum, dst, a, b) }

// Maximum is the larger of a and b, element by element, and NaN where one of them is.
func Maximum(dst, a, b []float32) { inThreeParts(active.kernels.maximum, dst, a, b) }

// Clip is src brought between low and high. It keeps a NaN.
func Clip(dst, src []float32, low, high float32) {
	inTwiceScaledParts(active.kernels.clip, dst, src, low, high)
}

// ClipGradient sets dx to 0 where x, the argument of Clip, is outside of low and high.
func ClipGradient(dx, x []float32, low, high float32) {
	inTwiceScaledParts(active.kernels.clipGradient, dx, x, low, high)
}

func inTwiceScaledParts(f func(dst, src []float32, k, l float32), dst, src []float32, k, l float32) {
	src = src[:len(dst)]
	for len(dst) > part {
		f(dst[:part], src[:part], k, l)
		dst, src = dst[part:], src[part:]
	}
	f(dst, src, k, l)
}

func sqrtGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = sqrt(x)
	}
}

func rsqrtGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = rsqrt(x)
	}
}

// rsqrt puts back what the root and the reciprocal lost.
func rsqrt(x float32) float32 {
	root := sqrt(x)
	y := 1 / root
	lost := fma(-root, root, x) * y // of root, twice
	rest := fma(float32(lost*y), -0.5, fma(-y, root, 1))
	if better := fma(y, rest, y); better == better {
		return better
	}
	return y
}

func squareGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = x * x
	}
}

func absGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = withSign(x, 1)
	}
}

func negateGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = math.Float32frombits(math.Float32bits(x) ^ 1<<31)
	}
}

func signGo(dst, src []float32) {
	for i, x := range src {
		switch {
		case x < 0:
			dst[i] = -1
		case x > 0:
			dst[i] = 1
		default:
			dst[i] = x
		}
	}
}

func minimumGo(dst, a, b []float32) {
	for i, x := range a {
		y := b[i]
		if x < y || x != x {
			y = x
		}
		dst[i] = y
	}
}

func maximumGo(dst, a, b []float32) {
	for i, x := range a {
		y := b[i]
		if x > y || x != x {
			y = x
		}
		dst[i] = y
	}
}

func clipGo(dst, src []float32, low, high float32) {
	for i, x := range src {
		dst[i] = clip(x, low, high)
	}
}

func clip(x, low, high float32) float32 { return atMost(atLeast(x, low), high) }

func atLeast(x, low float32) float32 {
	if x < low {
		return low
	}
	return x
}

func atMost(x, high float32) float32 {
	if x > high {
		return high
	}
	return x
}

func clipGradientGo(dx, x []float32, low, high float32) {
	for i, v := range x {
		if v < low || v > high {
			dx[i] = 0
		}
	}
}
