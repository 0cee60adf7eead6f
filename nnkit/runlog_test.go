package nnkit

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// loggedModel and its data: two epochs of it are nothing to wait for.
func loggedModel(t *testing.T, rate float64) (m *Model, x [][]float64, y []float64) {
	t.Helper()
	for i := range 20 {
		x = append(x, []float64{float64(i%5) / 5, float64(i%3) / 3})
		y = append(y, float64(i%2))
	}
	m = Sequential(Dense(3, ReLU), Dense(1, Sigmoid))
	if err := m.Compile(Adam(LearningRate(rate)), BinaryCrossEntropy, Accuracy); err != nil {
		t.Fatal(err)
	}
	return m, x, y
}

// A log tells what a training was, for each of them.
func TestRunLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	var histories []*History
	for _, rate := range []float64{0.01, 0.1} {
		m, x, y := loggedModel(t, rate)
		h, err := m.Fit(x, y, Epochs(3), BatchSize(8), ValidationSplit(0.25), Verbose(0), RunLog(path).With("rate", rate).With("name", "a"))
		if err != nil {
			t.Fatal(err)
		}
		histories = append(histories, h)
	}
	runs, err := ReadRuns(path)
	if err != nil || len(runs) != 2 {
		t.Fatal(len(runs), err)
	}
	for i, r := range runs {
		h := histories[i]
		if !reflect.DeepEqual(r.Names(), h.Names()) || r.BestEpochBy("val_loss") != h.BestEpochBy("val_loss") || r.BestEpochBy("accuracy") != h.BestEpochBy("accuracy") {
			t.Errorf("run %d has the series %v, the history %v", i, r.Names(), h.Names())
		}
		for _, name := range h.Names() {
			if !reflect.DeepEqual(r.Series(name), h.Series(name)) {
				t.Errorf("run %d: %s is %v, want %v", i, name, r.Series(name), h.Series(name))
			}
		}
		if r.Rows != 15 || r.ValidationRows != 5 || r.BatchSize != 8 || r.Epochs != 3 || r.Seed != h.Seed() || r.Loss != "binary_crossentropy" ||
			!strings.HasPrefix(r.Optimizer, "Adam(") || r.Model != `Sequential(Input(2), Dense(3, ReLU), Dense(1, Sigmoid))` ||
			r.Duration <= 0 || r.Error != "" || r.Time.IsZero() || r.Versions["go"] == "" || r.Weights != h.Model.hash() {
			t.Errorf("run %d is %+v", i, r)
		}
		if !reflect.DeepEqual(r.Maximize, []string{"accuracy", "val_accuracy"}) || r.Parameters["rate"] != []float64{0.01, 0.1}[i] || r.Parameters["name"] != "a" {
			t.Errorf("run %d: %v, %v", i, r.Maximize, r.Parameters)
		}
	}
	if runs[0].Weights == runs[1].Weights {
		t.Error("different weights have the same hash")
	}
	m, x, y := loggedModel(t, 0.01)
	if _, err := m.Fit(x, y, Epochs(3), BatchSize(8), ValidationSplit(0.25), Verbose(0)); err != nil || m.hash() != runs[0].Weights {
		t.Errorf("the same training has the hash %s, want %s (%v)", m.hash(), runs[0].Weights, err)
	}
}

// However a training ends, it is logged, and by the environment too.
func TestRunLogOfFailures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	t.Setenv(runLogVariable, path)
	m, x, y := loggedModel(t, 0.01)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := m.Fit(x, y, Epochs(5), Verbose(0), Context(ctx), OnEpochEnd(func(*Training) { cancel() })); err == nil {
		t.Error("no error of a cancelled training")
	}
	if _, err := m.Fit(x, y, Epochs(5), Verbose(0), OnEpochEnd(func(t *Training) { t.Fail(errors.New("enough")) })); err == nil {
		t.Error("no error of a callback's")
	}
	if _, err := m.Fit(x, y, Epochs(5), Verbose(0), OnEpochEnd(func(t *Training) { t.Stop("well done") })); err != nil {
		t.Error(err)
	}
	runs, err := ReadRuns(path)
	if err != nil || len(runs) != 3 {
		t.Fatal(len(runs), err)
	}
	if runs[0].Error != "context canceled" || runs[1].Error != "enough" || runs[2].Error != "" || runs[2].Stopped != "well done" || len(runs[2].Series("loss")) != 1 {
		t.Errorf("the runs are %+v", runs)
	}
}

func TestRunLogErrors(t *testing.T) {
	m, x, y := loggedModel(t, 0.01)
	for want, log := range map[string]*RunLogging{
		"RunLog: the path is empty":   RunLog(""),
		"RunLog: parameter f: json: ": RunLog(filepath.Join(t.TempDir(), "a")).With("f", math.Sin),
		"RunLog: open ":               RunLog(filepath.Join(t.TempDir(), "none", "a")),
	} {
		if _, err := m.Fit(x, y, Verbose(0), log); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"rows": 1, "metrics": {"loss": [1, null]}}` + "\n\n" + `{"rows": 2}` + "\n" + `{"rows":`)
	runs, err := ReadRuns(path)
	if err != nil || len(runs) != 2 || runs[1].Rows != 2 || !math.IsNaN(runs[0].Series("loss")[1]) {
		t.Errorf("with a line that was cut: %+v, %v", runs, err)
	}
	write(`{"rows": 1}` + "\n" + `{"rows":` + "\n")
	if _, err := ReadRuns(path); err == nil || !strings.Contains(err.Error(), "runs.jsonl, line 2: ") {
		t.Errorf("a damaged line: %v", err)
	}
	if _, err := ReadRuns(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// Any text is runs or an error.
func FuzzReadRuns(f *testing.F) {
	f.Add([]byte(`{"rows": 1, "metrics": {"loss": [1, null]}, "names": ["loss"]}` + "\n" + `{"rows":`))
	f.Add([]byte("\n{}\r\n[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		runs, _ := parseRuns(data)
		for _, r := range runs {
			for _, name := range r.Names() {
				r.Series(name)
				r.BestEpochBy(name)
			}
		}
	})
}
