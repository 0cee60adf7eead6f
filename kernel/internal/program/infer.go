package program

// Variables of types that cannot be written down.
//
// A package may give out values of a type that it does not export, such as
// binary.LittleEndian. The compiler can infer it: something exported has the hidden
// type in its own, and a function whose type parameter stands in that place knows
// it. So the variable is printed as an interface that holds a pointer to it, with a
// function that returns the pointer, and a call of that where the variable stands.
// (An initialisation of the package would be run once for all cells.)
//
//	var order interface{}
//	func orderʹ[T0 comparable](T0) *T0 { … }
//	(*orderʹ(binary.LittleEndian)).Uint16(b)

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"strings"
)

// An inference declares a variable of a type that has hidden types in it.
type inference struct {
	params, args []string // of the function that has the type as its result
	types        []string // its type parameters
	result       string
}

// text is the declaration of a variable with a symbol.
func (i *inference) text(symbol string) string {
	return fmt.Sprintf("var %s interface{}\n", symbol) + i.function(symbol, "*"+i.result,
		fmt.Sprintf("p, ok := %s.(*%s); if !ok { p = new(%s); %s = p }; return p", symbol, i.result, i.result, symbol))
}

// use is what stands for the variable.
func (i *inference) use(symbol string) string { return "(*" + i.call(symbol) + ")" }

func (i *inference) function(symbol, result, body string) string {
	return fmt.Sprintf("func %s%s[%s](%s) %s { %s }\n", symbol, prime, strings.Join(i.types, ", "), strings.Join(i.params, ", "), result, body)
}

func (i *inference) call(symbol string) string {
	return symbol + prime + "(" + strings.Join(i.args, ", ") + ")"
}

// decls declares a variable of the inferred type, for a type check.
func (i *inference) decls(fset *token.FileSet, name string) []ast.Decl {
	text := "package main\nvar " + name + " = " + i.call(name) + "\n" + i.function(name, i.result, "for {}")
	f, err := parser.ParseFile(fset, "/type", text, parser.SkipObjectResolution)
	if err != nil {
		return nil // what uses the variable is an error then
	}
	return f.Decls
}

// infer finds out how a variable's type is inferred. The error says which type is
// in the way.
func (w *planning) infer(v *variable, hidden map[*types.Named]bool) error {
	i := &inference{result: v.typ}
	v.inferred = i
	for t := range hidden {
		arg, typ := w.witness(v, t)
		if arg == "" {
			return fmt.Errorf("its type %s.%s is not exported", t.Obj().Pkg().Name(), t.Obj().Name())
		}
		i.args, i.params = append(i.args, arg), append(i.params, w.typeText(v, typ))
	}
	for t := range hidden {
		name := fmt.Sprintf("T%d", len(i.types))
		constraint := "any"
		if types.Comparable(t) {
			constraint = "comparable"
		}
		i.types = append(i.types, name+" "+constraint)
		this := regexp.MustCompile(regexp.QuoteMeta(w.typeText(v, t)) + `\b`)
		i.result = this.ReplaceAllString(i.result, name)
		for n := range i.params {
			i.params[n] = this.ReplaceAllString(i.params[n], name)
		}
	}
	return nil
}

// witness is something exported whose type has the hidden type in it, and nothing
// else that is hidden.
func (w *planning) witness(v *variable, hidden *types.Named) (expr string, typ types.Type) {
	pkg := hidden.Obj().Pkg()
	fits := func(t types.Type) bool {
		in, mention := map[*types.Named]bool{}, map[string]bool{}
		err := w.nameable(t, mention, in, map[types.Type]bool{})
		return err == nil && len(in) == 1 && in[hidden]
	}
	prefix := w.typeText(v, hidden)
	prefix = prefix[:strings.LastIndex(prefix, ".")+1]
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Var:
			if fits(obj.Type()) {
				return prefix + name, obj.Type()
			}
		case *types.Func:
			if obj.Signature().TypeParams() == nil && fits(obj.Type()) {
				return prefix + name, obj.Type()
			}
		case *types.TypeName:
			named, ok := obj.Type().(*types.Named)
			if !ok || named.TypeParams() != nil || types.IsInterface(named) {
				continue
			}
			pointer := types.NewPointer(named)
			for m := range types.NewMethodSet(pointer).Methods() {
				f := m.Obj().(*types.Func)
				if !f.Exported() {
					continue
				}
				params := []*types.Var{types.NewParam(token.NoPos, pkg, "", pointer)}
				for p := range f.Signature().Params().Variables() {
					params = append(params, types.NewParam(token.NoPos, pkg, "", p.Type()))
				}
				sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), f.Signature().Results(), f.Signature().Variadic())
				if fits(sig) {
					return fmt.Sprintf("(*%s%s).%s", prefix, name, f.Name()), sig
				}
			}
		}
	}
	return "", nil
}
