package program

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"hash/fnv"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

const live = "live" + prime // what generated code calls LivePath

// gonbInit begins the names of functions that GoNB calls as it does init.
const gonbInit = "init_"

// An edit replaces a part of a cell's text. It never changes how many lines
// there are, so that one //line directive serves a whole declaration.
type edit struct {
	start, end int
	text       string
}

// apply returns src[start:end] with the edits that fall into it.
func apply(src string, start, end int, edits []edit) string {
	// What is inserted before a name goes before the name's own edit.
	sort.SliceStable(edits, func(i, j int) bool {
		a, b := edits[i], edits[j]
		return a.start < b.start || a.start == b.start && a.end == a.start && b.end > b.start
	})
	var b strings.Builder
	at := start
	for _, e := range edits {
		if e.start < at || e.end > end {
			continue // inside of what an earlier edit has replaced
		}
		b.WriteString(src[at:e.start])
		b.WriteString(e.text)
		at = e.end
	}
	b.WriteString(src[at:end])
	return b.String()
}

// A printer writes the package of a plan.
type printer struct {
	*planning
	imports   map[string]string // name -> path, as used
	dots      map[string]bool
	aliases   map[string]string // of generic types in later versions
	embedded  map[string]bool   // those that a struct embeds
	hoisted   strings.Builder   // types that were local
	initCalls []edit            // calls of functions init among the statements
	shorts    map[*unit]bool    // functions, and whether a call takes no time worth the name
	failing   strings.Builder   // of the errors of initialisers that are done again
	repeated  strings.Builder   // calls of functions init that are done again
}

// print returns the package's text and the paths that it imports.
func (w *planning) print() (string, []string) {
	p := &printer{planning: w, imports: map[string]string{live: LivePath}, dots: map[string]bool{}, aliases: map[string]string{}, embedded: map[string]bool{}, shorts: map[*unit]bool{}}

	units, vars := w.needed()

	var vs strings.Builder
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		v := vars[name]
		maps.Copy(p.imports, v.imports)
		vs.WriteString(p.variable(v))
	}
	var us strings.Builder
	for _, u := range sortedUnits(units) {
		us.WriteString(p.unit(u, p.again(u)...))
	}
	for _, u := range w.own {
		if slices.Contains(u.names, "_") {
			us.WriteString(p.unit(u))
		}
	}
	var calls, ends strings.Builder
	if w.cell.Timed() {
		fmt.Fprintf(&calls, "defer %s.Time()(); ", live)
	}
	if names := p.flags(); len(names) > 0 {
		fmt.Fprintf(&calls, "%s.Redefine(%s); ", live, strings.Join(names, ", "))
	}
	// Where it stands, or after all variables of a cell without statements: a
	// whole program.
	callInit := func(u *unit, name string) {
		if w.declaresOnly() {
			fmt.Fprintf(&ends, "%s(); ", name)
		} else {
			p.initCalls = append(p.initCalls, edit{u.decl.Start, u.decl.Start, name + "(); "})
		}
	}
	for _, u := range w.own {
		if f, ok := u.decl.Node.(*ast.FuncDecl); ok && u.kind == funcUnit && strings.HasPrefix(u.key, gonbInit) && f.Type.Params.NumFields() == 0 && f.Type.Results.NumFields() == 0 && !u.generic {
			callInit(u, symbol(u.key, u.version))
		}
	}
	for i, u := range w.inits {
		name := fmt.Sprintf("init%s%d%s%d", prime, w.id, prime, i)
		us.WriteString(p.unit(u, edit{w.nameStart(u), w.nameStart(u) + len("init"), name}))
		callInit(u, name)
	}
	for _, u := range w.mains {
		name := fmt.Sprintf("main%s%d", prime, w.id)
		us.WriteString(p.unit(u, edit{w.nameStart(u), w.nameStart(u) + len("main"), name}))
		fmt.Fprintf(&ends, "%s(); ", name)
	}
	var body string
	if w.whole {
		body = p.initialise()
	} else {
		body = p.body()
	}
	var decls strings.Builder
	decls.WriteString("\nvar _ = " + live + ".Check\n\n")
	decls.WriteString(vs.String())
	decls.WriteString(p.hoisted.String())
	decls.WriteString(us.String())
	for _, name := range slices.Sorted(maps.Keys(p.embedded)) {
		decls.WriteString(p.aliases[name])
	}
	// The name errʹ is for errors that the statements leave out.
	fmt.Fprintf(&decls, "func %s() { var err%s %s.Error; _ = err%s; %s\n//line %s:1:1\n%s\n//line /cell/end.go:1\n%s}\n",
		entryName(w.id), prime, live, prime, p.enter()+calls.String()+p.failing.String()+p.repeated.String(), FileName(w.id), body, ends.String())
	if w.config.Alone && !w.config.Page {
		decls.WriteString(p.main())
	}

	var out strings.Builder
	out.WriteString("package main\n\n")
	var paths []string
	used := selectedFrom(decls.String())
	for _, name := range slices.Sorted(maps.Keys(p.imports)) {
		if used[name] {
			fmt.Fprintf(&out, "import %s %q\n", name, p.imports[name])
			paths = append(paths, p.imports[name])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(p.dots)) {
		fmt.Fprintf(&out, "import . %q\n", path)
		paths = append(paths, path)
	}
	for _, path := range w.blank {
		fmt.Fprintf(&out, "import _ %q\n", path)
		paths = append(paths, path)
	}
	out.WriteString(decls.String())
	slices.Sort(paths)
	return out.String(), slices.Compact(paths)
}

// selectedFrom lists the names that something is selected from in a printed
// text. An import that the cell uses can be missing there: of var x atomic.Int64
// the statement is gone, and the declaration has an import of its own.
func selectedFrom(decls string) map[string]bool {
	names := map[string]bool{}
	f, _ := parser.ParseFile(token.NewFileSet(), "", "package main\n"+decls, parser.SkipObjectResolution)
	if f == nil {
		return names
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

func (w *planning) declaresOnly() bool { return declaresOnly(w.cell) }

// declaresOnly tells that a cell has no statements but variable declarations.
func declaresOnly(c *cell.Cell) bool {
	for _, s := range c.Body.List {
		if _, ok := s.(*ast.DeclStmt); !ok {
			return false
		}
	}
	return c.Trailing == nil
}

func (w *planning) nameStart(u *unit) int {
	return u.cell.Offset(u.decl.Node.(*ast.FuncDecl).Name.Pos())
}

// unit prints a declaration under the name of its version.
func (p *printer) unit(u *unit, more ...edit) string {
	edits := append(p.edits(u.cell, u, u.decl.Node), more...)
	var after string
	switch d := u.decl.Node.(type) {
	case *ast.FuncDecl:
		if u.kind == funcUnit && u.key != "_" && u.key != "init" && u.key != "main" {
			edits = append(edits, p.rename(u.cell, d.Name, symbol(u.key, u.version)))
		}
		if base := d.Recv; base != nil {
			id := receiverBase(d)
			if t := p.cand.units[id.Name]; t != nil && !t.generic {
				edits = append(edits, p.rename(u.cell, id, typeSymbol(id.Name, t.version)))
			}
		}
	case *ast.GenDecl:
		switch s := d.Specs[0].(type) {
		case *ast.TypeSpec:
			if name := typeSymbol(u.key, u.version); name != u.key && !u.alias {
				edits = append(edits, p.rename(u.cell, s.Name, name))
				// Under the alias all texts, and embedded fields, keep the name.
				params, args := "", ""
				if s.TypeParams != nil {
					var list []string
					naming := slices.Clone(edits)
					for _, f := range s.TypeParams.List {
						for _, id := range f.Names {
							name := id.Name
							if name == "_" {
								name = fmt.Sprintf("p%s%d", prime, len(list))
								naming = append(naming, p.rename(u.cell, id, name))
							}
							list = append(list, name)
						}
					}
					params = apply(u.cell.Source, u.cell.Offset(s.TypeParams.Opening), u.cell.Offset(s.TypeParams.Closing)+1, naming)
					args = "[" + strings.Join(list, ", ") + "]"
				}
				after = fmt.Sprintf("type %s%s = %s%s\n", u.key, params, name, args)
				if u.generic {
					// The checker fails on some cycles through generic aliases, so
					// texts go by the new name, but for embedded fields.
					p.aliases[u.key], after = after, ""
				}
			}
		case *ast.ValueSpec:
			for _, s := range d.Specs {
				for _, id := range s.(*ast.ValueSpec).Names {
					if p.cand.units[id.Name] != u && id.Name != "_" {
						edits = append(edits, p.rename(u.cell, id, "_"))
					}
				}
			}
		}
	}
	line, col := u.cell.Position(u.decl.Start)
	text := apply(u.cell.Source, u.decl.Start, u.decl.End, edits)
	if u.decl.Grouped {
		keyword := "type "
		if u.kind == varUnit {
			keyword = "var "
		}
		text, col = keyword+text, max(1, col-len(keyword))
	}
	return fmt.Sprintf("//line %s:%d:%d\n%s\n%s", FileName(u.serial), line, col, text, after)
}

// genericName is the name of a generic type's later version, or "".
func (p *printer) genericName(name string) string {
	u := p.cand.units[name]
	if u == nil || u.kind != typeUnit || !u.generic || u.alias || u.version == 1 {
		return ""
	}
	return typeSymbol(u.key, u.version)
}

// place is the text that stands for a variable.
func place(v *variable) string {
	if v.inferred != nil {
		return v.inferred.use(symbol(v.name, v.version))
	}
	return symbol(v.name, v.version)
}

// variable prints a variable's declaration, generic types by the names of their
// versions.
func (p *printer) variable(v *variable) string {
	name := symbol(v.name, v.version)
	if v.expr == nil {
		return v.inferred.text(name)
	}
	var edits []edit
	base := p.fset.File(v.expr.Pos()).Base()
	ast.Inspect(v.expr, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			return false
		case *ast.Ident:
			if s := p.genericName(n.Name); s != "" && v.mention[n.Name] {
				at := int(n.Pos()) - base
				edits = append(edits, edit{at, at + len(n.Name), s})
			}
		}
		return true
	})
	return fmt.Sprintf("var %s %s\n", name, apply(v.typ, 0, len(v.typ), edits))
}

func (p *printer) rename(c *cell.Cell, id *ast.Ident, name string) edit {
	at := c.Offset(id.Pos())
	return edit{at, at + len(id.Name), name}
}

// edits are the changes to a tree's text that its meaning asks for: names of
// versions, checks for an interrupt, uses of unused variables, names for local
// types that are unique in the session. The unit is nil for statements.
func (p *printer) edits(c *cell.Cell, u *unit, root ast.Node) []edit {
	var edits []edit
	if p.stopping {
		edits = p.stops(c, u, root)
	}
	if !c.Unchecked() && !p.config.Whole {
		edits = append(edits, p.checks(c, u, root)...)
	}
	embeds := map[*ast.Ident]bool{}
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			if obj, ok := p.definition(n.Name).(*types.TypeName); ok && p.isLocal(obj) && !p.config.Whole {
				edits = append(edits, p.localType(c, u, n, obj, root)...)
				return false
			}
		case *ast.StructType:
			for _, f := range n.Fields.List {
				if id := baseIdent(f.Type); len(f.Names) == 0 && id != nil {
					embeds[id] = true
				}
			}
		case *ast.Ident:
			if embeds[n] && p.genericName(n.Name) != "" {
				p.embedded[n.Name] = true
				return true
			}
			if e, ok := p.renamed(c, n); ok {
				edits = append(edits, e)
			}
		}
		return true
	})
	for _, ch := range []checked{p.check, p.bodies} {
		for _, id := range ch.unused {
			if id.Name != "" && root.Pos() <= id.Pos() && id.Pos() < root.End() {
				if u == nil && ch.scope != nil && ch.scope.Lookup(id.Name) != nil && ch.scope.Lookup(id.Name).Pos() == id.Pos() && !p.locals[id.Name] {
					continue // a variable of the session
				}
				edits = append(edits, useEdits(c, root, id)...)
			}
		}
	}
	return edits
}

// renamed is the edit for an identifier that refers to a declaration whose
// symbol is not its name. Types need none: an alias keeps their name.
func (p *printer) renamed(c *cell.Cell, id *ast.Ident) (edit, bool) {
	obj := p.object(id)
	if obj == nil {
		return edit{}, false
	}
	switch obj := obj.(type) {
	case *types.PkgName:
		p.imports[obj.Name()] = obj.Imported().Path()
		return edit{}, false
	case *types.Var:
		if obj.IsField() {
			return edit{}, false
		}
		v := p.variableOf(obj)
		if v == nil {
			break
		}
		if s := place(v); s != id.Name {
			return p.rename(c, id, s), true
		}
		return edit{}, false
	case *types.Func:
		if u := p.cand.units[obj.Name()]; u != nil && p.sessionObject(obj) && u.kind == funcUnit {
			if s := symbol(u.key, u.version); s != id.Name {
				return p.rename(c, id, s), true
			}
			return edit{}, false
		}
	case *types.TypeName:
		if p.isLocal(obj) {
			return edit{}, false
		}
		if s := p.genericName(obj.Name()); s != "" && p.sessionObject(obj) {
			return p.rename(c, id, s), true
		}
	}
	if pkg := obj.Pkg(); pkg != nil && !p.ours(pkg) && obj.Parent() == pkg.Scope() && slices.Contains(p.cand.dots, pkg.Path()) {
		p.dots[pkg.Path()] = true
	}
	return edit{}, false
}

// variableOf is the session's variable that an object of a check stands for:
// one of the package's scope is as it was before the cell, if the cell makes a
// new one by that name, and one of the entry function's scope is the new one.
func (p *printer) variableOf(obj *types.Var) *variable {
	name := obj.Name()
	switch {
	case p.whole && obj.Parent() == p.check.scope:
		if p.locals[name] {
			return nil
		}
		return p.cand.vars[name]
	case p.check.scope != nil && obj.Parent() == p.check.scope:
		if p.locals[name] || !p.defines[name] {
			return nil
		}
		return p.cand.vars[name]
	case p.bodies.pkg != nil && obj.Parent() == p.bodies.pkg.Scope():
		return p.cand.vars[name]
	case obj.Parent() == p.check.pkg.Scope():
		if old := p.vars[name]; p.defines[name] && old != nil && old.typ != p.cand.vars[name].typ {
			p.keepOld(old)
			return old
		}
		return p.cand.vars[name]
	}
	return nil
}

// keepOld declares a variable's version before this cell beside the new one,
// for a statement like x := fmt.Sprint(x).
func (p *printer) keepOld(v *variable) {
	s := p.variable(v)
	if !strings.Contains(p.hoisted.String(), s) {
		p.hoisted.WriteString(s)
		maps.Copy(p.imports, v.imports)
	}
}

// isLocal tells whether a type is declared inside of a function.
func (p *printer) isLocal(obj *types.TypeName) bool {
	if obj.Pkg() == nil || !p.ours(obj.Pkg()) || obj.Parent() == nil || obj.Parent() == obj.Pkg().Scope() || obj.IsAlias() {
		return false
	}
	_, param := obj.Type().(*types.TypeParam)
	return !param
}

// localType takes a type out of its function: the compiler numbers such types
// through the package, so that those of two cells would share a symbol. The
// function keeps an alias. In a generic function, whose type parameters the type
// may depend on, it stays, under a unique name.
func (p *printer) localType(c *cell.Cell, u *unit, s *ast.TypeSpec, obj *types.TypeName, root ast.Node) []edit {
	name := p.localName(c, u, root, s)
	if u != nil && u.generic {
		edits := []edit{p.rename(c, s.Name, name)}
		ast.Inspect(root, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && p.object(id) == obj {
				edits = append(edits, p.rename(c, id, name))
			}
			return true
		})
		ast.Inspect(s.Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if e, ok := p.renamed(c, id); ok {
					edits = append(edits, e)
				}
			}
			return true
		})
		return edits
	}
	start, end := c.Offset(s.Type.Pos()), c.Offset(s.Type.End())
	if s.TypeParams != nil {
		start = c.Offset(s.TypeParams.Opening)
	}
	var inner []edit
	renameInner := func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		switch o := p.object(id).(type) {
		case *types.Const:
			if o.Pkg() != nil && p.ours(o.Pkg()) && !p.sessionObject(o) {
				inner = append(inner, p.rename(c, id, o.Val().ExactString()))
			}
		case *types.TypeName:
			if p.isLocal(o) {
				inner = append(inner, p.rename(c, id, p.hoistedName(c, u, root, o)))
			}
		default:
			if e, ok := p.renamed(c, id); ok {
				inner = append(inner, e)
			}
		}
		return true
	}
	if s.TypeParams != nil {
		ast.Inspect(s.TypeParams, renameInner)
	}
	ast.Inspect(s.Type, renameInner)
	fmt.Fprintf(&p.hoisted, "type %s %s\n", name, apply(c.Source, start, end, inner))
	lines := strings.Repeat("\n", strings.Count(c.Source[start:end], "\n"))
	if s.TypeParams == nil {
		return []edit{{c.Offset(s.Name.End()), end, " = " + name + lines}}
	}
	// A function cannot declare a generic alias: uses go by the new name.
	edits := []edit{{c.Offset(s.Name.Pos()), end, "_ = struct{}" + lines}}
	ast.Inspect(root, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && p.object(id) == obj && (id.Pos() < s.Pos() || id.Pos() >= s.End()) {
			edits = append(edits, p.rename(c, id, name))
		}
		return true
	})
	return edits
}

// localName is a local type's name in the session. It stays the same as long as
// the declaration around it does.
func (p *printer) localName(c *cell.Cell, u *unit, root ast.Node, s *ast.TypeSpec) string {
	h := fnv.New32a()
	if u != nil {
		fmt.Fprintf(h, "%s %d %s %d", u.key, u.version, u.text, s.Pos()-root.Pos())
	} else {
		fmt.Fprintf(h, "%d %d", p.id, c.Offset(s.Pos()))
	}
	return s.Name.Name + prime + strconv.Itoa(int(h.Sum32()))
}

// hoistedName is the name that localType gives to another type of the function.
func (p *printer) hoistedName(c *cell.Cell, u *unit, root ast.Node, obj *types.TypeName) string {
	name := obj.Name()
	ast.Inspect(root, func(n ast.Node) bool {
		if s, ok := n.(*ast.TypeSpec); ok && p.definition(s.Name) == obj {
			name = p.localName(c, u, root, s)
		}
		return true
	})
	return name
}

// useEdits uses a variable that nobody uses, which Go would refuse.
func useEdits(c *cell.Cell, root ast.Node, id *ast.Ident) []edit {
	at := func(pos token.Pos, text string) []edit {
		o := c.Offset(pos)
		return []edit{{o, o, text}}
	}
	use := "_ = " + id.Name
	var out []edit
	in := func(n ast.Node) bool { return n != nil && n.Pos() <= id.Pos() && id.Pos() < n.End() }
	inList := func(list []ast.Stmt) {
		for _, s := range list {
			s = unlabelled(s)
			switch s.(type) {
			case *ast.AssignStmt, *ast.DeclStmt:
				if in(s) {
					out = at(s.End(), "; "+use)
				}
			}
		}
	}
	blank := func() { out = []edit{{c.Offset(id.Pos()), c.Offset(id.End()), "_"}} }
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			inList(n.List)
		case *ast.CaseClause:
			inList(n.Body)
		case *ast.CommClause:
			inList(n.Body)
			if n.Comm != nil && in(n.Comm) {
				out = at(n.Colon+1, " "+use+"; ")
			}
		case *ast.IfStmt:
			if n.Init != nil && in(n.Init) {
				out = at(n.Body.Lbrace+1, " "+use+"; ")
			}
		case *ast.ForStmt:
			if n.Init != nil && in(n.Init) {
				out = at(n.Body.Lbrace+1, " "+use+"; ")
			}
		case *ast.RangeStmt:
			if n.Key != nil && in(n.Key) || n.Value != nil && in(n.Value) {
				out = at(n.Body.Lbrace+1, " "+use+"; ")
			}
		case *ast.SwitchStmt:
			if a, ok := n.Init.(*ast.AssignStmt); ok && in(a) {
				blank()
				if allBlank(a.Lhs, id) {
					out = append(out, edit{c.Offset(a.TokPos), c.Offset(a.TokPos) + len(":="), "="})
				}
			}
		case *ast.TypeSwitchStmt:
			if a, ok := n.Assign.(*ast.AssignStmt); ok && in(a.Lhs[0]) {
				out = []edit{{c.Offset(a.Pos()), c.Offset(a.Rhs[0].Pos()), ""}}
			}
		}
		return true
	})
	return out
}

func allBlank(xs []ast.Expr, but *ast.Ident) bool {
	for _, x := range xs {
		if id, ok := x.(*ast.Ident); !ok || id.Name != "_" && id != but {
			return false
		}
	}
	return true
}

// body prints the statements of the entry function.
func (p *printer) body() string {
	c := p.cell
	begins, ends := p.timings()
	edits := append(p.commands(), begins...)
	for _, n := range p.statements() {
		edits = append(edits, p.edits(c, nil, n)...)
	}
	for _, s := range c.Body.List {
		switch s := unlabelled(s).(type) {
		case *ast.AssignStmt:
			edits = append(edits, p.assign(s)...)
		case *ast.DeclStmt:
			if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				edits = append(edits, p.declare(g)...)
			}
		case *ast.ExprStmt:
			edits = append(edits, p.dropped(s)...)
		}
	}
	edits = append(edits, p.trailing()...)
	edits = append(append(edits, ends...), p.initCalls...)
	return apply(c.Statements(), 0, len(c.Source), edits)
}

// initialise prints the variables of a cell of declarations as assignments, in
// the order that Go initialises a package's variables in.
func (p *printer) initialise() string {
	c := p.cell
	specs := map[ast.Expr]*ast.ValueSpec{}
	for _, s := range c.Body.List {
		if d, ok := s.(*ast.DeclStmt); ok {
			for _, spec := range d.Decl.(*ast.GenDecl).Specs {
				v := spec.(*ast.ValueSpec)
				for _, x := range v.Values {
					specs[x] = v
				}
			}
		}
	}
	var out strings.Builder
	for _, init := range p.check.info.InitOrder {
		spec := specs[init.Rhs]
		if spec == nil {
			continue
		}
		var names []string
		for _, v := range init.Lhs {
			name := "_"
			if v.Name() != "_" && !p.locals[v.Name()] {
				name = place(p.cand.vars[v.Name()])
			}
			names = append(names, name)
		}
		tail := ""
		if p.omitted[spec] {
			names[len(names)-1] = "err" + prime
			tail = p.fail(spec.Pos())
		}
		start, end := c.Offset(init.Rhs.Pos()), c.Offset(init.Rhs.End())
		line, col := c.Position(start)
		fmt.Fprintf(&out, "//line %s:%d:%d\n%s = %s%s\n", FileName(p.id), line, col, strings.Join(names, ", "), apply(c.Source, start, end, p.edits(c, nil, init.Rhs)), tail)
	}
	return out.String()
}

func (p *printer) at(pos token.Pos, text string) edit {
	o := p.cell.Offset(pos)
	return edit{o, o, text}
}

// fail is the check of an error that a statement leaves out.
func (p *printer) fail(pos token.Pos) string {
	line, _ := p.cell.Position(p.cell.Offset(pos))
	return fmt.Sprintf("; if %s.Failed(%d, %d, err%s) { return }", live, p.id, line, prime)
}

// assign prints x, y := f() as an assignment to the session's variables.
func (p *printer) assign(s *ast.AssignStmt) []edit {
	var edits []edit
	after := ""
	last := s.Lhs[len(s.Lhs)-1]
	local := 0 // names that the statement has to define itself
	var moved []string
	if s.Tok == token.DEFINE {
		for _, x := range s.Lhs {
			id := x.(*ast.Ident)
			if p.definition(id) != nil && p.locals[id.Name] {
				local++
			}
		}
		op := edit{p.cell.Offset(s.TokPos), p.cell.Offset(s.TokPos) + len(":="), "="}
		if local == 0 {
			edits = append(edits, op)
		}
		for _, x := range s.Lhs {
			id := x.(*ast.Ident)
			v := p.cand.vars[id.Name]
			if id.Name == "_" || p.locals[id.Name] || v == nil {
				continue
			}
			name := place(v)
			if local > 0 {
				temp := id.Name + prime + "0"
				edits = append(edits, p.rename(p.cell, id, temp))
				moved = append(moved, fmt.Sprintf("; %s = %s", name, temp))
			} else if p.definition(id) != nil && name != id.Name {
				edits = append(edits, p.rename(p.cell, id, name))
			}
		}
		after = strings.Join(moved, "")
	}
	if p.omitted[s] {
		edits = append(edits, p.at(last.End(), ", err"+prime))
		after += p.fail(s.Pos())
	}
	if after != "" {
		edits = append(edits, p.at(s.End(), after))
	}
	return edits
}

// declare prints var x, y T = f() as an assignment, and var x T as nothing.
func (p *printer) declare(g *ast.GenDecl) []edit {
	c := p.cell
	var edits []edit
	clear := func(from, to token.Pos) {
		a, b := c.Offset(from), c.Offset(to)
		edits = append(edits, edit{a, b, strings.Repeat("\n", strings.Count(c.Source[a:b], "\n"))})
	}
	plain := true // nothing to do for the session
	for _, spec := range g.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			plain = plain && (id.Name == "_" || p.locals[id.Name])
		}
	}
	if plain {
		return nil
	}
	first := g.Specs[0]
	clear(g.Pos(), first.Pos()) // var, and the parenthesis
	if g.Rparen.IsValid() {
		clear(g.Rparen, g.Rparen+1)
	}
	for _, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		if len(v.Values) == 0 {
			local := false
			for _, id := range v.Names {
				local = local || p.locals[id.Name]
			}
			if local {
				edits = append(edits, p.at(v.Pos(), "var "))
			} else if e, ok := p.files[v]; ok {
				edits = append(edits, p.embed(v, e))
			} else {
				clear(v.Pos(), v.End())
			}
			continue
		}
		names := v.Names
		sessions := false
		for _, id := range names {
			sessions = sessions || id.Name != "_" && !p.locals[id.Name]
		}
		if !sessions {
			edits = append(edits, p.at(v.Pos(), "var "))
			continue
		}
		last := names[len(names)-1]
		if v.Type != nil {
			clear(last.End(), v.Type.End())
		}
		after := ""
		for _, id := range names {
			if id.Name == "_" {
				continue
			}
			if p.locals[id.Name] {
				// Mixed with variables of the session: define it beforehand is
				// not possible, its type has no name; so it is dropped.
				edits = append(edits, p.rename(c, id, "_"))
				continue
			}
			if name := place(p.cand.vars[id.Name]); name != id.Name {
				edits = append(edits, p.rename(c, id, name))
			}
		}
		if p.omitted[spec] {
			edits = append(edits, p.at(last.End(), ", err"+prime))
			after = p.fail(v.Pos())
		}
		if after != "" {
			edits = append(edits, p.at(v.End(), after))
		}
	}
	return edits
}

// dropped prints a call whose results, an error last, nobody takes, so that the
// error is told. Printing to the screen is not worth that.
func (p *printer) dropped(s *ast.ExprStmt) []edit {
	call, ok := ast.Unparen(s.X).(*ast.CallExpr)
	if !ok || p.isPrint(call) {
		return nil
	}
	before, ok := endsWithError(p.check.info.Types[call].Type)
	if !ok {
		return nil
	}
	line, _ := p.cell.Position(p.cell.Offset(s.Pos()))
	return []edit{
		p.at(s.Pos(), strings.Repeat("_, ", before)+"err"+prime+" = "),
		p.at(s.End(), fmt.Sprintf("; %s.Dropped(%d, %d, err%s)", live, p.id, line, prime)),
	}
}

// callee is the package and the name of the imported function that is called.
func (p *printer) callee(call *ast.CallExpr) (path, name string) {
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
		if f, ok := p.object(sel.Sel).(*types.Func); ok && f.Pkg() != nil {
			return f.Pkg().Path(), f.Name()
		}
	}
	return "", ""
}

func (p *printer) isPrint(call *ast.CallExpr) bool {
	path, name := p.callee(call)
	return path == "fmt" && (strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Fprint"))
}

// makesError tells of a call whose error is its value, not its failure.
func (p *printer) makesError(call *ast.CallExpr) bool {
	path, name := p.callee(call)
	return path == "errors" || path == "fmt" && name == "Errorf"
}

// trailing shows the values of the trailing expression.
func (p *printer) trailing() []edit {
	xs := p.cell.Trailing
	if len(xs) == 0 || p.novalue {
		return nil
	}
	first, last := xs[0], xs[len(xs)-1]
	call, isCall := ast.Unparen(first).(*ast.CallExpr)
	isCall = isCall && len(xs) == 1
	if p.cell.Muted {
		return []edit{p.at(first.Pos(), strings.Repeat("_, ", len(xs)-1)+"_ = ")}
	}
	if isCall && p.isPrint(call) {
		return nil
	}
	if isCall {
		if before, ok := endsWithError(p.check.info.Types[call].Type); ok && !p.check.info.Types[call.Fun].IsType() && !p.makesError(call) {
			var values []string
			for i := range before {
				values = append(values, fmt.Sprintf("v%s%d", prime, i))
			}
			take, show := "err"+prime+" = ", ""
			if before > 0 {
				take = strings.Join(values, ", ") + ", err" + prime + " := "
				show = fmt.Sprintf("; %s.%s(%s)", live, p.show, strings.Join(values, ", "))
			}
			return []edit{p.at(first.Pos(), take), p.at(last.End(), p.fail(first.Pos())+show)}
		}
	}
	return []edit{p.at(first.Pos(), live+"."+p.show+"("), p.at(last.End(), ")")}
}
