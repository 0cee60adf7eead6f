package program

import (
	"go/ast"
	"go/types"
	"slices"
)

// Pointers lists the expressions of a cell's line that something is selected from
// or that are dereferenced: where the runtime tells of a nil pointer, it is one of
// them, most likely. File and line are those of a stack trace.
func (p *Program) Pointers(file string, line int) []string {
	_, c := p.cellOf(file)
	if c == nil {
		return nil
	}
	var found []string
	add := func(x ast.Expr) {
		if at, _ := c.Position(c.Offset(x.Pos())); at != line || p.namesNoValue(x) {
			return
		}
		if text := types.ExprString(x); !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	for _, n := range trees(c) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				add(n.X)
			case *ast.StarExpr:
				add(n.X)
			case *ast.Field, *ast.TypeSpec:
				return false // types
			case *ast.ValueSpec:
				for _, v := range n.Values {
					ast.Inspect(v, func(n ast.Node) bool {
						if s, ok := n.(*ast.SelectorExpr); ok {
							add(s.X)
						}
						return true
					})
				}
				return false
			}
			return true
		})
	}
	slices.Sort(found)
	return found
}

// namesNoValue tells of a package, a type, or what cannot be nil.
func (p *Program) namesNoValue(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		u := p.units[x.Name]
		return p.vars[x.Name] == nil && (p.imports[x.Name] != "" || u != nil && u.kind == typeUnit || types.Universe.Lookup(x.Name) != nil)
	case *ast.SelectorExpr: // a type of a package
		id, ok := x.X.(*ast.Ident)
		return ok && p.namesNoValue(id)
	case *ast.CompositeLit, *ast.ArrayType, *ast.MapType, *ast.StructType:
		return true
	case *ast.UnaryExpr:
		_, literal := x.X.(*ast.CompositeLit)
		return literal
	}
	return false
}
