package nnkit

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// A network with a regularizer and a constraint on all that can have one goes PyTorch's way.
func TestRegularizersAndConstraintsAgreeWithPyTorch(t *testing.T) {
	n := readOptimizerReference(t).Network
	m := Sequential(
		Input(4),
		Dense(5, ReLU, KernelRegularizer(L1L2(0.01, 0.02)), BiasRegularizer(L2(0.03)), ActivityRegularizer(L1(0.03)),
			KernelConstraint(MaxNorm(1.5)), BiasConstraint(NonNeg)),
		Dense(2, KernelRegularizer(L1(0.02)), ActivityRegularizer(L2(0.01)), KernelConstraint(MinMaxNorm(0.5, 1.2, 0.3)), BiasConstraint(UnitNorm)),
	)
	if err := m.Compile(SGD(LearningRate(0.05)), MeanSquaredError); err != nil {
		t.Fatal(err)
	}
	for i, p := range m.Parameters() {
		copy(p.Data(), appendNarrow(nil, n.Start[i]))
	}
	x, y := mustTensor(t, n.X, 10), mustTensor(t, n.Y, 10)
	before, err := m.Evaluate(x, y)
	if err != nil || math.Abs(before.Value("loss")-n.Losses[0]) > 1e-5*n.Losses[0] {
		t.Errorf("Evaluate has the loss %v, %v; want %v", before.Value("loss"), err, n.Losses[0])
	}
	h, err := m.Fit(x, y, FullBatch(), Epochs(len(n.Losses)), Shuffle(false), Verbose(0), OnBatchEnd(func(s *Training) {
		for i, p := range m.Parameters() {
			if e := far(p.Gradient(), n.Gradients[i], 0.01); s.Epoch == 1 && e > 1e-5 {
				t.Errorf("the gradient of %s is off by %.2g", p.Name(), e)
			}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if e := far(appendNarrow(nil, h.Series("loss")), n.Losses, 0.1); e > 1e-5 {
		t.Errorf("the losses are off by %.2g", e)
	}
	for i, p := range m.Parameters() {
		if e := far(p.Data(), n.End[i], 0.1); e > 1e-5 {
			t.Errorf("%s is off by %.2g", p.Name(), e)
		}
	}
}

// With any activation, loss, and where the last layer's gradient begins before its activation, a regularized gradient is
// that of the loss which is told.
func TestRegularizedGradients(t *testing.T) {
	const h = 1e-3
	for name, layers := range map[string]func() []Layer{
		"sigmoid": func() []Layer {
			return []Layer{Input(5), Dense(4, Tanh, ActivityRegularizer(L2(0.1))), Dense(1, Sigmoid, ActivityRegularizer(L1L2(0.1, 0.2)))}
		},
		"lstm": func() []Layer {
			return []Layer{Input(5), Reshape(5, 1), LSTM(3, RecurrentRegularizer(L2(0.1)), KernelRegularizer(L2(0.05)), BiasRegularizer(L2(0.05)),
				ActivityRegularizer(L2(0.3))), Dense(1, Sigmoid)}
		},
		"conv": func() []Layer {
			return []Layer{Input(5), Reshape(5, 1), Conv1D(3, 2, Tanh, KernelRegularizer(L2(0.1)), ActivityRegularizer(L2(0.1))), Flatten(), Dense(1, Sigmoid)}
		},
		"transposed": func() []Layer {
			return []Layer{Input(5), Reshape(5, 1, 1), Conv2DTranspose(2, 2, Tanh, KernelRegularizer(L2(0.1)), ActivityRegularizer(L2(0.1))), Flatten(), Dense(1, Sigmoid)}
		},
		"bidirectional": func() []Layer {
			return []Layer{Input(5), Reshape(5, 1), Bidirectional(LSTM(2, KernelRegularizer(L2(0.1))), LSTM(2, GoBackwards(), ActivityRegularizer(L2(0.1)),
				RecurrentRegularizer(L2(0.1)))), Dense(1, Sigmoid)}
		},
		"attention": func() []Layer {
			return []Layer{
				Input(4), Reshape(2, 2), MultiHeadAttention(1, 2, KernelRegularizer(L2(0.1)), BiasRegularizer(L2(0.1)), BiasInitializer(Ones)),
				Flatten(), Dense(1, Sigmoid),
			}
		},
		"model within a model": func() []Layer {
			return []Layer{Input(5), Sequential(Dense(4, Tanh, ActivityRegularizer(L2(0.2)), KernelRegularizer(L1L2(0.1, 0.1)))), Dense(1, Sigmoid)}
		},
		"residual": func() []Layer {
			return []Layer{Input(5), Residual(Dense(5, Tanh, ActivityRegularizer(L2(0.2)), KernelRegularizer(L2(0.1)))), Dense(1, Sigmoid)}
		},
	} {
		features := 5
		if name == "attention" {
			features = 4
		}
		x, y := blobs(12, features, 2)
		for _, loss := range []Loss{BinaryCrossEntropy, LossFunc("squared", squared)} {
			m := Sequential(layers()...)
			if err := m.Compile(GradientDescent(LearningRate(1e-30)), loss); err != nil {
				t.Fatal(err)
			}
			history, err := m.Fit(x, y, FullBatch(), Verbose(0))
			if err != nil {
				t.Fatal(err)
			}
			told := func() float64 {
				s, err := m.Evaluate(x, y)
				if err != nil {
					t.Fatal(err)
				}
				return s.Value("loss")
			}
			if got := history.Last("loss"); math.Abs(got-told()) > 1e-6 {
				t.Errorf("%s, %v: Fit has the loss %v, Evaluate %v", name, loss, got, told())
			}
			for _, p := range m.Parameters() {
				for i := range p.Data() {
					at := p.Data()[i]
					p.Data()[i] = at + h
					up := told()
					p.Data()[i] = at - h
					slope := (up - told()) / (2 * h)
					p.Data()[i] = at
					if got := float64(p.Gradient()[i]); math.Abs(got-slope) > 2e-3*max(1, math.Abs(slope)) {
						t.Errorf("%s, %v: the gradient of %s[%d] is %v, want %v", name, loss, p.Name(), i, got, slope)
					}
				}
			}
		}
	}
}

// The loss of an epoch does not depend on how the rows are batched.
func TestRegularizedLossIsExactOverRows(t *testing.T) {
	x, y := blobs(30, 5, 2)
	losses := map[int]float64{}
	for _, batch := range []int{30, 7} {
		m := Sequential(Dense(4, ReLU, ActivityRegularizer(L1(0.1)), KernelRegularizer(L2(0.1))), Dense(1, Sigmoid))
		if err := m.Compile(SGD(LearningRate(1e-30)), BinaryCrossEntropy); err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(x, y, BatchSize(batch), Verbose(0))
		if err != nil {
			t.Fatal(err)
		}
		losses[batch] = h.Last("loss")
	}
	if math.Abs(losses[30]-losses[7]) > 1e-6 {
		t.Errorf("the losses are %v", losses)
	}
}

func TestConstraints(t *testing.T) {
	for _, test := range []struct {
		constraint Constraint
		want       []float32 // of a matrix whose columns are (3, 4) and (0.3, -0.4)
	}{
		{MaxNorm(1), []float32{0.6, 0.3, 0.8, -0.4}},
		{UnitNorm, []float32{0.6, 0.6, 0.8, -0.8}},
		{MinMaxNorm(1, 2, 1), []float32{1.2, 0.6, 1.6, -0.8}},
		{MinMaxNorm(1, 2, 0.5), []float32{2.1, 0.45, 2.8, -0.6}},
		{NonNeg, []float32{3, 0.3, 4, 0}},
	} {
		p := newParameter("p", Zeros, 2, 2)
		copy(p.Data(), []float32{3, 0.3, 4, -0.4})
		test.constraint.apply(p)
		for i, v := range p.Data() {
			if math.Abs(float64(v-test.want[i])) > 1e-6 {
				t.Errorf("%v makes %v, want %v", test.constraint, p.Data(), test.want)
				break
			}
		}
	}
	zero := newParameter("p", Zeros, 2, 2)
	MaxNorm(1).apply(zero)
	if !slices.Equal(zero.Data(), make([]float32, 4)) {
		t.Errorf("MaxNorm makes %v of zeros", zero.Data())
	}
}

func TestLayerWeightOptionErrors(t *testing.T) {
	for _, test := range []struct {
		layer Layer
		want  string
	}{
		{Dense(1, KernelRegularizer(L2(-1))), "KernelRegularizer(L2(-1)): it must be a number of at least 0"},
		{Dense(1, ActivityRegularizer(L1(math.NaN()))), "ActivityRegularizer(L1(NaN)): it must be"},
		{Dense(1, KernelConstraint(nil)), "KernelConstraint(nil): name one"},
		{Dense(1, KernelConstraint(MaxNorm(0))), "MaxNorm(0): the norms must be above 0"},
		{Dense(1, BiasConstraint(MinMaxNorm(0, 1, 2))), "MinMaxNorm(0, 1, 2): the rate must be above 0 and at most 1"},
		{Dense(1, BiasInitializer(nil)), "BiasInitializer(nil): name one"},
		{Dense(1, KernelInitializer(RandomNormal(-1))), "RandomNormal(stddev(-1)): it must be a number above 0"},
		{Dense(1, KernelInitializer(RandomUniform(1, 0))), "RandomUniform(1, 0): the first number must be the smaller"},
		{Dense(1, KernelInitializer(VarianceScaling(0, FanIn, UniformDistribution))), "VarianceScaling(scale(0)): it must be a number above 0"},
		{Dense(1, KernelInitializer(VarianceScaling(1, 7, UniformDistribution))), "the fan is FanIn, FanOut or FanAvg"},
	} {
		err := Sequential(test.layer).Compile(Adam(), MeanSquaredError)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("the error is\n%v\nwant\n%s", err, test.want)
		}
	}
	m := Sequential(Input(6, 1), Conv1D(2, 3, KernelInitializer(Identity(1))))
	if err := m.Compile(Adam(), MeanSquaredError); err == nil || !strings.Contains(err.Error(), "identity is for matrices, but the parameter has the shape (3, 1, 2)") {
		t.Errorf("the error is %v", err)
	}
}

// Where a loss is a mean over the steps of sequences, what outputs add is still their mean over the rows.
func TestActivityRegularizerOfSequences(t *testing.T) {
	x, _ := blobs(6, 4, 2)
	y := zeros([]int{6, 2, 3})
	run := func(options ...DenseOption) (m *Model, losses [2]float64) {
		m = Sequential(Input(4), Reshape(2, 2), Dense(3, options...))
		if err := m.Compile(SGD(LearningRate(1e-30)), MeanSquaredError); err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(x, y, BatchSize(4), Verbose(0))
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Evaluate(x, y)
		if err != nil {
			t.Fatal(err)
		}
		return m, [2]float64{h.Last("loss"), s.Value("loss")}
	}
	m, with := run(ActivityRegularizer(L1(0.5)))
	_, without := run()
	p, err := m.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for _, v := range p.Data() {
		want += 0.5 * math.Abs(float64(v)) / 6
	}
	for i := range with {
		if got := with[i] - without[i]; math.Abs(got-want) > 1e-5 {
			t.Errorf("the outputs add %v, want %v", got, want)
		}
	}
}
