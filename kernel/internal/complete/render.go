package complete

import (
	"go/doc/comment"
	"html"
	"strings"
)

// Value is what is known of a variable's value now.
type Value struct {
	Text string // "" if it is not known
	Size string
	Note string // why it is not known
}

// tipWidth is the characters in a line of a comment: of a terminal, and of the classic Notebook's tooltip, which breaks longer lines within a word.
const tipWidth = 80

// Text writes what was found out as plain text.
func (i Inspection) Text(v Value) string {
	var b strings.Builder
	b.WriteString(i.Declaration)
	part := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			b.WriteString("\n\n" + text)
		}
	}
	part(v.line())
	if len(i.Members) > 0 {
		part(strings.Join(i.Members, "\n"))
	}
	part(string((&comment.Printer{TextWidth: tipWidth}).Text(parseComment(i.Doc))))
	if i.shown() {
		part("Source:\n" + i.Source)
	}
	part(i.Where)
	return b.String()
}

// HTML writes it as a piece of a page.
func (i Inspection) HTML(v Value) string {
	var b strings.Builder
	code := func(text string) {
		if text != "" {
			b.WriteString(`<pre style="margin: 0 0 0.6em"><code>` + html.EscapeString(text) + "</code></pre>\n")
		}
	}
	code(i.Declaration)
	code(v.line())
	code(strings.Join(i.Members, "\n"))
	b.Write((&comment.Printer{DocLinkURL: i.link, HeadingLevel: 4}).HTML(parseComment(i.Doc)))
	if i.shown() {
		b.WriteString("<p>Source:</p>\n")
		code(i.Source)
	}
	if i.Where != "" {
		b.WriteString("<p><small>" + html.EscapeString(i.Where) + "</small></p>\n")
	}
	return b.String()
}

// link is where the documentation of a name in a comment is read, "" if that is not
// known: other modules than the standard library need not be public.
func (i Inspection) link(l *comment.DocLink) string {
	if l.ImportPath == "" {
		l.ImportPath = i.Package
	}
	if first, _, _ := strings.Cut(l.ImportPath, "/"); l.ImportPath == "" || strings.Contains(first, ".") {
		return ""
	}
	return l.DefaultURL("https://pkg.go.dev")
}

// shown tells whether the source says more than the declaration does.
func (i Inspection) shown() bool {
	return i.Source != "" && strings.TrimSpace(i.Source) != strings.TrimSpace(i.Declaration)
}

// parseComment takes a comment apart. What stands in it in brackets is a link, since
// it is taken to be declared.
func parseComment(text string) *comment.Doc {
	return (&comment.Parser{LookupSym: func(string, string) bool { return true }}).Parse(text)
}

func (v Value) line() string {
	switch {
	case v.Text != "" && v.Size != "":
		return "value: " + v.Text + "  (" + v.Size + ")"
	case v.Text != "":
		return "value: " + v.Text
	case v.Size != "":
		return "holds " + v.Size
	case v.Note != "":
		return "value: " + v.Note
	}
	return ""
}
