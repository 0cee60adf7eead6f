package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// GradientDescent goes straight down the gradient: w -= rate·g, with a learning rate of 0.01. With [FullBatch] it is the
// method of the textbooks, A. Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées, 1847;
// with batches it is [SGD] without momentum.
func GradientDescent(options ...GradientDescentOption) Optimizer {
	return newOptimizer(optimizer{name: "GradientDescent", formula: descent{}}, 0.01, options)
}

// GradientDescentOption is an argument of [GradientDescent]: [LearningRate] or another [OptimizerOption].
type GradientDescentOption interface {
	optimizerOption
	descentOption()
}

// SGD is stochastic gradient descent with momentum m: v = m·v - rate·g, w += v; with [Nesterov] w += m·v - rate·g.
// Defaults: learning rate 0.01, momentum 0. B. T. Polyak, Some methods of speeding up the convergence of iteration
// methods, 1964; I. Sutskever, J. Martens, G. Dahl and G. Hinton, On the importance of initialization and momentum in
// deep learning, ICML 2013.
func SGD(options ...SGDOption) Optimizer {
	return newOptimizer(optimizer{name: "SGD", formula: descent{true}}, 0.01, options)
}

// SGDOption is an argument of [SGD]: [Momentum], [Nesterov] or an [OptimizerOption].
type SGDOption interface {
	optimizerOption
	sgdOption()
}

// NesterovOption is the result of [Nesterov].
type NesterovOption struct{ forSGD }

// Nesterov lets [SGD] take the gradient where momentum is about to lead. It wants a [Momentum] above 0.
func Nesterov() NesterovOption { return NesterovOption{} }

func (NesterovOption) setOptimizer(s *optimizer) { s.nesterov = true }

type descent struct{ withMomentum bool }

func (f descent) settings(o *optimizer) []setting {
	if f.withMomentum {
		return []setting{{"Momentum", o.momentum, share}}
	}
	return nil
}

func (descent) rule(o *optimizer, m *rememberer) rule {
	r := &descentRule{momentum: float32(o.momentum), nesterov: o.nesterov}
	if o.momentum != 0 {
		r.velocity = m.array(0)
	}
	return r
}

// plainStep is the part that rules share whose kernels know no decay.
type plainStep struct{ rate, keep float32 }

func (s *plainStep) next(rate, keep float64) { s.rate, s.keep = float32(rate), float32(keep) }

func (s *plainStep) shrink(w []float32) {
	if s.keep != 1 {
		simd.Scale(w, w, s.keep)
	}
}

type descentRule struct {
	plainStep
	momentum float32
	nesterov bool
	velocity []float32
}

func (r *descentRule) apply(w, g []float32, lo, hi int) {
	r.shrink(w[lo:hi])
	if r.velocity == nil {
		simd.GradientDescent(w[lo:hi], g[lo:hi], r.rate)
		return
	}
	simd.Momentum(w[lo:hi], g[lo:hi], r.velocity[lo:hi], r.rate, r.momentum, r.nesterov)
}
