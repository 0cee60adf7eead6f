package nnkit

import (
	"fmt"
	"slices"
)

// wiring is how the layers of a model hang together. What flows is numbered: the model's inputs first, then what the calls
// put out, one call after another.
type wiring struct {
	inputs  []entry
	calls   []call
	outputs []int   // numbers of values
	shapes  [][]int // of a row of each value; nil until the model is built
	last    []int   // the last call that reads a value; behind all of them for an output
}

// entry is an input of a model.
type entry struct {
	name  string
	shape []int // of a row; nil while it is not known
}

// call is a layer at work on some of the values. A layer that is shared has several.
type call struct {
	layer Layer
	at    int // its place among the model's layers
	from  []int
	to    int // the first of the values that it puts out
}

// severalLayer is a layer that may have several inputs or outputs.
type severalLayer interface {
	Layer
	// buildAll prepares the layer for rows of the given shapes and returns those of its outputs; it may be called again.
	buildAll(inputs [][]int) (outputs [][]int, err error)
	// outputCount is known before.
	outputCount() int
	// forwardAll reads the values that from counts from base on, and writes those from to on.
	forwardAll(s *stack, base int, from []int, to int)
}

// chained is the wiring of layers one after another.
func chained(layers []Layer, input entry) wiring {
	w := wiring{inputs: []entry{input}, outputs: []int{len(layers)}}
	for i, l := range layers {
		w.calls = append(w.calls, call{layer: l, at: i, from: []int{i}, to: i + 1})
	}
	w.trace()
	return w
}

// outputsOf is how many values a layer puts out.
func outputsOf(l Layer) int {
	if s, ok := l.(severalLayer); ok {
		return s.outputCount()
	}
	return 1
}

// values is how many there are.
func (w *wiring) values() int {
	n := len(w.inputs)
	for _, c := range w.calls {
		n = c.to + outputsOf(c.layer)
	}
	return n
}

// trace finds out until when values are needed.
func (w *wiring) trace() {
	w.last = make([]int, w.values())
	for i, c := range w.calls {
		for _, v := range c.from {
			w.last[v] = i
		}
	}
	for _, v := range w.outputs {
		w.last[v] = len(w.calls)
	}
}

// maker returns the call that puts a value out, which is no input.
func (w *wiring) maker(value int) *call { return &w.calls[w.makerAt(value)] }

func (w *wiring) makerAt(value int) int {
	return slices.IndexFunc(w.calls, func(c call) bool { return value >= c.to && value < c.to+outputsOf(c.layer) })
}

// shape lets rows of the given shapes go through all layers, which prepares them, and returns the shapes of all values.
func (w *wiring) shape(inputs [][]int) ([][]int, error) {
	shapes := make([][]int, len(w.last))
	for i, s := range inputs {
		shapes[i] = slices.Clone(s)
	}
	built := map[Layer]bool{}
	for _, c := range w.calls {
		in := make([][]int, len(c.from))
		for i, v := range c.from {
			in[i] = shapes[v]
		}
		out, err := shapeCall(c.layer, in, built[c.layer])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.layer.core().where(c.at), err)
		}
		built[c.layer] = true
		copy(shapes[c.to:], out)
	}
	return shapes, nil
}

// shapeCall prepares a layer for a call, unless it is prepared, and returns the shapes of what it puts out.
func shapeCall(l Layer, inputs [][]int, again bool) ([][]int, error) {
	s, several := l.(severalLayer)
	switch {
	case several:
		return s.buildAll(inputs)
	case again:
		output, err := tryForward(l, inputs[0])
		if err != nil {
			err = fmt.Errorf("is shared by rows of shape %s and of shape %s, and cannot take both: %w", shapeText(l.core().input), shapeText(inputs[0]), err)
		}
		return [][]int{output}, err
	}
	if c := l.core(); c.owner != nil { // what a build before this one has made
		c.parameters, c.states = nil, nil
	}
	err := build(l, inputs[0])
	return [][]int{l.core().output}, err
}

// stack is where values lie while a network computes: those of a model within a model above those of the one around it.
type stack struct {
	at   []*Tensor
	tape *Tape // that they are on; nil for none
}

// stack returns where values on the tape lie.
func (t *Tape) stack() *stack {
	if t.values.tape == nil {
		t.values.tape = t
	}
	return &t.values
}

// push makes room for n values and returns where they begin.
func (s *stack) push(n int) (base int) {
	base = len(s.at)
	for range n {
		s.at = append(s.at, nil)
	}
	return base
}

func (s *stack) pop(base int) { s.at = s.at[:base] }

// forward computes what a call puts out.
func (c *call) forward(s *stack, base int) {
	if l, ok := c.layer.(severalLayer); ok {
		l.forwardAll(s, base, c.from, c.to)
		return
	}
	s.at[base+c.to] = forwardWithin(c.layer, s.at[base+c.from[0]])
}

// run computes all calls of a model within another one.
func (w *wiring) run(s *stack, base int) {
	for i := range w.calls {
		w.calls[i].forward(s, base)
	}
}

// release gives up the values, of nodes from the first on, that no call behind the present one needs.
func (w *wiring) release(t *Tape, first, base, present int) {
	for _, n := range t.nodes[first:t.used] {
		if n.holds && !w.needs(t, base, present, n) {
			t.drop(n)
		}
	}
}

func (w *wiring) needs(t *Tape, base, present int, n *node) bool {
	for v, last := range w.last {
		x := t.values.at[base+v]
		if last <= present || x == nil || x.node == nil {
			continue
		}
		if x.node.owner == n.owner {
			return true
		}
		if last == len(w.calls) { // a loss may ask for what an output was made of
			if z, _ := sums(x); z != nil && z.owner == n.owner {
				return true
			}
		}
	}
	return false
}
