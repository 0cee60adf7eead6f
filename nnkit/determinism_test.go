package nnkit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// hash covers all weights and every number of the history.
func hash(t *testing.T, h *History) string {
	t.Helper()
	sum := sha256.New()
	for _, p := range slices.Concat(h.Model.Parameters(), h.Model.States()) {
		for _, v := range p.Data() {
			binary.Write(sum, binary.LittleEndian, math.Float32bits(v))
		}
	}
	for _, n := range h.Names() {
		binary.Write(sum, binary.LittleEndian, h.Series(n))
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}

// blobs are rows around as many centres as there are classes.
func blobs(n, features, classes int) (x [][]float64, y []int) {
	s := random.Stream{Seed: 11}
	for i := range n {
		class := s.Int(i, classes)
		row := make([]float64, features)
		for j := range row {
			centre := random.Stream{Seed: 12, Index: uint32(class)}
			row[j] = 2*centre.Normal(j) + random.Stream{Seed: 13, Index: uint32(j)}.Normal(i)
		}
		x, y = append(x, row), append(y, class)
	}
	return x, y
}

func trainSmall(t *testing.T, seed int, options ...FitOption) *History {
	t.Helper()
	x, y := blobs(150, 8, 2)
	m := Sequential(Dense(10, ReLU), Dense(8, Tanh), Dense(1, Sigmoid))
	return train(t, m, BinaryCrossEntropy, x, y, append([]FitOption{Epochs(3), Seed(seed), ValidationSplit(0.2)}, options...)...)
}

func train(t *testing.T, m *Model, loss Objective, x, y any, options ...FitOption) *History {
	t.Helper()
	if err := m.Compile(Adam(LearningRate(0.01)), loss, Accuracy); err != nil {
		t.Fatal(err)
	}
	h, err := m.Fit(x, y, append(options, Verbose(0))...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSameBitsOnAnyNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer LimitCores(0)
	defer simd.Use(simd.Active())
	x, y := blobs(200, 100, 10)
	var want string
	for _, set := range simd.Sets() {
		simd.Use(set)
		numbers := []int{1, 2, 3, 8, 1}
		if testing.Short() {
			numbers = []int{1, 3}
		}
		for _, cores := range numbers {
			runtime.GOMAXPROCS(cores)
			LimitCores(cores % 3) // none for 3, 2 for 8
			// The second model is large enough for every product, and the optimizer, to be split.
			big := Sequential(Dense(256, ReLU), Dense(300, Sigmoid), Dense(10, Softmax))
			got := hash(t, trainSmall(t, 1)) + " " +
				hash(t, train(t, big, SparseCategoricalCrossEntropy, x, y, Epochs(2), BatchSize(64), ValidationSplit(0.25)))
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("with %s on %d cores the hash is %s, before it was %s", set, cores, got, want)
			}
		}
	}
}

// The bits of these trainings are the same on every machine: run this test on another architecture, too. A hash may
// change when the arithmetic is improved, and then only in a commit that says so.
func TestSameBitsOnEveryMachine(t *testing.T) {
	images, directions := stripes(40)
	sequences, first := weights(zeros([]int{20, 6, 4}), 0), make([]int, 20)
	for i := range first {
		first[i] = i % 3
		sequences.data[i*24] = float32(i%3) - 1
	}
	for _, test := range []struct {
		name string
		run  func() *History
		want string
	}{
		{"dense", func() *History { return trainSmall(t, 1) }, "c21ccebc9f8824fe"},
		{"images", func() *History {
			return train(t, Sequential(Conv2D(5, 3, SamePadding), BatchNormalization(), ActivationLayer(SiLU), MaxPooling2D(2), Conv2DTranspose(3, 3, Strides(2)),
				GroupNormalization(3), Dropout(0.3), AveragePooling2D(3), Flatten(), Dense(3, Softmax)), SparseCategoricalCrossEntropy, images, directions, Epochs(2))
		}, "cad1e491ef231c84"},
		{"sequences", func() *History {
			return train(t, Sequential(PositionalEncoding(), TransformerEncoder(2, 8, AttentionDropout(0.2)), Bidirectional(LSTM(5), GRU(5, GoBackwards())),
				GaussianNoise(0.1), ActivationLayer(GELU), Dense(3, Softmax)), SparseCategoricalCrossEntropy, sequences, first, Epochs(2))
		}, "370b1783f16379be"},
		{"words", func() *History {
			return train(t, Sequential(Lambda("words", words), Embedding(50, 6), LayerNormalization(), SimpleRNN(5, ReLU), Dense(3, Softmax)),
				SparseCategoricalCrossEntropy, sequences.Reshape(20, 24), first, Epochs(2))
		}, "ef8f5049f2d5c203"},
		{"a graph", func() *History {
			d, kinds := branchedRows(40), make([]float64, 40)
			for i, k := range d.y["kind"].([]int) {
				kinds[i] = float64(k)
			}
			return train(t, branched(), Losses{"price": LossWeight(Huber(1), 0.5), "kind": CategoricalFocalCrossEntropy(1.5)},
				d.x, map[string]any{"price": d.y["price"], "kind": oneHot(kinds, 3)}, Epochs(2), ValidationSplit(0.2))
		}, "db287509dd971aec"},
		{"masked words", func() *History {
			return train(t, Sequential(Lambda("words", words), Embedding(50, 6, MaskZero()), TransformerEncoder(2, 8), Bidirectional(LSTM(4, ReturnSequences()), GRU(4, ReturnSequences(), GoBackwards())),
				GlobalAveragePooling1D(), Dense(3, Softmax)), SparseCategoricalCrossEntropy, sequences.Reshape(20, 24), first, Epochs(2))
		}, "ca562d396302ebff"},
		{"shards", func() *History {
			return train(t, Sequential(Flatten(), Dense(300, ReLU), Dense(200, ReLU), Dropout(0.2), Dense(3, Softmax)), SparseCategoricalCrossEntropy, images, directions,
				Epochs(2), BatchSize(16), Shards(7))
		}, "6ac0c80702d773ce"},
		{"shards in turns", func() *History {
			return train(t, Sequential(Conv2D(5, 3, SamePadding), BatchNormalization(), ActivationLayer(SiLU), Flatten(), Dense(90, ReLU), Dense(3, Softmax)), SparseCategoricalCrossEntropy,
				images, directions, Epochs(2), BatchSize(16), Shards(8))
		}, "b79215c4d7d54d1d"},
	} {
		if got := hash(t, test.run()); got != test.want {
			t.Errorf("%s: the hash is %s, want %s", test.name, got, test.want)
		}
	}
}

func TestSeed(t *testing.T) {
	first := hash(t, trainSmall(t, 1))
	if again := hash(t, trainSmall(t, 1)); again != first {
		t.Error("the same seed gave other numbers")
	}
	if other := hash(t, trainSmall(t, 2)); other == first {
		t.Error("another seed gave the same numbers")
	}
	if h := trainSmall(t, 3); h.Seed() != 3 {
		t.Errorf("the history's seed is %d, want 3", h.Seed())
	}
}

func TestFitGoesOn(t *testing.T) {
	once := trainSmall(t, 1, Epochs(6))
	twice := trainSmall(t, 1)
	x, y := blobs(150, 8, 2)
	h, err := twice.Model.Fit(x, y, Epochs(3), ValidationSplit(0.2), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Last("val_loss"), once.Last("val_loss"); got != want {
		t.Errorf("three and three epochs end with val_loss %v, six with %v", got, want)
	}

	// After a Reset everything is as it was at first.
	if err := h.Model.Reset(1); err != nil {
		t.Fatal(err)
	}
	again, err := h.Model.Fit(x, y, Epochs(6), ValidationSplit(0.2), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	if hash(t, again) != hash(t, once) {
		t.Error("after Reset the same training gives other numbers")
	}
}

// A row's prediction does not depend on its company, nor a score on the size of the batches.
func TestBatchesDoNotShow(t *testing.T) {
	h := trainSmall(t, 1, Epochs(2))
	x, y := blobs(700, 8, 2)
	all, err := h.Model.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range x {
		one, err := h.Model.Predict(row)
		if err != nil {
			t.Fatal(err)
		}
		if one.At(0, 0) != all.At(i, 0) {
			t.Fatalf("row %d is predicted as %v alone and as %v among others", i, one.At(0, 0), all.At(i, 0))
		}
	}
	x, y = x[:150], y[:150]
	end, err := h.Model.Fit(x, y, BatchSize(7), ValidationData(x, y), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	scores, err := h.Model.Evaluate(x, y)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scores.Names() {
		if got, want := end.Last("val_"+name), scores.Value(name); got != want {
			t.Errorf("Fit has val_%s %v, Evaluate %v", name, got, want)
		}
	}
}
