package nnkit

import (
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Adam keeps running means of the gradient and of its square: m = β₁·m + (1-β₁)·g, v = β₂·v + (1-β₂)·g²,
// w -= rate·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/(√v+ε) in step t. Defaults: learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-7, which like
// Keras' is the paper's ε-hat. D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015.
func Adam(options ...AdamOption) Optimizer {
	s := &adam{rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7}
	for _, o := range options {
		o.adamOption(s)
	}
	return s
}

// AdamOption is an argument of [Adam]: [LearningRate], [Beta1], [Beta2] or [Epsilon].
type AdamOption interface{ adamOption(*adam) }

// Beta1Option is the result of [Beta1].
type Beta1Option struct{ beta float64 }

// Beta2Option is the result of [Beta2].
type Beta2Option struct{ beta float64 }

// Beta1 sets how slowly [Adam] forgets old gradients; 0.9 by default. From 0 to below 1.
func Beta1(share float64) Beta1Option { return Beta1Option{share} }

// Beta2 sets how slowly [Adam] forgets old squares of gradients; 0.999 by default. From 0 to below 1.
func Beta2(share float64) Beta2Option { return Beta2Option{share} }

func (o Beta1Option) adamOption(s *adam) { s.beta1 = o.beta }
func (o Beta2Option) adamOption(s *adam) { s.beta2 = o.beta }

type adam struct{ rate, beta1, beta2, epsilon float64 }

func (s *adam) settings() []setting {
	return []setting{
		{"LearningRate", s.rate, positive},
		{"Beta1", s.beta1, share},
		{"Beta2", s.beta2, share},
		{"Epsilon", s.epsilon, positive},
	}
}

func (s *adam) String() string { return settingsText("Adam", s.settings()...) }

func (s *adam) check() error { return checkSettings("Adam", s.settings()...) }

func (s *adam) start(n int) stepper {
	return &adamStepper{learningRate: learningRate{s.rate}, adam: *s, power1: 1, power2: 1, m: make([]float32, n), v: make([]float32, n)}
}

type adamStepper struct {
	learningRate
	adam           adam
	power1, power2 float64 // β₁ᵗ and β₂ᵗ, as products: math.Pow need not give the same bits on every machine
	k              simd.AdamStep
	m, v           []float32
}

func (s *adamStepper) next() {
	s.power1 *= s.adam.beta1
	s.power2 *= s.adam.beta2
	s.k = simd.AdamStep{
		Rate:    float32(s.value * math.Sqrt(1-s.power2) / (1 - s.power1)),
		Beta1:   float32(s.adam.beta1),
		Rest1:   float32(1 - s.adam.beta1),
		Beta2:   float32(s.adam.beta2),
		Rest2:   float32(1 - s.adam.beta2),
		Epsilon: float32(s.adam.epsilon),
		Keep:    1,
	}
}

func (s *adamStepper) apply(w, g []float32, lo, hi int) {
	simd.Adam(w[lo:hi], g[lo:hi], s.m[lo:hi], s.v[lo:hi], &s.k)
}
