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
	for lo := 0; lo < len(w); lo += part {
		hi := min(lo+part, len(w))
		f(w[lo:hi], g[lo:hi], v[lo:hi], rate, momentum)
	}
}

// AdaGrad is a += g² and w -= rate·g/√(a+epsilon).
func AdaGrad(w, g, a []float32, rate, epsilon float32) {
	for lo := 0; lo < len(w); lo += part {
		hi := min(lo+part, len(w))
		active.kernels.adaGrad(w[lo:hi], g[lo:hi], a[lo:hi], rate, epsilon)
	}
}

// RMSprop is a = rho·a + rest·g² and w -= rate·g/√(a+epsilon).
func RMSprop(w, g, a []float32, rate, rho, rest, epsilon float32) {
	for lo := 0; lo < len(w); lo += part {
		hi := min(lo+part, len(w))
		active.kernels.rmsProp(w[lo:hi], g[lo:hi], a[lo:hi], rate, rho, rest, epsilon)
	}
}

// RMSpropMomentum is RMSprop with v = momentum·v + step and w -= v.
func RMSpropMomentum(w, g, a, v []float32, rate, rho, rest, epsilon, momentum float32) {
	for lo := 0; lo < len(w); lo += part {
		hi := min(lo+part, len(w))
		active.kernels.rmsPropMomentum(w[lo:hi], g[lo:hi], a[lo:hi], v[lo:hi], rate, rho, rest, epsilon, momentum)
	}
}

// AdamStep holds the numbers of one step of Adam. Rate includes the corrections of the bias. Keep is what share of a
// weight is kept: 1 for Adam, 1 - rate·decay for AdamW.
type AdamStep struct{ Rate, Beta1, Rest1, Beta2, Rest2, Epsilon, Keep float32 }

// Adam is m = beta1·m + rest1·g, v = beta2·v + rest2·g² and w = keep·w - rate·m/(√v+epsilon).
func Adam(w, g, m, v []float32, k *AdamStep) {
	for lo := 0; lo < len(w); lo += part {
		hi := min(lo+part, len(w))
		active.kernels.adam(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi],
			k.Rate, k.Beta1, k.Rest1, k.Beta2, k.Rest2, k.Epsilon, k.Keep)
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
