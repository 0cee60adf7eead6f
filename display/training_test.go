package display

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
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

// fitExample trains the example on invented rows under a callback whose screen is recorded.
func fitExample(t *testing.T, epochs int, options ...nnkit.FitOption) (*nnkit.History, *record, error) {
	t.Helper()
	live := Live()
	rec := &record{clock: newClock()}
	live.run.open = func() screen { return rec }
	clinic := data.Clinic(1)
	scale, err := data.Standardize(clinic.X)
	if err != nil {
		t.Fatal(err)
	}
	x, err := scale.Apply(clinic.X)
	if err != nil {
		t.Fatal(err)
	}
	m := exampleModel()
	if err := m.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		t.Fatal(err)
	}
	options = append(options, nnkit.Epochs(epochs), nnkit.ValidationSplit(0.2), live)
	h, err := m.Fit(x, clinic.Y, options...)
	return h, rec, err
}

func TestLiveInFit(t *testing.T) {
	h, rec, err := fitExample(t, 10)
	if err != nil {
		t.Fatal(err)
	}
	last := rec.shown[len(rec.shown)-1]
	for _, want := range []string{"done, epoch 10 of 10", "val accuracy", "data:image/svg+xml"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last picture lacks %q", want)
		}
	}
	bundle := h.MIMEBundle()
	svg, _ := bundle["image/svg+xml"].(string)
	d := checkSVG(t, svg)
	for _, want := range []string{"loss", "accuracy", "validation"} {
		if !d.has(want) {
			t.Errorf("the history's picture lacks %q", want)
		}
	}
	if bundle["text/html"] != nil {
		t.Error("a table stands before the curve")
	}
	if text, _ := bundle["text/plain"].(string); !strings.Contains(text, "val_loss") {
		t.Errorf("text/plain is %q", text)
	}
	if f := Curve(h); !strings.Contains(f.String(), fmt.Sprintf("epoch %d", h.BestEpoch())) {
		t.Errorf("%s, but the best epoch is %d", f, h.BestEpoch())
	}
}

func TestLiveInFitThatEndsEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	_, rec, err := fitExample(t, 10, nnkit.Context(ctx), nnkit.OnEpochEnd(func(t *nnkit.Training) {
		if t.Epoch == 3 {
			cancel()
		}
	}))
	if err == nil {
		t.Error("no error from a cancelled Fit")
	}
	if last := rec.shown[len(rec.shown)-1]; !strings.Contains(last, "interrupted, epoch 4 of 10, batch 1 of") {
		t.Errorf("the last picture is %.500s", last)
	}
	_, rec, err = fitExample(t, 10, nnkit.OnEpochEnd(func(t *nnkit.Training) {
		if t.Epoch == 2 {
			t.Stop("enough")
		}
	}))
	if err != nil {
		t.Error(err)
	}
	if last := rec.shown[len(rec.shown)-1]; !strings.Contains(last, "stopped, epoch 2 of 10") {
		t.Errorf("the last picture is %.500s", last)
	}
}

// Live must not make a step allocate, nor cost it more than a look on the clock.
func BenchmarkFitWithAndWithoutLive(b *testing.B) {
	clinic := data.Clinic(1)
	for name, options := range map[string][]nnkit.FitOption{
		"without": {nnkit.Verbose(0)},
		"with": {func() nnkit.FitOption {
			l := Live()
			l.run.open = func() screen { return &record{clock: newClock()} }
			return l
		}()},
	} {
		b.Run(name, func(b *testing.B) {
			m := exampleModel()
			if err := m.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
				b.Fatal(err)
			}
			if _, err := m.Fit(clinic.X, clinic.Y, append(options, nnkit.Epochs(b.N))...); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func ExampleLive() {
	clinic := data.Clinic(1)
	model := exampleModel()
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		fmt.Println(err)
		return
	}
	history, err := model.Fit(clinic.X, clinic.Y, nnkit.Epochs(10), nnkit.ValidationSplit(0.2), Live(Title("First network")))
	if err != nil {
		fmt.Println(err)
		return
	}
	Curve(history).Show()
}

// A history of so many epochs that its picture is a bitmap says how large it is
// meant: it has no metadata to say so.
func TestHistoryOfManyEpochs(t *testing.T) {
	for _, epochs := range []int{5, manyPoints} {
		x, y := make([][]float64, 4), make([]float64, 4)
		for i := range x {
			x[i], y[i] = []float64{float64(i)}, float64(i%2)
		}
		model := nnkit.Sequential(nnkit.Dense(1, nnkit.Sigmoid))
		if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
			t.Fatal(err)
		}
		history, err := model.Fit(x, y, nnkit.Epochs(epochs), nnkit.Verbose(0))
		if err != nil {
			t.Fatal(err)
		}
		bundle := history.MIMEBundle()
		html, _ := bundle["text/html"].(string)
		if _, drawn := bundle["image/svg+xml"]; drawn == strings.Contains(html, `width="760"`) {
			t.Errorf("%d epochs: SVG %v beside the HTML %.80q", epochs, drawn, html)
		}
	}
}
