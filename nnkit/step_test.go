package nnkit

import (
	"testing"
)

// startFit brings a Fit to the point where only steps are left to do.
func startFit(tb testing.TB, batch int, optimizer Optimizer, loss Loss, features int, layers ...Layer) *fit {
	tb.Helper()
	x, y := make([]float32, batch*features), make([]int, batch)
	for i := range x {
		x[i] = float32(i%17)/17 - 0.5
	}
	for i := range y {
		y[i] = i * 7 % 5 % 2
	}
	rows, err := NewTensor(x, batch, features)
	if err != nil {
		tb.Fatal(err)
	}
	return fitOf(tb, Sequential(layers...), batch, optimizer, loss, rows, y)
}

// fitOf is startFit for a model and data.
func fitOf(tb testing.TB, m *Model, batch int, optimizer Optimizer, loss Objective, x, y any, metrics ...Metric) *fit {
	tb.Helper()
	if metrics == nil {
		metrics = []Metric{Accuracy}
	}
	if err := m.Compile(optimizer, loss, metrics...); err != nil {
		tb.Fatal(err)
	}
	s, err := readOptions([]FitOption{BatchSize(batch)})
	if err != nil {
		tb.Fatal(err)
	}
	train, _, err := m.prepare(x, y, s)
	if err != nil {
		tb.Fatal(err)
	}
	m.draw()
	m.step = m.compiled.optimizer.start(len(m.weights))
	if err := m.step.arrange(m.parameters); err != nil {
		tb.Fatal(err)
	}
	f := newFit(tb.Context(), m, s, &train, &rows{})
	f.seeTraining()
	return f
}

// small is the founding example: 8-10-8-1 in batches of 32.
func small(tb testing.TB, optimizer Optimizer) *fit {
	return startFit(tb, 32, optimizer, BinaryCrossEntropy, 8, Dense(10, ReLU), Dense(8, ReLU), Dense(1, Sigmoid))
}

func TestStepAllocatesNothing(t *testing.T) {
	// Large enough that products and optimizer are split.
	large := startFit(t, 64, Adam(), SparseCategoricalCrossEntropy, 128, Dense(300, ReLU), Dense(10, Softmax))
	fits := map[string]*fit{"large, on all cores": large}
	for _, o := range []Optimizer{
		GradientDescent(), SGD(Momentum(0.9), Nesterov()), AdaGrad(), RMSprop(), RMSprop(Momentum(0.5)), Adam(),
	} {
		fits[o.String()] = small(t, o)
	}
	fits["tanh and softmax"] = startFit(t, 16, Adam(), SparseCategoricalCrossEntropy, 5, Dense(4, Tanh), Dense(4, Softmax), Dense(3, Softmax))
	fits["sigmoid and squared error"] = startFit(t, 16, Adam(), MeanSquaredError, 5, Dense(4, Sigmoid), Dense(1))
	for name, f := range fits {
		allocated := testing.AllocsPerRun(5, func() {
			if err := f.batch(f.order); err != nil {
				t.Fatal(err)
			}
		})
		if allocated != 0 {
			t.Errorf("%s: a step allocates %v times", name, allocated)
		}
	}
}

func BenchmarkPredictOneRow(b *testing.B) {
	m := small(b, Adam()).m
	row := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Predict(row); err != nil {
			b.Fatal(err)
		}
	}
}
