package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeepFails has a restart that keeps values fail in several ways: the process that
// has them goes on, and the next restart goes well.
func TestKeepFails(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	worker := p.pid("x := []int{1, 2, 3}\nwindow := x[1:]\nimport \"os\"\nos.Getpid()")
	l := p.session.runner.(*live)
	start := l.startWorker
	for _, f := range []struct {
		name, want string
		begin, end func()
	}{
		{
			"the fresh process does not start", "no more processes",
			func() {
				l.startWorker = func(context.Context, string) (*Worker, error) { return nil, errors.New("no more processes") }
			}, nil,
		},
		{
			"it ends before it has the values", "nothing has changed",
			func() {
				l.startWorker = func(ctx context.Context, path string) (*Worker, error) {
					w, err := start(ctx, path)
					if err == nil {
						w.Kill()
					}
					return w, err
				}
			}, nil,
		},
		{
			"the cell is interrupted", "Interrupted",
			func() {
				l.startWorker = func(ctx context.Context, path string) (*Worker, error) {
					_ = p.session.Interrupt(ctx)
					return start(ctx, path)
				}
			}, nil,
		},
		{
			"the file cannot be written", "nothing has changed",
			func() { writeFile(t, filepath.Join(p.session.dir, "kept", "in the way"), nil) },
			func() { _ = os.RemoveAll(filepath.Join(p.session.dir, "kept")) },
		},
	} {
		f.begin()
		got := p.runs("%restart --keep")
		l.startWorker = start
		if f.end != nil {
			f.end()
		}
		if !strings.Contains(got, f.want) {
			t.Errorf("%s: the cell shows\n%s\nwant %q in it", f.name, got, f.want)
		}
		if now := p.pid("x[1]++; window[0]--; os.Getpid()"); now != worker {
			t.Errorf("%s: process %d has become %d", f.name, worker, now)
		}
		p.shows("x, window", "[1 2 3], [2 3]")
	}
	p.shows("%restart --keep", "a fresh process has the values of 2 variables\n")
	if now := p.pid("x[1]++; os.Getpid()"); now == worker {
		t.Error("the process is the same after a restart")
	}
	p.shows("x, window", "[1 3 3], [3 3]")
	if left, _ := filepath.Glob(filepath.Join(p.session.dir, "kept*")); left != nil {
		t.Errorf("files are left: %v", left)
	}
}

// TestRestartOffered tells, once a process, that very many cells were compiled.
func TestRestartOffered(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.shows("x := 1")
	p.session.runner.(*live).most = 3
	const offer = "%restart --keep begins a fresh one"
	for i, code := range []string{"x + 1", "x + 2", "x + 3", "x + 2", "%restart --keep", "x + 4", "x + 5", "x + 6", "x + 7"} {
		got := p.runs(code)
		if offered := strings.Contains(got, offer); offered != (code == "x + 2" && i == 1 || code == "x + 6") {
			t.Errorf("%s shows\n%s", code, got)
		}
	}
}
