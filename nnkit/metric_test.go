package nnkit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// judgedMetrics are metrics under the names that testdata/losses.py has for them.
func judgedMetrics() map[string]Metric {
	all := map[string]Metric{
		"accuracy": Accuracy, "top 2": TopKAccuracy(2),
		"auc macro": AUC(Macro), "auc micro": AUC(Micro), "auc of 1": AUC(ClassID(1)),
		"pr macro": AUC(PR, Macro), "pr micro": AUC(PR, Micro),
		"precision above 0.3": Precision(Threshold(0.3)), "recall above 0.3": Recall(Threshold(0.3)),
		"mean_squared_error": MeanSquaredError, "root_mean_squared_error": RootMeanSquaredError,
		"mean_absolute_error": MeanAbsoluteError, "r2_score": R2Score, "cosine_similarity": CosineSimilarity,
	}
	for name, make := range map[string]func(...PrecisionOption) Metric{"precision": Precision, "recall": Recall, "f1_score": F1Score} {
		for average, option := range map[string]PrecisionOption{"micro": Micro, "macro": Macro, "weighted": Weighted, "of 1": ClassID(1)} {
			all[name+" "+average] = make(option)
		}
	}
	return all
}

func TestMetricsAgreeWithScikitLearn(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range readLossReference(t).Judgements {
		metrics := judgedMetrics()
		check := func(loss Loss, y any) {
			t.Helper()
			for name, want := range c.Values {
				metric := metrics[name]
				if metric == nil {
					t.Errorf("%s is not tested", name)
					continue
				}
				tested[name] = true
				m := oneLayer(t, []int{3}, c.Width, c.Activation, c.Kernel, c.Bias)
				if err := m.Compile(GradientDescent(LearningRate(1e-30)), loss, metric); err != nil {
					t.Fatal(name, err)
				}
				x := reshaped(t, c.X, c.Rows, 3)
				scores, err := m.Evaluate(x, y)
				if err != nil {
					t.Fatal(name, err)
				}
				if got := scores.Value(metric.String()); math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
					t.Errorf("%s of %s, width %d, by %v: it is %v, want %v", name, c.Name, c.Width, loss, got, want)
				}
				// In the second epoch everything has been used before.
				h, err := m.Fit(x, y, Epochs(2), BatchSize(7), Verbose(0))
				if err != nil {
					t.Fatal(name, err)
				}
				if got := h.Last(metric.String()); math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
					t.Errorf("%s of %s, width %d, by %v: an epoch has %v, want %v", name, c.Name, c.Width, loss, got, want)
				}
			}
		}
		switch c.Name {
		case "classes":
			check(SparseCategoricalCrossEntropy, c.Y)
			check(CategoricalCrossEntropy, oneHot(c.Y, c.Width))
		case "answers":
			check(BinaryCrossEntropy, reshaped(t, c.Y, c.Rows, c.Width))
		default:
			check(MeanSquaredError, reshaped(t, c.Y, c.Rows, c.Width))
		}
	}
	for name := range judgedMetrics() {
		if !tested[name] {
			t.Errorf("the reference has no %s", name)
		}
	}
}

// The defaults: all answers together for yes or no, the classes' mean for classes.
func TestAveragesByDefault(t *testing.T) {
	for _, c := range readLossReference(t).Judgements {
		var loss Loss = BinaryCrossEntropy
		average := "micro"
		var y any = reshaped(t, c.Y, c.Rows, len(c.Y)/c.Rows)
		switch c.Name {
		case "numbers":
			continue
		case "classes":
			loss, average = SparseCategoricalCrossEntropy, "macro"
		}
		m := oneLayer(t, []int{3}, c.Width, c.Activation, c.Kernel, c.Bias)
		if err := m.Compile(Adam(), loss, Precision(), Recall(), F1Score(), AUC(), AUC(PR, Name("pr"))); err != nil {
			t.Fatal(err)
		}
		scores, err := m.Evaluate(reshaped(t, c.X, c.Rows, 3), y)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range scores.Names()[1:] {
			if want := c.Values[name+" "+average]; math.Abs(scores.Value(name)-want) > 1e-6 {
				t.Errorf("%s of %s is %v, want %v", name, c.Name, scores.Value(name), want)
			}
		}
	}
}

// judgeAll compares outputs with the truth by a metric, without a model.
func judgeAll(m Metric, c counting, width int, p, y []float32) float64 {
	meter := m.newMeter(width)
	meter.reset()
	rows := len(p) / width
	meter.add(&judged{out: &Tensor{shape: []int{rows, width}, data: p}, p: p, y: y, truthShape: []int{len(y) / max(1, rows)}, rows: rows, places: 1, width: width, counting: c})
	return meter.value(true)
}

func TestMetricsOfDegenerateData(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name   string
		metric Metric
		c      counting
		width  int
		p, y   []float32
		want   float64
	}{
		{"nobody says yes", Precision(), countBinary, 1, []float32{0, 0.1}, []float32{1, 0}, 0},
		{"nobody is a yes", Recall(), countBinary, 1, []float32{0.9, 0.1}, []float32{0, 0}, 0},
		{"neither", F1Score(), countBinary, 1, []float32{0, 0.1}, []float32{0, 0}, 0},
		{"all are right", F1Score(), countBinary, 1, []float32{1, 0}, []float32{1, 0}, 1},
		{"at the threshold is no", Recall(), countBinary, 1, []float32{0.5}, []float32{1}, 0},
		{"a sign", Precision(), countSign, 1, []float32{0.1, -2, 3}, []float32{1, -1, -1}, 0.5},
		{"one class only", Precision(), countSparse, 2, []float32{0.6, 0.4}, []float32{0}, 0.5},
		{"weighted, none true", Recall(Weighted), countBinary, 1, []float32{1}, []float32{0}, 0},
		{"no yes", AUC(), countBinary, 1, []float32{0.1, 0.2}, []float32{0, 0}, nan},
		{"no no", AUC(PR), countBinary, 1, []float32{0.1, 0.2}, []float32{1, 1}, nan},
		{"all scores equal", AUC(), countBinary, 1, []float32{0.5, 0.5, 0.5}, []float32{1, 0, 0}, 0.5},
		{"all scores equal, precision", AUC(PR), countBinary, 1, []float32{0.5, 0.5, 0.5}, []float32{1, 0, 0}, 1.0 / 3},
		{"perfect", AUC(PR), countBinary, 1, []float32{0.1, 0.9}, []float32{0, 1}, 1},
		{"the wrong way", AUC(), countBinary, 1, []float32{0.9, 0.1}, []float32{0, 1}, 0},
		{"infinite scores", AUC(), countSign, 1, []float32{float32(math.Inf(1)), float32(math.Inf(-1))}, []float32{1, -1}, 1},
		{"not a number", AUC(), countBinary, 1, []float32{float32(nan), 0.1}, []float32{0, 1}, nan},
		{"one class", AUC(), countSparse, 2, []float32{0.5, 0.5}, []float32{1}, nan},
		{"equals are all first", TopKAccuracy(1), countSparse, 3, []float32{0.3, 0.3, 0.3}, []float32{2}, 1},
		{"not among the first", TopKAccuracy(2), countSparse, 3, []float32{0.5, 0.3, 0.2}, []float32{2}, 0},
		{"not a number is not first", TopKAccuracy(2), countSparse, 3, []float32{0.5, 0.3, float32(nan)}, []float32{2}, 0},
		{"y does not vary", R2Score, countBinary, 1, []float32{1, 2}, []float32{3, 3}, 0},
		{"far from zero", R2Score, countBinary, 1, []float32{1e6, 1e6 + 1, 1e6 + 2}, []float32{1e6, 1e6 + 1, 1e6 + 3}, 1 - 1/(14.0/3)},
		{"a mean", R2Score, countBinary, 1, []float32{2, 2, 2}, []float32{1, 2, 3}, 0},
		{"root", RootMeanSquaredError, countBinary, 1, []float32{3, 0}, []float32{0, 4}, math.Sqrt(12.5)},
		{"no direction", CosineSimilarity, countCategorical, 2, []float32{0, 0}, []float32{1, 2}, 0},
	} {
		got := judgeAll(test.metric, test.c, test.width, test.p, test.y)
		if math.Abs(got-test.want) > 1e-6 || (got != got) != (test.want != test.want) {
			t.Errorf("%s, %s: it is %v, want %v", test.metric, test.name, got, test.want)
		}
		if test.metric.newMeter(test.width).value(true) > 0 {
			t.Errorf("%s: without rows it is above 0", test.metric)
		}
	}
}

// Within an epoch an area is of at least a quarter of what was seen; the last value is of all.
func TestAUCWithinAnEpoch(t *testing.T) {
	m := AUC().newMeter(1)
	for epoch := range 2 {
		m.reset()
		for i := range 100 {
			p, y := []float32{float32(i*37%100) / 100}, []float32{float32(i % 2)}
			m.add(&judged{p: p, y: y, rows: 1, places: 1, width: 1})
			if v := m.value(false); i > 4 && (v != v || v < 0 || v > 1) {
				t.Fatalf("epoch %d: after %d rows the area is %v", epoch, i+1, v)
			}
		}
		right := 0.0
		for i := 1; i < 100; i += 2 {
			for k := 0; k < 100; k += 2 {
				if i*37%100 > k*37%100 {
					right++
				}
			}
		}
		if got, want := m.value(true), right/2500; math.Abs(got-want) > 1e-12 {
			t.Errorf("epoch %d: the area is %v, want %v", epoch, got, want)
		}
	}
}

func TestSortNumbers(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 5000} {
		s := random.Stream{Seed: 3}
		x := make([]uint32, n)
		for i := range x {
			x[i] = ordered(float32(s.Normal(i)))
		}
		want := slices.Sorted(slices.Values(x))
		sortNumbers(x, make([]uint32, n))
		if !slices.Equal(x, want) {
			t.Errorf("%d numbers are not sorted", n)
		}
	}
	values := []float32{float32(math.Inf(-1)), -math.MaxFloat32, -1, -1e-45, 0, 1e-45, 0.5, 1, float32(math.Inf(1))}
	for i := 1; i < len(values); i++ {
		if ordered(values[i-1]) >= ordered(values[i]) {
			t.Errorf("%v is not before %v", values[i-1], values[i])
		}
	}
	if ordered(float32(math.Copysign(0, -1))) != ordered(0) {
		t.Error("-0 and 0 are not equal")
	}
}

// Sequences: each step is a place of its own, for losses, accuracy and weights.
func TestSequencesOfClasses(t *testing.T) {
	m := oneLayer(t, []int{3, 2}, 2, "softmax", []float64{1, 0, 0, 1}, []float64{0, 0})
	if err := m.Compile(GradientDescent(), SparseCategoricalCrossEntropy, Accuracy, Recall()); err != nil {
		t.Fatal(err)
	}
	x := [][][]float64{{{2, 0}, {0, 2}, {2, 0}}, {{0, 2}, {0, 2}, {0, 2}}}
	y := [][]int{{0, 1, 1}, {1, 1, 0}}
	scores, err := m.Evaluate(x, y)
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := math.Log(1+math.Exp(-2)), math.Log(1+math.Exp(2))
	if got, want := scores.Value("loss"), (4*right+2*wrong)/6; math.Abs(got-want) > 1e-6 {
		t.Errorf("the loss is %v, want %v", got, want)
	}
	if got := scores.Value("accuracy"); got != 4.0/6 {
		t.Errorf("the accuracy is %v, want 4 of 6", got)
	}
	if got, want := scores.Value("recall"), (0.5+0.75)/2; got != want {
		t.Errorf("the recall is %v, want %v", got, want)
	}
	scores, err = m.Evaluate(x, y, SampleWeight([]float64{1, 1, 0, 2, 0, 0}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := scores.Value("loss"), 4*right/6; math.Abs(got-want) > 1e-6 {
		t.Errorf("the weighted loss is %v, want %v", got, want)
	}
	if scores.Value("accuracy") != 4.0/6 {
		t.Error("weights touch the accuracy")
	}
}

// A function's metric is what the built-in one is, and both allocate nothing in a step.
func TestMetricFunc(t *testing.T) {
	own := MetricFunc("own_error", func(p, y *Tensor) *Tensor { return p.Sub(y).Abs() })
	mean := MetricFunc("own_mean", func(p, y *Tensor) *Tensor { return p.Mean() }, LargerIsBetter)
	x, _ := blobs(90, 6, 2)
	y := make([]float64, len(x))
	for i, row := range x {
		y[i] = row[0] - row[1]
	}
	m := Sequential(Dense(4, Tanh), Dense(1))
	if err := m.Compile(Adam(), MeanSquaredError, own, MeanAbsoluteError, mean); err != nil {
		t.Fatal(err)
	}
	h, err := m.Fit(x, y, Epochs(3), ValidationSplit(0.3), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "val_"} {
		if got, want := h.Last(name+"own_error"), h.Last(name+"mean_absolute_error"); math.Abs(got-want) > 1e-6 {
			t.Errorf("%sown_error is %v, mean_absolute_error %v", name, got, want)
		}
	}
	if h.BestEpochBy("own_mean") == 0 || !mean.larger() || own.larger() {
		t.Error("the better one is not known")
	}
}

func TestMetricsAllocateNothing(t *testing.T) {
	own := MetricFunc("own", func(p, y *Tensor) *Tensor { return p.Sub(y).Abs() })
	x, y := blobs(64, 5, 2)
	for _, test := range []struct {
		loss    Loss
		metrics []Metric
		last    Layer
	}{
		{BinaryCrossEntropy, []Metric{Accuracy, Precision(), Recall(), F1Score(), AUC(), AUC(PR, Name("pr")), MeanSquaredError, R2Score, RootMeanSquaredError, own}, Dense(1, Sigmoid)},
		{SparseCategoricalCrossEntropy, []Metric{Accuracy, TopKAccuracy(2), Precision(), Recall(Threshold(0.3)), F1Score(Weighted), AUC(Macro)}, Dense(3, Softmax)},
		{LossFunc("own", func(p, y *Tensor) *Tensor { return p.Sub(y).Square() }), []Metric{MeanSquaredError, Hinge}, Dense(1)},
	} {
		m := Sequential(Dense(4, ReLU), test.last)
		f := fitOf(t, m, 64, Adam(), test.loss, x, y, test.metrics...)
		weights := make([]float32, 64)
		fill(weights, 0.5)
		f.train.y[0].weights = columns{1, weights}
		f.trainer = newTrainer(m, 64, f.train)
		if n := testing.AllocsPerRun(5, func() {
			f.trainer.grading.reset()
			if err := f.batch(f.order); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v with %v: a step allocates %v times", test.loss, test.metrics, n)
		}
	}
}

func TestMetricErrors(t *testing.T) {
	x := [][]float64{{1, 2}, {3, 4}, {5, 6}, {7, 8}}
	run := func(y any, loss Loss, last Layer, metrics ...Metric) error {
		m := Sequential(Dense(3, ReLU), last)
		if err := m.Compile(Adam(), loss, metrics...); err != nil {
			return err
		}
		_, err := m.Fit(x, y, Verbose(0))
		return err
	}
	answers, classes := []int{0, 1, 0, 1}, []int{0, 1, 2, 1}
	for _, test := range []struct {
		err  error
		want string
	}{
		{run(answers, BinaryCrossEntropy, Dense(1, Sigmoid), TopKAccuracy(1)), `Compile: metric 1: TopKAccuracy(1) wants an output for each class, but dense layer "dense_2" (layer 2) has one: for yes or no use nnkit.Accuracy`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), TopKAccuracy(0)), `TopKAccuracy(0): k must be at least 1`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), TopKAccuracy(3)), `TopKAccuracy(3): dense layer "dense_2" (layer 2) has 3 outputs, so that all answers would be right: k must be below 3`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), TopKAccuracy(1), TopKAccuracy(2)), `Compile: the metric top_k_categorical_accuracy is given twice: leave one out, or give it another name by nnkit.Name`},
		{run([][]float64{{0, 1, 1}, {0, 1, 1}, {0, 1, 1}, {0, 1, 1}}, BinaryCrossEntropy, Dense(3, Sigmoid), TopKAccuracy(1)), `Fit: metric top_k_categorical_accuracy: TopKAccuracy(1) wants a loss of classes`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), Recall(ClassID(3))), `Recall(ClassID(3)): dense layer "dense_2" (layer 2) has the outputs 0 to 2`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), Recall(ClassID(1), Macro)), `Recall: ClassID and an average are both given: choose one`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), Precision(Threshold(math.NaN()))), `Precision(Threshold(NaN)): it must be a number`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), F1Score(Name(""))), `F1Score(nnkit.Name("")): a metric's name must not be empty`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), MeanSquaredError), `Fit: metric mean_squared_error: y has 1 number a row, but dense layer "dense_2" (layer 2) has 3 outputs: they must agree`},
		{run(classes, SparseCategoricalCrossEntropy, Dense(3, Softmax), R2Score), `Fit: metric r2_score: y has 1 number a row`},
		{run(answers, BinaryCrossEntropy, Dense(1, Sigmoid), MetricFunc("f", nil)), `MetricFunc("f", nil): the function is missing`},
		{run(answers, BinaryCrossEntropy, Dense(1, Sigmoid), MetricFunc("f", func(p, y *Tensor) *Tensor { return Vector(1, 2, 3) })), `MetricFunc f: the function has returned the shape (3) for 4 rows: it must be a single number, or begin with 4`},
		{run(answers, BinaryCrossEntropy, Dense(1, Sigmoid), MetricFunc("f", func(p, y *Tensor) *Tensor { return nil })), `MetricFunc f: the function has returned nil`},
		{run(classes, LossFunc("own", func(p, y *Tensor) *Tensor { return p.Square() }), Dense(3, Softmax), Accuracy), ""},
		{run([][]int{{0, 1}, {1, 0}, {0, 1}, {0, 1}}, LossFunc("own", func(p, y *Tensor) *Tensor { return p.Square() }), Dense(3, Softmax), Accuracy), `Fit: metric accuracy: y has 2 numbers a row, but dense layer "dense_2" (layer 2) has 3 outputs: they must agree`},
	} {
		expectError(t, test.err, test.want)
	}
}

func ExamplePrecision() {
	model := Sequential(Dense(8, Tanh), Dense(1, Sigmoid))
	err := model.Compile(Adam(LearningRate(0.1)), BinaryCrossEntropy, Precision(), Recall(Threshold(0.3)), F1Score(), AUC())
	fmt.Println(err)
	x, y := [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int{0, 1, 1, 0}
	history, err := model.Fit(x, y, Epochs(300), Verbose(0))
	for _, name := range history.Names()[1:] {
		fmt.Printf("%s %.2f\n", name, history.Last(name))
	}
	fmt.Println(err)
	// Output:
	// <nil>
	// precision 1.00
	// recall 1.00
	// f1_score 1.00
	// auc 1.00
	// <nil>
}

func ExampleMetricFunc() {
	within := MetricFunc("within_one", func(p, y *Tensor) *Tensor {
		return p.Sub(y).Abs().Neg().Shift(1).ReLU() // 1 for exact, 0 from one on
	}, LargerIsBetter)
	model := Sequential(Dense(1))
	err := model.Compile(SGD(LearningRate(0.1)), MeanSquaredError, within)
	fmt.Println(err)
	history, err := model.Fit([]float64{0, 1, 2, 3}, []float64{1, 3, 5, 7}, Epochs(300), FullBatch(), Verbose(0))
	fmt.Printf("%.3f %v\n", history.Last("within_one"), err)
	// Output:
	// <nil>
	// 1.000 <nil>
}

// What metrics cost beside a step of the founding example.
func BenchmarkStepWithMetrics(b *testing.B) {
	own := MetricFunc("own", func(p, y *Tensor) *Tensor { return p.Sub(y).Abs() })
	for _, metrics := range [][]Metric{
		{LogCosh},
		{Accuracy},
		{Precision()},
		{AUC()},
		{MeanSquaredError},
		{R2Score},
		{RootMeanSquaredError},
		{CosineSimilarity},
		{own},
		{Accuracy, Precision(), Recall(), F1Score(), AUC(), MeanSquaredError},
	} {
		names := []string{}
		for _, m := range metrics {
			names = append(names, m.String())
		}
		b.Run(strings.Join(names, "+"), func(b *testing.B) {
			c := workloadCases[0]
			x, y := c.data(32)
			f := fitOf(b, Sequential(c.layers()...), 32, Adam(), c.loss, x, y, metrics...)
			for i := 0; b.Loop(); i++ {
				if i%64 == 0 { // an epoch
					f.trainer.grading.reset()
				}
				if err := f.batch(f.order); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
