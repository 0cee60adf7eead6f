//go:build judge

package session

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestJudgeDebugged executes the cases of the language with a debugger that stops
// nowhere: they show what they show without it.
func TestJudgeDebugged(t *testing.T) {
	for _, pattern := range []string{"testdata/language/*.txtar", "testdata/redefine/*.txtar", "testdata/both/*.txtar", "testdata/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal("no cases", pattern, err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txtar")
			// They show stacks as the runtime prints them, where an inlined function and
			// the number of a function literal differ.
			if slices.Contains([]string{"crashes", "traces"}, name) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newTestSession(t)
				<-s.started
				newDebugClient(t, s).attach()
				testCase(t, s, file)
			})
		}
	}
}
