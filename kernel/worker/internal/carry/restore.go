package carry

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"unsafe"
)

// Restore gives variables the values of a file that Save has written, in a process in
// which they have the zero value yet: pointers to those that were kept, in their order.
// Needs are what Save has asked for, functions by their names. It returns for each why
// it cannot be restored; then none is, and the file has to be written again without
// those.
func Restore(file string, variables []any, needs map[string]any) (reasons []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	r := &restorer{variables: variables, needs: needs, reasons: make([]string, len(variables))}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s is damaged: %v", file, p)
		}
	}()
	r.readTable(f, info.Size())
	if r.failed {
		return r.reasons, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r.reader = &reader{bufio.NewReaderSize(f, 1<<20), info.Size()}
	head := make([]byte, len(magic))
	if r.bytes(head); string(head) != magic {
		r.fail("it is of another version")
	}
	for _, b := range r.blocks {
		r.fill(b)
	}
	return r.reasons, nil
}

// A restorer makes values anew.
type restorer struct {
	*reader
	variables []any
	needs     map[string]any
	reasons   []string
	failed    bool
	names     []name
	blocks    []restored
	maps      []reflect.Value
}

// A name is what the file names, as it is here.
type name struct {
	t        reflect.Type
	base     unsafe.Pointer // of a library
	function unsafe.Pointer
	problem  string
}

type restored struct {
	at unsafe.Pointer
	t  reflect.Type
	n  int
}

// readTable reads what the file holds, and makes its blocks.
func (r *restorer) readTable(f *os.File, size int64) {
	var at [8]byte
	if _, err := f.ReadAt(at[:], size-8); err != nil {
		panic(damage{err})
	}
	begin := int64(binary.LittleEndian.Uint64(at[:]))
	if begin < 0 || begin > size-8 {
		panic(damage{errors.New("its table is missing")})
	}
	r.reader = &reader{bufio.NewReader(io.NewSectionReader(f, begin, size-8-begin)), size}
	index := indexTypes()
	for range r.count() {
		r.names = append(r.names, r.resolve(index, r.text()))
	}
	type shape struct{ name, n, variable int }
	var shapes []shape
	for range r.count() {
		shapes = append(shapes, shape{int(r.number()), int(r.number()), int(r.number()) - 1})
	}
	kept := r.count()
	if kept != len(r.variables) {
		r.fail("it has %d variables, and %d are wanted", kept, len(r.variables))
	}
	numbers := map[int]int{} // by the variables' numbers when they were saved
	for i := range kept {
		numbers[int(r.number())] = i
		for range r.count() {
			if problem := r.names[r.number()].problem; problem != "" && r.reasons[i] == "" {
				r.reasons[i], r.failed = problem, true
			}
		}
	}
	if r.failed {
		return
	}
	for _, s := range shapes {
		n := r.names[s.name]
		switch {
		case n.problem != "":
			r.fail("%s", n.problem)
		case s.variable >= 0:
			v := reflect.ValueOf(r.variables[numbers[s.variable]])
			if v.Type().Elem() != n.t {
				r.reasons[numbers[s.variable]], r.failed = "a value of type "+n.t.String()+", which it cannot have now", true
			}
			r.blocks = append(r.blocks, restored{at: v.UnsafePointer(), t: n.t, n: s.n})
		default:
			made := reflect.MakeSlice(reflect.SliceOf(n.t), s.n, s.n)
			r.blocks = append(r.blocks, restored{at: made.UnsafePointer(), t: n.t, n: s.n})
		}
	}
}

// resolve finds what a name means here.
func (r *restorer) resolve(index typeIndex, text string) (n name) {
	if text == "" {
		r.fail("a name is empty")
	}
	kind, text := text[0], text[1:]
	switch kind {
	case typeName:
		n.t, n.problem = index.read(&reader{bufio.NewReader(strings.NewReader(text)), int64(len(text))})
	case libraryName:
		if n.base = Here.Base(text); n.base == nil {
			n.problem = "a package that it refers to has changed"
		}
	case functionMade:
		f := reflect.ValueOf(r.needs[text])
		if f.Kind() != reflect.Func {
			n.problem = "the function " + text + " as it was before it was redefined"
			return n
		}
		n.function = *(*unsafe.Pointer)(copied(f).UnsafePointer())
	default:
		r.fail("a name of kind %q", kind)
	}
	return n
}

// fill gives a block its contents.
func (r *restorer) fill(b restored) {
	if raw(b.t) {
		r.memory(b.at, uintptr(b.n)*b.t.Size())
		return
	}
	for i := range b.n {
		r.value(b.t, unsafe.Add(b.at, uintptr(i)*b.t.Size()))
	}
}

func (r *restorer) memory(at unsafe.Pointer, size uintptr) {
	if size > 0 {
		r.bytes(unsafe.Slice((*byte)(at), size))
	}
}

// pointer reads where a pointer leads.
func (r *restorer) pointer(t reflect.Type) unsafe.Pointer {
	switch n := r.number(); n {
	case isNil:
		return nil
	case isEmpty:
		return reflect.New(t).UnsafePointer()
	case isStandard:
		return standard[r.number()]
	case inLibrary:
		return r.library()
	default:
		if n-inBlocks >= uint64(len(r.blocks)) {
			r.fail("block %d of %d", n-inBlocks, len(r.blocks))
		}
		return unsafe.Add(r.blocks[n-inBlocks].at, r.number())
	}
}

func (r *restorer) library() unsafe.Pointer {
	base := r.names[r.number()].base
	return unsafe.Add(base, r.number())
}

// value reads a value.
func (r *restorer) value(t reflect.Type, p unsafe.Pointer) {
	if raw(t) {
		r.memory(p, t.Size())
		return
	}
	switch t.Kind() {
	case reflect.String:
		*(*string)(p) = r.text()
	case reflect.Pointer:
		*(*unsafe.Pointer)(p) = r.pointer(t.Elem())
	case reflect.Slice:
		v := (*slice)(p)
		if v.data = r.pointer(t.Elem()); v.data != nil {
			v.len, v.cap = int(r.number()), int(r.number())
		}
	case reflect.Map:
		reflect.NewAt(t, p).Elem().Set(r.mapping(t))
	case reflect.Interface:
		n := r.number()
		if n == isNil {
			return
		}
		v := reflect.New(r.names[n-1].t)
		r.value(v.Type().Elem(), v.UnsafePointer())
		reflect.NewAt(t, p).Elem().Set(v.Elem())
	case reflect.Func:
		switch r.number() {
		case functionOfLibrary:
			*(*unsafe.Pointer)(p) = r.library()
		case codeInLibrary:
			value := new(unsafe.Pointer)
			*value = r.library()
			*(*unsafe.Pointer)(p) = unsafe.Pointer(value)
		case functionOfNotebook:
			*(*unsafe.Pointer)(p) = r.names[r.number()].function
		}
	case reflect.Array:
		for i := range t.Len() {
			r.value(t.Elem(), unsafe.Add(p, uintptr(i)*t.Elem().Size()))
		}
	case reflect.Struct:
		if target := atomicTarget(t); target != nil {
			*(*unsafe.Pointer)(p) = r.pointer(target)
			return
		}
		for f := range t.Fields() {
			if !dropped(t, f) {
				r.value(f.Type, unsafe.Add(p, f.Offset))
			}
		}
	}
}

func (r *restorer) mapping(t reflect.Type) reflect.Value {
	switch n := r.number(); n {
	case isNil:
		return reflect.Zero(t)
	case 1:
		size := r.number()
		m := reflect.MakeMapWithSize(t, int(min(size, 1<<20)))
		r.maps = append(r.maps, m)
		for range size {
			key, value := reflect.New(t.Key()), reflect.New(t.Elem())
			r.value(t.Key(), key.UnsafePointer())
			r.value(t.Elem(), value.UnsafePointer())
			m.SetMapIndex(key.Elem(), value.Elem())
		}
		return m
	default:
		if n-2 >= uint64(len(r.maps)) {
			r.fail("map %d of %d", n-2, len(r.maps))
		}
		return r.maps[n-2]
	}
}

// A reader reads numbers and texts of a file, and panics with damage.
type reader struct {
	r    *bufio.Reader
	most int64 // how much can be there
}

type damage struct{ error }

func (r *reader) fail(format string, args ...any) { panic(damage{fmt.Errorf(format, args...)}) }

func (r *reader) bytes(p []byte) {
	if _, err := io.ReadFull(r.r, p); err != nil {
		panic(damage{err})
	}
}

func (r *reader) byte() byte {
	b, err := r.r.ReadByte()
	if err != nil {
		panic(damage{err})
	}
	return b
}

func (r *reader) number() uint64 {
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		panic(damage{err})
	}
	return n
}

// count reads how many there are of something that takes a byte at least.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(r.most) {
		r.fail("%d of something in a file of %d bytes", n, r.most)
	}
	return int(n)
}

func (r *reader) text() string {
	text := make([]byte, r.count())
	r.bytes(text)
	return string(text)
}
