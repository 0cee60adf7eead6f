//go:build mpi || hosts

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sharedNotebook trains as the text options say, and shows what it came to.
func sharedNotebook(t *testing.T, options string) string {
	return cells(t, `import "github.com/seed5607215b/nnkit/nnkit"
import "os"
import "syscall"
x, y := make([][]float64, 300), make([]int, 300)
for i := range x {
	y[i] = i % 3
	x[i] = []float64{float64(y[i]) + float64(i*7919%101)/100, float64(i*104729%103)/100}
}
model := nnkit.Sequential(nnkit.Dense(16, nnkit.ReLU), nnkit.BatchNormalization(), nnkit.Dropout(0.2), nnkit.Dense(3, nnkit.Softmax))
model.Compile(nnkit.Adam(), nnkit.SparseCategoricalCrossEntropy, nnkit.Accuracy)`,
		`history := model.Fit(x, y, nnkit.Epochs(4), nnkit.Verbose(0)`+options+`)
history.Series("loss")`,
		`model.Parameters()[0].Data()`,
		`"the end"`)
}

// ids are those of cells, which are random.
var ids = regexp.MustCompile(`"id": "[0-9a-f]+"`)

func TestRanks(t *testing.T) {
	dir := t.TempDir()
	var want []byte
	for _, test := range []struct {
		options string
		flags   []string
	}{
		{", nnkit.Shards(8)", nil}, // a live session
		{"", []string{"--ranks", "1"}},
		{"", []string{"--ranks", "3"}},
	} {
		out := filepath.Join(dir, "out.ipynb")
		ok(t, 0, append([]string{"run", sharedNotebook(t, test.options), "--output", out, "--html", filepath.Join(dir, "out.html")}, test.flags...)...)
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got = ids.ReplaceAll(bytes.ReplaceAll(got, []byte(", nnkit.Shards(8)"), nil), nil)
		if want == nil {
			want = got
			contains(t, "the notebook", string(got), `"the end"`)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%v: the executed notebook is\n%s\nthat of a live session with as many shards\n%s", test.flags, got, want)
		}
	}
}

func TestRankDies(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "run.safetensors")
	out, page := filepath.Join(dir, "out.ipynb"), filepath.Join(dir, "out.html")
	run := func(options string) result {
		return kernel(t, "", "run", sharedNotebook(t, options), "--output", out, "--html", page, "--ranks", "3")
	}
	die := func(how string) string {
		return `, nnkit.Checkpoint("` + file + `", nnkit.Resume()), nnkit.OnBatchEnd(func(t *nnkit.Training) {
	if t.Epoch == 2 && t.Batch == 3 && os.Getenv("NNKIT_RANK") == "1" { ` + how + ` }
})`
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ how, says string }{
		{`syscall.Kill(os.Getpid(), syscall.SIGKILL)`, "rank 1 on " + host + " has died (signal: killed)"},
		{`os.Stderr.WriteString("the disk is full\n"); os.Exit(3)`, "rank 1 on " + host + " has died (exit status 3): the disk is full"},
		{`go func() { panic("no more of this") }(); select {}`, "rank 1 on " + host + " has died (exit status 2): panic: no more of this"},
	} {
		r := run(die(test.how))
		if r.status != statusFailed || !strings.Contains(r.stderr, test.says) {
			t.Errorf("%s: status %d and\n%s%s\nwant %q", test.how, r.status, r.stdout, r.stderr, test.says)
		}
	}
	shown := func() string {
		_, text, _ := strings.Cut(read(t, out), `"model.Parameters`)
		return text
	}
	if r := run(die("")); r.status != 0 {
		t.Fatalf("going on: status %d\n%s", r.status, r.stderr)
	}
	resumed := shown()
	if r := run(""); r.status != 0 {
		t.Fatalf("without a break: status %d\n%s", r.status, r.stderr)
	}
	if want := shown(); resumed != want {
		t.Errorf("after the deaths the weights are\n%s\nwithout\n%s", resumed, want)
	}
}

func TestRanksRefused(t *testing.T) {
	name := cells(t, `println(1)`)
	for _, test := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"PATH=/nowhere", "run", name, "--ranks", "2"}, statusImpossible, "there is no"},
		{[]string{"run", name, "--ranks", "0"}, statusUsage, "--ranks 0: it wants a number from 1 on"},
		{[]string{"run", name, "--hostfile", "hosts"}, statusUsage, "--hostfile is for --ranks"},
		{[]string{"run", name, "--ranks", "2", "--hostfile", "nowhere"}, statusImpossible, "nowhere"},
		{[]string{"run", cells(t, `x := undefined`), "--ranks", "2"}, statusImpossible, "undefined"},
	} {
		r := kernel(t, "", test.args...)
		if r.status != test.status || !strings.Contains(r.stderr, test.says) {
			t.Errorf("%v: status %d and %q, want %d and %q", test.args, r.status, r.stderr, test.status, test.says)
		}
	}
}
