package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// Lion goes a step of the same length in every weight, by the sign of a running mean alone: w -= rate·sign(β₁·m + (1-β₁)·g),
// then m = β₂·m + (1-β₂)·g. Defaults: learning rate 0.001, β₁ 0.9, β₂ 0.99. It wants a rate of a third to a tenth of
// [Adam]'s, and as much more [WeightDecay]. X. Chen and others, Symbolic discovery of optimization algorithms, NeurIPS 2023.
func Lion(options ...LionOption) Optimizer {
	return newOptimizer(optimizer{name: "Lion", formula: lion{}, beta1: 0.9, beta2: 0.99}, 0.001, options)
}

// LionOption is an argument of [Lion]: [Beta1], [Beta2] or an [OptimizerOption].
type LionOption interface {
	optimizerOption
	lionOption()
}

type lion struct{}

func (lion) settings(o *optimizer) []setting {
	return []setting{{"Beta1", o.beta1, share}, {"Beta2", o.beta2, share}}
}

func (lion) rule(o *optimizer, m *rememberer) rule {
	return &lionRule{
		k: simd.LionStep{
			Beta1: float32(o.beta1), Rest1: float32(1 - o.beta1), Beta2: float32(o.beta2), Rest2: float32(1 - o.beta2),
		},
		m: m.array(0),
	}
}

type lionRule struct {
	k simd.LionStep
	m []float32
}

func (r *lionRule) next(rate, keep float64) { r.k.Rate, r.k.Keep = float32(rate), float32(keep) }

func (r *lionRule) apply(w, g []float32, lo, hi int) { simd.Lion(w[lo:hi], g[lo:hi], r.m[lo:hi], &r.k) }
