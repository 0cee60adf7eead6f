package nnkit

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// reference is what testdata/reference.py had PyTorch compute.
type reference struct {
	Start      []float64
	Gradients  [][]float64
	Optimizers []struct {
		Name string
		Path [][]float64
	}
	Networks []struct {
		Name        string
		Widths      []int
		Activations []string
		Loss        string
		X, Y        []float64
		Start       [][]float64
		Predictions []float64
		Gradients   [][]float64
		Losses      []float64
		End         [][]float64
	}
}

func readReference(t *testing.T) *reference {
	t.Helper()
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	r := new(reference)
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// far returns the largest error, relative to the larger of the value and scale.
func far(got []float32, want []float64, scale float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	worst := 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(float64(got[i])-w)/max(math.Abs(w), scale))
	}
	return worst
}

func TestOptimizersAgreeWithPyTorch(t *testing.T) {
	r := readReference(t)
	tiny := Epsilon(1e-12) // PyTorch adds ε at another place: leave it out of the comparison
	ours := map[string]Optimizer{
		"GradientDescent(0.05)":                GradientDescent(LearningRate(0.05)),
		"SGD(0.05, momentum 0.9)":              SGD(LearningRate(0.05), Momentum(0.9)),
		"SGD(0.05, momentum 0.9, nesterov)":    SGD(LearningRate(0.05), Momentum(0.9), Nesterov()),
		"AdaGrad(0.1)":                         AdaGrad(LearningRate(0.1), tiny),
		"RMSprop(0.01, rho 0.9)":               RMSprop(LearningRate(0.01), tiny),
		"RMSprop(0.01, rho 0.8, momentum 0.7)": RMSprop(LearningRate(0.01), Rho(0.8), Momentum(0.7), tiny),
		"Adam(0.02)":                           Adam(LearningRate(0.02), tiny),
		"Adam(0.02, betas 0.8 0.95)":           Adam(LearningRate(0.02), Beta1(0.8), Beta2(0.95), tiny),
	}
	if len(r.Optimizers) != len(ours) {
		t.Errorf("the reference has %d optimizers, want %d", len(r.Optimizers), len(ours))
	}
	for _, o := range r.Optimizers {
		if ours[o.Name] == nil {
			t.Errorf("%s is not tested", o.Name)
			continue
		}
		follow(t, o.Name, ours[o.Name], appendNarrow(nil, r.Start), r.Gradients, o.Path)
	}
}

// follow takes steps by given gradients and compares the weights after each.
func follow(t *testing.T, name string, o Optimizer, w []float32, gradients, path [][]float64) {
	t.Helper()
	m, s := loose(t, o, w)
	for i, want := range path {
		copy(m.gradients, appendNarrow(nil, gradients[i]))
		if err := s.step(m, 1); err != nil {
			t.Fatal(err)
		}
		if e := far(m.weights[:len(w)], want, 0.1); e > 1e-5 {
			t.Errorf("%s: after step %d the weights are off by %.2g", name, i+1, e)
			return
		}
	}
}

// loose returns a model of nothing but one parameter, and an optimizer at work on it.
func loose(t *testing.T, o Optimizer, w []float32) (*Model, *stepper) {
	t.Helper()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	n := aligned(len(w))
	m := &Model{weights: make([]float32, n), gradients: make([]float32, n)}
	p := newParameter("layer/kernel", Zeros, len(w))
	p.place(m.weights[:len(w)], m.gradients[:len(w)])
	copy(p.Data(), w)
	m.parameters = []*Parameter{p}
	s := o.start(n)
	if err := s.arrange(m.parameters); err != nil {
		t.Fatal(err)
	}
	return m, s
}

func TestTrainingAgreesWithPyTorch(t *testing.T) {
	activations := map[string]Activation{}
	for _, a := range []Activation{Linear, ReLU, Sigmoid, Tanh, Softmax} {
		activations[a.String()] = a
	}
	losses := map[string]Loss{}
	for _, l := range allLosses {
		losses[l.String()] = l
	}
	tiny := Epsilon(1e-12)
	for _, n := range readReference(t).Networks {
		t.Run(n.Name, func(t *testing.T) {
			layers := []Layer{Input(n.Widths[0])}
			for i, a := range n.Activations {
				layers = append(layers, Dense(n.Widths[i+1], activations[a]))
			}
			var optimizer Optimizer = SGD(LearningRate(0.05), Momentum(0.9))
			if n.Name[len(n.Name)-4:] == "Adam" {
				optimizer = Adam(LearningRate(0.01), tiny)
			}
			m := Sequential(layers...)
			if err := m.Compile(optimizer, losses[n.Loss]); err != nil {
				t.Fatal(err)
			}
			for i, p := range m.Parameters() {
				copy(p.Data(), appendNarrow(nil, n.Start[i]))
			}
			rows := len(n.X) / n.Widths[0]
			x := mustTensor(t, n.X, rows)
			y := mustTensor(t, n.Y, rows)
			p, err := m.Predict(x)
			if err != nil {
				t.Fatal(err)
			}
			if e := far(p.Data(), n.Predictions, 0.1); e > 1e-5 {
				t.Errorf("the predictions are off by %.2g", e)
			}
			h, err := m.Fit(x, y, FullBatch(), Epochs(len(n.Losses)), Shuffle(false), Verbose(0), OnBatchEnd(func(s *Training) {
				if s.Epoch > 1 {
					return
				}
				for i, p := range m.Parameters() {
					if e := far(p.Gradient(), n.Gradients[i], 0.01); e > 1e-5 {
						t.Errorf("the gradient of %s is off by %.2g", p.Name(), e)
					}
				}
			}))
			if err != nil {
				t.Fatal(err)
			}
			if e := far(appendNarrow(nil, h.Series("loss")), n.Losses, 0.1); e > 1e-5 {
				t.Errorf("the losses are off by %.2g", e)
			}
			for i, p := range m.Parameters() {
				// Adam divides by gradients that may be near zero, which lets float32's rounding grow.
				if e := far(p.Data(), n.End[i], 0.1); e > 2e-5 {
					t.Errorf("%s is off by %.2g after %d steps", p.Name(), e, len(n.Losses))
				}
			}
		})
	}
}

func mustTensor(t *testing.T, values []float64, rows int) *Tensor {
	t.Helper()
	x, err := NewTensor(appendNarrow(nil, values), rows, len(values)/rows)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

var allLosses = []Loss{
	BinaryCrossEntropy, CategoricalCrossEntropy, SparseCategoricalCrossEntropy, KLDivergence, BinaryFocalCrossEntropy(1.5), CategoricalFocalCrossEntropy(1.5),
	MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Huber(0.7), LogCosh, Poisson,
	Hinge, SquaredHinge, CategoricalHinge, CosineSimilarity,
}

// Keras' rules differ from PyTorch's in where ε is added; these two steps were worked out by hand from Keras' formulas.
func TestEpsilonIsWhereKerasHasIt(t *testing.T) {
	for _, test := range []struct {
		optimizer Optimizer
		want      float64 // of a weight 1 after one step with gradient 0.5 and ε 0.25
	}{
		{AdaGrad(LearningRate(0.1), InitialAccumulator(0.5), Epsilon(0.25)), 1 - 0.1*0.5/1},                     // √(0.5+0.25+0.25)
		{RMSprop(LearningRate(0.1), Rho(0.5), Epsilon(0.25)), 1 - 0.1*0.5/math.Sqrt(0.125+0.25)},                // √(0.5·0.25+ε)
		{Adam(LearningRate(0.1), Epsilon(0.25)), 1 - 0.1*math.Sqrt(0.001)/0.1*0.05/(0.5*math.Sqrt(0.001)+0.25)}, // ε-hat
	} {
		follow(t, test.optimizer.String(), test.optimizer, []float32{1}, [][]float64{{0.5}}, [][]float64{{test.want}})
	}
}

func ExampleOptimizer() {
	fmt.Println(Adam())
	fmt.Println(SGD(LearningRate(0.1), Momentum(0.9), Nesterov()))
	fmt.Println(RMSprop(Rho(0.95)))
	// Output:
	// Adam(LearningRate 0.001, Beta1 0.9, Beta2 0.999, Epsilon 1e-07)
	// SGD(LearningRate 0.1, Momentum 0.9, Nesterov)
	// RMSprop(LearningRate 0.001, Rho 0.95, Momentum 0, Epsilon 1e-07)
}
