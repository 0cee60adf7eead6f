package nnkit

import (
	"fmt"
	"math"
	"testing"
)

func TestScores(t *testing.T) {
	s := Scores{[]string{"loss", "accuracy", "val_loss"}, []float64{0.00012345, 0.5, 12345678}}
	const want = "loss 1.234e-04 · accuracy 0.5000 · val_loss 1.235e+07"
	for _, got := range []string{fmt.Sprint(s), fmt.Sprint(&s)} {
		if got != want {
			t.Errorf("the scores print as %q, want %q", got, want)
		}
	}
	if s.Value("accuracy") != 0.5 || !math.IsNaN(s.Value("val_accuracy")) {
		t.Error("Value finds the wrong number")
	}
	for name, value := range s.All() {
		if name != "loss" || value != s.Value("loss") {
			t.Errorf("the first score is %s %v", name, value)
		}
		break
	}
	if got, want := s.HTML(), "<table><thead><tr><th>loss</th><th>accuracy</th><th>val_loss</th></tr></thead>"+
		"<tbody><tr><td>1.234e-04</td><td>0.5000</td><td>1.235e+07</td></tr></tbody></table>"; got != want {
		t.Errorf("the table is %s", got)
	}
}
