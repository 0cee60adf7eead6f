//go:build judge

package session

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// inherent are programs of Go's own tests that cannot be cells by nature, or
// that show a known limit.
var inherent = map[string]string{
	"devirtualization_nil_panics.go": "compares file names",
	"linkmain_run.go":                "runs the go command on its own directory",
	"linkobj.go":                     "runs the go command on its own directory",
	"linkx_run.go":                   "needs flags of the linker",
	"nilptr.go":                      "wants a variable at a low address",
	"nosplit.go":                     "builds hundreds of programs",
	"rename.go":                      "redeclares int, true and nil for all cells",
	"rename1.go":                     "redeclares int, true and nil for all cells",
	"zerosize.go":                    "compares addresses of variables without size",
	"fixedbugs/bug348.go":            "compares file names",
	"fixedbugs/bug369.go":            "runs the go command on its own directory",
	"fixedbugs/issue10607.go":        "runs the go command on its own directory",
	"fixedbugs/issue15528.go":        "runs itself",
	"fixedbugs/issue17381.go":        "looks for main.main",
	"fixedbugs/issue19658.go":        "builds programs",
	"fixedbugs/issue21317.go":        "runs the go command on its own directory",
	"fixedbugs/issue21808.go":        "its .out holds stderr too",
	"fixedbugs/issue22083.go":        "looks for function names in a stack trace",
	"fixedbugs/issue26094.go":        "the runtime sees the names of moved local types",
	"fixedbugs/issue27201.go":        "compares line numbers of runtime.Caller's file",
	"fixedbugs/issue30476.go":        "runs itself",
	"fixedbugs/issue30566a.go":       "comes after a finalizer that panics",
	"fixedbugs/issue38093.go":        "is for js",
	"fixedbugs/issue4562.go":         "compares file names",
	"fixedbugs/issue5856.go":         "compares file names",
	"fixedbugs/issue9355.go":         "runs the go command on its own directory",
	"typeparam/issue48318.go":        "encoding/xml sees the version of a type",
	"typeparam/issue54456.go":        "reflect sees the name of a moved generic type",
}

// Go's own test programs, each made a cell: all in one worker, one after the
// other. What a program prints must be what its .out file says.
func TestJudge(t *testing.T) {
	root := filepath.Join(runtime.GOROOT(), "test")
	var files []string
	for _, pattern := range []string{"*.go", "*/*.go"} {
		more, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	// Half of them in each of two workers, side by side.
	var programs atomic.Int64
	t.Run("half", func(t *testing.T) {
		for half := range 2 {
			t.Run(strconv.Itoa(half), func(t *testing.T) {
				t.Parallel()
				programs.Add(int64(judgeHalf(t, root, files, half)))
			})
		}
	})
	if n := programs.Load(); n < 900 {
		t.Errorf("only %d programs in %s", n, root)
	}
	t.Logf("%d programs", programs.Load())
}

// judgeHalf runs every second program in one worker, and counts them.
func judgeHalf(t *testing.T, root string, files []string, half int) int {
	s := newTestSession(t)
	<-s.started
	count := 0
	for i, file := range files {
		if i%2 != half {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(root, file)
		if head, _, _ := strings.Cut(string(data), "\n"); strings.TrimSpace(head) != "// run" || inherent[name] != "" {
			continue
		}
		count++
		rec := &recorder{}
		s.program.Reset() // every program is one of its own
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		reply := s.Execute(ctx, count, &message.ExecuteRequest{Code: string(data)}, rec)
		cancel()
		if reply.Status != "ok" && !strings.Contains(reply.ErrorValue, "exited with status 0") {
			t.Errorf("%s: %s\n%s", name, reply.ErrorValue, rec.take())
			continue
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, ".go") + ".out")
		if all := rec.take(); err == nil && rec.stdout.String() != string(want) && !strings.Contains(all, strings.TrimSpace(string(want))) {
			t.Errorf("%s prints\n%s\nwant\n%s", name, all, want)
		}
	}
	return count
}
