package nnkit

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// workloadCase is one of the models that nnkit/bench times, with less data to train on.
type workloadCase struct {
	name    string
	row     []int
	classes int
	rows    int // of two batches together
	loss    Loss
	layers  func() []Layer
}

var workloadCases = []workloadCase{
	{"W1", []int{8}, 2, 64, BinaryCrossEntropy, func() []Layer {
		return []Layer{Dense(10, ReLU), Dense(8, ReLU), Dense(1, Sigmoid)}
	}},
	{"W2", []int{784}, 10, 32, SparseCategoricalCrossEntropy, func() []Layer {
		return []Layer{Dense(512, ReLU), Dense(512, ReLU), Dense(10, Softmax)}
	}},
	{"W3a", []int{28, 28, 1}, 10, 20, SparseCategoricalCrossEntropy, func() []Layer {
		return []Layer{
			Conv2D(6, 5, ReLU, SamePadding), MaxPooling2D(2), Conv2D(16, 5, ReLU), MaxPooling2D(2), Flatten(),
			Dense(120, ReLU), Dense(84, ReLU), Dense(10, Softmax),
		}
	}},
	{"W3b", []int{32, 32, 3}, 10, 6, SparseCategoricalCrossEntropy, func() []Layer {
		return []Layer{
			Conv2D(32, 3, ReLU, SamePadding), Conv2D(32, 3, ReLU, SamePadding), MaxPooling2D(2),
			Conv2D(64, 3, ReLU, SamePadding), Conv2D(64, 3, ReLU, SamePadding), MaxPooling2D(2), Flatten(),
			Dense(512, ReLU), Dense(10, Softmax),
		}
	}},
	{"W4", []int{50, 32}, 10, 20, SparseCategoricalCrossEntropy, func() []Layer {
		return []Layer{LSTM(128), Dense(10, Softmax)}
	}},
	{"W5", []int{64, 128}, 10, 8, SparseCategoricalCrossEntropy, func() []Layer {
		return []Layer{TransformerEncoder(4, 512), GlobalAveragePooling1D(), Dense(10, Softmax)}
	}},
	// None that is timed: what else has noise, statistics, or a table.
	{"batch normalization", []int{12, 12, 2}, 10, 64, SparseCategoricalCrossEntropy, func() []Layer {
		return []Layer{
			Conv2D(40, 3, ReLU), BatchNormalization(), PReLU(), Conv2DTranspose(20, 3, Strides(2), SamePadding), GroupNormalization(4),
			MaxPooling2D(2), Conv2D(40, 1), Residual(Conv2D(40, 3, SamePadding), Dropout(0.2), LayerNormalization()),
			GaussianNoise(0.1), AveragePooling2D(3, SamePadding), Flatten(), Dense(10, Softmax),
		}
	}},
	{"embedding", []int{30}, 10, 64, SparseCategoricalCrossEntropy, func() []Layer {
		return []Layer{
			Lambda("words", func(x *Tensor) *Tensor { return words(x) }), Embedding(50, 64), MultiHeadAttention(4, 16, Causal(), AttentionDropout(0.1)),
			RMSNormalization(), Bidirectional(GRU(20), SimpleRNN(20, GoBackwards())), Dense(10, Softmax),
		}
	}},
}

// words makes whole numbers of any.
func words(x *Tensor) *Tensor {
	w := zeros(x.Shape())
	for i, v := range x.Data() {
		w.data[i] = float32(int(math.Abs(float64(v))*10) % 50)
	}
	return w
}

func (c workloadCase) data(rows int) (x *Tensor, y []int) {
	x, y = zeros(append([]int{rows}, c.row...)), make([]int, rows)
	s := random.Stream{Seed: 51}
	for i := range x.data {
		x.data[i] = float32(s.Normal(i))
	}
	for i := range y {
		y[i] = s.Int(i, c.classes)
	}
	return x, y
}

// Each model that is timed is trained to the same bits on any number of cores and by every set of kernels.
func TestWorkloadsAreTheSameEverywhere(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer simd.Use(simd.Active())
	for _, c := range workloadCases {
		if testing.Short() && c.name != "W1" { // emulated, the others take hours; TestSameBitsOnEveryMachine has small ones
			continue
		}
		x, y := c.data(c.rows)
		want := ""
		for _, set := range simd.Sets() {
			simd.Use(set)
			for _, cores := range []int{1, 2, 3, 8} {
				runtime.GOMAXPROCS(cores)
				got := hash(t, train(t, Sequential(c.layers()...), c.loss, x, y, Epochs(2), BatchSize((c.rows+1)/2), ValidationSplit(0.2)))
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%s with %s on %d cores: the hash is %s, before it was %s", c.name, set, cores, got, want)
				}
			}
		}
	}
}

func BenchmarkWorkloads(b *testing.B) {
	batches := map[string]int{"W1": 32, "W2": 128, "W3a": 64, "W3b": 64, "W4": 32, "W5": 32}
	for _, c := range workloadCases[:len(batches)] {
		b.Run(fmt.Sprint(c.name), func(b *testing.B) {
			x, y := c.data(batches[c.name])
			f := fitOf(b, Sequential(c.layers()...), len(y), Adam(), c.loss, x, y)
			if err := f.batch(f.order); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := f.batch(f.order); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
