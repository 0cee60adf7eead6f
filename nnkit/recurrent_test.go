package nnkit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// recur is a recurrent layer as naive as can be.
func (a array) recur(cell simd.Cell, kernel, recurrent, bias array, sequences, backwards bool) array {
	rows, steps, units := a.shape[0], a.shape[1], recurrent.shape[0]
	columns := recurrent.shape[1]
	all := array{[]int{rows, steps, units}, make([]float64, rows*steps*units)}
	last := array{[]int{rows, units}, nil}
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	for r := range rows {
		h, c := make([]float64, units), make([]float64, units)
		for s := range steps {
			t := s
			if backwards {
				t = steps - 1 - s
			}
			x, z := make([]float64, columns), make([]float64, columns) // from the inputs and from the state
			for j := range columns {
				x[j] = bias.data[j]
				if cell == simd.GRUCell {
					z[j] = bias.data[columns+j]
				}
				for k := range a.shape[2] {
					x[j] += a.at([]int{r, t, k}) * kernel.at([]int{k, j})
				}
				for k := range units {
					z[j] += h[k] * recurrent.at([]int{k, j})
				}
			}
			next := make([]float64, units)
			for u := range units {
				switch cell {
				case simd.TanhCell:
					next[u] = math.Tanh(x[u] + z[u])
				case simd.ReLUCell:
					next[u] = max(0, x[u]+z[u])
				case simd.LSTMCell:
					gate := func(g int) float64 { return x[g*units+u] + z[g*units+u] }
					c[u] = sigmoid(gate(1))*c[u] + sigmoid(gate(0))*math.Tanh(gate(2))
					next[u] = sigmoid(gate(3)) * math.Tanh(c[u])
				case simd.GRUCell:
					update, reset := sigmoid(x[u]+z[u]), sigmoid(x[units+u]+z[units+u])
					next[u] = update*h[u] + (1-update)*math.Tanh(x[2*units+u]+reset*z[2*units+u])
				}
			}
			h = next
			copy(all.data[(r*steps+t)*units:], h)
		}
		last.data = append(last.data, h...)
	}
	if sequences {
		return all
	}
	return last
}

func recurrentCases() []operationCase {
	var cases []operationCase
	for cell, name := range []string{"SimpleRNN", "SimpleRNN, ReLU", "LSTM", "GRU"} {
		cell := simd.Cell(cell)
		columns, biases := 3*cell.Gates(), []int{3 * cell.Gates()}
		if cell == simd.GRUCell {
			biases = []int{2, columns}
		}
		for _, sequences := range []bool{true, false} {
			for _, backwards := range []bool{true, false} {
				domain := ""
				if cell == simd.ReLUCell {
					domain = "positive" // away from the kink, which no difference can be taken across
				}
				cases = append(cases, operationCase{
					fmt.Sprintf("%s, sequences %v, backwards %v", name, sequences, backwards),
					[][]int{{2, 3, 2}, {2, columns}, {3, columns}, biases},
					func(x []*Tensor) *Tensor { return recur(name, cell, x[0], x[1], x[2], x[3], sequences, backwards) },
					func(x []array) array { return x[0].recur(cell, x[1], x[2], x[3], sequences, backwards) }, domain,
				})
			}
		}
	}
	return cases
}

// Shapes and numbers of parameters, as Keras' summary has them.
func TestRecurrentLayers(t *testing.T) {
	for _, test := range []struct {
		layer      Layer
		output     []int
		parameters int
	}{
		{LSTM(16), []int{16}, 4 * (8 + 16 + 1) * 16},
		{LSTM(16, ReturnSequences()), []int{10, 16}, 4 * (8 + 16 + 1) * 16},
		{LSTM(16, UseBias(false), GoBackwards()), []int{16}, 4 * (8 + 16) * 16},
		{GRU(16), []int{16}, 3 * (8 + 16 + 2) * 16},
		{SimpleRNN(16), []int{16}, (8 + 16 + 1) * 16},
		{SimpleRNN(16, ReLU), []int{16}, (8 + 16 + 1) * 16},
		{Bidirectional(GRU(16), GRU(12, GoBackwards())), []int{28}, 3*(8+16+2)*16 + 3*(8+12+2)*12},
		{Bidirectional(LSTM(4, ReturnSequences()), GRU(4, GoBackwards(), ReturnSequences())), []int{10, 8}, 4*(8+4+1)*4 + 3*(8+4+2)*4},
	} {
		m := Sequential(Input(10, 8), test.layer)
		if m.err != nil {
			t.Error(m.err)
			continue
		}
		l := m.Layers()[0]
		n := 0
		for _, p := range l.Parameters {
			n += p.Len()
		}
		if !slices.Equal(l.OutputShape, test.output) || n != test.parameters {
			t.Errorf("%s: the output is %v with %d parameters, want %v with %d", l.Kind, l.OutputShape, n, test.output, test.parameters)
		}
	}
	var names strings.Builder
	for _, p := range Sequential(Input(10, 8), Bidirectional(GRU(4), GRU(4, GoBackwards()))).Parameters() {
		names.WriteString(" " + p.Name())
	}
	if want := " bidirectional_1/forward/kernel bidirectional_1/forward/recurrent_kernel bidirectional_1/forward/bias" +
		" bidirectional_1/backward/kernel bidirectional_1/backward/recurrent_kernel bidirectional_1/backward/bias"; names.String() != want {
		t.Errorf("the parameters are%s\nwant%s", names.String(), want)
	}
}

func TestRecurrentErrors(t *testing.T) {
	for _, test := range []struct {
		layers []Layer
		want   string
	}{
		{[]Layer{SimpleRNN(3, Softmax)}, "SimpleRNN(3, …): the activation must be Tanh, which it is by itself, or ReLU, not softmax"},
		{[]Layer{LSTM(0)}, "Sequential: layer 1: LSTM(0, …): the number of units must be at least 1"},
		{[]Layer{Input(10), LSTM(3)}, `lstm layer "lstm_1" (layer 1): gets rows of shape (10) and wants sequences of shape (steps, features): 10 steps of one feature are Reshape(10, 1); an LSTM behind another one wants ReturnSequences in that`},
		{[]Layer{Bidirectional(LSTM(3), Dense(2))}, "Bidirectional: both layers must be recurrent, LSTM(32) and LSTM(32, nnkit.GoBackwards()) for example"},
		{[]Layer{Bidirectional(LSTM(3), LSTM(3))}, "Bidirectional: the second layer, and only that, must go backwards: give it nnkit.GoBackwards()"},
		{[]Layer{Bidirectional(LSTM(3), LSTM(3, GoBackwards(), ReturnSequences()))}, "Bidirectional: ReturnSequences must be given to both layers or to none"},
	} {
		err := Sequential(test.layers...).Compile(Adam(), MeanSquaredError)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", err, test.want)
		}
	}
}

// How parameters begin: Keras' way.
func TestRecurrentBegins(t *testing.T) {
	p := Sequential(Input(10, 8), LSTM(6)).Parameters()
	for i, v := range p[2].Data() {
		want := float32(0)
		if i >= 6 && i < 12 {
			want = 1
		}
		if v != want {
			t.Errorf("bias %d begins as %v, want %v", i, v, want)
		}
	}
	for _, shape := range [][2]int{{6, 24}, {7, 7}, {9, 4}} {
		in, out := shape[0], shape[1]
		w := newParameter("w", Orthogonal, in, out)
		w.draw(5, 0)
		x := w.Tensor().Clone()
		gram := x.Transpose(0, 1)
		if in <= out {
			gram = x.MatMul(gram)
		} else {
			gram = gram.MatMul(x)
		}
		n := min(in, out)
		for i, v := range gram.Data() {
			want := 0.0
			if i/n == i%n {
				want = 1
			}
			if math.Abs(float64(v)-want) > 1e-6 {
				t.Errorf("%v: product %d of the vectors is %v, want %v", shape, i, v, want)
			}
		}
	}
}

// The network must remember which of two marks came first, many steps ago.
func TestRecurrenceLearns(t *testing.T) {
	if testing.Short() { // what is learnt does not depend on the machine: TestSameBitsOnEveryMachine
		return
	}
	const n, steps = 400, 12
	x, y := zeros([]int{n, steps, 2}), make([]int, n)
	s := random.Stream{Seed: 41}
	for i := range n {
		a, b := s.Int(3*i, steps), s.Int(3*i+1, steps-1)
		if b >= a {
			b++
		}
		x.data[(i*steps+a)*2], x.data[(i*steps+b)*2+1] = 1, 1
		if a < b {
			y[i] = 1
		}
	}
	for _, test := range []struct {
		name  string
		layer Layer
	}{
		{"LSTM", LSTM(12)}, {"GRU", GRU(12)}, {"both ways", Bidirectional(GRU(6), GRU(6, GoBackwards()))}, {"backwards", LSTM(12, GoBackwards())},
	} {
		m := Sequential(test.layer, Dense(1, Sigmoid))
		h := train(t, m, BinaryCrossEntropy, x, y, Epochs(25), ValidationSplit(0.25))
		if got := h.Last("val_accuracy"); got < 0.95 {
			t.Errorf("%s: the accuracy is %v", test.name, got)
		}
	}
}

func TestRecurrenceAllocatesNothing(t *testing.T) {
	x := weights(zeros([]int{8, 5, 3}), 0)
	f := fitOf(t, Sequential(LSTM(4, ReturnSequences()), Bidirectional(GRU(4), SimpleRNN(4, GoBackwards(), ReLU)), Dense(1)), 8, Adam(), MeanSquaredError, x,
		[]float64{0, 1, 0, 1, 0, 1, 0, 1})
	if n := testing.AllocsPerRun(5, func() {
		if err := f.batch(f.order); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}
