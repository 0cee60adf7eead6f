package nnkit

import (
	_ "embed"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/weights.json
var weightsReference []byte

// likeDense is nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).
func likeDense() *Model { return Sequential(Input(4), Dense(3, ReLU), Dense(2)) }

// The same models as in testdata/weights.py.
var weightsLikePyTorch = map[string]struct {
	model   func() *Model
	modules []string
}{
	"dense":    {likeDense, nil},
	"float64":  {likeDense, []string{"0", "2"}},
	"float16":  {likeDense, nil},
	"bfloat16": {likeDense, nil},
	"images": {func() *Model {
		return Sequential(Input(6, 7, 2), Conv2D(4, 3), BatchNormalization(NormEpsilon(1e-5)), ActivationLayer(ReLU), Conv2DTranspose(4, 2, Strides(2)),
			PReLU(), Conv2D(6, 3, KernelSize(3, 2), Groups(2)), GroupNormalization(3, NormEpsilon(1e-5)), MaxPooling2D(3), Flatten(), Dropout(0.5), Dense(5))
	}, []string{"conv1", "norm", "up", "slopes", "conv2", "group", "fc"}},
	"sequences": {func() *Model {
		return Sequential(Input(5, 3), Conv1D(5, 2, Name("conv")), Flatten(), Dense(6, Name("fc")))
	}, nil},
	"recurrent": {func() *Model {
		return Sequential(Input(5, 3), LSTM(4, ReturnSequences()), LSTM(4, ReturnSequences()),
			Bidirectional(GRU(3, ReturnSequences()), GRU(3, ReturnSequences(), GoBackwards())), SimpleRNN(2))
	}, []string{"lstm", "lstm", "gru", "rnn"}},
	"attention": {func() *Model {
		return Sequential(Input(4), Embedding(7, 6, Name("words")), TransformerEncoder(2, 8, Name("encoder")), MultiHeadAttention(3, 2, Name("attention")),
			LayerNormalization(NormEpsilon(1e-5), Name("norm")))
	}, nil},
}

// A model with PyTorch's weights predicts what PyTorch does.
func TestWeightsFromPyTorch(t *testing.T) {
	var cases []struct {
		Name  string
		File  []byte
		Shape []int
		X, Y  []float64
	}
	if err := json.Unmarshal(weightsReference, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != len(weightsLikePyTorch) {
		t.Fatalf("PyTorch has %d models: write testdata/weights.json again", len(cases))
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "weights.safetensors")
		if err := os.WriteFile(path, c.File, 0o600); err != nil {
			t.Fatal(err)
		}
		like := weightsLikePyTorch[c.Name]
		m := like.model()
		if err := m.LoadWeights(path, FromPyTorch(like.modules...)); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		x, err := NewTensor(appendNarrow(nil, c.X), c.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		y := m.Forward(x)
		if e := far(y.Data(), c.Y, 1); e > 1e-5 {
			t.Errorf("%s: the output is off by %.2g", c.Name, e)
		}
		if c.Name != "dense" {
			continue
		}
		for _, bad := range []struct {
			model   *Model
			modules []string
			want    string
		}{
			{likeDense(), []string{"0"}, "FromPyTorch names 1 module, but the model has 2 layers with parameters"},
			{likeDense(), []string{"0", "1"}, "it lacks 1.weight (2, 3), 1.bias (2); the model has no 2.bias, 2.weight"},
			{Sequential(Input(4), Dense(3)), nil, "the file has the modules 0, 2, and the model the layers dense_1: name their modules"},
			{Sequential(Input(4), &scaledLayer{}, Dense(3)), nil, `FromPyTorch does not know the layer "scaledlayer_1"`},
		} {
			if err := bad.model.LoadWeights(path, FromPyTorch(bad.modules...)); err == nil || !strings.Contains(err.Error(), bad.want) {
				t.Errorf("%v does not say %q", err, bad.want)
			}
		}
		if err := likeDense().LoadWeights(path); err == nil || !strings.Contains(err.Error(), "for which there is nnkit.FromPyTorch") {
			t.Errorf("%v does not name FromPyTorch", err)
		}
	}
}

// Whatever file of weights is given, the model takes all of it or stays as it is.
func FuzzLoadWeights(f *testing.F) {
	var cases []struct {
		Name string
		File []byte
	}
	if err := json.Unmarshal(weightsReference, &cases); err != nil {
		f.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(weightsLikePyTorch))
	for _, c := range cases {
		f.Add(c.File, uint8(slices.Index(names, c.Name)), uint8(2))
	}
	own := likeDense()
	path := filepath.Join(f.TempDir(), "own.safetensors")
	if err := own.SaveWeights(path); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, uint8(slices.Index(names, "dense")), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, model, how uint8) {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		like := weightsLikePyTorch[names[int(model)%len(names)]]
		options := [][]LoadOption{nil, {FromPyTorch()}, {FromPyTorch(like.modules...)}}[how%3]
		m := like.model()
		m.draw()
		var before []float32
		for _, p := range m.kept() {
			before = append(before, p.leaf.data...)
		}
		if m.LoadWeights(path, options...) == nil {
			return
		}
		for _, p := range m.kept() {
			for i, v := range p.leaf.data {
				if math.Float32bits(v) != math.Float32bits(before[i]) {
					t.Fatalf("%s has changed with an error", p.name)
				}
			}
			before = before[len(p.leaf.data):]
		}
	})
}
