package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// NAdam is [Adam] with Nesterov's momentum, which looks a step ahead: with μₜ = β₁·(1-0.96ᵗ/2) it is
// w -= rate · (μₜ₊₁·m/(1-Πμ up to t+1) + (1-μₜ)·g/(1-Πμ up to t)) / (√(v/(1-β₂ᵗ))+ε). Defaults as Adam's. The schedule
// of μ is Keras'; PyTorch's is 250 times slower. T. Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
func NAdam(options ...NAdamOption) Optimizer {
	return newOptimizer(optimizer{name: "NAdam", formula: nAdam{}, beta1: 0.9, beta2: 0.999, epsilon: 1e-7}, 0.001, options)
}

// NAdamOption is an argument of [NAdam]: [Beta1], [Beta2], [Epsilon] or an [OptimizerOption].
type NAdamOption interface {
	optimizerOption
	nAdamOption()
}

type nAdam struct{}

func (nAdam) settings(o *optimizer) []setting { return betaSettings(o) }

func (nAdam) rule(o *optimizer, m *rememberer) rule {
	r := &nAdamRule{
		k: simd.NAdamStep{
			Beta1: float32(o.beta1), Rest1: float32(1 - o.beta1),
			Beta2: float32(o.beta2), Rest2: float32(1 - o.beta2),
			Epsilon: float32(o.epsilon),
		},
		beta1: o.beta1, slow: power{0.96, 1}, beta2: power{o.beta2, 1}, product: 1,
		m: m.array(0), v: m.array(1),
	}
	r.ahead = r.schedule()
	return r
}

type nAdamRule struct {
	k              simd.NAdamStep
	beta1          float64
	slow, beta2    power
	ahead, product float64 // μ of the next step, and the product of those so far
	m, v           []float32
}

// schedule returns the next μ.
func (r *nAdamRule) schedule() float64 { return r.beta1 * (0.5 + float64(0.5*r.slow.next())) }

func (r *nAdamRule) numbers() []any {
	return []any{&r.slow.value, &r.beta2.value, &r.ahead, &r.product}
}

func (r *nAdamRule) next(rate, keep float64) {
	mu := r.ahead
	r.product = float64(r.product * mu)
	r.ahead = r.schedule()
	r.k.Rate = float32(rate * (1 - mu) / (1 - r.product))
	r.k.Ahead = float32(rate * r.ahead / (1 - float64(r.product*r.ahead)))
	r.k.Correction = float32(1 / r.beta2.next())
	r.k.Keep = float32(keep)
}

func (r *nAdamRule) apply(w, g []float32, lo, hi int) {
	simd.NAdam(w[lo:hi], g[lo:hi], r.m[lo:hi], r.v[lo:hi], &r.k)
}
