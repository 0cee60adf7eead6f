package complete

import (
	"go/ast"
	"go/token"
	"go/types"
)

// wantedType is the type that the expression has to have that is being typed, as
// far as what surrounds it says so.
func (k *completing) wantedType() types.Type {
	n := 0 // the node of the expression
	if s, ok := k.up(1).(*ast.SelectorExpr); ok {
		if s.Sel != k.up(0) {
			return nil // what is selected decides
		}
		n = 1
	}
	x, _ := k.up(n).(ast.Expr)
	switch parent := k.up(n + 1).(type) {
	case *ast.CallExpr:
		return k.parameter(parent, x)
	case *ast.AssignStmt:
		for i, y := range parent.Rhs {
			if y == x && parent.Tok == token.ASSIGN && len(parent.Lhs) == len(parent.Rhs) {
				return k.typeOf(parent.Lhs[i])
			}
		}
	case *ast.BinaryExpr:
		if parent.Y == x && parent.Op != token.SHL && parent.Op != token.SHR {
			return k.typeOf(parent.X)
		}
	case *ast.KeyValueExpr:
		if parent.Value != x {
			return nil
		}
		if lit, ok := k.up(n + 2).(*ast.CompositeLit); ok {
			if id, ok := parent.Key.(*ast.Ident); ok {
				if f, ok := k.Object(id).(*types.Var); ok && f.IsField() {
					return f.Type()
				}
			}
			return elementOf(k.typeOf(lit))
		}
	case *ast.CompositeLit:
		return elementOf(k.typeOf(parent))
	case *ast.ReturnStmt:
		return k.result(parent, x)
	case *ast.IfStmt:
		if parent.Cond == x {
			return types.Typ[types.Bool]
		}
	}
	return nil
}

func (k *completing) typeOf(x ast.Expr) types.Type {
	t, _ := k.Type(x)
	return t.Type
}

// elementOf is the type of the elements of a composite literal of a type.
func elementOf(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	switch t := t.Underlying().(type) {
	case *types.Slice:
		return t.Elem()
	case *types.Array:
		return t.Elem()
	case *types.Map:
		return t.Elem()
	}
	return nil
}

// parameter is the type of the parameter that an argument is for.
func (k *completing) parameter(call *ast.CallExpr, arg ast.Expr) types.Type {
	f := k.typeOf(call.Fun)
	if f == nil {
		return nil
	}
	sig, ok := f.Underlying().(*types.Signature)
	if !ok {
		return nil
	}
	for i, x := range call.Args {
		switch n := sig.Params().Len(); {
		case x != arg:
		case sig.Variadic() && i >= n-1:
			return elementOf(sig.Params().At(n - 1).Type())
		case i < n:
			return sig.Params().At(i).Type()
		}
	}
	return nil
}

// result is the type of the result that an expression of a return is for.
func (k *completing) result(r *ast.ReturnStmt, x ast.Expr) types.Type {
	for i := range k.path {
		var sig *types.Signature
		switch n := k.up(i).(type) {
		case *ast.FuncLit:
			sig, _ = k.typeOf(n.Type).(*types.Signature)
		case *ast.FuncDecl:
			if f, ok := k.Object(n.Name).(*types.Func); ok {
				sig = f.Signature()
			}
		default:
			continue
		}
		if sig == nil {
			return nil
		}
		for i, y := range r.Results {
			if y == x && i < sig.Results().Len() {
				return sig.Results().At(i).Type()
			}
		}
		return nil
	}
	return nil
}

// fits tells whether an object, or what a function returns, is of the wanted type.
// Where that is any type, nothing is told from anything else.
func (k *completing) fits(obj types.Object) bool {
	if k.wanted == nil {
		return false
	}
	if i, ok := k.wanted.Underlying().(*types.Interface); ok && i.NumMethods() == 0 {
		return false
	}
	switch obj := obj.(type) {
	case *types.Var, *types.Const:
		return types.AssignableTo(obj.Type(), k.wanted)
	case *types.Func:
		if types.AssignableTo(obj.Type(), k.wanted) {
			return true
		}
		results := obj.Signature().Results()
		return results.Len() > 0 && obj.Signature().TypeParams() == nil && types.AssignableTo(results.At(0).Type(), k.wanted)
	}
	return false
}
