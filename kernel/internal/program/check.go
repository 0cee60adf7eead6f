package program

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// checked is the outcome of a type check.
type checked struct {
	pkg    *types.Package
	info   *types.Info
	scope  *types.Scope // of the entry function
	units  []*unit
	errs   []types.Error
	unused []*ast.Ident // local variables that nobody uses
}

// showName is what a trailing expression is an argument of in a type check.
const showName = "show" + prime

// predeclared is a package of Go's predeclared types, under names that nothing in a
// cell hides: those of variables are written with them where a cell has a variable
// called string, say.
var predeclared = func() *types.Package {
	pkg := types.NewPackage("predeclared"+prime, "predeclared"+prime)
	for _, name := range types.Universe.Names() {
		if t, ok := types.Universe.Lookup(name).(*types.TypeName); ok {
			pkg.Scope().Insert(types.NewTypeName(token.NoPos, pkg, predeclaredName(name), t.Type()))
		}
	}
	pkg.MarkComplete()
	return pkg
}()

func predeclaredName(name string) string { return "T" + prime + name }

// withPredeclared is an importer that knows predeclared.
type withPredeclared struct{ types.Importer }

func (w withPredeclared) Import(path string) (*types.Package, error) {
	if path == predeclared.Path() {
		return predeclared, nil
	}
	return w.Importer.Import(path)
}

// predeclaredIn is a variable's type as the checker is to see it, and tells whether
// a name in it would mean something else than the predeclared type.
func (w *planning) predeclaredIn(v *variable) (typ ast.Expr, hidden bool) {
	var edits []edit
	base := w.fset.File(v.expr.Pos()).Base()
	var look func(n ast.Node) bool
	look = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			return false
		case *ast.Field: // not its name
			ast.Inspect(n.Type, look)
			return false
		case *ast.Ident:
			if types.Universe.Lookup(n.Name) != nil && !v.mention[n.Name] && (w.cand.vars[n.Name] != nil || w.cand.units[n.Name] != nil) {
				at := int(n.Pos()) - base
				edits = append(edits, edit{at, at + len(n.Name), predeclared.Name() + "." + predeclaredName(n.Name)})
			}
		}
		return true
	}
	ast.Inspect(v.expr, look)
	if len(edits) == 0 {
		return v.expr, false
	}
	typ, err := parseType(w.fset, apply(v.typ, 0, len(v.typ), edits))
	if err != nil {
		return v.expr, false
	}
	return typ, true
}

func parseType(fset *token.FileSet, text string) (ast.Expr, error) {
	return parser.ParseExprFrom(fset, "/type", text, parser.SkipObjectResolution)
}

// typeCheck checks the cell's statements as the body of a function, with the
// declarations that they and the cell's own declarations lead to. Where a
// function uses a variable that the cell defines, functions are looked at
// without their bodies, since the variable's type is not known yet.
//
// A cell of nothing but declarations is looked at as a Go file first, whose
// variables are initialised in the order that they depend on each other.
func (w *planning) typeCheck() error {
	err := w.checkStatements()
	if err == nil || !w.whole {
		return err
	}
	w.whole = false // var x = x + 1
	clear(w.omitted)
	if w.checkStatements() == nil {
		return nil
	}
	return err
}

func (w *planning) checkStatements() error {
	w.twice = false
	names := mentioned(w.statements()...)
	for _, u := range slices.Concat(w.own, w.inits, w.mains) {
		maps.Copy(names, u.mention)
		for _, n := range u.names {
			names[n] = true
		}
	}
	units, vars := w.reach(names)
	for _, u := range units {
		if u.kind == funcUnit || u.kind == methodUnit {
			w.twice = w.twice || mentionsAny(u.mention, w.defines)
		}
	}
	for _, u := range slices.Concat(w.inits, w.mains) {
		w.twice = w.twice || mentionsAny(u.mention, w.defines)
	}
	w.twice = w.twice && !w.whole
	for {
		w.check = w.run(units, vars, true, !w.twice)
		more := w.addMissingImports(w.check)
		more = w.omitErrors() || more
		more = w.dropShow() || more
		if !more && !w.dropBroken(&w.check, units) {
			break
		}
	}
	return w.compileError(w.check)
}

// dropBroken leaves out declarations of earlier cells that do not compile any
// more: those that the cell only seemed to need, by a name that means something
// else there, and methods of types that it redeclares in another form. It tells
// whether there were any.
func (w *planning) dropBroken(c *checked, units map[string]*unit) bool {
	if len(c.errs) == 0 {
		return false
	}
	var broken []*unit
	for _, u := range c.units {
		for _, e := range c.errs {
			if u.serial != w.id && u.cell.Holds(e.Pos) {
				if at := u.cell.Offset(e.Pos); u.decl.Start <= at && at < u.decl.End {
					broken = append(broken, u)
					break
				}
			}
		}
	}
	if len(broken) == 0 {
		return false
	}
	for _, u := range c.units {
		w.setUsesOf(u)
	}
	needed, _ := w.needed()
	found := false
	for _, u := range broken {
		base, _, _ := strings.Cut(u.key, ".")
		t := w.cand.units[base]
		switch {
		case !containsUnit(needed, u):
			for _, n := range u.names {
				delete(units, n)
			}
			found = true
		case u.kind == methodUnit && (t == nil || t.serial == w.id):
			delete(units, u.key)
			delete(w.cand.units, u.key)
			w.cand.changed, found = true, true
		}
	}
	return found
}

func containsUnit(units map[string]*unit, u *unit) bool {
	for _, n := range u.names {
		if units[n] == u {
			return true
		}
	}
	return false
}

// checkBodies checks the functions whose bodies typeCheck left out.
func (w *planning) checkBodies() error {
	if !w.twice {
		return nil
	}
	names := map[string]bool{}
	for _, u := range w.check.units {
		maps.Copy(names, u.mention)
		for _, n := range u.names {
			names[n] = true
		}
	}
	units, vars := w.reach(names)
	for {
		w.bodies = w.run(units, vars, false, true)
		if !w.addMissingImports(w.bodies) && !w.dropBroken(&w.bodies, units) {
			break
		}
	}
	return w.compileError(w.bodies)
}

func mentionsAny(mention, names map[string]bool) bool {
	for name := range names {
		if mention[name] {
			return true
		}
	}
	return false
}

// run type-checks a package of the given declarations, with or without the
// cell's statements and the bodies of functions.
func (w *planning) run(units map[string]*unit, vars map[string]*variable, statements, bodies bool) checked {
	c := checked{info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Scopes: map[ast.Node]*types.Scope{}, Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	file := &ast.File{Name: ast.NewIdent("cells")} // a package main has no variable main
	imports := &ast.GenDecl{Tok: token.IMPORT}
	imported := map[string]bool{}
	addImport := func(name, path string) {
		if !imported[name+" "+path] {
			imported[name+" "+path] = true
			imports.Specs = append(imports.Specs, &ast.ImportSpec{Name: ast.NewIdent(name), Path: &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(path)}})
		}
	}
	whole := w.whole && statements
	if whole {
		units, vars = maps.Clone(units), maps.Clone(vars)
		for name := range w.defines {
			delete(vars, name)
			delete(units, name)
		}
	}
	var used map[string]bool
	if w.config.Page {
		used = w.mentions(units)
	}
	for _, name := range slices.Sorted(maps.Keys(w.cand.imports)) {
		if w.config.Page && !used[name] {
			continue
		}
		if vars[name] == nil && units[name] == nil && !(whole && w.defines[name]) {
			addImport(name, w.cand.imports[name])
		}
	}
	for _, path := range w.cand.dots {
		addImport(".", path)
	}
	file.Decls = append(file.Decls, imports)
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		v := vars[name]
		for alias, path := range v.imports {
			addImport(alias, path)
		}
		if v.expr == nil {
			file.Decls = append(file.Decls, v.inferred.decls(w.fset, name)...)
			continue
		}
		typ, hidden := w.predeclaredIn(v)
		if hidden {
			addImport(predeclared.Name(), predeclared.Path())
		}
		file.Decls = append(file.Decls, &ast.GenDecl{Tok: token.VAR, Specs: []ast.Spec{&ast.ValueSpec{Names: []*ast.Ident{ast.NewIdent(name)}, Type: typ}}})
	}
	c.units = sortedUnits(units)
	for _, u := range w.own { // functions and types named _
		if slices.Contains(u.names, "_") {
			c.units = append(c.units, u)
		}
	}
	c.units = append(c.units, w.inits...)
	c.units = append(c.units, w.mains...)
	for _, u := range c.units {
		file.Decls = append(file.Decls, w.checkDecl(u, bodies))
	}
	var entry *ast.FuncDecl
	switch {
	case whole:
		for _, s := range w.entryBody().List {
			if d, ok := s.(*ast.DeclStmt); ok {
				file.Decls = append(file.Decls, d.Decl)
			}
		}
	case statements:
		show := &ast.FuncDecl{Name: ast.NewIdent(showName), Type: &ast.FuncType{Params: &ast.FieldList{List: []*ast.Field{{Type: &ast.Ellipsis{Elt: &ast.InterfaceType{Methods: &ast.FieldList{}}}}}}}}
		entry = &ast.FuncDecl{Name: ast.NewIdent(entryName(w.id)), Type: &ast.FuncType{Func: w.cell.Body.Pos(), Params: &ast.FieldList{}}, Body: w.entryBody()}
		file.Decls = append(file.Decls, show, entry)
	}
	config := types.Config{
		GoVersion:                w.config.GoVersion,
		Importer:                 withPredeclared{w.config.Importer},
		Sizes:                    types.SizesFor("gc", runtime.GOARCH),
		DisableUnusedImportCheck: true,
		Error: func(err error) {
			e, ok := err.(types.Error)
			if !ok {
				return
			}
			if e.Soft && strings.Contains(e.Msg, "declared and not used") && !strings.HasPrefix(e.Msg, "label ") {
				c.unused = append(c.unused, &ast.Ident{NamePos: e.Pos}) // found below
				return
			}
			c.errs = append(c.errs, e)
		},
	}
	c.pkg, _ = config.Check("main", w.fset, []*ast.File{file}, c.info)
	switch {
	case whole:
		c.scope = c.pkg.Scope()
	case statements:
		c.scope = c.info.Scopes[entry.Type]
	}
	for id := range c.info.Defs {
		for i, u := range c.unused {
			if u != nil && u.NamePos == id.NamePos {
				c.unused[i] = id
			}
		}
	}
	return c
}

// mentions lists what declarations and the cell's statements mention.
func (w *planning) mentions(units map[string]*unit) map[string]bool {
	names := mentioned(w.statements()...)
	for _, u := range slices.Concat(slices.Collect(maps.Values(units)), w.own, w.inits, w.mains) {
		maps.Copy(names, u.mention)
	}
	return names
}

// checkDecl is a unit's tree as the checker is to see it: less a function's
// body, and less the constants and variables that other declarations have
// replaced.
func (w *planning) checkDecl(u *unit, bodies bool) ast.Decl {
	switch d := u.decl.Node.(type) {
	case *ast.FuncDecl:
		if !bodies || w.sketch && u.cell != w.cell {
			f := *d
			// A generic function must have one; this one ends without a result.
			f.Body = &ast.BlockStmt{List: []ast.Stmt{&ast.ForStmt{Body: &ast.BlockStmt{}}}}
			if d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "main") {
				f.Name = ast.NewIdent("_")
			}
			return &f
		}
	case *ast.GenDecl:
		if u.kind != constUnit && u.kind != varUnit {
			return d
		}
		g := *d
		g.Specs = nil
		for _, s := range d.Specs {
			s := *s.(*ast.ValueSpec)
			s.Names = slices.Clone(s.Names)
			for i, id := range s.Names {
				if w.cand.units[id.Name] != u {
					s.Names[i] = &ast.Ident{NamePos: id.NamePos, Name: "_"}
				}
			}
			if u.omits {
				s.Names = append(s.Names, &ast.Ident{NamePos: s.Pos(), Name: "_"})
			}
			g.Specs = append(g.Specs, &s)
		}
		return &g
	}
	return u.decl.Node
}

// entryBody is the cell's statements as the checker is to see them: with a blank
// for each omitted error, and the trailing expression as an argument.
func (w *planning) entryBody() *ast.BlockStmt {
	body := *w.cell.Body
	body.List = nil
	for _, s := range w.cell.Body.List {
		switch t := s.(type) {
		case *ast.AssignStmt:
			if w.omitted[t] {
				a := *t
				a.Lhs = append(slices.Clone(t.Lhs), &ast.Ident{NamePos: t.TokPos, Name: "_"})
				s = &a
			}
		case *ast.DeclStmt:
			if g, ok := t.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				d := *g
				d.Specs = slices.Clone(g.Specs)
				for i, spec := range d.Specs {
					if w.omitted[spec] {
						v := *spec.(*ast.ValueSpec)
						v.Names = append(slices.Clone(v.Names), &ast.Ident{NamePos: v.Pos(), Name: "_"})
						d.Specs[i] = &v
					}
				}
				s = &ast.DeclStmt{Decl: &d}
			}
		}
		body.List = append(body.List, s)
	}
	if len(w.cell.Trailing) == 0 {
		return &body
	}
	first, last := w.cell.Trailing[0], w.cell.Trailing[len(w.cell.Trailing)-1]
	if w.novalue {
		body.List = append(body.List, &ast.ExprStmt{X: first})
	} else {
		body.List = append(body.List, &ast.ExprStmt{X: &ast.CallExpr{
			Fun: &ast.Ident{NamePos: first.Pos(), Name: showName}, Lparen: first.Pos(), Args: w.cell.Trailing, Rparen: last.End(),
		}})
	}
	// Everything at the top level is in scope at the end.
	body.Rbrace = max(body.Rbrace, last.End())
	return &body
}

// endsWithError tells whether a call's results end with an error, and how many
// are before it.
func endsWithError(t types.Type) (before int, ok bool) {
	isError := func(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
	switch t := t.(type) {
	case nil:
		return 0, false
	case *types.Tuple:
		n := t.Len()
		return n - 1, n > 0 && isError(t.At(n-1).Type())
	default:
		return 0, isError(t)
	}
}

// omitErrors finds top-level assignments of a call's results that lack a variable
// for the error at their end. It tells whether there are new ones.
func (w *planning) omitErrors() bool {
	found := false
	look := func(n ast.Node, names int, values []ast.Expr) {
		if w.omitted[n] || len(values) != 1 {
			return
		}
		call, ok := ast.Unparen(values[0]).(*ast.CallExpr)
		if !ok {
			return
		}
		if before, ok := endsWithError(w.check.info.Types[call].Type); ok && before == names {
			w.omitted[n], found = true, true
		}
	}
	for _, s := range w.cell.Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE || s.Tok == token.ASSIGN {
				look(s, len(s.Lhs), s.Rhs)
			}
		case *ast.DeclStmt:
			if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					if v := spec.(*ast.ValueSpec); v.Type == nil {
						look(v, len(v.Names), v.Values)
					}
				}
			}
		}
	}
	return found
}

// dropShow finds out that the trailing expression is a call without a value.
func (w *planning) dropShow() bool {
	if w.novalue || len(w.cell.Trailing) != 1 {
		return false
	}
	call, ok := ast.Unparen(w.cell.Trailing[0]).(*ast.CallExpr)
	if !ok {
		return false
	}
	if t, ok := w.check.info.Types[call]; ok && t.IsVoid() {
		w.novalue = true
		return true
	}
	return false
}

// addMissingImports imports packages that selectors want and no cell has
// imported, as goimports does. It tells whether it found any.
func (w *planning) addMissingImports(c checked) bool {
	if w.config.Find == nil {
		return false
	}
	wanted := map[string]map[string]bool{} // package name -> what is selected from it
	undefined := map[token.Pos]bool{}
	for _, e := range c.errs {
		if strings.HasPrefix(e.Msg, "undefined: ") {
			undefined[e.Pos] = true
		}
	}
	if len(undefined) == 0 {
		return false
	}
	nodes := w.statements()
	for _, u := range c.units {
		nodes = append(nodes, u.decl.Node)
	}
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if id, ok := s.X.(*ast.Ident); ok && undefined[id.Pos()] {
					if wanted[id.Name] == nil {
						wanted[id.Name] = map[string]bool{}
					}
					if !strings.Contains(s.Sel.Name, Cursor) {
						wanted[id.Name][s.Sel.Name] = true
					}
				}
			}
			return true
		})
	}
	found := false
	for name, selected := range wanted {
		if w.cand.imports[name] != "" {
			continue
		}
		for _, path := range w.config.Find(name) {
			pkg, err := w.config.Importer.Import(path)
			if err != nil {
				continue
			}
			fits := pkg.Name() == name
			for s := range selected {
				obj := pkg.Scope().Lookup(s)
				fits = fits && obj != nil && obj.Exported()
			}
			if fits {
				w.setImport(name, path)
				found = true
				break
			}
		}
	}
	return found
}

// object is what an identifier refers to or declares.
func (w *planning) object(id *ast.Ident) types.Object {
	for _, c := range []checked{w.bodies, w.check} {
		if c.info == nil {
			continue
		}
		if obj := c.info.Uses[id]; obj != nil {
			return obj
		}
	}
	return nil
}

// definition is what an identifier declares.
func (w *planning) definition(id *ast.Ident) types.Object {
	for _, c := range []checked{w.bodies, w.check} {
		if c.info != nil {
			if obj := c.info.Defs[id]; obj != nil {
				return obj
			}
		}
	}
	return nil
}

// typeAndValue is what the check has found out about an expression.
func (w *planning) typeAndValue(x ast.Expr) types.TypeAndValue {
	for _, c := range []checked{w.bodies, w.check} {
		if c.info != nil {
			if t, ok := c.info.Types[x]; ok {
				return t
			}
		}
	}
	return types.TypeAndValue{}
}

func (w *planning) typeOf(x ast.Expr) types.Type { return w.typeAndValue(x).Type }

func (w *planning) ours(pkg *types.Package) bool { return pkg == w.check.pkg || pkg == w.bodies.pkg }

// sessionObject tells whether an object is a declaration of the notebook's
// package.
func (w *planning) sessionObject(obj types.Object) bool {
	return obj.Pkg() != nil && w.ours(obj.Pkg()) && obj.Parent() == obj.Pkg().Scope()
}

// compileError turns what the checker found into diagnostics.
func (w *planning) compileError(c checked) error {
	e := &CompileError{}
	seen := map[string]bool{}
	for _, err := range c.errs {
		if strings.HasPrefix(err.Msg, "\t") {
			continue // "other declaration of": a part of the one before
		}
		home, label := w.home(err.Pos)
		if home == nil {
			home, label = w.cell, w.label
		}
		msg := Unversioned(w.explain(c, err))
		d := diagnostic(home, label, home.Offset(err.Pos), msg)
		if key := d.String(); !seen[key] {
			seen[key] = true
			e.Diagnostics = append(e.Diagnostics, d)
		}
	}
	if len(e.Diagnostics) == 0 {
		return nil
	}
	slices.SortStableFunc(e.Diagnostics, func(a, b Diagnostic) int {
		if a.Cell != b.Cell {
			return b.Cell - a.Cell // this cell first
		}
		return a.Line - b.Line
	})
	return e
}
