package nnkit

import (
	"fmt"
	"html"
	"iter"
	"math"
	"strings"
)

// Scores are loss and metrics at one moment, each under its name, in a fixed order: "loss", the metrics as they were
// compiled, then the same of the validation data behind "val_". [Model.Evaluate] returns them, and a [Callback] finds
// them in its [Training].
type Scores struct {
	names  []string
	values []float64
}

// Names returns the names in order. It is a copy.
func (s Scores) Names() []string { return append([]string(nil), s.names...) }

// Value returns the number under a name, NaN when there is none.
func (s Scores) Value(name string) float64 {
	for i, n := range s.names {
		if n == name {
			return s.values[i]
		}
	}
	return math.NaN()
}

// All runs over names and values in order:
//
//	for name, value := range scores.All() { … }
func (s Scores) All() iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for i, n := range s.names {
			if !yield(n, s.values[i]) {
				return
			}
		}
	}
}

// String shows them in one line: "loss 0.4521 · accuracy 0.7917".
func (s Scores) String() string {
	var b strings.Builder
	for i, n := range s.names {
		if i > 0 {
			b.WriteString(" · ")
		}
		b.WriteString(n)
		b.WriteByte(' ')
		b.WriteString(scoreText(s.values[i]))
	}
	return b.String()
}

// HTML shows them as a table of one row.
func (s Scores) HTML() string {
	var head, row strings.Builder
	for i, n := range s.names {
		head.WriteString("<th>" + html.EscapeString(n) + "</th>")
		row.WriteString("<td>" + scoreText(s.values[i]) + "</td>")
	}
	return "<table><thead><tr>" + head.String() + "</tr></thead><tbody><tr>" + row.String() + "</tr></tbody></table>"
}

// scoreText gives four digits behind the point, and as many as are needed below 0.001.
func scoreText(v float64) string {
	if v != 0 && math.Abs(v) < 1e-3 || math.Abs(v) >= 1e6 {
		return fmt.Sprintf("%.3e", v)
	}
	return fmt.Sprintf("%.4f", v)
}
