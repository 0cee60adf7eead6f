package complete

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
)

// sources are files of packages, by name: where in them something is declared, and
// the comment that stands there.
type sources map[string]map[place]declared

// keptSources is how many files are remembered.
const keptSources = 500

// maxSource is the size of the largest file that is read: larger ones are tables.
const maxSource = 1 << 20

// A place is where the name of something is declared. Export data has no columns.
type place struct {
	line int
	name string
}

// declared is a declaration in a file.
type declared struct {
	doc        string
	start, end int // of its text, without the comment
}

// at returns what a file declares at a place.
func (s sources) at(file string, p place) (declared, bool) {
	decls, ok := s[file]
	if !ok {
		if len(s) >= keptSources {
			clear(s)
		}
		decls = declarations(file)
		s[file] = decls
	}
	if p.line == 0 { // where it is the only one of its name
		for other, d := range decls {
			if other.name == p.name {
				return d, true
			}
		}
	}
	d, ok := decls[p]
	return d, ok
}

// declarations reads a file. It is empty if that is not possible.
func declarations(file string) map[place]declared {
	if info, err := os.Stat(file); err != nil || info.Size() > maxSource {
		return nil
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if f == nil || err != nil && len(f.Decls) == 0 {
		return nil
	}
	all := map[place]declared{}
	for _, d := range f.Decls {
		eachName(d, func(id *ast.Ident, node ast.Node, comments ...*ast.CommentGroup) {
			p := fset.PositionFor(id.Pos(), false)
			all[place{p.Line, id.Name}] = declared{firstOf(comments), fset.PositionFor(node.Pos(), false).Offset, fset.PositionFor(node.End(), false).Offset}
		})
	}
	return all
}

// eachName calls f for each name that a declaration declares, fields and methods of
// interfaces among them, with the smallest piece of text that declares it and the
// comments that may be its, the likelier first.
func eachName(d ast.Decl, f func(id *ast.Ident, node ast.Node, comments ...*ast.CommentGroup)) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		head := *d
		head.Doc = nil
		f(d.Name, &head, d.Doc)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			group := d.Doc
			switch s := s.(type) {
			case *ast.TypeSpec:
				f(s.Name, s, s.Doc, group, s.Comment)
				eachField(s.Type, f)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					f(id, s, s.Doc, s.Comment, group)
				}
				if s.Type != nil {
					eachField(s.Type, f)
				}
			}
		}
	}
}

func eachField(t ast.Expr, f func(id *ast.Ident, node ast.Node, comments ...*ast.CommentGroup)) {
	ast.Inspect(t, func(n ast.Node) bool {
		var list *ast.FieldList
		switch n := n.(type) {
		case *ast.StructType:
			list = n.Fields
		case *ast.InterfaceType:
			list = n.Methods
		case *ast.FuncType:
			return false
		}
		if list == nil {
			return true
		}
		for _, field := range list.List {
			for _, id := range field.Names {
				f(id, field, field.Doc, field.Comment)
			}
			if id := embedded(field.Type); len(field.Names) == 0 && id != nil {
				f(id, field, field.Doc, field.Comment)
			}
		}
		return true
	})
}

// embedded is the name of an embedded field of a type.
func embedded(t ast.Expr) *ast.Ident {
	switch t := t.(type) {
	case *ast.Ident:
		return t
	case *ast.StarExpr:
		return embedded(t.X)
	case *ast.SelectorExpr:
		return t.Sel
	case *ast.IndexExpr:
		return embedded(t.X)
	case *ast.IndexListExpr:
		return embedded(t.X)
	}
	return nil
}

func firstOf(comments []*ast.CommentGroup) string {
	for _, c := range comments {
		if text := c.Text(); text != "" { // of nil too
			return text
		}
	}
	return ""
}

// packageDoc is the comment of the package in a directory.
func packageDoc(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go")) // the pattern is a good one
	for _, file := range append([]string{filepath.Join(dir, "doc.go")}, files...) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err == nil && f.Name.Name != "main" && f.Doc.Text() != "" {
			return f.Doc.Text()
		}
	}
	return ""
}

// synopsis is the first sentence of a comment.
func synopsis(text string) string {
	sentence := new(doc.Package).Synopsis(text)
	return strings.TrimSpace(string((&comment.Printer{TextWidth: -1}).Text(parseComment(sentence))))
}

// position is where an imported object is declared.
func (c *Completer) position(obj types.Object) (file string, p place, ok bool) {
	if obj.Pkg() == nil { // predeclared
		return filepath.Join(c.goroot, "src", "builtin", "builtin.go"), place{name: obj.Name()}, true
	}
	at := c.packages.Position(obj.Pos())
	return c.source(at.Filename), place{at.Line, obj.Name()}, at.IsValid()
}
