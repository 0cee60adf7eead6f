package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed5607215b/nnkit/kernel/internal/history"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// complete asks at the bar in a text, and returns what can be typed there and what
// it would replace.
func (p *person) complete(text string) (matches []string, replaced string) {
	p.Helper()
	before, after, ok := strings.Cut(text, "|")
	if !ok {
		p.Fatalf("no bar in %q", text)
	}
	code := before + after
	r := p.session.Complete(p.Context(), &message.CompleteRequest{Code: code, CursorPos: utf8.RuneCountInString(before)})
	kinds, ok := r.Metadata[message.CompletionTypes].([]message.CompletionType)
	if !ok || len(kinds) != len(r.Matches) {
		p.Errorf("%q: %d matches and metadata %v", text, len(r.Matches), r.Metadata)
	}
	for i, k := range kinds {
		if k.Text != r.Matches[i] || k.Type == "" || k.Start != r.CursorStart || k.End != r.CursorEnd {
			p.Errorf("%q: match %d is %q, its type %+v", text, i, r.Matches[i], k)
		}
	}
	if r.CursorStart > r.CursorEnd || r.CursorEnd != utf8.RuneCountInString(before) {
		p.Errorf("%q: from %d to %d", text, r.CursorStart, r.CursorEnd)
	}
	return r.Matches, string([]rune(code)[r.CursorStart:r.CursorEnd])
}

func (p *person) inspect(text string, detail int) string {
	p.Helper()
	before, after, _ := strings.Cut(text, "|")
	r := p.session.Inspect(p.Context(), &message.InspectRequest{Code: before + after, CursorPos: utf8.RuneCountInString(before), DetailLevel: detail})
	plain, _ := r.Data["text/plain"].(string)
	html, _ := r.Data["text/html"].(string)
	if r.Found != (plain != "") || r.Found != (html != "") {
		p.Errorf("%q: found %t, text %q, html %q", text, r.Found, plain, html)
	}
	return plain
}

func TestTyping(t *testing.T) {
	p := newPerson(t)
	if got, _ := p.complete("fmt.Pri|"); !slices.Equal(got, []string{"Print", "Printf", "Println"}) {
		t.Errorf("the first completion: %q", got)
	}
	p.shows("import \"github.com/seed5607215b/nnkit/nnkit\"\nmodel := nnkit.Sequential(nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))")
	p.shows("// A point is a place.\ntype point struct{ x, Y int }\nplace := point{1, 2}")
	p.shows("type point struct{ x, Y, z int }\nplace := point{1, 2, 3}") // with versions
	writeFile(t, filepath.Join(p.session.config.Dir, "data", "diabetes.csv"), nil)
	for _, tt := range []struct {
		text, replaced string
		want           []string // at the beginning of the list
	}{
		{"model.Pred|", "Pred", []string{"Predict"}},
		{"model.Fit(x, y, nnkit.Ep|", "Ep", []string{"Epochs"}},
		{"model.Compile(nnkit.|", "", []string{"AdaDelta", "AdaGrad", "Adam"}},
		{"place.|", "", []string{"Y", "x", "z"}},
		{"\"𝄞ä\"; pla|ce", "pla", []string{"place"}},
		{"rand.Int|", "Int", []string{"Int", "Int32", "Int32N", "Int64"}},
		{"plotter.NewLi|", "NewLi", []string{"NewLine", "NewLinePoints"}},
		{"import \"github.com/seed5607215b/nnkit/d|", "github.com/seed5607215b/nnkit/d", []string{"github.com/seed5607215b/nnkit/display"}},
		{"%wh|", "%wh", []string{"%who"}},
		{"%%wr|", "%%wr", []string{"%%writefile"}},
		{"%rm pl|", "pl", []string{"place"}},
		{"%env HOM|", "HOM", []string{"HOME"}},
		{"%cd d|", "d", []string{"data/"}},
		{"!cat data/|", "data/", []string{"data/diabetes.csv"}},
		{"!bas|", "bas", []string{"base32", "base64", "basename"}},
		{"%%bash\nls da|", "da", []string{"data/"}},
		{"%get gonum.org/v1/plot/vg/vgs|", "gonum.org/v1/plot/vg/vgs", []string{"gonum.org/v1/plot/vg/vgsvg"}},
		{"?model.Pred|", "Pred", []string{"Predict"}},
		{"?%wh|", "%wh", []string{"%who"}},
		{"f, err := os.Open(\"data/dia|\")", "data/dia", []string{"data/diabetes.csv"}},
		{"%xyzzy a|", "", nil},
		{"x := 1 // p|", "", nil},
		{"fieldalign|", "fieldalign", nil}, // a package of the kernel's own modules
	} {
		got, replaced := p.complete(tt.text)
		for range 50 { // a package may have to be compiled first
			if len(got) > 0 || tt.want == nil {
				break
			}
			got, replaced = p.complete(tt.text)
		}
		if replaced != tt.replaced || len(got) < len(tt.want) || !slices.Equal(got[:len(tt.want)], tt.want) || tt.want == nil && len(got) > 0 {
			t.Errorf("%q: %q in the place of %q, want %q in the place of %q", tt.text, got, replaced, tt.want, tt.replaced)
		}
	}
	for _, tt := range []struct {
		text   string
		detail int
		want   string
	}{
		{"place|", 0, "value: point{x: 1, Y: 2, z: 3}"},
		{"place := point{}\nplace|", 0, "value: point{x: 1, Y: 2, z: 3}"}, // the cell that made it
		{"model|", 0, "var model *nnkit.Model"},
		{"model.Fit(|", 0, "Fit trains the model"},
		{"model.Fit|", 1, "Source:\nfunc (m *Model) Fit("},
		{"nnkit|", 0, "Package nnkit builds"},
		{"point|", 0, "type point struct{ x, Y, z int }"},
		{"%who|", 0, "show the variables"},
		{"fmt.Println|", 0, "Println formats using"},
		{"none|", 0, ""},
	} {
		if got := p.inspect(tt.text, tt.detail); !strings.Contains(got, tt.want) || tt.want == "" && got != "" || strings.Contains(got, "ʹ") {
			t.Errorf("%q, detail %d: %s\nwant %q in it", tt.text, tt.detail, got, tt.want)
		}
	}
	// A variable is looked at without changing anything, and as it is now.
	p.shows("place.z = 7")
	if got := p.inspect("place|", 0); !strings.Contains(got, "z: 7") {
		t.Errorf("the changed variable: %s", got)
	}
	p.shows("place", "z: 7", "result")
	p.runs("os.Exit(0)")
	if got := p.inspect("place|", 0); strings.Contains(got, "value") {
		t.Errorf("a variable that was lost: %s", got)
	}
	if got, _ := p.complete("poi|"); !slices.Equal(got, []string{"point"}) {
		t.Errorf("types stay known: %q", got)
	}
}

// A cell that runs delays no answer. What it has declared is known at once.
func TestTypingWhileRunning(t *testing.T) {
	p := newPerson(t)
	out := started{p.out, make(chan struct{})}
	done := make(chan message.ExecuteReply)
	go func() {
		done <- p.session.Execute(t.Context(), 1, &message.ExecuteRequest{Code: "kept := strings.Builder{}\nfmt.Println(\"go\")\nselect {}"}, out)
	}()
	<-out.ch
	if got, _ := p.complete("kept.Wri|"); !slices.Equal(got, []string{"Write", "WriteByte", "WriteRune", "WriteString"}) {
		t.Errorf("what the running cell has made: %q", got)
	}
	if got := p.inspect("kept|", 0); !strings.Contains(got, "not known while a cell runs") {
		t.Errorf("its value: %s", got)
	}
	if err := p.session.Interrupt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.ErrorName != "Interrupted" {
		t.Errorf("%+v", r)
	}
	if got := p.inspect("kept|", 0); strings.Contains(got, "not known") || !strings.Contains(got, "holds") {
		t.Errorf("its value afterwards: %s", got)
	}
}

// What a person types costs no cell its time: a package that is being compiled for
// it is left when a cell comes. A method String that does not end costs no state.
func TestTypingGivesWay(t *testing.T) {
	p := newPerson(t)
	p.shows("import \"fmt\"\ntype endless int\nfunc (endless) String() string { for {} }\nkept := endless(1)")
	if got := p.inspect("kept|", 0); !strings.Contains(got, "var kept endless") || strings.Contains(got, "value: endless") {
		t.Errorf("%s", got)
	}
	p.shows("int(kept)", "result: text/plain 1")
	s := p.session.typing.search("net/http/httptest")
	p.shows("int(kept) + 1", "result: text/plain 2")
	if err := s.wait(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the search: %v", err)
	}
	p.session.config.Progress = nil
	p.session.progress("compiling what a completion needs")
	if got := p.out.take(); got != "" {
		t.Errorf("the last cell shows %q", got)
	}
}

// A package that is edited is completed as it is now, and as it was while it does not
// compile.
func TestTypingEdited(t *testing.T) {
	p := newPerson(t)
	dir := filepath.Join(p.session.config.Dir, "geo")
	write := func(text string) { writeFile(t, filepath.Join(dir, "geo.go"), []byte("package geo\n\n"+text)) }
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module example.com/geo\n\ngo 1.26\n"))
	write("func One() int { return 1 }\n")
	p.shows("%track geo")
	p.shows("import \"example.com/geo\"\ngeo.One()", "result: text/plain 1")
	shows := func(want ...string) {
		t.Helper()
		var got []string
		for range 100 {
			if got, _ = p.complete("geo.|"); slices.Equal(got, want) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Errorf("geo has %q, want %q", got, want)
	}
	shows("One")
	write("func One() int { return 1 }\n\n// Two is more.\nfunc Two() int { return 2 }\n")
	shows("One", "Two")
	write("func One() int { return }\n")
	shows("One", "Two")
	write("func Three() int { return 3 }\n")
	shows("Three")
	if got := p.inspect("geo.Three|", 0); !strings.Contains(got, "func geo.Three() int") {
		t.Errorf("%s", got)
	}
}

// The list of what is the kernel's own follows go.mod.
func TestKernelModules(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range kernelModules {
		if !strings.Contains(string(data), "\t"+m+" v") {
			t.Errorf("%s is no requirement any more", m)
		}
	}
}

// Where each cell is a process, the same is known but for values.
func TestTypingAlone(t *testing.T) {
	s := newSessionWith(t, Config{Alone: true})
	p := &person{T: t, session: s, out: &recorder{}}
	p.runs("var place = struct{ X int }{3}")
	if got, _ := p.complete("place.|"); !slices.Equal(got, []string{"X"}) {
		t.Errorf("%q", got)
	}
	if got := p.inspect("place|", 0); !strings.Contains(got, "var place struct{X int}") || strings.Contains(got, "value") {
		t.Errorf("%s", got)
	}
}

func TestHist(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.jsonl")
	past := history.New(file)
	if err := past.Add(1, "earlier", nil); err != nil {
		t.Fatal(err)
	}
	h := history.New(file)
	p := &person{T: t, session: newSessionWith(t, Config{History: h}), out: &recorder{}}
	p.shows("%hist", "there are none")
	if err := h.Add(1, "a := 1\na", nil); err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]string{
		"%hist":             "stdout: [1] a := 1\n    a\n",
		"%hist 2":           "stdout: [1/1] earlier\n[2/1] a := 1\n      a\n",
		"%hist 1":           "stdout: [2/1] a := 1\n      a\n",
		"%hist -g 'ear*er'": "stdout: [1/1] earlier\n",
	} {
		if got := p.runs(code); got != want {
			t.Errorf("%s\n got %q\nwant %q", code, got, want)
		}
	}
	p.shows("%hist x", "usage: %hist [N | -g PATTERN]")
}

// Names of files are offered as they are written: hidden ones when asked for, what ~
// and $NAME stand for not replaced.
func TestPaths(t *testing.T) {
	p := newPerson(t)
	home := t.TempDir()
	for _, name := range []string{"a.txt", "b/c.txt", ".hidden"} {
		writeFile(t, filepath.Join(home, filepath.FromSlash(name)), nil)
	}
	if err := os.Symlink(filepath.Join(home, "b"), filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	p.shows("%env HOME "+home, "HOME=")
	for text, want := range map[string][]string{
		"%cd ~/|":       {"~/b/", "~/link/"},
		"!ls ~/|":       {"~/a.txt", "~/b/", "~/link/"},
		"!ls ~/.h|":     {"~/.hidden"},
		"!ls $HOME/b/|": {"$HOME/b/c.txt"},
		"!ls ~|":        {"~/"},
		"!ls ~/none/|":  nil,
	} {
		if got, _ := p.complete(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestTypingForPage completes in cells that run in the page, and looks things up there.
func TestTypingForPage(t *testing.T) {
	p := newPerson(t)
	p.shows("count := 3\nfunc double(x int) int { return 2 * x }")
	for _, tt := range []struct{ text, want string }{
		{"%wasm\njs.Glo|", "Global"},
		{"%wasm\nimport \"syscall/js\"\njs.Global().G|", "Get"},
		{"%wasm\nimport \"github.com/janpfeifer/gonb/gonbui/wasm\"\nwasm.As|", "AsButton"},
		{"%wasm\ndou|", "double"},
	} {
		var got []string
		for range 100 { // sources are read in the background, for the next time
			if got, _ = p.complete(tt.text); len(got) > 0 {
				break
			}
		}
		if !slices.Contains(got, tt.want) {
			t.Errorf("%q: %q, want %s among them", tt.text, got, tt.want)
		}
	}
	if got := p.inspect("%wasm\nimport \"syscall/js\"\njs.Glob|al()", 0); !strings.Contains(got, "Global returns the JavaScript global object") {
		t.Errorf("Global is %q", got)
	}
	if got, _ := p.complete("js.Glo|"); len(got) > 0 {
		t.Errorf("outside of the page: %q", got)
	}
	p.shows("%wasm\nimport \"syscall/js\"\nfunc element(id string) js.Value { return js.Global().Get(\"document\").Call(\"getElementById\", id) }")
	if got, _ := p.complete("%wasm\nelement(GonbWasmD|"); !slices.Contains(got, "GonbWasmDivId") {
		t.Errorf("what the kernel declares for the page: %q", got)
	}
	if got, _ := p.complete("%wasm\nelem|"); !slices.Contains(got, "element") {
		t.Errorf("what a cell has declared for the page: %q", got)
	}
	if got, _ := p.complete("%wasm\ncou|"); slices.Contains(got, "count") {
		t.Errorf("a variable of the kernel's process: %q", got)
	}
}
