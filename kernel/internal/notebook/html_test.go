package notebook

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	xhtml "golang.org/x/net/html"
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
		text, err := mathML(tex)
		if err != nil {
			return
		}
		for d := xml.NewDecoder(strings.NewReader("<math>" + text + "</math>")); err == nil; {
			_, err = d.Token()
		}
		if err != io.EOF {
			t.Errorf("%q gives\n%s\nwhich is not well formed: %v", tex, text, err)
		}
	})
}

// checkHarmless checks that a browser sees none of what could run or load in what was
// made of a stranger's text, and that it stays within the element it is put into.
func checkHarmless(t *testing.T, from, clean string) {
	t.Helper()
	doc, err := xhtml.Parse(strings.NewReader("<!DOCTYPE html><body><main><div>" + clean + "</div><hr></main>"))
	if err != nil {
		t.Fatal(err)
	}
	main := doc.LastChild.LastChild.FirstChild
	if main.FirstChild.NextSibling != main.LastChild || main.LastChild.Data != "hr" || main.NextSibling != nil {
		t.Errorf("%q gives\n%s\nwhich leaves its element", from, clean)
	}
	for n := range main.FirstChild.Descendants() {
		if what := harm(n); what != "" {
			t.Errorf("%q gives\n%s\nwhich has %s", from, clean, what)
		}
	}
	if balanced := balance(clean); balanced != clean {
		t.Errorf("%q gives\n%s\nwhich a browser makes\n%s", from, clean, balanced)
	}
}

// harm tells what of an element could run or load something, or act for the page.
func harm(n *xhtml.Node) string {
	if n.Type == xhtml.TextNode {
		return ""
	}
	if n.Type != xhtml.ElementNode || slices.Contains(strings.Fields(`animate animatetransform animatemotion annotation-xml applet base body dialog
		embed feimage foreignobject form frame frameset handler head html iframe link listener main meta noembed noframes
		noscript object param plaintext portal script select set slot style template textarea title track xmp`), strings.ToLower(n.Data)) {
		return "<" + n.Data + ">"
	}
	for _, a := range n.Attr {
		value := strings.Map(func(r rune) rune {
			if r <= ' ' {
				return -1
			}
			return r
		}, strings.ToLower(a.Val))
		name := strings.ToLower(a.Key)
		scheme, _, hasScheme := strings.Cut(value, ":")
		switch name {
		case "href":
			if hasScheme && !strings.ContainsAny(scheme, "/?#") && !slices.Contains([]string{"http", "https", "mailto", "ftp", "tel"}, scheme) && n.Data != "image" {
				return a.Key + "=" + a.Val
			}
			if n.Data != "a" && n.Data != "area" && n.Data != "image" && !strings.HasPrefix(value, "#") {
				return a.Key + "=" + a.Val
			}
		case "id", "for", "name":
			if slices.Contains(ownIDs, a.Val) {
				return a.Key + "=" + a.Val
			}
		}
		loads := name == "src" || name == "poster" || name == "href" && n.Data == "image"
		if loads && !strings.HasPrefix(value, "data:") || strings.HasPrefix(name, "on") ||
			slices.Contains(strings.Fields(`action attributionsrc autofocus autoplay background command commandfor contenteditable data form formaction
				http-equiv is manifest nonce part ping popover popovertarget slot srcdoc srcset target`), name) && n.Namespace != "math" {
			return a.Key + "=" + a.Val
		}
		if urls := cssURL.FindAllString(value, -1); slices.Contains([]string{"style", "fill", "stroke", "mask", "filter", "clip-path", "cursor"}, name) {
			if strings.Contains(value, `\`) || strings.Contains(value, "image(") || strings.Contains(value, "image-set(") || strings.Contains(value, "position:") ||
				slices.ContainsFunc(urls, func(s string) bool { return !strings.HasSuffix(s, "#") }) {
				return a.Key + "=" + a.Val
			}
		}
	}
	return ""
}

var cssURL = regexp.MustCompile(`url\((?:["']?#)?`)

// nothing is where nothing that is asked for can be had.
func nothing(string) (string, bool) { return "", false }

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
		page := strings.ToLower(pageOf(t, nb, HTMLOptions{Title: value, Lang: name}))
		for _, once := range []string{"<html", "<head>", "<style>", "</style>", "</head>", "<meta http-equiv=", "<title>", "</title>", "<body", "<main", "</main>", "</body>", "</html>"} {
			if n := strings.Count(page, once); n != 1 {
				t.Errorf("%d times %s in\n%s", n, once, page)
			}
		}
		checkPlaces(t, page)
		for _, never := range []string{"<script", "<iframe", "<object", "<embed", "<link", "<base", "<form", "javascript:"} {
			if found := strings.Contains(page, never); found && (never[0] == '<' || strings.Contains(page, `href="`+never)) {
				t.Errorf("%s in\n%s", never, page)
			}
		}
	})
}

// checkPlaces checks that the page's own elements stand where they were put: nothing
// that a cell shows has closed one of them.
func checkPlaces(t *testing.T, page string) {
	t.Helper()
	doc, err := xhtml.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	// inside returns the elements in one, as name.class.
	inside := func(n *xhtml.Node) (children []*xhtml.Node, names []string) {
		for c := range n.ChildNodes() {
			if c.Type != xhtml.ElementNode {
				continue
			}
			class := ""
			for _, a := range c.Attr {
				if a.Key == "class" {
					class, _, _ = strings.Cut(a.Val, " ")
				}
			}
			children, names = append(children, c), append(names, c.Data+"."+class)
		}
		return children, names
	}
	check := func(n *xhtml.Node, want string) *xhtml.Node {
		children, names := inside(n)
		if got := strings.Join(names, " "); !regexp.MustCompile("^(" + want + ")$").MatchString(got) {
			t.Errorf("in <%s> there are %s, not %s, in\n%s", n.Data, got, want, page)
			return nil
		}
		return children[len(children)-1]
	}
	n := doc.LastChild.LastChild
	for _, want := range []string{"(a.skip nav. )?main.", "(p.view )?(div.cell ?)+", "(details.input )?(div.outputs|details.folded)", "(div.output ?)+"} {
		if n = check(n, want); n == nil {
			return
		}
	}
}

var tagStart = regexp.MustCompile(`<[/]?([a-z][^\s/>]*)`)

func FuzzSanitize(f *testing.F) {
	for _, text := range []string{
		`<p>a<b>c</p>`, `<a href="java&#10;script:x">`, `<img src=x onerror=y>`, `<svg><a xlink:href="x"/></svg>`, `<scr<script>ipt>`, `<script`, `</p></div>`, `<!-- -->`, `<p a='b"c'>`,
		`<ul><li><div><li></li></div></li></ul>`, `<button><div><button></button></div></button>`, `<a><table><tr><td><a></a></table></a>`, `<nobr><div><nobr>`,
		`<svg><desc><p></svg></p>`, `<math><mtext><table><mglyph><style><!--</style>`, `<svg><foreignObject><li><math><mi><p>`, `<p style="color: \22 url(x)\22">`,
		`</noscript><noscript>a</noscript><b>`, `<input id=hide-code checked>`, `<select><p>`, `<svg fill="url(x)" style="fill: url(#a)">`, `<image href=x><svg><image href=x>`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clean := sanitize(text, nothing)
		checkHarmless(t, text, clean)
		if again := sanitize(clean, nothing); again != clean {
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
		clean := sanitize("<svg><rect fill='"+strings.ReplaceAll(value, "'", "&#39;")+"'/></svg>", nothing)
		if got := strings.Contains(clean, "fill="); got != want {
			t.Errorf("fill by %s becomes %s", value, clean)
		}
	}
	if clean := sanitize(`<b popover command="x" is="y" title="url(x)">`, nothing); clean != `<b title="url(x)"></b>` {
		t.Error(clean)
	}
}

// A style stays where it only says how something looks, in its place.
func TestSanitizeStyle(t *testing.T) {
	for style, stays := range map[string]bool{
		"color: red": true, ";; color:#fff ; ": true, "text-align: right !important": true, "margin: 0 -16px -12px": true,
		"font: 12px/1.5 'Liberation Sans', \"DejaVu Sans\"": true, "background: linear-gradient(90deg, rgba(1, 2, 3, 0.5) 50%, transparent)": true,
		"color: var(--jp-ui-font-color1, #333)": true, "fill: none; clip-path: url(#a); stroke: url('#b')": true, "width: 50%; max-height: 3em; overflow: auto": true,
		"background: url(#a)": false, "fill: url(a.svg#a)": false, "color: red; position: fixed": false, "POSITION: absolute": false, "z-index: 9": false,
		"transform: scale(9)": false, "color": false, "color: \\22 url(x)\\22": false, "background: 'url(x)'": false, "color: red} a{": false, "color: /**/ red": false,
		"--x: red": false, "background: var(--x, url(y))": false, "width: expression(1)": false, "list-style: src('x')": false, "content: 'x'": false, "@import 'x'": false,
	} {
		clean := sanitize("<p style='"+strings.ReplaceAll(style, "'", "&#39;")+"'></p>", nothing)
		if got := strings.Contains(clean, "style="); got != stays {
			t.Errorf("style %s becomes %s", style, clean)
		}
	}
}

// What stays of a page's HTML, and how, when a browser has read it.
func TestSanitizeReads(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`<ul><li><div>a<li>b</li></div></li></ul>c`, `<ul><li><div>a</div></li><li>b</li></ul>c`},
		{`</noscript>a<noscript>b</noscript><object>c</object>d<frame>e`, `ade`},
		{`<svg viewbox="0 0 1 1"><clippath id=a><rect/></clippath><lineargradient gradientunits=userSpaceOnUse xlink:href=#a /></svg>`, `<svg viewBox="0 0 1 1"><clipPath id="a"><rect></rect></clipPath>` +
			`<linearGradient gradientUnits="userSpaceOnUse" xlink:href="#a"></linearGradient></svg>`},
		{`<svg><image href="data:image/png;base64,AA"/><image href=x.png /><use href="x.svg#a"/></svg>`, `<svg><image href="data:image/png;base64,AA"></image><image></image><use></use></svg>`},
		{`<input id=hide-code checked><a name=content href=#content id=contents>a</a><i id=mine>`, `<input checked=""/><a href="#content">a</a><i id="mine"></i>`},
		{`<p onclick=x contenteditable data-x=1 autofocus tabindex=3 tabindex=0 accesskey=h>a`, `<p>a</p>`},
		{`<table><form><tr><td align=right>a<p>b`, `<table><tbody><tr><td align="right">a<p>b</p></td></tr></tbody></table>`},
		{strings.Repeat("<b>", 600), "<pre>" + strings.Repeat("&lt;b&gt;", 600) + "</pre>"},
	} {
		pictures := func(url string) (string, bool) { return url, strings.HasPrefix(url, "data:") }
		if got := sanitize(test.text, pictures); got != test.want {
			t.Errorf("%s\nbecomes\n%s\nnot\n%s", test.text, got, test.want)
		}
	}
}
