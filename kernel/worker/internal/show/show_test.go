package show

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"
)

type grid struct{ rows, columns int }

func (g grid) Dims() (int, int)    { return g.rows, g.columns }
func (g grid) At(i, j int) float64 { return float64(i) + float64(j)/8 }

type bold string

func (b bold) HTML() string { return "<b>" + string(b) + "</b>" }

type nilled struct{ s string }

func (n *nilled) String() string { return n.s }
func (n *nilled) SVG() string    { return n.s }

type bundled struct{}

func (bundled) MIMEBundle() map[string]any {
	return map[string]any{"text/html": "<i>", "image/png": []byte("png"), "text/plain": "own text"}
}

func (bundled) HTML() string { return "not this" }

type silent struct{ N int }

func (silent) MIMEBundle() map[string]any { return map[string]any{"text/plain": ""} }

type all struct{}

func (all) Markdown() string { return "*md*" }
func (all) LaTeX() string    { return "$x$" }
func (all) PNG() []byte      { return []byte("png") }
func (all) JPEG() []byte     { return []byte("jpeg") }

type broken struct{ N int }

func (broken) String() string { panic("no text") }
func (broken) HTML() string   { panic(errors.New("no page")) }

type unclear struct{ N int }

func (unclear) Error() string { panic("no message") }

type plotted struct{ fails bool }

type length float64

func (p plotted) WriterTo(w, h length, format string) (io.WriterTo, error) {
	if p.fails {
		return nil, errors.New("no data")
	}
	return bytes.NewBufferString(fmt.Sprintf("%s of %v x %v", format, w, h)), nil
}

type point struct{ X, Y int }

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

type tree struct {
	Left, Right *tree
	Value       int
}

// pointer is the shortest type that leads back to itself.
type pointer *pointer

type base struct{ ID int }

type Base struct{ ID int }

type user struct {
	Base
	Name string
	When time.Time
	Tags []string
	last *user
}

func TestForms(t *testing.T) {
	tests := []struct {
		name  string
		value any
		want  map[string]any
	}{
		{"html", bold("x"), map[string]any{"text/plain": "x", "text/html": "<b>x</b>"}},
		{"pointer with methods", &nilled{"s"}, map[string]any{"text/plain": "s", "image/svg+xml": "s"}},
		{"methods of the pointer", nilled{"s"}, map[string]any{"text/plain": "s", "image/svg+xml": "s"}},
		{"nil pointer with methods", (*nilled)(nil), map[string]any{"text/plain": "(*show.nilled)(nil)"}},
		{"bundle", bundled{}, map[string]any{"text/plain": "own text", "text/html": "<i>", "image/png": "cG5n"}},
		{"other forms", all{}, map[string]any{
			"text/plain": "show.all{}", "text/markdown": "*md*", "text/latex": "$x$", "image/png": "cG5n", "image/jpeg": "anBlZw==",
		}},
		{"panics", broken{1}, map[string]any{"text/plain": "show.broken{N: 1}\n(String panics: no text)\n(HTML panics: no page)"}},
		{"template", template.HTML("<b>"), map[string]any{"text/plain": "<b>", "text/html": "<b>"}},
		{"plot", plotted{}, map[string]any{
			"text/plain": "show.plotted", "image/svg+xml": "svg of 432 x 288",
			"image/png": base64.StdEncoding.EncodeToString([]byte("png of 432 x 288")),
		}},
		{"plot without data", plotted{true}, map[string]any{
			"text/plain": "show.plotted\n(not drawn as svg: no data)",
		}},
		{"empty matrix", grid{0, 3}, map[string]any{"text/plain": "show.grid(0 x 3)"}},
		{"matrix", grid{2, 2}, map[string]any{
			"text/plain": "⎡0  0.125⎤\n⎣1  1.125⎦",
			"text/latex": `$\displaystyle \begin{bmatrix}0 & 0.125 \\ 1 & 1.125\end{bmatrix}$`,
			"text/html": `<table>
<thead><tr><th></th><th style="text-align:right">0</th><th style="text-align:right">1</th></tr></thead>
<tbody>
<tr><th style="text-align:right">0</th><td style="text-align:right">0</td><td style="text-align:right">0.125</td></tr>
<tr><th style="text-align:right">1</th><td style="text-align:right">1</td><td style="text-align:right">1.125</td></tr>
</tbody>
</table>
<p><small>show.grid, 2 x 2</small></p>`,
		}},
		{"table", map[string]struct{ A any }{"<k>": {"<v>"}}, map[string]any{
			"text/plain": `map[string]struct{ A any }{"<k>": {A: "<v>"}}`,
			"text/html": `<table>
<thead><tr><th></th><th style="text-align:left">A</th></tr></thead>
<tbody>
<tr><th style="text-align:left">&lt;k&gt;</th><td style="text-align:left">&lt;v&gt;</td></tr>
</tbody>
</table>
<p><small>map[string]struct{ A any }, 1 row</small></p>`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Values([]any{tt.value})
			if len(got) != 1 || !reflect.DeepEqual(got[0].Data, tt.want) {
				t.Errorf("Values(%T) = %q, want one of %q", tt.value, got, tt.want)
			}
		})
	}
}

func TestSeveral(t *testing.T) {
	got := Values([]any{1, "two\t", nil, 2.5, celsius(20), []int{1}})
	if want := `1, "two\t", nil, 2.5, 20.0 °C, [1]`; len(got) != 1 || got[0].Data[plain] != want {
		t.Errorf("texts are shown as %q, want %q", got, want)
	}
	if got := Values([]any{"a\nb", "c"}); len(got) != 1 || got[0].Data[plain] != "a\nb\n\"c\"" {
		t.Errorf("a text of two lines and one of one are shown as %q", got)
	}
	words := strings.Repeat("word ", 10)
	if got := Values([]any{words, words}); len(got) != 1 || got[0].Data[plain] != strconv.Quote(words)+"\n"+strconv.Quote(words) {
		t.Errorf("two long texts are shown as %q, want a line each", got)
	}
	got = Values([]any{bold("a"), 7, all{}})
	if len(got) != 3 || got[0].Data["text/html"] != "<b>a</b>" || got[1].Data[plain] != "7" || got[2].Data["text/markdown"] != "*md*" {
		t.Errorf("values with other forms are shown as %q, want an output each", got)
	}
	if got := Values([]any{silent{1}}); len(got) != 0 {
		t.Errorf("a value that has shown itself is shown as %q", got)
	}
	if got := Values([]any{bold("a"), silent{1}}); len(got) != 1 {
		t.Errorf("beside a value that has shown itself stands %q", got)
	}
}

func TestText(t *testing.T) {
	three := 3
	pointer := &three
	broke := errors.New("it broke")
	cycle := &tree{Value: 1}
	cycle.Left = &tree{Right: cycle, Value: 2}
	list := []any{1, nil}
	list[1] = list
	self := map[string]any{}
	self["self"] = self
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"number", 3, "3"},
		{"float", 1e6, "1e+06"},
		{"float32", float32(0.1), "0.1"},
		{"complex", 1 + 2i, "(1+2i)"},
		{"uintptr", uintptr(255), "0xff"},
		{"bool", true, "true"},
		{"nil", nil, "nil"},
		{"nil error", error(nil), "nil"},
		{"nil slice", []int(nil), "[]int(nil)"},
		{"nil map", map[string]int(nil), "map[string]int(nil)"},
		{"nil pointer", (*int)(nil), "(*int)(nil)"},
		{"nil function", (func())(nil), "(func())(nil)"},
		{"nil channel", (chan int)(nil), "(chan int)(nil)"},
		{"unsafe pointer", unsafe.Pointer(nil), "<nil>"},
		{"string", "a \"b\"\n\tc", "a \"b\"\n\tc"},
		{"blank string", " ", `" "`},
		{"unreadable string", "a\x00", `"a\x00"`},
		{"bytes", []byte("ab"), `[]byte("ab")`},
		{"binary bytes", []byte{0, 255}, "[]byte{0x00, 0xff}"},
		{"many bytes", bytes.Repeat([]byte("line\n"), 50), "[]byte, 250 bytes\n" + strings.Repeat("line\n", 50)},
		{"many binary bytes", make([]byte, 201), "[]byte, 201 bytes\n" + strings.TrimSuffix(hex.Dump(make([]byte, 201)), "\n")},
		{"lists of bytes", [][]byte{[]byte("ab"), nil}, `[][]byte{[]byte("ab"), nil}`},
		{"slice", []int{1, 2}, "[1 2]"},
		{"many numbers", slices.Repeat([]float64{0.25, 10}, 15), "[0.25   10 0.25   10 0.25   10 0.25   10 0.25   10 0.25   10 0.25   10 0.25\n" +
			"   10 0.25   10 0.25   10 0.25   10 0.25   10 0.25   10 0.25   10 0.25   10]"},
		{"strings", []string{"a b", ""}, `[]string{"a b", ""}`},
		{"nested", [][]int{{1}, {2, 3}, nil}, "[][]int{{1}, {2, 3}, nil}"},
		{"array", [2][2]bool{}, "[2][2]bool{{false, false}, {false, false}}"},
		{"any", []any{1, "x", nil, 2.5, []int{1}, (*int)(nil), point{}}, `[]any{1, "x", nil, 2.5, []int{1}, (*int)(nil), show.point{X: 0, Y: 0}}`},
		{"map", map[string][]int{"b": {2}, "a": nil}, `map[string][]int{"a": nil, "b": {2}}`},
		{"map of any", map[any]bool{2: true, "a": true, 1: true}, `map[any]bool{1: true, 2: true, "a": true}`},
		{"map of NaN", map[float64]int{math.NaN(): 1}, "map[float64]int{NaN: 1}"},
		{"set", map[string]struct{}{"a": {}}, `map[string]struct{}{"a": {}}`},
		{"struct", point{1, 2}, "show.point{X: 1, Y: 2}"},
		{"pointer to struct", &point{1, 2}, "&show.point{X: 1, Y: 2}"},
		{"pointers to structs", []*point{{1, 2}, nil}, "[]*show.point{{X: 1, Y: 2}, nil}"},
		{"struct without a name", struct{ A any }{point{1, 2}}, "{A: show.point{X: 1, Y: 2}}"},
		{"struct without fields", struct{}{}, "struct{}{}"},
		{"fields that a cell cannot name", struct {
			A int
			b int
		}{1, 2}, "{A: 1, …}"},
		{"pointer", pointer, "&3"},
		{"pointer to pointer", &pointer, "&&3"},
		{"pointer to error", &broke, "&it broke"},
		{"stringers", []celsius{20, 21.5}, "[]show.celsius{20.0 °C, 21.5 °C}"},
		{"stringers by pointer", []nilled{{"a"}, {"b\nc"}}, "[]show.nilled{a, b …}"},
		{"stringers that panic", []broken{{1}}, "[]show.broken{{N: 1}}"},
		{"stringer without a text", &strings.Builder{}, "&strings.Builder{…}"},
		{"matrices and pictures", []any{grid{2, 3}, image.NewGray(image.Rect(1, 1, 3, 4))}, "[]any{show.grid(2 x 3), *image.Gray(2 x 3 pixels)}"},
		{"cycle", cycle, "&show.tree{\n    Left: &show.tree{Left: nil, Right: &show.tree{… shown above …}, Value: 2},\n    Right: nil,\n    Value: 1,\n}"},
		{"cycle of slices", list, "[]any{1, []any{… shown above …}}"},
		{"cycle of maps", self, `map[string]any{"self": map[string]any{… shown above …}}`},
		{"channel", make(chan int, 3), "chan int (0 of 3 buffered)"},
		{"unbuffered channel", make(<-chan int), "<-chan int (unbuffered)"},
		{"function", strings.ToUpper, "func strings.ToUpper(string) string"},
		{"closure", func(int) error { return nil }, "func(int) error"},
		{"method", strings.NewReader("").Len, "func strings.(*Reader).Len() int"},
		{"error", broke, "it broke"},
		{"wrapped error", fmt.Errorf("load: %w", &os.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}), `load: open x: file does not exist
└ *fs.PathError: open x: file does not exist
  └ file does not exist`},
		{"joined errors", errors.Join(broke, fmt.Errorf("b: %w", fs.ErrClosed)), `it broke
b: file already closed
├ it broke
└ b: file already closed
  └ file already closed`},
		{"error that panics", unclear{1}, "show.unclear (Error panics: no message)"},
		{"duration", 90 * time.Second, "1m30s"},
		{"time", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "2026-01-02 03:04:05 +0000 UTC"},
		{"big.Int", *big.NewInt(1 << 40), "1099511627776"},
		{"big.Rat", big.NewRat(1, 3), "1/3"},
		{"URL", url.URL{Scheme: "https", Host: "go.dev"}, "https://go.dev"},
		{"URL in a field", struct{ U url.URL }{url.URL{Host: "go.dev"}}, "{U: //go.dev}"},
		{"raw JSON", json.RawMessage(`{"a":1}`), "{\n  \"a\": 1\n}"},
		{"raw text", json.RawMessage(`a`), `json.RawMessage("a")`},
		{"response", &http.Response{Proto: "HTTP/1.1", Status: "200 OK", Header: http.Header{"B": {"c", "e"}, "A": {"d"}}}, "HTTP/1.1 200 OK\nA: d\nB: c, e\n(the body has not been read)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := text(tt.value); got != tt.want {
				t.Errorf("text(%T) =\n%s\nwant\n%s", tt.value, got, tt.want)
			}
		})
	}
}

// TestTime checks that the reading of the monotonic clock is not shown.
func TestTime(t *testing.T) {
	now := time.Now()
	if got := text([]time.Time{now}); !strings.Contains(now.String(), "m=") || strings.Contains(got, "m=") {
		t.Errorf("%v is shown as %s", now, got)
	}
}

// TestLayout checks what is longer than a line.
func TestLayout(t *testing.T) {
	numbers := make([]int, 30)
	for i := range numbers {
		numbers[i] = 1 << i
	}
	value := struct {
		Name    string
		Numbers []int
		Words   []string
		Points  map[string]point
		Errors  []error
	}{strings.Repeat("name ", 15), numbers[:22], strings.Fields(strings.Repeat("some words ", 10)), map[string]point{"a": {1, 2}, "b": {3, 4}}, []error{
		errors.New("first of the errors, which wants a line"), errors.New("second of the errors, which wants a line, too"),
	}}
	want := `{
    Name: "name name name name name name name name name name name name name name name ",
    Numbers: []int{
              1,       2,       4,       8,      16,      32,      64,     128,
            256,     512,    1024,    2048,    4096,    8192,   16384,   32768,
          65536,  131072,  262144,  524288, 1048576, 2097152,
    },
    Words: []string{
        "some", "words", "some", "words", "some", "words", "some", "words",
        "some", "words", "some", "words", "some", "words", "some", "words",
        "some", "words", "some", "words",
    },
    Points: map[string]show.point{"a": {X: 1, Y: 2}, "b": {X: 3, Y: 4}},
    Errors: []error{
        first of the errors, which wants a line,
        second of the errors, which wants a line, too,
    },
}`
	if got := text(value); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestTable checks tables as text; where one is a line, that is the value's.
func TestTable(t *testing.T) {
	numbers := make([]point, 100)
	for i := range numbers {
		numbers[i] = point{i, i * i}
	}
	wide := make([][]float64, 2)
	for i := range wide {
		wide[i] = make([]float64, 40)
		for j := range wide[i] {
			wide[i][j] = 1000*float64(i) + float64(j)/4
		}
	}
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"structs", []user{
			{Base{1}, "Ada", time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC), []string{"maths"}, nil},
			{Base{20}, "Line\nfeed", time.Time{}, nil, nil},
		}, `
[]show.user, 2 rows
   ID  Name          When                  Tags
0   1  Ada           1815-12-10 00:00:00Z  []string{"maths"}
1  20  "Line\nfeed"  0001-01-01 00:00:00Z  nil`},
		{"floats", []struct{ F, G, H, I float64 }{{0, 1e-9, math.NaN(), 1}, {0.125, 1, 1.5, 2}, {1.0 / 3000, 2, math.Inf(1), 3}}, `
[]struct{ F float64; G float64; H float64; I float64 }, 3 rows
          F      G     H  I
0  0.000000  1e-09   NaN  1
1  0.125000      1   1.5  2
2  0.000333      2  +Inf  3`},
		{"embedded pointers", []struct {
			*Base
			When time.Duration
		}{{&Base{1}, time.Second}, {nil, 0}}, `
[]struct{ *show.Base; When time.Duration }, 2 rows
   ID  When
0   1  1s
1      0s`},
		{"pointers and nil", []*point{{1, 2}, nil, {3, 40}}, `
[]*show.point, 3 rows
     X    Y
0    1    2
1  nil  nil
2    3   40`},
		{"map of structs", map[string]point{"a": {1, 2}, "long key": {3, 4}}, `
map[string]show.point, 2 rows
          X  Y
a         1  2
long key  3  4`},
		{"maps", []map[string]any{{"a": 1, "b": "x"}, {"a": 2.5, "c": nil}, {}}, `
[]map[string]any, 3 rows
     a  b  c
0    1  x
1  2.5     nil
2`},
		{"records of JSON", []any{map[string]any{"a": 1.0}, map[string]any{"a": 10.0}}, `
[]any, 2 rows
    a
0   1
1  10`},
		{"lists", [3][]int{{1}, {20, 3}}, `
[3][]int, 3 rows
    0  1
0   1
1  20  3
2`},
		{"cut", numbers, `
[]show.point, 100 rows
     X     Y
 0   0     0
 1   1     1
 2   2     4
 3   3     9
 4   4    16
 5   5    25
 6   6    36
 7   7    49
 8   8    64
 9   9    81
 …   …     …
90  90  8100
91  91  8281
92  92  8464
93  93  8649
94  94  8836
95  95  9025
96  96  9216
97  97  9409
98  98  9604
99  99  9801`},
		{"narrow", wide, `
[][]float64, 2 rows
      0        1       2        3     4  …    36       37      38       39
0     0     0.25     0.5     0.75     1  …     9     9.25     9.5     9.75
1  1000  1000.25  1000.5  1000.75  1001  …  1009  1009.25  1009.5  1009.75`},
		{"unlike rows", []any{point{}, base{}}, ""},
		{"errors", []error{errors.New("x")}, ""},
		{"stringers", []celsius{1}, ""},
		{"structs with a text", []nilled{{"x"}}, ""},
		{"structs without fields", []struct{}{{}}, ""},
		{"bytes", [][]byte{{1}}, ""},
		{"pointers to pointers", []pointer{nil}, ""},
		{"empty", []point{}, ""},
		{"entries of JSON", map[string]any{"a": map[string]any{"b": 1}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if table := collectionTable(reflect.ValueOf(tt.value)); table != nil {
				got = "\n" + table.text()
			}
			if got != tt.want {
				t.Errorf("got%s\nwant%s", got, tt.want)
			}
		})
	}
}

// TestBounds checks that no value has a long text.
func TestBounds(t *testing.T) {
	large := map[int]int{}
	for i := range 300_000 {
		large[i] = i
	}
	chain := &tree{}
	for range 10_000 {
		chain = &tree{Left: chain, Right: chain}
	}
	wide := map[string]any{}
	for range 5 {
		next := map[string]any{}
		for i := range 24 {
			next[fmt.Sprint(i)] = wide
		}
		wide = next
	}
	tests := []struct {
		name  string
		value any
		most  int
		tells string
	}{
		{"slice", make([]float64, 10_000_000), 300, "… 9999960 more …"},
		{"slice of lists", slices.Repeat([][]int{make([]int, 1000)}, 1000), 3_000, "1000 rows"},
		{"slice of structs with lists", slices.Repeat([]struct{ L [][]int }{{make([][]int, 1000)}}, 1000), 3_000, "1000 rows"},
		{"map", large, 1_000, "… 299970 more …"},
		{"tree", chain, 10_000, "{…}"},
		{"maps in maps", wide, 60_000, "…"},
		{"string", strings.Repeat("ä", maxText), maxText + 50, "… (65536 more bytes)"},
		{"string in a list", []string{strings.Repeat("ä", maxText)}, 300, "… (130872 more bytes)"},
		{"bytes", make([]byte, 10_000_000), 3_000, "[]byte, 10000000 bytes"},
		{"matrix", grid{1_000_000, 1_000_000}, 3_000, "show.grid, 1000000 x 1000000"},
		{"number", new(big.Int).Lsh(big.NewInt(1), 400_000), maxText + 50, "more bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Values([]any{tt.value})[0].Data[plain].(string)
			if len(got) > tt.most || !strings.Contains(got, tt.tells) {
				t.Errorf("%d bytes, want at most %d with %q: %.1000s", len(got), tt.most, tt.tells, got)
			}
			for line := range strings.Lines(got) {
				if n := width(line); n > lineWidth+1 && tt.name != "string" && tt.name != "number" && tt.name != "string in a list" {
					t.Errorf("a line of %d columns: %s", n, line)
				}
			}
		})
	}
}

func picture(t *testing.T, value any) (text string, m image.Image) {
	t.Helper()
	data := Values([]any{value})[0].Data
	s, _ := data["image/png"].(string)
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = png.Decode(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return data[plain].(string), m
}

func TestPictures(t *testing.T) {
	small := image.NewRGBA(image.Rect(5, 5, 8, 7))
	small.Set(7, 6, color.White)
	text, m := picture(t, small)
	if text != "*image.RGBA, 3 x 2 pixels" || m.Bounds() != image.Rect(0, 0, 3, 2) || m.At(2, 1) != (color.NRGBA{255, 255, 255, 255}) {
		t.Errorf("a picture is shown as %s, %v", text, m)
	}
	text, m = picture(t, []*image.RGBA{small, nil, small})
	if text != "[]*image.RGBA, 3 pictures" || m.Bounds().Max != image.Pt(2*3+stripSpacing, 2) ||
		m.At(3+stripSpacing+2, 1) != (color.NRGBA{255, 255, 255, 255}) || m.At(4, 1) != (color.NRGBA{}) {
		t.Errorf("pictures are shown as %s, %v", text, m)
	}
	text, m = picture(t, slices.Repeat([]image.Image{image.NewGray(image.Rect(0, 0, 100, 50))}, 200))
	if text != "[]image.Image, 200 pictures, 100 shown" || m.Bounds().Max != image.Pt(8*100+7*stripSpacing, 13*50+12*stripSpacing) {
		t.Errorf("many pictures are shown as %s, %v", text, m.Bounds())
	}
	text, m = picture(t, image.NewUniform(color.Black))
	if text != "*image.Uniform, 2000000000 x 2000000000 pixels, shown at a scale of 1:976563" || m.Bounds().Dx()*m.Bounds().Dy() > maxPixels {
		t.Errorf("a large picture is shown as %s, %v", text, m.Bounds())
	}
}
