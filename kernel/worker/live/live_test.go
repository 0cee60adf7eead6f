package live

import (
	"errors"
	"fmt"
	"image"
	"os/exec"
	"reflect"
	"strings"
	"testing"
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

func TestBundle(t *testing.T) {
	tests := []struct {
		name   string
		values []any
		want   map[string]any
	}{
		{"number", []any{3}, map[string]any{"text/plain": "3"}},
		{"nil", []any{nil}, map[string]any{"text/plain": "<nil>"}},
		{"nil error", []any{error(nil)}, map[string]any{"text/plain": "<nil>"}},
		{"error", []any{errors.New("it broke")}, map[string]any{"text/plain": "it broke"}},
		{"several", []any{1, "two", nil}, map[string]any{"text/plain": "1 two <nil>"}},
		{"struct", []any{struct {
			a int
			b []int
		}{1, []int{2}}}, map[string]any{"text/plain": "{1 [2]}"}},
		{"row", []any{grid{1, 2}}, map[string]any{"text/plain": "[0  0.125]"}},
		{"matrix", []any{grid{2, 2}}, map[string]any{"text/plain": "⎡0  0.125⎤\n⎣1  1.125⎦"}},
		{"html", []any{bold("x")}, map[string]any{"text/plain": "x", "text/html": "<b>x</b>"}},
		{"nil pointer with methods", []any{(*nilled)(nil)}, map[string]any{"text/plain": "<nil>"}},
		{"pointer with methods", []any{&nilled{"s"}}, map[string]any{"text/plain": "s", "image/svg+xml": "s"}},
		{"bundle", []any{bundled{}}, map[string]any{"text/plain": "own text", "text/html": "<i>", "image/png": "cG5n"}},
		{"nested", []any{[][]int{{1}, {2, 3}}}, map[string]any{"text/plain": "[[1] [2 3]]"}},
		{"map", []any{map[string][]int{"b": {2}, "a": nil}}, map[string]any{"text/plain": "map[a:[] b:[2]]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := bundle(tt.values); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("bundle(%v) = %q, want %q", tt.values, got, tt.want)
			}
		})
	}
}

func TestImage(t *testing.T) {
	data, _ := bundle([]any{image.NewRGBA(image.Rect(0, 0, 3, 2))})
	if s, _ := data["image/png"].(string); !strings.HasPrefix(s, "iVBORw0KGgo") {
		t.Errorf("image/png = %.40q, want a PNG in base64", s)
	}
	if got, want := data["text/plain"], "*image.RGBA, 3 x 2 pixels"; got != want {
		t.Errorf("text/plain = %q, want %q", got, want)
	}
}

func TestTextShortened(t *testing.T) {
	if got := text(make([]float64, 1_000_000)); len(got) > 200 || !strings.Contains(got, "(999960 more)") {
		t.Errorf("text of a long slice: %.300q", got)
	}
	if got := text([][]int{make([]int, 1000)}); len(got) > 200 || !strings.HasPrefix(got, "[[0 0") {
		t.Errorf("text of a slice in a slice: %.300q", got)
	}
	m := map[int]int{}
	for i := range 1000 {
		m[i] = i
	}
	if got := text(m); !strings.HasPrefix(got, "map[0:0 1:1 2:2") || !strings.HasSuffix(got, "998:998 999:999]") {
		t.Errorf("text of a large map: %.300q", got)
	}
	if got := text(grid{100, 100}); strings.Count(got, "\n") != 2*keptRows+1 || !strings.HasPrefix(got, "matrix, 100 x 100\n") {
		t.Errorf("text of a large matrix:\n%s", got)
	}
	if got := text(strings.Repeat("ä", maxText)); len(got) > maxText+50 || !strings.HasSuffix(got, "bytes more)") {
		t.Errorf("text of a long string ends %q", got[len(got)-30:])
	}
}

// TestTextLikeFmt checks that shortening changes nothing where nothing is long.
func TestTextLikeFmt(t *testing.T) {
	for _, v := range []any{
		[]int(nil),
		[2][2]bool{},
		map[string]map[int]string{"x": {2: "b", 1: "a"}},
		[]any{1, nil, "x"},
		[]error{errors.New("e"), nil},
		[]byte("ab"),
		[][]byte{[]byte("ab")},
	} {
		if got, want := text(v), fmt.Sprintf("%v", v); got != want {
			t.Errorf("text(%T) = %q, want %q", v, got, want)
		}
	}
}

// TestCheckInlined checks that the call in every loop of a cell costs no call.
func TestCheckInlined(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "can inline Check") {
		t.Errorf("the compiler does not inline Check:\n%s", out)
	}
}
