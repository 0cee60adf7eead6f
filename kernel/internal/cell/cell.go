package cell

import (
	"go/ast"
	"go/token"
	"strings"
)

// A Cell is the text of one cell and what it consists of. All positions of its
// syntax trees are mapped to the text by Offset.
type Cell struct {
	Source  string
	Imports []*ast.ImportSpec
	Decls   []Decl
	// Body holds the statements in their order, variable declarations among
	// them, without the trailing expression.
	Body *ast.BlockStmt
	// Trailing holds the expressions of a last statement "x" or "x, y". A call is
	// among them whether it has a value or not.
	Trailing []ast.Expr
	// Commands are the lines that are not Go, in their order.
	Commands []Command
	// Muted tells that a semicolon follows: the values are not to be shown.
	Muted bool

	text       string // Source with blanks for the commands
	fset       *token.FileSet
	lines      []int // offsets where lines begin
	pieces     []piece
	decls      []span         // all that is not a statement
	directives []span         // comments that the compiler would take for its own
	comments   map[int]string // those that begin a line, by its number
}

// A Decl is one declaration: a function, a method, a type specification, or a
// whole constant declaration, since its specifications depend on each other.
type Decl struct {
	Node ast.Decl // *ast.FuncDecl, or *ast.GenDecl with one type, or with constants
	// Start and End bound the declaration's text with its doc comment. The text
	// of a type out of a group lacks the keyword.
	Start, End int
	Grouped    bool
}

// A piece is a file in the file set that holds part of the cell: the byte at
// offset o of the file is the byte o-delta of the cell.
type piece struct {
	file  *token.File
	delta int
}

type span struct{ start, end int }

// Offset returns where in the cell's text a position of its trees is.
func (c *Cell) Offset(pos token.Pos) int {
	for _, p := range c.pieces {
		if base := token.Pos(p.file.Base()); base <= pos && pos <= base+token.Pos(p.file.Size()) {
			return min(max(0, int(pos-base)-p.delta), len(c.Source))
		}
	}
	return 0
}

// Holds tells whether the position belongs to the cell's trees.
func (c *Cell) Holds(pos token.Pos) bool {
	for _, p := range c.pieces {
		if base := token.Pos(p.file.Base()); base <= pos && pos <= base+token.Pos(p.file.Size()) {
			return true
		}
	}
	return false
}

// Position returns line and column, from 1, of an offset in the cell's text.
// Columns count bytes, as Go's tools do.
func (c *Cell) Position(offset int) (line, column int) {
	line = 1
	for line < len(c.lines) && c.lines[line] <= offset {
		line++
	}
	return line, offset - c.lines[line-1] + 1
}

// Line returns the text of a line, from 1, without its end.
func (c *Cell) Line(n int) string {
	if n < 1 || n > len(c.lines) {
		return ""
	}
	text := c.Source[c.lines[n-1]:]
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	}
	return strings.TrimSuffix(text, "\r")
}

// Text returns the text of all lines, without their ends.
func (c *Cell) Text() []string {
	lines := make([]string, len(c.lines))
	for i := range lines {
		lines[i] = c.Line(i + 1)
	}
	return lines
}

// Says tells whether a comment begins a line, from 1, and is the directive.
func (c *Cell) Says(directive string, line int) bool { return c.comments[line] == directive }

// Statements returns the cell's text with everything blanked that is not a
// statement or the trailing expression; offsets and lines stay.
func (c *Cell) Statements() string {
	text := []byte(c.text)
	for _, s := range append(c.decls, c.directives...) {
		blank(text[s.start:s.end])
	}
	return string(text)
}

func blank(text []byte) {
	for i, b := range text {
		if b != '\n' {
			text[i] = ' '
		}
	}
}

func lineStarts(src string) []int {
	starts := []int{0}
	for i := range len(src) {
		if src[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
