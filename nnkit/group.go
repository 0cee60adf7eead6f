package nnkit

import (
	"fmt"
	"strconv"
	"strings"
)

// parameterGroup is trained in a way of its own.
type parameterGroup struct {
	match   func(name string) bool
	pattern *string // that match goes by; nil for a user's function
	factor  float64
	decay   *float64
}

// GroupOption is an option of a [ParameterGroup]: [WeightDecay] or [RateFactor].
type GroupOption interface{ setGroup(g *parameterGroup) }

// ParameterGroupOption is the result of [ParameterGroup].
type ParameterGroupOption struct {
	forOptimizers
	group parameterGroup
}

// ParameterGroup trains some parameters in a way of their own: with a [WeightDecay], or a [RateFactor] for the learning rate.
// Which ones is told by a pattern for their names, in which a star stands for any text, or by a function that returns true for
// them, which a file cannot hold. A parameter belongs to the first group that matches. Biases without decay are
//
//	nnkit.AdamW(nnkit.ParameterGroup("*/bias", nnkit.WeightDecay(0)))
//
// Names are those of [Parameter.Name]. To train some parameters not at all see [Model.Freeze].
func ParameterGroup[M string | func(name string) bool](match M, options ...GroupOption) ParameterGroupOption {
	g := parameterGroup{factor: 1}
	switch match := any(match).(type) {
	case string:
		g.pattern = &match
		g.match = func(name string) bool { return matches(match, name) }
	case func(name string) bool:
		g.match = match
	}
	for _, o := range options {
		if o != nil {
			o.setGroup(&g)
		}
	}
	return ParameterGroupOption{group: g}
}

// matches says whether a name is what a pattern says.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return name == pattern
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(name, first) || len(name) < len(first)+len(last) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, behind, found := strings.Cut(name, part)
		if !found {
			return false
		}
		name = behind
	}
	return true
}

func (o ParameterGroupOption) setOptimizer(s *optimizer) {
	s.groups = append(s.groups[:len(s.groups):len(s.groups)], o.group)
	switch {
	case o.group.match == nil:
		s.err = fmt.Errorf("%s(ParameterGroup(nil, …)): the function that tells by a name whether a parameter belongs to it is missing", s.name)
	case o.group.pattern != nil && *o.group.pattern == "":
		s.err = fmt.Errorf("%s(ParameterGroup(\"\", …)): the pattern for names is empty: write \"*/bias\" for example", s.name)
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
	if g.pattern != nil {
		parts = append(parts, fmt.Sprintf("%q", *g.pattern))
	}
	for _, s := range g.settings() {
		parts = append(parts, fmt.Sprintf("%s %v", s.name, s.value))
	}
	return "ParameterGroup(" + strings.Join(parts, ", ") + ")"
}

// source writes a group with a pattern as a call.
func (g *parameterGroup) source() string {
	arguments := []string{strconv.Quote(*g.pattern)}
	for _, s := range g.settings() {
		arguments = append(arguments, fmt.Sprintf("%s(%v)", s.name, s.value))
	}
	return "ParameterGroup(" + strings.Join(arguments, ", ") + ")"
}
