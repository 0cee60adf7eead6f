package nnkit

import (
	"context"
	"fmt"
	"slices"
)

// Evaluate judges the model by rows x and their truth y, given as to [Model.Fit]: the loss and the compiled metrics, exact
// for all rows. [SampleWeight] and [ClassWeight] weigh the loss.
//
//	scores, err := model.Evaluate(xTest, yTest)
//	fmt.Println(scores) // loss 0.4521 · accuracy 0.7917
func (m *Model) Evaluate(x, y any, options ...EvaluateOption) (*Scores, error) {
	if err := m.isCompiled("Evaluate"); err != nil {
		return nil, err
	}
	r, err := m.convert("Evaluate", "x", "y", x, y)
	if err != nil {
		return nil, err
	}
	if err := m.ready("Evaluate"); err != nil {
		return nil, err
	}
	var weights weightings
	for i, o := range options {
		if o == nil {
			return nil, fmt.Errorf("Evaluate: option %d is nil", i+1)
		}
		weights = append(weights, o.weights())
	}
	if err := m.weigh("Evaluate", &r, weights); err != nil {
		return nil, err
	}
	names := scoreNames(m.targets)
	values := make([]float64, len(names))
	w := m.borrow()
	defer m.inference.Put(w)
	g := m.newGrading()
	if err := w.evaluate(context.Background(), &r, m.inferenceRows(), &g, values); err != nil {
		return nil, fmt.Errorf("Evaluate: %w", err)
	}
	return &Scores{names, values}, nil
}

// Predict returns the outputs for one row or many: a tensor of shape (rows, outputs), with probabilities from a sigmoid
// or a softmax. A vector is one row; only for a model of one input it is a column of rows. The model need not be
// compiled, but it must know its number of inputs, from a Fit or from [Input].
//
//	p, err := model.Predict([]float64{6, 148, 72, 35, 0, 33.6, 0.627, 50})
//	fmt.Println(p.At(0, 0))
//
// For several inputs x is a map or a list (see [Functional]); for several outputs there is [Model.PredictAll].
func (m *Model) Predict(x any) (*Tensor, error) {
	if m != nil && m.err == nil && len(m.outputs) > 1 {
		return nil, fmt.Errorf("Predict: the model has the outputs %s: use PredictAll, which returns a tensor for each", quoted(m.outputNames()))
	}
	var room [1]*Tensor
	p, err := m.predict("Predict", x, room[:0])
	if err != nil {
		return nil, err
	}
	return p[0], nil
}

// PredictAll is [Model.Predict] for a model of several outputs: it returns a tensor for each, in their order.
func (m *Model) PredictAll(x any) ([]*Tensor, error) { return m.predict("PredictAll", x, nil) }

// predict appends the outputs to a list.
func (m *Model) predict(caller string, x any, list []*Tensor) ([]*Tensor, error) {
	if err := m.problem(caller); err != nil {
		return nil, err
	}
	if err := m.ready(caller); err != nil {
		return nil, err
	}
	w := m.borrow()
	defer m.inference.Put(w)
	if err := w.take(caller, x); err != nil {
		return nil, err
	}
	n := w.given.n
	step := n
	if n > fewestInference {
		step = m.inferenceRows()
	}
	for lo := 0; lo < n; lo += step {
		hi := min(lo+step, n)
		if err := w.forward(&w.given, lo, hi); err != nil {
			return nil, fmt.Errorf("%s: %w", caller, err)
		}
		for i := range m.outputs {
			y := w.output(i)
			_, width := y.rows()
			if lo == 0 {
				p := newTensor(y.shape, n*width)
				p.shape[0] = n
				list = append(list, p)
			}
			copy(list[i].data[lo*width:], y.data)
		}
	}
	return list, nil
}

// take converts what a prediction is given. A row of float64 by itself, which a program asks for one at a time, is converted in
// memory that stays.
func (w *workspace) take(caller string, x any) error {
	if shape := w.m.inputs[0].shape; len(w.m.inputs) == 1 && len(shape) == 1 {
		if v, ok := x.([]float64); ok && len(v) == shape[0] && len(v) > 1 {
			w.row.data = appendNarrow(w.row.data[:0], v)
			w.row.shape = append(w.row.shape[:0], 1, len(v))
			w.given.n, w.given.x = 1, append(w.given.x[:0], columns{len(v), w.row.data})
			return checkFinite(caller, "x", &w.row)
		}
	}
	xs, err := tensorsOf(caller, "x", "input", w.m.inputNames(), x)
	if err != nil {
		return err
	}
	w.given.x = w.given.x[:0]
	for i := range xs {
		t := w.m.oneRow(xs[i].Tensor, i)
		if err := w.m.fits(caller, xs[i].name, t, i); err != nil {
			return err
		}
		n, width := t.rows()
		if i > 0 && n != w.given.n {
			return fmt.Errorf("%s: %s has %d %s and %s %d; they must agree", caller, xs[0].name, w.given.n, plural(w.given.n, "row"), xs[i].name, n)
		}
		w.given.n, w.given.x = n, append(w.given.x, columns{width, t.data})
	}
	return nil
}

// oneRow gives a single row its first dimension, if that is what x is.
func (m *Model) oneRow(x *Tensor, input int) *Tensor {
	want := m.inputs[input].shape
	single := slices.Equal(x.shape, want) || len(x.shape) == 1 && len(want) == 1 // of another width, as fits will tell
	if !single || len(want) == 1 && want[0] == 1 {
		return x
	}
	return &Tensor{shape: append([]int{1}, x.shape...), data: x.data}
}

func (m *Model) ready(caller string) error {
	if m.weights == nil {
		return fmt.Errorf("%s: the model has seen no data yet and does not know its number of inputs: Fit it first, or begin it "+
			"with nnkit.Input(features)", caller)
	}
	m.draw()
	return nil
}

// workspace is the memory of one Predict or Evaluate at a time.
type workspace struct {
	network
	given rows
	row   Tensor
}

// inferenceRows returns how many rows go through the network at a time: enough for the products, little enough for the
// cache, and for the memory where a layer's output is large.
func (m *Model) inferenceRows() int {
	widest := 1
	for _, shape := range m.shapes {
		widest = max(widest, sizeOf(shape))
	}
	return min(max(mostInference/widest, fewestInference), 256)
}

const mostInference, fewestInference = 1 << 20, 16

func (m *Model) borrow() *workspace {
	if w, ok := m.inference.Get().(*workspace); ok {
		return w
	}
	return &workspace{network: network{m: m}}
}
