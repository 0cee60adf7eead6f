package session

import (
	"fmt"
	"html"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// ANSI colours of tracebacks. Coloured text is not bold: JupyterLab takes that for
// darker colours, which nobody can read on the ground of its dark theme.
const (
	red   = "\x1b[31m"
	bold  = "\x1b[1m"
	green = "\x1b[32m"
	dim   = "\x1b[2m"
	plain = "\x1b[0m"
)

// A report is what is told of an error: by the traceback, which is complete by
// itself, and by details for what the traceback leaves out.
type report struct {
	cell        int    // that has been executed
	name, value string // of the error message
	title, rest string // the first line; a compile error has none
	places      []place
	notes       []string
	trace       string // what the runtime has printed
}

// A place is where an error leads to: a line of a cell, or of a file. A compile
// error has a message there; the others are frames of a stack.
type place struct {
	program.Diagnostic        // its Cell is 0 if it is in no cell
	file               string // where it is in no cell
	function           string
	caret              int  // the column that it is about, most likely; 0 for none
	omitted            int  // how many frames before it are left out
	again              int  // how many frames after it are the same
	earlier            bool // a panic came up here that a deferred function was handling
	started            bool // it is the go statement of the goroutine
}

// same tells whether two frames look the same.
func (p place) same(q place) bool {
	return p.Cell == q.Cell && p.file == q.file && p.Line == q.Line && p.function == q.function && !p.earlier && !p.started
}

// How much of a long stack is shown, of its top and its end: by the traceback, and
// by the details.
var (
	tracebackEnds = [2]int{10, 4}
	detailsEnds   = [2]int{32, 8}
)

// shortened is a stack without its middle: the places at its end say how much is
// left out before them.
func shortened(places []place, ends [2]int) []place {
	top, end := ends[0], len(places)-ends[1]
	if end <= top+1 || places[0].Message != "" {
		return places
	}
	shown := append(places[:top:top], places[end:]...)
	for _, p := range places[top:end] {
		shown[top].omitted += 1 + p.again + p.omitted
	}
	return shown
}

// traceback is the report as lines for a terminal.
func (r *report) traceback() []string {
	var lines []string
	if r.title != "" {
		lines = strings.Split(red+r.title+plain+bold+r.rest+plain, "\n")
	}
	for _, p := range shortened(r.places, tracebackEnds) {
		lines = append(lines, p.traceback()...)
	}
	return append(lines, r.notes...)
}

func (p place) traceback() []string {
	if p.Message != "" {
		return p.diagnostic()
	}
	var lines []string
	if p.omitted > 0 {
		lines = append(lines, fmt.Sprintf("  %s… %d more frames%s", dim, p.omitted, plain))
	}
	switch {
	case p.started:
		lines = append(lines, "  in a goroutine that was started at")
	case p.earlier:
		lines = append(lines, "  in a deferred call, after an earlier panic at")
	}
	if p.Cell == 0 {
		lines = append(lines, fmt.Sprintf("  %s%s  %s:%d%s", dim, p.function, p.file, p.Line, plain))
	} else {
		in := ""
		if p.function != "" {
			in = " in " + p.function
		}
		lines = append(lines, fmt.Sprintf("  %s%s%s%s", green, p.Where(), plain, in), "    "+strings.TrimSpace(p.Source()))
		if p.caret > 0 {
			lines = append(lines, "    "+red+p.underCaret()+plain)
		}
	}
	if p.again > 0 {
		lines = append(lines, fmt.Sprintf("  %s… %d more times%s", dim, p.again, plain))
	}
	return lines
}

// underCaret leads to the caret's column below the line without its margin.
func (p place) underCaret() string {
	margin := len(p.Source()) - len(strings.TrimLeft(p.Source(), " \t"))
	p.Column = p.caret
	return p.Caret()[min(margin, p.caret-1):]
}

// diagnostic shows a compile error: where it is and what, the line, a caret.
func (p place) diagnostic() []string {
	if p.Cell == 0 {
		return strings.Split(bold+p.Message+plain, "\n")
	}
	first, rest, _ := strings.Cut(p.Message, "\n")
	lines := []string{fmt.Sprintf("%s%s:%s %s%s%s", green, p.Where(), plain, bold, first, plain)}
	if rest != "" {
		lines = append(lines, strings.Split(rest, "\n")...)
	}
	return append(lines, "    "+p.Source(), "    "+red+p.Caret()+plain)
}

// around is how many lines the details show before and after one.
const around = 2

// details is the report's page: folded, the surroundings of each place. There is
// none where the person has all of it in view: the cell itself is above.
func (r *report) details() (message.MIMEBundle, bool) {
	elsewhere := r.trace != "" && len(r.places) == 0
	for _, p := range r.places {
		elsewhere = elsewhere || p.Cell != r.cell && p.Cell != 0 || p.omitted > 0
	}
	if !elsewhere && len(shortened(r.places, tracebackEnds)) == len(r.places) {
		return nil, false
	}
	summary := "The lines around each place"
	if len(r.places) == 0 {
		summary = "What the runtime printed"
	} else if r.title != "" {
		summary = "The stack, with the lines around each place"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n", summary)
	for _, p := range shortened(r.places, detailsEnds) {
		p.writeHTML(&b)
	}
	if r.trace != "" {
		fmt.Fprintf(&b, "<pre style=\"overflow-x: auto\">%s</pre>\n", html.EscapeString(r.trace))
	}
	b.WriteString("</details>")
	return message.MIMEBundle{"text/html": b.String(), "text/plain": "(" + summary + ": where HTML is shown.)"}, true
}

// writeHTML writes a place with the lines around it. The styles go with light
// and dark pages.
func (p place) writeHTML(b *strings.Builder) {
	const soft = "opacity: 0.65"
	if p.omitted > 0 {
		fmt.Fprintf(b, "<div style=\"%s\">… %d more frames</div>\n", soft, p.omitted)
	}
	switch {
	case p.started:
		b.WriteString("<div>in a goroutine that was started at</div>\n")
	case p.earlier:
		b.WriteString("<div>in a deferred call, after an earlier panic at</div>\n")
	}
	if p.Cell == 0 {
		fmt.Fprintf(b, "<div style=\"%s\"><code>%s</code> %s:%d</div>\n", soft, html.EscapeString(p.function), html.EscapeString(p.file), p.Line)
	} else {
		p.writeLines(b)
	}
	if p.again > 0 {
		fmt.Fprintf(b, "<div style=\"%s\">… %d more times</div>\n", soft, p.again)
	}
}

func (p place) writeLines(b *strings.Builder) {
	in := ""
	if p.function != "" {
		in = " in <code>" + html.EscapeString(p.function) + "</code>"
	}
	fmt.Fprintf(b, "<div><strong>Cell [%d]</strong>, line %d%s</div>\n<pre style=\"margin: 0.3em 0 0.9em; overflow-x: auto\">", p.Cell, p.Line, in)
	first, last := max(1, p.Line-around), min(len(p.Text), p.Line+around)
	for first < p.Line && strings.TrimSpace(p.Text[first-1]) == "" {
		first++
	}
	for last > p.Line && strings.TrimSpace(p.Text[last-1]) == "" {
		last--
	}
	untabbed := func(s string) string { return strings.ReplaceAll(s, "\t", "    ") }
	for n := first; n <= last; n++ {
		text := fmt.Sprintf("%5d  %s", n, html.EscapeString(untabbed(p.Text[n-1])))
		if n != p.Line {
			fmt.Fprintf(b, "<span style=\"opacity: 0.65\">%s</span>\n", text)
			continue
		}
		fmt.Fprintf(b, "<strong style=\"background: rgba(224, 108, 0, 0.16)\">%s</strong>\n", text)
		if p.Column > 0 {
			fmt.Fprintf(b, "       <strong>%s</strong>\n", untabbed(p.Caret()))
		}
	}
	b.WriteString("</pre>\n")
}
