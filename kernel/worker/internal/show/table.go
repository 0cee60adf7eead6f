package show

import (
	"fmt"
	"html"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// Of more rows or columns than most the first and last kept ones are shown.
	maxRows, keptRows       = 30, 10
	maxColumns, keptColumns = 20, 8

	maxCell     = 60 // runes of a cell
	maxDecimals = 6  // of the numbers of a column
)

// table is what is shown in rows and columns.
type table struct {
	what    string // the type and how much of it there is
	rows    []row
	named   bool // the heads of rows are keys
	columns []column
}

// row is the head of a row, an index or a key. A gap stands for rows that are not
// shown.
type row struct {
	head string
	gap  bool
}

// column is a column of a table, or as row, a gap.
type column struct {
	head  string
	cells []cell
	right bool // aligned at the right, as numbers are
	gap   bool
}

type cell struct {
	text    string
	numeric bool
	float   bool // a number that may be written with fewer digits
	value   float64
	none    bool // there is no value: a gap or nil
}

var (
	gapRow  = row{head: "…", gap: true}
	gapCell = cell{text: "…", none: true}
	nilCell = cell{text: "nil", none: true}
)

// collectionTable makes the table of a collection of structs, maps or lists, or
// returns nil.
func collectionTable(v reflect.Value) *table {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
	case reflect.Map: // not what is decoded from JSON: its entries are no rows
		if v.Type().Elem().Kind() == reflect.Interface {
			return nil
		}
	default:
		return nil
	}
	t := &table{named: v.Kind() == reflect.Map}
	var items []reflect.Value // of the rows
	e := elementsOf(v)
	for _, i := range shown(v.Len(), maxRows, keptRows) {
		if i < 0 {
			t.rows, items = append(t.rows, gapRow), append(items, reflect.Value{})
			continue
		}
		head := strconv.Itoa(i)
		if t.named {
			head = cellOf(e.key(i)).text
		}
		t.rows, items = append(t.rows, row{head: head}), append(items, target(e.value(i)))
	}
	switch r := rowType(v.Type().Elem(), items); {
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
	t.what = fmt.Sprintf("%s, %d %s", typeName(v.Type()), v.Len(), plural(v.Len(), "row"))
	for i := range t.columns {
		t.columns[i].align()
	}
	return t
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
func rowType(declared reflect.Type, items []reflect.Value) reflect.Type {
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
	if t == nil || hasText(reflect.Zero(t)) || declared.Kind() != reflect.Interface && hasText(reflect.Zero(declared)) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return t
	case reflect.Map:
		if t.Key().Kind() == reflect.String && t.Elem().Kind() != reflect.Map {
			return t
		}
	case reflect.Slice, reflect.Array:
		if k := t.Elem().Kind(); isScalar(k) && k != reflect.Uint8 {
			return t
		}
	}
	return nil
}

// structs makes a column of each field, those of embedded structs included.
func (t *table) structs(r reflect.Type, items []reflect.Value) {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(r) {
		embedded := f.Anonymous && target(reflect.Zero(f.Type)).Kind() == reflect.Struct && !hasText(reflect.Zero(f.Type))
		if isShown(f) && f.Name != "_" && !embedded {
			fields = append(fields, f)
		}
	}
	for i, v := range items {
		if v.IsValid() {
			items[i] = addressable(v)
		}
	}
	t.add(len(fields), func(i int) string { return fields[i].Name }, items, func(v reflect.Value, i int) reflect.Value {
		f, err := v.FieldByIndexErr(fields[i].Index)
		if err != nil { // by an embedded pointer that is nil
			return reflect.Value{}
		}
		return readable(f)
	})
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

func (t *table) gap() column {
	return column{head: "…", right: true, gap: true, cells: slices.Repeat([]cell{gapCell}, len(t.rows))}
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

func ellipsis(s string) string {
	if width(s) <= maxCell {
		return s
	}
	return string([]rune(s)[:maxCell-1]) + "…"
}

// align sets how the column is aligned, and gives its floats the same number of
// decimals.
func (c *column) align() {
	numbers, decimals, plain := 0, 0, true
	for _, x := range c.cells {
		switch {
		case x.none:
		case !x.numeric:
			return
		default:
			numbers++
			if x.float {
				d, ok := decimalsOf(x.value)
				decimals, plain = max(decimals, d), plain && ok
			}
		}
	}
	c.right = numbers > 0
	for i, x := range c.cells {
		switch {
		case !x.float:
		case plain && !math.IsNaN(x.value) && !math.IsInf(x.value, 0):
			c.cells[i].text = strconv.FormatFloat(x.value, 'f', decimals, 64)
		default:
			c.cells[i].text = strconv.FormatFloat(x.value, 'g', 6, 64)
		}
	}
}

// decimalsOf tells how many decimals show the six digits of f that count, and
// whether that is a form that can be read.
func decimalsOf(f float64) (int, bool) {
	size := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) || f == 0:
		return 0, true
	case size == math.Trunc(size):
		return 0, size < 1e15
	case size < 1e-4 || size >= 1e9:
		return 0, false
	}
	decimals := 5 - int(math.Floor(math.Log10(size)))
	s := strings.TrimRight(strconv.FormatFloat(size, 'f', min(max(0, decimals), maxDecimals), 64), "0")
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction), true
}

// narrowed returns the table with as many of its first and last columns as fit
// into a line.
func (t *table) narrowed() *table {
	room := lineWidth - t.headWidth()
	total := 0
	for _, c := range t.columns {
		total += 2 + c.width()
	}
	if total <= room {
		return t
	}
	room -= 3 // for the gap
	first, last := 0, len(t.columns)
	for first < last {
		i := last - 1
		if first <= len(t.columns)-last {
			i = first
		}
		if room -= 2 + t.columns[i].width(); room < 0 && first > 0 {
			break
		}
		if i == first {
			first++
		} else {
			last--
		}
	}
	short := *t
	short.columns = slices.Clone(t.columns[:first])
	if first < last {
		short.columns = append(short.columns, t.gap())
	}
	short.columns = append(short.columns, t.columns[last:]...)
	return &short
}

func (c column) width() int {
	w := width(c.head)
	for _, x := range c.cells {
		w = max(w, width(x.text))
	}
	return w
}

func (t *table) headWidth() int {
	w := 0
	for _, r := range t.rows {
		w = max(w, width(r.head))
	}
	return w
}

// text lays the table out in lines.
func (t *table) text() string {
	t = t.narrowed()
	var b strings.Builder
	b.WriteString(t.what + "\n")
	write := func(head string, cell func(c column) string) {
		line := pad(head, t.headWidth(), !t.named)
		for _, c := range t.columns {
			line += "  " + pad(cell(c), c.width(), c.right)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	write("", func(c column) string { return c.head })
	for i, r := range t.rows {
		write(r.head, func(c column) string { return c.cells[i].text })
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// pad fills a text up with spaces, to its left if it is to stand at the right.
func pad(s string, w int, right bool) string {
	space := strings.Repeat(" ", max(0, w-width(s)))
	if right {
		return space + s
	}
	return s + space
}

// html writes the table for a page. It has no look of its own but for what front
// ends do not agree in.
func (t *table) html() string {
	const left, right = ` style="text-align:left"`, ` style="text-align:right"`
	style := map[bool]string{false: left, true: right}
	var b strings.Builder
	b.WriteString("<table>\n<thead><tr><th></th>")
	for _, c := range t.columns {
		b.WriteString("<th" + style[c.right] + ">" + html.EscapeString(c.head) + "</th>")
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for i, r := range t.rows {
		b.WriteString("<tr><th" + style[!t.named] + ">" + html.EscapeString(r.head) + "</th>")
		for _, c := range t.columns {
			b.WriteString("<td" + style[c.right] + ">" + html.EscapeString(c.cells[i].text) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n<p><small>" + html.EscapeString(t.what) + "</small></p>")
	return b.String()
}
