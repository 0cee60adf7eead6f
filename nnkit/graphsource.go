package nnkit

import (
	"errors"
	"fmt"
	"strings"
)

// A Functional model is written in a file with its values numbered, the inputs first, and behind each layer the numbers of what
// it reads: Functional(Named(Input(8), "x"), Call("dense_1", Dense(8, ReLU), 0), Call("add_1", Add(), 0, 1), Outputs(2)).
// Again("dense_1", 2) is a further call of a layer that is shared.

// source writes the model as a call, with the inputs it was built for.
func (m *Model) source() (string, error) {
	if m.functional {
		return m.sourceWithin()
	}
	layers := []string{m.inputs[0].source("input")}
	for i, l := range m.layers {
		text, err := sourceOf(l)
		if err != nil {
			return "", fmt.Errorf("%s: %w", l.core().where(i), err)
		}
		layers = append(layers, text)
	}
	return "Sequential(" + strings.Join(layers, ", ") + ")", nil
}

// sourceWithin writes a model as a layer of another one, which tells it its input.
func (m *Model) sourceWithin() (string, error) {
	if !m.functional {
		layers, err := sourcesOf(m.layers)
		return "Sequential(" + strings.Join(layers, ", ") + ")", err
	}
	var parts []string
	for i, e := range m.inputs {
		parts = append(parts, e.source(fmt.Sprintf("input_%d", i+1)))
	}
	called := map[int]bool{}
	for _, c := range m.calls {
		name := c.layer.core().inModel()
		values := numbersText(c.from)
		if called[c.at] {
			parts = append(parts, fmt.Sprintf("Again(%q%s)", name, values))
			continue
		}
		called[c.at] = true
		text, err := sourceOf(c.layer)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.layer.core().where(c.at), err)
		}
		parts = append(parts, fmt.Sprintf("Call(%q, %s%s)", name, text, values))
	}
	return "Functional(" + strings.Join(parts, ", ") + ", Outputs(" + strings.TrimPrefix(numbersText(m.outputs), ", ") + "))", nil
}

// source writes an input, with its name unless that is the one it has by itself.
func (e entry) source(own string) string {
	text := "Input" + callText(e.shape)
	if e.name == own {
		return text
	}
	return fmt.Sprintf("Named(%s, %q)", text, e.name)
}

func numbersText(numbers []int) string {
	var text strings.Builder
	for _, n := range numbers {
		fmt.Fprintf(&text, ", %d", n)
	}
	return text.String()
}

// inModel is the layer's name in its own model, without that of a model around it.
func (c *layerCore) inModel() string { return c.name[strings.LastIndexByte(c.name, '/')+1:] }

// unbuiltSequential is Sequential, not built yet.
func unbuiltSequential(layers ...Layer) (*Model, error) {
	m := newModel("sequential")
	m.err = m.assemble(layers)
	return m, m.err
}

// graphCall is Call or Again in a file.
type graphCall struct {
	name  string
	layer Layer // nil for Again
	from  []int
}

func namedCall(name string, layer Layer, from ...int) graphCall { return graphCall{name, layer, from} }

func sharedCall(name string, from ...int) graphCall { return graphCall{name, nil, from} }

// graphOutputs is Outputs in a file.
type graphOutputs []int

func outputValues(values ...int) graphOutputs { return values }

func mergeOf(kind mergeKind) func() Layer { return func() Layer { return newMerge(kind) } }

// unbuiltFunctional is a Functional model of a file, not built yet.
func unbuiltFunctional(parts ...any) (*Model, error) {
	var inputs ModelInputs
	var outputs ModelOutputs
	var values []*Symbol
	named := map[string]Layer{}
	take := func(numbers []int) ([]*Symbol, error) {
		list := make([]*Symbol, len(numbers))
		for i, n := range numbers {
			if n < 0 || n >= len(values) {
				return nil, fmt.Errorf("there is no value %d among %d", n, len(values))
			}
			list[i] = values[n]
		}
		return list, nil
	}
	for _, part := range parts {
		var err error
		switch part := part.(type) {
		case *Symbol:
			if len(values) > len(inputs) {
				return nil, errors.New("an Input is behind a Call")
			}
			inputs, values = append(inputs, part), append(values, part)
		case graphCall:
			var from, made []*Symbol
			if from, err = take(part.from); err == nil {
				made, err = part.apply(named, from)
			}
			values = append(values, made...)
		case graphOutputs:
			outputs, err = take(part)
		default:
			err = fmt.Errorf("Functional has a %T", part)
		}
		if err != nil {
			return nil, err
		}
	}
	m := newModel("functional")
	m.functional = true
	m.err = m.connect(inputs, outputs)
	return m, m.err
}

// apply applies a layer as a file says.
func (c *graphCall) apply(named map[string]Layer, from []*Symbol) ([]*Symbol, error) {
	l := c.layer
	if l == nil {
		if l = named[c.name]; l == nil {
			return nil, fmt.Errorf("Again(%q) has no Call before it", c.name)
		}
	}
	var made []*Symbol
	switch m := l.(type) {
	case *Model:
		made = m.Call(from...)
	case *mergeLayer:
		made = []*Symbol{m.join(c.name, from)}
	default:
		if len(from) != 1 {
			return nil, fmt.Errorf("the layer %q has %d inputs", c.name, len(from))
		}
		made = []*Symbol{from[0].To(l)}
	}
	if c.layer != nil {
		named[c.name] = l
		made[0].Named(c.name)
	}
	return made, made[0].err
}
