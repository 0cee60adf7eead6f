package program

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// Where cells cannot share a process, each is a program of its own: what is
// printed for it has a function main, and no value outlives it. What can be had
// again from a text is kept: functions, types, constants, and variables that are
// declared by var. In the cell that declares it, such a variable is the same
// as in a live session. A later cell that uses it has its declaration at the top
// level, so that Go initialises it before the cell begins, in the order that
// variables depend on each other, together with the functions init that stand
// beside it. Nothing is loaded before, so there are no versions.

// AlonePath is the package that the main function of a cell's program calls.
const AlonePath = "github.com/seed5607215b/nnkit/kernel/worker/alone"

const alone = "alone" + prime

// main prints the program's main function.
func (p *printer) main() string {
	p.imports[alone] = AlonePath
	return fmt.Sprintf("func main() { %s.Main(func() { %s() }) }\n", alone, entryName(p.id))
}

// again returns the edits to a declaration of an earlier cell that is done again,
// and adds what the entry function has to begin with: checks of errors that
// initialisers leave out, then calls of functions init.
func (p *printer) again(u *unit) []edit {
	switch {
	case u.kind == initUnit:
		at := p.nameStart(u)
		name := fmt.Sprintf("init%s%d%s%d", prime, u.serial, prime, at)
		fmt.Fprintf(&p.repeated, "%s(); ", name)
		return []edit{{at, at + len("init"), name}}
	case u.omits:
		spec := u.decl.Node.(*ast.GenDecl).Specs[0].(*ast.ValueSpec)
		err := fmt.Sprintf("err%s%d%s%d", prime, u.serial, prime, u.decl.Start)
		line, _ := u.cell.Position(u.decl.Start)
		fmt.Fprintf(&p.failing, "if %s.Failed(%d, %d, %s) { return }; ", live, u.serial, line, err)
		at := u.cell.Offset(spec.Names[len(spec.Names)-1].End())
		return []edit{{at, at, ", " + err}}
	}
	return nil
}

// keepDeclarations notes how the cell's variables are declared. Where cells are alone
// it makes the candidate what is left when the cell's process has ended.
func (w *planning) keepDeclarations() {
	w.cand.declared = map[string]*unit{}
	w.noteDeclarations(w.cand.declared)
	if !w.config.Alone {
		return
	}
	for name := range w.defines {
		w.cand.vars[name] = &variable{name: name, serial: w.id, unusable: notKept}
	}
	w.cand.newest = map[string]int{}
	w.cand.blank = w.blank
	for name, u := range w.cand.declared {
		w.cand.units[name] = u
		delete(w.cand.vars, name)
	}
}

// noteDeclarations adds the declarations of the cell's variables, by name, and its
// functions init, which belong to them.
func (w *planning) noteDeclarations(to map[string]*unit) {
	var inits []string
	for _, u := range w.inits {
		kept := *u
		kept.kind, kept.key = initUnit, fmt.Sprintf("init %d %d", u.serial, u.decl.Start)
		kept.names = []string{kept.key}
		to[kept.key] = &kept
		inits = append(inits, kept.key)
	}
	for _, s := range w.cell.Body.List {
		d, ok := s.(*ast.DeclStmt)
		if !ok {
			continue
		}
		if g, ok := d.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, spec := range g.Specs {
				u := w.declaration(spec.(*ast.ValueSpec), inits)
				for _, name := range u.names {
					to[name] = u
				}
			}
		}
	}
}

// declaration is that of variables, to be initialised again by each cell that uses
// one of them.
func (w *planning) declaration(spec *ast.ValueSpec, inits []string) *unit {
	start, end := w.cell.Offset(spec.Pos()), w.cell.Offset(spec.End())
	u := &unit{
		kind: varUnit, cell: w.cell, serial: w.id, version: 1,
		decl:  cell.Decl{Node: &ast.GenDecl{TokPos: spec.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}}, Start: start, End: end, Grouped: true},
		text:  w.cell.Source[start:end],
		omits: w.omitted[spec],
		inits: inits,
	}
	u.mention = mentioned(u.decl.Node)
	for _, key := range inits {
		u.mention[key] = true
	}
	w.setUsesOf(u)
	for _, id := range spec.Names {
		if id.Name != "_" {
			u.names = append(u.names, id.Name)
		}
	}
	u.key = strings.Join(u.names, ",")
	return u
}

// notKept is why a variable of an earlier cell has no value.
const notKept = "it is not kept, since each cell is a process of its own here"

// reason tells why a variable has no value, and what to do.
func (w *planning) reason(v *variable) string {
	if v.unusable != notKept && v.unusable != notInPage {
		return v.unusable
	}
	return fmt.Sprintf("%s. Make it here as Cell [%d] does, or declare it there as var %s = …, which is done again for each cell", v.unusable, w.labels[v.serial], v.name)
}

// refuseMixed returns an error where a variable of the cell and one by the same
// name of an earlier cell would both be needed.
func (w *planning) refuseMixed() error {
	places := map[string]token.Pos{}
	topLevel(w.cell.Body, func(id *ast.Ident) { places[id.Name] = id.Pos() })
	units, _ := w.needed()
	for _, u := range sortedUnits(units) {
		if u.kind != varUnit {
			continue
		}
		_, vars := w.follow(u.uses, func(u *unit) []string { return slices.Collect(maps.Keys(u.uses)) })
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			return w.errorAt(places[name], "%s of Cell [%d] is made from %s, which this cell makes anew: declare %[1]s here again, or %[3]s in a cell of its own",
				u.key, w.labels[u.serial], name)
		}
	}
	var err error
	for _, n := range w.statements() {
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || err != nil || w.whole || !w.defines[id.Name] {
				return err == nil
			}
			old := w.units[id.Name]
			if obj, ok := w.check.info.Uses[id].(*types.Var); ok && old != nil && old.kind == varUnit && obj.Parent() == w.check.pkg.Scope() {
				err = w.errorAt(id.Pos(), "%s of Cell [%d] is not there beside the %[1]s that this cell makes: give the new one another name", id.Name, w.labels[old.serial])
			}
			return true
		})
	}
	return err
}
