package nnkit

import (
	"math"
	"testing"
)

// trainedOn is a model that has learnt to tell stripes apart.
func trainedOn(t *testing.T) (*Model, *Tensor, []int) {
	t.Helper()
	x, y := stripes(200)
	m := Sequential(Conv2D(8, 3, ReLU, SamePadding), MaxPooling2D(2), Conv2D(8, 3, ReLU, Name("last")), GlobalAveragePooling2D(), Dense(3, Softmax))
	train(t, m, SparseCategoricalCrossEntropy, x, y, Epochs(15))
	return m, x, y
}

// The gradient of an output before its softmax is what small changes of the input make of it.
func TestInputGradient(t *testing.T) {
	x, y := blobs(60, 5, 3)
	m := Sequential(Dense(8, Tanh), Dense(3, Softmax))
	train(t, m, SparseCategoricalCrossEntropy, x, y, Epochs(5))
	const output, h = 1, 1e-2
	g, err := InputGradient(m, x[:7], output)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Saliency(m, x[:7], output)
	if err != nil {
		t.Fatal(err)
	}
	logit := func(row []float64) float64 { // up to what all share
		p, err := m.Predict(row)
		if err != nil {
			t.Fatal(err)
		}
		return math.Log(float64(p.At(0, output)))
	}
	others := func(row []float64) (sum float64) { // the gradient of log p is that of the sum less the mean of all
		p, err := m.Predict(row)
		if err != nil {
			t.Fatal(err)
		}
		for c := range 3 {
			g, err := InputGradient(m, row, c)
			if err != nil {
				t.Fatal(err)
			}
			sum += float64(p.At(0, c)) * float64(g.Data()[0])
		}
		return sum
	}
	for i, row := range x[:7] {
		before := row[0]
		row[0] = before + h
		up := logit(row)
		row[0] = before - h
		down := logit(row)
		row[0] = before
		want := (up-down)/(2*h) + others(row)
		if got := float64(g.At(i, 0)); math.Abs(got-want) > 2e-3 {
			t.Errorf("row %d: the gradient is %v, want %v", i, got, want)
		}
		if s.At(i, 0) != float32(math.Abs(float64(g.At(i, 0)))) {
			t.Errorf("row %d: the saliency is %v, the gradient %v", i, s.At(i, 0), g.At(i, 0))
		}
	}
}

// Integrated gradients add up to the change of the output.
func TestIntegratedGradients(t *testing.T) {
	x, _ := blobs(60, 5, 2)
	y := make([]float64, len(x))
	for i, row := range x {
		y[i] = row[0] * row[1]
	}
	m := Sequential(Dense(8, Tanh), Dense(1))
	train(t, m, MeanSquaredError, x, y, Epochs(20))
	g, err := IntegratedGradients(m, x, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	base, err := m.Predict(make([]float64, 5))
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		sum := 0.0
		for j := range 5 {
			sum += float64(g.At(i, j))
		}
		if want := float64(p.At(i, 0) - base.At(0, 0)); math.Abs(sum-want) > 1e-2 {
			t.Errorf("row %d: the contributions add up to %v, the output changes by %v", i, sum, want)
		}
	}
}

// A model that looks at one half of the image alone is seen to.
func TestImagesExplained(t *testing.T) {
	m, x, y := trainedOn(t)
	cam, err := GradCAM(m, x, "last", y[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := shapeText(cam.Shape()); got != "(200, 4, 4)" {
		t.Errorf("the maps have the shape %s", got)
	}
	some := false
	for _, v := range cam.Data() {
		if v < 0 {
			t.Fatal("a map is negative")
		}
		some = some || v > 0
	}
	if !some {
		t.Error("the maps are empty")
	}
	a, err := Activations(m, x, "last")
	if err != nil || shapeText(a.Shape()) != "(200, 4, 4, 8)" {
		t.Errorf("the activations are %v (%v)", a.Shape(), err)
	}

	// Only the left half counts: nothing on the right can matter.
	half := Sequential(Lambda("left", func(x *Tensor) *Tensor {
		mask := zeros([]int{12, 12, 1})
		for i := range 12 * 12 {
			if i%12 < 6 {
				mask.data[i] = 1
			}
		}
		return x.Mul(mask)
	}), Flatten(), Dense(3, Softmax))
	train(t, half, SparseCategoricalCrossEntropy, x, y, Epochs(3))
	s, err := Saliency(half, x, 0)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Occlusion(half, x, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	left := 0.0
	for i := range 200 * 144 {
		if i%12 >= 6 && (s.Data()[i] != 0 || o.Data()[i] != 0) {
			t.Fatalf("place %d of image %d counts: %v, %v", i%144, i/144, s.Data()[i], o.Data()[i])
		}
		left += math.Abs(float64(o.Data()[i]))
	}
	if left == 0 {
		t.Error("nothing counts")
	}
}

// A feature that decides is important, one that is noise is not.
func TestPermutationImportance(t *testing.T) {
	x, _ := blobs(300, 3, 2)
	y := make([]int, len(x))
	for i, row := range x {
		if row[1] > 0 {
			y[i] = 1
		}
	}
	m := Sequential(Dense(8, ReLU), Dense(1, Sigmoid))
	train(t, m, BinaryCrossEntropy, x, y, Epochs(30))
	importance, err := PermutationImportance(m, x, y, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if importance[1] < 5*max(importance[0], importance[2]) || importance[1] < 0.3 {
		t.Errorf("the importances are %v", importance)
	}
}

func TestExplainErrors(t *testing.T) {
	m, x, y := trainedOn(t)
	only := func(_ any, err error) error { return err }
	for _, test := range []struct {
		err  error
		want string
	}{
		{only(Saliency(m, x, 3)), "Saliency: there is no output 3: the model has the outputs 0 to 2"},
		{only(InputGradient(nil, x, 0)), "InputGradient: " + noModel},
		{only(InputGradient(Sequential(Dense(1)), x, 0)), "InputGradient: the model has seen no data yet and does not know its number of inputs: Fit it first, or begin it with nnkit.Input(features)"},
		{only(IntegratedGradients(m, x, 0, 0)), "IntegratedGradients: 0 steps: there must be at least 1"},
		{only(GradCAM(m, x, "first", 0)), `GradCAM: there is no layer "first": see the model's summary for their names`},
		{only(GradCAM(m, x, "dense_1", 0)), `GradCAM: layer "dense_1" puts out rows of shape (3), and images of shape (height, width, channels) are needed: name a convolutional layer`},
		{only(Occlusion(m, x, 0, 0)), "Occlusion: the size 0 must be at least 1"},
		{only(Occlusion(m, x, -1, 3)), "Occlusion: there is no output -1: the model has the outputs 0 to 2"},
		{only(PermutationImportance(m, x, y, 0, 1)), "PermutationImportance: 0 repeats: there must be at least 1"},
		{only(Activations(m, [][]float64{{1, 2}}, "last")), `Activations: x has the shape (1, 2), but conv2d layer "conv2d_1" (layer 1) wants rows of shape (12, 12, 1): give it such rows, or make a new model`},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", test.err, test.want)
		}
	}
}
