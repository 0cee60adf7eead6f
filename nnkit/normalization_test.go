package nnkit

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// normalized gives rows of the last dimension the mean 0 and the variance 1.
func (a array) normalized(gamma, beta array, epsilon float64, rms bool) array {
	width := a.shape[len(a.shape)-1]
	return arrayFrom(a.shape, func(i []int) float64 {
		mean, squares := 0.0, 0.0
		j := slices.Clone(i)
		for j[len(j)-1] = range width {
			mean += a.at(j) / float64(width)
		}
		if rms {
			mean = 0
		}
		for j[len(j)-1] = range width {
			squares += (a.at(j) - mean) * (a.at(j) - mean) / float64(width)
		}
		k := i[len(i)-1]
		return (a.at(i)-mean)/math.Sqrt(squares+epsilon)*gamma.data[k] + beta.data[k]
	})
}

// attend is attention as naive as can be, of queries, keys and values next to each other.
func (a array) attend(heads int, causal bool) array {
	steps, width := a.shape[1], a.shape[2]/3
	size := width / heads
	return arrayFrom([]int{a.shape[0], steps, width}, func(i []int) float64 {
		row, query, head := i[0], i[1], i[2]/size
		scores := make([]float64, steps)
		sum := 0.0
		for key := range steps {
			if causal && key > query {
				continue
			}
			score := 0.0
			for k := range size {
				score += a.at([]int{row, query, head*size + k}) * a.at([]int{row, key, width + head*size + k})
			}
			scores[key] = math.Exp(score / math.Sqrt(float64(size)))
			sum += scores[key]
		}
		y := 0.0
		for key, score := range scores {
			y += score / sum * a.at([]int{row, key, 2*width + i[2]})
		}
		return y
	})
}

func normalizationCases() []operationCase {
	var cases []operationCase
	for _, shape := range [][]int{{3, 7}, {2, 3, 18}} {
		width := []int{shape[len(shape)-1]}
		for _, rms := range []bool{false, true} {
			cases = append(cases, operationCase{
				fmt.Sprint("LayerNorm, RMS ", rms),
				[][]int{shape, width, width},
				func(x []*Tensor) *Tensor {
					return normalizeRows("LayerNorm", x[0], nil, x[1], x[2], rowNorm{epsilon: 1e-3, rms: rms})
				},
				func(x []array) array { return x[0].normalized(x[1], x[2], 1e-3, rms) }, "",
			})
		}
		cases = append(cases, operationCase{
			"LayerNorm of a sum",
			[][]int{shape, shape, width, width},
			func(x []*Tensor) *Tensor {
				return normalizeRows("LayerNorm", x[0], x[1], x[2], x[3], rowNorm{epsilon: 1e-3})
			},
			func(x []array) array {
				return x[0].with(x[1], func(a, b float64) float64 { return a + b }).normalized(x[2], x[3], 1e-3, false)
			}, "",
		})
	}
	for _, causal := range []bool{false, true} {
		cases = append(cases, operationCase{
			fmt.Sprint("Attention, causal ", causal),
			[][]int{{2, 5, 18}},
			func(x []*Tensor) *Tensor { return x[0].Attention(2, causal) },
			func(x []array) array { return x[0].attend(2, causal) }, "",
		})
	}
	index := Vector(3, 0, 3, 2).Reshape(2, 2)
	cases = append(cases, operationCase{
		"Lookup",
		[][]int{{5, 3}},
		func(x []*Tensor) *Tensor { return index.Lookup(x[0]) },
		func(x []array) array {
			return arrayFrom([]int{2, 2, 3}, func(i []int) float64 { return x[0].at([]int{int(index.At(i[0], i[1])), i[2]}) })
		}, "",
	})
	return cases
}

// Batch normalization against its formula: in training by the batch, with its gradients, and then by what it has kept.
func TestBatchNormalization(t *testing.T) {
	x, y := stripes(8)
	m := Sequential(Input(12, 12, 1), Conv2D(3, 3), BatchNormalization(MovingMomentum(0.9), NormEpsilon(0.01)), Flatten(), Dense(1))
	check := func(got *Tensor, mean, variance func(c int) float64, raw *Tensor) {
		for i, v := range got.Data() {
			c := i % 3
			want := (float64(raw.Data()[i]) - mean(c)) / math.Sqrt(variance(c)+0.01)
			if math.Abs(float64(v)-want) > 1e-5*max(1, math.Abs(want)) {
				t.Fatalf("number %d is %v, want %v", i, v, want)
			}
		}
	}
	m.draw()
	tape := NewTape()
	tape.training = true
	raw := m.layers[0].Forward(tape.Watch(x))
	normal := m.layers[1].Forward(raw)
	moments := func(c int) (mean, variance float64) {
		n := 0
		for i := c; i < raw.Len(); i += 3 {
			mean += float64(raw.Data()[i])
			n++
		}
		mean /= float64(n)
		for i := c; i < raw.Len(); i += 3 {
			variance += (float64(raw.Data()[i]) - mean) * (float64(raw.Data()[i]) - mean)
		}
		return mean, variance / float64(n)
	}
	check(normal, func(c int) float64 { u, _ := moments(c); return u }, func(c int) float64 { _, v := moments(c); return v }, raw)
	for c := range 3 {
		mean, variance := moments(c)
		if got := m.States()[0].Data()[c]; math.Abs(float64(got)-0.1*mean) > 1e-6 {
			t.Errorf("the moving mean is %v, want %v", got, 0.1*mean)
		}
		if got, want := m.States()[1].Data()[c], 0.9+0.1*variance; math.Abs(float64(got)-want) > 1e-5 {
			t.Errorf("the moving variance is %v, want %v", got, want)
		}
	}
	tape.Reset()
	tape.training = false
	raw = m.layers[0].Forward(tape.Watch(x))
	check(m.layers[1].Forward(raw), func(c int) float64 { return float64(m.States()[0].Data()[c]) },
		func(c int) float64 { return float64(m.States()[1].Data()[c]) }, raw)

	// A gradient is right if the loss changes as it says.
	tape.training = true
	loss := func() (float64, *Tensor) {
		tape.Reset()
		out := m.layers[1].Forward(m.layers[0].Forward(tape.Watch(x)))
		l := out.Square().Mul(weights(out, 0)).Mean()
		return l.Item(), l
	}
	_, l := loss()
	if err := tape.Backward(l); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parameters()[:4] {
		for i, g := range slices.Clone(p.Gradient()) {
			const h = 1e-2
			v := p.Data()[i]
			p.Data()[i] = v + h
			up, _ := loss()
			p.Data()[i] = v - h
			down, _ := loss()
			p.Data()[i] = v
			if want := (up - down) / (2 * h); math.Abs(float64(g)-want) > 2e-3*max(1, math.Abs(want)) {
				t.Errorf("the gradient of %s[%d] is %v, want about %v", p.Name(), i, g, want)
			}
		}
	}
	h := train(t, m, MeanSquaredError, x, y, Epochs(20))
	if h.Last("loss") > h.Series("loss")[0]/2 {
		t.Errorf("the loss went from %v to %v", h.Series("loss")[0], h.Last("loss"))
	}
}

// What is asked for in the middle is the gradient there, whatever the operations behind it make of its memory.
func TestGradientInTheMiddle(t *testing.T) {
	tape := NewTape()
	x := tape.Watch(Vector(1, -2, 3))
	h := tape.Watch(x.Scale(2).ReLU())
	if err := tape.Backward(h.Tanh().Sum()); err != nil {
		t.Fatal(err)
	}
	for i, v := range h.Data() {
		want := 1 - math.Pow(math.Tanh(float64(v)), 2)
		if got := tape.Gradient(h).Data()[i]; math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("gradient %d in the middle is %v, want %v", i, got, want)
		}
		if v <= 0 {
			want = 0
		}
		if got := tape.Gradient(x).Data()[i]; math.Abs(float64(got)-2*want) > 1e-6 {
			t.Errorf("gradient %d is %v, want %v", i, got, 2*want)
		}
	}
}

// Dropout in training drops the share it should, the same on every set and core, keeps the sum, and has the gradient of
// what it did; predictions pass through.
func TestDropout(t *testing.T) {
	x := fillOnes(zeros([]int{100, 333}))
	tape := NewTape()
	tape.training = true
	in := tape.Watch(x)
	y := in.Dropout(0.3)
	zeroes := 0
	for _, v := range y.Data() {
		if v == 0 {
			zeroes++
		} else if math.Abs(float64(v)-1/0.7) > 1e-6 {
			t.Fatalf("what is kept is %v, want %v", v, 1/0.7)
		}
	}
	if share := float64(zeroes) / float64(y.Len()); math.Abs(share-0.3) > 0.01 {
		t.Errorf("a share of %v is dropped, want 0.3", share)
	}
	other := in.Dropout(0.3)
	if slices.Equal(other.Data(), y.Data()) {
		t.Error("two layers drop the same")
	}
	first := slices.Clone(y.Data())
	if err := tape.Backward(y.Sum()); err != nil {
		t.Fatal(err)
	}
	if g := tape.Gradient(in); !slices.Equal(g.Data(), first) {
		t.Error("the gradient is not that of what was done")
	}
	tape.training = false
	if in.Dropout(0.3) != in || x.Dropout(0.3) != x {
		t.Error("outside of training something is dropped")
	}
}

func fillOnes(x *Tensor) *Tensor {
	fill(x.data, 1)
	return x
}
