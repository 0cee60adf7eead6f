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
	if err := m.compiled("Evaluate"); err != nil {
		return nil, err
	}
	r, err := m.convert("Evaluate", "x", "y", x, y)
	if err != nil {
		return nil, err
	}
	if err := m.ready("Evaluate"); err != nil {
		return nil, err
	}
	var weights weighting
	for i, o := range options {
		if o == nil {
			return nil, fmt.Errorf("Evaluate: option %d is nil", i+1)
		}
		o.evaluateOption(&weights)
	}
	if err := m.weigh("Evaluate", &r, weights); err != nil {
		return nil, err
	}
	names := []string{"loss"}
	for _, metric := range m.metrics {
		names = append(names, metric.String())
	}
	values := make([]float64, len(names))
	w := m.borrow()
	defer m.inference.Put(w)
	if err := w.evaluate(context.Background(), r, m.inferenceRows(), &w.judged, m.newMeters(), values); err != nil {
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
func (m *Model) Predict(x any) (*Tensor, error) {
	if m.err != nil {
		return nil, m.err
	}
	if err := m.ready("Predict"); err != nil {
		return nil, err
	}
	w := m.borrow()
	defer m.inference.Put(w)
	rows, err := w.rows(x)
	if err != nil {
		return nil, err
	}
	n, width := rows.rows()
	var p *Tensor
	step := m.inferenceRows()
	for lo := 0; lo < n; lo += step {
		hi := min(lo+step, n)
		y, err := w.forward(rows.data[lo*width:hi*width], hi-lo)
		if err != nil {
			return nil, fmt.Errorf("Predict: %w", err)
		}
		if p == nil {
			_, out := y.rows()
			p = newTensor(y.shape, n*out)
			p.shape[0] = n
		}
		copy(p.data[lo*(len(p.data)/n):], y.data)
	}
	return p, nil
}

// rows converts what Predict is given. A row of float64 by itself, which a program asks for one at a time, is converted in
// memory that stays.
func (w *workspace) rows(x any) (*Tensor, error) {
	if v, ok := x.([]float64); ok && len(w.m.input) == 1 && len(v) == w.m.input[0] && len(v) > 1 {
		w.row.data = appendNarrow(w.row.data[:0], v)
		w.row.shape = append(w.row.shape[:0], 1, len(v))
		return &w.row, checkFinite("Predict", "x", &w.row)
	}
	t, err := tensorOf("Predict", "x", x)
	if err != nil {
		return nil, err
	}
	t = w.m.oneRow(t)
	return t, w.m.fits("Predict", "x", t)
}

// oneRow gives a single row its first dimension, if that is what x is.
func (m *Model) oneRow(x *Tensor) *Tensor {
	single := slices.Equal(x.shape, m.input) || len(x.shape) == 1 && len(m.input) == 1 // of another width, as fits will tell
	if !single || len(m.input) == 1 && m.input[0] == 1 {
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
	judged judged
	row    Tensor
}

// inferenceRows returns how many rows go through the network at a time: enough for the products, little enough for the
// cache, and for the memory where a layer's output is large.
func (m *Model) inferenceRows() int {
	widest := sizeOf(m.input)
	for _, l := range m.layers {
		widest = max(widest, sizeOf(l.core().output))
	}
	return min(max(mostInference/max(1, widest), 16), 256)
}

const mostInference = 1 << 20

func (m *Model) borrow() *workspace {
	if w, ok := m.inference.Get().(*workspace); ok {
		return w
	}
	return &workspace{network: network{m: m}}
}
