package notebook

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"golang.org/x/tools/txtar"
)

// Each case is a notebook, or the text of one Markdown cell, and the cells of
// its page.
func TestHTML(t *testing.T) {
	eachCase(t, "html", func(t *testing.T, files map[string][]byte) []txtar.File {
		var nb *Notebook
		if text, ok := files["in.md"]; ok {
			nb = &Notebook{Cells: []*Cell{{
				Type: Markdown, Source: string(text),
				Attachments: map[string]message.MIMEBundle{"dot.png": {"image/png": "aGVsbG8=\n"}},
			}}}
		} else {
			var err error
			if nb, err = Read(files["in.ipynb"]); err != nil {
				t.Fatal(err)
			}
		}
		text := pageOf(t, nb, HTMLOptions{Files: fstest.MapFS{"figures/a b.svg": {Data: []byte("<svg/>")}}})
		_, body, _ := strings.Cut(text, "</head>\n")
		return []txtar.File{{Name: "want.html", Data: []byte(body)}}
	})
}

func pageOf(t testing.TB, nb *Notebook, opts HTMLOptions) string {
	t.Helper()
	var b strings.Builder
	if err := nb.WriteHTML(&b, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHTMLHead(t *testing.T) {
	nb := &Notebook{Cells: []*Cell{{Type: Markdown, Source: "text\n\n## The <b>first</b> & *best* $x^2$\n\n# Second"}}}
	page := pageOf(t, nb, HTMLOptions{Title: "file name", Lang: "de"})
	for _, want := range []string{
		"<title>The first &amp; best x^2</title>", `<html lang="de">`, "default-src 'none'", `<h1 id="Second">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, not := range []string{"<script", "script-src", "http://", "https://", "@import", "url("} {
		if strings.Contains(page, not) {
			t.Errorf("the page contains %s", not)
		}
	}
	nb.Cells[0].Source = "no heading"
	if page := pageOf(t, nb, HTMLOptions{Title: "file name"}); !strings.Contains(page, "<title>file name</title>") {
		t.Error("the given title is not used")
	}
}

func TestANSI(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a <b> & c", "a &lt;b&gt; &amp; c"},
		{"\x1b[31mred\x1b[0m plain", `<span class="a-fg-1">red</span> plain`},
		{"\x1b[1;4;92;44mx\x1b[22;39my\x1b[m", `<span class="a-bold a-underline a-fg-10 a-bg-4">x</span><span class="a-underline a-bg-4">y</span>`},
		{"\x1b[38;5;9ma\x1b[38;5;208mb\x1b[48;5;244mc", `<span class="a-fg-9">a</span><span style="color:#ff8700">b</span><span style="color:#ff8700;background-color:#808080">c</span>`},
		{"\x1b[38;2;1;2;255ma\x1b[48:2:255:0:0mb", `<span style="color:#0102ff">a</span><span style="color:#0102ff;background-color:#ff0000">b</span>`},
		{"\x1b[7ma\x1b[31mb\x1b[27mc", `<span class="a-fg-page a-bg-text">a</span><span class="a-fg-page a-bg-1">b</span><span class="a-fg-1">c</span>`},
		{"a\x1b[2Kb\x1b[?25lc\x1b]0;title\ad\x1b]8;;http://x\x1b\\link", "abcdlink"},
		{"cut\x1b", "cut"},
		{"cut\x1b[3", "cut3"},
		{"bell\a\x00 tab\t", "bell tab\t"},
		{"\x1b[38;5mx\x1b[38;9;1my\x1b[1;badmz", "xyadmz"},
	} {
		if got := ansiHTML(c.in); got != c.want {
			t.Errorf("ansiHTML(%q) is\n%s\nwant\n%s", c.in, got, c.want)
		}
	}
}

// A case is a line of TeX, then the MathML on the next lines.
func TestMathML(t *testing.T) {
	eachCase(t, "math", func(t *testing.T, files map[string][]byte) []txtar.File {
		var b strings.Builder
		for tex := range strings.Lines(string(files["in"])) {
			tex = strings.TrimSuffix(tex, "\n")
			xml, err := mathML(tex)
			if err != nil {
				xml = "ERROR " + err.Error()
			}
			fmt.Fprintf(&b, "%s\n\t%s\n", tex, xml)
		}
		return []txtar.File{{Name: "want", Data: []byte(b.String())}}
	})
}

func FuzzMathML(f *testing.F) {
	for _, tex := range []string{
		`\frac{a}{b}_1^2`, `\left(\begin{matrix}a&b\\c\end{matrix}\right)`, `x'^2`, `\sqrt[3]{x}`, `\text{a $b$}`, `\not=`, `{{{`, `\mathbf{\alpha 1}`, `.`, `a.`,
	} {
		f.Add(tex)
	}
	f.Fuzz(func(t *testing.T, tex string) {
		xml, err := mathML(tex)
		if err == nil && balance(xml) != xml {
			t.Errorf("%q gives\n%s\nwhich is not well formed", tex, xml)
		}
	})
}

var tagStart = regexp.MustCompile(`<[/]?([a-z][^\s/>]*)`)

func FuzzSanitize(f *testing.F) {
	for _, text := range []string{
		`<p>a<b>c</p>`, `<a href="java&#10;script:x">`, `<img src=x onerror=y>`, `<svg><a xlink:href="x"/></svg>`, `<scr<script>ipt>`, `<script`, `</p></div>`, `<!-- -->`, `<p a='b"c'>`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clean := sanitize(text, nil)
		// The tags that a browser could see.
		for _, found := range tagStart.FindAllStringSubmatch(asciiLower(clean), -1) {
			if !allowed[found[1]] {
				t.Errorf("%q gives %q", text, clean)
			}
		}
		if strings.Contains(asciiLower(clean), "<script") {
			t.Errorf("%q gives %q", text, clean)
		}
		if again := sanitize(clean, nil); again != clean {
			t.Errorf("%q gives\n%q and that gives\n%q", text, clean, again)
		}
	})
}

// Only a page that is trusted has what outputs bring along, and may run it.
func TestHTMLTrust(t *testing.T) {
	nb := &Notebook{Cells: []*Cell{{Type: Code, Source: "show()", Outputs: []*Output{{
		Type: DisplayData, Data: message.MIMEBundle{"text/html": "<style>b { color: red }</style><script>draw()</script><b>bold</b>"},
	}}}}}
	page := pageOf(t, nb, HTMLOptions{})
	for _, not := range []string{"<script", "script-src", "color: red"} {
		if strings.Contains(page, not) {
			t.Errorf("the page contains %s", not)
		}
	}
	page = pageOf(t, nb, HTMLOptions{Trust: true})
	for _, want := range []string{"<script>draw()</script>", "script-src 'unsafe-inline'", "color: red", "default-src 'none'"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page that is trusted lacks %s", want)
		}
	}
}
