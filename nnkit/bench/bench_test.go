package main

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestWorkloadsRun(t *testing.T) {
	for _, w := range workloads {
		run, steps, err := w.prepare()
		if err != nil {
			t.Fatal(w.name, err)
		}
		if err := run(); err != nil || steps < 1 {
			t.Errorf("%s: %d steps, %v", w.name, steps, err)
		}
	}
}

// With whichever peers this Python has, none among them.
func TestBesidePeers(t *testing.T) {
	var results []result
	b := bench{rounds: 1, python: python{program: "/usr/bin/python3"}, print: func(r result) error {
		results = append(results, r)
		return nil
	}}
	if err := b.run("gemm128", 1); err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 {
		t.Fatalf("there are %d results, want 1", len(results))
	}
	r := results[0]
	if r.Ours <= 0 || r.GFLOPS <= 0 || r.Peak <= 0 || (r.Peer == "") != (r.PeerTime == 0) || (r.Peer == "") != (r.Ratio == 0) {
		t.Errorf("the result is %+v", r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"workload", "threads", "ours_us", "gflops", "peak_gflops"} {
		if keys[key] == nil {
			t.Errorf("there is no %s in %s", key, text)
		}
	}
}

// A Python that can tell its OpenBLAS's kernels says so where there are none of a name.
func TestOpenBLAS(t *testing.T) {
	for _, name := range []string{"Haswell", "haswell", "Nobody", ""} {
		y := python{"/usr/bin/python3", name}
		use, err := y.choose()
		if known := use == unknown || name != "Nobody"; (err == nil) != known {
			t.Errorf("%q: OpenBLAS uses the kernels for %q, the error is %v", name, use, err)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		x    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{4, 2}, 3}, {[]float64{9, 1, 2}, 2}} {
		before := slices.Clone(test.x)
		if got := median(test.x); got != test.want || !slices.Equal(test.x, before) {
			t.Errorf("the median of %v is %v, want %v", before, got, test.want)
		}
	}
}
