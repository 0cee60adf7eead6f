package display

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
)

// Runs of a log are told apart by what was given for them, else by what else differs.
func TestRuns(t *testing.T) {
	rates := func(values ...float64) []runSettings {
		var runs []runSettings
		for i, v := range values {
			runs = append(runs, runSettings{
				given: map[string]string{"rate": fmt.Sprint(v), "same": "a"}, other: map[string]string{"seed": fmt.Sprint(i)},
			})
		}
		return runs
	}
	for _, c := range []struct {
		runs []runSettings
		want []string
	}{
		{nil, []string{}},
		{rates(0.1), []string{"run 1"}},
		{rates(0.1, 0.2), []string{"rate=0.1", "rate=0.2"}},
		{rates(0.1, 0.2, 0.1), []string{"run 1 rate=0.1", "rate=0.2", "run 3 rate=0.1"}},
		{rates(0.1, 0.1), []string{"seed=0", "seed=1"}},
		{append(rates(0.1), runSettings{}), []string{"rate=0.1 same=a", "run 2"}},
	} {
		if got := tellApart(c.runs); !slices.Equal(got, c.want) {
			t.Errorf("%v are told apart by %q, want %q", c.runs, got, c.want)
		}
	}

	path := filepath.Join(t.TempDir(), "runs.jsonl")
	for _, rate := range []float64{0.01, 0.1} {
		model := nnkit.Sequential(nnkit.Dense(1, nnkit.Sigmoid))
		if err := model.Compile(nnkit.Adam(nnkit.LearningRate(rate)), nnkit.BinaryCrossEntropy); err != nil {
			t.Fatal(err)
		}
		if _, err := model.Fit([]float64{0, 1, 2, 3}, []float64{0, 0, 1, 1}, nnkit.Epochs(4), nnkit.Verbose(0), nnkit.RunLog(path).With("rate", rate)); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := nnkit.ReadRuns(path)
	if err != nil {
		t.Fatal(err)
	}
	if svg := Runs(runs).SVG(); !strings.Contains(svg, "rate=0.01") || !strings.Contains(svg, "rate=0.1<") {
		t.Errorf("the figure does not name the runs:\n%.2000s", svg)
	}
}
