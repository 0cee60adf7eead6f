package complete

import (
	"context"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what is found into testdata")

// library is the standard library as the go command compiles it.
type library struct {
	files map[string]string
	types types.Importer
	fset  *token.FileSet
}

func newLibrary() *library {
	l := &library{files: map[string]string{}, fset: token.NewFileSet()}
	l.types = importer.ForCompiler(l.fset, "gc", l.open)
	return l
}

func (l *library) open(path string) (io.ReadCloser, error) {
	if l.files[path] == "" {
		out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}", path).Output()
		if err != nil {
			return nil, fmt.Errorf("package %s is not in the standard library", path)
		}
		for line := range strings.FieldsSeq(string(out)) {
			path, file, _ := strings.Cut(line, "=")
			l.files[path] = file
		}
	}
	return os.Open(l.files[path])
}

func (l *library) Begin(context.Context) {}

func (l *library) Import(path string) (*types.Package, error) { return l.types.Import(path) }

func (l *library) Position(pos token.Pos) token.Position { return l.fset.Position(pos) }

func (l *library) Known() []Package {
	var all []Package
	for path := range strings.FieldsSeq("fmt os math/rand/v2 math/rand crypto/rand sort strings strconv time text/scanner") {
		name := path[strings.LastIndexByte(path, '/')+1:]
		if name == "v2" {
			name = "rand"
		}
		all = append(all, Package{name, path, name == "scanner"})
	}
	return all
}

var std = sync.OnceValue(newLibrary)

func goroot(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func newTest(t testing.TB) *Completer {
	return New(std(), goroot(t), func(prefix string) []Item { return []Item{{Text: prefix + "file.csv", Type: "path"}} })
}

// viewOf is a program after cells.
func viewOf(t testing.TB, c *Completer, cells ...string) *program.View {
	t.Helper()
	p := program.New(program.Config{Importer: std(), Find: c.find})
	for i, cell := range cells {
		plan, err := p.Plan(cell, i+1)
		if err != nil {
			t.Fatal(err)
		}
		p.Commit(plan)
	}
	return p.View()
}

// shown is how many items a case holds.
const shown = 6

// cursor marks where the cursor is, in the texts of cases.
const cursor = "‸"

// A case is a txtar file: its files are cells that were executed ("cell"), and cells
// that are being written ("complete", "inspect", "detail"), each followed by what is
// found at the cursor ("found").
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	c := newTest(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := &txtar.Archive{Comment: a.Comment}
			var cells []string
			for _, f := range a.Files {
				if f.Name == "found" {
					continue
				}
				text := strings.TrimSuffix(string(f.Data), "\n")
				got.Files = append(got.Files, f)
				if f.Name == "cell" {
					cells = append(cells, text)
					continue
				}
				at := strings.Index(text, cursor)
				if at < 0 {
					t.Fatalf("there is no %s in %q", cursor, text)
				}
				text = strings.Replace(text, cursor, "", 1)
				view := viewOf(t, c, cells...)
				var found string
				if f.Name == "complete" {
					found = listed(text, c.Complete(t.Context(), view, text, at))
				} else if i, ok := c.Inspect(t.Context(), view, text, at, f.Name == "detail"); ok {
					found = i.Text(Value{})
				}
				got.Files = append(got.Files, txtar.File{Name: "found", Data: []byte(found + "\n")})
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

// listed writes a completion: what would be replaced, and a line for each item.
func listed(text string, c Completion) string {
	lines := []string{fmt.Sprintf("%q: %d", text[c.Start:c.End], len(c.Items))}
	for i, item := range c.Items {
		if i == shown {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", item.Type, item.Text, item.Signature))+"  // "+item.Doc)
	}
	return strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "  // \n", "\n")
}

// A position counts code points: characters outside of the basic plane, which are
// two for JavaScript, count once.
func TestPosition(t *testing.T) {
	for _, tt := range []struct {
		text             string
		position, offset int
	}{
		{"", 0, 0},
		{"abc", 2, 2},
		{"größe", 3, 4},
		{"\"𝄞\".x", 3, 6},
		{"e\u0301x", 2, 3}, // a letter and its accent
		{"世界", 2, 6},
		{"a\xffb", 2, 2},
		{"a\xe4\xb8", 3, 3}, // a character that is cut off
	} {
		if got := Offset(tt.text, tt.position); got != tt.offset {
			t.Errorf("Offset(%q, %d) = %d, want %d", tt.text, tt.position, got, tt.offset)
		}
		if got := Position(tt.text, tt.offset); got != tt.position {
			t.Errorf("Position(%q, %d) = %d, want %d", tt.text, tt.offset, got, tt.position)
		}
	}
	if got := Offset("ab", 9); got != 2 {
		t.Errorf("a position behind the text is %d", got)
	}
	if got := Offset("ab", -1); got != 0 {
		t.Errorf("a position before the text is %d", got)
	}
	if got := Position("aß", 2); got != 1 {
		t.Errorf("an offset inside of a character is %d", got)
	}
}

func FuzzPosition(f *testing.F) {
	for _, s := range []string{"", "abc", "größe", "𝄞𝄞", "a\xff\xfe", "\xe4\xb8", "\u0301"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, text string, position int) {
		offset := Offset(text, position)
		if offset < 0 || offset > len(text) {
			t.Fatalf("offset %d of %d", offset, len(text))
		}
		n := utf8.RuneCountInString(text)
		if got, want := Position(text, offset), min(max(0, position), n); got != want {
			t.Fatalf("%q: position %d is offset %d, which is position %d", text, position, offset, got)
		}
		runes := []rune(text)
		if got := utf8.RuneCountInString(text[:offset]); got != min(max(0, position), len(runes)) {
			t.Fatalf("%q: %d characters before offset %d", text, got, offset)
		}
		for i := range len(text) + 1 {
			if p := Position(text, i); p < 0 || p > n || Offset(text, p) > i {
				t.Fatalf("%q: offset %d is position %d, which is offset %d", text, i, p, Offset(text, p))
			}
		}
	})
}

// No text makes anything panic, and what would be replaced is before the cursor.
func FuzzComplete(f *testing.F) {
	for _, s := range []string{"p.", "fmt.Pr", "func f(", "import \"f", "p := point{", "for i := range s", "x := 1\nfunc g() { x", "\"", "/*", "a.b.c", "type t struct{ x", "return strings.", "[]int{}.", "1.", "var x ="} {
		f.Add(s, len(s))
	}
	c := newTest(f)
	view := viewOf(f, c, "import \"fmt\"\nimport \"strings\"\ntype point struct{ x, y int }\nfunc (p point) sum() int { return p.x + p.y }\np := point{1, 2}\nfmt.Println(strings.ToUpper(\"a\"), p.sum())")
	f.Fuzz(func(t *testing.T, text string, at int) {
		at = min(max(0, at), len(text))
		found := c.Complete(t.Context(), view, text, at)
		if found.Start < 0 || found.Start > found.End || found.End != at {
			t.Fatalf("%q at %d: from %d to %d", text, at, found.Start, found.End)
		}
		for _, item := range found.Items {
			if strings.Contains(item.Text+item.Signature, program.Cursor) && !strings.Contains(text, program.Cursor) {
				t.Fatalf("%q at %d: %+v", text, at, item)
			}
		}
		if i, ok := c.Inspect(t.Context(), view, text, at, true); ok {
			i.Text(Value{})
			i.HTML(Value{})
		}
	})
}

// BenchmarkComplete measures completions in a program of many cells.
func BenchmarkComplete(b *testing.B) {
	c := newTest(b)
	cells := []string{"import \"fmt\"\ntype point struct{ x, y int }\np := point{1, 2}\nfmt.Println(p)"}
	for i := range 200 {
		cells = append(cells, fmt.Sprintf("// f%d is one.\nfunc f%[1]d(a int) int { return a + %[1]d }\nv%[1]d := f%[1]d(1)", i))
	}
	view := viewOf(b, c, cells...)
	for _, text := range []string{"fmt.Pr", "p.", "v", "rand."} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if found := c.Complete(b.Context(), view, text, len(text)); len(found.Items) == 0 {
					b.Fatal("nothing is found")
				}
			}
		})
	}
}
