package nnkit

import (
	"context"
	"math"
	"strings"
	"testing"
)

// What a beginner gets wrong is answered by one sentence that says where, what and what to write instead.
func TestErrors(t *testing.T) {
	x := [][]float64{{1, 2}, {3, 4}, {5, 6}, {7, 8}}
	y := []float64{0, 1, 0, 1}
	small := func() *Model { return Sequential(Dense(3, ReLU), Dense(1, Sigmoid)) }
	classes := func() *Model { return Sequential(Dense(3, ReLU), Dense(3, Softmax)) }
	compile := func(m *Model, o Optimizer, l Loss, metrics ...Metric) error { return m.Compile(o, l, metrics...) }
	layers := func(l ...Layer) error { return Sequential(l...).Compile(Adam(), MeanSquaredError) }
	fitModel := func(m *Model, l Loss, x, y any, o ...FitOption) error {
		if err := m.Compile(Adam(), l, Accuracy); err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(x, y, append(o, Verbose(0))...)
		if h != nil {
			t.Errorf("a Fit that never began has a history (its error is %v)", err)
		}
		return err
	}
	fit := func(x, y any, o ...FitOption) error { return fitModel(small(), BinaryCrossEntropy, x, y, o...) }
	trained := func() *Model {
		m := small()
		if err := m.Compile(Adam(), BinaryCrossEntropy); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Fit(x, y, Verbose(0)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	predict := func(m *Model, x any) error { _, err := m.Predict(x); return err }
	evaluate := func(m *Model, x, y any) error { _, err := m.Evaluate(x, y); return err }
	var noContext context.Context
	shared := Dense(1)
	Sequential(shared)

	for _, test := range []struct {
		err  error
		want string
	}{
		// Layers.
		{layers(), "Sequential: there are no layers: give it at least one, Dense(1, nnkit.Sigmoid) for example"},
		{layers(nil), "Sequential: layer 1 is nil"},
		{layers(Dense(4), Dense(0)), "Sequential: layer 2: Dense(0, …): the number of units must be at least 1"},
		{layers(Dense(1, Softmax)), "softmax over one unit is always 1; for yes or no write Dense(1, Sigmoid)"},
		{layers(Dense(1, nil)), "Dense(1, …): option 1 is nil"},
		{layers(Dense(1, KernelInitializer(nil))), "KernelInitializer(nil): name one"},
		{layers(Dense(1, Name("a/b"))), `Name("a/b"): a layer's name must not be empty nor contain a slash`},
		{layers(Dense(1, Name("a")), Dense(1, Name("a"))), `two layers are named "a": give one another name, nnkit.Name("a_b")`},
		{layers(Dense(1), Input(3)), "Input is argument 2, but it can only come first"},
		{layers(Input(0), Dense(1)), "Input(0): the number of features must be at least 1"},
		{layers(shared), `layer "dense_1" is part of another model: make each layer by a call of its own, or give that model as a layer`},

		// Compile.
		{compile(small(), nil, BinaryCrossEntropy), "Compile: the optimizer is missing: write nnkit.Adam() for example"},
		{compile(small(), Adam(), nil), "Compile: the loss is missing: write nnkit.BinaryCrossEntropy for yes or no"},
		{compile(small(), Adam(), BinaryCrossEntropy, nil), "Compile: metric 1 is nil"},
		{compile(small(), Adam(), BinaryCrossEntropy, Accuracy, Accuracy), "Compile: the metric accuracy is given twice"},
		{compile(small(), Adam(LearningRate(-1)), BinaryCrossEntropy), "Compile: Adam(LearningRate(-1)): it must be a number above 0"},
		{compile(small(), Adam(LearningRate(math.NaN())), BinaryCrossEntropy), "Adam(LearningRate(NaN)): it must be a number above 0"},
		{compile(small(), Adam(Beta1(1)), BinaryCrossEntropy), "Adam(Beta1(1)): it must be at least 0 and below 1"},
		{compile(small(), SGD(Momentum(2)), BinaryCrossEntropy), "SGD(Momentum(2)): it must be at least 0 and below 1"},
		{compile(small(), SGD(Nesterov()), BinaryCrossEntropy), "SGD(Nesterov()): it wants a momentum: write SGD(nnkit.Momentum(0.9), nnkit.Nesterov())"},
		{compile(small(), AdaGrad(InitialAccumulator(-1)), BinaryCrossEntropy), "AdaGrad(InitialAccumulator(-1)): it must be a number of at least 0"},
		{
			compile(Sequential(Dense(2, ReLU)), Adam(), BinaryCrossEntropy),
			`Compile: BinaryCrossEntropy wants outputs between 0 and 1, but dense layer "dense_1" (layer 1) ends in relu: write Dense(2, nnkit.Sigmoid)`,
		},
		{
			compile(Sequential(Dense(3, Sigmoid)), Adam(), SparseCategoricalCrossEntropy),
			`SparseCategoricalCrossEntropy wants probabilities of classes, but dense layer "dense_1" (layer 1) ends in sigmoid: write Dense(3, nnkit.Softmax)`,
		},
		{
			compile(small(), Adam(), CategoricalCrossEntropy),
			`CategoricalCrossEntropy wants an output for each class, but dense layer "dense_2" (layer 2) has one: write Dense(classes, nnkit.Softmax), or for yes or no nnkit.BinaryCrossEntropy`,
		},

		// Data.
		{predict(small(), x), "Predict: the model has seen no data yet and does not know its number of inputs: Fit it first, or begin it with nnkit.Input(features)"},
		{func() error { _, err := small().Fit(x, y); return err }(), "Fit: the model is not compiled: write model.Compile(nnkit.Adam()"},
		{evaluate(small(), x, y), "Evaluate: the model is not compiled"},
		{fit(x, y[:3]), "Fit: x has 4 rows and y 3; they must agree"},
		{fit(nil, y), "Fit: x is nil: give it numbers, as [][]float64 for example"},
		{fit("x", y), "Fit: x is a string, which holds no rows of numbers: use [][]float64, []float64, []int, a gonum matrix or a *nnkit.Tensor"},
		{fit([][]string{{"a"}}, y), "Fit: x is a [][]string, which holds no rows of numbers"},
		{fit([][]float64{}, y), "Fit: x is empty: there must be at least one row with at least one number"},
		{fit([][]float64{{1, 2}, {3}}, y), "Fit: row 1 of x has 1 number and row 0 has 2: all rows must have the same length"},
		{fit([][]float64{{1, 2}, {3, math.NaN()}}, y), "Fit: x is NaN (not a number) at row 1, column 1 (both counted from 0): remove the row or put a number there"},
		{fit([][]float64{{1, 2}, {3, 1e39}}, y), "Fit: x is infinite (or too large for a float32) at row 1, column 1"},
		{fit(x, []float64{0, math.Inf(1), 0, 0}), "Fit: y is infinite (or too large for a float32) at row 1 (counted from 0)"},
		{fit([2][2][2]int{}, y[:2]), `Fit: y has the shape (2, 1), but dense layer "dense_2" (layer 2) puts out the shape (2, 2, 1): they must agree`},
		{fit(x, [][]float64{{0, 1}, {1, 0}, {0, 1}, {1, 0}}), `Fit: y has 2 numbers a row, but dense layer "dense_2" (layer 2) has 1 output: they must agree`},
		{fit(x, []int{0, 1, 2, 1}), `Fit: y is 2 at row 2, but BinaryCrossEntropy wants numbers from 0 to 1: for classes write Dense(3, nnkit.Softmax) and nnkit.SparseCategoricalCrossEntropy`},
		{fitModel(Sequential(Reshape(2, 1, 1), Conv2D(3, 1), Dense(1, Sigmoid)), BinaryCrossEntropy, x, y), `puts out the shape (4, 2, 1, 1): they must agree, for which Flatten or a global pooling comes before it`},
		{fitModel(Sequential(Conv2D(3, 1), Dense(1, Sigmoid)), BinaryCrossEntropy, x, y), `wants (height, width, channels): of 2 numbers Reshape(height, width, channels) makes an image`},
		{fitModel(Sequential(Reshape(3, 3), Dense(1, Sigmoid)), BinaryCrossEntropy, x, y), `the shape (1, 2) has 2 numbers and (1, 3, 3) would have 9: sizes must multiply to as many`},
		{predict(trained(), [][]float64{{1, 2, 3}}), `Predict: x has the shape (1, 3), but dense layer "dense_1" (layer 1) wants 2 numbers a row`},
		{predict(trained(), []float64{1, 2, 3}), `Predict: x has the shape (1, 3), but dense layer "dense_1" (layer 1) wants 2 numbers a row`},
		{evaluate(trained(), x[:2], y), "Evaluate: x has 2 rows and y 4; they must agree"},
		{fitModel(classes(), SparseCategoricalCrossEntropy, x, []int{1, 2, 3, 1}), "Fit: labels go from 1 to 3, but 3 classes are numbered 0 to 2: subtract 1"},
		{fitModel(classes(), SparseCategoricalCrossEntropy, x, []int{0, 7, 3, 1}), `Fit: labels go from 0 to 7, but the 3 outputs of dense layer "dense_2" (layer 2) are the classes 0 to 2: give it an output for each class, Dense(8, nnkit.Softmax)`},
		{fitModel(classes(), SparseCategoricalCrossEntropy, x, []int{-1, 1, 0, 1}), `labels go from -1 to 1, but classes are numbered from 0 on: add 1`},
		{fitModel(classes(), SparseCategoricalCrossEntropy, x, []float64{0.5, 1, 0, 1}), "Fit: y is 0.5 at row 0, but a class number is a whole number from 0 to 2"},
		{fitModel(classes(), SparseCategoricalCrossEntropy, x, [][]int{{1, 0, 0}, {1, 0, 0}, {1, 0, 0}, {1, 0, 0}}), "y has 3 numbers a row, but SparseCategoricalCrossEntropy wants one, the class number: for one-hot rows use nnkit.CategoricalCrossEntropy"},
		{fitModel(classes(), CategoricalCrossEntropy, x, []int{0, 1, 0, 1}), "y has one number a row, but CategoricalCrossEntropy wants 3, one for each class: for class numbers use nnkit.SparseCategoricalCrossEntropy"},
		{fitModel(classes(), CategoricalCrossEntropy, x[:1], [][]int{{1, 1, 0}}), "row 0 of y sums to 2, but CategoricalCrossEntropy wants probabilities that sum to 1"},

		// Options.
		{fit(x, y, nil), "Fit: option 1 is nil"},
		{fit(x, y, Epochs(0)), "Fit: Epochs(0): it must be at least 1"},
		{fit(x, y, BatchSize(0)), "Fit: BatchSize(0): it must be at least 1; for all rows write FullBatch()"},
		{fit(x, y, BatchSize(64)), "Fit: BatchSize(64) is more than the 4 training rows: write FullBatch(), or a smaller number"},
		{fit(x, y, ValidationSplit(1)), "Fit: ValidationSplit(1): it must be at least 0 and below 1, 0.2 for a fifth of the rows"},
		{fit(x, y, ValidationSplit(0.9)), "Fit: ValidationSplit(0.9) of 4 rows leaves 0 to train on and 4 to validate by: both need at least one"},
		{fit(x, y, ValidationSplit(0.5), ValidationData(x, y)), "Fit: ValidationSplit and ValidationData are both given: choose one"},
		{fit(x, y, ValidationData(x, y[:1])), "Fit: ValidationData's x has 4 rows and ValidationData's y 1; they must agree"},
		{fit(x, y, ValidationData([]int{1}, []int{1})), `Fit: ValidationData's x has the shape (1, 1), but dense layer "dense_1" (layer 1) wants 2 numbers a row`},
		{fit(x, y, ValidationData(x, []int{0, 0, 5, 0})), "Fit: ValidationData's y is 5 at row 2"},
		{fit(x, y, Callbacks(nil)), "Fit: callback 1 is nil"},
		{fit(x, y, BaseCallback{}, notPointer{}), "Fit: option 2 is a nnkit.notPointer, which embeds BaseCallback but is no Callback: give a pointer to it"},
		{fit(x, y, Context(noContext)), "Fit: Context(nil): leave the option out"},
	} {
		if test.err == nil {
			t.Errorf("there is no error, want %q", test.want)
			continue
		}
		got := test.err.Error()
		if !strings.Contains(got, test.want) {
			t.Errorf("the error is\n\t%s\nwant\n\t%s", got, test.want)
		}
		if strings.Contains(got, "\n") || strings.HasSuffix(got, ".") {
			t.Errorf("the error is not one sentence without a full stop: %q", got)
		}
	}
}

// notPointer hides an event by one with other arguments.
type notPointer struct{ BaseCallback }

func (notPointer) EpochEnd(int) {}

// A model that failed to compile says the true reason later on, too.
func TestErrorsStay(t *testing.T) {
	m := Sequential(Dense(-1))
	_, fitErr := m.Fit([]int{1}, []int{1})
	_, predictErr := m.Predict([]int{1})
	for _, err := range []error{m.Compile(Adam(), MeanSquaredError), fitErr, predictErr, m.Reset(1)} {
		if err == nil || !strings.Contains(err.Error(), "Dense(-1, …)") {
			t.Errorf("the error is %v", err)
		}
	}
	if s := m.String(); !strings.Contains(s, "not usable") || !strings.Contains(m.HTML(), "not usable") {
		t.Errorf("the summary does not say that the model is not usable:\n%s", s)
	}
}

func TestNilsShowThemselves(t *testing.T) {
	var m *Model
	var h *History
	var x *Tensor
	for _, s := range []string{m.String(), h.String(), x.String()} {
		if s != "<nil>" {
			t.Errorf("nil is shown as %q", s)
		}
	}
	for _, s := range []string{m.HTML(), h.HTML(), h.MIMEBundle()["text/html"].(string)} {
		if s != "&lt;nil&gt;" {
			t.Errorf("nil is shown as %q", s)
		}
	}
}

// expectError wants an error of one sentence that contains a text, or none.
func expectError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case err == nil && want != "":
		t.Errorf("there is no error, want %q", want)
	case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
		t.Errorf("the error is\n\t%v\nwant\n\t%s", err, want)
	case err != nil && (strings.Contains(err.Error(), "\n") || strings.HasSuffix(err.Error(), ".")):
		t.Errorf("the error is not one sentence without a full stop: %q", err)
	}
}
