package simd

// The optimizers' steps, each in one pass over its arrays: w are the weights, g their gradients, the others what the
// optimizer remembers.

// GradientDescent is w -= rate·g.
func GradientDescent(w, g []float32, rate float32) {
	g = g[:len(w)]
	for i := range w {
		w[i] -= float32(rate * g[i])
	}
}

// Momentum is v = momentum·v - rate·g and w += v, with nesterov w += momentum·v - rate·g.
func Momentum(w, g, v []float32, rate, momentum float32, nesterov bool) {
	g, v = g[:len(w)], v[:len(w)]
	for i := range w {
		down := float32(rate * g[i])
		u := float32(momentum*v[i]) - down
		v[i] = u
		if nesterov {
			u = float32(momentum*u) - down
		}
		w[i] += u
	}
}

// AdaGrad is a += g² and w -= rate·g/√(a+epsilon).
func AdaGrad(w, g, a []float32, rate, epsilon float32) {
	g, a = g[:len(w)], a[:len(w)]
	for i := range w {
		s := a[i] + float32(g[i]*g[i])
		a[i] = s
		w[i] -= float32(rate*g[i]) / sqrt(s+epsilon)
	}
}

// RMSprop is a = rho·a + rest·g² and w -= rate·g/√(a+epsilon).
func RMSprop(w, g, a []float32, rate, rho, rest, epsilon float32) {
	g, a = g[:len(w)], a[:len(w)]
	for i := range w {
		s := float32(rho*a[i]) + float32(rest*float32(g[i]*g[i]))
		a[i] = s
		w[i] -= float32(rate*g[i]) / sqrt(s+epsilon)
	}
}

// RMSpropMomentum is RMSprop with v = momentum·v + step and w -= v.
func RMSpropMomentum(w, g, a, v []float32, rate, rho, rest, epsilon, momentum float32) {
	g, a, v = g[:len(w)], a[:len(w)], v[:len(w)]
	for i := range w {
		s := float32(rho*a[i]) + float32(rest*float32(g[i]*g[i]))
		a[i] = s
		u := float32(momentum*v[i]) + float32(rate*g[i])/sqrt(s+epsilon)
		v[i] = u
		w[i] -= u
	}
}

// AdamStep holds the numbers of one step of Adam; Rate includes the corrections of the bias.
type AdamStep struct{ Rate, Beta1, Rest1, Beta2, Rest2, Epsilon float32 }

// Adam is m = beta1·m + rest1·g, v = beta2·v + rest2·g² and w -= rate·m/(√v+epsilon).
func Adam(w, g, m, v []float32, k *AdamStep) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		d := g[i]
		a := float32(k.Beta1*m[i]) + float32(k.Rest1*d)
		b := float32(k.Beta2*v[i]) + float32(k.Rest2*float32(d*d))
		m[i], v[i] = a, b
		w[i] -= float32(k.Rate*a) / (sqrt(b) + k.Epsilon)
	}
}
