package carry

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

// A region is memory that a variable leads to: n values of a type, one after another.
type region struct {
	at   unsafe.Pointer
	t    reflect.Type
	n    int
	root bool // it is a variable's own
}

func (r *region) size() uintptr { return uintptr(r.n) * r.t.Size() }
func (r *region) end() uintptr  { return uintptr(r.at) + r.size() }

// A place is memory seen as a type.
type place struct {
	at unsafe.Pointer
	t  reflect.Type
}

// A walk finds the memory that a variable leads to.
type walk struct {
	found map[place]*region
	maps  map[unsafe.Pointer]bool
	todo  []*region
	needs map[string]bool // names of functions and types of the notebook
}

func newWalk() *walk {
	return &walk{found: map[place]*region{}, maps: map[unsafe.Pointer]bool{}, needs: map[string]bool{}}
}

// An obstacle is what keeps a variable from being carried.
type obstacle struct {
	what   string  // "a channel"
	path   string  // where in the region
	region *region // in which it was met
}

func (o *obstacle) in(step string) *obstacle {
	if o != nil {
		o.path = step + o.path
	}
	return o
}

func (o *obstacle) String() string {
	if o.path == "" {
		return o.what
	}
	t := o.region.t.String()
	if o.region.n > 1 {
		t = "[]" + t
	}
	return o.what + ", in " + o.path + " of a value of type " + t
}

// Obstacles by what they are.
const (
	aChannel  = "a channel"
	aClosure  = "a function literal"
	aFile     = "an open file or connection"
	aMutex    = "a locked mutex"
	anAddress = "an address (unsafe.Pointer)"
	ofC       = "memory of C"
)

// variable goes through all that a variable leads to.
func (w *walk) variable(p reflect.Value) *obstacle {
	if p.Type().Elem().Size() > 0 {
		w.refer(p.UnsafePointer(), p.Type().Elem(), 1, true)
	}
	for len(w.todo) > 0 {
		r := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if raw(r.t) {
			continue
		}
		for i := range r.n {
			o := w.scan(r.t, unsafe.Add(r.at, uintptr(i)*r.t.Size()), r)
			if o == nil {
				continue
			}
			if r.n > 1 {
				o.in("[" + strconv.Itoa(i) + "]")
			}
			return o
		}
	}
	return nil
}

// refer notes that n values of a type are led to.
func (w *walk) refer(at unsafe.Pointer, t reflect.Type, n int, root bool) {
	key := place{at, t}
	if r := w.found[key]; r != nil && r.n >= n {
		return
	}
	r := &region{at, t, n, root}
	if old := w.found[key]; old != nil {
		r.root = r.root || old.root
	}
	w.found[key] = r
	w.todo = append(w.todo, r)
}

// scan looks for what a value leads to.
func (w *walk) scan(t reflect.Type, p unsafe.Pointer, r *region) *obstacle {
	if raw(t) {
		return nil
	}
	if what := unique(t, p); what != "" {
		return &obstacle{what: what, region: r}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.pointer(*(*unsafe.Pointer)(p), t.Elem(), 1, r)
	case reflect.Slice:
		s := (*slice)(p)
		if s.cap == 0 {
			return nil
		}
		return w.pointer(s.data, t.Elem(), s.cap, r)
	case reflect.Map:
		m := reflect.NewAt(t, p).Elem()
		if m.IsNil() || w.maps[m.UnsafePointer()] {
			return nil
		}
		w.maps[m.UnsafePointer()] = true
		for it := m.MapRange(); it.Next(); {
			for _, v := range []reflect.Value{it.Key(), it.Value()} {
				if o := w.scan(v.Type(), copied(v).UnsafePointer(), r); o != nil {
					return o.in("[…]")
				}
			}
		}
	case reflect.Interface:
		v := reflect.NewAt(t, p).Elem()
		if v.IsNil() {
			return nil
		}
		w.needType(v.Elem().Type())
		return w.scan(v.Elem().Type(), copied(v.Elem()).UnsafePointer(), r)
	case reflect.Func:
		return w.function(*(*unsafe.Pointer)(p), r)
	case reflect.Chan:
		if *(*unsafe.Pointer)(p) != nil {
			return &obstacle{what: aChannel, region: r}
		}
	case reflect.UnsafePointer:
		if *(*unsafe.Pointer)(p) != nil {
			return &obstacle{what: anAddress, region: r}
		}
	case reflect.Array:
		for i := range t.Len() {
			if o := w.scan(t.Elem(), unsafe.Add(p, uintptr(i)*t.Elem().Size()), r); o != nil {
				return o.in("[" + strconv.Itoa(i) + "]")
			}
		}
	case reflect.Struct:
		if target := atomicTarget(t); target != nil {
			return w.pointer(*(*unsafe.Pointer)(p), target, 1, r)
		}
		for f := range t.Fields() {
			if dropped(t, f) {
				continue
			}
			if o := w.scan(f.Type, unsafe.Add(p, f.Offset), r); o != nil {
				return o.in("." + f.Name)
			}
		}
	}
	return nil
}

// pointer looks at where a pointer leads.
func (w *walk) pointer(at unsafe.Pointer, t reflect.Type, n int, r *region) *obstacle {
	if at == nil || t.Size() == 0 {
		return nil
	}
	if standardAt(at) >= 0 {
		return nil
	}
	if !Here.InHeap(at) {
		switch file, _, ofCell := Here.Library(at); {
		case file == "":
			return &obstacle{what: ofC, region: r}
		case !ofCell:
			return nil // a package's variable, which the other process has, too
		}
	}
	w.refer(at, t, n, false)
	return nil
}

// function looks at a function value: one of a package is in both processes, one of the
// notebook can be compiled anew, and a closure is neither.
func (w *walk) function(at unsafe.Pointer, r *region) *obstacle {
	if at == nil {
		return nil
	}
	if !Here.InHeap(at) {
		file, _, ofCell := Here.Library(at)
		if file != "" && (!ofCell || codeOfLibrary(at)) {
			return nil
		}
		if name := functionName(at); name != "" {
			w.needs[name] = true
			return nil
		}
	}
	return &obstacle{what: aClosure, region: r}
}

// codeOfLibrary tells that a value which lies in a cell's library is a function of a
// package.
func codeOfLibrary(at unsafe.Pointer) bool {
	file, _, ofCell := Here.Library(*(*unsafe.Pointer)(at))
	return file != "" && !ofCell
}

// functionName is the name of the notebook's function that a value without captured
// variables is, "" if it is none of the top level.
func functionName(at unsafe.Pointer) string {
	f := runtime.FuncForPC(*(*uintptr)(at))
	if f == nil {
		return ""
	}
	name, ok := strings.CutPrefix(f.Name(), "main.")
	if !ok || strings.ContainsAny(name, ".[(") {
		return ""
	}
	return name
}

// needType notes the types of the notebook that a type is made of.
func (w *walk) needType(t reflect.Type) {
	for composite(t) {
		if t.Kind() == reflect.Map {
			w.needType(t.Key())
		}
		t = t.Elem()
	}
	if t.PkgPath() == "main" && !strings.Contains(t.Name(), "[") {
		w.needs[t.Name()] = true
	}
}

// slice is how a slice lies in memory.
type slice struct {
	data     unsafe.Pointer
	len, cap int
}

// copied makes a pointer to a copy of a value, such as that in an interface.
func copied(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type())
	c.Elem().Set(v)
	return c
}

var raws = map[reflect.Type]bool{} // Save and Restore are called one at a time

// raw tells whether the memory of a type's values is all that there is to them.
func raw(t reflect.Type) bool {
	known, ok := raws[t]
	if ok {
		return known
	}
	is := false
	switch t.Kind() {
	case reflect.Array:
		is = t.Len() == 0 || raw(t.Elem())
	case reflect.Struct:
		is = !special(t)
		for f := range t.Fields() {
			is = is && raw(f.Type)
		}
	case reflect.String, reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
	default:
		is = true
	}
	raws[t] = is
	return is
}

func standardAt(at unsafe.Pointer) int {
	for i, p := range standard {
		if p == at {
			return i
		}
	}
	return -1
}

// special tells of types of the standard library whose values are more, or less, than
// their memory.
func special(t reflect.Type) bool {
	switch t.PkgPath() {
	case "sync", "sync/atomic", "internal/sync", "internal/poll", "unique", "weak", "hash/maphash", "reflect", "internal/abi", "runtime", "time", "os":
		return true
	}
	return false
}

// unique tells of a value that means something in its process only.
func unique(t reflect.Type, p unsafe.Pointer) string {
	if !special(t) {
		return ""
	}
	name, _, _ := strings.Cut(t.Name(), "[")
	switch t.PkgPath() + "." + name {
	case "os.file", "internal/poll.FD":
		return aFile
	case "sync.Mutex", "internal/sync.Mutex":
		if *(*int32)(p) != 0 {
			return aMutex
		}
	case "sync.RWMutex":
		for f := range t.Fields() {
			if k := f.Type.Kind(); k == reflect.Struct && f.Type.PkgPath() == "sync/atomic" && *(*int32)(unsafe.Add(p, f.Offset)) != 0 {
				return aMutex
			}
		}
	case "sync.WaitGroup":
		for f := range t.Fields() {
			if f.Name == "state" && *(*uint64)(unsafe.Add(p, f.Offset)) != 0 {
				return "a sync.WaitGroup that waits for goroutines"
			}
		}
	case "sync.Map", "internal/sync.HashTrieMap":
		if reflect.NewAt(t, p).Elem().IsZero() {
			return ""
		}
		return "a sync.Map"
	case "sync.Cond", "unique.Handle", "weak.Pointer", "hash/maphash.Seed", "hash/maphash.Hash", "reflect.Value":
		return "a " + t.String()
	case "reflect.rtype", "internal/abi.Type":
		return "a reflect.Type"
	}
	return ""
}

// dropped tells of fields that are left at zero: what a sync.Pool holds may go at any
// time.
func dropped(t reflect.Type, f reflect.StructField) bool {
	return t.PkgPath() == "sync" && t.Name() == "Pool" && f.Name != "New"
}

// atomicTarget is what an atomic.Pointer points to; nil for other types.
func atomicTarget(t reflect.Type) reflect.Type {
	if t.PkgPath() == "sync/atomic" && strings.HasPrefix(t.Name(), "Pointer[") {
		return t.Field(0).Type.Elem().Elem()
	}
	return nil
}
