package nnkit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
)

// Into however many portions a batch is cut, the losses, the scores and the weights are the same to the last bit.
func TestPortionsDoNotShow(t *testing.T) {
	images := func() []Layer {
		return []Layer{
			Conv2D(6, 3, ReLU, SamePadding), Dropout(0.2), MaxPooling2D(2), Conv2DTranspose(4, 3, Strides(2)), PReLU(), GaussianNoise(0.1),
			Residual(Conv2D(4, 3, SamePadding), LayerNormalization()), AveragePooling2D(2), Flatten(), Dense(12, GELU), Dense(10, Softmax),
		}
	}
	sequences := func() []Layer {
		return []Layer{
			PositionalEncoding(), TransformerEncoder(4, 24, AttentionDropout(0.1)), PositionEmbedding(), RMSNormalization(),
			MultiHeadAttention(2, 5, Causal()), GlobalAveragePooling1D(), ActivationLayer(SiLU), Dense(10, Softmax),
		}
	}
	numbers := func() []Layer {
		return []Layer{Embedding(50, 8), GlobalMaxPooling1D(), Dense(40, ReLU), Dense(10, Softmax)}
	}
	for _, c := range []workloadCase{
		{name: "images", row: []int{9, 8, 2}, layers: images},
		{name: "sequences", row: []int{7, 8}, layers: sequences},
		{name: "numbers", row: []int{6}, layers: numbers},
	} {
		c.classes = 10
		const rows = 23
		x, y := c.data(rows)
		if c.name == "numbers" {
			x = words(x)
		}
		want := ""
		for _, atOnce := range []int{rows, 1, 2, 5, 22} {
			m := Sequential(c.layers()...)
			f := fitOf(t, m, rows, Adam(), SparseCategoricalCrossEntropy, x, y, Accuracy, SparseCategoricalCrossEntropy)
			if !f.trainer.cut.possible {
				t.Fatalf("%s: batches are not cut", c.name)
			}
			f.trainer.cut.rows = atOnce
			sum := sha256.New()
			for range 3 {
				if err := f.batch(f.order); err != nil {
					t.Fatal(err)
				}
				binary.Write(sum, binary.LittleEndian, f.state.BatchLoss)
				binary.Write(sum, binary.LittleEndian, f.state.Scores.values)
				binary.Write(sum, binary.LittleEndian, m.weights)
			}
			got := fmt.Sprintf("%x", sum.Sum(nil)[:8])
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s in portions of %d rows: the hash is %s, in one it is %s", c.name, atOnce, got, want)
			}
		}
	}
}

// Where a layer, the loss or a metric may look at all rows of a batch it stays whole.
func TestWholeBatches(t *testing.T) {
	same := func(x *Tensor) *Tensor { return x }
	mean := func(p, y *Tensor) *Tensor { return p.Sub(y).Square().Mean() }
	x, shared := Input(3), Dense(3)
	for name, m := range map[string]*Model{
		"a shared layer":        Functional(Inputs(x), Outputs(x.To(shared).To(shared).To(Dense(1)))),
		"a mask":                Sequential(Input(4, 3), Masking(0), GlobalAveragePooling1D(), Dense(1)),
		"filling":               Sequential(Input(4), Embedding(5, 3, MaskZero()), GlobalAveragePooling1D(), Dense(1)),
		"batch normalization":   Sequential(Dense(3), BatchNormalization(), Dense(1)),
		"a function":            Sequential(Dense(3), Lambda("own", same), Dense(1)),
		"an activation":         Sequential(Dense(3, ActivationFunc("own", same)), Dense(1)),
		"a layer":               Sequential(Residual(Dense(3, Name("a")), &scaledLayer{}), Dense(1)),
		"an activity's penalty": Sequential(Dense(3, ActivityRegularizer(L2(0.1))), Dense(1)),
		"a loss":                Sequential(Dense(1)),
		"a metric":              Sequential(Dense(1)),
		"a loss as a metric":    Sequential(Dense(1)),
		"nothing":               Sequential(Dense(3, Tanh), Dense(1)),
	} {
		loss, metrics := MeanSquaredError, []Metric{MeanAbsoluteError}
		switch name {
		case "a loss":
			loss = LossFunc("own", mean)
		case "a loss as a metric":
			metrics = append(metrics, LossFunc("own", mean))
		case "a metric":
			metrics = append(metrics, MetricFunc("own", mean))
		}
		if err := m.Compile(Adam(), loss, metrics...); err != nil {
			t.Fatal(err)
		}
		if got, want := m.inPortions(), name == "nothing"; got != want {
			t.Errorf("%s: in portions is %v, want %v", name, got, want)
		}
	}
}

// A batch that is too large for the caches is cut, and takes the memory of a part of it.
func TestPortionsSaveMemory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const rows, width = 2048, 512
	c := workloadCase{row: []int{width}, classes: 10}
	x, y := c.data(rows)
	for _, whole := range []bool{false, true} {
		m := Sequential(ActivationLayer(LeakyReLU), ActivationLayer(LeakyReLU), ActivationLayer(ReLU), Dense(10, Softmax))
		f := fitOf(t, m, rows, Adam(), SparseCategoricalCrossEntropy, x, y)
		f.trainer.cut.possible = !whole
		if err := f.batch(f.order); err != nil {
			t.Fatal(err)
		}
		values := rows * (3*width + 10) * 4
		if got := f.trainer.tape.Bytes(); got < values/2 != !whole {
			t.Errorf("whole %v: the values of a batch take %d bytes, all of them would take %d", whole, got, values)
		}
		if !whole {
			if a := testing.AllocsPerRun(2, func() {
				if err := f.batch(f.order); err != nil {
					t.Fatal(err)
				}
			}); a != 0 {
				t.Errorf("a step in portions allocates %v times", a)
			}
		}
	}
}
