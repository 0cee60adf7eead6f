package notebook

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A heading is an entry of the table of contents.
type heading struct {
	level int
	id    string
	html  string
	text  string
}

// markdown turns a Markdown text into HTML without scripts. Its headings are
// added to the page's; the prefix sets its footnotes apart from those of other
// cells.
func (p *page) markdown(source, prefix string, attachments attachments) string {
	md := goldmark.New(
		goldmark.WithExtensions(
			extension.Table, extension.Strikethrough, extension.Linkify, extension.TaskList,
			// A line's end between Chinese characters is no space.
			extension.NewCJK(extension.WithEastAsianLineBreaks()),
			extension.NewFootnote(extension.WithFootnoteIDPrefix(prefix)),
		),
		goldmark.WithParserOptions(
			parser.WithInlineParsers(util.Prioritized(mathInlineParser{}, 150)),
			parser.WithBlockParsers(util.Prioritized(mathBlockParser{}, 90)),
		),
		goldmark.WithRendererOptions(
			gmhtml.WithUnsafe(), // the sanitizer below is stricter, and keeps what is harmless
			renderer.WithNodeRenderers(util.Prioritized(markdownRenderer{}, 100)),
		),
	)
	src := []byte(strings.ToValidUTF8(source, "\ufffd")) // goldmark panics at some of what is not UTF-8
	doc := md.Parser().Parse(text.NewReader(src))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			continue
		}
		entry := heading{level: h.Level, text: plainText(h, src)}
		entry.id = p.uniqueID(headingID(entry.text))
		h.SetAttributeString("id", []byte(entry.id))
		var buf bytes.Buffer
		for c := h.FirstChild(); c != nil; c = c.NextSibling() {
			md.Renderer().Render(&buf, src, c) //nolint:errcheck // a buffer takes all
		}
		entry.html = apply(headingPolicy(), buf.String(), nil)
		if strings.Contains(buf.String(), "<img") {
			entry.html = html.EscapeString(entry.text) // with what stands for the picture
		}
		p.headings = append(p.headings, entry)
	}
	var buf bytes.Buffer
	md.Renderer().Render(&buf, src, doc) //nolint:errcheck // a buffer takes all
	return sanitize(buf.String(), func(url string) (string, bool) { return p.resource(url, attachments) })
}

// headingID returns the id that JupyterLab gives a heading, so that links to it
// work here and there.
func headingID(text string) string { return strings.ReplaceAll(text, " ", "-") }

func (p *page) uniqueID(id string) string {
	for n, base := 1, id; p.ids[id] || id == ""; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	p.ids[id] = true
	return id
}

// plainText returns the text of a node without marks.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { //nolint:errcheck // the walker returns none
		if entering {
			switch n := n.(type) {
			case *ast.Text:
				b.Write(n.Value(source))
				if n.SoftLineBreak() {
					b.WriteByte(' ')
				}
			case *ast.String:
				b.Write(n.Value)
			case *mathNode:
				b.WriteString(n.tex)
			}
		}
		return ast.WalkContinue, nil
	})
	return html.UnescapeString(b.String())
}

// A markdownRenderer renders the nodes that goldmark has not, or not so.
type markdownRenderer struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (r markdownRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(kindMath, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			m := n.(*mathNode)
			w.WriteString(mathHTML(m.tex, m.display)) //nolint:errcheck // kept by the writer
		}
		return ast.WalkContinue, nil
	})
	reg.Register(kindMathBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			fmt.Fprintln(w, mathHTML(n.(*mathBlock).tex(source), true))
		}
		return ast.WalkContinue, nil
	})
	reg.Register(ast.KindHeading, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		h := n.(*ast.Heading)
		v, _ := n.AttributeString("id")
		id, _ := v.([]byte)
		switch {
		case entering && id != nil:
			fmt.Fprintf(w, `<h%d id="%s">`, h.Level, html.EscapeString(string(id)))
		case entering:
			fmt.Fprintf(w, `<h%d>`, h.Level)
		case id != nil:
			fmt.Fprintf(w, ` <a class="anchor" href="#%s" aria-label="Link to this section">#</a></h%d>`+"\n", html.EscapeString(string(id)), h.Level)
		default:
			fmt.Fprintf(w, "</h%d>\n", h.Level)
		}
		return ast.WalkContinue, nil
	})
	reg.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			f := n.(*ast.FencedCodeBlock)
			w.WriteString(highlight(string(f.Lines().Value(source)), string(f.Language(source)))) //nolint:errcheck // kept by the writer
		}
		return ast.WalkSkipChildren, nil
	})
}
