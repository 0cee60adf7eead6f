package notebook

import (
	"bytes"
	"encoding/base64"
	"image"
	gray "image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

func TestMask(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"epoch 3/10 · loss 0.1234 · 1.2 s", "epoch 3/10 · loss 0.1234 · ‹duration›"},
		{"took 35ms, 1m3.25s, 2h0m1s, 12µs and 3 minutes", "took ‹duration›, ‹duration›, ‹duration›, ‹duration› and ‹duration›"},
		{"182484 batches/s, 1.5 MB/s", "‹rate›, ‹rate›"},
		{"3.6 s，每秒 89117 批；还剩 2 min", "‹duration›，每秒‹rate› 批；还剩 ‹duration›"},
		{"at 12:30:01.5 on 2026-11-28", "at ‹time› on ‹time›"},
		{"2026-11-28T00:35:57.123Z 2026-11-28 00:35:57.1 +0100 CET m=+0.01", "‹time› ‹time›"},
		{"/tmp/nnkit-1/x.go:3 and /home/a/b/notebook.ipynb", "‹path›:3 and ‹path›/notebook.ipynb"},
		{"&{0xc000012345} goroutine 17 [running]", "&{‹address›} goroutine ‹n› [running]"},
		// What means something stays.
		{"shape 32×10 of 3 items, 5 m, 0x1f, 10 %, s1 = 3, 1/2 and 0.5e-3", "shape 32×10 of 3 items, 5 m, 0x1f, 10 %, s1 = 3, 1/2 and 0.5e-3"},
		{"go1.26.8 v0.17.0 data/iris.csv a/b/c 12:30", "go1.26.8 v0.17.0 data/iris.csv a/b/c 12:30"},
	} {
		if got := mask(c.in); got != c.want {
			t.Errorf("%q becomes\n%q, want\n%q", c.in, got, c.want)
		}
	}
}

func picture(t *testing.T, marked int) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 8, 4))
	for x := range marked {
		m.SetGray(x, 1, gray.Gray{Y: 17})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestCompare(t *testing.T) {
	text := func(s string) *Output { return &Output{Type: Stream, Name: "stdout", Text: s} }
	shown := func(mime string, v any) *Output {
		return &Output{Type: DisplayData, Data: message.MIMEBundle{mime: v}}
	}
	failed := func(trace string) *Output {
		return &Output{Type: Error, ErrorName: "Panic", Traceback: []string{trace}}
	}
	long := strings.Repeat("1234567890", 30)
	for name, c := range map[string]struct {
		was, is []*Output
		masked  bool
		want    string // of the differences
	}{
		"same":           {was: []*Output{text("a\n")}, is: []*Output{text("a\n")}},
		"pieces":         {was: []*Output{text("a\n"), text("b\n")}, is: []*Output{text("a\nb\n")}},
		"progress":       {was: []*Output{text("1%\r2%\n")}, is: []*Output{text("2%\n")}},
		"counts":         {was: []*Output{{Type: ExecuteResult, ExecutionCount: 3, Data: message.MIMEBundle{"text/plain": "1"}}}, is: []*Output{{Type: ExecuteResult, ExecutionCount: 1, Data: message.MIMEBundle{"text/plain": "1"}}}},
		"modules":        {was: []*Output{text("go: added m v1.0.0\n"), shown("text/html", "a")}, is: []*Output{shown("text/html", "a")}},
		"time":           {was: []*Output{text("loss 0.5, 1.2 s\n")}, is: []*Output{text("loss 0.5, 13.2 s\n")}, masked: true},
		"line":           {was: []*Output{text("a\nb\nc\n")}, is: []*Output{text("a\nx\ny\nc\n")}, want: "stdout, line 2:\n- b\n+ x\n+ y"},
		"last bit":       {was: []*Output{text("0.1000000001")}, is: []*Output{text("0.1000000002")}, want: "stdout, line 1:\n- 0.1000000001\n+ 0.1000000002"},
		"long":           {was: []*Output{text(long + "a" + long)}, is: []*Output{text(long + "b" + long)}, want: "stdout, line 1:\n- …" + long[267:] + "a" + long[:66] + "…\n+ …" + long[267:] + "b" + long[:66] + "…"},
		"missing":        {was: []*Output{text("a\n"), shown("text/html", "<b>")}, is: []*Output{text("a\n")}, want: "output 1, text/html is missing:\n- <b>"},
		"new":            {is: []*Output{text("a\n")}, want: "stdout is new:\n+ a"},
		"other":          {was: []*Output{text("a\n")}, is: []*Output{failed("boom")}, want: "stdout has become the error:\n- a\n+ boom"},
		"error":          {was: []*Output{failed("\x1b[31mCell [7]\x1b[0m, line 2")}, is: []*Output{failed("Cell [3], line 2")}},
		"markup":         {was: []*Output{shown("text/html", `<p style="margin: 1 s">1 s</p>`)}, is: []*Output{shown("text/html", `<p style="margin: 1 s">2 s</p>`)}, masked: true},
		"ids":            {was: []*Output{shown("text/html", `<p id="controls-0f3ab912">1</p><p id="a">`)}, is: []*Output{shown("text/html", `<p id="controls-1b22ffff">1</p><p id="a">`)}, masked: true},
		"markup's tags":  {was: []*Output{shown("image/svg+xml", `<path d="M1 2 s"/>`)}, is: []*Output{shown("image/svg+xml", `<path d="M1 3 s"/>`)}, want: "output 1, image/svg+xml, line 1:\n- <path d=\"M1 2 s\"/>\n+ <path d=\"M1 3 s\"/>"},
		"json":           {was: []*Output{shown("application/json", map[string]any{"a": 1})}, is: []*Output{shown("application/json", map[string]any{"a": 2})}, want: "output 1, application/json, line 2:\n-  \"a\": 1\n+  \"a\": 2"},
		"picture":        {was: []*Output{shown("image/png", picture(t, 2))}, is: []*Output{shown("image/png", picture(t, 5))}, want: "output 1, image/png: 3 of 32 pixels differ, by at most 17 of 255"},
		"picture's text": {was: []*Output{shown("image/png", picture(t, 2))}, is: []*Output{shown("image/png", picture(t, 2)+"\n")}},
		"no picture":     {was: []*Output{shown("image/png", "aGVsbG8=")}, is: []*Output{shown("image/png", "aGVsbA==")}, want: "output 1, image/png: 5 bytes have become 4 other ones"},
	} {
		got, masked := compareOutputs(c.was, c.is)
		if text := strings.Join(got, "\n"); text != c.want || masked != c.masked {
			t.Errorf("%s: masked %v and\n%s\nwant %v and\n%s", name, masked, text, c.masked, c.want)
		}
	}
}

func TestCompareIgnores(t *testing.T) {
	const cells = "a\n--- nbval-ignore-output\nb\n---\n\n---\nc\n---\nx\n%lock data.csv"
	nb, again := scriptNotebook(cells), scriptNotebook(cells)
	for _, c := range again.Cells[1:] {
		c.Outputs = nil
	}
	v := Compare(nb, again)
	if len(v) != 4 || !v[3].Ignored || v[0].Differences != nil || !v[1].Ignored || v[1].Differences != nil || v[2].Differences == nil || v[2].Number != 3 {
		t.Errorf("the verdicts are %+v", v)
	}
}

func TestJUnit(t *testing.T) {
	var b strings.Builder
	err := WriteJUnit(&b, "a & b.ipynb", []Check{
		CheckOf(Progress{Cell: 1, FirstLine: "x < y", Elapsed: 1500e6}),
		CheckOf(Progress{Cell: 2, FirstLine: "panic", Elapsed: 1e6, Err: &CellError{Cell: 3, Count: 2, FirstLine: "panic", Name: "Panic", Value: "boom", Traceback: []string{"\x1b[31mPanic\x1b[0m: <boom>"}}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="a &amp; b.ipynb" tests="2" failures="1" errors="0" time="1.501">
  <testcase name="In [1] x &lt; y" classname="a &amp; b.ipynb" time="1.500"></testcase>
  <testcase name="In [2] panic" classname="a &amp; b.ipynb" time="0.001">
    <failure message="cell 3, In [2], ` + "`panic`" + `: Panic: boom">Panic: &lt;boom&gt;</failure>
  </testcase>
</testsuite>
`
	if b.String() != want {
		t.Errorf("the report is\n%s\nwant\n%s", &b, want)
	}
}
