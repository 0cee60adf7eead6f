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
	nb.Cells[0].Source = "# 第一个神经网络\n\n它在 `x := 1` 里。\n\n## 一\n\n## 二\n\n## 三\n\n## 四"
	nb.Cells = append(nb.Cells, &Cell{Type: Code, Source: "x := 1"})
	for _, want := range []string{`<html lang="zh">`, "<summary>目录</summary>", "隐藏代码"} {
		if page := pageOf(t, nb, HTMLOptions{}); !strings.Contains(page, want) {
			t.Errorf("a page in Chinese lacks %s", want)
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

// checkHarmless checks that a browser sees none of what could run or load in what was
// made of a stranger's text.
func checkHarmless(t *testing.T, from, clean string) {
	t.Helper()
	for _, found := range tagStart.FindAllStringSubmatch(asciiLower(clean), -1) {
		if !allowed[found[1]] {
			t.Errorf("%q gives %q", from, clean)
		}
	}
	if balanced := balance(clean); balanced != clean {
		t.Errorf("%q gives\n%s\nwhich is not well formed, but\n%s", from, clean, balanced)
	}
}

// What a terminal would obey is text or a style.
func FuzzANSI(f *testing.F) {
	for _, text := range []string{
		"\x1b[1;31mred\x1b[0m", "\x1b[38;2;1;2;3;48;5;9mx", "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07", "\x1b[31", "a\rb\bc", "<b>\x1b[7m</b>",
		"\x1b]0;title\x1b\\", "\x1b[999999999999999999m", "\x9b31mx", "\x1b[<script>m",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		html := ansiHTML(text)
		checkHarmless(t, text, html)
		for _, found := range tagStart.FindAllString(html, -1) {
			if found != "<span" && found != "</span" {
				t.Errorf("%q gives %q", text, html)
			}
		}
		if strings.ContainsRune(html, '\x1b') {
			t.Errorf("%q gives %q, in which the escape is left", text, html)
		}
	})
}

// Markdown with whatever HTML, formulas and links in it gives what is harmless.
func FuzzMarkdown(f *testing.F) {
	for _, text := range []string{
		"# A\n\n## B [x](javascript:alert(1))\n\n## B\n\n## C\n\n## D", "![a](x.png) ![b](attachment:a.png) <img src=x onerror=y>", "<script>\n\nalert(1)\n\n</script>",
		"[a]: data:text/html,x\n[a] <javascript:x> https://x", "$\\frac{a}{<b>}$ $$\n\\text{</math><script>}\n$$", "|a|b|\n|-|-|\n|<svg|onload=x>|", "- [ ] a\n~~b~~\n\n[^1]\n\n[^1]: <i",
		"```go\nx := `<b>`\n```", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">", "&lt;script&gt; &#60;script&#62;",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := newPage(&Notebook{}, HTMLOptions{})
		html := p.markdown(text, "cell-1-", attachments{"a.png": {"image/png\" onerror=\"x": text, "image/png": text}})
		checkHarmless(t, text, html)
		for _, h := range p.headings {
			checkHarmless(t, text, h.html)
		}
		if again := sanitize(html, func(string) (string, bool) { return "data:,", true }); strings.Contains(again, "<script") {
			t.Errorf("%q gives %q", text, again)
		}
	})
}

// Whatever a notebook holds, its page begins and ends as the others, has one policy,
// and no script.
func FuzzPage(f *testing.F) {
	f.Add("# A <b>b</b>", "text/html", "<script>x</script>", "format", "text/html")
	f.Add("![x](attachment:n)", "image/svg+xml", "<svg onload=x>", "image/png\" onerror=\"x", "</title><script>")
	f.Add("## A\n## B\n## C\n## D\n<main>", "text/latex", "$</math>$", "width", "1\" onload=\"x")
	f.Add("</main>", "application/json", `{"a":"</pre>"}`, "needs_background", "light\"><script>")
	f.Add("&lt;", "text/plain", "\x1b[1m</pre>", "", "")
	f.Fuzz(func(t *testing.T, prose, mime, data, name, value string) {
		metadata := map[string]any{name: value, "format": "text/html", mime: map[string]any{name: value, "width": value}}
		shown := message.MIMEBundle{mime: data, "text/plain": value}
		kept := map[string]message.MIMEBundle{name: {mime: data}}
		nb := &Notebook{
			Metadata: map[string]any{name: value, "title": value, "kernelspec": map[string]any{"name": value, "display_name": value, "language": value}},
			Cells: []*Cell{
				{Type: Markdown, ID: name, Source: prose, Attachments: kept, Metadata: metadata},
				{Type: Raw, ID: value, Source: prose, Attachments: kept, Metadata: metadata},
				{Type: Code, Source: prose, Metadata: metadata, Outputs: []*Output{
					{Type: Stream, Name: name, Text: data},
					{Type: DisplayData, Data: shown, Metadata: metadata},
					{Type: ExecuteResult, ExecutionCount: 1, Data: shown, Metadata: metadata},
					{Type: Error, ErrorName: name, ErrorValue: value, Traceback: []string{data}},
				}},
			},
		}
		page := asciiLower(pageOf(t, nb, HTMLOptions{Title: value, Lang: name}))
		for _, once := range []string{"<html", "<head>", "<style>", "</style>", "</head>", "<meta http-equiv=", "<title>", "</title>", "<body", "<main", "</main>", "</body>", "</html>"} {
			if n := strings.Count(page, once); n != 1 {
				t.Errorf("%d times %s in\n%s", n, once, page)
			}
		}
		for _, never := range []string{"<script", "<iframe", "<object", "<embed", "<link", "<base", "<form", "javascript:"} {
			if found := strings.Contains(page, never); found && (never[0] == '<' || strings.Contains(page, `href="`+never)) {
				t.Errorf("%s in\n%s", never, page)
			}
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
		checkHarmless(t, text, clean)
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

// What SVG paints with is a part of the page, or nothing.
func TestSanitizePainting(t *testing.T) {
	for value, want := range map[string]bool{
		"url(#a)": true, "url( '#a' ) red": true, "red": true, "url(https://example.org/#a)": false, "URL(//x#a)": false, "url(#a) url(x)": false, `u\72l(x)`: false, `url("x#a")`: false,
	} {
		clean := sanitize("<svg><rect fill='"+strings.ReplaceAll(value, "'", "&#39;")+"'/></svg>", nil)
		if got := strings.Contains(clean, "fill="); got != want {
			t.Errorf("fill by %s becomes %s", value, clean)
		}
	}
	if clean := sanitize(`<b popover command="x" is="y" title="url(x)">`, nil); clean != `<b title="url(x)"></b>` {
		t.Errorf("%s", clean)
	}
}
