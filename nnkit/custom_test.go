package nnkit

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// plain is a dense layer as a user would write it.
type plain struct {
	BaseLayer
	units        int
	kernel, bias *Parameter
}

func (p *plain) Build(input []int) error {
	p.kernel = p.AddParameter("kernel", GlorotUniform, input[len(input)-1], p.units)
	p.bias = p.AddParameter("bias", Zeros, p.units)
	return nil
}

func (p *plain) Forward(x *Tensor) *Tensor { return x.MatMul(p.kernel.Tensor()).Add(p.bias.Tensor()) }

func swish(x *Tensor) *Tensor { return x.Mul(x.Sigmoid()) }

func squared(p, y *Tensor) *Tensor { return p.Sub(y).Square() }

// Layers and a loss of one's own train as the built-in ones do: a model of them and its twin get the same losses and
// weights, but for rounding.
func TestCustomTwin(t *testing.T) {
	x, _ := blobs(90, 6, 2)
	y := make([]float64, len(x))
	for i, row := range x {
		y[i] = math.Tanh(row[0] - row[1]*row[2])
	}
	own := Sequential(&plain{units: 8}, Lambda("relu", (*Tensor).ReLU), &plain{units: 5}, Lambda("swish", swish), &plain{units: 1})
	twin := Sequential(Dense(8, ReLU), Dense(5), Lambda("swish", swish), Dense(1))
	a := train(t, own, LossFunc("squared", squared), x, y, Epochs(5), ValidationSplit(0.2))
	b := train(t, twin, MeanSquaredError, x, y, Epochs(5), ValidationSplit(0.2))
	for _, name := range []string{"loss", "val_loss", "val_accuracy"} {
		if got, want := a.Last(name), b.Last(name); math.Abs(got-want) > 1e-5 {
			t.Errorf("%s is %v, the twin's %v", name, got, want)
		}
	}
	if a.Last("loss") >= a.Series("loss")[0] {
		t.Error("the loss did not fall")
	}
	for i, p := range own.Parameters() {
		for j, v := range p.Data() {
			if w := twin.Parameters()[i].Data()[j]; math.Abs(float64(v-w)) > 1e-4 {
				t.Fatalf("%s[%d] is %v, the twin's %v", p.Name(), j, v, w)
			}
		}
	}
	want := []string{"plain_1/kernel", "plain_1/bias", "plain_2/kernel", "plain_2/bias", "plain_3/kernel", "plain_3/bias"}
	for i, p := range own.Parameters() {
		if p.Name() != want[i] {
			t.Errorf("parameter %d is named %s, want %s", i, p.Name(), want[i])
		}
	}
}

func TestCustomStepAllocatesNothing(t *testing.T) {
	f := startFit(t, 16, Adam(), LossFunc("squared", squared), 6, &plain{units: 8}, Lambda("swish", swish), &plain{units: 1})
	if n := testing.AllocsPerRun(10, func() {
		if err := f.batch(f.order); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}

func TestCustomErrors(t *testing.T) {
	x, y := [][]float64{{1, 2}, {3, 4}}, []float64{0, 1}
	fit := func(loss Loss, layers ...Layer) error {
		m := Sequential(layers...)
		if err := m.Compile(Adam(), loss); err != nil {
			return err
		}
		_, err := m.Fit(x, y, Verbose(0))
		return err
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{
			fit(MeanSquaredError, Dense(3), Lambda("bad", func(x *Tensor) *Tensor { return x.Add(Vector(1, 2)) }), Dense(1)),
			`Fit: lambda layer "bad" (layer 2): Add: the shapes (1, 3) and (2) do not fit: aligned at their ends, sizes must be equal or 1, and 3 meets 2`,
		},
		{
			fit(MeanSquaredError, Lambda("none", func(*Tensor) *Tensor { return nil }), Dense(1)),
			`Fit: lambda layer "none" (layer 1): has returned nil from Forward`,
		},
		{
			fit(MeanSquaredError, Dense(3), Lambda("all", (*Tensor).Sum), Dense(1)),
			`Fit: lambda layer "all" (layer 2): has made the shape () of one row: the first dimension must go on counting the rows`,
		},
		{fit(MeanSquaredError, Lambda("f", nil)), `Sequential: layer 1: Lambda("f", nil): the function is missing`},
		{fit(LossFunc("l", nil), Dense(1)), `Compile: LossFunc("l", nil): the function is missing`},
		{
			fit(LossFunc("l", func(p, y *Tensor) *Tensor { return p.Sub(Vector(1, 2, 3)).Square() }), Dense(2)),
			`Fit: Sub: the shapes (2, 2) and (3) do not fit: aligned at their ends, sizes must be equal or 1, and 2 meets 3`,
		},
		{
			fit(LossFunc("constant", func(p, y *Tensor) *Tensor { return y.Mean() }), Dense(1)),
			`Fit: the output of dense layer "dense_1" (layer 1), or the loss, does not depend on any parameter: there is nothing to train`,
		},
		{fit(MeanSquaredError, Lambda("same", func(x *Tensor) *Tensor { return x.MeanAxis(1).Reshape(-1, 1) })), `Fit: the output of lambda layer "same" (layer 1), or the loss, does not depend on any parameter: there is nothing to train`},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", test.err, test.want)
		}
	}
}

func ExampleLossFunc() {
	logCosh := LossFunc("log_cosh", func(p, y *Tensor) *Tensor {
		d := p.Sub(y)
		return d.Exp().Add(d.Neg().Exp()).Scale(0.5).Log()
	})
	model := Sequential(Dense(1))
	if err := model.Compile(SGD(LearningRate(0.1)), logCosh); err != nil {
		fmt.Println(err)
	}
	history, err := model.Fit([]float64{0, 1, 2, 3}, []float64{1, 3, 5, 7}, Epochs(300), FullBatch(), Verbose(0))
	fmt.Printf("%.3f %v\n", history.Last("loss"), err)
	// Output: 0.000 <nil>
}

// What a prediction gives up on its way does not show: it has the bits of the forward pass that keeps everything.
func TestInferenceKeepsWhatItNeeds(t *testing.T) {
	x, y := blobs(40, 6, 3)
	// Buffers of one size follow each other, so that one given up too much is taken too soon.
	m := Sequential(Dense(6, Tanh), Dense(6, Softmax), Dense(6, Sigmoid), Lambda("swish", swish), Dense(6, Softmax), Dense(6), Dense(6, Softmax))
	train(t, m, SparseCategoricalCrossEntropy, x, y)
	in, err := TensorOf(x)
	if err != nil {
		t.Fatal(err)
	}
	tape := NewTape()
	all := m.Forward(tape.Watch(in))
	defer simd.Use(simd.Active())
	for _, set := range simd.Sets() {
		simd.Use(set)
		p, err := m.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range all.Data() {
			if p.Data()[i] != v {
				t.Fatalf("with %s number %d is predicted as %v, want %v", set, i, p.Data()[i], v)
			}
		}
	}
}

// An activation of one's own is one like the others, as an option and as a layer.
func TestActivationFunc(t *testing.T) {
	x, y := blobs(60, 4, 2)
	own := ActivationFunc("my_tanh", (*Tensor).Tanh)
	a := train(t, Sequential(Dense(6, own), ActivationLayer(GELU), Dense(1, Sigmoid)), BinaryCrossEntropy, x, y)
	b := train(t, Sequential(Dense(6, Tanh), Lambda("gelu", (*Tensor).GELU), Dense(1, Sigmoid)), BinaryCrossEntropy, x, y)
	if hash(t, a) != hash(t, b) {
		t.Error("the numbers differ")
	}
	if got := a.Model.Layers()[0].Activation; got != "my_tanh" {
		t.Errorf("the layer's activation is %q", got)
	}
	for _, test := range []struct {
		layer Layer
		want  string
	}{
		{Dense(2, ActivationFunc("none", nil)), `Sequential: layer 1: ActivationFunc("none", nil): the function is missing`},
		{ActivationLayer(nil), "Sequential: layer 1: ActivationLayer(nil): name one, nnkit.ReLU for example"},
		{SimpleRNN(2, own), "Sequential: layer 1: SimpleRNN(2, …): the activation must be Tanh, which it is by itself, or ReLU, not my_tanh"},
		{Dropout(1), "Sequential: layer 1: Dropout(1): the rate must be at least 0 and below 1"},
		{GaussianNoise(-1), "Sequential: layer 1: GaussianNoise(-1): the standard deviation must be at least 0"},
		{LayerNormalization(NormEpsilon(0)), "Sequential: layer 1: NormEpsilon(0): it must be a number above 0"},
		{BatchNormalization(MovingMomentum(1)), "Sequential: layer 1: MovingMomentum(1): it must be at least 0 and below 1"},
		{Embedding(0, 3), "Sequential: layer 1: Embedding(0, 3, …): both numbers must be at least 1"},
		{MultiHeadAttention(2, 0), "Sequential: layer 1: MultiHeadAttention(2, 0, …): heads and size must be at least 1"},
		{MultiHeadAttention(2, 2, AttentionDropout(2)), "Sequential: layer 1: AttentionDropout(2): the rate must be at least 0 and below 1"},
		{TransformerEncoder(2, 0), "Sequential: layer 1: TransformerEncoder(2, 0, …): the units must be at least 1"},
		{GroupNormalization(0), "Sequential: layer 1: GroupNormalization(0, …): the number of groups must be at least 1"},
		{Conv2DTranspose(0, 3), "Sequential: layer 1: Conv2DTranspose(0, 3, …): the number of filters must be at least 1"},
		{Conv2DTranspose(4, 3, Groups(2)), "Sequential: layer 1: Conv2DTranspose(4, 3, …): Groups and DilationRate are for Conv2D"},
		{Residual(), "Sequential: layer 1: Residual: there are no layers"},
		{Residual(Dense(0)), "Sequential: layer 1: Residual: layer 1: Dense(0, …): the number of units must be at least 1"},
	} {
		if err := Sequential(test.layer).Compile(Adam(), MeanSquaredError); err == nil || err.Error() != test.want {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", err, test.want)
		}
	}
	for _, test := range []struct {
		layers []Layer
		want   string
	}{
		{[]Layer{Input(5), Residual(Dense(4))}, `residual layer "residual_1" (layer 1): makes rows of shape (4) of rows of shape (5), which cannot be added: the last layer must give back the input's shape`},
		{[]Layer{Input(5, 5), Residual(Conv2D(3, 3))}, `residual layer "residual_1" (layer 1): in "conv2d_1": gets rows of shape (5, 5) and wants (height, width, channels): for a single channel begin with nnkit.Input(5, 5, 1)`},
		{[]Layer{Input(5, 6), TransformerEncoder(4, 8)}, `transformer_encoder layer "transformer_encoder_1" (layer 1): gets rows of shape (5, 6) and wants sequences of shape (steps, features), the features a multiple of its 4 heads`},
		{[]Layer{Input(5, 6), GroupNormalization(4)}, `group_normalization layer "group_normalization_1" (layer 1): cannot cut 6 channels into 4 groups: they must be a multiple of it`},
		{[]Layer{Input(6), MultiHeadAttention(4, 8)}, `multi_head_attention layer "multi_head_attention_1" (layer 1): gets rows of shape (6) and wants sequences of shape (steps, features)`},
	} {
		if err := Sequential(test.layers...).Compile(Adam(), MeanSquaredError); err == nil || err.Error() != test.want {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", err, test.want)
		}
	}
	m := Sequential(Embedding(3, 2), Flatten(), Dense(1))
	if err := m.Compile(Adam(), MeanSquaredError); err != nil {
		t.Fatal(err)
	}
	_, err := m.Fit([][]int{{0, 1}, {2, 3}}, []int{0, 1}, Shuffle(false), Verbose(0))
	if want := `Fit: embedding layer "embedding_1" (layer 1): Embedding: number 3 is 3, but the table has the rows 0 to 2: numbers must be whole, and the table large enough`; err == nil || err.Error() != want {
		t.Errorf("the error is\n\t%v\nwant\n\t%s", err, want)
	}
}
