package nnkit

import (
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Adam keeps running means of the gradient and of its square: m = β₁·m + (1-β₁)·g, v = β₂·v + (1-β₂)·g²,
// w -= rate·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/(√v+ε) in step t. Defaults: learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-7, which like
// Keras' is the paper's ε-hat. D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015.
func Adam(options ...AdamOption) Optimizer { return newAdam("Adam", 0, options) }

// AdamW is [Adam] with a [WeightDecay] of 0.004. I. Loshchilov and F. Hutter, Decoupled weight decay regularization,
// ICLR 2019.
func AdamW(options ...AdamOption) Optimizer { return newAdam("AdamW", 0.004, options) }

func newAdam(name string, decay float64, options []AdamOption) Optimizer {
	return newOptimizer(optimizer{name: name, formula: adam{}, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, decay: decay}, 0.001, options)
}

// AdamOption is an argument of [Adam] or [AdamW]: [Beta1], [Beta2], [Epsilon], [AMSGrad] or an [OptimizerOption].
type AdamOption interface {
	optimizerOption
	adamOption()
}

// AMSGradOption is the result of [AMSGrad].
type AMSGradOption struct{ forAdam }

// AMSGrad lets [Adam] divide by the largest v so far, so that its rates never grow. S. J. Reddi, S. Kale and S. Kumar, On
// the convergence of Adam and beyond, ICLR 2018.
func AMSGrad() AMSGradOption { return AMSGradOption{} }

func (AMSGradOption) setOptimizer(s *optimizer) { s.amsGrad = true }

// betaSettings are those of Adam's kin.
func betaSettings(o *optimizer) []setting {
	return []setting{{"Beta1", o.beta1, share}, {"Beta2", o.beta2, share}, {"Epsilon", o.epsilon, positive}}
}

type adam struct{}

func (adam) settings(o *optimizer) []setting { return betaSettings(o) }

func (adam) rule(o *optimizer, m *rememberer) rule {
	r := &adamRule{beta1: power{o.beta1, 1}, beta2: power{o.beta2, 1}, m: m.array(0), v: m.array(1)}
	r.k = simd.AdamStep{
		Beta1: float32(o.beta1), Rest1: float32(1 - o.beta1),
		Beta2: float32(o.beta2), Rest2: float32(1 - o.beta2),
		Epsilon: float32(o.epsilon),
	}
	if o.amsGrad {
		r.most = m.array(2)
	}
	return r
}

// power is β and βᵗ, as a product: math.Pow need not give the same bits on every machine.
type power struct{ base, value float64 }

// next goes on to the next t and returns 1-βᵗ.
func (p *power) next() float64 {
	p.value = float64(p.value * p.base)
	return 1 - p.value
}

type adamRule struct {
	beta1, beta2 power
	k            simd.AdamStep
	m, v, most   []float32
}

func (r *adamRule) numbers() []any { return []any{&r.beta1.value, &r.beta2.value} }

func (r *adamRule) next(rate, keep float64) {
	first, second := r.beta1.next(), r.beta2.next()
	r.k.Rate, r.k.Keep = float32(rate*math.Sqrt(second)/first), float32(keep)
}

func (r *adamRule) apply(w, g []float32, lo, hi int) {
	if r.most != nil {
		simd.AMSGrad(w[lo:hi], g[lo:hi], r.m[lo:hi], r.v[lo:hi], r.most[lo:hi], &r.k)
		return
	}
	simd.Adam(w[lo:hi], g[lo:hi], r.m[lo:hi], r.v[lo:hi], &r.k)
}
