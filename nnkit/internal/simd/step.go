package simd

// The optimizers' steps, each in one pass over its arrays: w are the weights, g their gradients, the others what the
// optimizer remembers.

// GradientDescent is w -= rate·g.
func GradientDescent(w, g []float32, rate float32) {
	inScaledParts(active.kernels.gradientDescent, w, g, rate)
}

// Momentum is v = momentum·v - rate·g and w += v, with nesterov w += momentum·v - rate·g.
func Momentum(w, g, v []float32, rate, momentum float32, nesterov bool) {
	f := active.kernels.momentum
	if nesterov {
		f = active.kernels.nesterov
	}
	eachPart(len(w), func(lo, hi int) { f(w[lo:hi], g[lo:hi], v[lo:hi], rate, momentum) })
}

// AdaGrad is a += g² and w -= rate·g/√(a+epsilon).
func AdaGrad(w, g, a []float32, rate, epsilon float32) {
	eachPart(len(w), func(lo, hi int) { active.kernels.adaGrad(w[lo:hi], g[lo:hi], a[lo:hi], rate, epsilon) })
}

// RMSprop is a = rho·a + rest·g² and w -= rate·g/√(a+epsilon).
func RMSprop(w, g, a []float32, rate, rho, rest, epsilon float32) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.rmsProp(w[lo:hi], g[lo:hi], a[lo:hi], rate, rho, rest, epsilon)
	})
}

// RMSpropMomentum is RMSprop with v = momentum·v + step and w -= v.
func RMSpropMomentum(w, g, a, v []float32, rate, rho, rest, epsilon, momentum float32) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.rmsPropMomentum(w[lo:hi], g[lo:hi], a[lo:hi], v[lo:hi], rate, rho, rest, epsilon, momentum)
	})
}

// The steps below let Keep be what share of a weight is kept: 1, or 1 - rate·decay for a decay that is decoupled from the
// gradient as in I. Loshchilov and F. Hutter, Decoupled weight decay regularization, ICLR 2019. Rates include the
// corrections of the bias.

// CentredRMSpropStep holds the numbers of one step of the centred RMSprop.
type CentredRMSpropStep struct{ Rate, Rho, Rest, Epsilon, Momentum, Keep float32 }

// CentredRMSprop is RMSprop with the variance of the gradient instead of its mean square: mean = rho·mean + rest·g,
// a = rho·a + rest·g² and step = rate·g/√(a-mean²+epsilon). Without v it is w = keep·w - step, with it
// v = momentum·v + step and w = keep·w - v. A. Graves, Generating sequences with recurrent neural networks, 2013.
func CentredRMSprop(w, g, a, mean, v []float32, k *CentredRMSpropStep) {
	eachPart(len(w), func(lo, hi int) {
		if v == nil {
			active.kernels.centredRMSProp(w[lo:hi], g[lo:hi], a[lo:hi], mean[lo:hi], k.Rate, k.Rho, k.Rest, k.Epsilon, k.Keep)
			return
		}
		active.kernels.centredRMSPropMomentum(w[lo:hi], g[lo:hi], a[lo:hi], mean[lo:hi], v[lo:hi],
			k.Rate, k.Rho, k.Rest, k.Epsilon, k.Momentum, k.Keep)
	})
}

// AdamStep holds the numbers of one step of Adam and AMSGrad.
type AdamStep struct{ Rate, Beta1, Rest1, Beta2, Rest2, Epsilon, Keep float32 }

// Adam is m = beta1·m + rest1·g, v = beta2·v + rest2·g² and w = keep·w - rate·m/(√v+epsilon).
func Adam(w, g, m, v []float32, k *AdamStep) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.adam(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi], k.Rate, k.Beta1, k.Rest1, k.Beta2, k.Rest2, k.Epsilon, k.Keep)
	})
}

// AMSGrad is Adam with most = max(most, v) in the place of v: w = keep·w - rate·m/(√most+epsilon). S. J. Reddi, S. Kale
// and S. Kumar, On the convergence of Adam and beyond, ICLR 2018, without a correction of v's bias, as in Keras.
func AMSGrad(w, g, m, v, most []float32, k *AdamStep) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.amsGrad(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi], most[lo:hi],
			k.Rate, k.Beta1, k.Rest1, k.Beta2, k.Rest2, k.Epsilon, k.Keep)
	})
}

// AdaDeltaStep holds the numbers of one step of AdaDelta.
type AdaDeltaStep struct{ Rate, Rho, Rest, Epsilon, Keep float32 }

// AdaDelta is a = rho·a + rest·g², step = g·√((d+epsilon)/(a+epsilon)), d = rho·d + rest·step² and
// w = keep·w - rate·step. M. D. Zeiler, ADADELTA: an adaptive learning rate method, 2012.
func AdaDelta(w, g, a, d []float32, k *AdaDeltaStep) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.adaDelta(w[lo:hi], g[lo:hi], a[lo:hi], d[lo:hi], k.Rate, k.Rho, k.Rest, k.Epsilon, k.Keep)
	})
}

// AdamaxStep holds the numbers of one step of Adamax. Rate is divided by 1-beta1ᵗ.
type AdamaxStep struct{ Rate, Beta1, Rest1, Beta2, Epsilon, Keep float32 }

// Adamax is m = beta1·m + rest1·g, u = max(beta2·u, |g|) and w = keep·w - rate·m/(u+epsilon). D. P. Kingma and J. Ba,
// Adam: a method for stochastic optimization, ICLR 2015, section 7.1.
func Adamax(w, g, m, u []float32, k *AdamaxStep) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.adamax(w[lo:hi], g[lo:hi], m[lo:hi], u[lo:hi], k.Rate, k.Beta1, k.Rest1, k.Beta2, k.Epsilon, k.Keep)
	})
}

// NAdamStep holds the numbers of one step of NAdam. With the schedule μ of its momentum, Rate is rate·(1-μₜ)/(1-Πμ) over
// the steps up to t, Ahead is rate·μₜ₊₁/(1-Πμ) over those up to t+1, and Correction is 1/(1-beta2ᵗ).
type NAdamStep struct{ Rate, Ahead, Beta1, Rest1, Beta2, Rest2, Correction, Epsilon, Keep float32 }

// NAdam is m = beta1·m + rest1·g, v = beta2·v + rest2·g² and w = keep·w - (ahead·m+rate·g)/(√(correction·v)+epsilon).
// T. Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
func NAdam(w, g, m, v []float32, k *NAdamStep) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.nAdam(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi],
			k.Rate, k.Ahead, k.Beta1, k.Rest1, k.Beta2, k.Rest2, k.Correction, k.Epsilon, k.Keep)
	})
}

// LionStep holds the numbers of one step of Lion.
type LionStep struct{ Rate, Beta1, Rest1, Beta2, Rest2, Keep float32 }

// Lion is w = keep·w - rate·sign(beta1·m+rest1·g) and then m = beta2·m + rest2·g. The sign of NaN is NaN.
// X. Chen and others, Symbolic discovery of optimization algorithms, NeurIPS 2023.
func Lion(w, g, m []float32, k *LionStep) {
	eachPart(len(w), func(lo, hi int) {
		active.kernels.lion(w[lo:hi], g[lo:hi], m[lo:hi], k.Rate, k.Beta1, k.Rest1, k.Beta2, k.Rest2, k.Keep)
	})
}

// Average is mean += rest·(x-mean): the exponential moving average of weights.
func Average(mean, x []float32, rest float32) { inScaledParts(active.kernels.average, mean, x, rest) }

// SquaredNorm is the sum of x² in blocks that may be computed at the same time. Their number, and so every bit of the
// sum, depends on the length of x alone.
type SquaredNorm struct {
	X        []float32
	Partials []float64 // one for each block
}

// squaresBlock is how many numbers a block of a SquaredNorm has.
const squaresBlock = 1 << 14

// Blocks returns the number of blocks.
func (n *SquaredNorm) Blocks() int { return (len(n.X) + squaresBlock - 1) / squaresBlock }

// Block computes block i.
func (n *SquaredNorm) Block(i int) {
	n.Partials[i] = SumOfSquares(n.X[i*squaresBlock : min((i+1)*squaresBlock, len(n.X))])
}

// Sum returns the sum of all blocks, once they are computed.
func (n *SquaredNorm) Sum() float64 {
	total := 0.0
	for _, p := range n.Partials[:n.Blocks()] {
		total += p
	}
	return total
}

// eachPart calls f for each part of arrays of n numbers.
func eachPart(n int, f func(lo, hi int)) { eachSome(n, part, f) }

// eachSome calls f for each so many of n numbers.
func eachSome(n, most int, f func(lo, hi int)) {
	for lo := 0; lo < n; lo += most {
		f(lo, min(lo+most, n))
	}
}

func gradientDescentGo(w, g []float32, rate float32) {
	for i, d := range g {
		w[i] = fma(-d, rate, w[i])
	}
}

func momentumGo(w, g, v []float32, rate, momentum float32) {
	for i, d := range g {
		v[i] = fma(v[i], momentum, -(rate * d))
		w[i] += v[i]
	}
}

func nesterovGo(w, g, v []float32, rate, momentum float32) {
	for i, d := range g {
		down := rate * d
		v[i] = fma(v[i], momentum, -down)
		w[i] += fma(v[i], momentum, -down)
	}
}

func adaGradGo(w, g, a []float32, rate, epsilon float32) {
	for i, d := range g {
		a[i] = fma(d, d, a[i])
		w[i] -= float32(rate*d) / sqrt(a[i]+epsilon)
	}
}

func rmsPropGo(w, g, a []float32, rate, rho, rest, epsilon float32) {
	for i, d := range g {
		a[i] = fma(a[i], rho, float32(d*d)*rest)
		w[i] -= float32(rate*d) / sqrt(a[i]+epsilon)
	}
}

func rmsPropMomentumGo(w, g, a, v []float32, rate, rho, rest, epsilon, momentum float32) {
	for i, d := range g {
		a[i] = fma(a[i], rho, float32(d*d)*rest)
		v[i] = fma(v[i], momentum, float32(rate*d)/sqrt(a[i]+epsilon))
		w[i] -= v[i]
	}
}

func adamGo(w, g, m, v []float32, rate, beta1, rest1, beta2, rest2, epsilon, keep float32) {
	for i, d := range g {
		m[i] = fma(m[i], beta1, d*rest1)
		v[i] = fma(v[i], beta2, float32(d*d)*rest2)
		w[i] = fma(w[i], keep, -(float32(rate*m[i]) / (sqrt(v[i]) + epsilon)))
	}
}

func centredRMSPropGo(w, g, a, mean []float32, rate, rho, rest, epsilon, keep float32) {
	for i, d := range g {
		w[i] = fma(w[i], keep, -centred(d, &a[i], &mean[i], rate, rho, rest, epsilon))
	}
}

func centredRMSPropMomentumGo(w, g, a, mean, v []float32, rate, rho, rest, epsilon, momentum, keep float32) {
	for i, d := range g {
		v[i] = fma(v[i], momentum, centred(d, &a[i], &mean[i], rate, rho, rest, epsilon))
		w[i] = fma(w[i], keep, -v[i])
	}
}

// centred returns the step of the centred RMSprop.
func centred(g float32, a, mean *float32, rate, rho, rest, epsilon float32) float32 {
	*a = fma(*a, rho, float32(g*g)*rest)
	*mean = fma(*mean, rho, g*rest)
	return float32(rate*g) / sqrt(fma(-*mean, *mean, *a)+epsilon)
}

func amsGradGo(w, g, m, v, most []float32, rate, beta1, rest1, beta2, rest2, epsilon, keep float32) {
	for i, d := range g {
		m[i] = fma(m[i], beta1, d*rest1)
		v[i] = fma(v[i], beta2, float32(d*d)*rest2)
		most[i] = larger(most[i], v[i])
		w[i] = fma(w[i], keep, -(float32(rate*m[i]) / (sqrt(most[i]) + epsilon)))
	}
}

func adaDeltaGo(w, g, a, d []float32, rate, rho, rest, epsilon, keep float32) {
	for i, x := range g {
		a[i] = fma(a[i], rho, float32(x*x)*rest)
		down := x * sqrt((d[i]+epsilon)/(a[i]+epsilon))
		d[i] = fma(d[i], rho, float32(down*down)*rest)
		w[i] = fma(w[i], keep, -(rate * down))
	}
}

func adamaxGo(w, g, m, u []float32, rate, beta1, rest1, beta2, epsilon, keep float32) {
	for i, d := range g {
		m[i] = fma(m[i], beta1, d*rest1)
		u[i] = larger(u[i]*beta2, withSign(d, 1))
		w[i] = fma(w[i], keep, -(float32(rate*m[i]) / (u[i] + epsilon)))
	}
}

func nAdamGo(w, g, m, v []float32, rate, ahead, beta1, rest1, beta2, rest2, correction, epsilon, keep float32) {
	for i, d := range g {
		m[i] = fma(m[i], beta1, d*rest1)
		v[i] = fma(v[i], beta2, float32(d*d)*rest2)
		w[i] = fma(w[i], keep, -(fma(m[i], ahead, rate*d) / (sqrt(v[i]*correction) + epsilon)))
	}
}

func lionGo(w, g, m []float32, rate, beta1, rest1, beta2, rest2, keep float32) {
	for i, d := range g {
		down := fma(m[i], beta1, d*rest1)
		switch {
		case down > 0:
			down = rate
		case down < 0:
			down = -rate
		}
		m[i] = fma(m[i], beta2, d*rest2)
		w[i] = fma(w[i], keep, -down)
	}
}

func averageGo(mean, x []float32, rest float32) {
	for i, v := range x {
		mean[i] = fma(v-mean[i], rest, mean[i])
	}
}
