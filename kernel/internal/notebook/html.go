package notebook

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

//go:embed page.css
var pageCSS string

// HTMLOptions adjust [Notebook.WriteHTML].
type HTMLOptions struct {
	// Title is the page's title where the notebook has no heading.
	Title string

	// Lang is the language of the text. If it is empty, the letters of the text tell:
	// "zh", "ja" or "en".
	Lang string

	// Trust lets what outputs bring along run and look as it likes. Without it their
	// HTML is stripped of what could, as Markdown is.
	Trust bool

	// Files are those that stand beside the notebook, for the pictures that its
	// Markdown refers to. They become part of the page.
	Files fs.FS
}

// WriteHTMLFile writes the page to the file of that name, which is replaced as a
// whole or not at all.
func (nb *Notebook) WriteHTMLFile(name string, opts HTMLOptions) error {
	if err := replaceFile(name, func(w io.Writer) error { return nb.WriteHTML(w, opts) }); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// WriteHTML writes the notebook as one HTML page that loads nothing: pictures,
// styles and formulas are in it. What the notebook and its outputs bring along as
// HTML is stripped of what could run, and the page's policy has the browser run
// nothing either; with Trust, outputs are shown as they are.
func (nb *Notebook) WriteHTML(w io.Writer, opts HTMLOptions) error {
	p := newPage(nb, opts)
	for i, c := range nb.Cells {
		p.cell(i+1, c)
	}
	_, err := io.WriteString(w, p.document())
	return err
}

// Title returns the text of the notebook's first heading, "" if it has none.
func (nb *Notebook) Title() string {
	p := newPage(nb, HTMLOptions{})
	for i, c := range nb.Cells {
		if c.Type == Markdown {
			p.cell(i+1, c)
		}
		if len(p.headings) > 0 {
			return p.headings[0].text
		}
	}
	return ""
}

func newPage(nb *Notebook, opts HTMLOptions) *page {
	if opts.Lang == "" {
		opts.Lang = nb.written()
	}
	return &page{nb: nb, opts: opts, ids: map[string]bool{"content": true, "contents": true, "hide-code": true}}
}

// A page is an HTML page in the making.
type page struct {
	nb       *Notebook
	opts     HTMLOptions
	body     strings.Builder
	headings []heading
	ids      map[string]bool // taken
	scripts  bool            // an output brings a script that is trusted
	codes    int             // cells whose code is shown
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.body, format, args...) }

// written tells the language that the text is written in, by its letters.
func (nb *Notebook) written() string {
	chinese, others := 0, 0
	for _, c := range nb.Cells {
		if c.Type != Markdown {
			continue
		}
		for _, r := range c.Source {
			switch {
			case unicode.In(r, unicode.Hiragana, unicode.Katakana):
				return "ja"
			case unicode.Is(unicode.Han, r):
				chinese++
			case unicode.IsLetter(r):
				others++
			}
		}
	}
	if chinese > others/3 {
		return "zh"
	}
	return "en"
}

// word is one of the page's own words in the language of its text.
func (p *page) word(english string) string {
	if s := chineseWords[english]; s != "" && strings.HasPrefix(p.opts.Lang, "zh") {
		return s
	}
	return english
}

var chineseWords = map[string]string{
	"Contents": "目录", "Skip the contents": "跳过目录", "Hide code": "隐藏代码", "Output": "输出",
}

// document returns the page around the cells.
func (p *page) document() string {
	title := p.opts.Title
	for _, h := range p.headings {
		title = h.text
		break
	}
	if title == "" {
		title = "Notebook"
	}
	// Whatever an output tries, the browser fetches nothing for this page.
	policy := "default-src 'none'; img-src data: blob:; media-src data: blob:; font-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
	if p.scripts {
		policy += "; script-src 'unsafe-inline' 'unsafe-eval'"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html>
<html lang="%s">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="%s">
<title>%s</title>
<style>
%s</style>
</head>
`, html.EscapeString(p.opts.Lang), policy, html.EscapeString(title), pageCSS)
	contents := p.contents()
	if contents == "" {
		b.WriteString("<body>\n")
	} else {
		b.WriteString("<body class=\"with-contents\">\n<a class=\"skip\" href=\"#content\">" + p.word("Skip the contents") + "</a>\n" + contents)
	}
	b.WriteString("<main id=\"content\">\n")
	if p.codes > 0 {
		b.WriteString("<p class=\"view\"><label><input type=\"checkbox\" id=\"hide-code\"> " + p.word("Hide code") + "</label></p>\n")
	}
	b.WriteString(p.body.String() + "</main>\n</body>\n</html>\n")
	return b.String()
}

// contents returns the table of contents, if there are enough headings to want
// one. The title is not in it.
func (p *page) contents() string {
	var entries []heading
	for i, h := range p.headings {
		if h.level <= 3 && !(i == 0 && h.level == 1) {
			entries = append(entries, h)
		}
	}
	if len(entries) < 4 {
		return ""
	}
	top := slices.MinFunc(entries, func(a, b heading) int { return a.level - b.level }).level
	var b strings.Builder
	fmt.Fprintf(&b, "<nav id=\"contents\" aria-label=\"%s\">\n<details open>\n<summary>%[1]s</summary>\n<ul>\n", p.word("Contents"))
	for _, h := range entries {
		fmt.Fprintf(&b, "<li class=\"level-%d\"><a href=\"#%s\">%s</a></li>\n", h.level-top+1, html.EscapeString(h.id), h.html)
	}
	b.WriteString("</ul>\n</details>\n</nav>\n")
	return b.String()
}

func (p *page) cell(number int, c *Cell) {
	switch c.Type {
	case Markdown:
		text := p.markdown(c.Source, fmt.Sprintf("cell-%d-", number), c.Attachments)
		p.printf("<div class=\"cell markdown\">\n%s</div>\n", text)
	case Raw:
		// Raw cells are meant for one format; this is HTML.
		if format := c.Metadata["format"]; format == "text/html" {
			p.printf("<div class=\"cell raw\">\n%s\n</div>\n", p.foreign(c.Source, c))
		}
	case Code:
		p.code(number, c)
	}
}

func (p *page) code(number int, c *Cell) {
	if strings.TrimSpace(c.Source) == "" && len(c.Outputs) == 0 {
		return
	}
	name := "Code cell"
	if c.ExecutionCount > 0 {
		name = fmt.Sprintf("Code cell %d", c.ExecutionCount)
	}
	p.printf("<div class=\"cell code\" role=\"group\" aria-label=\"%s\">\n", name)
	view, _ := c.Metadata["jupyter"].(map[string]any)
	if strings.TrimSpace(c.Source) != "" {
		p.codes++
		open := " open"
		if view["source_hidden"] == true {
			open = ""
		}
		// Without a script, a reader folds the code of a cell by its number.
		p.printf("<details class=\"input\"%s><summary>%s<code>%s</code></summary>%s</details>\n",
			open, prompt("In", c.ExecutionCount), html.EscapeString(Shorten(c.FirstLine(), 90)), highlight(c.Source, "go"))
	}
	if len(c.Outputs) > 0 {
		hidden := view["outputs_hidden"] == true || c.Metadata["collapsed"] == true
		if hidden {
			p.printf("<details class=\"folded\"><summary>%s</summary>\n", p.word("Output"))
		}
		p.printf("<div class=\"outputs\">\n")
		for i, out := range c.Outputs {
			p.output(out, fmt.Sprintf("cell-%d-%d-", number, i+1), c)
		}
		p.printf("</div>\n")
		if hidden {
			p.printf("</details>\n")
		}
	}
	p.printf("</div>\n")
}

func prompt(name string, count int) string {
	number := " "
	if count > 0 {
		number = fmt.Sprint(count)
	}
	return fmt.Sprintf("<span class=\"prompt %s\">%s[%s]</span>", strings.ToLower(name), name, number)
}

func (p *page) output(out *Output, prefix string, c *Cell) {
	switch out.Type {
	case Stream:
		label := ""
		if out.Name == "stderr" {
			label = ` role="group" aria-label="Standard error"`
		}
		p.printf("<div class=\"output stream %s\"%s>%s</div>\n", html.EscapeString(out.Name), label, pre(ansiHTML(out.Text)))
	case Error:
		text := strings.Join(out.Traceback, "\n")
		if strings.TrimSpace(text) == "" {
			text = out.ErrorName + ": " + out.ErrorValue
		}
		p.printf("<div class=\"output error\" role=\"group\" aria-label=\"Error\">%s</div>\n", pre(ansiHTML(text)))
	case ExecuteResult, DisplayData:
		content, class := p.bundle(out, prefix, c)
		if content == "" {
			return
		}
		p.printf("<div class=\"output %s\">", class)
		if out.Type == ExecuteResult {
			p.printf("%s", prompt("Out", out.ExecutionCount))
		}
		p.printf("%s</div>\n", content)
	}
}

// pre wraps text that is HTML already. What is long gets a window of its own,
// which the keyboard can scroll only if it can take the focus.
func pre(text string) string {
	text = strings.TrimRight(text, "\n")
	if strings.Count(text, "\n") > 40 {
		return `<pre class="long" tabindex="0">` + text + `</pre>`
	}
	return `<pre>` + text + `</pre>`
}

// bundle shows the richest form that a page can show.
func (p *page) bundle(out *Output, prefix string, c *Cell) (content, class string) {
	forms := []struct {
		mime  string
		class string
		show  func(text string) string
	}{
		{"image/svg+xml", "image", func(s string) string {
			return p.image(out, c, "image/svg+xml", base64.StdEncoding.EncodeToString([]byte(s)))
		}},
		{"image/png", "image", func(s string) string { return p.image(out, c, "image/png", s) }},
		{"image/jpeg", "image", func(s string) string { return p.image(out, c, "image/jpeg", s) }},
		{"image/webp", "image", func(s string) string { return p.image(out, c, "image/webp", s) }},
		{"image/gif", "image", func(s string) string { return p.image(out, c, "image/gif", s) }},
		{"text/html", "html", func(s string) string {
			return "<div class=\"rendered\">" + p.foreign(s, c) + "</div>"
		}},
		{"text/markdown", "markdown", func(s string) string {
			return "<div class=\"rendered\">" + p.markdownOutput(s, prefix) + "</div>"
		}},
		{"text/latex", "latex", func(s string) string { return "<div class=\"rendered\">" + latexHTML(s) + "</div>" }},
	}
	for _, f := range forms {
		if text, ok := out.Data[f.mime].(string); ok && text != "" {
			return f.show(text), f.class
		}
	}
	for _, mime := range slices.Sorted(maps.Keys(out.Data)) {
		if !isJSON(mime) || mime != "application/json" && out.Data["text/plain"] != nil {
			continue
		}
		if v, err := toPlain(out.Data[mime]); err == nil {
			text, _ := appendJSON(nil, v, "\n")
			return highlight(string(text), "json"), "json"
		}
	}
	if text, ok := out.Data["text/plain"].(string); ok && text != "" {
		return pre(ansiHTML(text)), "plain"
	}
	return "", ""
}

// foreign is HTML that is not the page's own.
func (p *page) foreign(text string, c *Cell) string {
	if !p.opts.Trust {
		return sanitize(text, func(url string) (string, bool) { return p.resource(url, c.Attachments) })
	}
	p.scripts = p.scripts || strings.Contains(strings.ToLower(text), "<script")
	return balance(text)
}

// markdownOutput renders Markdown that a cell shows. Its headings are not the
// page's.
func (p *page) markdownOutput(text, prefix string) string {
	before := p.headings
	defer func() { p.headings = before }()
	return p.markdown(text, prefix, nil)
}

// latexHTML shows a formula in whichever dollars it comes.
func latexHTML(text string) string {
	text = strings.TrimSpace(text)
	for _, marks := range [][2]string{{"$$", "$$"}, {"$", "$"}, {`\[`, `\]`}, {`\(`, `\)`}} {
		if len(text) >= len(marks[0])+len(marks[1]) && strings.HasPrefix(text, marks[0]) && strings.HasSuffix(text, marks[1]) {
			text = text[len(marks[0]) : len(text)-len(marks[1])]
			text = strings.TrimPrefix(text, `\displaystyle`)
			break
		}
	}
	return mathHTML(text, true)
}

// image shows a picture given in base64. An SVG is an image as well, so that its
// styles and ids cannot meet those of others.
func (p *page) image(out *Output, c *Cell, mime, data string) string {
	alt, _ := out.Data["text/plain"].(string)
	alt = strings.Join(strings.Fields(alt), " ")
	if alt == "" {
		alt = "Picture made by: " + c.FirstLine()
	}
	var attrs strings.Builder
	size, _ := out.Metadata[mime].(map[string]any)
	for _, name := range []string{"width", "height"} {
		// Numbers come from a file or from an executor.
		switch v := size[name].(type) {
		case json.Number, int, float64:
			attrs.WriteString(fmt.Sprintf(" %s=\"%v\"", name, v))
		}
	}
	if background := firstOf(out.Metadata["needs_background"], size["needs_background"]); background == "light" || background == "dark" {
		attrs.WriteString(fmt.Sprintf(" class=\"on-%s\"", background))
	}
	data = strings.Join(strings.Fields(data), "")
	return fmt.Sprintf("<img alt=\"%s\"%s src=\"data:%s;base64,%s\">", html.EscapeString(alt), attrs.String(), mime, html.EscapeString(data))
}

func firstOf(values ...any) any {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

type attachments = map[string]message.MIMEBundle

var imageTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".svg": "image/svg+xml", ".webp": "image/webp", ".avif": "image/avif",
}

// resource returns the data URL of a picture or a sound that Markdown or an output
// refers to: itself, one of the cell's attachments or a file beside the notebook.
func (p *page) resource(ref string, attached attachments) (string, bool) {
	for _, kind := range []string{"data:image/", "data:audio/", "data:video/"} {
		if strings.HasPrefix(strings.ToLower(ref), kind) {
			return ref, true
		}
	}
	if name, ok := strings.CutPrefix(ref, "attachment:"); ok {
		for _, mime := range slices.Sorted(maps.Keys(attached[unescapePath(name)])) {
			if data, ok := attached[unescapePath(name)][mime].(string); ok && strings.HasPrefix(mime, "image/") {
				return "data:" + mime + ";base64," + strings.Join(strings.Fields(data), ""), true
			}
		}
		return "", false
	}
	name, _, _ := strings.Cut(ref, "?")
	name = path.Clean(unescapePath(name))
	mime := imageTypes[strings.ToLower(path.Ext(name))]
	if p.opts.Files == nil || mime == "" || !fs.ValidPath(name) {
		return "", false
	}
	data, err := fs.ReadFile(p.opts.Files, name)
	if err != nil {
		return "", false
	}
	return "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(data), true
}

func unescapePath(name string) string {
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

// highlight colours source text. The colours of the classes are in page.css.
func highlight(source, language string) string {
	lexer := lexers.Get(language)
	source = strings.Trim(source, "\n")
	if lexer == nil || language == "" {
		return "<pre class=\"chroma\"><code>" + html.EscapeString(source) + "\n</code></pre>"
	}
	tokens, err := chroma.Tokenise(chroma.Coalesce(lexer), nil, source+"\n")
	if err != nil {
		return "<pre class=\"chroma\"><code>" + html.EscapeString(source) + "\n</code></pre>"
	}
	var b strings.Builder
	for _, token := range tokens {
		text := html.EscapeString(token.Value)
		switch token.Type.Category() {
		case chroma.Keyword, chroma.Name, chroma.Literal, chroma.Comment:
			if class := chroma.StandardTypes[token.Type]; class != "" && !plainClasses[class] {
				text = "<span class=\"" + class + "\">" + text + "</span>"
			}
		}
		b.WriteString(text)
	}
	return "<pre class=\"chroma\"><code>" + b.String() + "</code></pre>"
}

// plainClasses are those that page.css does not colour, such as any name.
var plainClasses = map[string]bool{"n": true, "nx": true, "nn": true, "nv": true, "no": true, "l": true}
