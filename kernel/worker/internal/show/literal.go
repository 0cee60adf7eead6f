package show

import (
	"cmp"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

const (
	// A collection of more than most elements is cut to its first and last kept
	// ones; sooner if each takes a line, or inside of another value.
	maxElements, keptElements           = 200, 20
	maxLines, keptLines                 = 50, 15
	maxInnerElements, keptInnerElements = 24, 4

	maxInner = 200    // bytes of a text inside of a value
	maxDepth = 6      // of values in values
	maxParts = 2_000  // of a value in all
	maxKeys  = 20_000 // of a map, to be put in order
)

// literal builds the Go literal of a value. What it leads back to is not
// followed, and it ends with a budget of parts.
type literal struct {
	budget int
	path   []visit // what is being shown
}

// visit is a pointer, a map or a slice on the way. A slice of a slice is another.
type visit struct {
	p   unsafe.Pointer
	len int
	t   reflect.Type
}

// place says how much of a value's type its place tells.
type place int

const (
	alone   place = iota // nothing
	field                // whether nil has a type; a literal needs it
	element              // all
)

// node builds the literal of v.
func (l *literal) node(v reflect.Value, depth int, at place) node {
	if l.budget--; l.budget < 0 {
		return node{text: "…"}
	}
	if v.IsValid() && v.Kind() == reflect.Interface {
		v, at = v.Elem(), alone
	}
	if !v.IsValid() {
		return node{text: "nil"}
	}
	if s, ok := brief(v); ok {
		return node{text: s}
	}
	t := v.Type()
	name := Type(t)
	head := name
	if at == element || t.Kind() == reflect.Struct && t.Name() == "" && t.NumField() > 0 {
		head = ""
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Func, reflect.Chan:
		if v.IsNil() {
			return node{text: nilText(name, at)}
		}
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Array:
		return l.composite(v, head, depth)
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return l.reference(v, head, depth, at)
	}
	return node{text: scalar(v), short: isScalar(v.Kind()), numeric: isNumber(v.Kind())}
}

// brief returns the line that a value has instead of a literal: its own text, or
// how large a matrix or a picture is.
func brief(v reflect.Value) (string, bool) {
	if s, _, ok := ownText(v); ok {
		if first, _, more := strings.Cut(s, "\n"); more {
			s = first + " …"
		}
		return cut(s, maxInner), true
	}
	size := dimensions(withMethods(v))
	return Type(v.Type()) + "(" + size + ")", size != ""
}

// reference builds the literal of what may lead back to itself.
func (l *literal) reference(v reflect.Value, head string, depth int, at place) node {
	here := visit{p: v.UnsafePointer(), t: v.Type()}
	if v.Kind() == reflect.Slice {
		here.len = v.Len()
	}
	if slices.Contains(l.path, here) {
		return node{text: strings.Replace(Type(v.Type()), "*", "&", 1) + "{… shown above …}"}
	}
	l.path = append(l.path, here)
	defer func() { l.path = l.path[:len(l.path)-1] }()
	if v.Kind() != reflect.Pointer {
		return l.composite(v, head, depth)
	}
	n := l.node(v.Elem(), depth, at)
	switch {
	case !n.composite:
		n.text = "&" + n.text
	case at != element:
		n.head = "&" + n.head
	}
	return n
}

// composite builds the literal of what has parts, or is text in bytes.
func (l *literal) composite(v reflect.Value, head string, depth int) node {
	n := node{head: head, composite: true}
	if v.Kind() == reflect.Slice && isBytes(v.Type()) {
		if b := string(v.Bytes()); isReadable(b[:startOfRune(b, maxInner)]) {
			return node{text: Type(v.Type()) + "(" + quoted(b) + ")"}
		}
	}
	switch {
	case depth == maxDepth:
		n.parts = []part{{node: node{text: "…"}}}
	case v.Kind() == reflect.Struct:
		l.fields(&n, v, depth)
	default:
		l.elements(&n, v, depth)
	}
	return n
}

// fields adds a struct's fields: all, or those of another package's struct that
// a program can name.
func (l *literal) fields(n *node, v reflect.Value, depth int) {
	v = Addressable(v)
	hidden := false
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Name != "_" {
			if !isShown(f) {
				hidden = true
				continue
			}
			n.parts = append(n.parts, part{f.Name + ": ", l.node(Readable(v.Field(i)), depth+1, field)})
		}
	}
	if hidden {
		n.parts = append(n.parts, part{node: node{text: "…"}})
	}
}

// elements adds the elements of a slice, an array or a map.
func (l *literal) elements(n *node, v reflect.Value, depth int) {
	most, kept := maxElements, keptElements
	switch {
	case depth > 0:
		most, kept = maxInnerElements, keptInnerElements
	case v.Kind() == reflect.Map || !isScalar(v.Type().Elem().Kind()) || hasText(reflect.Zero(v.Type().Elem())):
		most, kept = maxLines, keptLines
	}
	e := elementsOf(v)
	for _, i := range shown(v.Len(), most, kept) {
		switch {
		case i < 0:
			n.parts = append(n.parts, part{node: node{text: fmt.Sprintf("… %d more …", v.Len()-2*kept), gap: true}})
		case v.Kind() == reflect.Map:
			n.parts = append(n.parts, part{l.node(e.entry(i).Key, depth+1, element).flat() + ": ", l.node(e.value(i), depth+1, element)})
		case isBytes(v.Type()):
			n.parts = append(n.parts, part{node: node{text: fmt.Sprintf("0x%02x", e.value(i).Uint()), short: true}})
		default:
			n.parts = append(n.parts, part{node: l.node(e.value(i), depth+1, element)})
		}
	}
}

// elements are what a slice, an array or a map holds, by number.
type elements struct {
	v       reflect.Value
	entries []Entry // of a map, in the order of their keys
}

// Entry is one of a map.
type Entry struct{ Key, Value reflect.Value }

// Entries are those of a map in the order of their keys; of a very large one, a few.
func Entries(v reflect.Value) []Entry { return elementsOf(v).entries }

func elementsOf(v reflect.Value) elements {
	e := elements{v: v}
	if v.Kind() != reflect.Map {
		return e
	}
	// Those of a very large map are taken as they come, a few of them to stand for
	// its first and last.
	for it := v.MapRange(); it.Next() && (len(e.entries) < 2*maxElements || v.Len() <= maxKeys); {
		e.entries = append(e.entries, Entry{it.Key(), it.Value()})
	}
	slices.SortStableFunc(e.entries, func(a, b Entry) int { return compare(a.Key, b.Key) })
	return e
}

func (e elements) entry(i int) Entry {
	if i >= len(e.entries) { // of those that come last in a very large map
		i -= e.v.Len() - len(e.entries)
	}
	return e.entries[i]
}

func (e elements) value(i int) reflect.Value {
	if e.v.Kind() == reflect.Map {
		return e.entry(i).Value
	}
	return e.v.Index(i)
}

// shown lists the indices of elements to show, -1 for a gap.
func shown(n, most, kept int) []int {
	var list []int
	for i := 0; i < n; i++ {
		if n > most && i == kept {
			list = append(list, -1)
			i = n - kept
		}
		list = append(list, i)
	}
	return list
}

// isShown tells whether a program can name a field, which a cell can if the type
// is a cell's.
func isShown(f reflect.StructField) bool { return f.IsExported() || f.PkgPath == "main" }

// Addressable returns the value, or a copy whose fields have addresses.
func Addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

// Readable returns a field as if it were exported, so that a time.Time is shown
// as one in whatever field it is.
func Readable(v reflect.Value) reflect.Value {
	if v.CanInterface() {
		return v
	}
	return reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
}

// plainNames are those that people prefer to reflect's.
var plainNames = strings.NewReplacer("interface {}", "any", "struct {", "struct{", "[]uint8", "[]byte")

// Type is a type as a cell writes it, cut if it is long.
func Type(t reflect.Type) string {
	s := plainNames.Replace(t.String())
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, "main.")
		b.WriteString(before)
		if r, _ := utf8.DecodeLastRuneInString(before); found && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_') {
			b.WriteString("main.") // the end of another name
		}
		s = after
	}
	return ellipsis(b.String())
}

// nilText is nil, with its type if its place does not tell that.
func nilText(name string, at place) string {
	switch {
	case at != alone:
		return "nil"
	case strings.ContainsAny(name[:1], "*cf<"): // (*int)(nil), (chan int)(nil), (func())(nil)
		return "(" + name + ")(nil)"
	}
	return name + "(nil)"
}

// scalar shows what has no parts.
func scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Func:
		return signature(v)
	case reflect.Chan:
		return channel(v)
	case reflect.String:
		return quoted(v.String())
	case reflect.Uintptr:
		return fmt.Sprintf("0x%x", v.Uint())
	case reflect.UnsafePointer:
		return fmt.Sprintf("%v", v.UnsafePointer())
	case reflect.Float32:
		return strconv.FormatFloat(v.Float(), 'g', -1, 32)
	}
	return fmt.Sprintf("%v", v)
}

// isScalar tells whether values of a kind have no parts.
func isScalar(k reflect.Kind) bool {
	return k == reflect.Bool || k == reflect.String || isNumber(k)
}

func isBytes(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8
}

func isNumber(k reflect.Kind) bool { return reflect.Int <= k && k <= reflect.Complex128 }

// signature shows a function, with its name if it has one.
func signature(v reflect.Value) string {
	t := v.Type()
	s := Type(t)
	name := strings.TrimSuffix(runtime.FuncForPC(v.Pointer()).Name(), "-fm")
	name = strings.TrimPrefix(name[strings.LastIndexByte(name, '/')+1:], "main.")
	if t.Name() != "" || name == "" || strings.Contains(name, ".func") || strings.Contains(name, "cellʹ") || strings.Contains(name, "reflect.") {
		return s
	}
	return "func " + name + strings.TrimPrefix(s, "func")
}

// channel shows a channel, as far as nobody has to receive from it.
func channel(v reflect.Value) string {
	name := Type(v.Type())
	if v.Cap() == 0 {
		return name + " (unbuffered)"
	}
	return fmt.Sprintf("%s (%d of %d buffered)", name, v.Len(), v.Cap())
}

// compare orders the keys of a map, as far as they are of basic types, as fmt does.
func compare(a, b reflect.Value) int {
	for a.Kind() == reflect.Interface && b.Kind() == reflect.Interface && !a.IsNil() && !b.IsNil() {
		a, b = a.Elem(), b.Elem()
	}
	if a.Kind() != b.Kind() {
		return cmp.Compare(a.Kind(), b.Kind())
	}
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	case a.Kind() == reflect.String:
		return cmp.Compare(a.String(), b.String())
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}
