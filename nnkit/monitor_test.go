package nnkit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// scripted shows a callback scores, one an epoch, of a model whose only weight is the epoch, and returns the rates that
// epochs began with and how many epochs there were.
func scripted(t *testing.T, c Callback, scores ...float64) (rates []float64, m *Model) {
	t.Helper()
	m, s := loose(t, SGD(LearningRate(1)), []float32{0})
	h := newHistory(m, []string{"loss", "val_loss", "val_accuracy"}, map[string]bool{"val_accuracy": true}, 0)
	state := &Training{Model: m, History: h, Epochs: len(scores), step: s, Scores: Scores{h.names, make([]float64, 3)}}
	c.TrainBegin(state)
	for _, v := range scores {
		state.Epoch++
		rates = append(rates, state.LearningRate())
		m.weights[0] = float32(state.Epoch)
		state.Scores.values[1], state.Scores.values[2] = v, v
		c.EpochEnd(state)
		if state.stopped {
			break
		}
	}
	c.TrainEnd(state)
	if state.err != nil {
		t.Error(state.err)
	}
	return rates, m
}

func TestEarlyStopping(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name    string
		stopper *Stopper
		scores  []float64
		epochs  int
		best    int
		weight  float32
	}{
		{"at the first that is no better", EarlyStopping(), []float64{3, 2, 2, 1}, 3, 2, 3},
		{"never", EarlyStopping(), []float64{4, 3, 2, 1}, 4, 4, 4},
		{"with patience", EarlyStopping(Patience(2)), []float64{3, 4, 2, 3, 3, 1}, 5, 3, 5},
		{"best weights", EarlyStopping(Patience(2), RestoreBestWeights()), []float64{3, 4, 2, 3, 3, 1}, 5, 3, 3},
		{"best weights, at the end", EarlyStopping(Patience(9), RestoreBestWeights()), []float64{3, 1, 2}, 3, 2, 2},
		{"a small gain", EarlyStopping(Patience(1), MinDelta(0.5)), []float64{3, 2.7, 2.6}, 2, 1, 2},
		{"more is better", EarlyStopping(Monitor("val_accuracy")), []float64{0.5, 0.6, 0.55}, 3, 2, 3},
		{"more is said to be better", EarlyStopping(MaxMode), []float64{0.5, 0.6, 0.55}, 3, 2, 3},
		{"less is said to be better", EarlyStopping(Monitor("val_accuracy"), MinMode), []float64{0.6, 0.5, 0.55}, 3, 2, 3},
		{"a baseline that is not reached", EarlyStopping(Patience(3), Baseline(1)), []float64{5, 4, 3, 3.5, 1}, 4, 3, 4},
		{"a late start", EarlyStopping(StartFromEpoch(3), RestoreBestWeights()), []float64{1, 2, 3, 4, 5}, 4, 3, 3},
		{"no number", EarlyStopping(Patience(1), RestoreBestWeights()), []float64{nan, nan, 1}, 2, 1, 1},
	} {
		rates, m := scripted(t, test.stopper, test.scores...)
		if len(rates) != test.epochs || test.stopper.BestEpoch() != test.best || m.weights[0] != test.weight {
			t.Errorf("%s: %d epochs, the best %d, the weights those of %v; want %d, %d and %v",
				test.name, len(rates), test.stopper.BestEpoch(), m.weights[0], test.epochs, test.best, test.weight)
		}
	}
}

func TestReduceLROnPlateau(t *testing.T) {
	for _, test := range []struct {
		name    string
		reducer *PlateauReducer
		scores  []float64
		rates   []float64
	}{
		{"patience", ReduceLROnPlateau(Patience(2), Factor(0.5)), []float64{3, 3, 3, 3, 3, 2, 2}, []float64{1, 1, 1, 0.5, 0.5, 0.25, 0.25}},
		{"cooldown", ReduceLROnPlateau(Patience(1), Factor(0.5), Cooldown(2)), []float64{3, 3, 3, 3, 3, 3}, []float64{1, 1, 0.5, 0.5, 0.25, 0.25}},
		{"a least rate", ReduceLROnPlateau(Patience(1), Factor(0.5), MinLearningRate(0.4)), []float64{3, 3, 3, 3, 3}, []float64{1, 1, 0.5, 0.4, 0.4}},
		{"a small gain", ReduceLROnPlateau(Patience(1), MinDelta(0.5), Factor(0.5)), []float64{3, 2.7, 2.6}, []float64{1, 1, 0.5}},
	} {
		if rates, _ := scripted(t, test.reducer, test.scores...); !slices.Equal(rates, test.rates) {
			t.Errorf("%s: the rates are %v, want %v", test.name, rates, test.rates)
		}
	}
}

// In a Fit the callbacks see what validation sees, and what is wrong with them is told before the first epoch.
func TestMonitorsInFit(t *testing.T) {
	x, y := blobs(60, 3, 2)
	m := Sequential(Dense(8, ReLU), BatchNormalization(), Dense(1, Sigmoid))
	if err := m.Compile(Adam(LearningRate(0.5), MovingAverage(0.9)), BinaryCrossEntropy, Accuracy); err != nil {
		t.Fatal(err)
	}
	stopper := EarlyStopping(Patience(3), RestoreBestWeights())
	h, err := m.Fit(x, y, Epochs(60), ValidationData(x[:20], y[:20]), Verbose(0), stopper)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Evaluate(x[:20], y[:20])
	if err != nil || s.Value("loss") != h.Series("val_loss")[stopper.BestEpoch()-1] || h.BestEpoch() != stopper.BestEpoch() {
		t.Errorf("the loss is %v, %v; that of the best epoch, %d, was %v", s.Value("loss"), err, stopper.BestEpoch(), h.Series("val_loss"))
	}
	for _, test := range []struct {
		callback Callback
		want     string
	}{
		{EarlyStopping(), `EarlyStopping: there is no "val_loss" without validation: give Fit nnkit.ValidationSplit(0.2), or write nnkit.Monitor("loss")`},
		{EarlyStopping(Monitor("f1")), `EarlyStopping: there is no score "f1" to monitor: there are loss, accuracy`},
		{EarlyStopping(Monitor("loss"), Patience(-1)), "EarlyStopping(Patience(-1)): it must be at least 0"},
		{EarlyStopping(Monitor("loss"), MinDelta(-1)), "EarlyStopping(MinDelta(-1)): it must be at least 0"},
		{ReduceLROnPlateau(Monitor("loss"), Factor(1)), "ReduceLROnPlateau(Factor(1)): it must be above 0 and below 1"},
		{ReduceLROnPlateau(Monitor("loss"), Cooldown(-1)), "ReduceLROnPlateau: Cooldown(-1) and MinLearningRate(0) must be at least 0"},
	} {
		h, err := m.Fit(x, y, Verbose(0), Callbacks(test.callback))
		if err == nil || !strings.Contains(err.Error(), test.want) || h.Epochs() != 0 {
			t.Errorf("the error is\n%v\nwant\n%s", err, test.want)
		}
	}
	if err := m.Compile(Adam(LearningRate(CosineDecay(0.1, 10))), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	_, err = m.Fit(x, y, Verbose(0), ReduceLROnPlateau(Monitor("loss")))
	if err == nil || !strings.Contains(err.Error(), "ReduceLROnPlateau: the learning rate follows CosineDecay(0.1, 10)") {
		t.Errorf("a schedule beside ReduceLROnPlateau gives %v", err)
	}
}

// A training that runs away says where.
func TestNotFinite(t *testing.T) {
	x, y := blobs(64, 3, 2)
	fit := func(layers ...Layer) string {
		m := Sequential(layers...)
		if err := m.Compile(SGD(), MeanSquaredError); err != nil {
			t.Fatal(err)
		}
		_, err := m.Fit(x, y, Verbose(0))
		if err == nil {
			t.Fatal("no error")
		}
		return err.Error()
	}
	explode := Lambda("explode", func(x *Tensor) *Tensor { return x.Scale(0).Exp().Scale(100).Exp() })
	if got, want := fit(Dense(4), explode, Dense(1)), `in epoch 1, batch 1: the output of lambda layer "explode" (layer 2) is the first that is not finite; use a smaller learning rate (it is 0.01)`; !strings.Contains(got, want) {
		t.Errorf("the error is %q, want %q", got, want)
	}
	// Values are finite here, the slope at 0 is not.
	root := Lambda("root", func(x *Tensor) *Tensor { return x.Scale(0).Sqrt() })
	if got, want := fit(Dense(4), root, Dense(1)), `dense_1/`; !strings.Contains(got, want) || !strings.Contains(got, `of dense layer "dense_1" (layer 1) is no longer finite: its gradient was not`) {
		t.Errorf("the error is %q, want %q", got, want)
	}
}

func TestFindLearningRate(t *testing.T) {
	x, y := blobs(200, 6, 2)
	m := Sequential(Dense(16, ReLU), BatchNormalization(), Dense(1, Sigmoid))
	if err := m.Compile(SGD(Momentum(0.9)), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	twin := Sequential(Dense(16, ReLU), BatchNormalization(), Dense(1, Sigmoid))
	if err := twin.Compile(SGD(Momentum(0.9)), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Model{m, twin} {
		if _, err := m.Fit(x, y, Verbose(0)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := m.FindLearningRate(x, y, FromRate(1e-6), ToRate(1e4), RateSteps(120))
	if err != nil {
		t.Fatal(err)
	}
	rates, losses := r.Rates(), r.Losses()
	if len(rates) != len(losses) || len(rates) < 20 || rates[0] != 1e-6 || !slices.IsSorted(rates) {
		t.Fatalf("%d rates from %v for %d losses", len(rates), rates[0], len(losses))
	}
	if ratio := rates[19] / rates[18]; math.Abs(ratio-math.Pow(1e10, 1./119)) > 1e-6 {
		t.Errorf("the rate rises by %v", ratio)
	}
	if s := r.Suggestion(); !(s > 1e-5 && s < 100) || !slices.Contains(rates, s) {
		t.Errorf("the suggestion is %v", s)
	}
	if text := r.String(); !strings.Contains(text, "the model had been trained for 1 epoch: this is a rate to go on with") {
		t.Errorf("of a trained model it says %s", text)
	}
	// The test leaves no trace: training goes on as that of a twin who was not tested, to the bit.
	for _, m := range []*Model{m, twin} {
		if _, err := m.Fit(x, y, Verbose(0)); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(m.weights, twin.weights) || !slices.Equal(m.States()[0].Data(), twin.States()[0].Data()) {
		t.Error("the test has changed the model")
	}
	for _, test := range []struct {
		option RateTestOption
		want   string
	}{
		{FromRate(0), "FindLearningRate: FromRate(0), ToRate(10): the first must be above 0 and below the second"},
		{RateSteps(2), "FindLearningRate: RateSteps(2): it must be at least 10"},
		{RateBatchSize(0), "FindLearningRate: RateBatchSize(0): it must be at least 1"},
	} {
		if _, err := m.FindLearningRate(x, y, test.option); err == nil || err.Error() != test.want {
			t.Errorf("the error is %v, want %s", err, test.want)
		}
	}
}

func ExampleEarlyStopping() {
	x := [][]float64{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}}
	y := []float64{1, 3, 5, 7, 9, 11, 13, 15}
	model := Sequential(Dense(1))
	if err := model.Compile(SGD(LearningRate(0.02)), MeanSquaredError); err != nil {
		fmt.Println(err)
		return
	}
	stopping := EarlyStopping(Monitor("loss"), MinDelta(1e-6), Patience(5), RestoreBestWeights())
	history, err := model.Fit(x, y, Epochs(10_000), FullBatch(), Verbose(0), stopping)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(history.Epochs() < 10_000, stopping.BestEpoch() == history.Epochs()-5)
	// Output:
	// true true
}
