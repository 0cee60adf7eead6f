package build

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
)

// The last step of a cell's link, which for other programs ld does: from the object
// that the Go linker has laid out to a shared library. The object has five kinds
// of relocations and needs no other file, so this is done before ld would have
// started (BenchmarkLinkShared).
//
// The library is laid out with file offsets that are addresses, in three segments:
// what is only read, code, and data. It has no section headers, which loading does
// not need. As by ld -shared, every global symbol may be defined by another library,
// and is bound when the library is loaded; calls go through a table of jumps.

// shared is an object on its way to a library.
type shared struct {
	object   *elf.File
	symbols  []elf.Symbol // by the numbers that relocations use
	relocs   []relocation
	sections []int    // those of the object's that are loaded
	address  []uint64 // of each of the object's sections

	dynamic []int       // the global symbols, in the library's order; 0 is none
	number  map[int]int // and their places in it
	defined int         // the place of the first one that is defined here
	slots   []int       // the symbols whose addresses or offsets code reads from a table
	slot    map[int]int // and their places in it
	jumps   map[int]int // places in the table of jumps

	image              []byte
	names              []byte       // what is at dynstr
	relative, symbolic []elf.Rela64 // what is at rela

	// Addresses: of what the dynamic linker reads, of the table of jumps and of the
	// table of addresses.
	dynsym, dynstr, hash, rela, tags, jump, table uint64
}

// relocation is a word of a section that depends on a symbol's address.
type relocation struct {
	section int
	offset  uint64
	typ     elf.R_X86_64
	symbol  int
	addend  int64
}

// segment is a part of the library that is loaded with the same rights.
type segment struct {
	flags        elf.ProgFlag
	from, to     uint64
	toWithZeroes uint64
}

const (
	pageSize = 4096
	jumpSize = 8 // of an entry in the table of jumps
)

// linkShared makes a shared library of a cell's object. It returns the offsets of
// the words that point to method tables, and whether the library defines the entry.
func linkShared(library, object, entry string) (itabs []uint64, defined bool, err error) {
	data, err := os.ReadFile(object)
	if err != nil {
		return nil, false, err
	}
	s, err := newShared(data)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", object, err)
	}
	for _, r := range s.symbolic {
		if r.Addend == 0 && strings.HasPrefix(s.symbols[s.dynamic[r.Info>>32]].Name, "go:itab.") {
			itabs = append(itabs, r.Off)
		}
	}
	defined = slices.ContainsFunc(s.dynamic[s.defined:], func(i int) bool { return s.symbols[i].Name == entry })
	return itabs, defined, os.WriteFile(library, s.image, 0o666)
}

// newShared makes the library of an object, in memory.
func newShared(object []byte) (*shared, error) {
	s := &shared{number: map[int]int{}, slot: map[int]int{}, jumps: map[int]int{}}
	if err := s.read(object); err != nil {
		return nil, err
	}
	segments := s.layOut()
	if err := s.relocate(); err != nil {
		return nil, err
	}
	s.writeTables()
	s.writeHeaders(segments)
	return s, nil
}

// read takes the object apart.
func (s *shared) read(data []byte) (err error) {
	if s.object, err = elf.NewFile(bytes.NewReader(data)); err != nil {
		return err
	}
	symbols, err := s.object.Symbols()
	if err != nil {
		return err
	}
	s.symbols = append([]elf.Symbol{{}}, symbols...)
	for i, c := range s.object.Sections {
		if c.Flags&elf.SHF_ALLOC != 0 {
			s.sections = append(s.sections, i)
		}
		if c.Type == elf.SHT_RELA && s.object.Sections[c.Info].Flags&elf.SHF_ALLOC != 0 {
			if err := s.readRelocations(c); err != nil {
				return err
			}
		}
	}
	var undefined, here []int
	for i, y := range s.symbols {
		switch {
		case elf.ST_BIND(y.Info) != elf.STB_GLOBAL:
		case y.Section == elf.SHN_UNDEF:
			undefined = append(undefined, i)
		default:
			here = append(here, i)
		}
	}
	// The hash table wants those that it finds last, and by bucket.
	slices.SortFunc(here, func(a, b int) int { return cmp.Compare(s.bucket(a, len(here)), s.bucket(b, len(here))) })
	s.dynamic, s.defined = slices.Concat([]int{0}, undefined, here), 1+len(undefined)
	for n, i := range s.dynamic {
		s.number[i] = n
	}
	return nil
}

func (s *shared) readRelocations(c *elf.Section) error {
	data, err := c.Data()
	if err != nil {
		return err
	}
	for ; len(data) >= relaSize; data = data[relaSize:] {
		info := le.Uint64(data[8:])
		r := relocation{int(c.Info), le.Uint64(data), elf.R_X86_64(uint32(info)), int(info >> 32), int64(le.Uint64(data[16:]))}
		width := uint64(4)
		if r.typ == elf.R_X86_64_64 {
			width = 8
		}
		if r.symbol >= len(s.symbols) || r.offset+width > s.object.Sections[c.Info].Size {
			return fmt.Errorf("%s has an entry for byte %d and symbol %d, which are not there", c.Name, r.offset, r.symbol)
		}
		switch r.typ {
		case elf.R_X86_64_64, elf.R_X86_64_PC32:
		case elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTTPOFF:
			s.useSlot(r.symbol)
		case elf.R_X86_64_PLT32:
			if s.global(r.symbol) {
				s.useSlot(r.symbol)
				if _, ok := s.jumps[r.symbol]; !ok {
					s.jumps[r.symbol] = len(s.jumps)
				}
			}
		default:
			return fmt.Errorf("a relocation %v of %s: only R_X86_64_64, PC32, PLT32, GOTPCREL and GOTTPOFF are known", r.typ, s.symbols[r.symbol].Name)
		}
		s.relocs = append(s.relocs, r)
	}
	return nil
}

func (s *shared) useSlot(symbol int) {
	if _, ok := s.slot[symbol]; !ok {
		s.slot[symbol] = len(s.slots)
		s.slots = append(s.slots, symbol)
	}
}

// global tells whether the dynamic linker binds a symbol.
func (s *shared) global(symbol int) bool {
	return elf.ST_BIND(s.symbols[symbol].Info) == elf.STB_GLOBAL
}

// layOut gives everything its address.
func (s *shared) layOut() []segment {
	end := uint64(elfHeaderSize + programHeaders*programHeaderSize)
	place := func(size, align uint64) uint64 {
		end = alignUp(end, align)
		at := end
		end += size
		return at
	}
	s.address = make([]uint64, len(s.object.Sections))
	placeSections := func(is func(*elf.Section) bool) {
		for _, i := range s.sections {
			if c := s.object.Sections[i]; is(c) {
				s.address[i] = place(c.Size, max(1, c.Addralign))
			}
		}
	}
	const rights = elf.SHF_WRITE | elf.SHF_EXECINSTR

	s.names = []byte{0}
	for _, i := range s.dynamic[1:] {
		s.names = append(append(s.names, s.symbols[i].Name...), 0)
	}
	s.dynsym = place(uint64(len(s.dynamic)*symSize), 8)
	s.hash = place(uint64(len(s.hashTable())), 8)
	words := len(s.slots)
	for _, r := range s.relocs {
		if r.typ == elf.R_X86_64_64 {
			words++
		}
	}
	s.rela = place(uint64(words*relaSize), 8)
	s.dynstr = place(uint64(len(s.names)), 1)
	placeSections(func(c *elf.Section) bool { return c.Flags&rights == 0 })
	segments := []segment{{elf.PF_R, 0, end, end}}

	from := place(0, pageSize)
	s.jump = place(uint64(len(s.jumps)*jumpSize), jumpSize)
	placeSections(func(c *elf.Section) bool { return c.Flags&rights == elf.SHF_EXECINSTR })
	segments = append(segments, segment{elf.PF_R | elf.PF_X, from, end, end})

	from = place(0, pageSize)
	s.table = place(uint64(len(s.slots)*8), 8)
	s.tags = place(dynamicTags*16, 8)
	placeSections(func(c *elf.Section) bool { return c.Flags&elf.SHF_WRITE != 0 && c.Type != elf.SHT_NOBITS })
	inFile := end
	placeSections(func(c *elf.Section) bool { return c.Flags&elf.SHF_WRITE != 0 && c.Type == elf.SHT_NOBITS })
	segments = append(segments, segment{elf.PF_R | elf.PF_W, from, inFile, end})

	s.image = make([]byte, inFile)
	return segments
}

func alignUp(n, align uint64) uint64 { return (n + align - 1) / align * align }

// relocate copies the sections to their places and fills in addresses, as far as
// they are known before the library is loaded.
func (s *shared) relocate() error {
	for _, i := range s.sections {
		c := s.object.Sections[i]
		if c.Type == elf.SHT_NOBITS {
			continue
		}
		data, err := c.Data()
		if err != nil {
			return fmt.Errorf("section %s: %w", c.Name, err)
		}
		copy(s.image[s.address[i]:], data)
	}
	for n, symbol := range s.slots {
		typ := elf.R_X86_64_GLOB_DAT
		if elf.ST_TYPE(s.symbols[symbol].Info) == elf.STT_TLS {
			typ = elf.R_X86_64_TPOFF64 // runtime.tlsg: where a thread keeps its goroutine
		}
		s.bind(s.table+uint64(8*n), symbol, 0, typ)
	}
	for symbol, n := range s.jumps {
		at := s.jump + uint64(n*jumpSize)
		copy(s.image[at:], []byte{0xff, 0x25, 0, 0, 0, 0, 0x66, 0x90}) // jmp *slot(%rip); nop
		le.PutUint32(s.image[at+2:], uint32(s.slotOf(symbol)-(at+6)))
	}
	for _, r := range s.relocs {
		at := s.address[r.section] + r.offset
		var target uint64
		switch {
		case r.typ == elf.R_X86_64_64:
			s.bind(at, r.symbol, r.addend, elf.R_X86_64_64)
			continue
		case r.typ == elf.R_X86_64_GOTPCREL, r.typ == elf.R_X86_64_GOTTPOFF:
			target = s.slotOf(r.symbol)
		case !s.global(r.symbol):
			target = s.addressOf(r.symbol)
		case r.typ == elf.R_X86_64_PLT32:
			target = s.jump + uint64(s.jumps[r.symbol]*jumpSize)
		default:
			return fmt.Errorf("code refers directly to %s, which another library may define", s.symbols[r.symbol].Name)
		}
		le.PutUint32(s.image[at:], uint32(int64(target)+r.addend-int64(at)))
	}
	return nil
}

func (s *shared) slotOf(symbol int) uint64 { return s.table + uint64(8*s.slot[symbol]) }

func (s *shared) addressOf(symbol int) uint64 {
	y := s.symbols[symbol]
	return s.address[y.Section] + y.Value
}

// bind leaves a word that holds an address to the dynamic linker.
func (s *shared) bind(at uint64, symbol int, addend int64, typ elf.R_X86_64) {
	if s.global(symbol) {
		s.symbolic = append(s.symbolic, elf.Rela64{Off: at, Info: elf.R_INFO(uint32(s.number[symbol]), uint32(typ)), Addend: addend})
		return
	}
	s.relative = append(s.relative, elf.Rela64{Off: at, Info: uint64(elf.R_X86_64_RELATIVE), Addend: int64(s.addressOf(symbol)) + addend})
}

// The parts of a library's file whose sizes are fixed.
const (
	elfHeaderSize     = 64
	programHeaderSize = 56
	programHeaders    = 5  // three segments, the dynamic section, and the stack's rights
	dynamicTags       = 14 // as writeTables lists them
)

// writeTables writes what the dynamic linker reads.
func (s *shared) writeTables() {
	name := uint32(1)
	for n, i := range s.dynamic[1:] {
		y := s.symbols[i]
		d := elf.Sym64{Name: name, Info: y.Info, Size: y.Size}
		if y.Section != elf.SHN_UNDEF {
			d.Shndx, d.Value = 1, s.addressOf(i) // any section
		}
		s.put(s.dynsym+uint64((1+n)*symSize), d)
		name += uint32(len(y.Name) + 1)
	}
	copy(s.image[s.dynstr:], s.names)
	copy(s.image[s.hash:], s.hashTable())
	s.put(s.rela, slices.Concat(s.relative, s.symbolic))

	var init, initSize uint64
	for _, i := range s.sections {
		if c := s.object.Sections[i]; c.Type == elf.SHT_INIT_ARRAY {
			init, initSize = s.address[i], c.Size
		}
	}
	s.put(s.tags, [dynamicTags]elf.Dyn64{
		{Tag: int64(elf.DT_GNU_HASH), Val: s.hash},
		{Tag: int64(elf.DT_SYMTAB), Val: s.dynsym},
		{Tag: int64(elf.DT_SYMENT), Val: symSize},
		{Tag: int64(elf.DT_STRTAB), Val: s.dynstr},
		{Tag: int64(elf.DT_STRSZ), Val: uint64(len(s.names))},
		{Tag: int64(elf.DT_RELA), Val: s.rela},
		{Tag: int64(elf.DT_RELASZ), Val: uint64((len(s.relative) + len(s.symbolic)) * relaSize)},
		{Tag: int64(elf.DT_RELAENT), Val: relaSize},
		{Tag: int64(elf.DT_RELACOUNT), Val: uint64(len(s.relative))},
		{Tag: int64(elf.DT_INIT_ARRAY), Val: init},
		{Tag: int64(elf.DT_INIT_ARRAYSZ), Val: initSize},
		{Tag: int64(elf.DT_FLAGS), Val: uint64(elf.DF_BIND_NOW)},
		{Tag: int64(elf.DT_FLAGS_1), Val: uint64(elf.DF_1_NOW)},
		{Tag: int64(elf.DT_NULL)},
	})
}

// hashTable is the table that the dynamic linker finds the defined symbols by, in
// the form that gnuHash reads. A filter before it tells in one look of most names
// that they are not here: every later library's symbols are looked for here too.
func (s *shared) hashTable() []byte {
	here := s.dynamic[s.defined:]
	const shift = 6
	words := uint32(1)
	for int(words)*64 < len(here)*8 {
		words *= 2
	}
	bloom := make([]uint64, words)
	buckets := make([]uint32, max(1, len(here)))
	chain := make([]uint32, len(here))
	for n, i := range here {
		hash := hashOfName(s.symbols[i].Name)
		bloom[hash/64%words] |= 1<<(hash%64) | 1<<(hash>>shift%64)
		chain[n] = hash &^ 1
		bucket := s.bucket(i, len(here))
		if buckets[bucket] == 0 {
			buckets[bucket] = uint32(s.defined + n)
		}
		if n+1 == len(here) || s.bucket(here[n+1], len(here)) != bucket {
			chain[n] |= 1 // the end of the bucket
		}
	}
	var table bytes.Buffer
	write(&table, []uint32{uint32(len(buckets)), uint32(s.defined), words, shift})
	write(&table, bloom)
	write(&table, buckets)
	write(&table, chain)
	return table.Bytes()
}

func (s *shared) bucket(symbol, buckets int) uint32 {
	return hashOfName(s.symbols[symbol].Name) % uint32(buckets)
}

// writeHeaders writes the head of the file.
func (s *shared) writeHeaders(segments []segment) {
	s.put(0, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Phoff: elfHeaderSize, Ehsize: elfHeaderSize, Phentsize: programHeaderSize, Phnum: programHeaders,
	})
	var headers []elf.Prog64
	for _, g := range segments {
		headers = append(headers, elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(g.flags), Off: g.from, Vaddr: g.from, Paddr: g.from,
			Filesz: g.to - g.from, Memsz: g.toWithZeroes - g.from, Align: pageSize,
		})
	}
	headers = append(headers, elf.Prog64{
		Type: uint32(elf.PT_DYNAMIC), Flags: uint32(elf.PF_R | elf.PF_W), Off: s.tags, Vaddr: s.tags, Paddr: s.tags,
		Filesz: dynamicTags * 16, Memsz: dynamicTags * 16, Align: 8,
	}, elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16}) // not executable
	s.put(elfHeaderSize, headers)
}

// put writes a value of fixed size into the library.
func (s *shared) put(at uint64, v any) {
	if _, err := binary.Encode(s.image[at:], le, v); err != nil {
		panic(err) // only for a type that has no fixed size, or no room
	}
}
