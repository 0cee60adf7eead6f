package program

import (
	"fmt"
	"strings"
)

// A Diagnostic is what is said of a place in a cell: a compile error, mostly.
type Diagnostic struct {
	Cell         int // the number the cell is shown by
	Line, Column int // from 1; column 0 if it is not known
	Message      string
	Text         []string // all lines of the cell
}

// Source is the text of the line.
func (d Diagnostic) Source() string {
	if d.Line < 1 || d.Line > len(d.Text) {
		return ""
	}
	return d.Text[d.Line-1]
}

// Caret is what leads to the column in a line below the source.
func (d Diagnostic) Caret() string {
	var b strings.Builder
	for i, r := range d.Source() {
		if i >= d.Column-1 {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String() + "^"
}

// Where names the place in words.
func (d Diagnostic) Where() string {
	where := fmt.Sprintf("Cell [%d], line %d", d.Cell, d.Line)
	if d.Column > 0 {
		where += fmt.Sprintf(", column %d", d.Column)
	}
	return where
}

// String gives the error in two lines and a caret under the place.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%s: %s\n    %s\n    %s", d.Where(), d.Message, d.Source(), d.Caret())
}

// A CompileError is why a cell could not become part of the program. Nothing
// of it has been run.
type CompileError struct {
	Diagnostics []Diagnostic
}

func (e *CompileError) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}
