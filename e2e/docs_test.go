package e2e

import (
	"bytes"
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
	"regexp"
	"strings"
	"testing"
)

// known is what the lines of the cheat sheets may use beside the packages.
const known = `
	var (
		model *nnkit.Model
		history *nnkit.History
		tape *nnkit.Tape
		loss, t, w, b, x1 *nnkit.Tensor
		p *nnkit.Parameter
		x, xv, rows [][]float64
		y, yv, truth []float64
		labels []int
		err error
	)
`

var (
	span  = regexp.MustCompile("`([^`]+)`")
	block = regexp.MustCompile("(?s)```go\n(.*?)```")
	ours  = regexp.MustCompile(`\b(?:nnkit|data|display|model|history|tape|fmt|t|p)\.`)
)

// Every line of ours in a cheat sheet compiles: the code in the last column of its tables, the blocks of Go, and what else is
// code of these packages in its text.
func TestCheatSheetsCompile(t *testing.T) {
	imports := exports(t, "fmt", "github.com/seed5607215b/nnkit/nnkit", "github.com/seed5607215b/nnkit/nnkit/data", "github.com/seed5607215b/nnkit/display")
	for _, sheet := range []string{"keras.md", "pytorch.md"} {
		text, err := os.ReadFile(filepath.Join("..", "docs", sheet))
		if err != nil {
			t.Fatal(err)
		}
		var code []string
		for _, m := range block.FindAllSubmatch(text, -1) {
			code = append(code, string(m[1]))
		}
		for line := range strings.Lines(block.ReplaceAllString(string(text), "")) {
			if after, ok := strings.CutPrefix(line, "|"); ok { // theirs is in the first column
				_, line, _ = strings.Cut(after, " | ")
			}
			for _, m := range span.FindAllStringSubmatch(line, -1) {
				if ours.MatchString(m[1]) {
					code = append(code, m[1])
				}
			}
		}
		if len(code) < 40 {
			t.Errorf("%s: only %d pieces of code were found", sheet, len(code))
		}
		for _, c := range code {
			if err := compiles(imports, c); err != nil {
				t.Errorf("%s: %s\n\t%v", sheet, c, err)
			}
		}
	}
}

func TestCheatSheetsCompileFindsMistakes(t *testing.T) {
	imports := exports(t, "fmt", "github.com/seed5607215b/nnkit/nnkit", "github.com/seed5607215b/nnkit/nnkit/data", "github.com/seed5607215b/nnkit/display")
	for _, wrong := range []string{"nnkit.Dense(10, nnkit.Relu)", "model.Fit(x, y, nnkit.Momentum(0.9))", "nnkit.Dropout()", "model.Fit(x, y"} {
		if compiles(imports, wrong) == nil {
			t.Errorf("%s compiles", wrong)
		}
	}
}

// compiles checks a piece of code as the statements of a function, or where it is an expression as a value or a type.
func compiles(imports types.Importer, code string) error {
	e, err := parser.ParseExpr(code)
	if _, call := e.(*ast.CallExpr); err != nil || call {
		return check(imports, code)
	}
	if check(imports, "var _ "+code) == nil {
		return nil
	}
	return check(imports, "_ = "+code)
}

func check(imports types.Importer, statements string) error {
	var use strings.Builder
	for name := range strings.FieldsSeq("model history tape loss t w b x1 p x xv rows y yv truth labels err fmt.Sprint data.OneHot display.Model nnkit.Dense") {
		fmt.Fprintf(&use, "_ = %s\n", name)
	}
	source := fmt.Sprintf(`package sheet
import (
	"fmt"
	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)
func _() error {
%s
%s
	{
%s
	}
	return nil
}`, known, use.String(), statements)
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "sheet.go", source, 0)
	if err != nil {
		return err
	}
	var first error
	config := types.Config{Importer: imports, Error: func(err error) {
		if first == nil && !strings.Contains(err.Error(), "declared and not used") { // as in a cell
			first = err
		}
	}}
	config.Check("sheet", files, []*ast.File{f}, nil)
	return first
}

// exports imports packages from what the go command has compiled.
func exports(t *testing.T, packages ...string) types.Importer {
	t.Helper()
	list := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, packages...)...)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		b, err := os.ReadFile(files[path])
		return io.NopCloser(bytes.NewReader(b)), err
	})
}
