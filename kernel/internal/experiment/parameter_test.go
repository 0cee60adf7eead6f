package experiment

import (
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

const parametersCell = `import "time"

type shape []int

const name = "clinic"
rate := 0.1
var epochs = 10
var layers shape = shape{10, 8}
wait, on := 2*time.Second, true
var small float32
model := unknown.New()
rate2 := half(rate)
`

func parametrised(source string) *notebook.Notebook {
	return &notebook.Notebook{Cells: []*notebook.Cell{
		{Type: notebook.Markdown, Source: "# Title", Metadata: map[string]any{"tags": []any{"parameters"}}},
		{Type: notebook.Code, Source: source, Metadata: map[string]any{"tags": []any{"parameters"}}},
		{Type: notebook.Code, Source: "rate"},
	}}
}

func TestOverride(t *testing.T) {
	for _, test := range []struct{ setting, want string }{
		{"rate=0.01", "var rate float64 = 0.01"},
		{"rate=1", "var rate float64 = 1"},
		{"rate=1e-3", "var rate float64 = 1e-3"},
		{"rate=-1", "var rate float64 = -1"},
		{"rate=0.1/3", "var rate float64 = 0.1/3"},
		{"epochs=20", "var epochs int = 20"},
		{"name=home", `const name = "home"`},
		{`name="a b"`, `const name = "a b"`},
		{"name=a=b", `const name = "a=b"`},
		{"name=", `const name = ""`},
		{`name=it's "so"`, `const name = "it's \"so\""`},
		{"layers=shape{3}", "var layers shape = shape{3}"},
		{"layers=[]int{3}", "var layers shape = []int{3}"},
		{"wait=time.Minute", "var wait time.Duration = time.Minute"},
		{"on=false", "var on bool = false"},
		{"small=0.5", "var small float32 = 0.5"},
		{"model=unknown.Other(1)", "model = unknown.Other(1)"},

		{"rate=fast", "ERROR parameter rate: fast does not suit it (float64), whose value in the notebook is 0.1: undefined: fast"},
		{"rate=", `ERROR parameter rate: "" is not a value of Go (float64), whose value in the notebook is 0.1`},
		{"rate=1; panic(1)", `ERROR parameter rate: "1; panic(1)" is not a value of Go (float64), whose value in the notebook is 0.1`},
		{"epochs=0.5", "ERROR parameter epochs: 0.5 does not suit it (int), whose value in the notebook is 10: cannot use 0.5 (untyped float constant) as int value in variable declaration (truncated)"},
		{"epochs=true", "ERROR parameter epochs: true does not suit it (int), whose value in the notebook is 10: cannot use true (untyped bool constant) as int value in variable declaration"},
		{"on=1", "ERROR parameter on: 1 does not suit it (bool), whose value in the notebook is true: cannot use 1 (untyped int constant) as bool value in variable declaration"},
		{"lr=0.1", `ERROR there is no parameter lr: there are name = "clinic", rate = 0.1, epochs = 10, layers = shape{10, 8}, wait = 2*time.Second, on = true, small, model = unknown.New(), rate2 = half(rate)`},
	} {
		setting, err := ParseSetting(test.setting)
		if err != nil {
			t.Fatal(err)
		}
		nb := parametrised(parametersCell)
		got := ""
		if err := Override(nb, []Setting{setting}); err != nil {
			got = "ERROR " + err.Error()
		} else {
			got = strings.TrimPrefix(nb.Cells[2].Source, "// Parameters\n")
		}
		if got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.setting, got, test.want)
		}
	}
}

// A notebook that was executed with other values has one cell of them all the same.
func TestOverrideAgain(t *testing.T) {
	nb := parametrised("rate := 0.1\nvar n int")
	for _, settings := range [][]Setting{{{"n", "3"}}, {{"rate", "0.5"}, {"n", "4"}}} {
		if err := Override(nb, settings); err != nil {
			t.Fatal(err)
		}
	}
	if len(nb.Cells) != 4 || nb.Cells[2].Source != "// Parameters\nvar rate float64 = 0.5\nvar n int = 4" || !nb.Cells[2].Tagged(InjectedTag) {
		t.Errorf("%d cells, the third is %+v", len(nb.Cells), nb.Cells[2])
	}
	given := nb.Metadata["nnkit"].(map[string]any)["parameters"].(map[string]any)
	if given["rate"] != "0.5" || given["n"] != "4" {
		t.Errorf("the metadata tells of %v", given)
	}
}

func TestOverrideErrors(t *testing.T) {
	for _, test := range []struct {
		nb       *notebook.Notebook
		settings []Setting
		want     string
	}{
		{&notebook.Notebook{}, []Setting{{"a", "1"}}, `no cell of the notebook is tagged "parameters"`},
		{parametrised("fmt.Println()"), []Setting{{"a", "1"}}, "declares none"},
		{parametrised("a := (1"), []Setting{{"a", "1"}}, `the cell tagged "parameters" (cell 2)`},
		{parametrised("a := 1"), []Setting{{"a", "1"}, {"a", "2"}}, "given twice"},
	} {
		if err := Override(test.nb, test.settings); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("the error is %v, want one with %q", err, test.want)
		}
	}
	for _, text := range []string{"rate", "=1", "a b=1", "1=2", ""} {
		if _, err := ParseSetting(text); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// No text of a cell and of a setting makes it panic, and what is injected is one
// statement.
func FuzzOverride(f *testing.F) {
	f.Add(parametersCell, "rate=0.01")
	f.Add("const (\n a = iota\n b\n)\nvar c, d = 1, 2", "b=3")
	f.Add("%get x\na := 1", "a=func() int { return 1 }()")
	f.Fuzz(func(t *testing.T, source, text string) {
		setting, err := ParseSetting(text)
		if err != nil {
			return
		}
		nb := parametrised(source)
		if Override(nb, []Setting{setting}) == nil && len(nb.Cells) != 4 {
			t.Errorf("%q and %q make %d cells", source, text, len(nb.Cells))
		}
	})
}
