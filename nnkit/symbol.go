package nnkit

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// Symbol stands for a tensor in a network that is being put together: an [Input], or what a layer makes of others. Networks
// that branch and join are drawn with symbols, from the inputs to the outputs, and made models by [Functional]:
//
//	numbers := nnkit.Input(8).Named("numbers")
//	words := nnkit.Input(20).Named("words")
//	text := words.To(nnkit.Embedding(1000, 16), nnkit.LSTM(32))
//	both := nnkit.Concatenate(numbers, text).To(nnkit.Dense(32, nnkit.ReLU))
//	price := both.To(nnkit.Dense(1)).Named("price")
//	kind := both.To(nnkit.Dense(3, nnkit.Softmax)).Named("kind")
//	model := nnkit.Functional(nnkit.Inputs(numbers, words), nnkit.Outputs(price, kind))
//
// [Symbol.To] applies layers, [Add], [Subtract], [Multiply], [Average], [Maximum], [Minimum], [Concatenate] and [Merge] join
// several symbols. A layer that is applied to several symbols is shared: it has one set of weights. What is wrong is said by
// [Model.Compile], as with [Sequential].
type Symbol struct {
	*application
	output int // which of its outputs
}

// application is a layer applied to symbols, or an input.
type application struct {
	layer Layer // nil for an input
	from  []*Symbol
	order int64 // in which they were made
	err   error
	input layerCore
}

var applications atomic.Int64

// apply applies a layer to symbols.
func apply(l Layer, from ...*Symbol) *Symbol {
	a := &application{layer: l, from: from, order: applications.Add(1)}
	for _, s := range from {
		if s != nil && s.err != nil { // the first is the one to tell
			a.err = s.err
			break
		}
	}
	a.input.err = fmt.Errorf("it is a symbol, what layers have made of an Input: give the layers themselves, or make the model by Functional")
	return &Symbol{application: a}
}

// Input begins a network: it gives the shape of a row, Input(8) for eight features, Input(28, 28, 1) for an image of height,
// width and channels.
//
// As the first layer of a [Sequential] it is seldom needed, since the data tell the shape: use it to look at a model's weights or
// its size before there are data. For networks with branches see [Symbol].
func Input(shape ...int) *Symbol {
	a := &application{order: applications.Add(1)}
	a.input.kind = "input"
	a.input.output = slices.Clone(shape)
	call := "Input" + callText(shape)
	if len(shape) == 0 {
		a.err = fmt.Errorf("%s: give the number of features, Input(8), or the sizes of a row, Input(28, 28, 1)", call)
	}
	for _, d := range shape {
		switch {
		case d > 0:
		case len(shape) == 1:
			a.err = fmt.Errorf("%s: the number of features must be at least 1", call)
		default:
			a.err = fmt.Errorf("%s: each size must be at least 1", call)
		}
	}
	a.input.err = a.err
	return &Symbol{application: a}
}

// To is what layers, one after another, make of the symbol.
func (s *Symbol) To(layers ...Layer) *Symbol {
	for i, l := range layers {
		next := apply(l, s)
		switch m, model := l.(*Model); {
		case next.err != nil:
		case isNil(l):
			next.err = fmt.Errorf("To: layer %d is nil", i+1)
		case l.core().err != nil:
			next.err = fmt.Errorf("To: layer %d: %w", i+1, l.core().err)
		case model && (len(m.inputs) != 1 || len(m.outputs) != 1):
			next.err = fmt.Errorf("To: layer %d is a model of %s and %s: apply it by its Call", i+1,
				countOf(len(m.inputs), "input", "inputs"), countOf(len(m.outputs), "output", "outputs"))
		}
		if next.err != nil {
			return next
		}
		s = next
	}
	return s
}

// isNil says whether a layer is nil, or a nil pointer of some type.
func isNil(l Layer) bool {
	if l == nil {
		return true
	}
	m, model := l.(*Model)
	s, symbol := l.(*Symbol)
	return model && m == nil || symbol && s == nil
}

// Named gives the layer that the symbol comes from a name, as the option [Name] does: an input is given data, and an output
// losses and metrics, under its name. It returns the same symbol.
func (s *Symbol) Named(name string) *Symbol {
	if s == nil || s.err != nil {
		return s
	}
	var settings layerSettings
	Name(name).set(&settings)
	c := &s.input
	if s.layer != nil {
		c = s.layer.core()
	}
	switch {
	case settings.err != nil:
		s.err = fmt.Errorf("Named(%q): a name must not be empty nor contain a slash or a line break", name)
	case c.name != "" && c.name != name:
		s.err = fmt.Errorf("Named(%q): the layer is named %q already: name it once", name, c.name)
	case c.owner != nil && c.name != name:
		s.err = fmt.Errorf("Named(%q): the layer is in a model already: name it before", name)
	}
	c.name = name
	if s.layer == nil {
		c.err = s.err
	}
	return s
}

// isInput says whether the symbol is what Input made.
func (s *Symbol) isInput() bool { return s.layer == nil }

// String says what the symbol comes from.
func (s *Symbol) String() string {
	switch {
	case s == nil:
		return "<nil>"
	case s.err != nil:
		return "not usable: " + s.err.Error()
	}
	c := s.core()
	if s.layer != nil {
		c = s.layer.core()
	}
	text := c.kind
	if text == "" {
		text = kindOf(s.layer)
	}
	if c.name != "" {
		text += fmt.Sprintf(" %q", c.name)
	}
	if s.isInput() {
		text += ", rows of shape " + shapeText(c.output)
	}
	return text
}

// Forward returns x: an Input is a layer that leaves its input as it is.
func (s *Symbol) Forward(x *Tensor) *Tensor { return x }

func (s *Symbol) core() *layerCore { return &s.input }

// ModelInputs is the result of [Inputs].
type ModelInputs []*Symbol

// Inputs lists the inputs of a [Functional] model: the order in which it is given data.
func Inputs(inputs ...*Symbol) ModelInputs { return inputs }

// ModelOutputs is the result of [Outputs].
type ModelOutputs []*Symbol

// Outputs lists the outputs of a [Functional] model: the order in which it predicts.
func Outputs(outputs ...*Symbol) ModelOutputs { return outputs }

// Functional makes a model of what lies between inputs and outputs, as Keras' functional API does: with branches, with
// layers that are shared, and with any number of both (see [Symbol]). Its layers are those that lead to the outputs, in the
// order in which they were applied.
//
// With several inputs Fit, Evaluate and Predict take a map from their names to data, or a list in their order, and so does Fit with the
// truth for several outputs:
//
//	model.Compile(nnkit.Adam(), nnkit.Losses{"price": nnkit.MeanSquaredError, "kind": nnkit.SparseCategoricalCrossEntropy},
//		nnkit.For("kind", nnkit.Accuracy))
//	model.Fit(map[string]any{"numbers": x, "words": w}, map[string]any{"price": p, "kind": k})
//	predictions, err := model.PredictAll([]any{x, w})
//
// An output has the name of its layer. What is wrong is reported by [Model.Compile], and by every later method that returns an
// error.
func Functional(inputs ModelInputs, outputs ModelOutputs) *Model {
	m := newModel("functional")
	m.functional = true
	if m.err = m.connect(inputs, outputs); m.err == nil {
		m.err = m.build(m.given())
	}
	m.layer.err = m.err
	return m
}

// connect makes wiring of symbols.
func (m *Model) connect(inputs ModelInputs, outputs ModelOutputs) error {
	switch {
	case len(inputs) == 0:
		return fmt.Errorf("Functional: there are no inputs: give it those that the network begins with, nnkit.Inputs(x)")
	case len(outputs) == 0:
		return fmt.Errorf("Functional: there are no outputs: give it what the network ends with, nnkit.Outputs(y)")
	}
	applied, err := reached(outputs)
	if err != nil {
		return err
	}
	names := newNames("Functional")
	value := map[*application]int{}
	for i, s := range inputs {
		switch {
		case s == nil:
			return fmt.Errorf("Functional: input %d is nil", i+1)
		case s.err != nil:
			return fmt.Errorf("Functional: input %d: %w", i+1, s.err)
		case !s.isInput():
			return fmt.Errorf("Functional: input %d, of %s, is no nnkit.Input: a model begins with those", i+1, s)
		case !slices.Contains(applied, s.application):
			return fmt.Errorf("Functional: no output comes from input %d: leave it out, or use it", i+1)
		}
		if _, twice := value[s.application]; twice {
			return fmt.Errorf("Functional: input %d is given twice", i+1)
		}
		name := s.input.name
		if name == "" {
			name = fmt.Sprintf("input_%d", i+1)
		}
		if err := names.take(name); err != nil {
			return err
		}
		value[s.application] = i
		m.inputs = append(m.inputs, entry{name, s.input.output})
	}
	next := len(inputs)
	for _, a := range applied {
		if a.layer == nil {
			if _, given := value[a]; !given {
				return fmt.Errorf("Functional: the outputs come from %s, too, which is not among the inputs: add it to nnkit.Inputs", &Symbol{application: a})
			}
			continue
		}
		if err := m.own(a.layer, names); err != nil {
			return err
		}
		c := call{layer: a.layer, at: slices.Index(m.layers, a.layer), to: next}
		for _, s := range a.from {
			c.from = append(c.from, value[s.application]+s.output)
		}
		value[a] = next
		next += outputsOf(a.layer)
		m.calls = append(m.calls, c)
	}
	for i, s := range outputs {
		if s.isInput() {
			return fmt.Errorf("Functional: output %d is %s itself: there must be a layer between", i+1, s)
		}
		v := value[s.application] + s.output
		if slices.Contains(m.outputs, v) {
			return fmt.Errorf("Functional: output %d is given twice", i+1)
		}
		m.outputs = append(m.outputs, v)
	}
	m.trace()
	return nil
}

// reached lists what outputs come from, in the order in which it was made.
func reached(outputs ModelOutputs) ([]*application, error) {
	seen := map[*application]bool{}
	var list []*application
	waiting := slices.Clone([]*Symbol(outputs))
	for i, s := range outputs {
		if s == nil {
			return nil, fmt.Errorf("Functional: output %d is nil", i+1)
		}
		if s.err != nil {
			return nil, fmt.Errorf("Functional: output %d: %w", i+1, s.err)
		}
	}
	for len(waiting) > 0 {
		a := waiting[len(waiting)-1].application
		waiting = waiting[:len(waiting)-1]
		if !seen[a] {
			seen[a] = true
			list = append(list, a)
			waiting = append(waiting, a.from...)
		}
	}
	slices.SortFunc(list, func(a, b *application) int { return int(a.order - b.order) })
	return list, nil
}

// Call applies the model, as a layer, to a symbol for each of its inputs, and returns one for each of its outputs: as
// [Symbol.To] does with a model of one input and one output.
func (m *Model) Call(inputs ...*Symbol) []*Symbol {
	first := apply(m, inputs...)
	if m == nil {
		first.err = m.problem("Call")
		return []*Symbol{first}
	}
	switch {
	case first.err != nil:
	case m.err != nil:
		first.err = m.err
	case len(inputs) != len(m.inputs):
		first.err = fmt.Errorf("Call: the model has %s and is given %d", countOf(len(m.inputs), "input", "inputs"), len(inputs))
	case slices.Contains(inputs, nil):
		first.err = fmt.Errorf("Call: input %d is nil", slices.Index(inputs, nil)+1)
	}
	list := make([]*Symbol, max(1, len(m.outputs)))
	for i := range list {
		list[i] = &Symbol{first.application, i}
	}
	return list
}

// names are those taken in a model.
type names struct {
	caller string
	taken  map[string]bool
	count  map[string]int // of each kind
}

func newNames(caller string) *names {
	return &names{caller, map[string]bool{}, map[string]int{}}
}

func (n *names) take(name string) error {
	if n.taken[name] {
		return fmt.Errorf("%s: two layers are named %q: give one another name, nnkit.Name(%q)", n.caller, name, name+"_b")
	}
	n.taken[name] = true
	return nil
}

// outputNames returns the name of each output: that of its layer, numbered if it has several.
func (m *Model) outputNames() []string {
	list := make([]string, len(m.outputs))
	count := map[string]int{}
	for i, v := range m.outputs {
		list[i] = m.maker(v).layer.core().name
		count[list[i]]++
	}
	next := map[string]int{}
	for i, name := range list {
		if count[name] > 1 {
			next[name]++
			list[i] = fmt.Sprintf("%s_%d", name, next[name])
		}
	}
	return list
}

func (m *Model) inputNames() []string {
	list := make([]string, len(m.inputs))
	for i, e := range m.inputs {
		list[i] = e.name
	}
	return list
}

// valueName names what a value comes from: an input or a layer.
func (m *Model) valueName(v int) string {
	if v < len(m.inputs) {
		return m.inputs[v].name
	}
	return m.maker(v).layer.core().name
}

// sourcesNames lists what the calls of a layer read, in order.
func (m *Model) readBy(at int) (list []string) {
	for _, c := range m.calls {
		if c.at != at {
			continue
		}
		for _, v := range c.from {
			list = append(list, m.valueName(v))
		}
	}
	return list
}

func quoted(list []string) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(parts, ", ")
}
