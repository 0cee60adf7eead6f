package build

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
)

// image is a shared library as the stub needs it: its symbols by name, and the
// bytes and links of its type descriptors. The file is mapped, and symbols are
// found by the hash table that is there for the dynamic linker, so that opening
// one costs nothing, however many symbols it has.
type image struct {
	file     []byte // the mapped file
	progs    []elf.ProgHeader
	dynsym   []byte
	dynstr   []byte
	hash     gnuHash
	relative []byte // relocations that say which address a word holds, by offset
	symbolic []byte // relocations that say which symbol a word refers to
	abihash  []byte // the note by which the Go linker and runtime recognise the library

	links func() []link // those of symbolic that links of types are, by offset
}

// link is a word of a library that holds a symbol's address.
type link struct {
	offset uint64
	symbol uint32
}

// symbol is a definition in a library.
type symbol struct {
	in    *image
	name  string
	typ   elf.SymType
	value uint64
	size  uint64
}

const (
	symSize  = elf.Sym64Size
	relaSize = 24
)

// openImage maps a shared library.
func openImage(path string) (*image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m := &image{}
	if m.file, err = syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE); err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	if err := m.parse(); err != nil {
		m.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func (m *image) close() {
	if m.file != nil {
		_ = syscall.Munmap(m.file)
		m.file = nil
	}
}

// parse finds the parts of the mapped file.
func (m *image) parse() error {
	f, err := elf.NewFile(bytes.NewReader(m.file))
	if err != nil {
		return err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			m.progs = append(m.progs, p.ProgHeader)
		}
	}
	var rela []byte
	var relative int
	for _, s := range f.Sections {
		if s.Type == elf.SHT_NOBITS || s.Offset+s.FileSize > uint64(len(m.file)) {
			continue
		}
		data := m.file[s.Offset : s.Offset+s.FileSize]
		switch s.Name {
		case ".dynsym":
			m.dynsym = data
		case ".dynstr":
			m.dynstr = data
		case ".gnu.hash":
			if m.hash, err = newGNUHash(data); err != nil {
				return err
			}
		case ".note.go.abihash":
			m.abihash = data
		case ".rela.dyn":
			rela = data
		}
	}
	if m.dynsym == nil || m.dynstr == nil || m.hash.buckets == nil {
		return fmt.Errorf("not a shared library with a GNU hash table")
	}
	if counts, err := f.DynValue(elf.DT_RELACOUNT); err == nil && len(counts) > 0 {
		relative = int(counts[0])
	}
	m.relative, m.symbolic = rela[:relative*relaSize], rela[relative*relaSize:]
	for i := 0; i+relaSize < len(m.relative); i += relaSize {
		if le.Uint64(m.relative[i:]) > le.Uint64(m.relative[i+relaSize:]) {
			return fmt.Errorf("its relocations are not sorted")
		}
	}
	m.links = sync.OnceValue(m.sortLinks)
	return nil
}

// sortLinks selects the words that hold just a symbol's address, which is how a
// type descriptor refers to another.
func (m *image) sortLinks() []link {
	links := make([]link, 0, len(m.symbolic)/relaSize)
	for d := m.symbolic; len(d) >= relaSize; d = d[relaSize:] {
		info := le.Uint64(d[8:])
		if elf.R_X86_64(uint32(info)) == elf.R_X86_64_64 && le.Uint64(d[16:]) == 0 {
			links = append(links, link{le.Uint64(d), uint32(info >> 32)})
		}
	}
	slices.SortFunc(links, func(a, b link) int {
		if a.offset < b.offset {
			return -1
		}
		return 1
	})
	return links
}

// linksIn returns the links within a range of addresses.
func (m *image) linksIn(from, to uint64) []link {
	all := m.links()
	i := sort.Search(len(all), func(i int) bool { return all[i].offset >= from })
	j := i
	for j < len(all) && all[j].offset < to {
		j++
	}
	return all[i:j]
}

// bytes copies what the library holds at an address once it is loaded at 0.
func (m *image) bytes(addr, size uint64) ([]byte, error) {
	for _, p := range m.progs {
		if p.Vaddr <= addr && addr+size <= p.Vaddr+p.Filesz {
			b := bytes.Clone(m.file[p.Off+addr-p.Vaddr:][:size])
			n := len(m.relative) / relaSize
			for i := sort.Search(n, func(i int) bool { return le.Uint64(m.relative[i*relaSize:]) >= addr }); i < n; i++ {
				r := m.relative[i*relaSize:]
				at := le.Uint64(r) - addr
				if at+8 > size {
					break
				}
				le.PutUint64(b[at:], le.Uint64(r[16:]))
			}
			return b, nil
		}
	}
	return nil, fmt.Errorf("no data at address %#x of the library", addr)
}

// name is the name of the i-th dynamic symbol.
func (m *image) name(i uint32) string {
	b := m.dynstr[le.Uint32(m.dynsym[i*symSize:]):]
	return string(b[:bytes.IndexByte(b, 0)])
}

// lookup finds the definition of a symbol.
func (m *image) lookup(name string) (symbol, bool) {
	i, ok := m.hash.lookup(name, m.name)
	if !ok {
		return symbol{}, false
	}
	s := m.dynsym[i*symSize:]
	typ := elf.ST_TYPE(s[4])
	if elf.SectionIndex(le.Uint16(s[6:])) == elf.SHN_UNDEF || typ == elf.STT_NOTYPE || typ == elf.STT_SECTION {
		return symbol{}, false
	}
	return symbol{in: m, name: name, typ: typ, value: le.Uint64(s[8:]), size: le.Uint64(s[16:])}, true
}

// gnuHash is the table of a library's .gnu.hash section.
type gnuHash struct {
	offset, shift uint32
	bloom         []byte // 64-bit words
	buckets       []byte // 32-bit words
	chain         []byte // 32-bit words, for the symbols from offset on
}

func newGNUHash(b []byte) (gnuHash, error) {
	if len(b) < 16 {
		return gnuHash{}, fmt.Errorf("hash table is cut off")
	}
	nbuckets, nbloom := int(le.Uint32(b)), int(le.Uint32(b[8:]))
	h := gnuHash{offset: le.Uint32(b[4:]), shift: le.Uint32(b[12:])}
	b = b[16:]
	if nbuckets == 0 || nbloom == 0 || len(b) < 8*nbloom+4*nbuckets {
		return gnuHash{}, fmt.Errorf("hash table is cut off")
	}
	h.bloom, b = b[:8*nbloom], b[8*nbloom:]
	h.buckets, h.chain = b[:4*nbuckets], b[4*nbuckets:]
	return h, nil
}

// hashOfName is the hash of a symbol's name in the table.
func hashOfName(name string) uint32 {
	hash := uint32(5381)
	for i := range len(name) {
		hash = hash*33 + uint32(name[i])
	}
	return hash
}

// lookup returns the index of a symbol.
func (h gnuHash) lookup(name string, nameOf func(uint32) string) (uint32, bool) {
	hash := hashOfName(name)
	word := le.Uint64(h.bloom[hash/64%uint32(len(h.bloom)/8)*8:])
	if word>>(hash%64)&(word>>(hash>>h.shift%64))&1 == 0 {
		return 0, false
	}
	i := le.Uint32(h.buckets[hash%uint32(len(h.buckets)/4)*4:])
	if i < h.offset {
		return 0, false
	}
	for ; ; i++ {
		at := int(i-h.offset) * 4
		if at+4 > len(h.chain) {
			return 0, false
		}
		c := le.Uint32(h.chain[at:])
		if c|1 == hash|1 && nameOf(i) == name {
			return i, true
		}
		if c&1 != 0 { // the end of the bucket
			return 0, false
		}
	}
}

// index is all libraries that the worker has loaded, in their order.
type index struct{ images []*image }

// lookup finds the definition that the dynamic linker would bind a name to.
func (x *index) lookup(name string) (symbol, bool) {
	for _, m := range x.images {
		if s, ok := m.lookup(name); ok {
			return s, true
		}
	}
	return symbol{}, false
}

// itabWords lists the words of a library that point to method tables.
func itabWords(library string) (words []uint64, err error) {
	m, err := openImage(library)
	if err != nil {
		return nil, err
	}
	defer m.close()
	isItab := map[uint32]bool{}
	for d := m.symbolic; len(d) >= relaSize; d = d[relaSize:] {
		info := le.Uint64(d[8:])
		if t := elf.R_X86_64(uint32(info)); t != elf.R_X86_64_64 && t != elf.R_X86_64_GLOB_DAT || le.Uint64(d[16:]) != 0 {
			continue
		}
		sym := uint32(info >> 32)
		is, known := isItab[sym]
		if !known {
			is = strings.HasPrefix(m.name(sym), "go:itab.")
			isItab[sym] = is
		}
		if is {
			words = append(words, le.Uint64(d))
		}
	}
	return words, nil
}
