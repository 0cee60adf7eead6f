package program

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// A planning is the work on one Plan: the stages of Plan share it.
type planning struct {
	*Program
	id    int
	label int
	cell  *cell.Cell
	cand  candidate
	show  string // the function that the values of the trailing expression are for

	stopping bool // the cell stops for a debugger

	own     []*unit         // what the cell declares, in order
	inits   []*unit         // functions init, called when the cell begins
	mains   []*unit         // a function main, called when it ends
	blank   []string        // imports for their side effects
	defines map[string]bool // variables of the cell's top level
	locals  map[string]bool // those whose type cannot be named

	check     checked // the statements, and function bodies where they need no second look
	bodies    checked // function bodies that use variables the cell defines
	twice     bool
	sketch    bool                         // it is not to be run: see view.go
	whole     bool                         // only declarations: variables are initialised in Go's order
	omitted   map[ast.Node]bool            // assignments that leave out an error
	novalue   bool                         // the trailing call has no value
	files     map[*ast.ValueSpec]embedding // what go:embed lines name
	rechecked map[*unit]bool               // whose trees have been checked, with bodies
}

// Plan works out what a cell means and prints the package to compile. The label
// is the number by which errors call the cell. An error is a *CompileError;
// the program has not changed then.
func (p *Program) Plan(source string, label int) (*Plan, error) {
	if kept := p.again[source]; kept != nil && kept.generation == p.generation && kept.stopping == p.Stops {
		return p.reuse(kept, label), nil
	}
	return p.plan(source, label, showFunction)
}

// showFunction is the function of package live that shows values.
const showFunction = "Show"

// plan is Plan with the name of the function of package live that is given the
// values of the trailing expression.
func (p *Program) plan(source string, label int, show string) (*Plan, error) {
	p.serial++
	w := &planning{
		Program: p, id: p.serial, label: label, cand: p.candidate(), show: show, stopping: p.Stops && show == showFunction,
		defines: map[string]bool{}, locals: map[string]bool{}, omitted: map[ast.Node]bool{}, rechecked: map[*unit]bool{},
	}
	var err error
	w.cell, err = parse(p.fset, FileName(w.id), source, label)
	p.sources[w.id], p.labels[w.id] = newSource(p.fset, w.cell), label
	planned := false
	defer func() {
		if !planned { // nothing will ask for it
			delete(p.sources, w.id)
			delete(p.labels, w.id)
		}
	}()
	if err != nil {
		return nil, err
	}
	if len(w.cell.Imports) == 0 && len(w.cell.Decls) == 0 && len(w.cell.Body.List) == 0 && w.cell.Trailing == nil {
		return &Plan{ID: w.id, Empty: true, label: label, cell: w.cell, candidate: w.cand}, nil
	}
	versions := w.setVersions
	if p.config.Alone {
		versions = w.refuseMixed
	}
	for _, stage := range []func() error{w.addImports, w.addDecls, w.findVariables, w.typeCheck, w.setVariables, w.findEmbedded, w.checkBodies, w.setUses, versions, w.checkRest} {
		if err := stage(); err != nil {
			return nil, err
		}
	}
	plan := &Plan{ID: w.id, Entry: entryName(w.id), label: label, cell: w.cell, embeds: len(w.files) > 0, stopping: w.stopping}
	plan.Source, plan.Imports = w.print()
	w.keepDeclarations()
	plan.candidate = w.cand
	// What the cell says it imports is loaded, used or not: for its init.
	for _, s := range w.cell.Imports {
		if importPath, _ := strconv.Unquote(s.Path.Value); !slices.Contains(plan.Imports, importPath) {
			plan.Imports = append(plan.Imports, importPath)
		}
	}
	plan.normalised = normalise(plan.Source, w.id)
	planned = true
	if kept := p.loaded[plan.normalised]; kept != nil && p.sources[kept.ID].text == source {
		again := p.reuse(kept, label)
		again.candidate = w.cand
		return again, nil
	}
	return plan, nil
}

// Parse takes a cell apart, as Plan does. An error is a *CompileError.
func Parse(source string, label int) (*cell.Cell, error) {
	return parse(token.NewFileSet(), "", source, label)
}

func parse(fset *token.FileSet, name, source string, label int) (*cell.Cell, error) {
	c, err := cell.Parse(fset, name, source)
	var syntax cell.Errors
	if !errors.As(err, &syntax) {
		return c, nil
	}
	e := &CompileError{}
	for _, s := range syntax {
		e.Diagnostics = append(e.Diagnostics, diagnostic(c, label, s.Offset, s.Message))
	}
	return c, e
}

func entryName(id int) string { return "cell" + prime + strconv.Itoa(id) }

// A digest stands for the text of a package.
type digest [sha256.Size]byte

// normalise takes a cell's own number out of its package's text.
func normalise(text string, id int) digest {
	text = strings.ReplaceAll(text, FileName(id), "/cell/self.go")
	return sha256.Sum256([]byte(strings.ReplaceAll(text, entryName(id)+"(", "cell(")))
}

func (p *Program) reuse(kept *Plan, label int) *Plan {
	again := *kept
	again.Reused, again.label = true, label
	again.candidate, again.cell = p.candidate(), p.sources[kept.ID].get()
	return &again
}

func diagnostic(c *cell.Cell, label, offset int, message string) Diagnostic {
	line, col := c.Position(offset)
	return Diagnostic{Cell: label, Line: line, Column: col, Message: message, Text: c.Text()}
}

// errorAt is a CompileError at a place in the cell.
func (w *planning) errorAt(pos token.Pos, format string, args ...any) error {
	return &CompileError{[]Diagnostic{w.diagnosticAt(pos, format, args...)}}
}

func (w *planning) diagnosticAt(pos token.Pos, format string, args ...any) Diagnostic {
	return diagnostic(w.cell, w.label, w.cell.Offset(pos), fmt.Sprintf(format, args...))
}

// addImports makes the cell's imports the program's. A name means what the last
// cell that said so means by it.
func (w *planning) addImports() error {
	w.blank = slices.Clone(w.cand.blank)
	if w.config.Prefetch != nil && len(w.cell.Imports) > 0 {
		var paths []string
		for _, s := range w.cell.Imports {
			if importPath, err := strconv.Unquote(s.Path.Value); err == nil {
				paths = append(paths, importPath)
			}
		}
		w.config.Prefetch(paths)
	}
	failed := &CompileError{}
	for _, s := range w.cell.Imports {
		fail := func(format string, args ...any) {
			failed.Diagnostics = append(failed.Diagnostics, w.diagnosticAt(s.Path.Pos(), format, args...))
		}
		importPath, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			fail("invalid import path %s", s.Path.Value)
			continue
		}
		if importPath == "C" {
			fail(`import "C" does not work in a cell: put the C code into a package, in a folder with a go.mod, and import that`)
			continue
		}
		pkg, err := w.config.Importer.Import(importPath)
		if err != nil {
			fail("import %q: %s", importPath, explainImport(importPath, err))
			continue
		}
		name := pkg.Name()
		if s.Name != nil {
			name = s.Name.Name
		}
		switch name {
		case "_":
			if !slices.Contains(w.blank, importPath) {
				w.blank = append(w.blank, importPath)
			}
		case ".":
			if !slices.Contains(w.cand.dots, importPath) {
				w.cand.dots = append(w.cand.dots, importPath)
				w.cand.changed = true
			}
		default:
			w.setImport(name, importPath)
			delete(w.cand.vars, name)
			delete(w.cand.units, name)
		}
	}
	if len(failed.Diagnostics) > 0 {
		return failed
	}
	return nil
}

func (w *planning) setImport(name, importPath string) {
	if w.cand.imports[name] != importPath {
		w.cand.imports[name] = importPath
		w.cand.changed = true
	}
}

// addDecls puts the cell's declarations into the candidate.
func (w *planning) addDecls() error {
	seen := map[string]token.Pos{}
	for _, d := range w.cell.Decls {
		u := &unit{cell: w.cell, serial: w.id, decl: d, text: w.cell.Source[d.Start:d.End], version: 1}
		u.mention = mentioned(d.Node)
		var pos token.Pos
		switch n := d.Node.(type) {
		case *ast.FuncDecl:
			pos = n.Name.Pos()
			u.kind, u.key = funcUnit, n.Name.Name
			u.generic = n.Type.TypeParams != nil
			if n.Recv != nil {
				base := receiverBase(n)
				if base == nil {
					return w.errorAt(n.Recv.Pos(), "a method's receiver is a type of the notebook, or a pointer to one")
				}
				u.kind, u.key = methodUnit, base.Name+"."+n.Name.Name
				u.generic = isGenericReceiver(n)
			} else if u.key == "init" || u.key == "main" {
				if n.Type.Params.NumFields() > 0 || n.Type.Results.NumFields() > 0 || u.generic {
					return w.errorAt(pos, "func %s must have no arguments and no results", u.key)
				}
				if u.key == "init" {
					w.inits = append(w.inits, u)
					continue
				}
				delete(w.cand.vars, "main")
				w.mains = append(w.mains, u)
				if len(w.mains) > 1 {
					return w.errorAt(pos, "main is declared twice in this cell")
				}
				continue
			}
			u.names = []string{u.key}
		case *ast.GenDecl:
			switch s := n.Specs[0].(type) {
			case *ast.TypeSpec:
				pos = s.Name.Pos()
				u.kind, u.key = typeUnit, s.Name.Name
				u.alias, u.generic = s.Assign.IsValid(), s.TypeParams != nil
				u.names = []string{u.key}
			case *ast.ValueSpec:
				u.kind, pos = constUnit, s.Pos()
				for _, s := range n.Specs {
					for _, name := range s.(*ast.ValueSpec).Names {
						if name.Name != "_" {
							u.names = append(u.names, name.Name)
						}
					}
				}
				u.key = strings.Join(u.names, ",")
			}
		}
		for _, name := range u.names {
			if name == "_" || strings.HasSuffix(name, "._") {
				continue
			}
			if first, ok := seen[name]; ok {
				line, _ := w.cell.Position(w.cell.Offset(first))
				return w.errorAt(pos, "%s is declared twice in this cell, first in line %d", name, line)
			}
			seen[name] = pos
		}
		w.own = append(w.own, u)
	}
	for _, u := range w.own {
		for _, name := range u.names {
			if name == "_" {
				continue
			}
			if old := w.cand.units[name]; old != nil && old.kind == u.kind {
				u.version = old.version
				if old.text == u.text && !w.sketch { // where others may be setting it
					u.uses = old.uses
				}
			}
			if old := w.units[name]; old == nil || old.kind != u.kind || old.text != u.text {
				w.cand.changed = true
			}
			delete(w.cand.vars, name)
			delete(w.cand.imports, name)
			w.cand.units[name] = u
		}
	}
	w.loseTypeless()
	return nil
}

// loseTypeless marks the variables whose type is not a type any more.
func (w *planning) loseTypeless() {
	for name, v := range w.cand.vars {
		for t := range v.mention {
			if u := w.cand.units[t]; v.unusable == "" && (u == nil || u.kind != typeUnit) {
				lost := *v
				lost.unusable = fmt.Sprintf("its type %s has been redeclared as something else", t)
				w.cand.vars[name] = &lost
				w.cand.changed = true
			}
		}
	}
}

func receiverBase(f *ast.FuncDecl) *ast.Ident {
	if len(f.Recv.List) != 1 {
		return nil
	}
	return baseIdent(f.Recv.List[0].Type)
}

// baseIdent is the name in a type like *T[A], or nil.
func baseIdent(t ast.Expr) *ast.Ident {
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x
		default:
			return nil
		}
	}
}

func isGenericReceiver(f *ast.FuncDecl) bool {
	generic := false
	ast.Inspect(f.Recv, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.IndexExpr, *ast.IndexListExpr:
			generic = true
		}
		return true
	})
	return generic
}

// mentioned lists the identifiers of a tree, less the selectors. Some are not
// free; that costs a declaration too many in a type check.
func mentioned(nodes ...ast.Node) map[string]bool {
	names := map[string]bool{}
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				for name := range mentioned(n.X) {
					names[name] = true
				}
				return false
			case *ast.Ident:
				names[n.Name] = true
			}
			return true
		})
	}
	delete(names, "_")
	return names
}

// unlabelled is a statement without the labels before it.
func unlabelled(s ast.Stmt) ast.Stmt {
	for {
		l, ok := s.(*ast.LabeledStmt)
		if !ok {
			return s
		}
		s = l.Stmt
	}
}

// topLevel calls f for the identifiers that a cell's statements define.
func topLevel(body *ast.BlockStmt, f func(*ast.Ident)) {
	for _, s := range body.List {
		switch s := unlabelled(s).(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				for _, x := range s.Lhs {
					if id, ok := x.(*ast.Ident); ok {
						f(id)
					}
				}
			}
		case *ast.DeclStmt:
			if d, ok := s.Decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
				for _, spec := range d.Specs {
					for _, id := range spec.(*ast.ValueSpec).Names {
						f(id)
					}
				}
			}
		}
	}
}

func (w *planning) findVariables() error {
	var err error
	w.whole = w.declaresOnly() && len(w.cell.Body.List) > 0 && !w.cell.Interleaved() && !w.embeds()
	topLevel(w.cell.Body, func(id *ast.Ident) {
		if id.Name == "_" {
			return
		}
		w.defines[id.Name] = true
		for _, u := range w.own {
			// A type may have a variable of its name, which hides it behind.
			if slices.Contains(u.names, id.Name) && u.kind != typeUnit && err == nil {
				err = w.errorAt(id.Pos(), "%s is declared twice in this cell: as a variable and as something else", id.Name)
			}
		}
	})
	return err
}

// statements are the nodes that the entry function is made of.
func (w *planning) statements() []ast.Node {
	nodes := []ast.Node{w.cell.Body}
	for _, x := range w.cell.Trailing {
		nodes = append(nodes, x)
	}
	return nodes
}

// reach returns what the names lead to among the candidate's declarations.
func (w *planning) reach(names map[string]bool) (map[string]*unit, map[string]*variable) {
	return w.follow(names, func(u *unit) []string {
		return slices.AppendSeq(slices.Clone(u.names), maps.Keys(u.mention))
	})
}

// follow returns the names' declarations and, over and over, those that next
// names for each of them. A type brings its methods, a variable its types.
func (w *planning) follow(names map[string]bool, next func(*unit) []string) (map[string]*unit, map[string]*variable) {
	units, vars := map[string]*unit{}, map[string]*variable{}
	todo := slices.Collect(maps.Keys(names))
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if u := w.cand.units[name]; u != nil && units[name] == nil {
			units[name] = u
			todo = append(todo, next(u)...)
			if u.kind == typeUnit {
				todo = append(todo, w.methods(name)...)
			}
		}
		if v := w.cand.vars[name]; v != nil && vars[name] == nil && v.unusable == "" {
			vars[name] = v
			todo = slices.AppendSeq(todo, maps.Keys(v.mention))
		}
	}
	return units, vars
}

// setVariables gives the variables that the cell defines their types.
func (w *planning) setVariables() error {
	for _, name := range slices.Sorted(maps.Keys(w.defines)) {
		obj, _ := w.check.scope.Lookup(name).(*types.Var)
		if obj == nil {
			continue
		}
		v, err := w.newVariable(name, obj.Type())
		if u := w.cand.units[name]; u != nil && u.kind == typeUnit {
			if v != nil && v.mention[name] {
				w.locals[name] = true // point := point{1, 2}
				continue
			} else if u.serial == w.id {
				return w.errorAt(obj.Pos(), "%s is declared twice in this cell: as a variable and as a type", name)
			}
		}
		if err != nil {
			w.locals[name] = true
			w.cand.vars[name] = &variable{name: name, serial: w.id, unusable: err.Error()}
			w.cand.changed = true
			continue
		}
		old := w.cand.vars[name]
		if old != nil && old.unusable == "" && old.typ == v.typ {
			v.version = old.version
		} else {
			w.cand.changed = true
			w.cand.newest[name]++
			v.version = w.cand.newest[name]
			for _, s := range w.cell.Imports { // data := data.Load()
				if importPath, _ := strconv.Unquote(s.Path.Value); w.cand.imports[name] == importPath && v.version == 1 {
					w.cand.newest[name]++
					v.version++
				}
			}
		}
		w.cand.vars[name] = v
		delete(w.cand.units, name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.defines)) {
		v := w.cand.vars[name]
		if v == nil {
			continue // it has the name of its type
		}
		for t := range v.mention {
			if w.defines[t] && !w.locals[t] {
				return w.errorAt(w.check.scope.Lookup(name).Pos(), "the type of %s is %s, and this cell makes a variable %[2]s: call that otherwise", name, t)
			}
		}
	}
	w.loseTypeless()
	return nil
}

func (w *planning) newVariable(name string, t types.Type) (*variable, error) {
	if name == "init" {
		return nil, errors.New("a variable called init lives in its cell only")
	}
	v := &variable{name: name, serial: w.id, version: 1, mention: map[string]bool{}, imports: map[string]string{}}
	hidden := map[*types.Named]bool{}
	if err := w.nameable(t, v.mention, hidden, map[types.Type]bool{}); err != nil {
		return nil, err
	}
	v.typ = w.typeText(v, t)
	if len(hidden) > 0 {
		return v, w.infer(v, hidden)
	}
	var err error
	v.expr, err = parseType(w.fset, v.typ)
	return v, err
}

// typeText writes a type down, and notes the imports that it needs.
func (w *planning) typeText(v *variable, t types.Type) string {
	return types.TypeString(t, func(pkg *types.Package) string {
		if pkg == w.check.pkg {
			return ""
		}
		name := w.importName(pkg.Path(), pkg.Name())
		v.imports[name] = pkg.Path()
		return name
	})
}

// importName is a name for a package that text of ours refers to it by: one
// that no cell can take for something else.
func (w *planning) importName(importPath, name string) string {
	if path.Base(importPath) == name {
		return prime + name
	}
	var b strings.Builder
	b.WriteString(prime)
	for _, r := range importPath {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// nameable tells whether a package-level declaration can write the type down, but
// for the hidden types, which their packages do not export. It collects those and
// the session's types in it.
func (w *planning) nameable(t types.Type, mention map[string]bool, hidden map[*types.Named]bool, seen map[types.Type]bool) error {
	if seen[t] {
		return nil
	}
	seen[t] = true
	var errs []error
	each := func(t types.Type) { errs = append(errs, w.nameable(t, mention, hidden, seen)) }
	named := func(obj *types.TypeName, args *types.TypeList) {
		switch {
		case obj.Pkg() == nil: // error, comparable
		case obj.Pkg() == w.check.pkg && obj.Parent() == w.check.pkg.Scope():
			mention[obj.Name()] = true
		case obj.Pkg() == w.check.pkg:
			errs = append(errs, fmt.Errorf("its type %s is local to a function", obj.Name()))
		case !obj.Exported() && args.Len() == 0 && obj.Parent() == obj.Pkg().Scope() && !obj.IsAlias():
			hidden[obj.Type().(*types.Named)] = true
		case !obj.Exported():
			errs = append(errs, fmt.Errorf("its type %s.%s is not exported", obj.Pkg().Name(), obj.Name()))
		}
		for t := range args.Types() {
			each(t)
		}
	}
	switch t := t.(type) {
	case *types.Named:
		named(t.Obj(), t.TypeArgs())
	case *types.Alias:
		named(t.Obj(), t.TypeArgs())
	case *types.Pointer:
		each(t.Elem())
	case *types.Slice:
		each(t.Elem())
	case *types.Array:
		each(t.Elem())
	case *types.Chan:
		each(t.Elem())
	case *types.Map:
		each(t.Key())
		each(t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			each(v.Type())
		}
	case *types.Signature:
		each(t.Params())
		each(t.Results())
	case *types.Struct:
		for f := range t.Fields() {
			if !f.Exported() && f.Pkg() != w.check.pkg {
				errs = append(errs, fmt.Errorf("its type has the field %s of package %s, which is not exported", f.Name(), f.Pkg().Name()))
			}
			each(f.Type())
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if !m.Exported() && m.Pkg() != w.check.pkg {
				errs = append(errs, fmt.Errorf("its type has the method %s of package %s, which is not exported", m.Name(), m.Pkg().Name()))
			}
			each(m.Type())
		}
		for etyp := range t.EmbeddedTypes() {
			each(etyp)
		}
	}
	return errors.Join(errs...)
}

// setUses notes what the declarations that were checked refer to.
func (w *planning) setUses() error {
	for _, u := range append(slices.Clone(w.check.units), w.bodies.units...) {
		w.setUsesOf(u)
	}
	final := w.check
	if w.twice {
		final = w.bodies
	}
	for _, u := range final.units {
		w.rechecked[u] = true
	}
	return nil
}

// setVersions gives a new version to whatever has changed and to all that
// depends on it, in the cells before too.
func (w *planning) setVersions() error {
	changed, reshaped := map[string]bool{}, map[string]bool{}
	for name, u := range w.cand.units {
		old := w.units[name]
		switch {
		case old == u:
		case old == nil:
			if u.serial == w.id && w.cand.newest[name] == 0 && u.kind != methodUnit {
				w.cand.newest[name] = 1
			} else {
				changed[name] = true // what it shadowed, or a new method of an old type
			}
		case old.kind != u.kind || u.kind == constUnit && old.values[name] != u.values[name] || u.kind != constUnit && old.text != u.text:
			changed[name] = true
			reshaped[name] = !sameShape(old, u)
		}
	}
	for name, v := range w.cand.vars {
		if old := w.vars[name]; old != nil && old.version != v.version || old == nil && w.units[name] != nil {
			changed[name], reshaped[name] = true, true
		}
	}
	for name, importPath := range w.cand.imports {
		if old := w.imports[name]; old != "" && old != importPath {
			changed["import "+name], reshaped["import "+name] = true, true
		}
	}
	for again := true; again; {
		again = false
		mark := func(set map[string]bool, name string) {
			if !set[name] {
				set[name], again = true, true
			}
		}
		for name, u := range w.cand.units {
			old := w.units[name] != nil
			if old && mentionsAny(u.uses, changed) {
				mark(changed, name)
			}
			if (u.kind == typeUnit || u.kind == constUnit) && mentionsAny(u.uses, reshaped) {
				mark(reshaped, name)
			}
			if base, _, ok := strings.Cut(name, "."); ok && changed[name] && w.units[base] != nil {
				mark(changed, base)
			}
		}
		for name, v := range w.cand.vars {
			if mentionsAny(v.mention, changed) && w.vars[name] != nil {
				mark(changed, name)
			}
		}
	}
	bumped := map[*unit]*unit{}
	for name := range changed {
		u := w.cand.units[name]
		if u == nil || u.kind == methodUnit || u.kind == constUnit || u.alias {
			continue
		}
		next := *u
		w.cand.newest[name]++
		next.version = w.cand.newest[name]
		w.cand.units[name], bumped[u] = &next, &next
		w.rechecked[&next] = w.rechecked[u]
		w.cand.changed = true
	}
	for i, u := range w.own {
		if next := bumped[u]; next != nil {
			w.own[i] = next
		}
	}
	return w.lose(reshaped)
}

// lose decides on the variables whose type has a new version. Where the layout is
// the same they stay where they are: the new package declares the same symbol, of
// the new type. The others have no value any more, or a new place.
func (w *planning) lose(reshaped map[string]bool) error {
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(w.cand.vars)) {
		v, old := w.cand.vars[name], w.vars[name]
		if v.unusable != "" || !mentionsAny(v.mention, reshaped) {
			continue
		}
		next := *v
		w.cand.changed = true
		switch {
		case !w.defines[name]:
			var which []string
			for t := range v.mention {
				if reshaped[t] {
					which = append(which, t)
				}
			}
			slices.Sort(which)
			next.unusable = fmt.Sprintf("its type %s has been redefined since: run Cell [%d] again, which made it", strings.Join(which, ", "), w.labels[v.serial])
			lost = append(lost, name)
		case old != nil && old.version == v.version:
			w.cand.newest[name]++
			next.version = w.cand.newest[name]
		}
		w.cand.vars[name] = &next
	}
	return w.refuseLost(lost)
}

// refuseLost returns an error where the cell, or what it reaches, uses a variable
// that its redefinitions have cost.
func (w *planning) refuseLost(lost []string) error {
	if len(lost) == 0 {
		return nil
	}
	nodes := w.statements()
	units, _ := w.needed()
	for _, u := range append(slices.Concat(w.own, w.inits, w.mains), sortedUnits(units)...) {
		nodes = append(nodes, u.decl.Node)
	}
	var err error
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || err != nil || !slices.Contains(lost, id.Name) {
				return err == nil
			}
			if obj := w.object(id); obj != nil && w.sessionObject(obj) {
				home, label := w.home(id.Pos())
				err = &CompileError{[]Diagnostic{diagnostic(home, label, home.Offset(id.Pos()), id.Name+" has no value any more: "+w.cand.vars[id.Name].unusable)}}
			}
			return true
		})
	}
	return err
}

// needed returns the declarations that the package of the cell has to hold.
func (w *planning) needed() (map[string]*unit, map[string]*variable) {
	names := w.usesOf(w.statements()...)
	for _, u := range slices.Concat(w.own, w.inits, w.mains) {
		maps.Copy(names, u.uses)
		for _, n := range u.names {
			names[n] = true
		}
	}
	for name := range w.defines {
		names[name] = true
	}
	return w.follow(names, func(u *unit) []string { return slices.Collect(maps.Keys(u.uses)) })
}

// methods lists the keys of a type's methods.
func (w *planning) methods(name string) []string {
	var keys []string
	for key, m := range w.cand.units {
		if m.kind == methodUnit && strings.HasPrefix(key, name+".") {
			keys = append(keys, key)
		}
	}
	return keys
}

// checkRest checks what the package has to hold beyond what the statements led to.
func (w *planning) checkRest() error {
	units, vars := w.needed()
	missing := false
	for _, u := range units {
		missing = missing || !w.rechecked[u]
	}
	if !missing {
		return nil
	}
	w.bodies = w.run(units, vars, false, true)
	return w.compileError(w.bodies)
}

// home finds the cell that a position is in, and its label.
func (w *planning) home(pos token.Pos) (*cell.Cell, int) {
	f := w.fset.File(pos)
	if f == nil {
		return nil, 0
	}
	id, c := w.cellOf(f.Name())
	return c, w.labels[id]
}

func (w *planning) setUsesOf(u *unit) {
	uses := w.usesOf(u.decl.Node)
	for _, key := range u.inits {
		uses[key] = true
	}
	if u.kind == methodUnit {
		base, _, _ := strings.Cut(u.key, ".")
		uses[base] = true
	}
	u.uses = uses
	if u.kind == constUnit {
		u.values = map[string]string{}
		for _, name := range u.names {
			if c, ok := w.constant(name); ok {
				u.values[name] = c.Type().String() + " " + c.Val().ExactString()
			}
		}
	}
}

// constant is a constant of the notebook.
func (w *planning) constant(name string) (*types.Const, bool) {
	for _, pkg := range []*types.Package{w.bodies.pkg, w.check.pkg} {
		if pkg != nil {
			if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok {
				return c, true
			}
		}
	}
	return nil, false
}

// usesOf lists the declarations and imports that a checked tree refers to.
func (w *planning) usesOf(nodes ...ast.Node) map[string]bool {
	uses := map[string]bool{}
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			switch obj := w.object(id).(type) {
			case nil:
			case *types.PkgName:
				uses["import "+obj.Name()] = true
			default:
				if w.sessionObject(obj) {
					uses[obj.Name()] = true
				} else if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() && !w.ours(obj.Pkg()) {
					uses["dot "+obj.Pkg().Path()] = true
				}
			}
			return true
		})
	}
	// pkg.Name names an object of pkg's scope without a dot import.
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if obj := w.object(s.Sel); obj != nil && obj.Pkg() != nil && !w.ours(obj.Pkg()) {
					key := "dot " + obj.Pkg().Path()
					if !slices.Contains(w.cand.dots, obj.Pkg().Path()) {
						delete(uses, key)
					}
				}
			}
			return true
		})
	}
	return uses
}

func sortedUnits(units map[string]*unit) []*unit {
	seen := map[*unit]bool{}
	var out []*unit
	for _, u := range units {
		if !seen[u] {
			seen[u] = true
			out = append(out, u)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}
