package nnkit

import (
	_ "embed"
	"encoding/json"
	"math"
	"slices"
	"testing"
)

//go:embed testdata/graphs.json
var graphsReference []byte

type graphsCases struct {
	Layers    []layerCase
	Trainings []struct {
		Name                             string
		Shapes                           [][]int
		Inputs, Truth, Parameters, After [][]float64
		Losses                           []float64
	}
}

// Layers behind a mask have PyTorch's outputs and gradients.
func TestMaskedLayersAgreeWithPyTorch(t *testing.T) {
	var cases graphsCases
	if err := json.Unmarshal(graphsReference, &cases); err != nil {
		t.Fatal(err)
	}
	recurrent := func(make func(int, ...RecurrentOption) Layer) func(...RecurrentOption) Layer {
		return func(o ...RecurrentOption) Layer { return make(4, o...) }
	}
	rnn := func(o ...RecurrentOption) Layer {
		var options []RNNOption
		for _, option := range o {
			options = append(options, option.(RNNOption))
		}
		return SimpleRNN(4, options...)
	}
	layers := map[string]Layer{
		"attention": MultiHeadAttention(2, 3), "transformer encoder": TransformerEncoder(2, 10),
		"batch normalization": BatchNormalization(), "global average pooling": GlobalAveragePooling1D(), "global max pooling": GlobalMaxPooling1D(),
	}
	for name, make := range map[string]func(...RecurrentOption) Layer{"lstm": recurrent(LSTM), "gru": recurrent(GRU), "rnn": rnn} {
		layers[name], layers[name+" sequences"] = make(), make(ReturnSequences())
		layers[name+" backwards"], layers[name+" sequences backwards"] = make(GoBackwards()), make(ReturnSequences(), GoBackwards())
	}
	for _, c := range cases.Layers {
		layer := layers[c.Name]
		if layer == nil {
			t.Fatalf("there is no layer for %s", c.Name)
		}
		delete(layers, c.Name)
		c.compare(t, Sequential(Input(c.Shape...), Masking(-9), layer))
	}
	if len(layers) > 0 {
		t.Errorf("there is no reference for %v", layers)
	}
}

// Losses and parameters of 20 steps are PyTorch's: of a network that branches, and of one whose steps count in part.
func TestGraphsTrainAsPyTorch(t *testing.T) {
	var cases graphsCases
	if err := json.Unmarshal(graphsReference, &cases); err != nil {
		t.Fatal(err)
	}
	models := map[string]func() (*Model, Objective){
		"branched": func() (*Model, Objective) {
			x, z := Input(4), Input(3)
			w, shared := z.To(Dense(4, Tanh)), Dense(4, ReLU)
			h, g := x.To(shared), w.To(shared)
			trunk := Concatenate(Add(x, h, g), Multiply(h, g), Subtract(h, g), Average(h, w)).To(Dense(5, Tanh))
			m := Functional(Inputs(x, z), Outputs(trunk.To(Dense(1)).Named("cost"), trunk.To(Dense(3, Softmax)).Named("class")))
			return m, Losses{"cost": LossWeight(MeanSquaredError, 0.3), "class": SparseCategoricalCrossEntropy}
		},
		"tagged": func() (*Model, Objective) {
			return Sequential(Input(4), Embedding(6, 3, MaskZero()), GRU(4, ReturnSequences()), Dense(3, Softmax)), SparseCategoricalCrossEntropy
		},
	}
	for _, c := range cases.Trainings {
		m, loss := models[c.Name]()
		if err := m.Compile(SGD(LearningRate(0.05), Momentum(0.9)), loss); err != nil {
			t.Fatal(err)
		}
		for i, p := range m.Parameters() {
			copy(p.Data(), appendNarrow(nil, c.Parameters[i]))
		}
		var x, y []*Tensor
		for i, values := range c.Inputs {
			x = append(x, must(NewTensor(appendNarrow(nil, values), c.Shapes[i]...))(t))
		}
		rows := c.Shapes[0][0]
		for _, values := range c.Truth {
			y = append(y, must(NewTensor(appendNarrow(nil, values), rows, len(values)/rows))(t))
		}
		h, err := m.Fit(x, y, Epochs(20), FullBatch(), Shuffle(false), Verbose(0))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Losses {
			if got := h.Series("loss")[i]; math.Abs(got-want) > 1e-5*max(1, want) {
				t.Errorf("%s: the loss of step %d is %v and not %v", c.Name, i+1, got, want)
			}
		}
		for i, p := range m.Parameters() {
			if e := far(p.Data(), c.After[i], 1); e > 1e-5 {
				t.Errorf("%s: %s is off by %.2g", c.Name, p.Name(), e)
			}
		}
	}
}

// Losses, metrics and weights count the steps that a mask leaves, and nothing else; how the rows are batched is no matter.
func TestMasksCount(t *testing.T) {
	x := [][]float64{{1, 2, 0, 0}, {3, 1, 2, 4}, {2, 0, 0, 0}, {0, 0, 0, 0}}
	y := [][]float64{{0, 1, 2, 2}, {2, 0, 1, 1}, {1, 2, 2, 2}, {0, 0, 0, 0}}
	weights := []float64{1, 2, 5, 5, 3, 1, 1, 2, 4, 9, 9, 9, 9, 9, 9, 9}
	metrics := []Metric{Accuracy, Precision(), AUC(), TopKAccuracy(2), MetricFunc("places", func(p, _ *Tensor) *Tensor { return p.SumAxis(-1) })}
	own := LossFunc("own", func(p, y *Tensor) *Tensor {
		return p.Sub(y.Reshape(p.Shape()[0], -1, 1)).Square()
	})
	for _, loss := range []Loss{SparseCategoricalCrossEntropy, own} {
		m := Sequential(Input(4), Embedding(5, 4, MaskZero()), Dense(3, Softmax))
		if loss == own {
			metrics = []Metric{SparseCategoricalCrossEntropy}
		}
		if err := m.Compile(SGD(LearningRate(0.1)), loss, metrics...); err != nil {
			t.Fatal(err)
		}
		// The same steps without the others, each a row.
		flat := Sequential(Input(1), Embedding(5, 4), Dense(3, Softmax))
		if err := flat.Compile(SGD(LearningRate(0.1)), loss, metrics...); err != nil {
			t.Fatal(err)
		}
		for i, p := range m.Parameters() {
			copy(flat.Parameters()[i].Data(), p.Data())
		}
		var words, tags [][]float64
		var own []float64
		for r, row := range x {
			for s, word := range row {
				if word != 0 {
					words, tags, own = append(words, []float64{word}), append(tags, []float64{y[r][s]}), append(own, weights[r*4+s])
				}
			}
		}
		for _, batch := range []int{1, 2, 4} {
			for _, weighted := range []bool{false, true} {
				var with, without []EvaluateOption
				if weighted {
					with, without = append(with, SampleWeight(weights)), append(without, SampleWeight(own))
				}
				got, err := m.Evaluate(x[:batch], y[:batch], clip(with, batch)...)
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, row := range x[:batch] {
					for _, word := range row {
						if word != 0 {
							n++
						}
					}
				}
				if weighted {
					without = []EvaluateOption{SampleWeight(own[:n])}
				}
				want, err := flat.Evaluate(words[:n], tags[:n], without...)
				if err != nil {
					t.Fatal(err)
				}
				for name, v := range want.All() {
					if math.Abs(got.Value(name)-v) > 1e-6 {
						t.Errorf("%s: %s of %d rows is %v and not %v", loss, name, batch, got.Value(name), v)
					}
				}
			}
		}
		if _, err := m.Fit(x, y, FullBatch(), Epochs(5), Verbose(0), SampleWeight(weights)); err != nil {
			t.Fatal(err)
		}
		if _, err := flat.Fit(words, tags, FullBatch(), Epochs(5), Verbose(0), Shuffle(false), SampleWeight(own)); err != nil {
			t.Fatal(err)
		}
		for i, p := range m.Parameters() {
			if e := far(p.Data(), widen(flat.Parameters()[i].Data()), 1); e > 1e-5 {
				t.Errorf("%s: %s is off by %.2g", loss, p.Name(), e)
			}
		}
	}
}

// clip is the weights of the first rows.
func clip(options []EvaluateOption, rows int) []EvaluateOption {
	var list []EvaluateOption
	for _, o := range options {
		list = append(list, SampleWeight(o.weights().samples[:4*rows]))
	}
	return list
}

// Masks go where they should, and steps after the first allocate nothing.
func TestMasksGoAlong(t *testing.T) {
	var seen []*Tensor
	look := func(name string) Layer {
		return Lambda(name, func(x *Tensor) *Tensor {
			if x.node != nil && x.node.tape != nil {
				seen = append(seen, x.Mask())
			}
			return x
		})
	}
	in := Input(4, 2)
	masked := in.To(Masking(0), look("masking"))
	more := Input(4, 2)
	other := more.To(Masking(0))
	out := Concatenate(
		masked.To(Dense(3), Dropout(0.5), LayerNormalization(), Residual(Dense(3), look("within")), look("dense")).To(GlobalMaxPooling1D()),
		masked.To(Sequential(LSTM(2, ReturnSequences()), look("model"))).To(Flatten()),
		masked.To(Conv1D(2, 3, SamePadding), look("convolution"), Flatten()),
		Add(masked, other).To(look("sum"), Flatten()), Add(masked, more).To(look("sum with none"), Flatten()),
		Concatenate(masked, other, more).To(look("beside"), Flatten()))
	m := Functional(Inputs(in, more), Outputs(out.To(Dense(1))))
	x := must(NewTensor([]float32{1, 1, 0, 0, 1, 1, 0, 0}, 1, 4, 2))(t)
	z := must(NewTensor([]float32{1, 1, 1, 1, 0, 0, 0, 0}, 1, 4, 2))(t)
	if _, err := m.Predict([]any{x, z}); err != nil {
		t.Fatal(err)
	}
	first := []float32{1, 0, 1, 0}
	for i, want := range [][]float32{first, first, first, first, nil, {1, 1, 1, 0}, nil, {1, 0, 0, 0}} {
		if got := seen[i]; (got == nil) != (want == nil) || got != nil && !slices.Equal(got.Data(), want) {
			t.Errorf("mask %d is %v and not %v", i+1, got, want)
		}
	}

	sequences, classes := zeros([]int{8, 6}), zeros([]int{8, 6})
	for i := range sequences.data {
		sequences.data[i], classes.data[i] = float32(i*7%5), float32(i%3)
	}
	tagger := Sequential(Embedding(5, 4, MaskZero()), TransformerEncoder(2, 8), Bidirectional(LSTM(3, ReturnSequences()), LSTM(3, ReturnSequences(), GoBackwards())), Dense(3, Softmax))
	f := fitOf(t, tagger, 8, Adam(), SparseCategoricalCrossEntropy, sequences, classes, Accuracy, SparseCategoricalCrossEntropy)
	if n := testing.AllocsPerRun(5, func() {
		if err := f.batch(f.order); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}
