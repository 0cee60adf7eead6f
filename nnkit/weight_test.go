package nnkit

import (
	"fmt"
	"math"
	"testing"
)

// Weights of classes are those of their rows, and a weight of 2 is a row that is there twice, but for the mean.
func TestClassWeight(t *testing.T) {
	x, y := blobs(60, 4, 3)
	byHand := make([]float64, len(y))
	weights := map[int]float64{0: 0.5, 1: 2, 2: 0}
	for i, class := range y {
		byHand[i] = weights[class]
	}
	numbers := make([]float64, len(y))
	for i, class := range y {
		numbers[i] = float64(class)
	}
	model := func() *Model { return Sequential(Dense(5, Tanh), Dense(3, Softmax)) }
	want := hash(t, train(t, model(), SparseCategoricalCrossEntropy, x, y, SampleWeight(byHand), Epochs(3), BatchSize(7)))
	if got := hash(t, train(t, model(), SparseCategoricalCrossEntropy, x, y, ClassWeight(weights), Epochs(3), BatchSize(7))); got != want {
		t.Error("weights of classes give other numbers than the same ones of rows")
	}
	h := train(t, model(), CategoricalCrossEntropy, x, oneHot(numbers, 3), ClassWeight(weights), Epochs(3), BatchSize(7))
	s := train(t, model(), SparseCategoricalCrossEntropy, x, y, ClassWeight(weights), Epochs(3), BatchSize(7))
	if math.Abs(h.Last("loss")-s.Last("loss")) > 1e-6 {
		t.Errorf("one-hot rows have the loss %v, class numbers %v", h.Last("loss"), s.Last("loss"))
	}

	// A row of weight 2 counts as two, and one of weight 0 as none.
	var twice [][]float64
	var yTwice []int
	for i := range 40 {
		for range i % 3 {
			twice, yTwice = append(twice, x[i]), append(yTwice, y[i])
		}
	}
	counts := make([]float64, 40)
	for i := range counts {
		counts[i] = float64(i % 3)
	}
	m := h.Model
	a, err := m.Evaluate(x[:40], oneHot(numbers[:40], 3), SampleWeight(counts))
	if err != nil {
		t.Fatal(err)
	}
	numbersTwice := make([]float64, len(yTwice))
	for i, v := range yTwice {
		numbersTwice[i] = float64(v)
	}
	b, err := m.Evaluate(twice, oneHot(numbersTwice, 3))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Value("loss")*40, b.Value("loss")*float64(len(twice)); math.Abs(got-want) > 1e-9*want {
		t.Errorf("weighted rows add up to %v, repeated ones to %v", got, want)
	}
}

// Rows are weighted wherever shuffling puts them, and those of a split keep their weights.
func TestSampleWeightOfValidation(t *testing.T) {
	x, y := blobs(50, 4, 2)
	weights := make([]float64, 50)
	for i := range weights {
		weights[i] = float64(i % 4)
	}
	m := Sequential(Dense(1, Sigmoid))
	h := train(t, m, BinaryCrossEntropy, x, y, SampleWeight(weights), ClassWeight(map[int]float64{0: 1, 1: 3}), ValidationSplit(0.4))
	scores, err := m.Evaluate(x[30:], y[30:], SampleWeight(weights[30:]))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Last("val_loss"), scores.Value("loss"); got != want {
		t.Errorf("val_loss is %v, want %v", got, want)
	}
	plain, err := m.Evaluate(x[30:], y[30:])
	if err != nil {
		t.Fatal(err)
	}
	if plain.Value("loss") == scores.Value("loss") || plain.Value("accuracy") != scores.Value("accuracy") {
		t.Errorf("without weights the scores are %v, with them %v", plain, scores)
	}
	classes, err := m.Evaluate(x, y, ClassWeight(map[int]float64{0: 2, 1: 2}))
	if err != nil {
		t.Fatal(err)
	}
	all, err := m.Evaluate(x, y)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := classes.Value("loss"), 2*all.Value("loss"); math.Abs(got-want) > 1e-12 {
		t.Errorf("with weights of 2 the loss is %v, want %v", got, want)
	}
}

// A loss of one's own is weighted as the built-in one is.
func TestWeightsOfLossFunc(t *testing.T) {
	x, _ := blobs(30, 4, 2)
	y, weights := make([]float64, 30), make([]float64, 30)
	for i, row := range x {
		y[i], weights[i] = row[0], float64(i%3)
	}
	a := train(t, Sequential(Dense(3, Tanh), Dense(1)), LossFunc("squared", squared), x, y, SampleWeight(weights), Epochs(4))
	b := train(t, Sequential(Dense(3, Tanh), Dense(1)), MeanSquaredError, x, y, SampleWeight(weights), Epochs(4))
	if math.Abs(a.Last("loss")-b.Last("loss")) > 1e-5 {
		t.Errorf("the loss is %v, the built-in one's %v", a.Last("loss"), b.Last("loss"))
	}
	m := Sequential(Dense(1))
	if err := m.Compile(Adam(), LossFunc("mean", func(p, y *Tensor) *Tensor { return p.Sub(y).Square().Mean() })); err != nil {
		t.Fatal(err)
	}
	_, err := m.Fit(x, y, SampleWeight(weights), FullBatch(), Verbose(0))
	expectError(t, err, "Fit: LossFunc mean: the function has returned the shape (), which cannot be weighted: let it return numbers for each of the 30 rows, without Mean or Sum over them")
}

func TestWeightErrors(t *testing.T) {
	x := [][]float64{{1, 2}, {3, 4}, {5, 6}}
	y := []int{0, 1, 1}
	run := func(y any, loss Loss, last Layer, o ...FitOption) error {
		m := Sequential(last)
		if err := m.Compile(Adam(), loss); err != nil {
			t.Fatal(err)
		}
		_, err := m.Fit(x, y, append(o, Verbose(0))...)
		return err
	}
	yes := func(o ...FitOption) error { return run(y, BinaryCrossEntropy, Dense(1, Sigmoid), o...) }
	three := func(o ...FitOption) error { return run(y, SparseCategoricalCrossEntropy, Dense(3, Softmax), o...) }
	type weights = map[int]float64
	for _, test := range []struct {
		err  error
		want string
	}{
		{yes(SampleWeight([]float64{1, 2})), "Fit: SampleWeight has 2 numbers for 3 rows: give one for each row"},
		{yes(SampleWeight(nil)), "Fit: SampleWeight has 0 numbers for 3 rows: give one for each row"},
		{yes(SampleWeight([]float64{1, -2, 0})), "Fit: SampleWeight is -2 at 1 (counted from 0): a weight is a number of at least 0"},
		{yes(SampleWeight([]float64{1, math.NaN(), 0})), "SampleWeight is NaN at 1 (counted from 0)"},
		{yes(SampleWeight([]float64{1, math.Inf(1), 0})), "SampleWeight is +Inf at 1 (counted from 0)"},
		{yes(SampleWeight([]float64{0, 0, 0})), "Fit: all weights are 0: nothing would count"},
		{yes(ClassWeight(weights{0: 1})), "Fit: ClassWeight has no weight for class 1, which y holds 2 times: add 1: 1 to leave it as it is"},
		{yes(ClassWeight(nil)), "Fit: ClassWeight has no weight for class 0, which y holds 1 time"},
		{yes(ClassWeight(weights{0: 1, 1: -1})), "Fit: ClassWeight is -1 for class 1: a weight is a number of at least 0"},
		{yes(ClassWeight(weights{0: math.NaN(), 1: 1})), "Fit: ClassWeight is NaN for class 0"},
		{yes(ClassWeight(weights{0: 1, 1: 1, 2: 1})), `Fit: ClassWeight has a weight for class 2, but dense layer "dense_1" (layer 1) has the classes 0 to 1`},
		{three(ClassWeight(weights{0: 1, 1: 1, 3: 1})), `ClassWeight has a weight for class 3, but dense layer "dense_1" (layer 1) has the classes 0 to 2`},
		{three(ClassWeight(weights{0: 1, 1: 1})), ""},
		{run([]float64{0.5, 1, 0}, BinaryCrossEntropy, Dense(1, Sigmoid), ClassWeight(weights{0: 1, 1: 2})), "Fit: ClassWeight finds no classes in y: it is 0.5 at place 0, and not a class number"},
		{run(x, MeanSquaredError, Dense(2), ClassWeight(weights{0: 1, 1: 2})), ""},
		{run([][]int{{0, 1}, {1, 1}, {0, 0}}, BinaryCrossEntropy, Dense(2, Sigmoid), ClassWeight(weights{0: 1, 1: 2})), `Fit: ClassWeight wants one class for each row, but dense layer "dense_1" (layer 1) answers 2 questions at once: use nnkit.SampleWeight`},
		{run([]int{-1, 1, -1}, Hinge, Dense(1), ClassWeight(weights{-1: 1, 1: 2})), ""},
		{run(x, LossFunc("own", func(p, y *Tensor) *Tensor { return p.Square() }), Dense(3), ClassWeight(weights{0: 1, 1: 2})), "ClassWeight finds no classes in y, which has 2 numbers a row: use nnkit.SampleWeight"},
		{func() error {
			_, err := Sequential(Dense(1)).Evaluate(x, y, nil)
			return err
		}(), "Evaluate: the model is not compiled"},
	} {
		expectError(t, test.err, test.want)
	}
}

func ExampleClassWeight() {
	x, y := [][]float64{{0}, {1}, {2}, {3}, {4}}, []int{0, 0, 0, 0, 1}
	model := Sequential(Dense(1, Sigmoid))
	err := model.Compile(Adam(LearningRate(0.1)), BinaryCrossEntropy, Accuracy)
	fmt.Println(err)
	history, err := model.Fit(x, y, Epochs(1000), ClassWeight(map[int]float64{0: 1, 1: 4}), Verbose(0))
	fmt.Println(history.Last("accuracy"), err)
	// Output:
	// <nil>
	// 1 <nil>
}

// One-hot rows of class numbers.
func oneHot(y []float64, classes int) [][]float64 {
	rows := make([][]float64, len(y))
	for i, v := range y {
		rows[i] = make([]float64, classes)
		rows[i][int(v)] = 1
	}
	return rows
}
