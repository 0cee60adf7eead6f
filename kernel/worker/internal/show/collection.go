package show

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// collectionTable makes the table of a collection of structs, maps or lists, or
// returns nil.
func collectionTable(v reflect.Value) *table {
	if !isCollection(v.Type()) {
		return nil
	}
	t := &table{named: v.Kind() == reflect.Map}
	items := t.addRows(v)
	switch r := rowType(items); {
	case r == nil:
		return nil
	case r.Kind() == reflect.Struct:
		t.structs(r, items)
	case r.Kind() == reflect.Map:
		t.maps(items)
	default:
		t.lists(items)
	}
	if len(t.columns) == 0 {
		return nil // also for want of elements
	}
	t.what = fmt.Sprintf("%s, %d %s", Type(v.Type()), v.Len(), plural(v.Len(), "row"))
	for i := range t.columns {
		t.columns[i].align()
	}
	return t
}

// isCollection tells whether the elements of a type can be rows. The entries of a
// map of any, as JSON is decoded to, are unlike each other.
func isCollection(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return t.Elem().Kind() == reflect.Interface || hasColumns(t.Elem())
	case reflect.Map:
		return hasColumns(t.Elem())
	}
	return false
}

// addRows adds the rows without their cells, and returns what is in them.
func (t *table) addRows(v reflect.Value) []reflect.Value {
	var items []reflect.Value
	e := elementsOf(v)
	for _, i := range shown(v.Len(), maxRows, keptRows) {
		if i < 0 {
			t.rows, items = append(t.rows, gapRow), append(items, reflect.Value{})
			continue
		}
		head := strconv.Itoa(i)
		if t.named {
			head = cellOf(e.entry(i).Key).text
		}
		t.rows, items = append(t.rows, row{head: head}), append(items, target(e.value(i)))
	}
	return items
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// target follows pointers and interfaces. It returns no value for nil.
func target(v reflect.Value) reflect.Value {
	for range maxDepth {
		if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
			v = v.Elem()
		}
	}
	return v
}

// rowType returns the type that all rows have if it has columns, or nil.
func rowType(items []reflect.Value) reflect.Type {
	var t reflect.Type
	for _, v := range items {
		switch {
		case !v.IsValid():
		case t == nil:
			t = v.Type()
		case t != v.Type():
			return nil
		}
	}
	if t == nil || !hasColumns(t) {
		return nil
	}
	return t
}

// hasColumns tells whether values of a type, or what they point to, can be rows.
func hasColumns(t reflect.Type) bool {
	if hasText(reflect.Zero(t)) {
		return false
	}
	switch t.Kind() {
	case reflect.Pointer:
		return t.Elem().Kind() != reflect.Pointer && hasColumns(t.Elem())
	case reflect.Struct:
		return true
	case reflect.Map:
		return t.Key().Kind() == reflect.String && t.Elem().Kind() != reflect.Map
	case reflect.Slice, reflect.Array:
		return isScalar(t.Elem().Kind()) && !isBytes(t)
	}
	return false
}

// structs makes a column of each field, those of embedded structs included.
func (t *table) structs(r reflect.Type, items []reflect.Value) {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(r) {
		if isShown(f) && f.Name != "_" && !isPromoting(f) {
			fields = append(fields, f)
		}
	}
	for i, v := range items {
		if v.IsValid() {
			items[i] = Addressable(v)
		}
	}
	t.add(len(fields), func(i int) string { return fields[i].Name }, items, func(v reflect.Value, i int) reflect.Value {
		f, err := v.FieldByIndexErr(fields[i].Index)
		if err != nil { // by an embedded pointer that is nil
			return reflect.Value{}
		}
		return Readable(f)
	})
}

// isPromoting tells whether the fields of an embedded struct stand for it.
func isPromoting(f reflect.StructField) bool {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return f.Anonymous && t.Kind() == reflect.Struct && !hasText(reflect.Zero(t))
}

// maps makes a column of each key.
func (t *table) maps(items []reflect.Value) {
	keys := map[string]reflect.Value{}
	for _, v := range items {
		if v.IsValid() && v.Len() <= maxKeys {
			for _, key := range v.MapKeys() {
				keys[key.String()] = key
			}
		}
	}
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	t.add(len(names), func(i int) string { return names[i] }, items, func(v reflect.Value, i int) reflect.Value {
		return v.MapIndex(keys[names[i]])
	})
}

// lists makes a column of each index.
func (t *table) lists(items []reflect.Value) {
	n := 0
	for _, v := range items {
		if v.IsValid() {
			n = max(n, v.Len())
		}
	}
	t.add(n, strconv.Itoa, items, func(v reflect.Value, i int) reflect.Value {
		if i >= v.Len() {
			return reflect.Value{}
		}
		return v.Index(i)
	})
}

// add adds n columns: get returns what an item has in the column i.
func (t *table) add(n int, head func(i int) string, items []reflect.Value, get func(item reflect.Value, i int) reflect.Value) {
	for _, i := range shown(n, maxColumns, keptColumns) {
		if i < 0 {
			t.columns = append(t.columns, t.gap())
			continue
		}
		c := column{head: head(i)}
		for j, v := range items {
			switch {
			case t.rows[j].gap:
				c.cells = append(c.cells, gapCell)
			case !v.IsValid():
				c.cells = append(c.cells, nilCell)
			default:
				c.cells = append(c.cells, cellOf(get(v, i)))
			}
		}
		t.columns = append(t.columns, c)
	}
}

// cellOf shows a value in a cell. Strings need no quotes there.
func cellOf(v reflect.Value) cell {
	if v.IsValid() && v.Kind() == reflect.Interface {
		if v = v.Elem(); !v.IsValid() {
			return nilCell
		}
	}
	if !v.IsValid() {
		return cell{none: true}
	}
	if t, ok := v.Interface().(time.Time); ok {
		return cell{text: t.Format("2006-01-02 15:04:05.999999999Z07:00")}
	}
	if s, ok := brief(v); ok {
		return cell{text: ellipsis(s)}
	}
	if v.CanFloat() {
		return cell{text: scalar(v), numeric: true, float: true, value: v.Float()}
	}
	if s := v.String(); v.Kind() == reflect.String && (s == "" || isReadable(s) && !strings.ContainsAny(s, "\n\t\x1b")) {
		return cell{text: ellipsis(s)}
	}
	n := (&literal{budget: maxCell}).node(v, maxDepth-2, field)
	return cell{text: ellipsis(n.flat()), numeric: n.numeric}
}
