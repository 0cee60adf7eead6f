package carry

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

// pathed is a type's name with the path of its package, and for a type without a name
// what it is made of, in such names.
func pathed(t reflect.Type) string {
	if t.Name() != "" {
		if t.PkgPath() == "" {
			return t.Name()
		}
		return t.PkgPath() + "." + t.Name()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + pathed(t.Elem())
	case reflect.Slice:
		return "[]" + pathed(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), pathed(t.Elem()))
	case reflect.Map:
		return "map[" + pathed(t.Key()) + "]" + pathed(t.Elem())
	case reflect.Struct:
		return layout(t)
	default:
		return t.String()
	}
}

// layout tells all that matters for the memory of a type's values, down to what lies
// behind pointers. Two types of one name and one layout are taken for the same.
func layout(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct:
		var b strings.Builder
		b.WriteString("struct{")
		for f := range t.Fields() {
			fmt.Fprintf(&b, "%s %d %s", f.Name, f.Offset, pathed(f.Type))
			if k := f.Type.Kind(); k == reflect.Struct || k == reflect.Array {
				b.WriteString("=" + layout(f.Type))
			}
			b.WriteString("; ")
		}
		return b.String() + "}"
	case reflect.Array:
		return fmt.Sprintf("[%d]%s=%s", t.Len(), pathed(t.Elem()), layout(t.Elem()))
	case reflect.Pointer:
		return "*" + pathed(t.Elem())
	case reflect.Slice:
		return "[]" + pathed(t.Elem())
	case reflect.Map:
		return "map[" + pathed(t.Key()) + "]" + pathed(t.Elem())
	default:
		return t.Kind().String()
	}
}

// composite tells that a type is made of its parts, wherever they are.
func composite(t reflect.Type) bool {
	if t.Name() != "" {
		return false
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return true
	}
	return false
}

// The ways to write a type.
const (
	namedType   = 'n'
	pointerType = byte(reflect.Pointer)
	sliceType   = byte(reflect.Slice)
	arrayType   = byte(reflect.Array)
	mapType     = byte(reflect.Map)
)

// writeType writes a type so that findType finds it in another process.
func writeType(b *bytes.Buffer, t reflect.Type) {
	if !composite(t) {
		b.WriteByte(namedType)
		writeText(b, t.String())
		writeText(b, pathed(t))
		writeText(b, layout(t))
		return
	}
	b.WriteByte(byte(t.Kind()))
	if t.Kind() == reflect.Array {
		writeNumber(b, uint64(t.Len()))
	}
	if t.Kind() == reflect.Map {
		writeType(b, t.Key())
	}
	writeType(b, t.Elem())
}

// typeIndex has the types of this process by their texts.
type typeIndex map[string][]reflect.Type

func indexTypes() typeIndex {
	index := typeIndex{}
	for t := range Here.Types {
		index[t.String()] = append(index[t.String()], t)
	}
	return index
}

// read reads a type. The problem is why it is not to be had here; the type is nil then.
func (index typeIndex) read(r *reader) (t reflect.Type, problem string) {
	switch kind := r.byte(); kind {
	case namedType:
		short, path, shape := r.text(), r.text(), r.text()
		switch {
		case !strings.HasPrefix(path, "main."):
			problem = "a value of type " + short + ", which is not there any more"
		case strings.Contains(path, "["):
			problem = "a value of type " + short + ", which no variable has"
		default:
			problem = "a value of type " + short + " as it was before that was redefined"
		}
		for _, t := range index[short] {
			if pathed(t) != path {
				continue
			}
			if layout(t) == shape {
				return t, ""
			}
			problem = "a value of type " + short + ", whose fields are others now"
		}
		return nil, problem
	case arrayType:
		n := r.number()
		if t, problem = index.read(r); t != nil {
			t = reflect.ArrayOf(int(n), t)
		}
	case mapType:
		key, problemOfKey := index.read(r)
		t, problem = index.read(r)
		if key == nil {
			return nil, problemOfKey
		}
		if t != nil {
			t = reflect.MapOf(key, t)
		}
	case pointerType:
		if t, problem = index.read(r); t != nil {
			t = reflect.PointerTo(t)
		}
	case sliceType:
		if t, problem = index.read(r); t != nil {
			t = reflect.SliceOf(t)
		}
	default:
		r.fail("a type of kind %d", kind)
	}
	return t, problem
}
