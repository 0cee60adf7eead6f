package carry

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// A file has the contents of all blocks, then a table of what they are, and last the
// table's place, in 8 bytes.
const magic = "nnkit carry 1\n"

// A block is a region that lies in no other.
type block struct {
	*region
	variable int          // which variable's own memory it is, -1 for none
	uses     map[int]bool // of the table's names
}

// Save writes to a file what variables hold, given pointers to them. It returns for
// each why it is not kept, "" for those that are, and which functions and types of the
// notebook Restore has to be given. The file is there whole or not at all. Save is
// called by the goroutine of a cell, while no other changes what variables lead to.
func Save(file string, variables []any) (reasons []string, needs []string, err error) {
	s := &saver{pointers: variables, reasons: make([]string, len(variables))}
	for s.survey() {
	}
	for name := range s.needs {
		needs = append(needs, name)
	}
	slices.Sort(needs)
	return s.reasons, needs, s.writeFile(file)
}

// A saver decides what is kept, and writes it.
type saver struct {
	pointers []any
	reasons  []string
	needs    map[string]bool
	reached  [][]*block // by each variable
	blocks   []*block   // by address

	out     *bufio.Writer
	err     error
	names   map[string]int // what the table names: types, libraries, functions
	list    []string
	types   map[reflect.Type]int
	maps    map[unsafe.Pointer]int
	current *block
}

// survey goes through what the variables lead to. It tells whether it has to be done
// again, since something was found that changes it.
func (s *saver) survey() (again bool) {
	s.needs, s.blocks = map[string]bool{}, nil
	var all []*region
	variables := map[unsafe.Pointer]int{}
	walks := make([]*walk, len(s.pointers))
	for i, p := range s.pointers {
		if s.reasons[i] != "" {
			continue
		}
		w := newWalk()
		if o := w.variable(reflect.ValueOf(p)); o != nil {
			s.reasons[i] = o.String()
			continue
		}
		walks[i] = w
		variables[reflect.ValueOf(p).UnsafePointer()] = i
		all = slices.AppendSeq(all, maps.Values(w.found))
		maps.Copy(s.needs, w.needs)
	}
	return !s.join(all, walks, variables)
}

func byPlace(a, b *region) int {
	order := cmp.Or(cmp.Compare(uintptr(a.at), uintptr(b.at)), cmp.Compare(b.size(), a.size())) // what holds another comes before it
	if order == 0 && a.root != b.root {
		return map[bool]int{true: -1, false: 1}[a.root]
	}
	return order
}

// join makes blocks of regions. It tells whether that went well; if not, it has found
// variables that are not kept.
func (s *saver) join(all []*region, walks []*walk, variables map[unsafe.Pointer]int) bool {
	slices.SortFunc(all, byPlace)
	blockOf := map[place]*block{}
	odd := map[*region]bool{}
	for _, r := range all {
		key := place{r.at, r.t}
		var last *block
		if n := len(s.blocks); n > 0 && s.blocks[n-1].end() > uintptr(r.at) {
			last = s.blocks[n-1]
		}
		switch {
		case last == nil:
			b := &block{region: &region{r.at, r.t, r.n, r.root}, variable: -1, uses: map[int]bool{}}
			if r.root {
				b.variable = variables[r.at]
			}
			s.blocks = append(s.blocks, b)
			last = b
		case raw(last.t) && !raw(r.t):
			odd[r] = true
		case r.end() <= last.end():
		case r.t == last.t && !last.root && (uintptr(r.at)-uintptr(last.at))%r.t.Size() == 0: // two slices of one array
			last.n = int((r.end() - uintptr(last.at)) / r.t.Size())
		default:
			odd[r] = true
		}
		blockOf[key] = last
	}
	s.reached = make([][]*block, len(walks))
	well := true
	for i, w := range walks {
		if w == nil {
			continue
		}
		for key, r := range w.found {
			if odd[r] {
				s.reasons[i] = "memory that is seen as several types"
				well = false
			}
			s.reached[i] = append(s.reached[i], blockOf[key])
		}
	}
	return well
}

// writeFile writes the file under another name in its folder, and gives it its own
// when it is whole.
func (s *saver) writeFile(name string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	s.out = bufio.NewWriterSize(f, 1<<20)
	s.names, s.types, s.maps = map[string]int{}, map[reflect.Type]int{}, map[unsafe.Pointer]int{}
	s.write([]byte(magic))
	for _, b := range s.blocks {
		s.current = b
		s.block(b)
	}
	if s.err == nil {
		s.err = s.out.Flush()
	}
	at, err := f.Seek(0, 1)
	if err = cmp.Or(s.err, err); err != nil {
		return err
	}
	table := s.table()
	table.Write(binary.LittleEndian.AppendUint64(nil, uint64(at)))
	if _, err := f.Write(table.Bytes()); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// table has the names, the blocks, and the variables with what they rest on.
func (s *saver) table() *bytes.Buffer {
	for _, b := range s.blocks {
		s.current = b
		s.typ(b.t)
	}
	b := new(bytes.Buffer)
	writeNumber(b, uint64(len(s.list)))
	for _, name := range s.list {
		writeText(b, name)
	}
	writeNumber(b, uint64(len(s.blocks)))
	for _, k := range s.blocks {
		writeNumber(b, uint64(s.types[k.t]))
		writeNumber(b, uint64(k.n))
		writeNumber(b, uint64(k.variable+1))
	}
	kept := 0
	for _, reason := range s.reasons {
		if reason == "" {
			kept++
		}
	}
	writeNumber(b, uint64(kept))
	for i, reason := range s.reasons {
		if reason != "" {
			continue
		}
		uses := map[int]bool{}
		for _, k := range s.reached[i] {
			for n := range k.uses {
				uses[n] = true
			}
		}
		writeNumber(b, uint64(i))
		writeNumber(b, uint64(len(uses)))
		for n := range uses {
			writeNumber(b, uint64(n))
		}
	}
	return b
}

func writeNumber(b *bytes.Buffer, n uint64) { b.Write(binary.AppendUvarint(nil, n)) }

func writeText(b *bytes.Buffer, text string) {
	writeNumber(b, uint64(len(text)))
	b.WriteString(text)
}

func (s *saver) write(p []byte) {
	if s.err == nil {
		_, s.err = s.out.Write(p)
	}
}

func (s *saver) number(n uint64) {
	var b [binary.MaxVarintLen64]byte
	s.write(b[:binary.PutUvarint(b[:], n)])
}

// name is the number of a name, in the table, that the current block rests on.
func (s *saver) name(kind byte, text string) int {
	text = string(kind) + text
	n, ok := s.names[text]
	if !ok {
		n = len(s.list)
		s.names[text] = n
		s.list = append(s.list, text)
	}
	s.current.uses[n] = true
	return n
}

// Kinds of names.
const (
	typeName     = 't'
	libraryName  = 'l'
	functionMade = 'f' // of the notebook
)

func (s *saver) typ(t reflect.Type) int {
	n, ok := s.types[t]
	if !ok {
		var b bytes.Buffer
		writeType(&b, t)
		n = s.name(typeName, b.String())
		s.types[t] = n
	}
	s.current.uses[n] = true
	return n
}

func (s *saver) block(b *block) {
	if raw(b.t) {
		s.memory(b.at, b.size())
		return
	}
	for i := range b.n {
		s.value(b.t, unsafe.Add(b.at, uintptr(i)*b.t.Size()))
	}
}

func (s *saver) memory(at unsafe.Pointer, size uintptr) {
	if size > 0 {
		s.write(unsafe.Slice((*byte)(at), size))
	}
}

// Ways to write a pointer; inBlocks and above are numbers of blocks.
const (
	isNil      = 0
	isEmpty    = 1 // it leads to nothing, as to an empty struct
	isStandard = 2
	inLibrary  = 3
	inBlocks   = 4
)

// pointer writes where a pointer leads.
func (s *saver) pointer(at unsafe.Pointer, size uintptr) {
	switch n := standardAt(at); {
	case at == nil:
		s.number(isNil)
		return
	case size == 0:
		s.number(isEmpty)
		return
	case n >= 0:
		s.number(isStandard)
		s.number(uint64(n))
		return
	}
	n, found := slices.BinarySearchFunc(s.blocks, uintptr(at), func(b *block, at uintptr) int {
		switch {
		case b.end() <= at:
			return -1
		case uintptr(b.at) > at:
			return 1
		}
		return 0
	})
	if found {
		s.number(uint64(inBlocks + n))
		s.number(uint64(uintptr(at) - uintptr(s.blocks[n].at)))
		return
	}
	s.number(inLibrary)
	s.library(at)
}

func (s *saver) library(at unsafe.Pointer) {
	file, offset, _ := Here.Library(at)
	s.number(uint64(s.name(libraryName, file)))
	s.number(uint64(offset))
}

// value writes a value.
func (s *saver) value(t reflect.Type, p unsafe.Pointer) {
	if raw(t) {
		s.memory(p, t.Size())
		return
	}
	switch t.Kind() {
	case reflect.String:
		text := *(*string)(p)
		s.number(uint64(len(text)))
		s.write([]byte(text))
	case reflect.Pointer:
		s.pointer(*(*unsafe.Pointer)(p), t.Elem().Size())
	case reflect.Slice:
		v := (*slice)(p)
		if v.data == nil {
			s.number(isNil)
			return
		}
		s.pointer(v.data, uintptr(v.cap)*t.Elem().Size())
		s.number(uint64(v.len))
		s.number(uint64(v.cap))
	case reflect.Map:
		s.mapping(reflect.NewAt(t, p).Elem())
	case reflect.Interface:
		v := reflect.NewAt(t, p).Elem()
		if v.IsNil() {
			s.number(isNil)
			return
		}
		v = v.Elem()
		s.number(uint64(s.typ(v.Type())) + 1)
		s.value(v.Type(), copied(v).UnsafePointer())
	case reflect.Func:
		s.function(*(*unsafe.Pointer)(p))
	case reflect.Array:
		for i := range t.Len() {
			s.value(t.Elem(), unsafe.Add(p, uintptr(i)*t.Elem().Size()))
		}
	case reflect.Struct:
		s.structure(t, p)
	}
}

func (s *saver) structure(t reflect.Type, p unsafe.Pointer) {
	if target := atomicTarget(t); target != nil {
		s.pointer(*(*unsafe.Pointer)(p), target.Size())
		return
	}
	if t == reflect.TypeFor[time.Time]() {
		wall := (*time.Time)(p).Round(0) // the other process's clock begins anew
		p = unsafe.Pointer(&wall)
	}
	for f := range t.Fields() {
		if !dropped(t, f) {
			s.value(f.Type, unsafe.Add(p, f.Offset))
		}
	}
}

// mapping writes a map: 0 for nil, the number of one that was written before plus 2, or
// 1 and its entries.
func (s *saver) mapping(m reflect.Value) {
	if m.IsNil() {
		s.number(isNil)
		return
	}
	if n, ok := s.maps[m.UnsafePointer()]; ok {
		s.number(uint64(n) + 2)
		return
	}
	s.maps[m.UnsafePointer()] = len(s.maps)
	s.number(1)
	s.number(uint64(m.Len()))
	for it := m.MapRange(); it.Next(); {
		s.value(m.Type().Key(), copied(it.Key()).UnsafePointer())
		s.value(m.Type().Elem(), copied(it.Value()).UnsafePointer())
	}
}

// function writes a function value.
func (s *saver) function(at unsafe.Pointer) {
	if at == nil {
		s.number(isNil)
		return
	}
	switch _, _, ofCell := Here.Library(at); {
	case !ofCell:
		s.number(functionOfLibrary)
		s.library(at)
	case codeOfLibrary(at):
		s.number(codeInLibrary)
		s.library(*(*unsafe.Pointer)(at))
	default:
		s.number(functionOfNotebook)
		s.number(uint64(s.name(functionMade, functionName(at))))
	}
}

// Ways to write a function value, beside isNil. It is a pointer to memory that begins
// with the address of the code.
const (
	functionOfLibrary = iota + 1
	codeInLibrary
	functionOfNotebook
)
