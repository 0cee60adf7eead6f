package e2e

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/seed5607215b/nnkit"

// mayImport says of each room which others of ours its packages may import
// directly, tests aside. A room holds the folders below it that have no row of
// their own, and may import all that lies in it. ARCHITECTURE.md says why.
var mayImport = map[string][]string{
	"kernel":                     {"kernel/internal/cgroup", "kernel/internal/jupyter", "kernel/internal/notebook", "kernel/internal/experiment", "kernel/internal/session", "kernel/internal/history", "kernel/internal/message"},
	"kernel/bench":               {"kernel/internal/jupyter", "kernel/internal/session", "kernel/internal/message"},
	"kernel/internal/message":    {},
	"kernel/internal/history":    {"kernel/internal/message"},
	"kernel/internal/jupyter":    {"kernel/internal/message", "kernel/internal/history"},
	"kernel/internal/cell":       {},
	"kernel/internal/cgroup":     {},
	"kernel/internal/program":    {"kernel/internal/cell"},
	"kernel/internal/build":      {},
	"kernel/internal/wire":       {},
	"kernel/internal/session":    {"kernel/internal/message", "kernel/internal/cell", "kernel/internal/cgroup", "kernel/internal/program", "kernel/internal/build", "kernel/internal/complete", "kernel/internal/history", "kernel/internal/wire"},
	"kernel/internal/complete":   {"kernel/internal/program", "kernel/internal/cell"},
	"kernel/internal/notebook":   {"kernel/internal/message"},
	"kernel/internal/experiment": {"kernel/internal/notebook", "kernel/internal/cell"},
	"kernel/worker":              {"kernel/internal/wire"},
	"nnkit":                      {"nnkit/internal/simd", "nnkit/internal/parallel", "nnkit/internal/random", "nnkit/internal/safetensors", "nnkit/internal/onnx", "nnkit/internal/tensorboard"},
	"nnkit/internal/random":      {},
	"nnkit/internal/simd":        {"nnkit/internal/random"},
	"nnkit/internal/parallel":    {},
	"nnkit/internal/safetensors": {},
	"nnkit/internal/onnx":        {"nnkit/internal/protobuf"},
	"nnkit/internal/tensorboard": {"nnkit/internal/protobuf"},
	"nnkit/internal/protobuf":    {},
	"nnkit/data":                 {"nnkit", "nnkit/internal/simd", "nnkit/internal/parallel", "nnkit/internal/random"}, // simd for its exp, the same to the last bit everywhere
	"nnkit/gonum":                {"nnkit"},
	"display":                    {"nnkit"}, // in the files of nnkitFigures alone
	"display/jupyter":            {},
	"display/widgets":            {"display/jupyter"},
	"install":                    {},
	"notebooks":                  {},
	"e2e":                        {},
}

// mustNotReach says what a room must not depend on, however indirectly.
var mustNotReach = map[string][]string{
	"kernel":          {module + "/nnkit", module + "/display"},
	"nnkit":           {module + "/display", "github.com/janpfeifer/gonb", "gonum.org/v1/plot"},
	"display/jupyter": {module + "/nnkit", "gonum.org/v1/plot"}, // cells that ask for little link little
	"display/widgets": {module + "/nnkit", "gonum.org/v1/plot"},
	"kernel/worker":   {"*"}, // what the worker holds is pinned for the session's life
}

// A listedPackage is what `go list` tells of a package.
type listedPackage struct {
	ImportPath string
	Dir        string
	Standard   bool
	Imports    []string
}

// goList lists packages by import path, in order of dependence.
func goList(t *testing.T, args ...string) map[string]listedPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Dir,Standard,Imports"}, args...)...)
	cmd.Dir = ".."
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &complaints)
	}
	all := map[string]listedPackage{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// roomOf finds the row of mayImport that a package of ours belongs to.
func roomOf(importPath string) (room string, ok bool) {
	rel, ours := strings.CutPrefix(importPath, module+"/")
	if !ours {
		return "", false
	}
	for room = rel; room != "."; room = path.Dir(room) {
		if _, ok := mayImport[room]; ok {
			return room, true
		}
	}
	return "", false
}

func isOurs(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

func TestRoomsImportWhatTheTableAllows(t *testing.T) {
	all := goList(t, "./...")
	for name, p := range all {
		if !isOurs(name) {
			continue
		}
		room, ok := roomOf(name)
		if !ok {
			t.Errorf("%s belongs to no room of the table; give it a row", name)
			continue
		}
		for _, imported := range p.Imports {
			if !isOurs(imported) {
				continue
			}
			to, ok := roomOf(imported)
			if !ok || to != room && !slices.Contains(mayImport[room], to) {
				t.Errorf("%s imports %s, which the table does not allow to %s", name, imported, room)
			}
		}
	}
}

func TestRoomsDoNotReach(t *testing.T) {
	all := goList(t, "./...")
	for room, forbidden := range mustNotReach {
		for name := range all {
			if r, ok := roomOf(name); !ok || r != room {
				continue
			}
			for dep, via := range reach(all, name) {
				if isOurs(dep) && slices.Contains(forbidden, "*") {
					continue // the table of direct imports has judged it
				}
				for _, f := range forbidden {
					foreign := f == "*" && !all[dep].Standard && dep != "C"
					if foreign || dep == f || strings.HasPrefix(dep, f+"/") {
						t.Errorf("%s must not depend on %s; it does through %s", name, dep, via)
					}
				}
			}
		}
	}
}

// reach lists what a package depends on, each with the path of imports to it.
func reach(all map[string]listedPackage, name string) map[string]string {
	via := map[string]string{}
	var visit func(name, trail string)
	visit = func(name, trail string) {
		for _, dep := range all[name].Imports {
			if _, seen := via[dep]; !seen {
				via[dep] = trail + " > " + dep
				visit(dep, via[dep])
			}
		}
	}
	visit(name, name)
	return via
}

// nnkitFigures are the files of display that know nnkit.
var nnkitFigures = []string{"landscape.go", "model.go", "training.go"}

// display draws plain series, so that it serves other numbers than nnkit's.
func TestDisplayKnowsTrainingInFewFiles(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", "{{range .GoFiles}}{{.}}\n{{end}}", "./display")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.FieldsSeq(string(out)) {
		for _, imported := range importsOf(t, path.Join("../display", file)) {
			if room, ok := roomOf(imported); ok && room == "nnkit" && !slices.Contains(nnkitFigures, file) {
				t.Errorf("display/%s imports %s; only %v may", file, imported, nnkitFigures)
			}
		}
	}
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return all
}
