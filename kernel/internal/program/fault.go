package program

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// A Fault is what is known of the place where a run went wrong, beside its line.
// Compiled code knows no columns.
type Fault struct {
	Message string // of the panic, where the line is the one that panicked
	Callee  string // the function that was called, where it is another one
}

// Column finds where in a line of a cell a fault is: the expression that can be at
// fault, if there is one alone, or else the beginning of the line. File and line
// are those of a stack trace. It returns 0 for a line of no cell.
func (p *Program) Column(file string, line int, f Fault) int {
	_, c := p.cellOf(file)
	if c == nil {
		return 0
	}
	found := map[int]bool{}
	for _, tree := range trees(c) {
		ast.Inspect(tree, func(n ast.Node) bool {
			if pos := f.at(n); pos.IsValid() && c.Holds(pos) {
				if l, column := c.Position(c.Offset(pos)); l == line {
					found[column] = true
				}
			}
			return true
		})
	}
	if len(found) == 1 {
		for column := range found {
			return column
		}
	}
	text := c.Line(line)
	return len(text) - len(strings.TrimLeft(text, " \t")) + 1
}

// at returns where a node is to be pointed at, if it can be at fault.
func (f Fault) at(n ast.Node) token.Pos {
	says := func(text string) bool { return strings.Contains(f.Message, text) }
	switch n := n.(type) {
	case *ast.CallExpr:
		name := calledName(n.Fun)
		switch {
		case f.Callee != "" && name == f.Callee[strings.LastIndexByte(f.Callee, '.')+1:],
			f.Callee == "" && name != "" && says(name+":"),
			name == "close" && says("close of"),
			name == "panic" && f.Callee == "" && !says("runtime error"):
			return n.Pos()
		}
	case *ast.IndexExpr:
		if says("index out of range") || says("nil map") || says("unhashable") {
			return n.Lbrack
		}
	case *ast.SliceExpr:
		if says("slice bounds") {
			return n.Lbrack
		}
	case *ast.SelectorExpr:
		if says("nil pointer") {
			return n.Sel.Pos()
		}
	case *ast.StarExpr:
		if says("nil pointer") {
			return n.Pos()
		}
	case *ast.TypeAssertExpr:
		if says("interface conversion") {
			return n.Lparen
		}
	case *ast.BinaryExpr:
		if says("divide by zero") && (n.Op == token.QUO || n.Op == token.REM) || says("negative shift") && (n.Op == token.SHL || n.Op == token.SHR) {
			return n.OpPos
		}
	case *ast.SendStmt:
		if says("send on closed") {
			return n.Arrow
		}
	}
	return token.NoPos
}

// calledName is the last name of what is called: "make" of make([]int, n).
func calledName(fun ast.Expr) string {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	case *ast.IndexExpr:
		return calledName(fun.X)
	case *ast.IndexListExpr:
		return calledName(fun.X)
	}
	return ""
}

// trees are the syntax trees of a cell.
func trees(c *cell.Cell) []ast.Node {
	var nodes []ast.Node
	if c.Body != nil {
		nodes = append(nodes, c.Body)
	}
	for _, x := range c.Trailing {
		nodes = append(nodes, x)
	}
	for _, d := range c.Decls {
		nodes = append(nodes, d.Node)
	}
	return nodes
}
