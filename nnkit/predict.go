package nnkit

import (
	"context"
	"fmt"
)

// Evaluate judges the model by rows x and their truth y, given as to [Model.Fit]: the loss and the compiled metrics,
// exact means over all rows.
//
//	scores, err := model.Evaluate(xTest, yTest)
//	fmt.Println(scores) // loss 0.4521 · accuracy 0.7917
func (m *Model) Evaluate(x, y any) (*Scores, error) {
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
	names := []string{"loss"}
	for _, metric := range m.metrics {
		names = append(names, metric.String())
	}
	values := make([]float64, len(names))
	w := m.borrow(r.n)
	defer m.inference.Put(w)
	err = w.network.evaluate(context.Background(), r, w.rows, &w.judged, m.newMeters(), values)
	return &Scores{names, values}, err
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
	t, err := tensorOf("Predict", "x", x)
	if err != nil {
		return nil, err
	}
	if len(t.shape) == 1 && m.inputs > 1 {
		t = &Tensor{shape: []int{1, len(t.data)}, data: t.data}
	}
	if err := m.fits("Predict", "x", t); err != nil {
		return nil, err
	}
	n, width := t.rows()
	out := m.last().units
	p := &Tensor{shape: []int{n, out}, data: make([]float32, 0, n*out)}
	w := m.borrow(n)
	defer m.inference.Put(w)
	for lo := 0; lo < n; lo += w.rows {
		hi := min(lo+w.rows, n)
		p.data = append(p.data, w.network.forward(t.data[lo*width:hi*width], hi-lo)...)
	}
	return p, nil
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
	network network
	rows    int
	judged  judged
}

// So many rows go through the network at a time: enough for the products, little enough for the cache.
const inferenceRows = 256

func (m *Model) borrow(rows int) *workspace {
	rows = min(rows, inferenceRows)
	sums := m.loss != nil && m.loss.fromSums(m.last().activation)
	if w, ok := m.inference.Get().(*workspace); ok && w.rows >= rows && w.network.sums == sums {
		return w
	}
	return &workspace{network: newNetwork(m, rows, false), rows: rows}
}
