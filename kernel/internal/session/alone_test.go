package session

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

func TestAlone(t *testing.T) {
	testCases(t, Config{Alone: true}, "testdata/alone/*.txtar", "testdata/both/*.txtar")
}

// executor executes one cell after the other in a session.
func executor(s *Session) func(code string, out message.Output) message.ExecuteReply {
	count := 0
	return func(code string, out message.Output) message.ExecuteReply {
		count++
		return s.Execute(context.Background(), count, &message.ExecuteRequest{Code: code}, out)
	}
}

// linkTools puts nothing on the PATH but the named tools.
func linkTools(t *testing.T, names ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		file, err := exec.LookPath(name)
		if err == nil {
			err = os.Symlink(file, filepath.Join(dir, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// TestFallback takes away what a live session needs. The first cell says what is
// missing, and cells run.
func TestFallback(t *testing.T) {
	for _, test := range []struct {
		name    string
		without func(t *testing.T)
		want    string
	}{
		{"no compiler", func(t *testing.T) { linkTools(t, "go") }, "Each cell runs in a process of its own, because there is no C compiler (gcc): functions, types and what is declared by var x = … are kept for the next cells, the values of variables are not. To keep them too: apt-get install gcc libc6-dev"},
		{"no linker", func(t *testing.T) { linkTools(t, "go", "gcc") }, "because there is no linker (ld): "},
		{"another Go", breakLinker, "because the live session does not work with this Go (the first library: link: exit status 1): "},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.without(t)
			s, rec := newSessionWith(t, Config{CacheDir: t.TempDir()}), &recorder{}
			execute := executor(s)
			if r := execute("func twice(n int) int { return 2 * n }\nx := twice(4)\nvar y = x", rec); r.Status != "ok" {
				t.Fatal(r.Traceback)
			}
			if got := rec.take(); !strings.Contains(got, test.want) {
				t.Errorf("the first cell shows %q, want %q", got, test.want)
			}
			if r := execute("fmt.Println(twice(21))", rec); r.Status != "ok" {
				t.Error(r.Traceback)
			}
			if got, want := rec.take(), "stdout: 42\n"; got != want {
				t.Errorf("the second cell shows %q, want %q", got, want)
			}
			if r := execute("x", rec); !strings.Contains(r.ErrorValue, "Make it here as Cell [1] does") {
				t.Errorf("a variable of the first cell: %v", r)
			}
		})
	}
}

// breakLinker gives the session a Go whose linker knows nothing of shared
// libraries.
func breakLinker(t *testing.T) {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(goTool, "env", "GOTOOLDIR").Output()
	if err != nil {
		t.Fatal(err)
	}
	tools, dir := strings.TrimSpace(string(out)), t.TempDir()
	if err := os.Symlink(filepath.Join(tools, "compile"), filepath.Join(dir, "compile")); err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"go":   "'" + goTool + "' \"$@\" | sed 's|\"" + tools + "\"|\"" + dir + "\"|'",
		"link": "echo unknown flag: -linkshared; exit 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

func TestWithoutGo(t *testing.T) {
	linkTools(t, "ls")
	s, rec := newSessionWith(t, Config{}), &recorder{}
	r := executor(s)("1", rec)
	if want := "no go command found: install Go 1.26 or newer from https://go.dev/dl and put its bin directory on the PATH"; r.ErrorValue != want {
		t.Errorf("the cell fails with %q, want %q", r.ErrorValue, want)
	}
}

func TestInterruptAlone(t *testing.T) {
	s, rec := newSessionWith(t, Config{Alone: true}), &recorder{}
	execute := executor(s)
	const listen = "ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)\ndefer stop()\nfmt.Println(\"go\")\n"
	for _, test := range []struct {
		name, code string
		interrupts int
		want       string // of the outputs; "" for an interrupted cell
	}{
		{"loop", "fmt.Println(\"go\")\nfor {}", 1, ""},
		{"child", "cmd := exec.Command(\"sh\", \"-c\", \"echo go; sleep 1000; true\")\ncmd.Stdout = os.Stdout\ncmd.Run()", 1, ""},
		{"listens", listen + "<-ctx.Done()\nfmt.Println(\"stopped by itself\")", 1, "stdout: go\nstopped by itself\n"},
		{"is patient", "signal.Ignore(os.Interrupt)\nfmt.Println(\"go\")\nfor {}", 1, ""},
		{"twice", listen + "select {}", 2, ""},
		{"in an initialiser", "var forever = func() int { fmt.Println(\"go\"); select {} }()", 1, ""},
		{"in an initialiser done again", "forever", 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := started{rec, make(chan struct{})}
			done := make(chan message.ExecuteReply)
			go func() { done <- execute(test.code, out) }()
			<-out.ch
			for range test.interrupts {
				if err := s.Interrupt(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			var reply message.ExecuteReply
			select {
			case reply = <-done:
			case <-time.After(time.Minute):
				t.Fatal("the cell goes on")
			}
			got := rec.take()
			if test.want != "" && (reply.Status != "ok" || got != test.want) || test.want == "" && reply.ErrorName != "Interrupted" {
				t.Errorf("the cell shows %q and ends with %+v", got, reply)
			}
		})
	}
	if r := execute("1", rec); r.Status != "ok" {
		t.Errorf("the cell after: %v", r)
	}
}

// TestTrial has the worker stand its trial, which a change of what it is to print
// makes it fail.
func TestTrial(t *testing.T) {
	s := newTestSession(t)
	<-s.started
	if s.failed != nil || s.alone {
		t.Fatal(s.failed, s.warning)
	}
	if err := s.tryLive(t.Context()); err != nil {
		t.Error(err)
	}
	right := trial
	defer func() { trial = right }()
	trial = bytes.Replace(right, []byte("int 28"), []byte("int 27"), 1)
	if err := s.tryLive(t.Context()); err == nil || !strings.Contains(err.Error(), `cell 6 of its trial prints "int 28\n" instead of "int 27\n"`) {
		t.Errorf("a trial that asks for something else: %v", err)
	}
}
