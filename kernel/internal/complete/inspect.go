package complete

import (
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// An Inspection is what is known of something in a cell.
type Inspection struct {
	// Declaration is Go: how it is declared.
	Declaration string
	// Members are the declarations of what a type's values can do, or a package has.
	Members []string
	// Doc is its comment, in the form that Go's comments have.
	Doc string
	// Package is the import path of the package that declares it, "" for the notebook
	// and for what is predeclared.
	Package string
	// Variable is the name of a variable of the notebook, whose value may be shown.
	Variable string
	// Where says in which cell it was declared, or in which file and line.
	Where string
	// Source is the text of its declaration, where that says more.
	Source string
}

// Inspect tells about what stands at an offset of a cell, or what the call is of
// whose arguments are there. With detail there is more of it.
func (c *Completer) Inspect(ctx context.Context, view *program.View, code string, at int, detail bool) (Inspection, bool) {
	defer c.begin(ctx)()
	switch lit := literalAt(code, at); {
	case lit.imports:
		rest, _, _ := strings.Cut(code[lit.start:], `"`)
		return c.inspectPackage(rest, detail)
	case lit.comment:
		return Inspection{}, false
	}
	s := c.sketch(view, code, at)
	id := identAt(s, at)
	if id == nil && strings.HasSuffix(code[:at], ".") {
		id = identAt(s, at-1)
	}
	if id == nil {
		return Inspection{}, false
	}
	return c.inspect(s, id, detail)
}

// identAt is the identifier at an offset of the cell's text. Where there is none it
// is the function that is called there.
func identAt(s *program.Sketch, at int) *ast.Ident {
	holds := func(n ast.Node) bool { return s.Cell.Offset(n.Pos()) <= at && at <= s.Cell.Offset(n.End()) }
	if path := pathTo(s, func(id *ast.Ident) bool { return holds(id) && id.Name != "_" }); path != nil {
		return path[len(path)-1].(*ast.Ident)
	}
	var called *ast.Ident
	look := func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && s.Cell.Offset(call.Lparen) < at && at <= s.Cell.Offset(call.End()) {
			switch f := ast.Unparen(call.Fun).(type) {
			case *ast.Ident:
				called = f
			case *ast.SelectorExpr:
				called = f.Sel
			}
		}
		return true
	}
	ast.Inspect(s.Cell.Body, look)
	for _, d := range s.Cell.Decls {
		ast.Inspect(d.Node, look)
	}
	return called
}

func (c *Completer) inspect(s *program.Sketch, id *ast.Ident, detail bool) (Inspection, bool) {
	obj := s.Object(id)
	if obj == nil {
		if paths := c.find(id.Name); len(paths) > 0 && !selected(s, id) {
			return c.inspectPackage(paths[0], detail)
		}
		return Inspection{}, false
	}
	if pkg, ok := obj.(*types.PkgName); ok {
		return c.inspectPackage(pkg.Imported().Path(), detail)
	}
	if f, ok := obj.(*types.Func); ok {
		obj = f.Origin()
	}
	if v, ok := obj.(*types.Var); ok {
		obj = v.Origin()
	}
	i := Inspection{Declaration: declaration(obj, s), Doc: c.comment(s, obj)}
	var source string
	switch {
	case s.Ours(obj.Pkg()):
		if text, ok := s.Text(obj); ok {
			source = text.Source
			if text.Cell > 0 {
				i.Where = fmt.Sprintf("Cell [%d]", text.Cell)
			}
		}
		i.Variable = variable(obj, s)
	default:
		if obj.Pkg() != nil {
			i.Package = obj.Pkg().Path()
		}
		if file, at, ok := c.position(obj); ok {
			if d, ok := c.sources.at(file, at); ok {
				source = textOf(file, d)
				i.Where = where(file, at.line, obj.Pkg())
			}
		}
	}
	switch obj := obj.(type) {
	case *types.Builtin:
		i.Declaration = source // there are no types for it
	case *types.TypeName:
		i.inspectType(obj, s, source)
	case *types.Var:
		if named := namedOf(obj.Type()); i.Doc == "" && named != nil && !s.Ours(named.Obj().Pkg()) {
			i.Doc = synopsis(c.comment(s, named.Obj()))
		}
	}
	if detail {
		i.Source = source
	}
	return i, true
}

// variable is the name of the notebook's variable that an object is, or will be when
// the cell runs again that has made it.
func variable(obj types.Object, s *program.Sketch) string {
	v, ok := obj.(*types.Var)
	if !ok {
		return ""
	}
	scope := s.Package.Scope()
	if made, ok := scope.Lookup(v.Name()).(*types.Var); v.Parent() == scope || v.Parent() == s.Statements && ok && types.Identical(made.Type(), v.Type()) {
		return v.Name()
	}
	return ""
}

// selected tells whether an identifier stands behind a dot.
func selected(s *program.Sketch, id *ast.Ident) bool {
	path := pathTo(s, func(other *ast.Ident) bool { return other == id })
	if len(path) < 2 {
		return false
	}
	sel, ok := path[len(path)-2].(*ast.SelectorExpr)
	return ok && sel.Sel == id
}

// maxMembers is how many methods of a type are listed.
const maxMembers = 40

// inspectType adds a type's declaration, less what is not exported, and its methods.
func (i *Inspection) inspectType(obj *types.TypeName, s *program.Sketch, source string) {
	if source != "" && obj.Pkg() != nil && strings.Count(source, "\n") < 60 {
		i.Declaration = exportedFields("type "+strings.TrimPrefix(strings.TrimSpace(source), "type "), s.Ours(obj.Pkg()))
	}
	if types.IsInterface(obj.Type()) {
		return // they are in the declaration
	}
	for _, m := range methods(obj.Type(), true) {
		if m.Exported() || s.Ours(m.Pkg()) {
			i.Members = append(i.Members, declaration(m, s))
		}
	}
	if n := len(i.Members); n > maxMembers {
		i.Members = append(i.Members[:maxMembers], fmt.Sprintf("// and %d more", n-maxMembers))
	}
}

// exportedFields leaves out the lines of a struct's declaration that another package
// cannot use.
func exportedFields(source string, all bool) string {
	if all || !strings.Contains(source, "struct {") {
		return source
	}
	var kept []string
	hidden := false
	depth := 0
	for line := range strings.Lines(source) {
		text := strings.TrimSpace(line)
		name := strings.TrimLeft(text, "*[]")
		switch {
		case depth == 1 && text == "" && (len(kept) == 1 || hidden): // what it parted is gone
		case depth == 1 && name != "" && unexported(name):
			hidden = true
			for len(kept) > 1 && strings.HasPrefix(strings.TrimSpace(kept[len(kept)-1]), "//") {
				kept = kept[:len(kept)-1]
			}
		case depth == 1 && text == "}" && hidden && len(kept) == 1:
			kept = append(kept, "\t// it exports no fields\n", line)
		case depth == 1 && text == "}" && hidden:
			kept = append(kept, "\t// and some that are not exported\n", line)
		default:
			kept = append(kept, line)
		}
		depth += strings.Count(text, "{") - strings.Count(text, "}")
	}
	return strings.Join(kept, "")
}

// unexported tells of the line of a field whether its name is not exported.
func unexported(line string) bool {
	name := strings.Fields(line)[0]
	if i := strings.LastIndexByte(name, '.'); i >= 0 { // it is embedded
		name = name[i+1:]
	}
	return token.IsIdentifier(strings.TrimSuffix(name, ",")) && !token.IsExported(name)
}

// namedOf is the type's name's type, also that of what a pointer points to.
func namedOf(t types.Type) *types.Named {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, _ := types.Unalias(t).(*types.Named)
	return n
}

// declaration is an object as it is declared, on a line.
func declaration(obj types.Object, s *program.Sketch) string {
	q := qualifier(s)
	switch o := obj.(type) {
	case *types.Func:
		if recv := o.Signature().Recv(); recv != nil {
			text := types.TypeString(recv.Type(), q) + ") " + o.Name() + signature(o.Signature(), q)
			if name := recv.Name(); name != "" && name != "_" {
				text = name + " " + text
			}
			return program.Unversioned("func (" + text)
		}
		name := o.Name()
		if prefix := q(o.Pkg()); prefix != "" {
			name = prefix + "." + name
		}
		return program.Unversioned("func " + name + signature(o.Signature(), q))
	case *types.Const:
		return program.Unversioned("const " + o.Name() + " " + constant(o, q))
	case *types.TypeName:
		if o.Pkg() == nil {
			return "type " + o.Name()
		}
	}
	return program.Unversioned(types.ObjectString(obj, q))
}

// signature is a function's parameters and results as a person writes them: those of
// one type share it.
func signature(sig *types.Signature, q types.Qualifier) string {
	if sig.TypeParams() != nil {
		return strings.TrimPrefix(types.TypeString(sig, q), "func")
	}
	text := "(" + parameters(sig.Params(), sig.Variadic(), q) + ")"
	switch n := sig.Results().Len(); {
	case n == 0:
	case n == 1 && sig.Results().At(0).Name() == "":
		text += " " + types.TypeString(sig.Results().At(0).Type(), q)
	default:
		text += " (" + parameters(sig.Results(), false, q) + ")"
	}
	return text
}

func parameters(t *types.Tuple, variadic bool, q types.Qualifier) string {
	var b strings.Builder
	for i := range t.Len() {
		v := t.At(i)
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.Name())
		last := i == t.Len()-1
		if next := i + 1; v.Name() != "" && !last && !(variadic && next == t.Len()-1) && types.Identical(v.Type(), t.At(next).Type()) {
			continue
		}
		if v.Name() != "" {
			b.WriteByte(' ')
		}
		if s, ok := v.Type().(*types.Slice); ok && variadic && last {
			b.WriteString("..." + types.TypeString(s.Elem(), q))
		} else {
			b.WriteString(types.TypeString(v.Type(), q))
		}
	}
	return b.String()
}

// constant is the type of a constant, if it has one, and its value.
func constant(c *types.Const, q types.Qualifier) string {
	value := "= " + c.Val().String()
	if b, ok := c.Type().(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		return value
	}
	return types.TypeString(c.Type(), q) + " " + value
}

// inspectPackage tells about a package: what its comment says before the first
// heading. With detail that is all there, and all that the package has is listed.
func (c *Completer) inspectPackage(importPath string, detail bool) (Inspection, bool) {
	pkg, err := c.packages.Import(importPath)
	if err != nil {
		return Inspection{}, false
	}
	i := Inspection{Declaration: "package " + pkg.Name() + " // import " + strconv.Quote(pkg.Path()), Package: pkg.Path()}
	scope := pkg.Scope()
	short := func(other *types.Package) string {
		if other == pkg {
			return ""
		}
		return other.Name()
	}
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if i.Doc == "" {
			if file, _, ok := c.position(obj); ok {
				i.Doc = packageDoc(filepath.Dir(file))
			}
		}
		if detail && obj.Exported() {
			text := types.ObjectString(obj, short)
			if t, ok := obj.(*types.TypeName); ok && !t.IsAlias() {
				text, _, _ = strings.Cut(text, " struct{")
				text, _, _ = strings.Cut(text, " interface{")
			}
			i.Members = append(i.Members, text)
		}
	}
	if !detail {
		i.Doc, _, _ = strings.Cut(i.Doc, "\n# ")
	}
	slices.Sort(i.Members)
	return i, true
}

// textOf is the text of a declaration.
func textOf(file string, d declared) string {
	data, err := os.ReadFile(file)
	if err != nil || d.end > len(data) || d.start > d.end {
		return ""
	}
	return string(data[d.start:d.end])
}

// where names a file of a package without the folders of this machine.
func where(file string, line int, pkg *types.Package) string {
	if pkg == nil || line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", path.Join(pkg.Path(), filepath.Base(file)), line)
}
