package display

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
)

// exampleModel is 8-10-8-1 with weights drawn.
func exampleModel() *nnkit.Model {
	return nnkit.Sequential(
		nnkit.Input(8),
		nnkit.Dense(10, nnkit.ReLU),
		nnkit.Dense(8, nnkit.ReLU),
		nnkit.Dense(1, nnkit.Sigmoid),
	)
}

func TestWeights(t *testing.T) {
	f := Weights(exampleModel())
	d := checkSVG(t, f.SVG())
	for _, want := range []string{"dense_1 kernel", "dense_1 bias", "dense_2 kernel", "dense_2 bias", "dense_3 kernel", "dense_3 bias"} {
		if !d.has(want) {
			t.Errorf("no panel %q in %q", want, d.texts)
		}
	}
	if len(f.Plots()) != 6 {
		t.Errorf("%d plots, want 6", len(f.Plots()))
	}
}

func TestWeightsNameWhatIsNotFinite(t *testing.T) {
	m := exampleModel()
	w := m.Parameters()[0].Data()
	w[0], w[1] = float32(math.NaN()), float32(math.Inf(1))
	if got := Weights(m).String(); !strings.Contains(got, "left out: 1 NaN, 1 Inf") {
		t.Errorf("says %q", got)
	}
}

func TestWeightsOfNoModel(t *testing.T) {
	for _, m := range []*nnkit.Model{nil, nnkit.Sequential(nnkit.Dense(1))} {
		if got := Weights(m).SVG(); !strings.Contains(got, "the model has no weights yet") {
			t.Errorf("shows %s", got)
		}
	}
}

func ExampleWeights() {
	model := nnkit.Sequential(nnkit.Input(2), nnkit.Dense(1))
	model.Parameters()[0].Data()[0] = 0.5
	model.Parameters()[0].Data()[1] = -0.5
	fmt.Println(Weights(model))
	// Output: histograms of 2 sets of values: dense_1 kernel: n 2, mean 0 ± 0.5; dense_1 bias: one value, 0
}
