package session

import (
	"go/ast"
	"go/token"
	"path"
	"strconv"
)

// visible finds out what of a package's declarations others can see: what is exported,
// and what the types of that are made of. What only bodies of functions mention is not
// among it, and most of what a package imports is for these.
type visible struct {
	named   map[string][]*declared // by the names of the top level
	methods map[string][]*declared // by their types
	reached []*declared
}

// A declared is the part of a declaration that is seen or not.
type declared struct {
	parts []ast.Node // what its type is made of
	file  *ast.File
	names []string
	seen  bool
}

// keepVisible leaves in a package's files what others can see of it, without bodies of
// functions, and returns the paths that it imports for that. mapped are the imports
// whose package has another path, and names those of packages.
func keepVisible(files []*ast.File, mapped, names map[string]string) []string {
	v := &visible{named: map[string][]*declared{}, methods: map[string][]*declared{}}
	kept := map[any]*declared{} // by declaration or specification
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				d.Body = nil
				kept[d] = v.function(f, d)
			case *ast.GenDecl:
				v.specs(f, d, kept)
			}
		}
	}
	for name := range v.named {
		if ast.IsExported(name) {
			v.reach(name)
		}
	}
	used := map[*ast.File]map[string]bool{} // names that each file's declarations mention
	for _, f := range files {
		used[f] = map[string]bool{}
	}
	for len(v.reached) > 0 {
		d := v.reached[0]
		v.reached = v.reached[1:]
		for _, part := range d.parts {
			ast.Inspect(part, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					used[d.file][id.Name] = true
					v.reach(id.Name)
				}
				return true
			})
		}
	}
	var needed []string
	for _, f := range files {
		var decls []ast.Decl
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				var specs []ast.Spec
				for _, s := range g.Specs {
					if i, ok := s.(*ast.ImportSpec); ok {
						if path := imported(i, mapped); uses(i, path, names[path], used[f]) {
							needed = append(needed, path)
							specs = append(specs, s)
						}
					} else if k := kept[s]; k == nil || k.seen {
						specs = append(specs, s)
					}
				}
				if g.Specs = specs; len(specs) > 0 {
					decls = append(decls, g)
				}
			} else if k := kept[d]; k == nil || k.seen {
				decls = append(decls, d)
			}
		}
		f.Decls = decls
	}
	return needed
}

// function notes a function or a method.
func (v *visible) function(f *ast.File, d *ast.FuncDecl) *declared {
	made := &declared{parts: []ast.Node{d.Type}, file: f}
	if d.Recv == nil {
		v.named[d.Name.Name] = append(v.named[d.Name.Name], made)
		return made
	}
	made.parts = append(made.parts, d.Recv)
	ast.Inspect(d.Recv, func(n ast.Node) bool { // the type's name is one of the names
		if id, ok := n.(*ast.Ident); ok {
			v.methods[id.Name] = append(v.methods[id.Name], made)
		}
		return true
	})
	return made
}

// specs notes what a declaration of types, variables or constants declares. Constants
// stay together, since each may mean what stands above it.
func (v *visible) specs(f *ast.File, d *ast.GenDecl, kept map[any]*declared) {
	all := &declared{file: f}
	for _, s := range d.Specs {
		made := &declared{file: f}
		switch s := s.(type) {
		case *ast.TypeSpec:
			made.parts, made.names = []ast.Node{s}, []string{s.Name.Name}
		case *ast.ValueSpec:
			if d.Tok == token.CONST {
				made = all
			}
			for _, id := range s.Names {
				made.names = append(made.names, id.Name)
			}
			if s.Type != nil {
				made.parts = append(made.parts, s.Type)
			}
			if s.Type == nil || d.Tok == token.CONST {
				for _, value := range s.Values {
					made.parts = append(made.parts, value)
				}
			} else {
				s.Values = nil // the type says it all
			}
		default:
			continue
		}
		kept[s] = made
		for _, name := range made.names {
			v.named[name] = append(v.named[name], made)
		}
	}
}

// reach notes that what has a name is seen, with its methods if it is a type.
func (v *visible) reach(name string) {
	for _, all := range [][]*declared{v.named[name], v.methods[name]} {
		for _, d := range all {
			if !d.seen {
				d.seen = true
				v.reached = append(v.reached, d)
			}
		}
	}
}

// imported is the path of the package that an import means.
func imported(i *ast.ImportSpec, mapped map[string]string) string {
	path, _ := strconv.Unquote(i.Path.Value) // the parser has looked at it
	if m := mapped[path]; m != "" {
		return m
	}
	return path
}

// uses tells whether a file that mentions names needs an import.
func uses(i *ast.ImportSpec, of, name string, mentioned map[string]bool) bool {
	if i.Name != nil {
		return i.Name.Name == "." || mentioned[i.Name.Name]
	}
	return mentioned[name] || name == "" && mentioned[path.Base(of)]
}
