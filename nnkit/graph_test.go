package nnkit

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// branched is a model of two inputs and two outputs, with a shared layer, a skip and all merges.
func branched() *Model {
	a := Input(6).Named("numbers")
	b := Input(5, 2).Named("steps")
	seen := b.To(LSTM(4, Name("read")), Dense(6, Tanh))
	shared := Dense(6, ReLU, Name("shared"))
	h, g := a.To(shared), seen.To(shared)
	sum := Add(a, h, g).Named("skip")
	both := Concatenate(sum, Multiply(h, g), Subtract(h, g), Maximum(h, g), Minimum(h, g), Average(h, g, sum))
	trunk := both.To(Dense(8, ReLU), Dropout(0.2))
	price := trunk.To(Dense(1)).Named("price")
	kind := trunk.To(Dense(3, Softmax)).Named("kind")
	return Functional(Inputs(a, b), Outputs(price, kind))
}

type branchedData struct{ x, y map[string]any }

func branchedRows(n int) branchedData {
	s := random.Stream{Seed: 9}
	numbers, steps := zeros([]int{n, 6}), zeros([]int{n, 5, 2})
	price, kind := make([]float64, n), make([]int, n)
	for i := range numbers.data {
		numbers.data[i] = float32(s.Normal(i))
	}
	s.Index++
	for i := range steps.data {
		steps.data[i] = float32(s.Normal(i))
	}
	for r := range n {
		price[r] = float64(numbers.data[r*6] + steps.data[r*10+8])
		kind[r] = 1
		if numbers.data[r*6+1] > 0.4 {
			kind[r] = 2
		} else if numbers.data[r*6+1] < -0.4 {
			kind[r] = 0
		}
	}
	return branchedData{map[string]any{"numbers": numbers, "steps": steps}, map[string]any{"price": price, "kind": kind}}
}

func compileBranched(tb testing.TB, m *Model) *Model {
	tb.Helper()
	losses := Losses{"price": LossWeight(MeanSquaredError, 0.5), "kind": SparseCategoricalCrossEntropy}
	if err := m.Compile(Adam(LearningRate(0.01)), losses, For("kind", Accuracy), For("price", MeanAbsoluteError)); err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestGraphTrains(t *testing.T) {
	m := compileBranched(t, branched())
	d := branchedRows(200)
	h, err := m.Fit(d.x, d.y, Epochs(30), ValidationSplit(0.2), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"loss", "price_loss", "kind_loss", "price_mean_absolute_error", "kind_accuracy"}
	for _, n := range names {
		names = append(names, "val_"+n)
	}
	if !slices.Equal(h.Names(), names) {
		t.Errorf("the history has %v", h.Names())
	}
	if h.Last("val_kind_accuracy") < 0.8 || h.Last("val_price_loss") > 0.4 {
		t.Errorf("it has learnt no more than\n%s", h)
	}
	for _, prefix := range []string{"", "val_"} {
		sum := 0.5*h.Last(prefix+"price_loss") + h.Last(prefix+"kind_loss")
		if loss := h.Last(prefix + "loss"); math.Abs(loss-sum) > 1e-12 {
			t.Errorf("%sloss is %v and not %v", prefix, loss, sum)
		}
	}

	// Data by name are those in order.
	listX, listY := []any{d.x["numbers"], d.x["steps"]}, []any{d.y["price"], d.y["kind"]}
	byName, err := m.Evaluate(d.x, d.y)
	if err != nil {
		t.Fatal(err)
	}
	inOrder, err := m.Evaluate(listX, listY)
	if err != nil || inOrder.String() != byName.String() || !slices.Equal(byName.Names(), names[:5]) {
		t.Errorf("in order it is %v, by name %v (%v)", inOrder, byName, err)
	}
	p, err := m.PredictAll(d.x)
	if err != nil {
		t.Fatal(err)
	}
	one, err := m.PredictAll([]any{d.x["numbers"].(*Tensor).Data()[:6], d.x["steps"].(*Tensor).Slice(0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(p) != 2 || !slices.Equal(p[1].Shape(), []int{200, 3}) || !slices.Equal(one[1].Data(), p[1].Data()[:3]) || one[0].Len() != 1 {
		t.Errorf("the predictions have the shapes %v, and a row is %v where all have %v", p, one, p[1].Data()[:3])
	}

	// The bits do not depend on how the rows are batched in evaluation, nor a step on what was before.
	if n := testing.AllocsPerRun(5, allocating(t, d)); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}

func allocating(t *testing.T, d branchedData) func() {
	m := branched()
	losses := Losses{"price": LossWeight(MeanSquaredError, 0.5), "kind": SparseCategoricalCrossEntropy}
	f := fitOf(t, m, 32, Adam(), losses, d.x, d.y, For("kind", Accuracy))
	return func() {
		if err := f.batch(f.order[:32]); err != nil {
			t.Fatal(err)
		}
	}
}

// Fit takes the steps that a loop of one's own takes with the sum of the losses.
func TestGraphStepsAreThoseOfTheSum(t *testing.T) {
	d := branchedRows(32)
	build := func() *Model {
		a, b := Input(6).Named("numbers"), Input(5, 2).Named("steps")
		shared := Dense(6, Tanh)
		h, g := a.To(shared), b.To(Flatten(), Dense(6), shared)
		return Functional(Inputs(a, b), Outputs(Add(h, g).To(Dense(1)).Named("price"), Multiply(h, g).To(Dense(3, Softmax)).Named("kind")))
	}
	fitted, own := compileBranched(t, build()), compileBranched(t, build())
	if _, err := fitted.Fit(d.x, d.y, FullBatch(), Epochs(10), Shuffle(false), Verbose(0)); err != nil {
		t.Fatal(err)
	}
	price := must(TensorOf(d.y["price"]))(t).Reshape(32, 1)
	kind := zeros([]int{32, 3})
	for r, k := range d.y["kind"].([]int) {
		kind.data[r*3+k] = 1
	}
	tape := NewTrainingTape(1)
	for range 10 {
		tape.Reset()
		p := own.ForwardAll(tape.Constant(d.x["numbers"].(*Tensor)), tape.Constant(d.x["steps"].(*Tensor)))
		loss := p[0].Sub(price).Square().Mean().Scale(0.5).Add(p[1].Log().Mul(kind).Sum().Scale(-1.0 / 32))
		if err := tape.Backward(loss); err != nil {
			t.Fatal(err)
		}
		if err := own.ApplyGradients(tape); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range own.Parameters() {
		if e := far(p.Data(), widen(fitted.Parameters()[i].Data()), 1); e > 1e-5 {
			t.Errorf("%s is off by %.2g", p.Name(), e)
		}
	}
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// A graph without branches is the Sequential of the same layers, to the bit.
func TestChainIsSequential(t *testing.T) {
	x, y := blobs(90, 6, 3)
	a := train(t, Sequential(Input(6), Dense(8, ReLU), Dropout(0.2), Dense(3, Softmax)), SparseCategoricalCrossEntropy, x, y, Epochs(3))
	in := Input(6)
	b := train(t, Functional(Inputs(in), Outputs(in.To(Dense(8, ReLU), Dropout(0.2), Dense(3, Softmax)))), SparseCategoricalCrossEntropy, x, y, Epochs(3))
	if hash(t, a) != hash(t, b) {
		t.Error("the numbers are others")
	}
}

// What a graph is, and where its training stands, comes back from a file.
func TestGraphIsSaved(t *testing.T) {
	d := branchedRows(60)
	path := filepath.Join(t.TempDir(), "graph.safetensors")
	whole, half := compileBranched(t, branched()), compileBranched(t, branched())
	options := []FitOption{Verbose(0), BatchSize(16), Seed(4)}
	h, err := whole.Fit(d.x, d.y, append(options, Epochs(4))...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.Fit(d.x, d.y, append(options, Epochs(2), Checkpoint(path))...); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.String() != half.String() {
		t.Errorf("it is\n%s\nand not\n%s", loaded, half)
	}
	resumed := compileBranched(t, branched())
	g, err := resumed.Fit(d.x, d.y, append(options, Epochs(4), Checkpoint(path, Resume()))...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Fit(d.x, d.y, append(options, Epochs(2))...); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Model{resumed, loaded} {
		if !slices.Equal(m.weights, whole.weights) {
			t.Error("the weights are not those of a training that never stopped")
		}
	}
	if g.String() != h.String() {
		t.Errorf("the history is\n%s\nand not\n%s", g, h)
	}
	weights := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := whole.SaveWeights(weights); err != nil {
		t.Fatal(err)
	}
	other := branched()
	if err := other.LoadWeights(weights); err != nil || !slices.Equal(other.weights, whole.weights) {
		t.Errorf("the weights are not those of the file (%v)", err)
	}
	if err := whole.Freeze("shared"); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(whole.named("shared")[0].Data())
	if _, err := whole.Fit(d.x, d.y, append(options, Epochs(1))...); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, whole.named("shared")[0].Data()) {
		t.Error("a frozen layer has moved")
	}
}

// Models within models: one with branches, shared, and one of several inputs and outputs.
func TestGraphWithinGraph(t *testing.T) {
	in := Input(4)
	encoder := Functional(Inputs(in), Outputs(Add(in.To(Dense(4, Tanh)), in).Named("code")))
	p, q := Input(4), Input(4)
	compare := Functional(Inputs(p, q), Outputs(
		Merge("distance", func(x ...*Tensor) *Tensor { return x[0].Sub(x[1]).Abs() }, p, q).To(Dense(1, Sigmoid)).Named("same"),
		Concatenate(p, q).To(Dense(2)).Named("where")))
	a, b := Input(4).Named("a"), Input(4).Named("b")
	m := Functional(Inputs(a, b), Outputs(compare.Call(a.To(encoder), b.To(encoder))...))
	if err := m.Compile(Adam(LearningRate(0.02)), Losses{"functional_2_1": BinaryCrossEntropy, "functional_2_2": MeanSquaredError}); err != nil {
		t.Fatal(err)
	}
	names := []string{
		"functional_1/dense_1/kernel", "functional_1/dense_1/bias", "functional_2/same/kernel", "functional_2/same/bias",
		"functional_2/where/kernel", "functional_2/where/bias",
	}
	var got []string
	for _, p := range m.Parameters() {
		got = append(got, p.Name())
	}
	if !slices.Equal(got, names) {
		t.Errorf("the parameters are %v", got)
	}
	const n = 120
	x, z := zeros([]int{n, 4}), zeros([]int{n, 4})
	same, where := make([]int, n), zeros([]int{n, 2})
	s := random.Stream{Seed: 3}
	for r := range n {
		for i := range 4 {
			x.data[r*4+i] = float32(s.Normal(r*8 + i))
			z.data[r*4+i] = x.data[r*4+i]
			if r%2 == 1 {
				z.data[r*4+i] = float32(s.Normal(r*8 + 4 + i))
			}
		}
		same[r] = 1 - r%2
		where.data[r*2], where.data[r*2+1] = x.data[r*4], z.data[r*4+1]
	}
	h, err := m.Fit([]*Tensor{x, z}, []any{same, where}, Epochs(40), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	if h.Last("functional_2_1_loss") > 0.3 || h.Last("functional_2_2_loss") > 0.2 {
		t.Errorf("it has learnt no more than\n%s", h)
	}
	if code, err := encoder.Predict(x); err != nil || !slices.Equal(code.Shape(), []int{n, 4}) {
		t.Errorf("the model within predicts %v (%v)", code, err)
	}
	if _, err := m.source(); err == nil || !strings.Contains(err.Error(), "a file cannot hold the function of a Merge") {
		t.Errorf("the source is an error %v", err)
	}
	defer registered.Delete(registration{"merge", "distance"})
	if err := Register(Merge("distance", func(x ...*Tensor) *Tensor { return x[0].Sub(x[1]).Abs() })); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "siamese.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := m.PredictAll([]*Tensor{x, z})
	have, err := again.PredictAll(map[string]*Tensor{"a": x, "b": z})
	if err != nil || !slices.Equal(have[0].Data(), want[0].Data()) || !slices.Equal(have[1].Data(), want[1].Data()) {
		t.Errorf("the loaded model predicts otherwise (%v)", err)
	}
}

// Weights are those of all outputs or of one.
func TestWeightsOfOutputs(t *testing.T) {
	d := branchedRows(40)
	w := make([]float64, 40)
	for i := range w {
		w[i] = float64(i % 3)
	}
	m := compileBranched(t, branched())
	plain, err := m.Evaluate(d.x, d.y)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.PredictAll(d.x)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for r, y := range d.y["price"].([]float64) {
		e := float64(p[0].At(r, 0)) - y
		sum += w[r] * e * e
	}
	one, err := m.Evaluate(d.x, d.y, SampleWeight(w).For("price"))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(one.Value("price_loss")-sum/40) > 1e-6 || one.Value("kind_loss") != plain.Value("kind_loss") {
		t.Errorf("weighted for the price it is %v, want %v, without %v", one, sum/40, plain)
	}
	all, err := m.Evaluate(d.x, d.y, SampleWeight(w))
	if err != nil || all.Value("price_loss") != one.Value("price_loss") || all.Value("kind_loss") == plain.Value("kind_loss") {
		t.Errorf("weighted for all it is %v (%v)", all, err)
	}
	classes, err := m.Evaluate(d.x, d.y, ClassWeight(map[int]float64{0: 2, 1: 2, 2: 2}).For("kind"))
	if err != nil || math.Abs(classes.Value("kind_loss")-2*plain.Value("kind_loss")) > 1e-9 {
		t.Errorf("weighted by class it is %v (%v)", classes, err)
	}
	h, err := m.Fit(d.x, d.y, ValidationData(d.x, d.y, SampleWeight(w)), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	after, err := m.Evaluate(d.x, d.y, SampleWeight(w))
	if err != nil || h.Last("val_loss") != after.Value("loss") {
		t.Errorf("val_loss is %v and Evaluate has %v (%v)", h.Last("val_loss"), after, err)
	}
}

func TestGraphErrors(t *testing.T) {
	d := branchedRows(10)
	x, h := Input(4).Named("x"), Input(4).To(Dense(2))
	used := Dense(3)
	Sequential(used)
	symbol := func(s *Symbol, more ...*Symbol) error { return Functional(Inputs(x), append(Outputs(s), more...)).err }
	fit := func(x, y any, options ...FitOption) error {
		_, err := compileBranched(t, branched()).Fit(x, y, options...)
		return err
	}
	compile := func(o Objective, metrics ...Metric) error { return branched().Compile(Adam(), o, metrics...) }
	predict := func(x any) error {
		_, err := branched().PredictAll(x)
		return err
	}
	last := func(_ any, err error) error { return err }
	shared := func(s *Symbol) *Symbol {
		both := Dense(2, Name("both"))
		return Concatenate(s.To(both), s.To(both, both))
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{Functional(Inputs(), Outputs(h)).err, `Functional: there are no inputs: give it those that the network begins with, nnkit.Inputs(x)`},
		{Functional(Inputs(x), Outputs()).err, `Functional: there are no outputs: give it what the network ends with, nnkit.Outputs(y)`},
		{Functional(Inputs(x, x), Outputs(x.To(Dense(1)))).err, `Functional: input 2 is given twice`},
		{Functional(Inputs(x, Input(2)), Outputs(x.To(Dense(1)))).err, `Functional: no output comes from input 2: leave it out, or use it`},
		{Functional(Inputs(h), Outputs(h.To(Dense(1)))).err, `Functional: input 1, of dense, is no nnkit.Input: a model begins with those`},
		{symbol(x), `Functional: output 1 is input "x", rows of shape (4) itself: there must be a layer between`},
		{symbol(Concatenate(h, x)), `Functional: the outputs come from input, rows of shape (4), too, which is not among the inputs: add it to nnkit.Inputs`},
		{symbol(nil), `Functional: output 1 is nil`},
		{symbol(x.To(used)), `Functional: layer "dense_1" is part of another model: make each layer by a call of its own, or give that model as a layer`},
		{symbol(x.To(Dense(0))), `Functional: output 1: To: layer 1: Dense(0, …): the number of units must be at least 1`},
		{symbol(x.To(Dense(2), nil)), `Functional: output 1: To: layer 2 is nil`},
		{symbol(x.To(Dense(2)).Named("x")), `Functional: two layers are named "x": give one another name, nnkit.Name("x_b")`},
		{symbol(x.To(Dense(2, Name("a"))).Named("b")), `Functional: output 1: Named("b"): the layer is named "a" already: name it once`},
		{symbol(x.To(Dense(2)).Named("a/b")), `Functional: output 1: Named("a/b"): a name must not be empty nor contain a slash or a line break`},
		{symbol(Add(x)), `Functional: output 1: Add: it joins several symbols and is given 1`},
		{symbol(Add(x, nil)), `Functional: output 1: Add: symbol 2 is nil`},
		{symbol(Merge("m", nil, x)), `Functional: output 1: Merge("m", nil, …): the function is missing`},
		{symbol(Add(x, x.To(Dense(3))).Named("sum")), `add layer "sum" (layer 2): Add: the shapes (1, 4) and (1, 3) do not fit: aligned at their ends, sizes must be equal or 1, and 4 meets 3`},
		{symbol(Concatenate(x, x.To(Reshape(2, 2)))), `concatenate layer "concatenate_1" (layer 2): gets rows of shapes (4), (2, 2): all must have as many dimensions: bring them there by Flatten or Reshape`},
		{symbol(Concatenate(shared(x), x)), `dense layer "both" (layer 1): is shared by rows of shape (4) and of shape (2), and cannot take both: Dense: x has the shape (1, 2), but the weights are of 4 inputs: the last size of x must be 4`},
		{symbol(Input(0).To(Dense(1))), `Functional: output 1: Input(0): the number of features must be at least 1`},
		{symbol(x.To(branched())), `Functional: output 1: To: layer 1 is a model of 2 inputs and 2 outputs: apply it by its Call`},
		{symbol(branched().Call(x)[0]), `Functional: output 1: Call: the model has 2 inputs and is given 1`},
		{Sequential(Dense(2), h).err, `Sequential: layer 2: it is a symbol, what layers have made of an Input: give the layers themselves, or make the model by Functional`},
		{Sequential(branched()).err, `Sequential: layer 1 is a model of 2 inputs and 2 outputs: apply it by its Call, in a Functional model`},
		{compile(nil), `Compile: the loss is missing: write nnkit.BinaryCrossEntropy for yes or no, nnkit.SparseCategoricalCrossEntropy for classes, nnkit.MeanSquaredError for numbers`},
		{compile(Losses{"price": MeanSquaredError}), `Compile: Losses: the output "kind" has no loss: give it one, nnkit.MeanSquaredError for example`},
		{compile(Losses{"prize": MeanSquaredError}), `Compile: Losses: there is no output "prize": the model has "price", "kind"`},
		{compile(BinaryCrossEntropy), `Compile: output "price": BinaryCrossEntropy wants outputs between 0 and 1, but dense layer "price" (layer 13) ends in linear: write Dense(1, nnkit.Sigmoid)`},
		{compile(LossWeight(MeanSquaredError, -1)), `Compile: output "price": LossWeight(mean_squared_error, -1): a weight is a number of at least 0`},
		{compile(MeanSquaredError, For("prize", Accuracy)), `Compile: metric 1: For("prize", accuracy): there is no such output: the model has "price", "kind"`},
		{compile(MeanSquaredError, Accuracy, For("kind", Accuracy)), `Compile: the metric kind_accuracy is given twice: leave one out, or give it another name by nnkit.Name`},
		{fit(d.x["numbers"], d.y), `Fit: x is a *nnkit.Tensor, but the model has 2 inputs: give a map of their names, map[string]any{"numbers": …, "steps": …}, or a list in their order, []any{…}`},
		{fit([]any{d.x["numbers"]}, d.y), `Fit: x is a list of 1, but the model has 2 inputs: give one for each, in the order numbers, steps`},
		{fit(d.x, map[string]any{"price": d.y["price"]}), `Fit: y lacks the output "kind": give it numbers, too`},
		{fit(map[string]any{"number": 1}, d.y), `Fit: x has "number", but the inputs are named "numbers", "steps"`},
		{fit(d.x, map[string]any{"price": d.y["price"], "kind": []int{1, 2}}), `Fit: x["numbers"] has 10 rows and y["kind"] 2; they must agree`},
		{fit([]any{d.x["steps"], d.x["steps"]}, d.y), `Fit: x["numbers"] has the shape (10, 5, 2), but the input "numbers" wants rows of shape (6): give it such rows, or make a new model`},
		{fit(d.x, []any{d.y["price"], []int{0, 1, 2, 3, 0, 1, 2, 0, 1, 2}}), `Fit: labels go from 0 to 3, but the 3 outputs of dense layer "kind" (layer 14) are the classes 0 to 2: give it an output for each class, Dense(4, nnkit.Softmax)`},
		{fit(d.x, d.y, ClassWeight(map[int]float64{0: 1})), `Fit: ClassWeight is for one output, and the model has 2: write ClassWeight(…).For("price")`},
		{fit(d.x, d.y, SampleWeight(nil).For("prize")), `Fit: SampleWeight(…).For("prize"): there is no such output: the model has "price", "kind"`},
		{last(branched().Predict(d.x)), `Predict: the model has the outputs "price", "kind": use PredictAll, which returns a tensor for each`},
		{predict([]any{[]float64{1, 2}, d.x["steps"]}), `PredictAll: x["numbers"] has the shape (1, 2), but the input "numbers" wants 6 numbers a row: give each row 6 numbers, or make a new model for rows of 2`},
		{last(Saliency(branched(), d.x, 0)), `Saliency: it explains models of one input and one output, and this one has 2 inputs and 2 outputs`},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", test.err, test.want)
		}
	}
}

// The weight of a loss scales the loss and the steps of gradient descent; the output's own loss is told without it.
func TestLossWeight(t *testing.T) {
	x, y := [][]float64{{1, 2}, {3, -1}}, []float64{1, 2}
	var weights [2][]float32
	var loss [2]float64
	for i, c := range []struct {
		loss Objective
		rate float64
	}{{MeanSquaredError, 0.06}, {LossWeight(LossWeight(MeanSquaredError, 2), 1.5), 0.02}} {
		m := Sequential(Dense(1))
		if err := m.Compile(GradientDescent(LearningRate(c.rate)), c.loss, MeanSquaredError); err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(x, y, Epochs(3), FullBatch(), Verbose(0))
		if err != nil {
			t.Fatal(err)
		}
		weights[i], loss[i] = m.weights, h.Last("loss")/h.Last("mean_squared_error")
	}
	if e := far(weights[1], widen(weights[0]), 1); e > 1e-6 || loss != [2]float64{1, 3} {
		t.Errorf("the weights are off by %.2g, the loss is %v times itself", e, loss)
	}
}

// What explains a Sequential explains a graph of one input and one output, with its skips.
func TestGraphIsExplained(t *testing.T) {
	image := Input(6, 6, 1)
	h := image.To(Conv2D(3, 3, SamePadding, ReLU, Name("first")))
	h = Add(h, h.To(Conv2D(3, 3, SamePadding, Tanh))).Named("sum")
	skipped := Functional(Inputs(image), Outputs(h.To(Flatten(), Dense(3, Softmax))))
	chain := Sequential(Input(6, 6, 1), Conv2D(3, 3, SamePadding, ReLU, Name("first")), Residual(Conv2D(3, 3, SamePadding, Tanh)), Flatten(), Dense(3, Softmax))
	sum := map[*Model]string{skipped: "sum", chain: "residual_1"}
	for i, p := range chain.Parameters() {
		copy(p.Data(), skipped.Parameters()[i].Data())
	}
	x := weights(zeros([]int{4, 6, 6, 1}), 0)
	for _, explain := range []func(m *Model) (*Tensor, error){
		func(m *Model) (*Tensor, error) { return Saliency(m, x, 1) },
		func(m *Model) (*Tensor, error) { return IntegratedGradients(m, x, 2, 5) },
		func(m *Model) (*Tensor, error) { return GradCAM(m, x, "first", 0) },
		func(m *Model) (*Tensor, error) { return GradCAM(m, x, sum[m], 0) },
		func(m *Model) (*Tensor, error) { return Activations(m, x, sum[m]) },
		func(m *Model) (*Tensor, error) { return Occlusion(m, x, 0, 2) },
	} {
		want := must(explain(chain))(t)
		if got, err := explain(skipped); err != nil || far(got.Data(), widen(want.Data()), 1) > 1e-6 {
			t.Errorf("%v (%v) is not %v", got, err, want)
		}
	}
	if a, err := Activations(skipped, x, "sum"); err != nil || !slices.Equal(a.Shape(), []int{4, 6, 6, 3}) {
		t.Errorf("the sum is %v (%v)", a, err)
	}
}

// A training that runs away names the layer of a graph.
func TestGraphNamesWhereNumbersEnd(t *testing.T) {
	a, b := Input(2).Named("a"), Input(2).Named("b")
	bad := b.To(Lambda("logarithm", func(x *Tensor) *Tensor { return x.Shift(-10).Log() }))
	m := Functional(Inputs(a, b), Outputs(Add(a.To(Dense(2)), bad).To(Dense(1))))
	if err := m.Compile(Adam(), MeanSquaredError); err != nil {
		t.Fatal(err)
	}
	x := [][]float64{{1, 2}, {3, 4}}
	_, err := m.Fit([]any{x, x}, []float64{1, 2}, Verbose(0))
	if err == nil || !strings.Contains(err.Error(), `the output of lambda layer "logarithm" (layer 1) is the first that is not finite`) {
		t.Errorf("the error is %v", err)
	}
}
