package program

import (
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the packages that are printed into testdata")

// exports imports the standard library as the go command compiles it.
type exports struct {
	mu    sync.Mutex
	files map[string]string
	types types.Importer
}

func newExports() *exports {
	e := &exports{files: map[string]string{}}
	e.types = importer.ForCompiler(token.NewFileSet(), "gc", e.open)
	return e
}

func (e *exports) open(path string) (io.ReadCloser, error) {
	if e.files[path] == "" {
		out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}", path).Output()
		if err != nil {
			return nil, fmt.Errorf("package %s is not in the standard library", path)
		}
		for line := range strings.FieldsSeq(string(out)) {
			path, file, _ := strings.Cut(line, "=")
			e.files[path] = file
		}
	}
	return os.Open(e.files[path])
}

func (e *exports) Import(path string) (*types.Package, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.types.Import(path)
}

var std = newExports()

func find(name string) []string {
	return map[string][]string{
		"fmt": {"fmt"}, "strings": {"strings"}, "errors": {"errors"}, "math": {"math"}, "os": {"os"}, "time": {"time"}, "sort": {"sort"},
		"rand": {"crypto/rand", "math/rand", "math/rand/v2"}, "bytes": {"bytes"}, "strconv": {"strconv"}, "io": {"io"}, "atomic": {"sync/atomic"}, "list": {"container/list"},
	}[name]
}

// A case is a txtar file: its files in order are cells ("cell"), and what
// follows each of them: "package", the text printed for it, or "error". A "cell for the
// page" is planned to run there.
func TestPlan(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		dir, name := filepath.Split(strings.TrimSuffix(file, ".txtar"))
		kind := filepath.Base(dir) // plan, stops, or alone: each cell a program of its own
		t.Run(kind+"/"+name, func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := New(Config{Importer: std, Find: find, Alone: kind == "alone"})
			p.Stops = kind == "stops" // for a debugger
			got := &txtar.Archive{Comment: a.Comment}
			n := 0
			for _, f := range a.Files {
				planned, commit := p.Plan, p.Commit
				switch f.Name {
				case "cell":
				case "cell for the page":
					planned = func(source string, label int) (*Plan, error) {
						return p.PlanPage(source, label, Config{Importer: std, Find: find})
					}
					commit = p.CommitPage
				default:
					continue
				}
				n++
				got.Files = append(got.Files, f)
				plan, err := planned(strings.TrimSuffix(string(f.Data), "\n"), n)
				switch {
				case err != nil:
					got.Files = append(got.Files, txtar.File{Name: "error", Data: []byte(err.Error() + "\n")})
				case plan.Empty:
					got.Files = append(got.Files, txtar.File{Name: "empty"})
				case plan.Reused:
					p.Commit(plan)
					got.Files = append(got.Files, txtar.File{Name: "reused " + plan.Entry})
				default:
					vet(t, plan.Source)
					commit(plan)
					got.Files = append(got.Files, txtar.File{Name: "package", Data: []byte(plan.Source)})
				}
			}
			text := txtar.Format(got)
			if *update {
				if err := os.WriteFile(file, text, 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != string(want) {
				t.Errorf("%s: want\n%s\ngot\n%s", file, want, text)
			}
		})
	}
}

// vet type-checks a printed package as the compiler will.
func vet(t *testing.T, source string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "package.go", source, 0)
	if err != nil {
		t.Errorf("the printed package does not parse: %v\n%s", err, source)
		return
	}
	config := types.Config{Importer: withLive{std}, Error: func(err error) { t.Errorf("%v in the printed package:\n%s", err, source) }}
	config.Check("main", fset, []*ast.File{f}, nil)
}

// withLive adds the packages that printed packages call.
type withLive struct{ types.Importer }

func (w withLive) Import(path string) (*types.Package, error) {
	text := map[string]string{LivePath: liveText, AlonePath: "package alone\nfunc Main(entry func())\n"}[path]
	if text == "" {
		return w.Importer.Import(path)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "live.go", text, 0)
	if err != nil {
		return nil, err
	}
	return (&types.Config{Importer: w.Importer}).Check(path, fset, []*ast.File{f}, nil)
}

const liveText = `package live
func Show(values ...any)
type Error = error
func Failed(cell, line int, err error) bool
func Dropped(cell, line int, err error)
func Command(n int) bool { return false }
func Time() func() { return nil }
func Redefine(names ...string) {}
func Check()
type Frame struct{}
type Pointers = []any
func Enter(file, function string) *Frame
func (f *Frame) At(line, column int, names string, pointers func() []any)
func (f *Frame) Leave()
`
