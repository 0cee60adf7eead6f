package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// AdaGrad gives each weight a rate of its own that shrinks with the squares of its gradients: a += g²,
// w -= rate·g/√(a+ε). Defaults: learning rate 0.001, a begins at 0.1, ε 1e-7. J. Duchi, E. Hazan and Y. Singer, Adaptive
// subgradient methods for online learning and stochastic optimization, JMLR 12, 2011.
func AdaGrad(options ...AdaGradOption) Optimizer {
	return newOptimizer(optimizer{name: "AdaGrad", formula: adaGrad{}, accumulator: 0.1, epsilon: 1e-7}, 0.001, options)
}

// AdaGradOption is an argument of [AdaGrad]: [InitialAccumulator], [Epsilon] or an [OptimizerOption].
type AdaGradOption interface {
	optimizerOption
	adaGradOption()
}

// AccumulatorOption is the result of [InitialAccumulator].
type AccumulatorOption struct {
	forAdaGrad
	value float64
}

// InitialAccumulator sets where [AdaGrad]'s sums of squares begin; 0.1 by default.
func InitialAccumulator(value float64) AccumulatorOption { return AccumulatorOption{value: value} }

func (o AccumulatorOption) setOptimizer(s *optimizer) { s.accumulator = o.value }

type adaGrad struct{}

func (adaGrad) settings(o *optimizer) []setting {
	return []setting{{"InitialAccumulator", o.accumulator, notNegative}, {"Epsilon", o.epsilon, positive}}
}

func (adaGrad) rule(o *optimizer, m *rememberer) rule {
	r := &adaGradRule{epsilon: float32(o.epsilon), squares: m.array(0)}
	fill(r.squares, float32(o.accumulator))
	return r
}

type adaGradRule struct {
	plainStep
	epsilon float32
	squares []float32
}

func (r *adaGradRule) apply(w, g []float32, lo, hi int) {
	r.shrink(w[lo:hi])
	simd.AdaGrad(w[lo:hi], g[lo:hi], r.squares[lo:hi], r.rate, r.epsilon)
}
