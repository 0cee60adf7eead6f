package nnkit

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Optimizer changes the weights along the gradient: [GradientDescent], [SGD], [AdaGrad], [AdaDelta], [RMSprop], [Adam],
// [AdamW], [NAdam], [Adamax], [Lion], or one of your own by [OptimizerFunc]. Names and defaults are Keras'. One optimizer
// may serve several models: what it remembers belongs to the model that it was compiled into.
//
// Beside those of its formula every optimizer has the options [LearningRate], [WeightDecay], [ParameterGroup], [ClipNorm],
// [ClipValue], [GlobalClipNorm], [GradientAccumulation] and [MovingAverage]. In a step come first accumulation, then
// clipping, decay of the weights, the formula, constraints, and the moving average.
type Optimizer interface {
	// String returns the name and the settings: "Adam(LearningRate 0.001, …)".
	String() string

	check() error
	// start returns a fresh state for n numbers.
	start(n int) *stepper
}

// optimizer is every optimizer: a formula and its settings.
type optimizer struct {
	name    string
	formula formula
	rate    Schedule
	decay   float64

	// What formulas need.
	momentum, rho, beta1, beta2, epsilon, accumulator float64
	nesterov, centered, amsGrad                       bool

	clip       clipping
	accumulate int
	average    averaging
	groups     []parameterGroup
	err        error // what was wrong with an option
}

// formula is an optimizer's rule.
type formula interface {
	// settings lists what the rule reads of an optimizer, behind the learning rate.
	settings(o *optimizer) []setting
	// rule returns the rule at work. It gets its memory from m: the same arrays for all groups of parameters.
	rule(o *optimizer, m *rememberer) rule
}

// rule is a formula at work on parameters that share a learning rate and a decay.
type rule interface {
	// next prepares a step; keep is the share of a weight that is kept: 1, or 1 - rate·decay.
	next(rate, keep float64)
	// apply changes w[lo:hi], and is called for disjoint ranges, perhaps at the same time.
	apply(w, g []float32, lo, hi int)
}

// rememberer gives rules arrays of n numbers, by their place in the formula.
type rememberer struct {
	n      int
	arrays [][]float32
}

func (m *rememberer) array(i int) []float32 {
	for len(m.arrays) <= i {
		m.arrays = append(m.arrays, make([]float32, m.n))
	}
	return m.arrays[i]
}

// optimizerOption is what all options of optimizers are. As with layers, methods without effect tell which optimizers one
// is for.
type optimizerOption interface{ setOptimizer(o *optimizer) }

// The optimizers that an option is for.
type (
	forOptimizers struct {
		forDescent
		forSGD
		forAdaGrad
		forAdaDelta
		forRMSprop
		forAdam
		forNAdam
		forAdamax
		forLion
	}
	forDescent  struct{}
	forSGD      struct{}
	forAdaGrad  struct{}
	forAdaDelta struct{}
	forRMSprop  struct{}
	forAdam     struct{}
	forNAdam    struct{}
	forAdamax   struct{}
	forLion     struct{}
)

func (forDescent) descentOption()       {}
func (forSGD) sgdOption()               {}
func (forAdaGrad) adaGradOption()       {}
func (forAdaDelta) adaDeltaOption()     {}
func (forRMSprop) rmsPropOption()       {}
func (forAdam) adamOption()             {}
func (forNAdam) nAdamOption()           {}
func (forAdamax) adamaxOption()         {}
func (forLion) lionOption()             {}
func (forOptimizers) forAllOptimizers() {}

// OptimizerOption is an option of every optimizer.
type OptimizerOption interface {
	optimizerOption
	forAllOptimizers()
}

// newOptimizer applies options to the defaults o.
func newOptimizer[O optimizerOption](o optimizer, rate float64, options []O) Optimizer {
	o.rate = constantRate(rate)
	for i, option := range options {
		if any(option) == nil {
			o.err = fmt.Errorf("%s: option %d is nil", o.name, i+1)
			break
		}
		option.setOptimizer(&o)
	}
	return &o
}

// settings lists all numbers of an optimizer but those that are switched off.
func (o *optimizer) settings() []setting {
	list := o.formula.settings(o)
	if o.decay != 0 {
		list = append(list, setting{"WeightDecay", o.decay, notNegative})
	}
	return append(list, o.clip.settings()...)
}

// String returns the name and the settings.
func (o *optimizer) String() string {
	parts := []string{"LearningRate " + o.rate.String()}
	for _, s := range o.settings() {
		parts = append(parts, fmt.Sprintf("%s %v", s.name, s.value))
	}
	for _, b := range []struct {
		on   bool
		name string
	}{{o.nesterov, "Nesterov"}, {o.centered, "Centered"}, {o.amsGrad, "AMSGrad"}} {
		if b.on {
			parts = append(parts, b.name)
		}
	}
	if o.accumulate > 1 {
		parts = append(parts, fmt.Sprintf("GradientAccumulation %d", o.accumulate))
	}
	if o.average.on {
		parts = append(parts, fmt.Sprintf("MovingAverage %v", o.average.momentum))
	}
	for _, g := range o.groups {
		parts = append(parts, g.String())
	}
	return o.name + "(" + strings.Join(parts, ", ") + ")"
}

// source writes the optimizer as a call.
func (o *optimizer) source() (string, error) {
	call := o.name + "("
	if _, own := o.formula.(*ownFormula); own {
		text, err := registeredSource("Optimizer", o, o.name)
		if err != nil {
			return "", err
		}
		call = strings.TrimSuffix(text, ")") + ", "
	}
	rate, err := o.rate.written()
	if err != nil {
		return "", err
	}
	options := []string{"LearningRate(" + rate + ")"}
	if o.decay == 0 {
		options = append(options, "WeightDecay(0)")
	}
	for _, s := range o.settings() {
		options = append(options, fmt.Sprintf("%s(%v)", s.name, s.value))
	}
	for _, b := range []struct {
		on   bool
		name string
	}{{o.nesterov, "Nesterov()"}, {o.centered, "Centered()"}, {o.amsGrad, "AMSGrad()"}} {
		if b.on {
			options = append(options, b.name)
		}
	}
	if o.accumulate > 1 {
		options = append(options, fmt.Sprintf("GradientAccumulation(%d)", o.accumulate))
	}
	if o.average.on {
		options = append(options, fmt.Sprintf("MovingAverage(%v)", o.average.momentum))
	}
	for i, g := range o.groups {
		if g.pattern == nil {
			return "", fmt.Errorf("a file cannot hold the function of ParameterGroup %d of %s: write it as a pattern, \"*/bias\" for example", i+1, o.name)
		}
		options = append(options, g.source())
	}
	return call + strings.Join(options, ", ") + ")", nil
}

func (o *optimizer) check() error {
	if o.err != nil {
		return o.err
	}
	if o.rate.err != nil {
		return fmt.Errorf("%s(LearningRate(…)): %w", o.name, o.rate.err)
	}
	list := o.settings()
	if o.rate.constant() {
		list = slices.Insert(list, 0, setting{"LearningRate", o.rate.initial, positive})
	}
	if o.average.on {
		list = append(list, setting{"MovingAverage", o.average.momentum, share})
	}
	if err := checkSettings(o.name, list...); err != nil {
		return err
	}
	switch {
	case o.nesterov && o.momentum == 0:
		return fmt.Errorf("%s(Nesterov()): it wants a momentum: write %s(nnkit.Momentum(0.9), nnkit.Nesterov())", o.name, o.name)
	case len(o.clip.settings()) > 1:
		return fmt.Errorf("%s: of ClipValue, ClipNorm and GlobalClipNorm only one can be given", o.name)
	}
	for _, g := range o.groups {
		if err := g.check(o.name); err != nil {
			return err
		}
	}
	return nil
}

// RateOption is the result of [LearningRate]. Every optimizer takes it.
type RateOption struct {
	forOptimizers
	rate Schedule
}

// LearningRate sets how far a step goes, by a number above 0 or by a [Schedule] that changes it from batch to batch:
//
//	nnkit.Adam(nnkit.LearningRate(0.01))
//	nnkit.SGD(nnkit.LearningRate(nnkit.CosineDecay(0.1, 2000)))
func LearningRate[R int | float64 | Schedule](rate R) RateOption {
	switch rate := any(rate).(type) {
	case int:
		return RateOption{rate: constantRate(float64(rate))}
	case float64:
		return RateOption{rate: constantRate(rate)}
	default:
		return RateOption{rate: rate.(Schedule)}
	}
}

func (o RateOption) setOptimizer(s *optimizer) { s.rate = o.rate }

// DecayOption is the result of [WeightDecay].
type DecayOption struct {
	forOptimizers
	decay float64
}

// WeightDecay lets every step first take the share rate·decay off the weights, beside the gradient and not through it; 0
// by default, 0.004 for [AdamW]. It is an option of every optimizer and of a [ParameterGroup]. I. Loshchilov and F. Hutter,
// Decoupled weight decay regularization, ICLR 2019. To decay through the gradient use [L2].
func WeightDecay(decay float64) DecayOption { return DecayOption{decay: decay} }

func (o DecayOption) setOptimizer(s *optimizer) { s.decay = o.decay }

// MomentumOption is the result of [Momentum].
type MomentumOption struct {
	forSGD
	forRMSprop
	momentum float64
}

// Momentum lets [SGD] and [RMSprop] keep a share of the last step, 0.9 for example; 0 by default. From 0 to below 1.
func Momentum(share float64) MomentumOption { return MomentumOption{momentum: share} }

func (o MomentumOption) setOptimizer(s *optimizer) { s.momentum = o.momentum }

// RhoOption is the result of [Rho].
type RhoOption struct {
	forAdaDelta
	forRMSprop
	rho float64
}

// Rho sets how slowly [RMSprop] and [AdaDelta] forget old gradients; 0.9 and 0.95 by default. From 0 to below 1.
func Rho(share float64) RhoOption { return RhoOption{rho: share} }

func (o RhoOption) setOptimizer(s *optimizer) { s.rho = o.rho }

// BetaOption is the result of [Beta1] or [Beta2].
type BetaOption struct {
	forAdam
	forNAdam
	forAdamax
	forLion
	second bool
	beta   float64
}

// Beta1 sets how slowly [Adam] and its kin forget old gradients, and [Lion] in its step; 0.9 by default. From 0 to below 1.
func Beta1(share float64) BetaOption { return BetaOption{beta: share} }

// Beta2 sets how slowly [Adam] and its kin forget old squares of gradients, 0.999 by default, and [Lion] old gradients, 0.99.
// From 0 to below 1.
func Beta2(share float64) BetaOption { return BetaOption{second: true, beta: share} }

func (o BetaOption) setOptimizer(s *optimizer) {
	if o.second {
		s.beta2 = o.beta
		return
	}
	s.beta1 = o.beta
}

// EpsilonOption is the result of [Epsilon].
type EpsilonOption struct {
	forAdaGrad
	forAdaDelta
	forRMSprop
	forAdam
	forNAdam
	forAdamax
	epsilon float64
}

// Epsilon sets the small number that keeps an optimizer from dividing by zero; 1e-7 by default.
func Epsilon(epsilon float64) EpsilonOption { return EpsilonOption{epsilon: epsilon} }

func (o EpsilonOption) setOptimizer(s *optimizer) { s.epsilon = o.epsilon }

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

func checkSettings(of string, settings ...setting) error {
	for _, s := range settings {
		ok, want := s.value > 0 && !math.IsInf(s.value, 0), "a number above 0"
		switch s.kind {
		case share:
			ok, want = s.value >= 0 && s.value < 1, "at least 0 and below 1"
		case notNegative:
			ok, want = s.value >= 0 && !math.IsInf(s.value, 0), "a number of at least 0"
		}
		if !ok {
			return fmt.Errorf("%s(%s(%v)): it must be %s", of, s.name, s.value, want)
		}
	}
	return nil
}
