package program

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
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
// Positions are those in the cells, as plans have them; [Program.Placed] has them in
// words.
func (p *Program) Whole(plans []*Plan) ([]File, error) {
	w := &whole{Program: p, meanings: map[string][]string{}}
	var files []File
	for _, plan := range plans {
		if plan.Reused || plan.Empty {
			continue
		}
		text, err := w.file(plan.Source)
		if err != nil {
			return nil, fmt.Errorf("the program of Cell [%d]: %w", p.labels[plan.ID], err)
		}
		files = append(files, File{fmt.Sprintf("cell%d.go", plan.ID), text})
	}
	return files, nil
}

// Placed names cells in //line directives by the number that they are shown by: a
// position is "/Cell [3]:12:5" then.
func (p *Program) Placed(text string) string {
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
	syntax, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	f := &wholeFile{text: text, fset: fset, info: &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}}
	config := types.Config{Importer: w.config.Importer, GoVersion: w.config.GoVersion}
	if f.pkg, err = config.Check("main", fset, []*ast.File{syntax}, f.info); err != nil {
		return "", err
	}
	var imports []*ast.GenDecl
	var decls, kept []ast.Decl
	for _, d := range syntax.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			imports = append(imports, g)
		} else {
			decls = append(decls, d)
		}
	}
	renames, meanings := w.renames(decls, f)
	for i, d := range decls {
		if own := names(d); w.declare(own, meanings[i]) && (len(own) == 0 || !isCast(renames[own[0]])) {
			kept = append(kept, d)
		} else {
			f.remove(d)
		}
	}
	for _, d := range kept {
		f.edits = append(f.edits, f.renamings(d, renames)...)
	}
	f.renameImports(imports, kept)
	if slices.ContainsFunc(slices.Collect(maps.Values(renames)), isCast) {
		f.replace(syntax.Name.End(), syntax.Name.End(), fmt.Sprintf("; import %s %q", unsafeName, "unsafe"))
		f.replace(syntax.FileEnd, syntax.FileEnd, fmt.Sprintf("\nvar _ %s.Pointer\n", unsafeName))
	}
	return apply(text, 0, len(text), f.edits), nil
}

const unsafeName = "unsafe" + prime

// A wholeFile is the text of a package, with what is to change in it.
type wholeFile struct {
	text  string
	fset  *token.FileSet
	info  *types.Info
	pkg   *types.Package
	edits []edit
}

// at is the offset of a place in the text, whatever //line directives say.
func (f *wholeFile) at(pos token.Pos) int { return f.fset.PositionFor(pos, false).Offset }

func (f *wholeFile) replace(from, to token.Pos, text string) {
	f.edits = append(f.edits, edit{f.at(from), f.at(to), text})
}

func (f *wholeFile) remove(n ast.Node) {
	f.replace(n.Pos(), n.End(), strings.Repeat("\n", strings.Count(f.text[f.at(n.Pos()):f.at(n.End())], "\n")))
}

// renameImports marks the names of imports, since no file may import by a name that
// another one declares, and removes those that are not used.
func (f *wholeFile) renameImports(imports []*ast.GenDecl, kept []ast.Decl) {
	used := map[string]bool{} // by name, and by path with a dot before
	for _, d := range kept {
		ast.Inspect(d, func(n ast.Node) bool {
			id, _ := n.(*ast.Ident)
			if id == nil {
				return true
			}
			switch obj := f.info.Uses[id].(type) {
			case nil:
			case *types.PkgName:
				used[obj.Name()] = true
				if !strings.HasSuffix(id.Name, prime) {
					f.replace(id.End(), id.End(), prime)
				}
			default:
				if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
					used["."+obj.Pkg().Path()] = true
				}
			}
			return true
		})
	}
	for _, g := range imports {
		s := g.Specs[0].(*ast.ImportSpec)
		path, _ := strconv.Unquote(s.Path.Value)
		switch name := s.Name.Name; {
		case name == "_", name == "." && used["."+path]:
		case !used[name]:
			f.remove(g)
		case !strings.HasSuffix(name, prime):
			f.replace(s.Name.End(), s.Name.End(), prime)
		}
	}
}

// renamings are the edits to a tree that give what renames says to names of the
// package, and to fields that are named by a type.
func (f *wholeFile) renamings(root ast.Node, renames map[string]string) []edit {
	var edits []edit
	ast.Inspect(root, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || renames[id.Name] == "" {
			return true
		}
		obj := f.info.Uses[id]
		if obj == nil {
			obj = f.info.Defs[id]
		}
		if obj == nil || obj.Pkg() != f.pkg {
			return true
		}
		if obj.Parent() == f.pkg.Scope() || isEmbedded(obj, f.pkg) {
			edits = append(edits, edit{f.at(id.Pos()), f.at(id.End()), renames[id.Name]})
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

// renames finds what stands for the names of declarations that meant something else
// before, and what each of the declarations means: its text with that put in, which
// is the type alone of a variable. So a declaration that refers to one that is renamed
// means something else too.
func (w *whole) renames(decls []ast.Decl, f *wholeFile) (map[string]string, []string) {
	text := func(n ast.Node, renames map[string]string) string {
		return apply(f.text, f.at(n.Pos()), f.at(n.End()), f.renamings(n, renames))
	}
	renames := map[string]string{}
	meanings := make([]string, len(decls))
	for changed, rounds := true, 0; changed && rounds <= len(decls); rounds++ {
		changed = false
		for i, d := range decls {
			own := names(d)
			others := maps.Clone(renames)
			for _, name := range own {
				delete(others, name)
			}
			g, _ := d.(*ast.GenDecl)
			isVar := g != nil && g.Tok == token.VAR && len(own) == 1
			switch {
			case !isVar:
				meanings[i] = text(d, others)
			case g.Specs[0].(*ast.ValueSpec).Type != nil:
				meanings[i] = text(g.Specs[0].(*ast.ValueSpec).Type, others)
			}
			for _, name := range own {
				known := w.meanings[name]
				n := slices.Index(known, meanings[i])
				if n < 0 {
					n = len(known)
				}
				place := ""
				switch {
				case n == 0:
				case isVar: // it stays where it is
					place = fmt.Sprintf("(*(*%s)(%s.Pointer(&%s)))", meanings[i], unsafeName, name)
				default:
					place = fmt.Sprintf("%s%s%s%d", name, prime, prime, n+1)
				}
				if renames[name] != place {
					renames[name], changed = place, true
				}
			}
		}
	}
	return renames, meanings
}

// isCast tells what stands for a variable from what stands for another name.
func isCast(place string) bool { return strings.HasPrefix(place, "(") }

// declare notes what names mean, and tells whether no file has declared them so.
func (w *whole) declare(names []string, meaning string) bool {
	isNew := len(names) == 0
	for _, name := range names {
		if known := w.meanings[name]; !slices.Contains(known, meaning) {
			w.meanings[name] = append(known, meaning)
			isNew = true
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
		if v == nil || v.unusable != "" || !settable[v.typ] && !v.isDuration() {
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
	"float64": true, "float32": true,
}

func (v *variable) isDuration() bool {
	name, typ, ok := strings.Cut(v.typ, ".")
	return ok && typ == "Duration" && v.imports[name] == "time"
}
