package complete

import (
	"cmp"
	"context"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// Complete tells what can be typed at an offset of a cell, which is no command.
func (c *Completer) Complete(ctx context.Context, view *program.View, code string, at int) Completion {
	defer c.begin(ctx)()
	none := Completion{Start: at, End: at}
	lit := literalAt(code, at)
	switch {
	case lit.comment:
		return none
	case lit.imports:
		return Completion{lit.start, at, c.importPaths(code[lit.start:at])}
	case lit.text:
		return Completion{lit.start, at, c.files(code[lit.start:at])}
	}
	k := &completing{Completer: c, start: at}
	for k.start > 0 && isIdent(code[:k.start]) {
		_, size := lastRune(code[:k.start])
		k.start -= size
	}
	k.prefix = code[k.start:at]
	if k.prefix != "" && !token.IsIdentifier(k.prefix) && !token.IsKeyword(k.prefix) { // a number
		return none
	}
	k.Sketch = c.sketch(view, code[:at]+program.Cursor+code[at:], at)
	k.path = pathTo(k.Sketch, func(id *ast.Ident) bool { return strings.Contains(id.Name, program.Cursor) })
	if k.path == nil {
		return none
	}
	k.wanted = k.wantedType()
	k.offer()
	return Completion{k.start, at, k.sorted()}
}

// completing is one completion.
type completing struct {
	*Completer
	*program.Sketch
	path   []ast.Node // to the identifier that is being typed, which is the last
	prefix string
	start  int
	wanted types.Type // of the expression, nil if any will do
	found  []candidate
	names  map[string]bool
}

// candidate is an Item with what decides on its place in the list.
type candidate struct {
	Item
	group  group
	fits   bool // it has the wanted type
	object types.Object
}

// group is what is listed together, the nearest first.
type group int

const (
	near    group = iota // members, what the cell defines
	ours                 // the notebook's
	others               // imported packages
	given                // predeclared
	words                // keywords
	afar                 // packages of the standard library that are not imported
	farther              // and others
)

// up is the n-th node above the identifier.
func (k *completing) up(n int) ast.Node {
	if i := len(k.path) - 1 - n; i >= 0 {
		return k.path[i]
	}
	return nil
}

// offer collects what fits to where the identifier stands.
func (k *completing) offer() {
	k.names = map[string]bool{}
	id := k.up(0).(*ast.Ident)
	switch parent := k.up(1).(type) {
	case *ast.SelectorExpr:
		if parent.Sel == id {
			k.members(parent.X)
			return
		}
	case *ast.FuncDecl, *ast.TypeSpec, *ast.LabeledStmt, *ast.BranchStmt, *ast.ImportSpec:
		if t, ok := parent.(*ast.TypeSpec); !ok || t.Name == id {
			return // a name is being given
		}
	case *ast.ValueSpec:
		if slices.Contains(parent.Names, id) {
			return
		}
	case *ast.Field:
		if slices.Contains(parent.Names, id) {
			return
		}
	case *ast.KeyValueExpr:
		if lit, ok := k.up(2).(*ast.CompositeLit); ok && parent.Key == id && k.fields(lit) {
			return
		}
	case *ast.CompositeLit:
		if parent.Type != id && k.fields(parent) && len(parent.Elts) > 1 && isKeyed(parent.Elts[0]) {
			return
		}
	}
	k.scope(id)
	k.keywords()
	k.unimported()
}

func isKeyed(x ast.Expr) bool {
	_, ok := x.(*ast.KeyValueExpr)
	return ok
}

// add offers an object under its name.
func (k *completing) add(obj types.Object, g group) {
	name := obj.Name()
	if k.names[name] || name == "_" || !k.matches(name) {
		return
	}
	k.names[name] = true
	k.found = append(k.found, candidate{
		Item:  Item{Text: name, Type: kindOf(obj), Signature: k.signature(obj)},
		group: g, fits: k.fits(obj), object: obj,
	})
}

// matches tells whether a name begins with what is typed, whatever the case. A name
// with a prime is none that a person has given.
func (k *completing) matches(name string) bool {
	return len(name) >= len(k.prefix) && strings.EqualFold(name[:len(k.prefix)], k.prefix) && !strings.Contains(name, program.Cursor)
}

// members offers what can be selected from an expression.
func (k *completing) members(x ast.Expr) {
	if id, ok := x.(*ast.Ident); ok {
		if pkg, ok := k.Object(id).(*types.PkgName); ok {
			scope := pkg.Imported().Scope()
			for _, name := range scope.Names() {
				if obj := scope.Lookup(name); obj.Exported() {
					k.add(obj, near)
				}
			}
			return
		}
	}
	t, ok := k.Type(x)
	if !ok {
		return
	}
	if !t.IsType() {
		k.promoted(t.Type)
	}
	for _, m := range methods(t.Type, t.Addressable() || !t.IsType()) {
		if m.Exported() || k.Ours(m.Pkg()) {
			k.add(m, near)
		}
	}
}

// methods are those that can be called on a value of a type.
func methods(t types.Type, addressable bool) []*types.Func {
	if _, ok := t.Underlying().(*types.Pointer); !ok && addressable && !types.IsInterface(t) {
		t = types.NewPointer(t)
	}
	var all []*types.Func
	for m := range types.NewMethodSet(t).Methods() {
		if name := m.Obj().Name(); name == program.Unversioned(name) { // not one of the kernel's
			all = append(all, m.Obj().(*types.Func))
		}
	}
	return all
}

// promoted offers the fields of a struct, then those of what it embeds.
func (k *completing) promoted(t types.Type) {
	seen := map[types.Type]bool{}
	for level := []types.Type{t}; len(level) > 0; {
		var next []types.Type
		for _, t := range level {
			if seen[t] {
				continue
			}
			seen[t] = true
			s, ok := structOf(t)
			if !ok {
				continue
			}
			for f := range s.Fields() {
				if f.Exported() || k.Ours(f.Pkg()) {
					k.add(f, near)
				}
				if f.Embedded() {
					next = append(next, f.Type())
				}
			}
		}
		level = next
	}
}

// structOf is the struct that a type is or points to.
func structOf(t types.Type) (*types.Struct, bool) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	return s, ok
}

// fields offers those of a composite literal's struct that it does not set, and
// tells whether it is one.
func (k *completing) fields(lit *ast.CompositeLit) bool {
	t, ok := k.Type(lit)
	if !ok {
		return false
	}
	s, ok := structOf(t.Type)
	if !ok {
		return false
	}
	set := map[string]bool{}
	for _, x := range lit.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				set[id.Name] = true
			}
		}
	}
	for f := range s.Fields() {
		if !set[f.Name()] && (f.Exported() || k.Ours(f.Pkg())) {
			k.add(f, near)
		}
	}
	return true
}

// scope offers what a name can mean at an identifier.
func (k *completing) scope(id *ast.Ident) {
	innermost := k.Scope(k.path)
	for s := innermost; s != nil; s = s.Parent() {
		for _, name := range s.Names() {
			// What is not in scope yet may hide something that is.
			at, obj := innermost.LookupParent(name, id.Pos())
			if obj == nil || at != s {
				continue
			}
			switch _, imported := obj.(*types.PkgName); {
			case obj.Parent() == types.Universe:
				k.add(obj, given)
			case imported, !k.Ours(obj.Pkg()):
				k.add(obj, others)
			case obj.Parent() == k.Package.Scope():
				k.add(obj, ours)
			default:
				k.add(obj, near)
			}
		}
	}
}

// Keywords that begin a statement, and those that may stand in one.
var (
	statementWords  = strings.Fields("break const continue defer fallthrough for go goto if import return select switch type var")
	expressionWords = strings.Fields("chan func interface map struct")
)

// keywords offers those that can stand where the identifier does.
func (k *completing) keywords() {
	if k.prefix == "" {
		return
	}
	list := expressionWords
	switch k.up(1).(type) {
	case *ast.ExprStmt:
		list = append(slices.Clone(list), statementWords...)
	case *ast.AssignStmt: // in the header of a loop
		list = append(slices.Clone(list), "range")
	}
	for _, word := range list {
		if strings.HasPrefix(word, k.prefix) {
			k.found = append(k.found, candidate{Item: Item{Text: word, Type: "keyword"}, group: words})
		}
	}
}

// unimported offers packages that the cell can use without importing them.
func (k *completing) unimported() {
	if k.prefix == "" {
		return
	}
	for _, p := range k.packages.Known() {
		if k.matches(p.Name) && !k.names[p.Name] && !p.Rare {
			k.names[p.Name] = true
			g := afar
			if strings.Contains(p.Path, ".") {
				g = farther
			}
			k.found = append(k.found, candidate{Item: Item{Text: p.Name, Type: "module", Signature: strconv.Quote(p.Path)}, group: g})
		}
	}
}

// importPaths offers what a path in an import can become.
func (c *Completer) importPaths(prefix string) []Item {
	var items []Item
	for _, p := range c.packages.Known() {
		if strings.HasPrefix(p.Path, prefix) {
			items = append(items, Item{Text: p.Path, Type: "module", Signature: "package " + p.Name})
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Text, b.Text) })
	return items
}

// sorted is what was found, the likeliest first, with documentation.
func (k *completing) sorted() []Item {
	slices.SortStableFunc(k.found, func(a, b candidate) int {
		return cmp.Or(
			first(a.fits, b.fits),
			cmp.Compare(a.group, b.group),
			first(strings.HasPrefix(a.Text, k.prefix), strings.HasPrefix(b.Text, k.prefix)),
			strings.Compare(a.Text, b.Text),
		)
	})
	items := make([]Item, len(k.found))
	for i, f := range k.found {
		items[i] = f.Item
		if f.object != nil && f.Type != "module" {
			items[i].Doc = synopsis(k.comment(k.Sketch, f.object))
		}
	}
	return items
}

// first puts what is true before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// comment is what is written above the declaration of an object.
func (c *Completer) comment(s *program.Sketch, obj types.Object) string {
	if s.Ours(obj.Pkg()) {
		text, ok := s.Text(obj)
		if !ok {
			return ""
		}
		doc := ""
		eachName(text.Node, func(id *ast.Ident, _ ast.Node, comments ...*ast.CommentGroup) {
			if id.Pos() == obj.Pos() {
				doc = firstOf(comments)
			}
		})
		return doc
	}
	file, at, ok := c.position(obj)
	if !ok {
		return ""
	}
	d, _ := c.sources.at(file, at)
	return d.doc
}

// kindOf is an Item's Type for an object.
func kindOf(obj types.Object) string {
	switch obj := obj.(type) {
	case *types.PkgName:
		return "module"
	case *types.TypeName:
		return "class"
	case *types.Const, *types.Nil:
		return "const"
	case *types.Func:
		if obj.Signature().Recv() != nil {
			return "method"
		}
		return "function"
	case *types.Builtin:
		return "function"
	case *types.Var:
		if obj.IsField() {
			return "field"
		}
	}
	return "instance"
}

// signature is an Item's for an object.
func (k *completing) signature(obj types.Object) string {
	switch obj := obj.(type) {
	case *types.PkgName:
		return strconv.Quote(obj.Imported().Path())
	case *types.Builtin, *types.Nil:
		return ""
	case *types.Const:
		return program.Unversioned(constant(obj, qualifier(k.Sketch)))
	case *types.Func:
		return bounded(program.Unversioned("func" + signature(obj.Signature(), qualifier(k.Sketch))))
	case *types.TypeName:
		switch obj.Type().Underlying().(type) {
		case *types.Struct:
			return "struct"
		case *types.Interface:
			return "interface"
		}
		return written(obj.Type().Underlying(), k.Sketch)
	}
	return written(obj.Type(), k.Sketch)
}

// maxSignature is how much of a type is shown in a list, in characters.
const maxSignature = 160

// written is a type as a cell would write it.
func written(t types.Type, s *program.Sketch) string {
	return bounded(program.Unversioned(types.TypeString(t, qualifier(s))))
}

func bounded(text string) string {
	if runes := []rune(text); len(runes) > maxSignature {
		return string(runes[:maxSignature]) + " …"
	}
	return text
}

// qualifier writes packages as a cell does.
func qualifier(s *program.Sketch) types.Qualifier {
	return func(pkg *types.Package) string {
		if s.Ours(pkg) {
			return ""
		}
		return pkg.Name()
	}
}

// literal is what of a text the cursor may be in that is no code.
type literal struct {
	comment bool
	text    bool // a string
	imports bool // a string that is the path of an import
	start   int  // of the string's contents
}

// literalAt tells whether an offset is in a comment or a string.
func literalAt(code string, at int) literal {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, scanner.ScanComments)
	importing, grouped := false, false
	for {
		pos, t, lit := s.Scan()
		offset := file.Offset(pos)
		if t == token.EOF || offset >= at {
			return literal{}
		}
		end := offset + len(lit)
		switch t {
		case token.COMMENT:
			if at < end || at == end && strings.HasPrefix(lit, "//") {
				return literal{comment: true}
			}
			continue
		case token.STRING, token.CHAR:
			closed := len(lit) > 1 && lit[len(lit)-1] == lit[0]
			if at < end || at == end && !closed {
				return literal{text: t == token.STRING, imports: importing && t == token.STRING, start: offset + 1}
			}
		case token.IMPORT:
			importing, grouped = true, false
			continue
		case token.LPAREN:
			grouped = importing
		case token.SEMICOLON:
			importing = importing && grouped
		case token.IDENT, token.PERIOD:
		default:
			importing = false
		}
		if t == token.RPAREN {
			importing = false
		}
	}
}

// pathTo is the way through the trees of a cell to an identifier.
func pathTo(s *program.Sketch, is func(*ast.Ident) bool) []ast.Node {
	var path []ast.Node
	roots := []ast.Node{s.Cell.Body}
	for _, d := range s.Cell.Decls {
		roots = append(roots, d.Node)
	}
	for _, root := range roots {
		ast.PreorderStack(root, nil, func(n ast.Node, stack []ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && path == nil && is(id) {
				path = append(slices.Clone(stack), n)
			}
			return path == nil
		})
	}
	return path
}
