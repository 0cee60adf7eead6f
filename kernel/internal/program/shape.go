package program

import (
	"fmt"
	"go/ast"
	"strings"
)

// sameShape tells whether values of a type are values of its redefinition too: the
// two differ at most in tags, comments and form, so that Go would convert one to
// the other. What their names mean is not looked at.
func sameShape(old, u *unit) bool {
	if old.kind != typeUnit || u.kind != typeUnit {
		return old.kind == funcUnit && u.kind == funcUnit || old.kind == methodUnit
	}
	return old.alias == u.alias && shape(typeSpec(old)) == shape(typeSpec(u))
}

func typeSpec(u *unit) *ast.TypeSpec { return u.decl.Node.(*ast.GenDecl).Specs[0].(*ast.TypeSpec) }

// shape is a type's syntax tree as text, without what does not matter to values.
func shape(n ast.Node) string {
	var b strings.Builder
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			b.WriteByte(')')
			return true
		case *ast.CommentGroup:
			return false
		case *ast.Field:
			for _, name := range n.Names {
				fmt.Fprintf(&b, "%s %s;", name.Name, shape(n.Type))
			}
			if n.Names == nil {
				b.WriteString(shape(n.Type) + ";")
			}
			return false
		case *ast.Ident:
			b.WriteString(n.Name)
		case *ast.BasicLit:
			b.WriteString(n.Value)
		case *ast.BinaryExpr:
			b.WriteString(n.Op.String())
		case *ast.UnaryExpr:
			b.WriteString(n.Op.String())
		case *ast.ChanType:
			fmt.Fprint(&b, n.Dir)
		}
		fmt.Fprintf(&b, "(%T ", n)
		return true
	})
	return b.String()
}
