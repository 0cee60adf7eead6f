package nnkit

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Model is a network of layers, made by [Sequential]. Compile it, Fit it, then Evaluate it and Predict with it; printed,
// or shown in a notebook, it is its summary.
//
// A model is a [Layer], too: as a layer of another model it brings its weights along, as they are, and is from then on
// trained with that one.
//
// Predict and Evaluate may be called from several goroutines at once, but not while another goroutine is in Fit.
type Model struct {
	layer      layerCore // of the model as a layer of another one
	layers     []Layer   // without Input
	err        error     // what was wrong in Sequential
	input      []int     // the shape of a row; nil while unknown
	seed       int
	weights    []float32 // all parameters, one after another, each aligned, and below their gradients
	gradients  []float32
	parameters []*Parameter
	states     []*Parameter
	// regularized are the parameters that have a Regularizer.
	regularized []*Parameter
	drawing     sync.Mutex
	drawn       atomic.Bool

	optimizer Optimizer
	loss      Loss
	metrics   []Metric
	step      *stepper // what the optimizer remembers, made with the first batch

	epochs    int // trained so far, in all calls of Fit
	batches   int // likewise
	fitting   atomic.Bool
	inference sync.Pool
}

// Sequential makes a model of layers through which data goes one after another.
//
// What is wrong with the layers is reported by [Model.Compile], and by every later method that returns an error.
func Sequential(layers ...Layer) *Model {
	m := &Model{seed: DefaultSeed}
	m.layer.kind = "sequential"
	m.err = m.assemble(layers)
	m.layer.err = m.err
	return m
}

func (m *Model) assemble(layers []Layer) error {
	count := map[string]int{}
	for i, l := range layers {
		if l == nil {
			return fmt.Errorf("Sequential: layer %d is nil", i+1)
		}
		c := l.core()
		if c.err != nil {
			return fmt.Errorf("Sequential: layer %d: %w", i+1, c.err)
		}
		if _, ok := l.(*inputLayer); ok {
			if i != 0 {
				return fmt.Errorf("Sequential: Input is argument %d, but it can only come first: the layers behind the first "+
					"know their inputs from the layer before", i+1)
			}
			m.input = slices.Clone(c.output)
			continue
		}
		if c.owner != nil {
			return fmt.Errorf("Sequential: layer %q is given a second time: make each layer by a call of its own", c.name)
		}
		c.owner = m
		if c.kind == "" {
			c.kind = kindOf(l)
		}
		count[c.kind]++
		if c.name == "" {
			c.name = fmt.Sprintf("%s_%d", c.kind, count[c.kind])
		}
		if slices.ContainsFunc(m.layers, func(o Layer) bool { return o.core().name == c.name }) {
			return fmt.Errorf("Sequential: two layers are named %q: give one another name, nnkit.Name(%q)", c.name, c.name+"_b")
		}
		m.layers = append(m.layers, l)
	}
	if len(m.layers) == 0 {
		return fmt.Errorf("Sequential: there are no layers: give it at least one, Dense(1, nnkit.Sigmoid) for example")
	}
	if m.input != nil {
		return m.build(m.input)
	}
	return nil
}

// kindOf makes a kind of the name of a user's type: Gain is "gain".
func kindOf(l Layer) string {
	t := reflect.TypeOf(l)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return strings.ToLower(t.Name())
}

// build fixes all shapes for rows of the given one, and puts the parameters together.
func (m *Model) build(input []int) error {
	shape := input
	m.parameters, m.states, m.regularized = nil, nil, nil
	for i, l := range m.layers {
		c := l.core()
		c.parameters, c.states = nil, nil
		if err := build(l, shape); err != nil {
			return fmt.Errorf("%s: %w", c.where(i), err)
		}
		shape = c.output
		m.parameters = append(m.parameters, c.parameters...)
		m.states = append(m.states, c.states...)
	}
	m.input = slices.Clone(input)
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

// Compile says how the model is trained: by which optimizer, to make which loss small, and which metrics are told
// besides. It may be called again, to go on with another optimizer for example: weights stay, what the optimizer
// remembered is forgotten.
//
// It is an error when a layer was wrong, when something is missing, when an optimizer's setting is out of bounds and
// when the loss cannot judge what the last layer puts out.
func (m *Model) Compile(optimizer Optimizer, loss Loss, metrics ...Metric) error {
	m.loss = nil // a model that failed to compile is not compiled
	if m.err != nil {
		return m.err
	}
	if optimizer == nil {
		return fmt.Errorf("Compile: the optimizer is missing: write nnkit.Adam() for example")
	}
	if err := optimizer.check(); err != nil {
		return fmt.Errorf("Compile: %w", err)
	}
	if loss == nil {
		return fmt.Errorf("Compile: the loss is missing: write nnkit.BinaryCrossEntropy for yes or no, " +
			"nnkit.SparseCategoricalCrossEntropy for classes, nnkit.MeanSquaredError for numbers")
	}
	if err := loss.suits(m.output()); err != nil {
		return fmt.Errorf("Compile: %w", err)
	}
	names := map[string]bool{}
	for i, metric := range metrics {
		if metric == nil {
			return fmt.Errorf("Compile: metric %d is nil", i+1)
		}
		if names[metric.String()] {
			return fmt.Errorf("Compile: the metric %s is given twice: leave one out, or give it another name by nnkit.Name", metric)
		}
		names[metric.String()] = true
		if err := metric.suits(m.output()); err != nil {
			return fmt.Errorf("Compile: metric %d: %w", i+1, err)
		}
	}
	m.optimizer, m.loss, m.metrics, m.step = optimizer, loss, slices.Clone(metrics), nil
	return nil
}

// Reset begins anew: weights are drawn from the seed, and the optimizer and the count of epochs start over.
func (m *Model) Reset(seed int) error {
	if m.err != nil {
		return m.err
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

// Layers describes the layers in order. Asking for it draws the weights if the width of the input is known.
func (m *Model) Layers() []LayerInfo {
	m.draw()
	infos := make([]LayerInfo, len(m.layers))
	for i, l := range m.layers {
		c := l.core()
		infos[i] = LayerInfo{
			Index: i + 1, Name: c.name, Kind: c.kind, Activation: c.activationText(),
			InputShape: slices.Clone(c.input), OutputShape: slices.Clone(c.output), Parameters: slices.Clone(c.parameters),
		}
	}
	return infos
}

// Parameters returns all kernels and biases in order, none while the width of the input is not known: before the first
// Fit or Predict of a model without [Input]. Asking for them draws the weights.
func (m *Model) Parameters() []*Parameter {
	m.draw()
	return slices.Clone(m.parameters)
}

// States returns what layers keep beside their trained parameters, the moving averages of a [BatchNormalization], in
// order.
func (m *Model) States() []*Parameter {
	m.draw()
	return slices.Clone(m.states)
}

func (m *Model) core() *layerCore { return &m.layer }

func (m *Model) inner() []Layer { return m.layers }

// Build makes the model a layer of another one.
func (m *Model) Build(input []int) error {
	if m.input == nil {
		if err := m.build(input); err != nil {
			return err
		}
	} else if !slices.Equal(input, m.input) {
		return fmt.Errorf("gets rows of shape %s, but the model within is for rows of shape %s", shapeText(input), shapeText(m.input))
	}
	m.layer.parameters, m.layer.states = slices.Clone(m.parameters), slices.Clone(m.states)
	for _, p := range slices.Concat(m.parameters, m.states) {
		p.name = m.layer.name + "/" + strings.TrimPrefix(p.name, m.layer.name+"/")
	}
	return nil
}

// Forward computes the output for a batch x, whose first dimension counts the rows, on the tape of x if it is on one: for
// a training loop of one's own (see [Model.ApplyGradients]) and for models within models. It panics with an
// [*OperationError] where x does not fit; the model must know its input's shape, from data or from [Input].
func (m *Model) Forward(x *Tensor) *Tensor {
	if m.err != nil {
		fail("Forward", "%v", m.err)
	}
	if err := m.ready("Forward"); err != nil && m.layer.owner == nil {
		fail("Forward", "the model has seen no data yet and does not know the shape of its input: begin it with nnkit.Input")
	}
	for _, l := range m.layers {
		x = forwardWithin(l, x)
	}
	return x
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
	if err := m.compiled("ApplyGradients"); err != nil {
		return err
	}
	if !m.fitting.CompareAndSwap(false, true) {
		return fmt.Errorf("ApplyGradients: the model is in Fit, which takes the steps")
	}
	defer m.fitting.Store(false)
	if m.step == nil {
		m.step = m.optimizer.start(len(m.weights))
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
