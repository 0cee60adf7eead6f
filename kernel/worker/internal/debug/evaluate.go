package debug

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/show"
)

// evaluation computes expressions that read variables: names, fields, elements,
// len, arithmetic and comparisons. Nothing is called.
type evaluation struct {
	stopped *stopped // nil where nothing is stopped: then there are the notebook's variables
	frame   int
}

func (e evaluation) value(x *wire.Expr) (reflect.Value, error) {
	switch x.Op {
	case "name":
		switch x.Text {
		case "true", "false":
			return reflect.ValueOf(x.Text == "true"), nil
		case "nil":
			return reflect.Zero(reflect.TypeFor[any]()), nil
		}
		return find(e.stopped, e.frame, x.Text)
	case "int", "float", "char", "string":
		return literal(x)
	}
	v, err := e.value(x.X)
	if err != nil {
		return v, err
	}
	switch {
	case x.Op == "field":
		return field(v, x.Text)
	case x.Op == "len":
		if v = indirect(v); hasLen(v) {
			return reflect.ValueOf(v.Len()), nil
		}
		return v, fmt.Errorf("len of a %s", typeOf(v))
	case x.Op == "*" && x.Y == nil:
		if v = unwrapped(v); v.Kind() != reflect.Pointer || v.IsNil() {
			return v, fmt.Errorf("* of a %s", show.Line(v, maxValue))
		}
		return v.Elem(), nil
	case x.Y == nil:
		return unary(x.Op, unwrapped(v))
	}
	w, err := e.value(x.Y)
	if err != nil {
		return w, err
	}
	if x.Op == "index" {
		return index(v, w)
	}
	return binary(x.Op, unwrapped(v), unwrapped(w), isConstant(x.X), isConstant(x.Y))
}

// isConstant tells whether an expression has no type of its own.
func isConstant(x *wire.Expr) bool {
	switch x.Op {
	case "int", "float", "char", "string":
		return true
	case "-", "+", "^":
		return isConstant(x.X) && (x.Y == nil || isConstant(x.Y))
	}
	return false
}

func literal(x *wire.Expr) (reflect.Value, error) {
	var v any
	var err error
	switch x.Op {
	case "int":
		var n int64
		n, err = strconv.ParseInt(x.Text, 0, 64)
		v = int(n)
	case "float":
		v, err = strconv.ParseFloat(x.Text, 64)
	case "char":
		v, _, _, err = strconv.UnquoteChar(x.Text[1:], '\'')
	default:
		v, err = strconv.Unquote(x.Text)
	}
	if err != nil {
		return reflect.Value{}, fmt.Errorf("%s: %w", x.Text, err)
	}
	return reflect.ValueOf(v), nil
}

// unwrapped is what is in an interface.
func unwrapped(v reflect.Value) reflect.Value {
	if v.IsValid() && v.Kind() == reflect.Interface && !v.IsNil() {
		return v.Elem()
	}
	return v
}

// indirect is what a pointer to an array leads to, or an interface.
func indirect(v reflect.Value) reflect.Value {
	if v = unwrapped(v); v.IsValid() && v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Array && !v.IsNil() {
		return v.Elem()
	}
	return v
}

func hasLen(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.String, reflect.Chan:
		return true
	}
	return false
}

func field(v reflect.Value, name string) (reflect.Value, error) {
	v = inside(v)
	if v.Kind() == reflect.Struct {
		if f, ok := v.Type().FieldByName(name); ok {
			v = show.Addressable(v)
			for _, i := range f.Index {
				if v = inside(v); v.Kind() != reflect.Struct {
					return v, fmt.Errorf("%s is in an embedded struct that is nil", name)
				}
				v = show.Readable(show.Addressable(v).Field(i))
			}
			return v, nil
		}
	}
	return v, fmt.Errorf("a %s has no field %s", typeOf(v), name)
}

func index(v, i reflect.Value) (reflect.Value, error) {
	v = indirect(v)
	switch v.Kind() {
	case reflect.Map:
		key := reflect.New(v.Type().Key()).Elem()
		if err := assign(key, i, true); err != nil {
			return v, err
		}
		if e := v.MapIndex(key); e.IsValid() {
			return e, nil
		}
		return v, fmt.Errorf("the map has no key %s", show.Line(i, maxValue))
	case reflect.Slice, reflect.Array, reflect.String:
		i = unwrapped(i)
		if !i.CanInt() && !i.CanUint() {
			return v, fmt.Errorf("the index %s is no integer", show.Line(i, maxValue))
		}
		at := 0
		if i.CanInt() {
			at = int(i.Int())
		} else {
			at = int(i.Uint())
		}
		if at < 0 || at >= v.Len() {
			return v, fmt.Errorf("index %d of %d elements", at, v.Len())
		}
		return v.Index(at), nil
	}
	return v, fmt.Errorf("a %s has no elements", typeOf(v))
}

func unary(op string, v reflect.Value) (reflect.Value, error) {
	switch {
	case op == "!" && v.Kind() == reflect.Bool:
		return reflect.ValueOf(!v.Bool()), nil
	case op == "+":
		return v, nil
	case op == "-" && (v.CanInt() || v.CanFloat()):
		n := reflect.New(v.Type()).Elem()
		if v.CanInt() {
			n.SetInt(-v.Int())
		} else {
			n.SetFloat(-v.Float())
		}
		return n, nil
	}
	return v, fmt.Errorf("%s of a %s", op, typeOf(v))
}

// binary computes v op w, where a constant takes the type of the other one.
func binary(op string, v, w reflect.Value, vConstant, wConstant bool) (reflect.Value, error) {
	fail := func() (reflect.Value, error) {
		return v, fmt.Errorf("%s %s %s", typeOf(v), op, typeOf(w))
	}
	if !v.IsValid() || !w.IsValid() {
		return fail()
	}
	if v.Type() != w.Type() {
		to, from := &v, &w
		if vConstant && !wConstant {
			to, from = &w, &v
		} else if !wConstant {
			return fail()
		}
		t := reflect.New((*to).Type()).Elem()
		if err := assign(t, *from, true); err != nil {
			return fail()
		}
		*from = t
	}
	if v.Kind() == reflect.Bool {
		switch op {
		case "&&":
			return reflect.ValueOf(v.Bool() && w.Bool()), nil
		case "||":
			return reflect.ValueOf(v.Bool() || w.Bool()), nil
		}
	}
	if result, ok := compared(op, v, w); ok {
		return reflect.ValueOf(result), nil
	}
	n := reflect.New(v.Type()).Elem()
	switch {
	case v.CanInt():
		if x, ok := arithmetic(op, v.Int(), w.Int()); ok {
			n.SetInt(x)
			return n, nil
		}
	case v.CanUint():
		if x, ok := arithmetic(op, v.Uint(), w.Uint()); ok {
			n.SetUint(x)
			return n, nil
		}
	case v.CanFloat():
		if op == "/" {
			n.SetFloat(v.Float() / w.Float())
			return n, nil
		}
		if x, ok := arithmetic(op, v.Float(), w.Float()); ok && op != "%" {
			n.SetFloat(x)
			return n, nil
		}
	case v.Kind() == reflect.String && op == "+":
		n.SetString(v.String() + w.String())
		return n, nil
	}
	return fail()
}

func compared(op string, v, w reflect.Value) (result, ok bool) {
	if op == "==" || op == "!=" {
		if !v.Comparable() || !w.Comparable() {
			return false, false
		}
		return v.Equal(w) == (op == "=="), true
	}
	order := 0
	switch {
	case v.CanInt():
		order = cmp.Compare(v.Int(), w.Int())
	case v.CanUint():
		order = cmp.Compare(v.Uint(), w.Uint())
	case v.CanFloat():
		order = cmp.Compare(v.Float(), w.Float())
	case v.Kind() == reflect.String:
		order = cmp.Compare(v.String(), w.String())
	default:
		return false, false
	}
	switch op {
	case "<":
		return order < 0, true
	case "<=":
		return order <= 0, true
	case ">":
		return order > 0, true
	case ">=":
		return order >= 0, true
	}
	return false, false
}

func arithmetic[N int64 | uint64 | float64](op string, x, y N) (N, bool) {
	switch {
	case op == "+":
		return x + y, true
	case op == "-":
		return x - y, true
	case op == "*":
		return x * y, true
	case op == "/" && y != 0:
		return x / y, true
	case op == "%" && y != 0:
		return x - N(int64(x/y))*y, true
	}
	return 0, false
}

// assign sets a variable. A constant is converted as the compiler would.
func assign(to, from reflect.Value, constant bool) error {
	wrong := func() error {
		return fmt.Errorf("%s cannot be a %s", show.Line(from, maxValue), typeOf(to))
	}
	if !to.CanSet() {
		return fmt.Errorf("it cannot be set")
	}
	if from.IsValid() && from.Kind() == reflect.Interface && from.IsNil() { // nil
		switch to.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan, reflect.Interface:
			to.SetZero()
			return nil
		}
		return wrong()
	}
	switch {
	case from.Type().AssignableTo(to.Type()):
		to.Set(from)
		return nil
	case !constant:
		return wrong()
	case to.CanInt() && from.CanInt() && !to.OverflowInt(from.Int()):
		to.SetInt(from.Int())
		return nil
	case to.CanUint() && from.CanInt() && from.Int() >= 0 && !to.OverflowUint(uint64(from.Int())):
		to.SetUint(uint64(from.Int()))
		return nil
	case to.CanFloat() && (from.CanInt() || from.CanFloat()), to.Kind() == reflect.String && from.Kind() == reflect.String:
		to.Set(from.Convert(to.Type()))
		return nil
	}
	return wrong()
}
