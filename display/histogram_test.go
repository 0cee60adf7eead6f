package display

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// normal gives n values of a normal distribution.
func normal(n int, mean, sd float64) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]float64, n)
	for i := range v {
		v[i] = mean + sd*r.NormFloat64()
	}
	return v
}

func TestHistograms(t *testing.T) {
	f := Histograms([]Sample{
		{"hidden", "kernel", normal(80, 0, 0.3)},
		{"hidden", "bias", normal(10, 0.1, 0.05)},
		{"output", "kernel", normal(8, 0, 0.5)},
		{"output", "bias", []float64{0.25}},
	})
	d := checkSVG(t, f.SVG())
	for _, want := range []string{"hidden kernel", "hidden bias", "output kernel", "output bias", "one value, 0.25"} {
		if !d.has(want) {
			t.Errorf("no text %q in %q", want, d.texts)
		}
	}
	if len(f.Plots()) != 4 {
		t.Errorf("%d plots, want 4", len(f.Plots()))
	}
	if !strings.Contains(f.String(), "hidden kernel: n 80, mean") {
		t.Errorf("says %q", f)
	}
}

func TestHistogramsSayWhatTheyCannotDraw(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	for _, c := range []struct {
		name   string
		values []float64
		want   string
	}{
		{"none", nil, "no values"},
		{"all NaN", []float64{nan, nan}, "no finite value to draw; left out: 2 NaN"},
		{"some", []float64{nan, 1, 2, inf, 3}, "n 3, mean 2 ± 0.816, left out: 1 NaN, 1 Inf"},
		{"constant", []float64{2, 2, 2}, "n 3, all 2"},
		{"zeros", make([]float64, 10), "n 10, all 0"},
		{"nearly constant", []float64{1, math.Nextafter(1, 2)}, "n 2"},
		{"huge", []float64{-math.MaxFloat64, 0, math.MaxFloat64}, "n 3"},
		{"tiny", []float64{0, 5e-324, 1e-323}, "n 3"},
		{"outlier", append(normal(500, 0, 1), 1e9), "n 501"},
	} {
		f := Histograms([]Sample{{"layer", "kernel", c.values}})
		if !strings.Contains(f.String(), c.want) {
			t.Errorf("%s: says %q, want %q", c.name, f, c.want)
		}
		checkSVG(t, f.SVG())
	}
	if f := Histograms(nil); !strings.Contains(f.SVG(), "there are no values") {
		t.Errorf("says %q", f)
	}
}

func TestBinsCountEveryValue(t *testing.T) {
	for _, values := range [][]float64{
		{1}, {0, 0, 0, 1}, {-3, -3, 5, 5, 5}, normal(2, 0, 1), normal(77, 3, 1e-9), normal(5000, -1e6, 1e3),
	} {
		values := append([]float64(nil), values...)
		sortFloats(values)
		bins := bin(values)
		total := 0.0
		for i, b := range bins {
			total += b.Weight
			if b.Max <= b.Min {
				t.Errorf("bin %d from %g to %g", i, b.Min, b.Max)
			}
		}
		if total != float64(len(values)) {
			t.Errorf("%d values, %g in bars", len(values), total)
		}
		if len(bins) > mostBins {
			t.Errorf("%d bins", len(bins))
		}
	}
}

func sortFloats(v []float64) { slices.Sort(v) }

func TestMoments(t *testing.T) {
	v := normal(1000, 1e6, 2)
	mean, sd := moments(v)
	wantMean, wantSD := stat.PopMeanStdDev(v, nil)
	if math.Abs(mean-wantMean) > 1e-6 || math.Abs(sd-wantSD) > 1e-6 {
		t.Errorf("%g ± %g, want %g ± %g", mean, sd, wantMean, wantSD)
	}
}

func TestArrange(t *testing.T) {
	layers := func(n int) (s []Sample) {
		for i := range n {
			g := string(rune('a' + i))
			s = append(s, Sample{g, "kernel", nil}, Sample{g, "bias", nil})
		}
		return s
	}
	for _, c := range []struct{ layers, columns, places int }{{1, 2, 2}, {2, 2, 4}, {3, 3, 6}, {4, 4, 8}, {5, 3, 12}, {6, 3, 12}, {9, 3, 18}} {
		grid, columns := arrange(layers(c.layers))
		if columns != c.columns || len(grid) != c.places {
			t.Errorf("%d layers: %d columns, %d places; want %d, %d", c.layers, columns, len(grid), c.columns, c.places)
		}
	}
}
