package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// RMSprop divides the gradient by a running root mean square of itself: a = ρ·a + (1-ρ)·g², step = rate·g/√(a+ε),
// w -= step; with momentum m, v = m·v + step, w -= v. Defaults: learning rate 0.001, ρ 0.9, momentum 0, ε 1e-7.
// T. Tieleman and G. Hinton, Lecture 6.5 of Neural Networks for Machine Learning, Coursera 2012.
func RMSprop(options ...RMSpropOption) Optimizer {
	s := &rmsProp{rate: 0.001, rho: 0.9, epsilon: 1e-7}
	for _, o := range options {
		o.rmsPropOption(s)
	}
	return s
}

// RMSpropOption is an argument of [RMSprop]: [LearningRate], [Rho], [Momentum] or [Epsilon].
type RMSpropOption interface{ rmsPropOption(*rmsProp) }

// RhoOption is the result of [Rho].
type RhoOption struct{ rho float64 }

// Rho sets how slowly [RMSprop] forgets old gradients; 0.9 by default. From 0 to below 1.
func Rho(share float64) RhoOption { return RhoOption{share} }

func (o RhoOption) rmsPropOption(s *rmsProp) { s.rho = o.rho }

type rmsProp struct{ rate, rho, momentum, epsilon float64 }

func (s *rmsProp) settings() []setting {
	return []setting{
		{"LearningRate", s.rate, positive},
		{"Rho", s.rho, share},
		{"Momentum", s.momentum, share},
		{"Epsilon", s.epsilon, positive},
	}
}

func (s *rmsProp) String() string { return settingsText("RMSprop", s.settings()...) }

func (s *rmsProp) check() error { return checkSettings("RMSprop", s.settings()...) }

func (s *rmsProp) start(n int) stepper {
	st := &rmsPropStepper{
		learningRate: learningRate{s.rate},
		rho:          float32(s.rho),
		rest:         float32(1 - s.rho),
		epsilon:      float32(s.epsilon),
		momentum:     float32(s.momentum),
		squares:      make([]float32, n),
	}
	if s.momentum != 0 {
		st.velocity = make([]float32, n)
	}
	return st
}

type rmsPropStepper struct {
	learningRate
	rho, rest, epsilon, momentum float32
	squares, velocity            []float32
}

func (s *rmsPropStepper) next() {}

func (s *rmsPropStepper) apply(w, g []float32, lo, hi int) {
	if s.velocity == nil {
		simd.RMSprop(w[lo:hi], g[lo:hi], s.squares[lo:hi], float32(s.value), s.rho, s.rest, s.epsilon)
		return
	}
	simd.RMSpropMomentum(w[lo:hi], g[lo:hi], s.squares[lo:hi], s.velocity[lo:hi],
		float32(s.value), s.rho, s.rest, s.epsilon, s.momentum)
}
