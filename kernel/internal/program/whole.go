package program

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"
)

// A notebook whose cells have all been planned can be one ordinary program: each
// plan's package becomes a file of package main. In a live session a symbol keeps
// the first definition that was loaded, so of a declaration that several packages
// repeat the first file keeps it. What has no symbol (constants, aliases, generic
// declarations) can mean something else in a later package under the same name.
// That gets a name of its own then, in all files from there on. A variable stays
// where it is when its type gets other methods; later files see it as of that type.

// A File is a file of a program.
type File struct {
	Name, Text string
}

// Whole returns the files of the program that the plans are, which were committed
// in this order. Plans that are reused or empty have no file of their own.
// Positions are those in the cells, as "/Cell [3]:12:5".
func (p *Program) Whole(plans []*Plan) ([]File, error) {
	w := &whole{Program: p, meanings: map[string][]string{}}
	var files []File
	for _, plan := range plans {
		if plan.Reused || plan.Empty {
			continue
		}
		text, err := w.file(plan.Source)
		if err != nil {
			return nil, fmt.Errorf("Cell [%d]: %w", p.labels[plan.ID], err)
		}
		files = append(files, File{fmt.Sprintf("cell%d.go", plan.ID), p.placed(text)})
	}
	return files, nil
}

// placed names cells in //line directives by the number that they are shown by.
func (p *Program) placed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "//line /cell/"); ok {
			id, at, _ := strings.Cut(rest, ".go:")
			if n, err := strconv.Atoi(id); err == nil {
				line = fmt.Sprintf("//line /Cell [%d]:%s", p.labels[n], at)
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// whole is the program in the making.
type whole struct {
	*Program
	// meanings are, by name, the texts that have declared it so far. Those but the
	// first are found under another name.
	meanings map[string][]string
}

// file takes out of a package's text what earlier files declare, and the imports
// that are not needed then, and renames what means something else here.
func (w *whole) file(text string) (string, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{}}
	config := types.Config{Importer: w.config.Importer, GoVersion: w.config.GoVersion}
	pkg, err := config.Check("main", fset, []*ast.File{f}, info)
	if err != nil {
		return "", err
	}
	at := func(pos token.Pos) int { return fset.PositionFor(pos, false).Offset }
	var edits []edit
	remove := func(n ast.Node) {
		edits = append(edits, edit{at(n.Pos()), at(n.End()), strings.Repeat("\n", strings.Count(text[at(n.Pos()):at(n.End())], "\n"))})
	}
	renames := map[string]string{} // and what stands for a variable whose type has changed
	var kept []ast.Node
	var variables []*ast.GenDecl
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		switch {
		case ok && g.Tok == token.IMPORT:
		case ok && g.Tok == token.VAR && len(names(d)) == 1:
			variables = append(variables, g)
		case w.isNew(names(d), text[at(d.Pos()):at(d.End())], renames):
			kept = append(kept, d)
		default:
			remove(d)
		}
	}
	casts := false
	for _, g := range variables { // whose types may have got other names
		v := g.Specs[0].(*ast.ValueSpec)
		name, typ := v.Names[0].Name, ""
		if v.Type != nil {
			typ = apply(text, at(v.Type.Pos()), at(v.Type.End()), renamings(info, pkg, at, v.Type, renames))
		}
		isNew := w.isNew([]string{name}, typ, renames)
		if renames[name] != "" {
			renames[name] = fmt.Sprintf("(*(*%s)(unsafe%s.Pointer(&%s)))", typ, prime, name)
			casts = true
		} else if isNew {
			kept = append(kept, g)
			continue
		}
		remove(g)
	}

	imports := map[string]bool{} // paths of those that are used
	for _, d := range kept {
		ast.Inspect(d, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				switch obj := info.Uses[id].(type) {
				case nil:
				case *types.PkgName:
					imports[obj.Imported().Path()] = true
				default:
					if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
						imports[obj.Pkg().Path()] = true // of a dot import, if it is one
					}
				}
			}
			return true
		})
		edits = append(edits, renamings(info, pkg, at, d, renames)...)
	}
	if casts {
		end := at(f.Name.End())
		edits = append(edits, edit{end, end, fmt.Sprintf("; import unsafe%s %q", prime, "unsafe")})
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		s := g.Specs[0].(*ast.ImportSpec)
		path, _ := strconv.Unquote(s.Path.Value)
		if s.Name.Name != "_" && !imports[path] {
			remove(g)
		}
	}
	return apply(text, 0, len(text), edits), nil
}

// renamings are the edits to a tree that give what renames says to names of the
// package, and to fields that are named by a type.
func renamings(info *types.Info, pkg *types.Package, at func(token.Pos) int, root ast.Node, renames map[string]string) []edit {
	var edits []edit
	ast.Inspect(root, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || renames[id.Name] == "" {
			return true
		}
		obj := info.Uses[id]
		if obj == nil {
			obj = info.Defs[id]
		}
		if obj == nil || obj.Pkg() != pkg {
			return true
		}
		if obj.Parent() == pkg.Scope() || isEmbedded(obj, pkg) {
			edits = append(edits, edit{at(id.Pos()), at(id.End()), renames[id.Name]})
		}
		return true
	})
	return edits
}

// isEmbedded tells of an object whether it is a field that a type of the package
// gives its name to.
func isEmbedded(obj types.Object, pkg *types.Package) bool {
	field, ok := obj.(*types.Var)
	if !ok || !field.Embedded() {
		return false
	}
	t := field.Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(interface{ Obj() *types.TypeName })
	return ok && named.Obj().Pkg() == pkg
}

// isNew notes what a declaration means by its names, and tells whether no file has
// declared them so. Names that meant something else before are to be renamed.
func (w *whole) isNew(names []string, text string, renames map[string]string) bool {
	isNew := len(names) == 0
	for _, name := range names {
		known := w.meanings[name]
		i := 0
		for i < len(known) && known[i] != text {
			i++
		}
		if i == len(known) {
			w.meanings[name] = append(known, text)
			isNew = true
		}
		if i > 0 {
			renames[name] = fmt.Sprintf("%s%s%s%d", name, prime, prime, i+1)
		}
	}
	return isNew
}

// names are what a declaration declares in its package: none for those of the
// blank name, which nothing refers to, and "T.m" for a method.
func names(d ast.Decl) []string {
	var list []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = baseIdent(d.Recv.List[0].Type).Name + "." + name
		}
		list = append(list, name)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				list = append(list, s.Name.Name)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if id.Name != "_" {
						list = append(list, id.Name)
					}
				}
			}
		}
	}
	sort.Strings(list)
	return list
}

// A Parameter is a variable of the program that its caller may set.
type Parameter struct {
	Name  string
	Place string // what stands for it in the program's text
	Value string // the text of its initial value
	Usage string // what the comment behind it says
}

// Parameters are the variables that a plan's cell makes of a constant or a literal:
// numbers, texts, booleans and durations. The plan has been committed.
func (p *Program) Parameters(plan *Plan) []Parameter {
	var list []Parameter
	add := func(id *ast.Ident, value ast.Expr) {
		v := p.vars[id.Name]
		if v == nil || v.unusable != "" || !settable[v.typ] {
			return
		}
		c := plan.cell
		end := c.Offset(value.End())
		rest, _, _ := strings.Cut(c.Source[end:], "\n")
		_, usage, _ := strings.Cut(rest, "//")
		list = append(list, Parameter{id.Name, place(v), c.Source[c.Offset(value.Pos()):end], strings.TrimSpace(usage)})
	}
	for _, s := range plan.cell.Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE && len(s.Lhs) == len(s.Rhs) {
				for i, x := range s.Lhs {
					add(x.(*ast.Ident), s.Rhs[i])
				}
			}
		case *ast.DeclStmt:
			if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					if v := spec.(*ast.ValueSpec); len(v.Names) == len(v.Values) {
						for i, id := range v.Names {
							add(id, v.Values[i])
						}
					}
				}
			}
		}
	}
	return list
}

// settable are the types of parameters.
var settable = map[string]bool{
	"bool": true, "string": true, "int": true, "int64": true, "uint": true, "uint64": true, "uint32": true, "int32": true,
	"float64": true, "float32": true, "time.Duration": true,
}
