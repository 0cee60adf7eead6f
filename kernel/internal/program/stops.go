package program

// Where a cell that is being debugged stops.
//
// While a debugger is attached (Program.Stops), a function of the notebook, and the
// statements of a cell, begin with a frame for the debugger, and each statement
// tells it where the function has come to and what can be seen from there:
//
//	func add(a, b int) int {
//		frameʹ := liveʹ.Enter("/cell/3.go", "add"); defer frameʹ.Leave()
//		frameʹ.At(2, 2, "a b", func() liveʹ.Pointers { return liveʹ.Pointers{&a, &b} }); c := a + b
//		frameʹ.At(3, 2, "a b c", func() liveʹ.Pointers { return liveʹ.Pointers{&a, &b, &c} }); return c
//	}
//
// So scopes are Go's own, nothing has to be found in registers, and a cell that is
// not debugged costs nothing. Only the notebook's own functions stop.

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

const frame = "frame" + prime

// stopper adds the stops to the statements of one function or cell.
type stopper struct {
	*printer
	cell    *cell.Cell
	file    string
	unused  map[token.Pos]bool // variables that the printed text does not declare
	visible []seen             // outermost first; later ones hide earlier ones
	edits   []edit
}

// seen is a name that can be seen from a statement.
type seen struct {
	name  string
	place string // the text that stands for the variable, "" for what is none
}

// stops are the edits that make a declaration, or statements of a cell, stop.
func (p *printer) stops(c *cell.Cell, u *unit, root ast.Node) []edit {
	serial := p.id
	if u != nil {
		serial = u.serial
	}
	s := &stopper{printer: p, cell: c, file: FileName(serial), unused: map[token.Pos]bool{}}
	for _, ch := range []checked{p.check, p.bodies} {
		for _, id := range ch.unused {
			s.unused[id.Pos()] = true
		}
	}
	switch n := root.(type) {
	case *ast.FuncDecl:
		if n.Body != nil {
			s.see(n.Recv)
			s.function(n.Type, n.Body, functionName(n))
		}
	case *ast.BlockStmt: // of the cell
		s.statements(n.List, "main", true)
	case ast.Expr:
		if i := slices.Index(p.cell.Trailing, n); i >= 0 {
			s.topLevel()
			if i == 0 {
				s.stop(n.Pos())
			}
		}
		s.literals("main", n)
	default:
		s.literals("main", n)
	}
	return s.edits
}

// enter begins the entry function of a cell.
func (p *printer) enter() string {
	if !p.stopping {
		return ""
	}
	return entering(FileName(p.id), "main")
}

func entering(file, function string) string {
	return fmt.Sprintf(" %s := %s.Enter(%q, %q); defer %[1]s.Leave(); ", frame, live, file, function)
}

// functionName is a function's name in a stack: add, point.sum, (*point).scale.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil || receiverBase(f) == nil {
		return f.Name.Name
	}
	base := receiverBase(f).Name
	if _, ok := ast.Unparen(f.Recv.List[0].Type).(*ast.StarExpr); ok {
		base = "(*" + base + ")"
	}
	return base + "." + f.Name.Name
}

// function adds the stops of a function, whose receiver is visible already.
func (s *stopper) function(t *ast.FuncType, body *ast.BlockStmt, name string) {
	if len(body.List) == 0 {
		return
	}
	s.see(t.Params)
	s.see(t.Results)
	s.insert(body.Lbrace+1, entering(s.file, name))
	s.statements(body.List, name, false)
}

// see makes the names of parameters visible.
func (s *stopper) see(fields *ast.FieldList) {
	if fields == nil {
		return
	}
	for _, f := range fields.List {
		s.define(f.Names...)
	}
}

// define makes names visible. What the checker does not know as a variable hides
// others by its name.
func (s *stopper) define(ids ...*ast.Ident) {
	for _, id := range ids {
		place := ""
		if _, ok := s.definition(id).(*types.Var); ok {
			place = id.Name
		}
		s.visible = append(s.visible, seen{id.Name, place})
	}
}

// inner calls f and takes out of sight what has become visible by it.
func (s *stopper) inner(f func()) {
	n := len(s.visible)
	f()
	s.visible = s.visible[:n]
}

func (s *stopper) insert(pos token.Pos, text string) {
	s.edits = append(s.edits, insert(s.cell, pos, text))
}

// stop makes the text stop at a position.
func (s *stopper) stop(pos token.Pos) {
	var names, places []string
	hidden := map[string]bool{"_": true}
	for _, v := range slices.Backward(s.visible) {
		if !hidden[v.name] && v.place != "" {
			names, places = append(names, v.name), append(places, "&"+v.place)
		}
		hidden[v.name] = true
	}
	slices.Reverse(names)
	slices.Reverse(places)
	pointers := "nil"
	if len(names) > 0 {
		pointers = fmt.Sprintf("func() %s.Pointers { return %[1]s.Pointers{%s} }", live, strings.Join(places, ", "))
	}
	line, column := s.cell.Position(s.cell.Offset(pos))
	s.insert(pos, fmt.Sprintf("%s.At(%d, %d, %q, %s); ", frame, line, column, strings.Join(names, " "), pointers))
}

// statements makes each of a list of statements stop; those of a cell's top level
// define variables of the session.
func (s *stopper) statements(list []ast.Stmt, function string, top bool) {
	for _, stmt := range list {
		if isStop(stmt) {
			s.stop(stopAt(stmt))
		}
		s.statement(stmt, function)
		if top {
			s.topLevelOf(stmt)
		}
	}
}

// isStop tells whether there is something to stop at in a statement of a list.
func isStop(stmt ast.Stmt) bool {
	switch n := unlabelled(stmt).(type) {
	case *ast.EmptyStmt, *ast.BadStmt:
		return false
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
		return false // at their statements
	case *ast.DeclStmt:
		g, ok := n.Decl.(*ast.GenDecl)
		return ok && g.Tok == token.VAR
	}
	return true
}

// stopAt is where a statement stops: behind its label, to which goto jumps, unless that
// is one of a loop or the like, before which nothing else may stand.
func stopAt(stmt ast.Stmt) token.Pos {
	switch inner := unlabelled(stmt).(type) {
	case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
		return stmt.Pos()
	default:
		return inner.Pos()
	}
}

// statement adds the stops within a statement, and makes visible what it defines.
func (s *stopper) statement(stmt ast.Stmt, function string) {
	switch n := unlabelled(stmt).(type) {
	case *ast.BlockStmt:
		s.inner(func() { s.statements(n.List, function, false) })
	case *ast.IfStmt:
		s.inner(func() {
			s.statement(n.Init, function)
			s.literals(function, n.Cond)
			s.statement(n.Body, function)
			s.statement(n.Else, function)
		})
	case *ast.ForStmt:
		s.inner(func() {
			s.statement(n.Init, function)
			s.literals(function, n.Cond)
			s.statement(n.Post, function)
			s.statement(n.Body, function)
		})
	case *ast.RangeStmt:
		s.inner(func() {
			s.literals(function, n.X)
			if n.Tok == token.DEFINE {
				s.defineAll(n.Key, n.Value)
			}
			s.statement(n.Body, function)
		})
	case *ast.SwitchStmt:
		s.inner(func() {
			s.statement(n.Init, function)
			// useEdits takes out those that nobody uses.
			s.visible = slices.DeleteFunc(s.visible, func(v seen) bool { return s.lost(n.Init, v.name) })
			s.literals(function, n.Tag)
			s.clauses(n.Body, function)
		})
	case *ast.TypeSwitchStmt:
		s.inner(func() {
			s.statement(n.Init, function)
			s.literals(function, n.Assign)
			if a, ok := n.Assign.(*ast.AssignStmt); ok {
				if id := a.Lhs[0].(*ast.Ident); !s.unused[id.Pos()] {
					s.visible = append(s.visible, seen{id.Name, id.Name})
				}
			}
			s.clauses(n.Body, function)
		})
	case *ast.SelectStmt:
		s.clauses(n.Body, function)
	case *ast.AssignStmt:
		s.literals(function, n)
		if n.Tok == token.DEFINE {
			s.defineAll(n.Lhs...)
		}
	case *ast.DeclStmt:
		s.literals(function, n)
		if g, ok := n.Decl.(*ast.GenDecl); ok {
			for _, spec := range g.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					s.define(spec.Names...)
				case *ast.TypeSpec:
					s.define(spec.Name)
				}
			}
		}
	case nil:
	default:
		s.literals(function, n)
	}
}

func (s *stopper) clauses(body *ast.BlockStmt, function string) {
	for _, clause := range body.List {
		s.inner(func() {
			switch n := clause.(type) {
			case *ast.CaseClause:
				for _, x := range n.List {
					s.literals(function, x)
				}
				s.statements(n.Body, function, false)
			case *ast.CommClause:
				s.statement(n.Comm, function)
				s.statements(n.Body, function, false)
			}
		})
	}
}

// defineAll makes visible what stands on the left of :=, as far as it is new.
func (s *stopper) defineAll(lhs ...ast.Expr) {
	for _, x := range lhs {
		if id, ok := x.(*ast.Ident); ok && s.definition(id) != nil {
			s.define(id)
		}
	}
}

// lost tells whether a statement before a switch defines a name that nobody uses.
func (s *stopper) lost(init ast.Stmt, name string) bool {
	a, ok := init.(*ast.AssignStmt)
	return ok && slices.ContainsFunc(a.Lhs, func(x ast.Expr) bool {
		id, ok := x.(*ast.Ident)
		return ok && id.Name == name && s.unused[id.Pos()]
	})
}

// literals adds the stops of the function literals in a tree.
func (s *stopper) literals(function string, root ast.Node) {
	if root == nil {
		return
	}
	n := 0
	ast.Inspect(root, func(node ast.Node) bool {
		lit, ok := node.(*ast.FuncLit)
		if ok {
			n++
			s.inner(func() { s.function(lit.Type, lit.Body, fmt.Sprintf("%s.func%d", function, n)) })
		}
		return !ok
	})
}

// topLevelOf replaces what a statement of the cell's top level has made visible by
// the session's variables.
func (s *stopper) topLevelOf(stmt ast.Stmt) {
	topLevel(&ast.BlockStmt{List: []ast.Stmt{stmt}}, func(id *ast.Ident) {
		s.visible = slices.DeleteFunc(s.visible, func(v seen) bool { return v.name == id.Name })
		switch v := s.cand.vars[id.Name]; {
		case id.Name == "_":
		case s.locals[id.Name] && s.whole: // dropped
		case s.locals[id.Name]:
			s.visible = append(s.visible, seen{id.Name, id.Name})
		case v != nil && v.unusable == "":
			s.visible = append(s.visible, seen{id.Name, place(v)})
		}
	})
}

// topLevel makes visible all that the statements of the cell define.
func (s *stopper) topLevel() {
	for _, stmt := range s.printer.cell.Body.List {
		s.topLevelOf(stmt)
	}
}

// StopLines are the lines of a cell, in order, that it can stop at.
func StopLines(source string) []int {
	c, _ := cell.Parse(token.NewFileSet(), "", source)
	var lines []int
	add := func(pos token.Pos) {
		line, _ := c.Position(c.Offset(pos))
		lines = append(lines, line)
	}
	list := func(stmts []ast.Stmt) {
		for _, stmt := range stmts {
			if isStop(stmt) {
				add(stopAt(stmt))
			}
		}
	}
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			list(n.List)
		case *ast.CaseClause:
			list(n.Body)
		case *ast.CommClause:
			list(n.Body)
		}
		return true
	}
	for _, d := range c.Decls {
		ast.Inspect(d.Node, look)
	}
	if !declaresOnly(c) { // whose variables are initialised in Go's order
		list(c.Body.List)
	}
	for _, stmt := range c.Body.List {
		ast.Inspect(stmt, look)
	}
	for _, x := range c.Trailing {
		ast.Inspect(x, look)
	}
	if len(c.Trailing) > 0 {
		add(c.Trailing[0].Pos())
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
