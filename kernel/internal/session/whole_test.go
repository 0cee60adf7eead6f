package session

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// TestWhole makes a program of the cells of each case and compares what it prints
// with what they show in a live session.
func TestWhole(t *testing.T) {
	for _, folder := range wholeCases {
		files, err := filepath.Glob("testdata/" + folder + "/*.txtar")
		if err != nil || len(files) == 0 {
			t.Fatal("no cases", folder, err)
		}
		for _, file := range files {
			t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				t.Parallel()
				testWhole(t, file)
			})
		}
	}
}

// wholeCases are the folders of cases; those of the language are many.
var wholeCases = []string{"redefine", "whole"}

func testWhole(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Dir: t.TempDir()}
	if config.Sources, err = FindSources(os.Args[0], "."); err != nil {
		t.Fatal(err)
	}
	w, err := NewWhole(config)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var want, wantErrors, args string
	count, added := 0, 0
	failed := false
	for i, f := range a.Files {
		switch f.Name {
		case "arguments":
			args = string(f.Data)
		case "stderr":
			wantErrors = string(f.Data)
		case "out", "program.go":
		case "cell":
			count++
			out := ""
			if i+1 < len(a.Files) && a.Files[i+1].Name == "out" {
				out = string(a.Files[i+1].Data)
			}
			failure := failures.FindStringIndex(out)
			shown := out
			if failure != nil {
				shown = out[:failure[0]]
			}
			if failed || strings.HasPrefix(strings.TrimPrefix(out, shown), "error CompileError") {
				continue // it changes nothing, or the program does not come to it
			}
			if unlike.MatchString(out) {
				failed = true // what follows is the live session's own
				continue
			}
			want += shown
			failed = failure != nil
			rec := &recorder{}
			code := strings.TrimSuffix(string(f.Data), "\n")
			reply := w.Add(context.Background(), count, code, strings.HasPrefix(code, "// parameters"), rec)
			if reply.Status != "ok" {
				t.Fatalf("Cell [%d]: %s", count, strings.Join(reply.Traceback, "\n"))
			}
			added++
		default:
			writeFile(t, filepath.Join(config.Dir, filepath.FromSlash(f.Name)), f.Data)
		}
	}
	if added == 0 {
		return
	}
	executable := filepath.Join(t.TempDir(), "program")
	if static, err := w.Build(context.Background(), "case.ipynb", executable); err != nil || !static {
		t.Fatalf("static %t, %v", static, err)
	}
	c := exec.Command(executable, strings.Fields(args)...)
	c.Dir = t.TempDir() // where none of the notebook's files are
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err = c.Run()
	if (err != nil) != failed && !strings.Contains(file, "worker-dies") {
		t.Errorf("%v\n%s", err, stderr.String())
	}
	if got, want := bare(stdout.String()), bare(want); got != want {
		t.Errorf("the program prints\n%s\nthe cells\n%s", got, want)
	}
	if got := stderr.String(); wantErrors != "" && got != wantErrors {
		t.Errorf("on standard error\n%s\nwant\n%s", got, wantErrors)
	}
}

var (
	// unlike is what a program shows in another way, or not at all.
	unlike   = regexp.MustCompile(`(?m)^(stderr|display|update|page)|text/html|image/`)
	failures = regexp.MustCompile(`(?m)^error `)
	marks    = regexp.MustCompile(`(?m)^(stdout: |result: text/plain |result: )`)
	spaces   = regexp.MustCompile(`\s+`)
)

// bare is a text without the recorder's marks and without spaces.
func bare(text string) string {
	return spaces.ReplaceAllString(marks.ReplaceAllString(program.Unversioned(text), ""), "")
}
