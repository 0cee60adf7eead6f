package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// AdaDelta measures a step by the steps before it, so that rate has no unit: a = ρ·a + (1-ρ)·g²,
// step = g·√((d+ε)/(a+ε)), d = ρ·d + (1-ρ)·step², w -= rate·step. Defaults: learning rate 0.001, which is Keras' and small
// (the paper has 1), ρ 0.95, ε 1e-7. M. D. Zeiler, ADADELTA: an adaptive learning rate method, 2012.
func AdaDelta(options ...AdaDeltaOption) Optimizer {
	return newOptimizer(optimizer{name: "AdaDelta", formula: adaDelta{}, rho: 0.95, epsilon: 1e-7}, 0.001, options)
}

// AdaDeltaOption is an argument of [AdaDelta]: [Rho], [Epsilon] or an [OptimizerOption].
type AdaDeltaOption interface {
	optimizerOption
	adaDeltaOption()
}

type adaDelta struct{}

func (adaDelta) settings(o *optimizer) []setting {
	return []setting{{"Rho", o.rho, share}, {"Epsilon", o.epsilon, positive}}
}

func (adaDelta) rule(o *optimizer, m *rememberer) rule {
	return &adaDeltaRule{
		k:       simd.AdaDeltaStep{Rho: float32(o.rho), Rest: float32(1 - o.rho), Epsilon: float32(o.epsilon)},
		squares: m.array(0), steps: m.array(1),
	}
}

type adaDeltaRule struct {
	k              simd.AdaDeltaStep
	squares, steps []float32
}

func (r *adaDeltaRule) next(rate, keep float64) { r.k.Rate, r.k.Keep = float32(rate), float32(keep) }

func (r *adaDeltaRule) apply(w, g []float32, lo, hi int) {
	simd.AdaDelta(w[lo:hi], g[lo:hi], r.squares[lo:hi], r.steps[lo:hi], &r.k)
}
