package nnkit

import (
	"math"
	"slices"
	"testing"
)

// A model within another one brings what it has learnt, and is trained with it.
func TestModelWithinModel(t *testing.T) {
	x, y := blobs(90, 6, 3)
	inner := Sequential(Dense(8, ReLU), Dense(4, Tanh))
	whole := Sequential(inner, Dense(3, Softmax))
	flat := Sequential(Dense(8, ReLU), Dense(4, Tanh), Dense(3, Softmax))
	a := train(t, whole, SparseCategoricalCrossEntropy, x, y, Epochs(3))
	b := train(t, flat, SparseCategoricalCrossEntropy, x, y, Epochs(3))
	if hash(t, a) != hash(t, b) {
		t.Error("the numbers are others than those of the same layers in one model")
	}
	var names []string
	for _, p := range whole.Parameters() {
		names = append(names, p.Name())
	}
	want := []string{
		"sequential_1/dense_1/kernel", "sequential_1/dense_1/bias", "sequential_1/dense_2/kernel", "sequential_1/dense_2/bias",
		"dense_1/kernel", "dense_1/bias",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the parameters are %v", names)
	}
	_, err := inner.Fit(x, y)
	if want := `Fit: the model is part of another one, as its layer "sequential_1": train that one`; err == nil || err.Error() != want {
		t.Errorf("the error is %v", err)
	}
	h, err := inner.Predict(x[:1])
	if err != nil || h.Len() != 4 {
		t.Errorf("the inner model predicts %v (%v)", h, err)
	}

	// What was trained before stays.
	first := Sequential(Dense(5, Tanh), Dense(3, Softmax))
	train(t, first, SparseCategoricalCrossEntropy, x, y, Epochs(3))
	before := slices.Clone(first.Parameters()[0].Data())
	head := Sequential(first, Dense(2, Softmax))
	if err := head.Compile(Adam(), SparseCategoricalCrossEntropy); err != nil {
		t.Fatal(err)
	}
	if _, err := head.Fit(x, make([]int, len(x)), Verbose(0)); err != nil {
		t.Fatal(err)
	}
	after := head.Parameters()[0].Data()
	near := 0.0
	for i, v := range before {
		near = max(near, math.Abs(float64(v-after[i])))
	}
	if near == 0 || near > 0.05 {
		t.Errorf("a weight of the trained model has moved by %v in one epoch", near)
	}
	if err := head.Reset(3); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(head.Parameters()[0].Data(), before) {
		t.Error("Reset has left the inner model's weights")
	}
}

// A training loop of one's own takes the steps that Fit takes.
func TestOwnTrainingLoop(t *testing.T) {
	x, _ := blobs(64, 6, 2)
	y := make([][]float64, len(x))
	for i, row := range x {
		y[i] = []float64{math.Tanh(row[0])}
	}
	in, truth := must(TensorOf(x))(t), must(TensorOf(y))(t)
	layers := func() *Model { return Sequential(Input(6), Dense(8, Tanh), Dense(1)) }
	fitted, own := layers(), layers()
	for _, m := range []*Model{fitted, own} {
		if err := m.Compile(Adam(), MeanSquaredError); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := fitted.Fit(x, y, FullBatch(), Epochs(20), Shuffle(false), Verbose(0)); err != nil {
		t.Fatal(err)
	}
	tape := NewTrainingTape(1)
	step := func() {
		tape.Reset()
		loss := own.Forward(tape.Constant(in)).Sub(truth).Square().Mean()
		if err := tape.Backward(loss); err != nil {
			t.Fatal(err)
		}
		if err := own.ApplyGradients(tape); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		step()
	}
	for i, p := range own.Parameters() {
		for j, v := range p.Data() {
			if w := fitted.Parameters()[i].Data()[j]; math.Abs(float64(v-w)) > 1e-5 {
				t.Fatalf("%s[%d] is %v, Fit's %v", p.Name(), j, v, w)
			}
		}
	}
	if n := testing.AllocsPerRun(5, step); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}
