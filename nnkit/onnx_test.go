package nnkit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onnxModels are models as they are used, and what [savedModels] lack of ONNX's cases.
func onnxModels() []*Model {
	return []*Model{
		Sequential(Input(8), Dense(16, ReLU), Dense(8, Tanh), Dense(3, Softmax)),
		Sequential(Input(14, 14, 1), Conv2D(8, 3, ReLU), MaxPooling2D(2), Conv2D(8, 3, SamePadding, ReLU), BatchNormalization(), AveragePooling2D(3, Strides(2), SamePadding),
			Flatten(), Dense(10, Softmax)),
		Sequential(Input(7, 3), LSTM(6, ReturnSequences()), GRU(5, ReturnSequences(), GoBackwards()), Bidirectional(GRU(4), GRU(4, GoBackwards())), Dense(2)),
		Sequential(Input(6), Embedding(5, 8), PositionalEncoding(), TransformerEncoder(2, 16), TransformerEncoder(4, 16, Causal()), GlobalAveragePooling1D(),
			Dense(2, Softmax)),
		Sequential(Input(5, 6, 2), Conv2DTranspose(4, 3, Strides(2)), Conv2DTranspose(2, 2, Strides(3, 2)), Conv2DTranspose(2, 4, SamePadding, Strides(2))),
		Sequential(Input(4), Sequential(Dense(5, Tanh), Residual(Dense(5))), Dense(2)),
		Sequential(Input(9, 4), Conv1D(4, 3, DilationRate(2), CausalPadding), Conv1D(6, 2, SamePadding, Groups(2)), SimpleRNN(3), Residual(Dense(3, SiLU))),
	}
}

func TestExportONNX(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.onnx")
	for _, m := range append(savedModels(), onnxModels()...) {
		if err := m.ExportONNX(path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.parameters {
			if !bytes.Contains(data, []byte(p.name)) && p.name != "batch_normalization_1/gamma" && p.name != "batch_normalization_1/beta" {
				t.Errorf("the file has no %s", p)
			}
		}
	}
	for _, c := range []struct {
		m    *Model
		want string
	}{
		{Sequential(Dense(1)), "ExportONNX: the model has no weights yet"},
		{Sequential(Input(3), Lambda("own", (*Tensor).Neg)), `ExportONNX: lambda layer "own" (layer 1): ONNX does not know this kind of layer`},
		{Sequential(Input(3), Dense(3), Residual(&scaledLayer{})), `residual layer "residual_1" (layer 2): scaledlayer layer "residual_1/scaledlayer_1" (layer 1): ONNX does not know`},
		{maskedModels()[0], `embedding layer "embedding_1" (layer 1): ONNX has no masks`},
		{maskedModels()[1], `masking layer "gaps" (layer 1): ONNX has no masks`},
		{ownMergeModel(), `merge layer "own" (layer 1): ONNX does not know the function of a Merge`},
		{Sequential(Input(3), Dense(3, ActivationFunc("odd", (*Tensor).Neg))), "ONNX does not know the activation odd"},
	} {
		if err := c.m.ExportONNX(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v does not say %q", err, c.want)
		}
	}
}

func ownMergeModel() *Model {
	a, b := Input(2), Input(2)
	return Functional(Inputs(a, b), Outputs(Merge("own", func(x ...*Tensor) *Tensor { return x[0].Mul(x[1]) }, a, b)))
}
