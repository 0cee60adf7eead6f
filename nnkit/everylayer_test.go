package nnkit

import (
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// A learnable makes examples of a problem that a layer should be able to learn: rows, and the class of each.
type learnable func(n int) (x *Tensor, y []int)

// The problems: on which side of a surface a row is, what a sequence sums up to, or its last steps, what its largest step is, which of
// its ends is larger, which way an image's lines run ([stripes]), whether there is a bright spot, and whether a word is in a text.
var (
	surface = normals([]int{4}, func(x []float32) bool { return x[0]*x[1]+x[2] > 0 })
	total6  = normals([]int{6, 2}, func(x []float32) bool { return x[0]+x[2]+x[4]+x[6]+x[8]+x[10] > 0 })
	last2   = normals([]int{6, 2}, func(x []float32) bool { return x[8]+x[10] > 0 })
	highest = normals([]int{6, 2}, func(x []float32) bool { return max(x[0], x[2], x[4], x[6], x[8], x[10]) > 1.2 })
	ends    = normals([]int{6, 2}, func(x []float32) bool { return x[0] > x[10] })
	spot    = normals([]int{6, 6, 1}, func(x []float32) bool { return slices.Max(x) > 2.1 })
)

func wordThree(n int) (x *Tensor, y []int) {
	x, y = zeros([]int{n, 5}), make([]int, n)
	for i := range x.data {
		if x.data[i] = float32(random.Stream{Seed: 4}.Int(i, 8)); x.data[i] == 3 {
			y[i/5] = 1
		}
	}
	return x, y
}

// normals is a problem of normal numbers.
func normals(shape []int, truth func(x []float32) bool) learnable {
	return func(n int) (x *Tensor, y []int) {
		x, y = zeros(append([]int{n}, shape...)), make([]int, n)
		_, width := x.rows()
		for i := range x.data {
			x.data[i] = float32(random.Stream{Seed: 3}.Normal(i))
		}
		for r := range y {
			if truth(x.data[r*width:][:width]) {
				y[r] = 1
			}
		}
		return x, y
	}
}

// Every layer trains what it should be able to learn: the loss of rows that it has not seen ends far below that of a guess.
func TestEveryLayerLearns(t *testing.T) {
	if testing.Short() { // what is learnt does not depend on the machine: TestSameBitsOnEveryMachine
		return
	}
	flat := func(layers ...Layer) []Layer { return append(layers, Flatten()) }
	for _, c := range []struct {
		name    string
		problem learnable
		layers  []Layer
	}{
		{"Dense", surface, []Layer{Dense(16, ReLU)}},
		{"Dropout", surface, []Layer{Dense(32, ReLU), Dropout(0.1)}},
		{"GaussianNoise", surface, []Layer{GaussianNoise(0.1), Dense(16, ReLU)}},
		{"ActivationLayer", surface, []Layer{Dense(16), ActivationLayer(Mish)}},
		{"PReLU", surface, []Layer{Dense(16), PReLU()}},
		{"BatchNormalization", surface, []Layer{Dense(16), BatchNormalization(), ActivationLayer(ReLU)}},
		{"LayerNormalization", surface, []Layer{Dense(16, ReLU), LayerNormalization()}},
		{"RMSNormalization", surface, []Layer{Dense(16, ReLU), RMSNormalization()}},
		{"Residual", surface, []Layer{Residual(Dense(16, ReLU), Dense(4)), Dense(8, ReLU)}},
		{"Sequential", surface, []Layer{Sequential(Dense(16, ReLU), Dense(4, Tanh))}},
		{"Lambda", surface, []Layer{Dense(16), Lambda("swish", swish)}},
		{"Reshape", surface, flat(Reshape(2, 2), Dense(8, Tanh), Reshape(-1), Dense(16, ReLU), Reshape(4, 4))},
		{"Conv1D", ends, flat(Conv1D(8, 3, SamePadding, ReLU))},
		{"MaxPooling1D", highest, flat(Conv1D(8, 1, ReLU), MaxPooling1D(2))},
		{"AveragePooling1D", total6, flat(AveragePooling1D(2))},
		{"GlobalMaxPooling1D", highest, []Layer{Conv1D(8, 1, ReLU), GlobalMaxPooling1D()}},
		{"GlobalAveragePooling1D", total6, []Layer{GlobalAveragePooling1D()}},
		{"Masking", total6, []Layer{Masking(-99), LSTM(8)}},
		{"SimpleRNN", total6, []Layer{SimpleRNN(8)}},
		{"LSTM", total6, []Layer{LSTM(8)}},
		{"GRU", last2, []Layer{GRU(8, ReturnSequences()), GRU(8)}},
		{"Bidirectional", ends, []Layer{Bidirectional(LSTM(8), LSTM(8, GoBackwards()))}},
		{"MultiHeadAttention", ends, flat(Dense(8), PositionEmbedding(), MultiHeadAttention(2, 4))},
		{"TransformerEncoder", ends, flat(Dense(8), PositionalEncoding(), TransformerEncoder(2, 16))},
		{"Embedding", wordThree, []Layer{Embedding(8, 8), GlobalMaxPooling1D()}},
		{"Embedding with MaskZero", wordThree, []Layer{Embedding(8, 8, MaskZero()), GlobalMaxPooling1D()}},
		{"Conv2D", stripes, []Layer{Conv2D(16, 3, ReLU), Conv2D(16, 3, ReLU), GlobalAveragePooling2D()}},
		{"depthwise Conv2D", stripes, []Layer{Conv2D(8, 1), Conv2D(32, 3, Groups(8), ReLU), GlobalAveragePooling2D()}},
		{"Conv2DTranspose", stripes, []Layer{Conv2DTranspose(8, 2, Strides(2), ReLU), Conv2D(16, 4, Strides(2), ReLU), GlobalAveragePooling2D()}},
		{"GroupNormalization", stripes, []Layer{Conv2D(16, 3, ReLU), GroupNormalization(4), Conv2D(16, 3, ReLU), GlobalAveragePooling2D()}},
		{"MaxPooling2D", spot, []Layer{MaxPooling2D(2), GlobalMaxPooling2D()}},
		{"AveragePooling2D", stripes, []Layer{Conv2D(32, 3, ReLU), AveragePooling2D(2), Conv2D(8, 2, ReLU), GlobalAveragePooling2D()}},
		{"GlobalMaxPooling2D", spot, []Layer{GlobalMaxPooling2D()}},
	} {
		const train, all = 600, 800
		x, y := c.problem(all)
		m := Sequential(append(c.layers, Dense(3, Softmax))...)
		if err := m.Compile(Adam(LearningRate(0.02)), SparseCategoricalCrossEntropy, Accuracy); err != nil {
			t.Fatal(c.name, err)
		}
		if _, err := m.Fit(x.Slice(0, train), y[:train], Epochs(25), BatchSize(60), Verbose(0)); err != nil {
			t.Fatal(c.name, err)
		}
		scores, err := m.Evaluate(x.Slice(train, all), y[train:])
		if err != nil {
			t.Fatal(c.name, err)
		}
		if scores.Value("accuracy") < 0.9 {
			t.Errorf("%s has learnt no more than %s", c.name, scores)
		}
	}
}
