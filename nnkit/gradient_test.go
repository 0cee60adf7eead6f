package nnkit

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// The network once more, as naive as can be and in float64, to judge the one that is trained.

func naiveActivation(name string, z []float64) []float64 {
	y := make([]float64, len(z))
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(v)
	}
	for i, v := range z {
		switch name {
		case "linear":
			y[i] = v
		case "relu":
			y[i] = max(v, 0)
		case "sigmoid":
			y[i] = 1 / (1 + math.Exp(-v))
		case "tanh":
			y[i] = math.Tanh(v)
		case "softmax":
			y[i] = math.Exp(v) / sum
		}
	}
	return y
}

func naiveLoss(name string, p, y []float64) float64 {
	sum := 0.0
	var pp, yy, py float64
	rival := math.Inf(-1)
	for i, v := range p {
		w := y[min(i, len(y)-1)]
		pp, yy, py, rival = pp+v*v, yy+w*w, py+v*w, max(rival, (1-w)*v)
	}
	switch name {
	case "cosine_similarity":
		return -py / math.Sqrt(pp*yy)
	case "categorical_hinge":
		return max(0, 1+rival-py)
	}
	for i, v := range p {
		switch name {
		case "binary_crossentropy":
			sum -= (y[i]*math.Log(v) + (1-y[i])*math.Log(1-v)) / float64(len(p))
		case "categorical_crossentropy":
			sum -= y[i] * math.Log(v)
		case "sparse_categorical_crossentropy":
			if i == int(y[0]) {
				sum -= math.Log(v)
			}
		case "mean_squared_error":
			sum += (v - y[i]) * (v - y[i]) / float64(len(p))
		case "mean_absolute_error":
			sum += math.Abs(v-y[i]) / float64(len(p))
		case "mean_absolute_percentage_error":
			sum += 100 * math.Abs(v-y[i]) / math.Abs(y[i]) / float64(len(p))
		case "mean_squared_logarithmic_error":
			d := math.Log1p(max(v, 1e-7)) - math.Log1p(y[i])
			sum += d * d / float64(len(p))
		case "huber":
			d := math.Abs(v - y[i])
			sum += (d*d/2 - max(0, d-0.7)*max(0, d-0.7)/2) / float64(len(p))
		case "log_cosh":
			sum += math.Log(math.Cosh(v-y[i])) / float64(len(p))
		case "poisson":
			sum += (v - y[i]*math.Log(v+1e-7)) / float64(len(p))
		case "kl_divergence":
			sum += y[i] * math.Log(y[i]/v)
		case "binary_focal_crossentropy":
			q := y[i]*v + (1-y[i])*(1-v)
			sum -= math.Pow(1-q, 1.5) * (y[i]*math.Log(v) + (1-y[i])*math.Log(1-v)) / float64(len(p))
		case "categorical_focal_crossentropy":
			sum -= y[i] * math.Pow(1-v, 1.5) * math.Log(v)
		case "hinge":
			sum += max(0, 1-y[i]*v) / float64(len(p))
		case "squared_hinge":
			sum += max(0, 1-y[i]*v) * max(0, 1-y[i]*v) / float64(len(p))
		}
	}
	return sum
}

// naiveMean is the mean loss of all rows, for weights given parameter by parameter.
func naiveMean(m *Model, weights [][]float64, x, y [][]float64) float64 {
	total := 0.0
	for r, h := range x {
		at := 0
		for _, l := range m.Layers() {
			z := make([]float64, l.OutputShape[0])
			kernel := weights[at]
			at++
			if len(l.Parameters) > 1 {
				copy(z, weights[at])
				at++
			}
			for i, v := range h {
				for j := range z {
					z[j] += v * kernel[i*len(z)+j]
				}
			}
			h = naiveActivation(l.Activation, z)
		}
		total += naiveLoss(m.targets[0].loss.String(), h, y[r])
	}
	return total / float64(len(x))
}

// outputOf describes an output without a model.
func outputOf(a Activation, width int) output {
	return output{where: "the output", activation: a, width: width}
}

// Every activation within the network and every pair of output and loss that Compile allows, with and without bias:
// loss and gradients against central differences.
func TestGradients(t *testing.T) {
	activations := []Activation{Linear, ReLU, Sigmoid, Tanh, Softmax}
	const rows, features = 6, 3
	random := random.Stream{Seed: 4}
	at := 0
	next := func() float64 { at++; return random.Normal(at) }
	tried := 0
	for _, inside := range activations {
		for _, output := range activations {
			for _, loss := range allLosses {
				for _, width := range []int{1, 3} {
					for _, bias := range []bool{true, false} {
						if width == 1 && output == Softmax || loss.suits(outputOf(output, width)) != nil {
							continue
						}
						if loss == CosineSimilarity && width == 1 { // constant but for its sign
							continue
						}
						if loss == Poisson && output == ReLU { // 1e7 at 0
							continue
						}
						tried++
						name := fmt.Sprintf("%v, %v of %d, %v, bias %v", inside, output, width, loss, bias)
						m := Sequential(Input(features), Dense(4, inside, UseBias(bias)), Dense(5, Tanh), Dense(width, output, UseBias(bias)))
						if err := m.Compile(GradientDescent(), loss); err != nil {
							t.Fatal(name, err)
						}
						x, y := make([][]float64, rows), make([][]float64, rows)
						for r := range rows {
							for range features {
								x[r] = append(x[r], float64(float32(next())))
							}
							for j := range width {
								v := float64(float32(next()))
								switch loss.String() {
								case "binary_crossentropy", "binary_focal_crossentropy":
									v = float64(float32(1 / (1 + math.Exp(-v))))
								case "poisson", "mean_squared_logarithmic_error":
									v = math.Abs(v)
								case "mean_absolute_percentage_error": // near 0 parts are large that cancel
									v += math.Copysign(1, v)
								case "hinge", "squared_hinge":
									v = math.Copysign(1, v)
								case "kl_divergence":
									v = (0.5 + float64((j+r)%width)) / float64(width*width) * 2
								case "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge":
									v = 0
									if j == r%width {
										v = 1
									}
								case "sparse_categorical_crossentropy":
									v = float64(r % width)
								}
								if j == 0 || loss != SparseCategoricalCrossEntropy {
									y[r] = append(y[r], v)
								}
							}
						}
						var weights [][]float64
						for _, p := range m.Parameters() {
							var w []float64
							for i := range p.Data() {
								p.Data()[i] += float32(0.3 * next()) // biases too
								w = append(w, float64(p.Data()[i]))
							}
							weights = append(weights, w)
						}
						seen := 0
						_, err := m.Fit(x, y, FullBatch(), Shuffle(false), Verbose(0), OnBatchEnd(func(s *Training) {
							want := naiveMean(m, weights, x, y)
							if math.Abs(s.BatchLoss-want) > 1e-6*max(1, want) {
								t.Errorf("%s: the loss is %v, want %v", name, s.BatchLoss, want)
							}
							for k, p := range m.Parameters() {
								for i, got := range p.Gradient() {
									const h = 1e-5
									w := weights[k][i]
									weights[k][i] = w + h
									up := naiveMean(m, weights, x, y)
									weights[k][i] = w - h
									down := naiveMean(m, weights, x, y)
									weights[k][i] = w
									want := (up - down) / (2 * h)
									seen++
									if math.Abs(float64(got)-want) > 1e-5*max(1, math.Abs(want)) {
										t.Errorf("%s: the gradient of %s[%d] is %v, want %v", name, p.Name(), i, got, want)
									}
								}
							}
						}))
						if err != nil || seen == 0 {
							t.Fatal(name, seen, err)
						}
					}
				}
			}
		}
	}
	if tried < 600 {
		t.Errorf("only %d combinations were tried", tried)
	}
}

// Where exp overflows, a cross-entropy from the sums still has the right value and a gradient to learn from.
func TestCrossEntropyIsStable(t *testing.T) {
	for _, test := range []struct {
		loss      Loss
		output    Activation
		width     int
		y         any
		wrong, ok float64 // loss at outputs far on the wrong side and on the right side
	}{
		{BinaryCrossEntropy, Sigmoid, 1, []int{0}, 500, 0},
		{SparseCategoricalCrossEntropy, Softmax, 2, []int{1}, 1000, 0},
		{CategoricalCrossEntropy, Softmax, 2, [][]int{{0, 1}}, 1000, 0},
	} {
		for _, sign := range []float32{1, -1} {
			m := Sequential(Input(1), Dense(test.width, test.output, UseBias(false)))
			if err := m.Compile(GradientDescent(), test.loss); err != nil {
				t.Fatal(err)
			}
			w := m.Parameters()[0]
			w.Data()[0] = 500 * sign
			if test.width == 2 {
				w.Data()[1] = -500 * sign
			}
			h, err := m.Fit([]float64{1}, test.y, Verbose(0))
			if err != nil {
				t.Fatal(err)
			}
			want, slope := test.wrong, float32(1)
			if sign < 0 {
				want, slope = test.ok, 0
			}
			if got := h.Last("loss"); math.Abs(got-want) > 1e-12 {
				t.Errorf("%v, sign %v: the loss is %v, want %v", test.loss, sign, got, want)
			}
			if got := w.Gradient()[0]; got != slope {
				t.Errorf("%v, sign %v: the gradient is %v, want %v", test.loss, sign, got, slope)
			}
		}
	}
}
