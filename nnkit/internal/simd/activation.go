package simd

import "math"

// The activations beyond those of arithmetic.go and elementary.go. A gradient multiplies dy, the gradient with respect
// to the values, by the derivative, which it takes from the values y where these tell it, else from the arguments x.
// Errors are in units in the last place, for every float32; but SiLU and Mish of x below -87, where exp(x) is subnormal,
// are off by 2^-140 at most.

// GELU is x·Φ(x), Φ being the normal distribution's: D. Hendrycks and K. Gimpel, Gaussian error linear units, 2016. Its
// error is below 2^-24·|x|, and below 2 units where x is positive. dst may be src, here and below.
func GELU(dst, src []float32) { inParts(active.kernels.gelu, dst, src) }

// GELUGradient multiplies dy by the derivative of GELU at x.
func GELUGradient(dy, x []float32) { inParts(active.kernels.geluGradient, dy, x) }

// TanhGELU is the approximation of GELU by a hyperbolic tangent, ½x·(1+tanh(√(2/π)·(x+0.044715·x³))). Its error is below
// 2^-22·|x|, and below 2 units where x is positive.
func TanhGELU(dst, src []float32) { inParts(active.kernels.tanhGELU, dst, src) }

// TanhGELUGradient multiplies dy by the derivative of TanhGELU at x.
func TanhGELUGradient(dy, x []float32) { inParts(active.kernels.tanhGELUGradient, dy, x) }

// SiLU is x·sigmoid(x), also called swish, with an error below 2.
func SiLU(dst, src []float32) { inParts(active.kernels.silu, dst, src) }

// SiLUGradient multiplies dy by the derivative of SiLU at x.
func SiLUGradient(dy, x []float32) { inParts(active.kernels.siluGradient, dy, x) }

// ELU is scale·x above 0 and alpha·(exp(x)-1) below, with an error below 2. With a scale of 1 it is that of D.-A.
// Clevert et al., Fast and accurate deep network learning by exponential linear units, ICLR 2016; SELU is the one with
// SELUScale and SELUAlpha.
func ELU(dst, src []float32, scale, alpha float32) {
	inTwiceScaledParts(active.kernels.elu, dst, src, scale, alpha)
}

// ELUGradient multiplies dy by the derivative of ELU, y being its value and alpha not negative.
func ELUGradient(dy, y []float32, scale, alpha float32) {
	inTwiceScaledParts(active.kernels.eluGradient, dy, y, scale, alpha)
}

// SELU is ELU with these numbers, which keep the mean and the variance of what goes through: G. Klambauer et al.,
// Self-normalizing neural networks, NIPS 2017.
const (
	SELUScale = 1.0507009873554805
	SELUAlpha = 1.0507009873554805 * 1.6732632423543772
)

// LeakyReLU is x above 0 and slope·x below.
func LeakyReLU(dst, src []float32, slope float32) {
	inScaledParts(active.kernels.leakyReLU, dst, src, slope)
}

// LeakyReLUGradient multiplies dy by slope where y, the value of LeakyReLU, is not above 0. The slope is not negative.
func LeakyReLUGradient(dy, y []float32, slope float32) {
	inScaledParts(active.kernels.leakyReLUGradient, dy, y, slope)
}

// Softplus is log(1+exp(x)), with an error below 2.
func Softplus(dst, src []float32) { inParts(active.kernels.softplus, dst, src) }

// SoftplusGradient multiplies dy by 1-exp(-y), y being the value of Softplus.
func SoftplusGradient(dy, y []float32) { inParts(active.kernels.softplusGradient, dy, y) }

// Softsign is x/(1+|x|), with an error below 1.5.
func Softsign(dst, src []float32) { inParts(active.kernels.softsign, dst, src) }

// SoftsignGradient multiplies dy by (1-|y|)², y being the value of Softsign.
func SoftsignGradient(dy, y []float32) { inParts(active.kernels.softsignGradient, dy, y) }

// Mish is x·tanh(log(1+exp(x))), with an error below 4: D. Misra, Mish: a self regularized non-monotonic activation
// function, BMVC 2020.
func Mish(dst, src []float32) { inParts(active.kernels.mish, dst, src) }

// MishGradient multiplies dy by the derivative of Mish at x.
func MishGradient(dy, x []float32) { inParts(active.kernels.mishGradient, dy, x) }

// HardSigmoid is x+3 between 0 and 6, divided by 6, as Keras and PyTorch have it.
func HardSigmoid(dst, src []float32) { inParts(active.kernels.hardSigmoid, dst, src) }

// HardSigmoidGradient multiplies dy by 1/6 where y, the value of HardSigmoid, is between 0 and 1, else by 0.
func HardSigmoidGradient(dy, y []float32) { inParts(active.kernels.hardSigmoidGradient, dy, y) }

// HardSwish is x·HardSigmoid(x): A. Howard et al., Searching for MobileNetV3, ICCV 2019.
func HardSwish(dst, src []float32) { inParts(active.kernels.hardSwish, dst, src) }

// HardSwishGradient multiplies dy by the derivative of HardSwish at x, which is 0 up to -3 and 1 from 3 on.
func HardSwishGradient(dy, x []float32) { inParts(active.kernels.hardSwishGradient, dy, x) }

const (
	rootHalf  = 0.7071067811865476  // √½
	rootTwoPi = 0.3989422804014327  // 1/√(2π)
	geluInner = 1.5957691216057308  // 2·√(2/π)
	geluCube  = 0.07135481282734542 // 0.044715 times that
	sixth     = 1. / 6
)

// normal is Φ(x).
func normal(x float32) float32 { return fma(erf(x*rootHalf), 0.5, 0.5) }

func geluGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = atLeast(x, -20) * normal(x)
	}
}

func geluGradientGo(dy, src []float32) {
	for i, x := range src {
		density := exp(float32(x*x)*-0.5) * rootTwoPi
		dy[i] *= fma(clip(x, -20, 20), density, normal(x))
	}
}

// tanhGELUArgument is twice that of the hyperbolic tangent: ½(1+tanh(u)) is the sigmoid of 2u.
func tanhGELUArgument(x float32) float32 {
	return x * fma(float32(x*x), geluCube, geluInner)
}

func tanhGELUGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = atLeast(x, -20) * sigmoid(tanhGELUArgument(x))
	}
}

func tanhGELUGradientGo(dy, src []float32) {
	for i, x := range src {
		x = clip(x, -20, 20)
		s := sigmoid(tanhGELUArgument(x))
		inner := x * fma(float32(x*x), 3*geluCube, geluInner)
		dy[i] *= fma(inner, fma(-s, s, s), s)
	}
}

func siluGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = atLeast(x, -200) * sigmoid(x)
	}
}

func siluGradientGo(dy, src []float32) {
	for i, x := range src {
		x = clip(x, -200, 200)
		s := sigmoid(x)
		dy[i] *= fma(x, fma(-s, s, s), s)
	}
}

func eluGo(dst, src []float32, scale, alpha float32) {
	for i, x := range src {
		if x > 0 {
			dst[i] = x * scale
		} else {
			h, l := exponential(x).lessOne()
			dst[i] = (h + l) * alpha
		}
	}
}

func eluGradientGo(dy, y []float32, scale, alpha float32) {
	for i, v := range y {
		if v <= 0 {
			dy[i] *= v + alpha
		} else {
			dy[i] *= scale
		}
	}
}

func leakyReLUGo(dst, src []float32, slope float32) {
	for i, x := range src {
		if x > 0 {
			dst[i] = x
		} else {
			dst[i] = x * slope
		}
	}
}

func leakyReLUGradientGo(dy, y []float32, slope float32) {
	for i, v := range y {
		if v <= 0 {
			dy[i] *= slope
		}
	}
}

func softplusGo(dst, src []float32) {
	for i, x := range src {
		t := exp(withSign(x, -1))
		u := t + 1
		lost := t - (u - 1)
		// u is from 1 to 2; above √2 a half of it is near 1.
		n, m := float32(0), (u-1)+lost
		if u > sqrtTwo {
			n, m = 1, fma(lost, 0.5, float32(u*0.5)-1)
		}
		y := logarithmOf(n, m)
		if x > 0 {
			y += x
		}
		dst[i] = y
	}
}

// sqrtTwo is where logarithms change from one power of two to the next.
const sqrtTwo = 1.4142135

func softplusGradientGo(dy, y []float32) {
	for i, v := range y {
		h, l := exponential(-v).lessOne()
		dy[i] *= -(h + l)
	}
}

func softsignGo(dst, src []float32) {
	for i, x := range src {
		t := atMost(withSign(x, 1), math.MaxFloat32) // infinity divided by itself would be NaN
		dst[i] = withSign(t, x) / (t + 1)
	}
}

func softsignGradientGo(dy, y []float32) {
	for i, v := range y {
		rest := 1 - withSign(v, 1)
		dy[i] *= rest * rest
	}
}

// mishParts are n = e·(e+2) and e with e = exp(x): tanh(log(1+e)) is n/(n+2). Above 20 that is 1 to the last bit.
func mishParts(x float32) (n, e float32) {
	e = exp(atMost(x, 20))
	return float32(e * (e + 2)), e
}

func mishGo(dst, src []float32) {
	for i, x := range src {
		n, _ := mishParts(x)
		dst[i] = atLeast(x, -200) * (n / (n + 2))
	}
}

func mishGradientGo(dy, src []float32) {
	for i, x := range src {
		n, e := mishParts(x)
		d := n + 2
		t := n / d
		// The derivative of t is 4·e·(1+e)/d².
		slope := float32(e/d) * float32((e+1)/d) * 4
		dy[i] *= fma(clip(x, -200, 200), slope, t)
	}
}

func hardSigmoidGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = hardSigmoid(x)
	}
}

func hardSigmoid(x float32) float32 { return clip(x+3, 0, 6) * sixth }

func hardSigmoidGradientGo(dy, y []float32) {
	for i, v := range y {
		d := dy[i] * sixth
		if v <= 0 || v >= 1 {
			d = 0
		}
		dy[i] = d
	}
}

func hardSwishGo(dst, src []float32) {
	for i, x := range src {
		dst[i] = atLeast(x, -3) * hardSigmoid(x)
	}
}

func hardSwishGradientGo(dy, src []float32) {
	for i, x := range src {
		d := fma(x, 1./3, 0.5)
		if x <= -3 {
			d = 0
		}
		if x >= 3 {
			d = 1
		}
		dy[i] *= d
	}
}
