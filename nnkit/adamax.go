package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// Adamax is [Adam] with the largest gradient in the place of the root mean square: m = β₁·m + (1-β₁)·g,
// u = max(β₂·u, |g|), w -= rate/(1-β₁ᵗ) · m/(u+ε). Defaults as Adam's. D. P. Kingma and J. Ba, Adam: a method for
// stochastic optimization, ICLR 2015, section 7.1.
func Adamax(options ...AdamaxOption) Optimizer {
	return newOptimizer(optimizer{name: "Adamax", formula: adamax{}, beta1: 0.9, beta2: 0.999, epsilon: 1e-7}, 0.001, options)
}

// AdamaxOption is an argument of [Adamax]: [Beta1], [Beta2], [Epsilon] or an [OptimizerOption].
type AdamaxOption interface {
	optimizerOption
	adamaxOption()
}

type adamax struct{}

func (adamax) settings(o *optimizer) []setting { return betaSettings(o) }

func (adamax) rule(o *optimizer, m *rememberer) rule {
	return &adamaxRule{
		k: simd.AdamaxStep{
			Beta1: float32(o.beta1), Rest1: float32(1 - o.beta1), Beta2: float32(o.beta2), Epsilon: float32(o.epsilon),
		},
		beta1: power{o.beta1, 1}, m: m.array(0), u: m.array(1),
	}
}

type adamaxRule struct {
	k     simd.AdamaxStep
	beta1 power
	m, u  []float32
}

func (r *adamaxRule) numbers() []any { return []any{&r.beta1.value} }

func (r *adamaxRule) next(rate, keep float64) {
	r.k.Rate, r.k.Keep = float32(rate/r.beta1.next()), float32(keep)
}

func (r *adamaxRule) apply(w, g []float32, lo, hi int) {
	simd.Adamax(w[lo:hi], g[lo:hi], r.m[lo:hi], r.u[lo:hi], &r.k)
}
