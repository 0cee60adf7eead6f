package nnkit

import (
	"fmt"
	"strings"
)

// layerSettings is what the options of a layer can say. A layer reads what concerns it.
type layerSettings struct {
	name        string
	activation  Activation
	initializer Initializer
	useBias     bool
	conv        Convolution
	size        [2]int
	sequences   bool
	backwards   bool
	epsilon     float64
	momentum    float64
	causal      bool
	rate        float64     // of dropout
	table       Initializer // of an embedding
	maskZero    bool
	frozen      bool
	activity    Regularizer
	err         error

	parameterRules

	call     string         // how the layer is made, with … for what the options said
	defaults *layerSettings // before the options
}

// option is what all options of layers are. Which layers one is for is told by the methods without effect that it has
// beside this one, so that the compiler refuses what would be ignored.
type option interface{ set(s *layerSettings) }

type (
	forAll      struct{ forWeighted }
	forWeighted struct {
		forConvolutions
		forDenses
		forRecurrents
	}
	forDenses       struct{}
	forConvolutions struct{}
	forRecurrents   struct{}
	forWindows      struct{}
)

func (forAll) poolOption()          {}
func (forAll) layerOption()         {}
func (forDenses) denseOption()      {}
func (forConvolutions) convOption() {}
func (forWindows) convOption()      {}
func (forWindows) poolOption()      {}

// applyOptions applies options to the defaults s. call is how messages name the layer: Dense(3, …).
func applyOptions[O option](s *layerSettings, call string, options []O) {
	defaults := *s
	s.call, s.defaults = call, &defaults
	for i, o := range options {
		if any(o) == nil {
			s.err = fmt.Errorf("%s: option %d is nil", call, i+1)
			return
		}
		o.set(s)
		if s.err != nil {
			return
		}
	}
}

// give tells a layer its name, its activation, what was wrong and how it was made.
func (s *layerSettings) give(c *layerCore) {
	c.name, c.activation, c.err, c.made = s.name, s.activation, s.err, *s
	c.rules, c.regularizer, c.frozen = s.parameterRules, s.activity, s.frozen
}

// parameters makes a kernel of the given shape and, unless it is not wanted, a bias for its last size.
func (s *layerSettings) parameters(c *layerCore, shape ...int) (kernel, bias *Parameter) {
	kernel = c.add("kernel", s.initializer, shape...)
	if s.useBias {
		bias = c.add("bias", s.biasRules.or(Zeros), shape[len(shape)-1])
	}
	return kernel, bias
}

// NameOption is the result of [Name].
type NameOption struct {
	forAll
	name string
}

// Name names a layer, for summaries and messages and as the first part of its parameters' names. Without it the layers
// of a kind are numbered: dense_1, dense_2.
func Name(name string) NameOption { return NameOption{name: name} }

func (o NameOption) set(s *layerSettings) {
	if o.name == "" || strings.ContainsAny(o.name, "/\n") {
		s.err = fmt.Errorf("Name(%q): a layer's name must not be empty nor contain a slash or a line break", o.name)
		return
	}
	s.name = o.name
}

// KernelInitializerOption is the result of [KernelInitializer].
type KernelInitializerOption struct {
	forWeighted
	initializer Initializer
}

// KernelInitializer says how a layer's kernel is drawn: KernelInitializer(nnkit.HeNormal).
func KernelInitializer(i Initializer) KernelInitializerOption {
	return KernelInitializerOption{initializer: i}
}

func (o KernelInitializerOption) set(s *layerSettings) {
	if o.initializer == nil {
		s.err = fmt.Errorf("KernelInitializer(nil): name one, GlorotUniform or HeNormal for example")
		return
	}
	s.initializer, s.err = o.initializer, checkInitializer(o.initializer)
}

// UseBiasOption is the result of [UseBias].
type UseBiasOption struct {
	forWeighted
	on bool
}

// UseBias says whether a layer adds a bias to its sums; true by default.
func UseBias(on bool) UseBiasOption { return UseBiasOption{on: on} }

func (o UseBiasOption) set(s *layerSettings) { s.useBias = o.on }
