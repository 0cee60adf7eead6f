package debug

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/show"
)

// maxChildren is how many elements are listed at once; more come in groups.
const maxChildren = 100

// maxValue is the length of a value's text in a list, in characters.
const maxValue = 200

// A child is a variable, or a part of one.
type child struct {
	name  string
	path  string // the expression for it, "" if there is none
	value reflect.Value
	group []child // of elements
}

// reference is what a client can ask for by number: parts that are known, or those
// of a value.
type reference struct {
	children []child
	of       *child
}

// variable is a child as the protocol has it.
type variable struct {
	Name               string `json:"name"`
	Value              string `json:"value"`
	Type               string `json:"type"`
	EvaluateName       string `json:"evaluateName,omitempty"`
	VariablesReference int    `json:"variablesReference"`
	IndexedVariables   int    `json:"indexedVariables,omitempty"`
}

func (s *stopped) refer(r reference) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := int(referenceNumbers.Add(1))
	s.references[number] = r
	return number
}

// listed are the parts that a reference stands for.
func (r reference) listed() []child {
	if r.of != nil {
		return r.of.parts()
	}
	return r.children
}

func variables(a struct{ VariablesReference, Start, Count int }) (any, error) {
	return now(func(s *stopped) (any, error) {
		r, err := s.reference(a.VariablesReference)
		if err != nil {
			return nil, err
		}
		all := r.listed()
		all = all[min(max(0, a.Start), len(all)):]
		if a.Count > 0 {
			all = all[:min(a.Count, len(all))]
		}
		list := []variable{}
		for _, c := range all {
			list = append(list, c.describe(s))
		}
		return map[string]any{"variables": list}, nil
	})
}

func (s *stopped) reference(number int) (reference, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.references[number]
	if !ok {
		return r, fmt.Errorf("there is no variable %d: what was stopped then has gone on", number)
	}
	return r, nil
}

// named are the variables that pointers lead to.
func named(names []string, pointers []any) []child {
	var all []child
	for i, p := range pointers {
		all = append(all, child{name: names[i], path: names[i], value: reflect.ValueOf(p).Elem()})
	}
	return all
}

// describe describes a child. Without something that is stopped it has no parts.
func (c child) describe(s *stopped) variable {
	if c.group != nil {
		return variable{Name: c.name, Value: fmt.Sprintf("%d elements", len(c.group)), VariablesReference: s.refer(reference{children: c.group})}
	}
	v := variable{Name: c.name, Value: show.Line(c.value, maxValue), Type: typeOf(c.value), EvaluateName: c.path}
	if s != nil && hasParts(c.value) {
		v.VariablesReference = s.refer(reference{of: &c})
		if inner := inside(c.value); inner.Kind() == reflect.Slice || inner.Kind() == reflect.Array {
			v.IndexedVariables = min(inner.Len(), maxChildren)
		}
	}
	return v
}

// typeOf is a value's type; of an interface, that of what is in it as well.
func typeOf(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	s := show.Type(v.Type())
	if v.Kind() == reflect.Interface && !v.IsNil() {
		s += " (" + show.Type(v.Elem().Type()) + ")"
	}
	return s
}

// inside is what an interface or a pointer leads to, or the value itself.
func inside(v reflect.Value) reflect.Value {
	for range 8 {
		if v.Kind() != reflect.Interface && v.Kind() != reflect.Pointer || v.IsNil() {
			break
		}
		v = v.Elem()
	}
	return v
}

func hasParts(v reflect.Value) bool {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		return true
	}
	switch v = inside(v); v.Kind() {
	case reflect.Struct:
		return v.NumField() > 0
	case reflect.Slice, reflect.Array, reflect.Map:
		return v.Len() > 0
	}
	return false
}

// parts are a value's fields or elements; of a pointer, those of what it points to.
func (c child) parts() []child {
	var all []child
	v := inside(c.value)
	switch v.Kind() {
	case reflect.Struct:
		v = show.Addressable(v)
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "_" {
				all = append(all, child{name: f.Name, path: c.selector("." + f.Name), value: show.Readable(v.Field(i))})
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if i == 1000*maxChildren { // nobody looks for one among more
				break
			}
			name := fmt.Sprintf("[%d]", i)
			all = append(all, child{name: name, path: c.selector(name), value: v.Index(i)})
		}
	case reflect.Map:
		for _, e := range show.Entries(v) {
			key := show.Line(e.Key, maxValue)
			path := ""
			switch e.Key.Kind() {
			case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Int32:
				path = c.selector("[" + key + "]")
			}
			all = append(all, child{name: key, path: path, value: e.Value})
		}
	default:
		all = []child{{name: "*", path: c.path, value: v}}
		if c.path != "" {
			all[0].path = "*" + c.path
		}
	}
	if len(all) <= maxChildren {
		return all
	}
	var groups []child
	for from := 0; from < len(all); from += maxChildren {
		to := min(from+maxChildren, len(all))
		groups = append(groups, child{name: fmt.Sprintf("[%d … %d]", from, to-1), group: all[from:to]})
	}
	return groups
}

func (c child) selector(text string) string {
	switch {
	case c.path == "":
		return ""
	case strings.HasPrefix(c.path, "*"):
		return "(" + c.path + ")" + text
	}
	return c.path + text
}

// find finds a variable by its name, in a frame or among the notebook's.
func find(s *stopped, frameID int, name string) (reflect.Value, error) {
	var all []child
	if s != nil {
		f, err := s.frameOf(frameID)
		if err != nil {
			return reflect.Value{}, err
		}
		all = f.locals()
	}
	for _, c := range append(all, globals()...) {
		if c.name == name {
			return c.value, nil
		}
	}
	return reflect.Value{}, fmt.Errorf("there is no variable %s here", name)
}

func evaluate(a wire.EvaluateArguments) (any, error) {
	s := stop()
	e := evaluation{s, a.FrameID}
	v, err := e.value(a.Expr)
	if err != nil {
		return nil, err
	}
	if a.Rich {
		outputs := show.Values([]any{v.Interface()})
		return outputs[len(outputs)-1], nil
	}
	d := child{value: v}.describe(s)
	return map[string]any{"result": d.Value, "type": d.Type, "variablesReference": d.VariablesReference}, nil
}

func setVariable(a wire.SetVariableArguments) (any, error) {
	return now(func(s *stopped) (any, error) {
		r, err := s.reference(a.VariablesReference)
		if err != nil {
			return nil, err
		}
		for _, c := range r.listed() {
			if c.name != a.Name || c.group != nil {
				continue
			}
			v, err := evaluation{s, 0}.value(a.Expr)
			if err == nil {
				err = assign(c.value, v, isConstant(a.Expr))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Name, err)
			}
			d := c.describe(s)
			return map[string]any{"value": d.Value, "type": d.Type, "variablesReference": d.VariablesReference}, nil
		}
		return nil, fmt.Errorf("there is no variable %s here", a.Name)
	})
}
