package nnkit

import (
	"fmt"
	"strings"
)

// parameterGroup is trained in a way of its own.
type parameterGroup struct {
	match  func(name string) bool
	factor float64
	decay  *float64
}

// GroupOption is an option of a [ParameterGroup]: [WeightDecay] or [RateFactor].
type GroupOption interface{ setGroup(g *parameterGroup) }

// ParameterGroupOption is the result of [ParameterGroup].
type ParameterGroupOption struct {
	forOptimizers
	group parameterGroup
}

// ParameterGroup trains the parameters for whose names match returns true in a way of their own: with a [WeightDecay], or a
// [RateFactor] for the learning rate. A parameter belongs to the first group that matches. Biases without decay are
//
//	nnkit.AdamW(nnkit.ParameterGroup(func(name string) bool { return strings.HasSuffix(name, "/bias") }, nnkit.WeightDecay(0)))
//
// Names are those of [Parameter.Name]. To train some parameters not at all see [Model.Freeze].
func ParameterGroup(match func(name string) bool, options ...GroupOption) ParameterGroupOption {
	g := parameterGroup{match: match, factor: 1}
	for _, o := range options {
		if o != nil {
			o.setGroup(&g)
		}
	}
	return ParameterGroupOption{group: g}
}

func (o ParameterGroupOption) setOptimizer(s *optimizer) {
	s.groups = append(s.groups[:len(s.groups):len(s.groups)], o.group)
	if o.group.match == nil {
		s.err = fmt.Errorf("%s(ParameterGroup(nil, …)): the function that tells by a name whether a parameter belongs to it is missing", s.name)
	}
}

// RateFactorOption is the result of [RateFactor].
type RateFactorOption struct{ factor float64 }

// RateFactor multiplies the learning rate of a [ParameterGroup], whatever a schedule or a callback makes of that.
func RateFactor(factor float64) RateFactorOption { return RateFactorOption{factor} }

func (o RateFactorOption) setGroup(g *parameterGroup) { g.factor = o.factor }

func (o DecayOption) setGroup(g *parameterGroup) { g.decay = &o.decay }

func (g *parameterGroup) settings() []setting {
	list := []setting{{"RateFactor", g.factor, notNegative}}
	if g.decay != nil {
		list = append(list, setting{"WeightDecay", *g.decay, notNegative})
	}
	return list
}

func (g *parameterGroup) check(optimizer string) error {
	return checkSettings(optimizer+": ParameterGroup", g.settings()...)
}

// String lists the settings.
func (g *parameterGroup) String() string {
	var parts []string
	for _, s := range g.settings() {
		parts = append(parts, fmt.Sprintf("%s %v", s.name, s.value))
	}
	return "ParameterGroup(" + strings.Join(parts, ", ") + ")"
}
