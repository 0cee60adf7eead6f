package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// AdaGrad gives each weight a rate of its own that shrinks with the squares of its gradients: a += g²,
// w -= rate·g/√(a+ε). Defaults: learning rate 0.001, a begins at 0.1, ε 1e-7. J. Duchi, E. Hazan and Y. Singer, Adaptive
// subgradient methods for online learning and stochastic optimization, JMLR 12, 2011.
func AdaGrad(options ...AdaGradOption) Optimizer {
	s := &adaGrad{rate: 0.001, accumulator: 0.1, epsilon: 1e-7}
	for _, o := range options {
		o.adaGradOption(s)
	}
	return s
}

// AdaGradOption is an argument of [AdaGrad]: [LearningRate], [InitialAccumulator] or [Epsilon].
type AdaGradOption interface{ adaGradOption(*adaGrad) }

// AccumulatorOption is the result of [InitialAccumulator].
type AccumulatorOption struct{ value float64 }

// InitialAccumulator sets where [AdaGrad]'s sums of squares begin; 0.1 by default.
func InitialAccumulator(value float64) AccumulatorOption { return AccumulatorOption{value} }

func (o AccumulatorOption) adaGradOption(s *adaGrad) { s.accumulator = o.value }

type adaGrad struct{ rate, accumulator, epsilon float64 }

func (s *adaGrad) settings() []setting {
	return []setting{
		{"LearningRate", s.rate, positive},
		{"InitialAccumulator", s.accumulator, notNegative},
		{"Epsilon", s.epsilon, positive},
	}
}

func (s *adaGrad) String() string { return settingsText("AdaGrad", s.settings()...) }

func (s *adaGrad) check() error { return checkSettings("AdaGrad", s.settings()...) }

func (s *adaGrad) start(n int) stepper {
	st := &adaGradStepper{learningRate: learningRate{s.rate}, epsilon: float32(s.epsilon), squares: make([]float32, n)}
	for i := range st.squares {
		st.squares[i] = float32(s.accumulator)
	}
	return st
}

type adaGradStepper struct {
	learningRate
	epsilon float32
	squares []float32
}

func (s *adaGradStepper) next() {}

func (s *adaGradStepper) apply(w, g []float32, lo, hi int) {
	simd.AdaGrad(w[lo:hi], g[lo:hi], s.squares[lo:hi], float32(s.value), s.epsilon)
}
