package notebook

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

func percentOf(t testing.TB, nb *Notebook) string {
	t.Helper()
	var b bytes.Buffer
	if err := nb.WritePercent(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A case is a text in the percent format, the notebook that it is, and the text
// that is made of that; or a notebook and the text.
func TestPercent(t *testing.T) {
	eachCase(t, "percent", func(t *testing.T, files map[string][]byte) []txtar.File {
		if data, ok := files["in.ipynb"]; ok {
			nb, err := Read(data)
			if err != nil {
				t.Fatal(err)
			}
			checkPercent(t, nb)
			return []txtar.File{{Name: "want.go", Data: []byte(percentOf(t, nb))}}
		}
		nb, err := ReadPercent(files["in.go"])
		if err != nil {
			return []txtar.File{{Name: "want error", Data: []byte(err.Error() + "\n")}}
		}
		checkPercent(t, nb)
		return []txtar.File{
			{Name: "want.ipynb", Data: written(t, nb)}, {Name: "want.go", Data: []byte(percentOf(t, nb))},
		}
	})
}

// checkPercent checks that a notebook comes back from the percent format as it was.
func checkPercent(t testing.TB, nb *Notebook) {
	t.Helper()
	nb.Strip()
	want := string(written(t, nb))
	text := percentOf(t, nb)
	back, err := ReadPercent([]byte(text))
	if err != nil {
		t.Fatalf("%v, in\n%s", err, text)
	}
	if got := string(written(t, back)); got != want {
		t.Errorf("comes back as\n%s\nwant\n%s\nthrough\n%s", got, want, text)
	}
}

// The tutorials come back as they are.
func TestPercentTutorials(t *testing.T) {
	names, err := filepath.Glob("../../../notebooks/*.ipynb")
	if err != nil || len(names) == 0 {
		t.Fatal("no notebooks", err)
	}
	for _, name := range names {
		nb, err := ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		checkPercent(t, nb)
		file := filepath.Join(t.TempDir(), "nb.go")
		if err := nb.WritePercentFile(file); err != nil {
			t.Fatal(err)
		}
		back, err := ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written(t, back), written(t, nb)) {
			t.Errorf("%s is another notebook when it comes back", name)
		}
	}
}

// Any text is a notebook or an error, and what it is stays the same.
func FuzzPercent(f *testing.F) {
	cases, _ := filepath.Glob("testdata/percent/*.txtar")
	for _, name := range cases {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range ar.Files {
			if strings.HasSuffix(file.Name, ".go") {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if nb, err := ReadPercent([]byte(text)); err == nil {
			checkPercent(t, nb)
		}
	})
}

// Cells of any text come back from the percent format.
func FuzzPercentCells(f *testing.F) {
	f.Add("x := 1\n\n", "# Title\n\n%% a", "k", "v")
	f.Add("%get a\n%%bash\n%% -x\n// %% y\n// %get\n// // %% z\n!ls\n?x", "// %% b\n\n// x\n//", "id", "\u2028")
	f.Add("", "", "a b", "{")
	f.Add("\n", "//go:build ignore", "title", "[markdown]")
	f.Add("", "", "A=", "0")
	f.Add("\r\n", "// ---\n// ---", "A=\"0\" b", "=")
	f.Fuzz(func(t *testing.T, code, prose, name, value string) {
		checkPercent(t, plain(t, &Notebook{
			Metadata: map[string]any{name: value},
			Cells: []*Cell{
				{Type: Code, Source: code, Metadata: map[string]any{name: value}},
				{Type: Markdown, Source: prose, Metadata: map[string]any{name: map[string]any{"a": []any{value}}}},
				{Type: Raw, Source: code},
				{Type: Code, Source: prose, Metadata: map[string]any{"tags": []any{name}}},
				{Type: Code, Source: code},
			},
		}))
	})
}

// plain returns the notebook as a file would hold it.
func plain(t testing.TB, nb *Notebook) *Notebook {
	t.Helper()
	read, err := Read(written(t, nb))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestStrip(t *testing.T) {
	eachCase(t, "strip", func(t *testing.T, files map[string][]byte) []txtar.File {
		nb, err := Read(files["in.ipynb"])
		if err != nil {
			t.Fatal(err)
		}
		nb.Strip()
		return []txtar.File{{Name: "want.ipynb", Data: written(t, nb)}}
	})
}
