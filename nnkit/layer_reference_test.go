package nnkit

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/layers.json
var layersReference []byte

// PyTorch's words on the left, ours on the right.
var layersLikePyTorch = map[string]func() Layer{
	"conv2d":                    func() Layer { return Conv2D(6, 3) },
	"conv2d strides":            func() Layer { return Conv2D(6, 3, Strides(2, 1)) },
	"conv2d same":               func() Layer { return Conv2D(6, 3, SamePadding) },
	"conv2d dilated":            func() Layer { return Conv2D(6, 3, DilationRate(1, 2)) },
	"conv2d groups":             func() Layer { return Conv2D(6, 3, Groups(2)) },
	"conv2d transpose":          func() Layer { return Conv2DTranspose(3, 3) },
	"conv2d transpose strides":  func() Layer { return Conv2DTranspose(3, 3, Strides(2)) },
	"conv2d transpose same":     func() Layer { return Conv2DTranspose(3, 3, SamePadding) },
	"group normalization 1":     func() Layer { return GroupNormalization(1) },
	"group normalization 2":     func() Layer { return GroupNormalization(2) },
	"group normalization 4":     func() Layer { return GroupNormalization(4) },
	"prelu":                     func() Layer { return PReLU() },
	"conv1d":                    func() Layer { return Conv1D(5, 3, SamePadding) },
	"max pooling":               func() Layer { return MaxPooling2D(2) },
	"max pooling overlapping":   func() Layer { return MaxPooling2D(3, Strides(2)) },
	"average pooling":           func() Layer { return AveragePooling2D(2) },
	"global average pooling":    func() Layer { return GlobalAveragePooling2D() },
	"lstm":                      func() Layer { return LSTM(4) },
	"lstm sequences":            func() Layer { return LSTM(4, ReturnSequences()) },
	"gru":                       func() Layer { return GRU(4) },
	"gru sequences":             func() Layer { return GRU(4, ReturnSequences()) },
	"rnn":                       func() Layer { return SimpleRNN(4) },
	"rnn sequences":             func() Layer { return SimpleRNN(4, ReturnSequences()) },
	"layer normalization":       func() Layer { return LayerNormalization() },
	"batch normalization":       func() Layer { return BatchNormalization() },
	"embedding":                 func() Layer { return Embedding(7, 3) },
	"attention":                 func() Layer { return MultiHeadAttention(2, 3) },
	"attention causal":          func() Layer { return MultiHeadAttention(2, 3, Causal()) },
	"transformer encoder":       func() Layer { return TransformerEncoder(2, 10) },
	"conv2d depthwise":          func() Layer { return Conv2D(8, 3, SamePadding, Groups(4)) },
	"conv1d strides":            func() Layer { return Conv1D(5, 3, Strides(2)) },
	"conv1d causal dilated":     func() Layer { return Conv1D(5, 2, CausalPadding, DilationRate(3)) },
	"max pooling 1d":            func() Layer { return MaxPooling1D(2) },
	"average pooling 1d":        func() Layer { return AveragePooling1D(3, Strides(2)) },
	"average pooling same":      func() Layer { return AveragePooling2D(3, Strides(1), SamePadding) },
	"global max pooling":        func() Layer { return GlobalMaxPooling2D() },
	"global average pooling 1d": func() Layer { return GlobalAveragePooling1D() },
	"global max pooling 1d":     func() Layer { return GlobalMaxPooling1D() },
	"rms normalization":         func() Layer { return RMSNormalization(NormEpsilon(1e-5)) },
	"rnn relu":                  func() Layer { return SimpleRNN(4, ReLU) },
	"bidirectional sequences": func() Layer {
		return Bidirectional(LSTM(4, ReturnSequences()), LSTM(4, ReturnSequences(), GoBackwards()))
	},
	"bidirectional":      func() Layer { return Bidirectional(LSTM(4), LSTM(4, GoBackwards())) },
	"position embedding": func() Layer { return PositionEmbedding() },
	"residual":           func() Layer { return Residual(Dense(4, Tanh)) },
}

// Layers have PyTorch's outputs and gradients.
func TestLayersAgreeWithPyTorch(t *testing.T) {
	var cases []layerCase
	if err := json.Unmarshal(layersReference, &cases); err != nil {
		t.Fatal(err)
	}
	activations := []Activation{
		ReLU, Sigmoid, Tanh, Softmax, LogSoftmax, GELU, TanhGELU, SiLU, ELU, SELU, LeakyReLU, Softplus, Softsign, Mish, HardSigmoid, HardSwish,
	}
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.Name] = true
		var layer Layer
		if name, ok := strings.CutPrefix(c.Name, "activation "); ok {
			at := slices.IndexFunc(activations, func(a Activation) bool { return strings.HasPrefix(a.String()+"(", name+"(") })
			if at < 0 {
				t.Fatalf("there is no activation %s", name)
			}
			layer = ActivationLayer(activations[at])
		} else if layer = layersLikePyTorch[c.Name](); layer == nil {
			t.Fatalf("there is no layer for %s", c.Name)
		}
		c.compare(t, Sequential(Input(c.Shape...), layer))
	}
	for name := range layersLikePyTorch {
		if !seen[name] {
			t.Errorf("PyTorch's %s is missing: write testdata/layers.json again", name)
		}
	}
}

// layerCase is what PyTorch makes of a layer.
type layerCase struct {
	Name                  string
	Shape                 []int
	X, Y, DX              []float64
	Parameters, Gradients [][]float64
}

// compare says where a model's numbers are others than PyTorch's.
func (c *layerCase) compare(t *testing.T, m *Model) {
	t.Helper()
	if m.err != nil {
		t.Fatal(m.err)
	}
	m.draw()
	if len(m.parameters) != len(c.Parameters) {
		t.Fatalf("%s: there are %d parameters, PyTorch has %d", c.Name, len(m.parameters), len(c.Parameters))
	}
	for i, p := range m.parameters {
		if p.Len() != len(c.Parameters[i]) {
			t.Fatalf("%s: %s has %d numbers, PyTorch %d", c.Name, p.Name(), p.Len(), len(c.Parameters[i]))
		}
		copy(p.Data(), appendNarrow(nil, c.Parameters[i]))
	}
	x, err := NewTensor(appendNarrow(nil, c.X), append([]int{len(c.X) / sizeOf(c.Shape)}, c.Shape...)...)
	if err != nil {
		t.Fatal(err)
	}
	tape := NewTape()
	tape.training = true
	x = tape.Watch(x)
	y := m.Forward(x)
	if e := far(y.Data(), c.Y, 1); e > 5e-6 {
		t.Errorf("%s: the output is off by %.2g", c.Name, e)
	}
	if err := tape.Backward(y.Mul(weights(y, 0)).Sum()); err != nil {
		t.Fatal(c.Name, err)
	}
	if len(c.DX) > 0 {
		if e := far(tape.Gradient(x).Data(), c.DX, 1); e > 5e-6 {
			t.Errorf("%s: the input's gradient is off by %.2g", c.Name, e)
		}
	}
	for i, p := range m.parameters {
		if e := far(p.Gradient(), c.Gradients[i], 1); e > 5e-6 {
			t.Errorf("%s: the gradient of %s is off by %.2g", c.Name, p.Name(), e)
		}
	}
}
