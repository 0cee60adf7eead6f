package nnkit

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func historyOf(series map[string][]float64, names ...string) *History {
	h := newHistory(nil, names, map[string]bool{"accuracy": true, "val_accuracy": true}, 1)
	for i := range series[names[0]] {
		var s Scores
		for _, n := range names {
			s.values = append(s.values, series[n][i])
		}
		h.add(&s, 0.01)
	}
	return h
}

func TestBestEpoch(t *testing.T) {
	h := historyOf(map[string][]float64{
		"loss":         {0.9, 0.5, 0.2, 0.1},
		"accuracy":     {0.5, 0.9, 0.9, 0.8},
		"val_loss":     {math.NaN(), 0.6, 0.4, 0.5},
		"val_accuracy": {0.1, 0.2, 0.3, 0.4},
	}, "loss", "accuracy", "val_loss", "val_accuracy")
	for name, want := range map[string]int{"loss": 4, "accuracy": 2, "val_loss": 3, "val_accuracy": 4, "no such": 0} {
		if got := h.BestEpochBy(name); got != want {
			t.Errorf("the best epoch by %s is %d, want %d", name, got, want)
		}
	}
	if got := h.BestEpoch(); got != 3 {
		t.Errorf("the best epoch is %d, want 3", got)
	}
	if !math.IsNaN(h.Last("no such")) || h.Series("no such") != nil {
		t.Error("a series that is not there has values")
	}
	h.Series("loss")[0] = 7
	h.Names()[0] = "x"
	if h.Series("loss")[0] != 0.9 || h.Names()[0] != "loss" {
		t.Error("the history can be changed through what it returns")
	}
}

func TestLongHistoryIsShortened(t *testing.T) {
	loss := make([]float64, 1000)
	for i := range loss {
		loss[i] = math.Abs(float64(i) - 500) // the best is in the middle
	}
	h := historyOf(map[string][]float64{"loss": loss}, "loss")
	if lines := strings.Split(h.String(), "\n"); len(lines) > 30 || !strings.Contains(h.String(), "501    0.0000  best") {
		t.Errorf("a long history prints %d lines:\n%s", len(lines), h)
	}
	if n := strings.Count(h.HTML(), "<tr>"); n > 30 {
		t.Errorf("a long history has %d rows", n)
	}
}

func TestHistoryView(t *testing.T) {
	h := historyOf(map[string][]float64{"loss": {0.5}}, "loss")
	keys := func() string {
		var k []string
		for key := range h.MIMEBundle() {
			k = append(k, key)
		}
		slices.Sort(k)
		return strings.Join(k, " ")
	}
	if got := keys(); got != "text/html text/plain" {
		t.Errorf("without a view the bundle has %s", got)
	}
	RegisterHistoryView(func(seen *History) map[string]any {
		if seen != h {
			t.Error("the view sees another history")
		}
		return map[string]any{"image/svg+xml": "<svg/>"}
	})
	defer RegisterHistoryView(nil)
	if got := keys(); got != "image/svg+xml text/plain" {
		t.Errorf("with a view the bundle has %s", got)
	}
	RegisterHistoryView(func(*History) map[string]any { return nil })
	if got := keys(); got != "text/html text/plain" {
		t.Errorf("with a view that has nothing the bundle has %s", got)
	}
}
