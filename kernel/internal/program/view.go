package program

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"weak"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// Cursor stands for the identifier that is being typed: it is put at the cursor
// before a text is sketched, and no identifier of a cell has it otherwise.
const Cursor = prime

// A View is what a program declares at one moment. It may be used beside the
// program, and from several goroutines.
type View struct {
	// Generation is another one when any declaration is another one, or any variable.
	Generation int

	fset      *token.FileSet
	goVersion string
	cand      candidate
	cells     map[string]int // key of a unit or name of a variable -> the number of its cell
}

// View returns what the program declares now.
func (p *Program) View() *View {
	v := &View{Generation: p.generation, fset: p.fset, goVersion: p.config.GoVersion, cand: p.candidate(), cells: map[string]int{}}
	for _, u := range v.cand.units {
		v.cells[u.key] = p.labels[u.serial]
	}
	for name, x := range v.cand.vars {
		v.cells[name] = p.labels[x.serial]
	}
	return v
}

// A Sketch is a cell that is being written, type-checked with what the program
// declares, as far as that goes.
type Sketch struct {
	Cell *cell.Cell
	// Package has the declarations of the program and of the cell. What the cell's
	// statements define is in Statements, a scope in it.
	Package    *types.Package
	Statements *types.Scope
	// Imports are the names of the imported packages, and of those that the cell uses
	// without importing them.
	Imports map[string]string

	view   *View
	checks []checked
}

// Sketch checks a text, in which what is at the offset is of interest. The
// importer is only used until Sketch returns.
func (v *View) Sketch(src string, at int, importer types.Importer, find func(name string) []string) *Sketch {
	p := New(Config{Importer: importer, Find: find, GoVersion: v.goVersion})
	p.imports, p.dots, p.units, p.vars, p.newest = v.cand.imports, v.cand.dots, v.cand.units, v.cand.vars, v.cand.newest
	const id = -1 // no plan's
	w := &planning{
		Program: p, id: id, cand: p.candidate(), sketch: true,
		defines: map[string]bool{}, locals: map[string]bool{}, omitted: map[ast.Node]bool{}, rechecked: map[*unit]bool{},
	}
	w.fset = v.fset // what is declared has its positions there
	w.cell = cell.Sketch(w.fset, FileName(id), src, at)
	defer w.cell.Forget()
	p.sources[id] = source{src, weak.Make(w.cell)}
	// An error leaves out what it is about.
	_ = w.addImports()
	_ = w.addDecls()
	_ = w.findVariables()
	w.whole, w.novalue = false, true
	units, vars := w.cand.units, w.usable()
	for {
		w.check = w.run(units, vars, true, true)
		more := w.addMissingImports(w.check)
		more = w.omitErrors() || more
		if !more {
			break
		}
	}
	s := &Sketch{Cell: w.cell, Package: w.check.pkg, Statements: w.check.scope, Imports: w.cand.imports, view: v, checks: []checked{w.check}}
	if len(w.defines) > 0 && len(w.own)+len(w.inits)+len(w.mains) > 0 { // bodies know the variables in a second look only
		_ = w.setVariables()
		w.bodies = w.run(w.cand.units, w.usable(), false, true)
		s.checks = []checked{w.bodies, w.check}
	}
	return s
}

// usable are the variables that have a value.
func (w *planning) usable() map[string]*variable {
	vars := maps.Clone(w.cand.vars)
	maps.DeleteFunc(vars, func(_ string, v *variable) bool { return v.unusable != "" })
	return vars
}

// Object is what an identifier of the cell refers to or declares, or nil.
func (s *Sketch) Object(id *ast.Ident) types.Object {
	for _, c := range s.checks {
		if obj := c.info.ObjectOf(id); obj != nil {
			return obj
		}
	}
	return nil
}

// Type is what is known of an expression of the cell. A selector's operand may be a
// type or a package's name.
func (s *Sketch) Type(x ast.Expr) (types.TypeAndValue, bool) {
	for _, c := range s.checks {
		if t, ok := c.info.Types[x]; ok && t.Type != nil && t.Type != types.Typ[types.Invalid] {
			return t, true
		}
	}
	return types.TypeAndValue{}, false
}

// Scope is the innermost scope around nodes, the outermost first, all of the cell.
func (s *Sketch) Scope(path []ast.Node) *types.Scope {
	for _, n := range slices.Backward(path) {
		if f, ok := n.(*ast.FuncDecl); ok {
			n = f.Type
		}
		if f, ok := n.(*ast.FuncLit); ok {
			n = f.Type
		}
		for _, c := range s.checks {
			if scope := c.info.Scopes[n]; scope != nil {
				return scope
			}
		}
	}
	return s.Statements
}

// Ours tells whether a package is the notebook's.
func (s *Sketch) Ours(pkg *types.Package) bool {
	return pkg != nil && slices.ContainsFunc(s.checks, func(c checked) bool { return c.pkg == pkg })
}

// A Text is the text of a declaration, without its comment.
type Text struct {
	Node   ast.Decl
	Source string
	Cell   int // its number, 0 for the cell that is being written
}

// Text finds the declaration of the notebook that an object is in.
func (s *Sketch) Text(obj types.Object) (Text, bool) {
	for _, c := range s.checks {
		for _, u := range c.units {
			if d := u.decl; d.Node.Pos() <= obj.Pos() && obj.Pos() < d.Node.End() {
				start := u.cell.Offset(d.Node.Pos())
				if d.Grouped {
					start = d.Start
				}
				t := Text{Node: d.Node, Source: u.cell.Source[start:d.End]}
				if u.cell != s.Cell {
					t.Cell = s.view.cells[u.key]
				}
				return t, true
			}
		}
	}
	return Text{}, false
}

// Has tells whether the program has a variable of a name, with a value.
func (v *View) Has(name string) bool {
	x := v.cand.vars[name]
	return x != nil && x.unusable == ""
}

// Names are those of what the program declares, without methods.
func (v *View) Names() []string {
	var names []string
	for name, u := range v.cand.units {
		if u.kind != methodUnit {
			names = append(names, name)
		}
	}
	names = slices.AppendSeq(names, maps.Keys(v.cand.vars))
	slices.Sort(names)
	return names
}
