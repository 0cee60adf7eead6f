package nnkit

import (
	"fmt"
	"strings"
)

// LayerWeightOption is an option of layers with weights: [BiasInitializer], [KernelRegularizer], [BiasRegularizer],
// [ActivityRegularizer], [KernelConstraint] or [BiasConstraint].
type LayerWeightOption struct {
	forWeighted
	apply func(s *layerSettings) error
}

func (o LayerWeightOption) set(s *layerSettings) { s.err = o.apply(s) }

// RecurrentWeightOption is an option of recurrent layers: [RecurrentInitializer], [RecurrentRegularizer] or
// [RecurrentConstraint].
type RecurrentWeightOption struct {
	forRecurrents
	apply func(s *layerSettings) error
}

func (o RecurrentWeightOption) set(s *layerSettings) { s.err = o.apply(s) }

// weightRules is what holds for one of a layer's parameters.
type weightRules struct {
	initializer Initializer // nil for the layer's own
	regularizer Regularizer
	constraint  Constraint
}

func (w *weightRules) initialize(option string, i Initializer) error {
	if i == nil {
		return fmt.Errorf("%s(nil): name one, nnkit.Zeros for example", option)
	}
	w.initializer = i
	return checkInitializer(i)
}

func (w *weightRules) regularize(option string, r Regularizer) error {
	w.regularizer = r
	return r.check(option)
}

func (w *weightRules) constrain(option string, c Constraint) error {
	if c == nil {
		return fmt.Errorf("%s(nil): name one, nnkit.MaxNorm(3) for example", option)
	}
	w.constraint = c
	return c.check()
}

// or returns the initializer that was chosen, or the layer's own.
func (w *weightRules) or(own Initializer) Initializer {
	if w.initializer != nil {
		return w.initializer
	}
	return own
}

// parameterRules are those of a layer's parameters.
type parameterRules struct{ kernelRules, recurrentRules, biasRules weightRules }

// govern has the rules hold for the layer's parameters, which it knows by their names, and for those of layers within it.
func (c *layerCore) govern() {
	for _, p := range c.parameters {
		switch name := p.name; {
		case strings.HasSuffix(name, "recurrent_kernel"):
			c.rules.recurrentRules.govern(p)
		case strings.HasSuffix(name, "kernel"):
			c.rules.kernelRules.govern(p)
		case strings.HasSuffix(name, "bias"):
			c.rules.biasRules.govern(p)
		}
		if c.frozen {
			p.SetTrainable(false)
		}
	}
}

func (w *weightRules) govern(p *Parameter) {
	if !w.regularizer.none() {
		p.regularizer = w.regularizer
	}
	if w.constraint != nil {
		p.constraint = w.constraint
	}
}

// BiasInitializer says how a layer's bias begins: BiasInitializer(nnkit.Constant(0.1)). That of an [LSTM]'s forget gate is 1
// all the same, as in Keras.
func BiasInitializer(i Initializer) LayerWeightOption {
	return LayerWeightOption{apply: func(s *layerSettings) error { return s.biasRules.initialize("BiasInitializer", i) }}
}

// RecurrentInitializer says how the kernel is drawn by which a recurrent layer's state goes into the next; [Orthogonal] by
// default.
func RecurrentInitializer(i Initializer) RecurrentWeightOption {
	return RecurrentWeightOption{apply: func(s *layerSettings) error { return s.recurrentRules.initialize("RecurrentInitializer", i) }}
}
