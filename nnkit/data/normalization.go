package data

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit"
)

// Normalization brings every channel of tensors, the last dimension, to mean 0 and variance 1, as measured on the tensor
// that it was made from: channels of pictures, bands of spectrograms. It is what Keras' layer of that name does after
// adapt.
type Normalization struct {
	Mean      []float64 // of each channel
	Deviation []float64 // the standard deviation of each channel; 1 for a constant one
}

// Normalize measures the channels of x, whatever nnkit.TensorOf takes.
//
//	norm, err := data.Normalize(train.X)
//	train, err = train.Apply(norm)
func Normalize(x any) (*Normalization, error) {
	t, err := nnkit.TensorOf(x)
	if err != nil {
		return nil, fmt.Errorf("Normalize: %w", err)
	}
	shape := t.Shape()
	if len(shape) < 2 {
		return nil, fmt.Errorf("Normalize: x has the shape %v, and must have rows of channels: (rows, channels) at least", shape)
	}
	channels := shape[len(shape)-1]
	n := &Normalization{make([]float64, channels), make([]float64, channels)}
	each := float64(t.Len() / channels)
	for i, v := range t.Data() {
		n.Mean[i%channels] += float64(v)
	}
	for c := range channels {
		n.Mean[c] /= each
	}
	for i, v := range t.Data() {
		d := float64(v) - n.Mean[i%channels]
		n.Deviation[i%channels] += float64(d * d)
	}
	for c, sum := range n.Deviation {
		n.Deviation[c] = math.Sqrt(sum / each)
		if n.Deviation[c] == 0 {
			n.Deviation[c] = 1
		}
	}
	return n, nil
}

// Apply returns (x - Mean) / Deviation; x is left as it is. Another number of channels is an error.
func (n *Normalization) Apply(x any) (*nnkit.Tensor, error) {
	t, err := nnkit.TensorOf(x)
	if err != nil {
		return nil, fmt.Errorf("Apply: %w", err)
	}
	shape, channels := t.Shape(), len(n.Mean)
	if shape[len(shape)-1] != channels {
		return nil, fmt.Errorf("Apply: x has the shape %v, but what was measured had %d channels, the last dimension", shape, channels)
	}
	out := make([]float32, t.Len())
	for i, v := range t.Data() {
		out[i] = float32((float64(v) - n.Mean[i%channels]) / n.Deviation[i%channels])
	}
	return nnkit.NewTensor(out, shape...)
}

// Apply returns the examples with X normalized; e is left as it is.
func (e *Examples) Apply(n *Normalization) (*Examples, error) {
	x, err := n.Apply(e.X)
	if err != nil {
		return nil, err
	}
	applied := *e
	applied.X = x
	return &applied, nil
}
