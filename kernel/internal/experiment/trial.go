package experiment

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// A Training is a line of a run log, in which every Fit writes one; docs/experiments.md
// describes it.
type Training struct {
	Metrics  map[string][]*float64 `json:"metrics"`  // for each epoch; null where there is no number
	Names    []string              `json:"names"`    // of the metrics, in their order
	Maximize []string              `json:"maximize"` // those of which more is better
	Duration float64               `json:"duration"` // seconds
	Weights  string                `json:"weights"`  // a hash of them
	Error    string                `json:"error"`
}

// ReadRunLog reads the run log of that name. There is none where nothing was trained.
func ReadRunLog(name string) ([]Training, error) {
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read run log: %w", err)
	}
	return parseRunLog(name, data)
}

func parseRunLog(name string, data []byte) ([]Training, error) {
	var found []Training
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var t Training
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, fmt.Errorf("run log %s, line %d: %w", name, number, err)
		}
		found = append(found, t)
	}
	return found, nil
}

// last returns the last value of a metric, NaN if there is none.
func (t *Training) last(metric string) float64 {
	values := t.Metrics[metric]
	if len(values) == 0 || values[len(values)-1] == nil {
		return math.NaN()
	}
	return *values[len(values)-1]
}

// A Trial is one execution of a sweep.
type Trial struct {
	Settings  []Setting
	Name      string // of its files, without the ending
	Elapsed   time.Duration
	Failure   string     // in a line, "" if it went well
	Trainings []Training // the last one counts
}

// String is the settings, as they are given.
func (t *Trial) String() string { return settingsText(t.Settings) }

// Value returns the last value of a metric of the trial's last training, NaN if there
// is none.
func (t *Trial) Value(metric string) float64 {
	if len(t.Trainings) == 0 {
		return math.NaN()
	}
	return t.Trainings[len(t.Trainings)-1].last(metric)
}

// Metrics lists the metrics of all trials.
func Metrics(trials []Trial) []string {
	var names []string
	for _, t := range trials {
		if n := len(t.Trainings); n > 0 {
			for _, name := range t.Trainings[n-1].Names {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// DefaultMetric is the metric that trials are compared by: of those that there are,
// val_loss, loss, or the first; "" if there is none.
func DefaultMetric(trials []Trial) string {
	names := Metrics(trials)
	for _, name := range []string{"val_loss", "loss"} {
		if slices.Contains(names, name) {
			return name
		}
	}
	return strings.Join(names[:min(1, len(names))], "")
}

// more tells whether more of a metric is better.
func more(trials []Trial, metric string) bool {
	return slices.ContainsFunc(trials, func(t Trial) bool {
		n := len(t.Trainings)
		return n > 0 && slices.Contains(t.Trainings[n-1].Maximize, metric)
	})
}

// Sort puts the best trials first, by a metric. Behind those with a value come those
// without, and those that failed.
func Sort(trials []Trial, metric string) {
	sign := 1.0
	if more(trials, metric) {
		sign = -1
	}
	rank := func(t Trial) (int, float64) {
		v := sign * t.Value(metric)
		switch {
		case t.Failure != "":
			return 2, 0
		case math.IsNaN(v):
			return 1, 0
		}
		return 0, v
	}
	slices.SortStableFunc(trials, func(a, b Trial) int {
		ra, va := rank(a)
		rb, vb := rank(b)
		return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(va, vb))
	})
}
