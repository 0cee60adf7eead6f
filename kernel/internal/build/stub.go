package build

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

// stubName is the base name of the first library and of every stub: the linker
// asks for the symbol go:link.abihash.<name>.
const stubName = "libgo.so"

// stubBase is where the data of a stub lies. The sections before it are laid out
// from address 0, as in any file, and when the linker looks for the pointer mask
// of a type it takes the first section that covers an address, whether that one
// is loaded or not. So the addresses must not overlap, however many symbols there
// are; if they do, the linker reads a wrong mask and the collector frees what is
// in use.
const stubBase = 1 << 30

// alwaysReferenced is what the linker itself asks for.
var alwaysReferenced = []reference{
	{"runtime.addmoduledata", 0},
	{"runtime.lastmoduledatap", 0},
	{"type:runtime.moduledata", 0},
	{"runtime.unreachableMethod", 1},
	{"runtime.tlsg", 0},
	{"runtime.mapinitnoop", 1},
	{"go:link.abihash." + stubName, 0},
}

// Offsets and values in a type descriptor (internal/abi.Type).
const (
	typePtrBytes = 8
	typeTFlag    = 20
	typeKind     = 23
	typeGCData   = 32
	typeHeadSize = 48

	tflagGCMaskOnDemand = 1 << 4
	kindMask            = 1<<5 - 1
	kindArray           = 17
	kindStruct          = 25
)

// A stub is what the Go linker reads instead of the loaded libraries. It defines
// the symbols that an object refers to. All have the same address and no
// contents, but type descriptors: from those the linker makes the pointer masks
// of the object's variables. So they are copied, with their masks, and with the
// descriptors of the parts of arrays and structs.
type stub struct {
	x       *index
	picked  map[string]int // the symbol's number in dynsym; 0 if there is none
	dynsym  bytes.Buffer
	dynstr  bytes.Buffer
	body    bytes.Buffer
	pending []pendingLink
}

// pendingLink is a link to a symbol that may not be in the stub yet.
type pendingLink struct {
	offset uint64
	name   string
}

// writeStub writes the stub for an object with the given references.
func (x *index) writeStub(file string, refs []reference) error {
	s := &stub{x: x, picked: map[string]int{}}
	s.dynsym.Write(make([]byte, symSize))
	s.dynstr.WriteByte(0)
	for _, list := range [][]reference{refs, alwaysReferenced} {
		for _, r := range list {
			if err := s.reference(r); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(file, s.elf(), 0o666)
}

// reference picks the definitions that a reference may mean: functions have one
// for each ABI they are called by.
func (s *stub) reference(r reference) error {
	name := mangle(r.name)
	suffixes := []string{".abi0", ""}
	if r.abi == 1 {
		suffixes = []string{".abiinternal", ".abi0", ""}
	}
	for _, suffix := range suffixes {
		n, err := s.pick(name + suffix)
		if err != nil {
			return err
		}
		// An internal reference may be meant for the ABI 0 definition, if that is
		// the only one, and the linker then looks for the plain name as well.
		if n != 0 && (r.abi == 1 == (suffix == ".abiinternal")) {
			return nil
		}
	}
	return nil
}

// pick adds the definition of a symbol, if any, and returns its number.
func (s *stub) pick(name string) (int, error) {
	if n, ok := s.picked[name]; ok {
		return n, nil
	}
	def, ok := s.x.lookup(name)
	if !ok {
		s.picked[name] = 0
		return 0, nil
	}
	n := s.dynsym.Len() / symSize
	s.picked[name] = n
	s.body.Write(make([]byte, -s.body.Len()&7))
	sym := elf.Sym64{
		Name: uint32(s.dynstr.Len()), Info: byte(elf.STB_GLOBAL)<<4 | byte(def.typ), Shndx: bodySection,
		Value: stubBase, Size: def.size,
	}
	if isType(def) {
		sym.Value += uint64(s.body.Len())
	}
	write(&s.dynsym, sym)
	s.dynstr.WriteString(name + "\x00")
	if isType(def) {
		return n, s.copyType(def, sym.Value)
	}
	return n, nil
}

// isType tells type descriptors from what else is named type:.
func isType(s symbol) bool {
	return strings.HasPrefix(s.name, "type:") && !strings.HasPrefix(s.name, "type:.") && s.typ != elf.STT_FUNC
}

// copyType copies a type descriptor to an address at the end of the body.
func (s *stub) copyType(def symbol, addr uint64) error {
	d, err := def.in.bytes(def.value, def.size)
	if err != nil {
		return fmt.Errorf("%s: %w", def.name, err)
	}
	if len(d) < typeHeadSize {
		return fmt.Errorf("%s: a type descriptor of %d bytes", def.name, len(d))
	}
	mask := []byte(nil)
	pointers, gcdata := le.Uint64(d[typePtrBytes:]), le.Uint64(d[typeGCData:])
	if pointers != 0 && gcdata != 0 && d[typeTFlag]&tflagGCMaskOnDemand == 0 {
		if mask, err = def.in.bytes(gcdata, (pointers/8+7)/8); err != nil {
			return fmt.Errorf("pointer mask of %s: %w", def.name, err)
		}
		le.PutUint64(d[typeGCData:], addr+uint64(len(d)))
	}
	s.body.Write(d)
	s.body.Write(mask)
	kind := d[typeKind] & kindMask
	for _, l := range def.in.linksIn(def.value, def.value+def.size) {
		name := def.in.name(l.symbol)
		s.pending = append(s.pending, pendingLink{addr + l.offset - def.value, name})
		if (kind == kindArray || kind == kindStruct) && strings.HasPrefix(name, "type:") && !strings.HasPrefix(name, "type:.") {
			if _, err := s.pick(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// bodySection is the number of the section that all symbols are in.
const bodySection = 5

// elf lays out the file.
func (s *stub) elf() []byte {
	var rela bytes.Buffer
	for _, l := range s.pending {
		if n := s.picked[l.name]; n != 0 {
			write(&rela, elf.Rela64{Off: l.offset, Info: uint64(n)<<32 | uint64(elf.R_X86_64_64)})
		}
	}
	var deps bytes.Buffer
	write(&deps, []uint32{4, 0, 3}) // a note of type GODEPS that names nothing
	deps.WriteString("Go\x00\x00")

	const names = "\x00.dynsym\x00.dynstr\x00.note.go.abihash\x00.note.go.deps\x00.rodata\x00.rela.dyn\x00.shstrtab\x00"
	sections := []struct {
		name       string
		typ        elf.SectionType
		addr       uint64
		data       []byte
		link, info uint32
		entsize    uint64
	}{
		{},
		{".dynsym", elf.SHT_DYNSYM, 0, s.dynsym.Bytes(), 2, 1, symSize},
		{".dynstr", elf.SHT_STRTAB, 0, s.dynstr.Bytes(), 0, 0, 0},
		{".note.go.abihash", elf.SHT_NOTE, 0, s.x.images[0].abihash, 0, 0, 0},
		{".note.go.deps", elf.SHT_NOTE, 0, deps.Bytes(), 0, 0, 0},
		bodySection: {".rodata", elf.SHT_PROGBITS, stubBase, s.body.Bytes(), 0, 0, 0},
		{".rela.dyn", elf.SHT_RELA, 0, rela.Bytes(), 1, 0, relaSize},
		{".shstrtab", elf.SHT_STRTAB, 0, []byte(names), 0, 0, 0},
	}
	var file, headers bytes.Buffer
	const headerSize = 64
	file.Write(make([]byte, headerSize))
	pad := func() { file.Write(make([]byte, -file.Len()&7)) }
	for _, c := range sections {
		pad()
		h := elf.Section64{
			Type: uint32(c.typ), Addr: c.addr, Off: uint64(file.Len()), Size: uint64(len(c.data)),
			Link: c.link, Info: c.info, Addralign: 8, Entsize: c.entsize,
		}
		if c.name != "" {
			h.Name = uint32(strings.Index(names, "\x00"+c.name+"\x00") + 1)
		}
		write(&headers, h)
		file.Write(c.data)
	}
	pad()
	var header bytes.Buffer
	write(&header, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: uint64(file.Len()), Ehsize: headerSize, Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1),
	})
	file.Write(headers.Bytes())
	out := file.Bytes()
	copy(out, header.Bytes())
	return out
}

// write appends a value of fixed size.
func write(b *bytes.Buffer, v any) {
	if err := binary.Write(b, le, v); err != nil {
		panic(err) // only for a type that has no fixed size
	}
}
