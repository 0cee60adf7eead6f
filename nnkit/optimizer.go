package nnkit

import (
	"fmt"
	"math"
	"strings"
)

// Optimizer changes the weights along the gradient: [GradientDescent], [SGD], [AdaGrad], [RMSprop] or [Adam]. Its
// defaults are Keras'. One optimizer may serve several models: what it remembers belongs to the model that it was
// compiled into.
type Optimizer interface {
	// String returns the name and the settings: "Adam(LearningRate 0.001, …)".
	String() string

	check() error
	// start returns a fresh state for n numbers.
	start(n int) stepper
}

// stepper is an optimizer at work on one model.
type stepper interface {
	// next prepares one step; then apply changes w[lo:hi], and is called for disjoint ranges that cover w.
	next()
	apply(w, g []float32, lo, hi int)
	rate() float64
	setRate(rate float64)
}

// learningRate is the part that all steppers share.
type learningRate struct{ value float64 }

func (r *learningRate) rate() float64        { return r.value }
func (r *learningRate) setRate(rate float64) { r.value = rate }

// RateOption is the result of [LearningRate]. Every optimizer takes it.
type RateOption struct{ rate float64 }

// LearningRate sets how far a step goes: Adam(nnkit.LearningRate(0.01)). It must be above 0.
func LearningRate(rate float64) RateOption { return RateOption{rate} }

func (o RateOption) gradientDescentOption(s *sgd) { s.rate = o.rate }
func (o RateOption) sgdOption(s *sgd)             { s.rate = o.rate }
func (o RateOption) adaGradOption(s *adaGrad)     { s.rate = o.rate }
func (o RateOption) rmsPropOption(s *rmsProp)     { s.rate = o.rate }
func (o RateOption) adamOption(s *adam)           { s.rate = o.rate }

// MomentumOption is the result of [Momentum].
type MomentumOption struct{ momentum float64 }

// Momentum lets [SGD] and [RMSprop] keep a share of the last step, 0.9 for example; 0 by default. From 0 to below 1.
func Momentum(share float64) MomentumOption { return MomentumOption{share} }

func (o MomentumOption) sgdOption(s *sgd)         { s.momentum = o.momentum }
func (o MomentumOption) rmsPropOption(s *rmsProp) { s.momentum = o.momentum }

// EpsilonOption is the result of [Epsilon].
type EpsilonOption struct{ epsilon float64 }

// Epsilon sets the small number that keeps [AdaGrad], [RMSprop] and [Adam] from dividing by zero; 1e-7 by default.
func Epsilon(epsilon float64) EpsilonOption { return EpsilonOption{epsilon} }

func (o EpsilonOption) adaGradOption(s *adaGrad) { s.epsilon = o.epsilon }
func (o EpsilonOption) rmsPropOption(s *rmsProp) { s.epsilon = o.epsilon }
func (o EpsilonOption) adamOption(s *adam)       { s.epsilon = o.epsilon }

// setting is a number with its name and bounds, as checked by checkSettings.
type setting struct {
	name  string
	value float64
	kind  bound
}

type bound int

const (
	positive bound = iota
	share          // from 0 to below 1
	notNegative
)

func checkSettings(optimizer string, settings ...setting) error {
	for _, s := range settings {
		ok, want := s.value > 0 && !math.IsInf(s.value, 0), "a number above 0"
		switch s.kind {
		case share:
			ok, want = s.value >= 0 && s.value < 1, "at least 0 and below 1"
		case notNegative:
			ok, want = s.value >= 0 && !math.IsInf(s.value, 0), "a number of at least 0"
		}
		if !ok {
			return fmt.Errorf("%s(%s(%v)): it must be %s", optimizer, s.name, s.value, want)
		}
	}
	return nil
}

func settingsText(optimizer string, settings ...setting) string {
	parts := make([]string, len(settings))
	for i, s := range settings {
		parts[i] = fmt.Sprintf("%s %v", s.name, s.value)
	}
	return optimizer + "(" + strings.Join(parts, ", ") + ")"
}
