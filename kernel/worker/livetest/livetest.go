// Package livetest runs the tests and benchmarks of a notebook inside its worker,
// where the variables are that they may use. What it prints is what go test -v
// prints. It leaves out fuzzing, coverage and profiles, which are a process's own.
package livetest

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// Test and Benchmark are functions with the names that go test gives them.
type (
	Test      = testing.InternalTest
	Benchmark = testing.InternalBenchmark
)

// Run runs tests, and the benchmarks that the flags ask for, as a test program
// that is given these flags. The cell fails with the first of them that does.
func Run(flags []string, tests []Test, benchmarks []Benchmark) {
	c := running.Own()
	if c == nil {
		return
	}
	fail := func(text string) {
		c.Fail(wire.Outcome{Status: wire.Failed, Name: "test", Value: text})
	}
	for i, t := range tests {
		tests[i].F = guarded(t.F)
	}
	m := testing.MainStart(deps{}, tests, benchmarks, nil, nil)
	if err := setFlags(flags); err != nil {
		fail(err.Error())
		return
	}
	if m.Run() != 0 {
		fail("a test has failed")
	}
}

// setFlags sets the flags of package testing, all others of them to what they are
// where nobody sets them. The program's own flags stay.
func setFlags(args []string) error {
	set := flag.NewFlagSet("%test", flag.ContinueOnError)
	set.SetOutput(io.Discard) // the error says enough
	flag.VisitAll(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "test.") {
			_ = f.Value.Set(f.DefValue) // it was one
			set.Var(f.Value, f.Name, f.Usage)
		}
	})
	if !flag.Parsed() { // which package testing wants
		_ = flag.CommandLine.Parse(nil)
	}
	return set.Parse(append([]string{"-test.fullpath"}, args...))
}

// guarded is a test whose panic fails it, and does not end the process with all
// that the session holds.
func guarded(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		returned := false
		defer func() {
			switch p := recover(); {
			case p != nil:
				fmt.Printf("panic: %v\n%s", p, places())
				t.Fail()
			case !returned && !t.Failed() && !t.Skipped(): // an interrupt ends the goroutine
				t.FailNow()
			}
		}()
		test(t)
		returned = true
	}
}

// places are the lines in cells that a panic went through.
func places() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.File, "/cell/") {
			fmt.Fprintf(&b, "    %s:%d\n", f.File, f.Line)
		}
		if !more {
			return b.String()
		}
	}
}

// deps is what a test program gives to package testing.
type deps struct{}

var errNone = errors.New("not in a notebook")

type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

func (deps) ImportPath() string                                       { return "main" }
func (deps) ModulePath() string                                       { return "" }
func (deps) MatchString(pattern, s string) (bool, error)              { return regexp.MatchString(pattern, s) }
func (deps) SetPanicOnExit0(bool)                                     {}
func (deps) StartCPUProfile(io.Writer) error                          { return errNone }
func (deps) StopCPUProfile()                                          {}
func (deps) StartTestLog(io.Writer)                                   {}
func (deps) StopTestLog() error                                       { return nil }
func (deps) WriteProfileTo(string, io.Writer, int) error              { return errNone }
func (deps) RunFuzzWorker(func(corpusEntry) error) error              { return errNone }
func (deps) CheckCorpus([]any, []reflect.Type) error                  { return nil }
func (deps) ResetCoverage()                                           {}
func (deps) SnapshotCoverage()                                        {}
func (deps) ReadCorpus(string, []reflect.Type) ([]corpusEntry, error) { return nil, errNone }

func (deps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []corpusEntry, []reflect.Type, string, string) error {
	return errNone
}

func (deps) InitRuntimeCoverage() (mode string, tearDown func(string, string) (string, error), snapcov func() float64) {
	return "", nil, nil
}
