package nnkit

import (
	"errors"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// GradientDescent goes straight down the gradient: w -= rate·g, with a learning rate of 0.01. With [FullBatch] it is the
// method of the textbooks, A. Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées, 1847;
// with batches it is [SGD] without momentum.
func GradientDescent(options ...GradientDescentOption) Optimizer {
	s := &sgd{name: "GradientDescent", rate: 0.01}
	for _, o := range options {
		o.gradientDescentOption(s)
	}
	return s
}

// GradientDescentOption is an argument of [GradientDescent]: [LearningRate].
type GradientDescentOption interface{ gradientDescentOption(*sgd) }

// SGD is stochastic gradient descent with momentum m: v = m·v - rate·g, w += v; with [Nesterov] w += m·v - rate·g.
// Defaults: learning rate 0.01, momentum 0. B. T. Polyak, Some methods of speeding up the convergence of iteration
// methods, 1964; I. Sutskever, J. Martens, G. Dahl and G. Hinton, On the importance of initialization and momentum in
// deep learning, ICML 2013.
func SGD(options ...SGDOption) Optimizer {
	s := &sgd{name: "SGD", rate: 0.01}
	for _, o := range options {
		o.sgdOption(s)
	}
	return s
}

// SGDOption is an argument of [SGD]: [LearningRate], [Momentum] or [Nesterov].
type SGDOption interface{ sgdOption(*sgd) }

// NesterovOption is the result of [Nesterov].
type NesterovOption struct{}

// Nesterov lets [SGD] take the gradient where momentum is about to lead. It wants a [Momentum] above 0.
func Nesterov() NesterovOption { return NesterovOption{} }

func (NesterovOption) sgdOption(s *sgd) { s.nesterov = true }

type sgd struct {
	name           string
	rate, momentum float64
	nesterov       bool
}

func (s *sgd) settings() []setting {
	list := []setting{{"LearningRate", s.rate, positive}}
	if s.name == "SGD" {
		list = append(list, setting{"Momentum", s.momentum, share})
	}
	return list
}

func (s *sgd) String() string {
	text := settingsText(s.name, s.settings()...)
	if s.nesterov {
		text = text[:len(text)-1] + ", Nesterov)"
	}
	return text
}

func (s *sgd) check() error {
	if s.nesterov && s.momentum == 0 {
		return errors.New("SGD(Nesterov()): it wants a momentum: write SGD(nnkit.Momentum(0.9), nnkit.Nesterov())")
	}
	return checkSettings(s.name, s.settings()...)
}

func (s *sgd) start(n int) stepper {
	st := &sgdStepper{learningRate: learningRate{s.rate}, momentum: float32(s.momentum), nesterov: s.nesterov}
	if s.momentum != 0 {
		st.velocity = make([]float32, n)
	}
	return st
}

type sgdStepper struct {
	learningRate
	momentum float32
	nesterov bool
	velocity []float32
}

func (s *sgdStepper) next() {}

func (s *sgdStepper) apply(w, g []float32, lo, hi int) {
	if s.velocity == nil {
		simd.GradientDescent(w[lo:hi], g[lo:hi], float32(s.value))
		return
	}
	simd.Momentum(w[lo:hi], g[lo:hi], s.velocity[lo:hi], float32(s.value), s.momentum, s.nesterov)
}
