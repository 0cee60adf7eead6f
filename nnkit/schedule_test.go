package nnkit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSchedulesAgreeWithTheReference(t *testing.T) {
	ours := map[string]Schedule{}
	for _, s := range []Schedule{
		ExponentialDecay(0.1, 7, 0.9),
		ExponentialDecay(0.1, 7, 0.9, Staircase()),
		InverseTimeDecay(0.1, 7, 0.5),
		InverseTimeDecay(0.1, 7, 0.5, Staircase()),
		PolynomialDecay(0.1, 30),
		PolynomialDecay(0.1, 30, EndLearningRate(0.01), Power(0.5)),
		PolynomialDecay(0.1, 30, Power(2), Cycle()),
		CosineDecay(0.1, 30),
		CosineDecay(0.1, 30, Alpha(0.1)),
		Warmup(8, CosineDecay(0.1, 20)),
		CosineDecayRestarts(0.1, 5),
		CosineDecayRestarts(0.1, 5, TMul(1), MMul(0.9), Alpha(0.05)),
		OneCycle(0.1, 40),
		OneCycle(0.1, 40, PercentStart(0.5), DivFactor(10), FinalDivFactor(100)),
	} {
		if s.err != nil {
			t.Errorf("%v: %v", s, s.err)
		}
		ours[s.String()] = s
	}
	r := readOptimizerReference(t)
	if len(r.Schedules) != len(ours) {
		t.Errorf("the reference has %d schedules, want %d", len(r.Schedules), len(ours))
	}
	for _, want := range r.Schedules {
		s, ok := ours[want.Text]
		if !ok {
			t.Errorf("%s is not tested", want.Text)
			continue
		}
		for i, step := range want.Steps {
			if got := s.Rate(step); math.Abs(got-want.Rates[i]) > 1e-9*max(want.Rates[i], 0.1) {
				t.Errorf("%v: the rate is %v at step %d, want %v", s, got, step, want.Rates[i])
			}
		}
	}
}

func TestPiecewiseConstantDecay(t *testing.T) {
	s := PiecewiseConstantDecay([]int{2, 5}, []float64{1, 0.5, 0.1})
	want := []float64{1, 1, 1, 0.5, 0.5, 0.5, 0.1, 0.1}
	for step, w := range want {
		if got := s.Rate(step); got != w {
			t.Errorf("the rate is %v at step %d, want %v", got, step, w)
		}
	}
}

func TestWarmupOfANumber(t *testing.T) {
	s := Warmup(4, 0.2)
	for step, want := range []float64{0.05, 0.1, 0.15, 0.2, 0.2, 0.2} {
		if got := s.Rate(step); math.Abs(got-want) > 1e-15 {
			t.Errorf("the rate is %v at step %d, want %v", got, step, want)
		}
	}
}

// The rates that batches get are those of the schedule, through epochs and calls of Fit; the History has that of each
// epoch's last batch.
func TestScheduleInFit(t *testing.T) {
	x, y := blobs(30, 3, 2)
	schedule := ExponentialDecay(0.1, 4, 0.5)
	m := Sequential(Dense(1, Sigmoid))
	if err := m.Compile(SGD(LearningRate(schedule)), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	batch := 0
	var last []float64
	for range 2 {
		var rates []float64
		h, err := m.Fit(x, y, Epochs(2), BatchSize(10), Verbose(0), OnBatchEnd(func(s *Training) {
			if want := schedule.Rate(batch); s.LearningRate() != want {
				t.Errorf("the rate of batch %d is %v, want %v", batch, s.LearningRate(), want)
			}
			if batch++; s.Batch == s.Batches {
				rates = append(rates, s.LearningRate())
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if last = h.Series("learning_rate"); !slices.Equal(last, rates) || !slices.Equal(h.Names(), []string{"loss", "learning_rate"}) {
			t.Errorf("the history has %v as %v, want %v", last, h.Names(), rates)
		}
		if h.BestEpochBy("learning_rate") != 0 || h.BestEpochBy("loss") == 0 {
			t.Error("a learning rate is the best, or no loss is")
		}
		if !strings.Contains(h.String(), "learning_rate") {
			t.Errorf("the table has no rates:\n%s", h)
		}
	}
	h, err := m.Fit(x, y, Verbose(0), OnBatchEnd(func(s *Training) { s.SetLearningRate(0.1) }))
	if err == nil || !strings.Contains(err.Error(), "SetLearningRate: the learning rate follows ExponentialDecay(0.1, 4, 0.5)") || h.Epochs() != 0 {
		t.Errorf("to set the rate beside a schedule gives %v", err)
	}
	if err := m.Compile(SGD(), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	if h, err = m.Fit(x, y, Epochs(2), Verbose(0)); err != nil || !slices.Equal(h.Names(), []string{"loss"}) {
		t.Errorf("the history of a constant rate has %v, %v", h.Names(), err)
	}
}

func TestScheduleErrors(t *testing.T) {
	for _, test := range []struct {
		schedule Schedule
		want     string
	}{
		{ExponentialDecay(-1, 10, 0.9), "ExponentialDecay(initial(-1)): it must be a number above 0"},
		{ExponentialDecay(1, 0, 0.9), "ExponentialDecay(decaySteps(0)): it must be a number above 0"},
		{ExponentialDecay(1, 10, 0.9, Cycle()), "ExponentialDecay: Cycle is not an option of it"},
		{PiecewiseConstantDecay([]int{1}, []float64{1}), "1 boundaries want 2 values, one more, and there are 1"},
		{PiecewiseConstantDecay([]int{3, 1}, []float64{1, 2, 3}), "the boundaries [3 1] must rise"},
		{CosineDecayRestarts(1, 10, TMul(0.5)), "CosineDecayRestarts(TMul(0.5)): it must be at least 1"},
		{Warmup(0, 0.1), "Warmup(steps(0)): it must be a number above 0"},
		{Warmup(5, -0.1), "Warmup(rate(-0.1)): it must be a number above 0"},
		{Warmup(5, CosineDecay(0, 10)), "CosineDecay(initial(0)): it must be a number above 0"},
		{OneCycle(0.1, 3), "it wants at least 7 batches"},
		{ScheduleFunc("mine", nil), `ScheduleFunc("mine", nil): the function is missing`},
	} {
		err := Sequential(Dense(1)).Compile(SGD(LearningRate(test.schedule)), MeanSquaredError)
		if err == nil || !strings.Contains(err.Error(), "Compile: SGD(LearningRate(…)): ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("the error is\n%v\nwant\n%s", err, test.want)
		}
	}
	x, y := blobs(30, 3, 2)
	m := Sequential(Dense(1, Sigmoid))
	if err := m.Compile(SGD(LearningRate(ScheduleFunc("mine", func(step int) float64 { return 1 - float64(step) }))), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	_, err := m.Fit(x, y, BatchSize(10), Verbose(0))
	if err == nil || !strings.Contains(err.Error(), "the learning rate of mine is -1 after 2 batches: it must be a number of at least 0") {
		t.Errorf("a negative rate gives %v", err)
	}
}

func ExampleCosineDecay() {
	s := Warmup(2, CosineDecay(0.1, 4))
	for step := range 7 {
		fmt.Printf("%.3f ", s.Rate(step))
	}
	fmt.Printf("%.3f\n", s.Rate(7))
	fmt.Println(AdamW(LearningRate(s), GlobalClipNorm(1)))
	// Output:
	// 0.050 0.100 0.100 0.085 0.050 0.015 0.000 0.000
	// AdamW(LearningRate Warmup(2, CosineDecay(0.1, 4)), Beta1 0.9, Beta2 0.999, Epsilon 1e-07, WeightDecay 0.004, GlobalClipNorm 1)
}
