package program

import (
	"fmt"
	"strings"
)

// A Diagnostic is a compile error at a place in a cell.
type Diagnostic struct {
	Cell         int // the number the cell is shown by
	Line, Column int // from 1
	Message      string
	Source       string   // the text of the line
	Text         []string // all lines of the cell
}

// String gives the error in two lines and a caret under the place.
func (d Diagnostic) String() string {
	var caret strings.Builder
	for i, r := range d.Source {
		if i >= d.Column-1 {
			break
		}
		if r == '\t' {
			caret.WriteByte('\t')
		} else {
			caret.WriteByte(' ')
		}
	}
	return fmt.Sprintf("Cell [%d], line %d, column %d: %s\n    %s\n    %s^", d.Cell, d.Line, d.Column, d.Message, d.Source, caret.String())
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
