package nnkit

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// lossReference is what testdata/losses.py, which tells how it is written again, had PyTorch and scikit-learn compute.
type lossReference struct {
	Losses []struct {
		Name, Activation            string
		Width, Rows, Steps          int
		X, Y, Kernel, Bias, Weights []float64
		Loss, Plain                 float64
		Gradients                   [][]float64
	}
	Judgements []judgement
}

// judgement is a model of one layer and what its metrics must be.
type judgement struct {
	Name, Activation   string
	Width, Rows        int
	X, Y, Kernel, Bias []float64
	Values             map[string]float64
}

func readLossReference(t *testing.T) *lossReference {
	t.Helper()
	text, err := os.ReadFile("testdata/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	r := new(lossReference)
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatal(err)
	}
	return r
}

var activationsByName = map[string]Activation{"linear": Linear, "relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh, "softmax": Softmax}

// everyLoss has each loss as it is written, with the activation it is used with.
var everyLoss = map[string]Loss{
	"BinaryCrossEntropy":                                BinaryCrossEntropy,
	"BinaryCrossEntropy.LabelSmoothing(0.2)":            BinaryCrossEntropy.LabelSmoothing(0.2),
	"CategoricalCrossEntropy":                           CategoricalCrossEntropy,
	"CategoricalCrossEntropy.LabelSmoothing(0.1)":       CategoricalCrossEntropy.LabelSmoothing(0.1),
	"SparseCategoricalCrossEntropy":                     SparseCategoricalCrossEntropy,
	"SparseCategoricalCrossEntropy.LabelSmoothing(0.1)": SparseCategoricalCrossEntropy.LabelSmoothing(0.1),
	"KLDivergence":                                      KLDivergence,
	"BinaryFocalCrossEntropy(2)":                        BinaryFocalCrossEntropy(2),
	"BinaryFocalCrossEntropy(0.5)":                      BinaryFocalCrossEntropy(0.5),
	"BinaryFocalCrossEntropy(3)":                        BinaryFocalCrossEntropy(3),
	"CategoricalFocalCrossEntropy(2)":                   CategoricalFocalCrossEntropy(2),
	"CategoricalFocalCrossEntropy(0.5)":                 CategoricalFocalCrossEntropy(0.5),
	"MeanSquaredError":                                  MeanSquaredError,
	"MeanAbsoluteError":                                 MeanAbsoluteError,
	"MeanAbsolutePercentageError":                       MeanAbsolutePercentageError,
	"MeanSquaredLogarithmicError":                       MeanSquaredLogarithmicError,
	"Huber(1)":                                          Huber(1),
	"Huber(0.3)":                                        Huber(0.3),
	"LogCosh":                                           LogCosh,
	"Poisson":                                           Poisson,
	"Hinge":                                             Hinge,
	"SquaredHinge":                                      SquaredHinge,
	"CategoricalHinge":                                  CategoricalHinge,
	"CosineSimilarity":                                  CosineSimilarity,
}

// oneLayer is a model of a dense layer with the given weights.
func oneLayer(t *testing.T, input []int, width int, activation string, kernel, bias []float64, behind ...Layer) *Model {
	t.Helper()
	m := Sequential(append([]Layer{Input(input...), Dense(width, activationsByName[activation])}, behind...)...)
	copy(m.Parameters()[0].Data(), appendNarrow(nil, kernel))
	copy(m.Parameters()[1].Data(), appendNarrow(nil, bias))
	return m
}

func reshaped(t *testing.T, values []float64, shape ...int) *Tensor {
	t.Helper()
	x, err := NewTensor(appendNarrow(nil, values), shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Every loss and its gradient, for rows and for sequences, with and without weights of rows and steps; computed from the
// sums before the activation, and once more from outputs that nobody knows the activation of.
func TestLossesAgreeWithPyTorch(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range readLossReference(t).Losses {
		loss := everyLoss[c.Name]
		if loss == nil {
			t.Errorf("%s is not tested", c.Name)
			continue
		}
		tested[c.Name] = true
		for _, hidden := range []bool{false, true} {
			name := fmt.Sprintf("%s of %s, width %d, steps %d, hidden %v", c.Name, c.Activation, c.Width, c.Steps, hidden)
			places := []int{}
			if c.Steps > 0 {
				places = append(places, c.Steps)
			}
			var behind []Layer
			if hidden {
				behind = append(behind, Lambda("same", func(x *Tensor) *Tensor { return x.Scale(1) }))
			}
			m := oneLayer(t, append(slices.Clone(places), 3), c.Width, c.Activation, c.Kernel, c.Bias, behind...)
			if err := m.Compile(GradientDescent(LearningRate(1e-30)), loss, loss); err != nil {
				t.Fatal(name, err)
			}
			x := reshaped(t, c.X, append(append([]int{c.Rows}, places...), 3)...)
			shape := append([]int{c.Rows}, places...)
			if loss.counts(c.Width, c.Width) != countSparse {
				shape = append(shape, c.Width)
			}
			y := reshaped(t, c.Y, shape...)
			options := []FitOption{FullBatch(), Shuffle(false), Verbose(0), OnBatchEnd(func(s *Training) {
				if math.Abs(s.BatchLoss-c.Loss) > 2e-6*max(1, math.Abs(c.Loss)) {
					t.Errorf("%s: the loss is %v, want %v", name, s.BatchLoss, c.Loss)
				}
				for i, p := range m.Parameters() {
					if e := far(p.Gradient(), c.Gradients[i], 0.05); e > 2e-5 {
						t.Errorf("%s: the gradient of %s is off by %.2g:\n%v\n%v", name, p.Name(), e, p.Gradient(), c.Gradients[i])
					}
				}
			})}
			if len(c.Weights) > 0 {
				options = append(options, SampleWeight(c.Weights))
			}
			if _, err := m.Fit(x, y, options...); err != nil {
				t.Fatal(name, err)
			}
			scores, err := m.Evaluate(x, y)
			if err != nil {
				t.Fatal(name, err)
			}
			want := c.Plain
			if got := scores.Value("loss"); math.Abs(got-want) > 2e-6*max(1, math.Abs(want)) {
				t.Errorf("%s: Evaluate's loss is %v, want %v", name, got, want)
			}
			if loss == CosineSimilarity {
				want = -want
			}
			if got := scores.Value(loss.String()); math.Abs(got-want) > 2e-6*max(1, math.Abs(want)) {
				t.Errorf("%s: as a metric it is %v, want %v", name, got, want)
			}
		}
	}
	for name := range everyLoss {
		if !tested[name] {
			t.Errorf("the reference has no %s", name)
		}
	}
}

// lossWork is a batch to judge, without a model.
func lossWork(loss Loss, activation Activation, rows, places, width int) (*judged, []float32) {
	s := random.Stream{Seed: 9}
	j := &judged{rows: rows, batch: rows, places: places, width: width, activation: activation}
	size := rows * places * width
	j.p, j.z, j.y = make([]float32, size), make([]float32, size), make([]float32, size)
	for i := range j.z {
		j.z[i] = float32(s.Normal(i))
	}
	switch activation {
	case Sigmoid:
		simd.Sigmoid(j.p, j.z)
	case Softmax:
		simd.Softmax(j.p, j.z, rows*places, width)
	default:
		copy(j.p, j.z)
	}
	j.counting = loss.counts(width, width)
	for i := range rows * places {
		class := s.Int(size+i, width)
		if j.counting == countSparse {
			j.y[i] = float32(class)
			continue
		}
		j.y[i*width+class] = 1
	}
	return j, make([]float32, size)
}

func outputFor(l Loss) Activation {
	if l == Poisson {
		return Sigmoid // for a positive output
	}
	for _, a := range []Activation{Sigmoid, Softmax} {
		if l.fromSums(a) {
			return a
		}
	}
	return Linear
}

// Losses that are split over the cores, and not, give the same bits with every set of kernels and nothing is allocated.
func TestLossesHaveTheSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer simd.Use(simd.Active())
	for name, loss := range everyLoss {
		a := outputFor(loss)
		for _, shape := range [][3]int{{31, 1, 3}, {500, 7, 11}, {20_000, 1, 2}} {
			var want float64
			var wantGrad []float32
			for i, set := range simd.Sets() {
				simd.Use(set)
				for _, cores := range []int{1, 3} {
					runtime.GOMAXPROCS(cores)
					j, grad := lossWork(loss, a, shape[0], shape[1], shape[2])
					got := loss.sum(0, j, nil, grad)
					if i == 0 && cores == 1 {
						want, wantGrad = got, slices.Clone(grad)
						continue
					}
					if got != want || !slices.Equal(grad, wantGrad) {
						t.Errorf("%s with %s on %d cores: the loss is %v, before it was %v; gradients equal: %v",
							name, set, cores, got, want, slices.Equal(grad, wantGrad))
					}
				}
			}
		}
	}
}

// A sum does not depend on how rows are batched.
func TestLossesDoNotShowBatches(t *testing.T) {
	for name, loss := range everyLoss {
		j, _ := lossWork(loss, outputFor(loss), 40, 2, 5)
		all, parts := loss.sum(0, j, nil, nil), 0.0
		truth := len(j.y) / 40
		if j.counting == countSparse {
			truth = 2
		}
		for lo := 0; lo < 40; lo += 8 {
			part := &judged{rows: 8, batch: 8, places: 2, width: 5, activation: j.activation, counting: j.counting}
			part.p, part.z, part.y = j.p[lo*10:(lo+8)*10], j.z[lo*10:(lo+8)*10], j.y[lo*truth:(lo+8)*truth]
			parts = loss.sum(parts, part, nil, nil)
		}
		if all != parts {
			t.Errorf("%s: the sum is %v at once and %v in parts", name, all, parts)
		}
	}
}

func TestLossesAllocateNothing(t *testing.T) {
	for name, loss := range everyLoss {
		for _, a := range []Activation{outputFor(loss), Linear} {
			j, grad := lossWork(loss, a, 64, 1, 5)
			weights := make([]float32, 64)
			if n := testing.AllocsPerRun(5, func() { loss.sum(0, j, weights, grad) }); n != 0 {
				t.Errorf("%s: a batch allocates %v times", name, n)
			}
		}
	}
}

func BenchmarkLosses(b *testing.B) {
	names := []string{}
	for name := range everyLoss {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		loss := everyLoss[name]
		b.Run(name, func(b *testing.B) {
			j, grad := lossWork(loss, outputFor(loss), 128, 1, 10)
			for b.Loop() {
				loss.sum(0, j, nil, grad)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(j.p)), "ns/number")
		})
	}
}

// What is wrong with losses and their truth.
func TestLossErrors(t *testing.T) {
	x := [][]float64{{1, 2}, {3, 4}}
	steps := [][][]float64{{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}}
	run := func(x, y any, loss Loss, last Layer) error {
		m := Sequential(last)
		if err := m.Compile(Adam(), loss, Accuracy); err != nil {
			return err
		}
		_, err := m.Fit(x, y, Verbose(0))
		return err
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{run(x, x, BinaryCrossEntropy.LabelSmoothing(1), Dense(2, Sigmoid)), "Compile: BinaryCrossEntropy.LabelSmoothing(1): it must be at least 0 and below 1"},
		{run(x, x, BinaryCrossEntropy.LabelSmoothing(math.NaN()), Dense(2, Sigmoid)), "LabelSmoothing(NaN): it must be"},
		{run(x, x, Huber(0), Dense(2)), "Compile: Huber(0): delta must be a number above 0"},
		{run(x, x, Huber(math.NaN()), Dense(2)), "Compile: Huber(NaN): delta must be a number above 0"},
		{run(x, x, BinaryFocalCrossEntropy(-1), Dense(2, Sigmoid)), "Compile: BinaryFocalCrossEntropy(-1): gamma must be from 0 to 100"},
		{run(x, x, BinaryFocalCrossEntropy(2), Dense(2, Tanh)), `BinaryFocalCrossEntropy(2) wants outputs between 0 and 1, but dense layer "dense_1" (layer 1) ends in tanh`},
		{run(x, x, Poisson, Dense(2)), `Poisson wants outputs that are never negative, but dense layer "dense_1" (layer 1) ends in linear: write Dense(2, nnkit.Softplus)`},
		{run(x, [][]float64{{1, 2}, {3, -4}}, Poisson, Dense(2, ReLU)), "Fit: y is -4 at row 1, column 1, but Poisson wants numbers of at least 0"},
		{run(x, []float64{1, -1}, MeanSquaredLogarithmicError, Dense(1)), "Fit: y is -1 at row 1, but MeanSquaredLogarithmicError wants numbers of at least 0"},
		{run(x, []float64{1, 2}, Hinge, Dense(1)), "Fit: y is 2 at row 1, but Hinge wants -1 or 1, or 0 or 1"},
		{run(x, []float64{0, -1}, SquaredHinge, Dense(1)), "Fit: y is 0 at row 0 and -1 at row 1, but SquaredHinge wants one number for no: -1 or 0"},
		{run(x, []float64{0, 1}, CategoricalHinge, Dense(1)), `CategoricalHinge wants an output for each class, but dense layer "dense_1" (layer 1) has one`},
		{run(x, []float64{0, 1}, KLDivergence, Dense(3, Softmax)), "y has one number a row, but KLDivergence wants 3, one for each class"},
		{run(x, [][]float64{{0.5, 0.6}, {1, 0}}, KLDivergence, Dense(2, Softmax)), "row 0 of y sums to 1.1, but KLDivergence wants probabilities that sum to 1"},

		// Sequences.
		{run(steps, []int{0, 1}, SparseCategoricalCrossEntropy, Dense(4, Softmax)), `Fit: y has the shape (2, 1), but for the outputs of dense layer "dense_1" (layer 1), of shape (2, 3, 4), a class number for each of their places is wanted: the shape (2, 3)`},
		{run(steps, [][]int{{0, 1}, {1, 2}}, SparseCategoricalCrossEntropy, Dense(4, Softmax)), `the shape (2, 3)`},
		{run(steps, [][]int{{0, 1, 4}, {1, 2, 0}}, SparseCategoricalCrossEntropy, Dense(4, Softmax)), "labels go from 0 to 4, but the 4 outputs"},
		{run(steps, [][]float64{{0, 1, 2.5}, {1, 2, 0}}, SparseCategoricalCrossEntropy, Dense(4, Softmax)), "y is 2.5 at row 0, column 2, but a class number is a whole number from 0 to 3"},
		{run(steps, zeros([]int{2, 3, 4}), SparseCategoricalCrossEntropy, Dense(4, Softmax)), "y has 12 numbers a row, but SparseCategoricalCrossEntropy wants 3, the class number"},
		{run(steps, [][]int{{0, 1, 3}, {1, 2, 0}}, CategoricalCrossEntropy, Dense(4, Softmax)), "y has 3 numbers a row, but CategoricalCrossEntropy wants 12, one for each class"},
		{run(steps, zeros([]int{2, 3, 4}), CategoricalCrossEntropy, Dense(4, Softmax)), "place 0 of row 0 of y sums to 0, but CategoricalCrossEntropy wants"},
		{run(steps, zeros([]int{2, 12}), MeanSquaredError, Dense(4)), `y has the shape (2, 12), but dense layer "dense_1" (layer 1) puts out the shape (2, 3, 4): they must agree`},
		{run(steps, [][]int{{0, 1, 3}, {1, 2, 0}}, SparseCategoricalCrossEntropy, Dense(4, Softmax)), ""},
		{run(steps, [][]int{{0, 1, 1}, {1, 1, 0}}, BinaryCrossEntropy, Dense(1, Sigmoid)), ""},
	} {
		expectError(t, test.err, test.want)
	}
}

func ExampleCrossEntropy_LabelSmoothing() {
	model := Sequential(Dense(3, Softmax))
	fmt.Println(model.Compile(Adam(), SparseCategoricalCrossEntropy.LabelSmoothing(0.1), Accuracy))
	// Output: <nil>
}
