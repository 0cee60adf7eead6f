//go:build linux

package session

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// harmless are the packages with which a text that nobody has read can do nothing
// to the machine. A cell that imports others is built and loaded, and not run.
var harmless = []string{
	"bytes", "cmp", "errors", "fmt", "maps", "math", "math/bits", "math/cmplx", "math/rand", "math/rand/v2", "slices", "sort", "strconv",
	"strings", "sync", "sync/atomic", "time", "unicode", "unicode/utf8",
	modulePath + "/kernel/worker/live",
}

// FuzzCell looks for a text that a session fails on: the kernel panics, a cell
// does not end, or the cells after it do not work.
func FuzzCell(f *testing.F) {
	for _, text := range []string{
		"x := 1\nx + 1",
		"func f(n int) int { return f(n+1) + 1 }\nf(0)",
		"for {\n}",
		"go func() { panic(1) }()\nselect {}",
		"type T struct{ T2 }\ntype T2 struct{ x int }\nT{}",
		"make([]byte, 1<<40)",
		"m := map[int]int{}\ngo func() { for { m[1]++ } }()\nfor { m[1]++ }",
		"import \"os\"\nos.Exit(1)",
		"var a [1 << 50]byte\na",
		"func init() { panic(\"x\") }",
		"const (\n\ta = iota\n\tb\n)\na, b",
		"func g[T any](x T) T { return x }\ng(1)\ng(\"\")",
		"x := func() {}\nx()\nx = nil\nx()",
		"%%",
		"a, b := 1\n\x00\xff",
		"len := 3\nlen",
		"import . \"fmt\"\nPrintln(1)",
		"defer recover()\npanic(nil)",
	} {
		f.Add(text)
	}
	s := newTestSession(f)
	<-s.started
	f.Fuzz(func(t *testing.T, text string) {
		hangs := time.AfterFunc(3*time.Minute, func() { panic(fmt.Sprintf("the cell hangs: %q", text)) })
		defer hangs.Stop()
		s.program.Reset()
		s.tame(t)
		if !s.fuzz(t, text) {
			return
		}
		s.program.Reset()
		next := func() (got string, reply message.ExecuteReply) {
			out := &recorder{}
			reply = s.Execute(t.Context(), 2, &message.ExecuteRequest{Code: "fmt.Println(\"well\")"}, out)
			return out.stdout.String(), reply
		}
		got, reply := next()
		if reply.ErrorName == "SessionEnded" { // by a goroutine that the text left behind, while the cell ran
			got, reply = next()
		}
		if reply.Status != "ok" || got != "well\n" {
			t.Errorf("after %q: the next cell prints %q, %+v", text, got, reply)
		}
	})
}

// fuzz executes a text if it is harmless, and else goes as far as loading it. It
// tells whether there was anything to execute.
func (s *Session) fuzz(t *testing.T, text string) bool {
	plan, err := s.program.Plan(text, 1)
	if err != nil {
		s.report(1, err).traceback()
		return false
	}
	for _, path := range plan.Imports {
		if !slices.Contains(harmless, path) {
			err := s.runner.ready(t.Context())
			if err == nil {
				err = s.runner.load(t.Context(), plan)
			}
			if err != nil {
				s.report(1, err).traceback()
			}
			return true
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s.Execute(ctx, 1, &message.ExecuteRequest{Code: text}, &recorder{})
	return true
}

// tame limits the memory of the worker.
func (s *Session) tame(t *testing.T) {
	<-s.started
	if err := s.runner.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := s.runner.(*live).current()
	limit := syscall.Rlimit{Cur: 4 << 30, Max: 4 << 30}
	if _, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(w.PID()), syscall.RLIMIT_AS, uintptr(unsafe.Pointer(&limit)), 0, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
}
