package live

import (
	"fmt"
	"reflect"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/show"
)

// WhoKey is the key of the bundle that Who sends: a list of size and value, each
// a text.
const WhoKey = "variables"

// Who sends of each variable how much memory it holds and its value in a line.
func Who(pointers ...any) {
	c := running.Own()
	if c == nil {
		return
	}
	rows := make([][2]string, len(pointers))
	for i, p := range pointers {
		v := reflect.ValueOf(p).Elem()
		rows[i] = [2]string{memory(v), show.InLine(brief(v), maxValueText)}
	}
	c.Show([]wire.Bundle{{Data: map[string]any{WhoKey: rows}}})
}

// brief is a value's text if that takes no walk through memory that goroutines may
// be changing, and otherwise its length if it has one.
func brief(v reflect.Value) string {
	t := v.Type()
	switch x := v.Interface().(type) {
	case error, fmt.Stringer:
		return show.Text(x)
	}
	switch {
	case flat(t), t.Kind() == reflect.Slice && flat(t.Elem()):
		return show.Text(v.Interface())
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Map:
		return fmt.Sprintf("len %d", v.Len())
	case t.Kind() == reflect.Pointer && v.IsNil(), t.Kind() == reflect.Interface && v.IsNil():
		return "nil"
	}
	return ""
}

// maxValueText is the length of a value's text in a table, in characters.
const maxValueText = 60

// maxVisited is how many values are looked at to find out how much memory a
// variable holds.
const maxVisited = 10_000

// memory is the size of a value with all that it leads to, each counted once. If
// that is too much to look at, a plus sign follows.
func memory(v reflect.Value) string {
	m := measure{seen: map[uintptr]bool{}}
	m.size = uint64(v.Type().Size())
	m.follow(v)
	s := byteCount(m.size)
	if m.visited > maxVisited {
		s += "+"
	}
	return s
}

type measure struct {
	seen    map[uintptr]bool
	size    uint64
	visited int
}

// once tells whether memory is met for the first time.
func (m *measure) once(p uintptr) bool {
	if p == 0 || m.seen[p] {
		return false
	}
	m.seen[p] = true
	return true
}

// follow adds what a value leads to.
func (m *measure) follow(v reflect.Value) {
	if m.visited++; m.visited > maxVisited || !v.IsValid() || !leads(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		m.size += uint64(v.Len())
	case reflect.Pointer:
		if m.once(v.Pointer()) {
			m.size += uint64(v.Type().Elem().Size())
			m.follow(v.Elem())
		}
	case reflect.Interface:
		if e := v.Elem(); e.IsValid() {
			if e.Kind() != reflect.Pointer {
				m.size += uint64(e.Type().Size())
			}
			m.follow(e)
		}
	case reflect.Slice:
		if m.once(v.Pointer()) {
			m.size += uint64(v.Cap()) * uint64(v.Type().Elem().Size())
			m.elements(v)
		}
	case reflect.Array:
		m.elements(v)
	case reflect.Struct:
		for _, field := range v.Fields() {
			m.follow(field)
		}
	case reflect.Map:
		if m.once(v.Pointer()) {
			// Its elements are not looked at: a goroutine may be changing them, and the
			// runtime ends a program for that.
			m.size += uint64(v.Len()) * uint64(v.Type().Key().Size()+v.Type().Elem().Size())
		}
	}
}

func (m *measure) elements(v reflect.Value) {
	if !leads(v.Type().Elem()) {
		return
	}
	for i := range v.Len() {
		if m.visited > maxVisited {
			return
		}
		m.follow(v.Index(i))
	}
}

// leads tells whether values of a type can lead to other memory.
func leads(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return true
	case reflect.Array:
		return leads(t.Elem())
	case reflect.Struct:
		for field := range t.Fields() {
			if leads(field.Type) {
				return true
			}
		}
	}
	return false
}

// flat tells whether a value of a type leads to no other memory than to texts, which
// do not change.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String:
		return true
	case reflect.Array:
		return flat(t.Elem())
	case reflect.Struct:
		for field := range t.Fields() {
			if !flat(field.Type) {
				return false
			}
		}
		return true
	}
	return !leads(t)
}
