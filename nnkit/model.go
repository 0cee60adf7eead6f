package nnkit

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Model is a network of layers, made by [Sequential] or [Functional]. Compile it, Fit it, then Evaluate it and Predict with it;
// printed, or shown in a notebook, it is its summary.
//
// A model is a [Layer], too: as a layer of another model it brings its weights along, as they are, and is from then on
// trained with that one.
//
// Predict and Evaluate may be called from several goroutines at once, but not while another goroutine is in Fit.
type Model struct {
	layer      layerCore // of the model as a layer of another one
	layers     []Layer   // each once, without Input
	functional bool      // made by Functional
	err        error     // what was wrong in making it
	wiring
	seed       int
	weights    []float32 // all parameters, one after another, each aligned, and below their gradients
	gradients  []float32
	parameters []*Parameter
	states     []*Parameter
	// regularized are the parameters that have a Regularizer.
	regularized []*Parameter
	drawing     sync.Mutex
	drawn       atomic.Bool

	compiled compilation
	targets  []target // what is to be made of each output; none while the model is not compiled
	step     *stepper // what the optimizer remembers, made with the first batch

	epochs    int // trained so far, in all calls of Fit
	batches   int // likewise
	fitting   atomic.Bool
	inference sync.Pool
}

func newModel(kind string) *Model {
	m := &Model{seed: DefaultSeed}
	m.layer.kind = kind
	return m
}

// Sequential makes a model of layers through which data goes one after another. For networks that branch see [Functional].
//
// What is wrong with the layers is reported by [Model.Compile], and by every later method that returns an error.
func Sequential(layers ...Layer) *Model {
	m := newModel("sequential")
	if m.err = m.assemble(layers); m.err == nil && m.known() {
		m.err = m.build(m.given())
	}
	m.layer.err = m.err
	return m
}

func (m *Model) assemble(layers []Layer) error {
	names := newNames("Sequential")
	input := entry{name: "input"}
	for i, l := range layers {
		if isNil(l) {
			return fmt.Errorf("Sequential: layer %d is nil", i+1)
		}
		if err := l.core().err; err != nil {
			return fmt.Errorf("Sequential: layer %d: %w", i+1, err)
		}
		if s, ok := l.(*Symbol); ok {
			if i != 0 {
				return fmt.Errorf("Sequential: Input is argument %d, but it can only come first: the layers behind the first "+
					"know their inputs from the layer before", i+1)
			}
			if input.shape = s.input.output; s.input.name != "" {
				input.name = s.input.name
			}
			continue
		}
		if n, ok := l.(*Model); ok && (len(n.inputs) > 1 || len(n.outputs) > 1) {
			return fmt.Errorf("Sequential: layer %d is a model of %s and %s: apply it by its Call, in a Functional model", i+1,
				countOf(len(n.inputs), "input", "inputs"), countOf(len(n.outputs), "output", "outputs"))
		}
		if c := l.core(); c.owner == m {
			return fmt.Errorf("Sequential: layer %q is given a second time: make each layer by a call of its own, or share it in a Functional model", c.name)
		}
		if err := m.own(l, names); err != nil {
			return err
		}
	}
	if len(m.layers) == 0 {
		return fmt.Errorf("Sequential: there are no layers: give it at least one, Dense(1, nnkit.Sigmoid) for example")
	}
	m.wiring = chained(m.layers, input)
	return nil
}

// own makes a layer one of the model's, with a name, if it is not one already.
func (m *Model) own(l Layer, names *names) error {
	c := l.core()
	switch {
	case c.owner == m:
		return nil
	case c.owner != nil:
		return fmt.Errorf("%s: layer %q is part of another model: make each layer by a call of its own, or give that model as a layer", names.caller, c.name)
	case c.err != nil:
		return fmt.Errorf("%s: %w", names.caller, c.err)
	}
	if c.kind == "" {
		c.kind = kindOf(l)
	}
	names.count[c.kind]++
	if c.name == "" {
		c.name = fmt.Sprintf("%s_%d", c.kind, names.count[c.kind])
	}
	if err := names.take(c.name); err != nil {
		return err
	}
	c.owner = m
	m.layers = append(m.layers, l)
	return nil
}

// known says whether the shapes of all inputs are.
func (m *Model) known() bool {
	return !slices.ContainsFunc(m.inputs, func(e entry) bool { return e.shape == nil })
}

// given returns the shapes of the inputs.
func (m *Model) given() [][]int {
	shapes := make([][]int, len(m.inputs))
	for i, e := range m.inputs {
		shapes[i] = e.shape
	}
	return shapes
}

// kindOf makes a kind of the name of a user's type: Gain is "gain".
func kindOf(l Layer) string {
	t := reflect.TypeOf(l)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return strings.ToLower(t.Name())
}

// build fixes all shapes for rows of the given ones, and puts the parameters together.
func (m *Model) build(inputs [][]int) error {
	m.parameters, m.states, m.regularized = nil, nil, nil
	shapes, err := m.shape(inputs)
	if err != nil {
		return err
	}
	for _, l := range m.layers {
		c := l.core()
		m.parameters = append(m.parameters, c.parameters...)
		m.states = append(m.states, c.states...)
	}
	for i := range m.inputs {
		m.inputs[i].shape = shapes[i]
	}
	m.shapes = shapes
	total := 0
	for _, p := range m.parameters {
		total += aligned(p.Len())
		if !p.regularizer.none() {
			m.regularized = append(m.regularized, p)
		}
	}
	m.weights, m.gradients = make([]float32, total), make([]float32, total)
	at := 0
	for _, p := range m.parameters {
		end := at + p.Len()
		copy(m.weights[at:end], p.Data())
		p.place(m.weights[at:end:end], m.gradients[at:end:end])
		at += aligned(p.Len())
	}
	return nil
}

// aligned rounds up to whole cache lines, so that each parameter begins with one. What is between stays zero.
func aligned(n int) int { return (n + 15) &^ 15 }

// draw gives the weights their first values, once.
func (m *Model) draw() {
	if m.drawn.Load() {
		return
	}
	m.drawing.Lock()
	defer m.drawing.Unlock()
	if m.drawn.Load() || m.weights == nil {
		return
	}
	for i, p := range slices.Concat(m.parameters, m.states) {
		if !p.drawn { // a model within this one may have been trained
			p.draw(m.seed, i)
		}
	}
	m.drawn.Store(true)
}

// problem is why a model cannot be used: there is none, or it was made wrongly.
func (m *Model) problem(caller string) error {
	if m == nil {
		return fmt.Errorf("%s: %s", caller, noModel)
	}
	return m.err
}

const noModel = "the model is nil: make it with nnkit.Sequential or nnkit.Functional, or look at the error that came with it from nnkit.Load"

// mustBe panics where there is no model.
func (m *Model) mustBe(caller string) {
	if m == nil {
		fail(caller, noModel)
	}
}

// Reset begins anew: weights are drawn from the seed, and the optimizer and the count of epochs start over.
func (m *Model) Reset(seed int) error {
	if err := m.problem("Reset"); err != nil {
		return err
	}
	if m.fitting.Load() {
		return fmt.Errorf("Reset: the model is in Fit: stop the training first")
	}
	m.seed, m.step, m.epochs, m.batches = seed, nil, 0, 0
	for _, p := range slices.Concat(m.parameters, m.states) {
		p.drawn = false
	}
	m.drawn.Store(false)
	clear(m.gradients)
	m.draw()
	return nil
}

// Layers describes the layers in order, those of a [Functional] model behind its inputs. Asking for it draws the weights if the
// width of the input is known.
func (m *Model) Layers() []LayerInfo {
	m.mustBe("Layers")
	m.draw()
	var infos []LayerInfo
	if m.functional {
		for _, e := range m.inputs {
			infos = append(infos, LayerInfo{Name: e.name, Kind: "input", OutputShape: slices.Clone(e.shape)})
		}
	}
	for i, l := range m.layers {
		c := l.core()
		info := LayerInfo{
			Index: i + 1, Name: c.name, Kind: c.kind, Activation: c.activationText(),
			InputShape: slices.Clone(c.input), OutputShape: slices.Clone(c.output), Parameters: slices.Clone(c.parameters),
		}
		if i > 0 || m.functional {
			info.Inputs = m.readBy(i)
		}
		infos = append(infos, info)
	}
	return infos
}

// Parameters returns all kernels and biases in order, none while the width of the input is not known: before the first
// Fit or Predict of a model without [Input]. Asking for them draws the weights.
func (m *Model) Parameters() []*Parameter {
	m.mustBe("Parameters")
	m.draw()
	return slices.Clone(m.parameters)
}

// States returns what layers keep beside their trained parameters, the moving averages of a [BatchNormalization], in
// order.
func (m *Model) States() []*Parameter {
	m.mustBe("States")
	m.draw()
	return slices.Clone(m.states)
}

func (m *Model) core() *layerCore { return &m.layer }

func (m *Model) inner() []Layer { return m.layers }

// Build makes the model a layer of another one.
func (m *Model) Build(input []int) error {
	if m == nil {
		return errors.New(noModel)
	}
	if len(m.inputs) != 1 {
		return fmt.Errorf("is a model of %d inputs, and is given one", len(m.inputs))
	}
	_, err := m.buildAll([][]int{input})
	return err
}

func (m *Model) buildAll(inputs [][]int) ([][]int, error) {
	for i, e := range m.inputs {
		if e.shape != nil && !slices.Equal(inputs[i], e.shape) {
			return nil, fmt.Errorf("gets rows of shape %s, but the model within is for rows of shape %s", shapeText(inputs[i]), shapeText(e.shape))
		}
	}
	if m.shapes == nil {
		if err := m.build(inputs); err != nil {
			return nil, err
		}
	}
	c := &m.layer
	c.parameters, c.states = slices.Clone(m.parameters), slices.Clone(m.states)
	for _, p := range m.kept() {
		p.name = c.name + "/" + strings.TrimPrefix(p.name, c.name+"/")
	}
	outputs := make([][]int, len(m.outputs))
	for i, v := range m.outputs {
		outputs[i] = m.shapes[v]
	}
	c.input, c.output = inputs[0], outputs[0]
	c.govern()
	return outputs, nil
}

func (m *Model) outputCount() int { return len(m.outputs) }

func (m *Model) forwardAll(s *stack, base int, from []int, to int) {
	inner := s.push(len(m.last))
	for i, v := range from {
		s.at[inner+i] = s.at[base+v]
	}
	m.run(s, inner)
	for i, v := range m.outputs {
		s.at[base+to+i] = noteActivity(m, s.at[inner+v])
	}
	s.pop(inner)
}

// Forward computes the output for a batch x, whose first dimension counts the rows, on the tape of x if it is on one: for
// a training loop of one's own (see [Model.ApplyGradients]) and for models within models. It panics with an
// [*OperationError] where x does not fit; the model must know its input's shape, from data or from [Input].
func (m *Model) Forward(x *Tensor) *Tensor {
	s, base := m.entered("Forward", x)
	if len(m.outputs) != 1 {
		fail("Forward", "the model has %d outputs: use ForwardAll", len(m.outputs))
	}
	m.run(s, base)
	y := s.at[base+m.outputs[0]]
	s.pop(base)
	return y
}

// ForwardAll is [Model.Forward] for a model of several inputs or outputs, in their order.
func (m *Model) ForwardAll(x ...*Tensor) []*Tensor {
	s, base := m.entered("ForwardAll", x...)
	m.run(s, base)
	ys := make([]*Tensor, len(m.outputs))
	for i, v := range m.outputs {
		ys[i] = s.at[base+v]
	}
	s.pop(base)
	return ys
}

// entered makes room for a model's values and puts its inputs there.
func (m *Model) entered(caller string, x ...*Tensor) (s *stack, base int) {
	m.mustBe(caller)
	if m.err != nil {
		fail(caller, "%v", m.err)
	}
	if err := m.ready(caller); err != nil && m.layer.owner == nil {
		fail(caller, "the model has seen no data yet and does not know the shape of its input: begin it with nnkit.Input")
	}
	if len(x) != len(m.inputs) {
		fail(caller, "the model has %s and is given %d", countOf(len(m.inputs), "input", "inputs"), len(x))
	}
	for _, x := range x {
		if s == nil && x.node != nil && x.node.tape != nil {
			s = x.node.tape.stack()
		}
	}
	if s == nil {
		s = &stack{}
	}
	base = s.push(len(m.last))
	copy(s.at[base:], x)
	return s, base
}

// ApplyGradients takes a step of the compiled optimizer, with the gradients that the tape's last [Tape.Backward] has found;
// those of parameters that it did not reach count as zero. What a [Regularizer] adds to the loss is not in them: that is
// the loop's to add.
//
//	tape := nnkit.NewTrainingTape(1)
//	for range steps {
//		tape.Reset()
//		p := model.Forward(tape.Constant(x))
//		loss := p.Sub(y).Square().Mean()
//		if err := tape.Backward(loss); err != nil {
//			return err
//		}
//		if err := model.ApplyGradients(tape); err != nil {
//			return err
//		}
//	}
func (m *Model) ApplyGradients(t *Tape) error {
	if err := m.isCompiled("ApplyGradients"); err != nil {
		return err
	}
	if !m.fitting.CompareAndSwap(false, true) {
		return fmt.Errorf("ApplyGradients: the model is in Fit, which takes the steps")
	}
	defer m.fitting.Store(false)
	if m.step == nil {
		m.step = m.compiled.optimizer.start(len(m.weights))
	}
	m.step.average.hide(m.weights)
	if err := m.step.arrange(m.parameters); err != nil {
		return fmt.Errorf("ApplyGradients: %w", err)
	}
	t.clearMissed(m.parameters)
	if err := m.step.step(m, 1); err != nil {
		return fmt.Errorf("ApplyGradients: %w", err)
	}
	return nil
}
