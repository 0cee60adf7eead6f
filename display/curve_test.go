package display

import (
	"math"
	"strings"
	"testing"
)

func TestCurve(t *testing.T) {
	f := Curve(tenEpochs())
	d := checkSVG(t, f.SVG())
	for _, want := range []string{
		"loss", "accuracy", "train", "validation", "epoch", "1", "10",
		"best validation 0.4800 at epoch 7", "best validation 0.7900 at epoch 9",
	} {
		if !d.has(want) {
			t.Errorf("no text %q in %q", want, d.texts)
		}
	}
	// In each plot: the validation curve, its key, and the stem of the mark.
	if d.dashed != 6 {
		t.Errorf("%d dashed lines, want 6", d.dashed)
	}
	for _, p := range f.Plots() {
		for _, tick := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if tick.Value != math.Trunc(tick.Value) {
				t.Errorf("a tick at epoch %g", tick.Value)
			}
		}
	}
}

func TestCurveWithoutValidation(t *testing.T) {
	f := Curve(Metrics{"loss": {3, 2, 1}})
	d := checkSVG(t, f.SVG())
	if d.has("validation") || !d.has("best training 1.0000 at epoch 3") {
		t.Errorf("texts %q", d.texts)
	}
}

type noHistory struct{}

func (*noHistory) Names() []string         { panic("called on nil") }
func (*noHistory) Series(string) []float64 { panic("called on nil") }

func TestCurveSaysWhatItCannotDraw(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name string
		h    History
		want string
	}{
		{"nil", nil, "the history is empty"},
		{"nil pointer", (*noHistory)(nil), "the history is empty"},
		{"no series", Metrics{}, "the history is empty"},
		{"empty series", Metrics{"loss": {}, "val_loss": nil}, "the history is empty"},
		{"all NaN", Metrics{"loss": {nan, nan}}, "no finite value to draw; train left out: 2 NaN"},
		{"some NaN", Metrics{"loss": {1, nan, 0.5, inf, 0.2}}, "train left out: 1 NaN, 1 Inf"},
		{"lengths", Metrics{"loss": {3, 2, 1}, "val_loss": {3}}, "lengths differ: train 3, validation 1"},
		{"one epoch", Metrics{"loss": {0.5}}, "loss over 1 epoch"},
		{"constant", Metrics{"loss": {0.5, 0.5, 0.5}}, "best training 0.5000 at epoch 1"},
		{"zeros", Metrics{"loss": {0, 0}}, "loss over 2 epochs"},
		{"huge", Metrics{"loss": {1e300, -1e300, math.MaxFloat64}}, "loss over 3 epochs"},
		{"tiny", Metrics{"loss": {5e-324, 1e-320}}, "loss over 2 epochs"},
		{"only validation", Metrics{"val_auc": {0.6, 0.7}}, "auc best validation 0.7000 at epoch 2"},
	} {
		f := Curve(c.h)
		if !strings.Contains(f.String(), c.want) {
			t.Errorf("%s: says %q, want %q", c.name, f, c.want)
		}
		checkSVG(t, f.SVG())
	}
}

func TestCurveIsBrokenAtGaps(t *testing.T) {
	nan := math.NaN()
	whole := checkSVG(t, Curve(Metrics{"loss": {4, 3, 2, 1, 0.5}}).SVG())
	broken := checkSVG(t, Curve(Metrics{"loss": {4, 3, nan, 1, 0.5}}).SVG())
	// One line becomes two, and one dot is missing.
	if broken.paths != whole.paths {
		t.Errorf("%d paths with a gap, %d without", broken.paths, whole.paths)
	}
}

func TestLowerIsBetter(t *testing.T) {
	for name, want := range map[string]bool{
		"loss": true, "mse": true, "val_mae": true, "mean_squared_error": true, "cross_entropy": true, "perplexity": true,
		"accuracy": false, "auc": false, "r2": false, "f1": false, "top_5": false, "museum": false,
	} {
		if got := lowerIsBetter(name); got != want {
			t.Errorf("lowerIsBetter(%q) = %v", name, got)
		}
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []string) string { return strings.Join(ticks, " ") }
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{0.41, 0.69, 6, "0.45 0.50 0.55 0.60 0.65"},
		{-1, 1, 4, "-1.0 -0.5 0 0.5 1.0"},
		{0, 100, 5, "0 20 40 60 80 100"},
		{0, 2.5e-5, 3, "0 1e-05 2e-05"},
		{0, 2e6, 2, "0 1e+06 2e+06"},
	} {
		var got []string
		for _, tick := range (steps{c.n}).Ticks(c.lo, c.hi) {
			got = append(got, tick.Label)
		}
		if labels(got) != c.want {
			t.Errorf("steps{%d} from %g to %g: %s, want %s", c.n, c.lo, c.hi, labels(got), c.want)
		}
	}
	for _, c := range []struct {
		hi   float64
		want string
	}{
		{1, "1"},
		{10, "1 2 3 4 5 6 7 8 9 10"},
		{12, "2 4 6 8 10 12"},
		{40, "1 5 10 15 20 25 30 35 40"},
		{100, "1 10 20 30 40 50 60 70 80 90 100"},
	} {
		var got []string
		for _, tick := range (whole{n: 10, from: 1}).Ticks(1, c.hi) {
			got = append(got, tick.Label)
		}
		if labels(got) != c.want {
			t.Errorf("epochs to %g: %s, want %s", c.hi, labels(got), c.want)
		}
	}
}
