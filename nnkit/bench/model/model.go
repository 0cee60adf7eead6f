// Package model has the trainings that are timed: networks, the rows that they take, and made-up data for them.
package model

import (
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Training is a network and how it is trained.
type Training struct {
	Name    string
	Row     []int // the shape of a row
	Classes int   // 1 for yes or no
	Batch   int
	Loss    nnkit.Loss
	Layers  func() []nnkit.Layer
}

// The trainings that the peers know by the same names.
var (
	W1 = Training{"W1", []int{8}, 1, 32, nnkit.BinaryCrossEntropy, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(8, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid)}
	}}
	W2 = Training{"W2", []int{784}, 10, 128, nnkit.SparseCategoricalCrossEntropy, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.Dense(512, nnkit.ReLU), nnkit.Dense(512, nnkit.ReLU), nnkit.Dense(10, nnkit.Softmax)}
	}}
	W3a = Training{"W3a", []int{28, 28, 1}, 10, 64, nnkit.SparseCategoricalCrossEntropy, func() []nnkit.Layer {
		return []nnkit.Layer{
			nnkit.Conv2D(6, 5, nnkit.ReLU, nnkit.SamePadding), nnkit.MaxPooling2D(2),
			nnkit.Conv2D(16, 5, nnkit.ReLU), nnkit.MaxPooling2D(2), nnkit.Flatten(),
			nnkit.Dense(120, nnkit.ReLU), nnkit.Dense(84, nnkit.ReLU), nnkit.Dense(10, nnkit.Softmax),
		}
	}}
	W3b = Training{"W3b", []int{32, 32, 3}, 10, 64, nnkit.SparseCategoricalCrossEntropy, func() []nnkit.Layer {
		return []nnkit.Layer{
			nnkit.Conv2D(32, 3, nnkit.ReLU, nnkit.SamePadding), nnkit.Conv2D(32, 3, nnkit.ReLU, nnkit.SamePadding), nnkit.MaxPooling2D(2),
			nnkit.Conv2D(64, 3, nnkit.ReLU, nnkit.SamePadding), nnkit.Conv2D(64, 3, nnkit.ReLU, nnkit.SamePadding), nnkit.MaxPooling2D(2),
			nnkit.Flatten(), nnkit.Dense(512, nnkit.ReLU), nnkit.Dense(10, nnkit.Softmax),
		}
	}}
	W4 = Training{"W4", []int{50, 32}, 10, 32, nnkit.SparseCategoricalCrossEntropy, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.LSTM(128), nnkit.Dense(10, nnkit.Softmax)}
	}}
	W5 = Training{"W5", []int{64, 128}, 10, 32, nnkit.SparseCategoricalCrossEntropy, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.TransformerEncoder(4, 512), nnkit.GlobalAveragePooling1D(), nnkit.Dense(10, nnkit.Softmax)}
	}}
)

// Data makes rows, and the truth for them.
func (t Training) Data(n int) (x, y *nnkit.Tensor, err error) {
	size := 1
	for _, d := range t.Row {
		size *= d
	}
	numbers, truth := make([]float32, n*size), make([]float32, n)
	s := random.Stream{Seed: 1}
	for i := range numbers {
		numbers[i] = float32(s.Normal(i))
	}
	for i := range truth {
		truth[i] = float32(s.Int(i, max(2, t.Classes)))
	}
	if x, err = nnkit.NewTensor(numbers, append([]int{n}, t.Row...)...); err != nil {
		return nil, nil, err
	}
	y, err = nnkit.NewTensor(truth)
	return x, y, err
}

// Compiled makes the network, to be trained with Adam.
func (t Training) Compiled() (*nnkit.Model, error) {
	m := nnkit.Sequential(t.Layers()...)
	return m, m.Compile(nnkit.Adam(), t.Loss)
}
