package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// RMSprop divides the gradient by a running root mean square of itself: a = ρ·a + (1-ρ)·g², step = rate·g/√(a+ε),
// w -= step; with momentum m, v = m·v + step, w -= v; with [Centered] by the running standard deviation. Defaults:
// learning rate 0.001, ρ 0.9, momentum 0, ε 1e-7. T. Tieleman and G. Hinton, Lecture 6.5 of Neural Networks for Machine
// Learning, Coursera 2012.
func RMSprop(options ...RMSpropOption) Optimizer {
	return newOptimizer(optimizer{name: "RMSprop", formula: rmsProp{}, rho: 0.9, epsilon: 1e-7}, 0.001, options)
}

// RMSpropOption is an argument of [RMSprop]: [Rho], [Momentum], [Centered], [Epsilon] or an [OptimizerOption].
type RMSpropOption interface {
	optimizerOption
	rmsPropOption()
}

// CenteredOption is the result of [Centered].
type CenteredOption struct{ forRMSprop }

// Centered lets [RMSprop] divide by the root of the gradient's variance: a - mean² instead of a, with
// mean = ρ·mean + (1-ρ)·g. A. Graves, Generating sequences with recurrent neural networks, 2013.
func Centered() CenteredOption { return CenteredOption{} }

func (CenteredOption) setOptimizer(s *optimizer) { s.centered = true }

type rmsProp struct{}

func (rmsProp) settings(o *optimizer) []setting {
	return []setting{{"Rho", o.rho, share}, {"Momentum", o.momentum, share}, {"Epsilon", o.epsilon, positive}}
}

func (rmsProp) rule(o *optimizer, m *rememberer) rule {
	r := &rmsPropRule{
		k: simd.CentredRMSpropStep{
			Rho: float32(o.rho), Rest: float32(1 - o.rho), Epsilon: float32(o.epsilon), Momentum: float32(o.momentum),
		},
		squares: m.array(0),
	}
	if o.momentum != 0 {
		r.velocity = m.array(1)
	}
	if o.centered {
		r.mean = m.array(2)
	}
	return r
}

type rmsPropRule struct {
	k                       simd.CentredRMSpropStep
	squares, velocity, mean []float32
}

func (r *rmsPropRule) next(rate, keep float64) { r.k.Rate, r.k.Keep = float32(rate), float32(keep) }

func (r *rmsPropRule) apply(w, g []float32, lo, hi int) {
	k, w, g, a := &r.k, w[lo:hi], g[lo:hi], r.squares[lo:hi]
	var v []float32
	if r.velocity != nil {
		v = r.velocity[lo:hi]
	}
	if r.mean != nil {
		simd.CentredRMSprop(w, g, a, r.mean[lo:hi], v, k)
		return
	}
	if k.Keep != 1 {
		simd.Scale(w, w, k.Keep)
	}
	if v != nil {
		simd.RMSpropMomentum(w, g, a, v, k.Rate, k.Rho, k.Rest, k.Epsilon, k.Momentum)
		return
	}
	simd.RMSprop(w, g, a, k.Rate, k.Rho, k.Rest, k.Epsilon)
}
