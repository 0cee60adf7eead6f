package build

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

var le = binary.LittleEndian

// reference is a symbol that an object refers to by name.
type reference struct {
	name string
	abi  uint16 // 0 for assembly and data, 1 for the internal ABI of Go functions
}

// methodOffset is a word in the method table of a type descriptor, for the offset
// of a function that the archive refers to by name.
type methodOffset struct {
	size   int64 // where in the archive the relocation's size is
	target reference
}

// readArchive lists what the Go objects of an archive refer to by name, and which
// method tables do. The layout of an object is that of cmd/internal/goobj.
func readArchive(archive string) (refs []reference, methods []methodOffset, err error) {
	all, err := os.ReadFile(archive)
	if err != nil {
		return nil, nil, err
	}
	const (
		magic = "\x00go120ld"
		// The numbers of blocks, each of which ends where the next one begins.
		nonpkgdef, nonpkgref, relocs = 6, 7, 14

		symbolSize = 21 // name's length and offset, ABI, …
		relocSize  = 23 // offset 4, size 1, type 2, addend 8, package 4, symbol 4
		headerSize = 8 + 8 + 4 + 4*(relocs+2)

		methodOff = 26        // objabi.R_METHODOFF
		byName    = 1<<31 - 1 // goobj.PkgIdxNone
	)
	malformed := fmt.Errorf("%s: a Go object has another layout than expected", archive)
	found := false
	for start := 0; ; start += len(magic) {
		i := bytes.Index(all[start:], []byte(magic))
		if i < 0 {
			break
		}
		start += i
		found = true
		b := all[start:]
		if len(b) < headerSize {
			return nil, nil, malformed
		}
		block := func(n, entry int) ([]byte, int) {
			from, to := int(le.Uint32(b[8+8+4+4*n:])), int(le.Uint32(b[8+8+4+4*(n+1):]))
			if from > to || to > len(b) || (to-from)%entry != 0 {
				return nil, -1
			}
			return b[from:to], from
		}
		defs, _ := block(nonpkgdef, symbolSize)
		names, okNames := block(nonpkgref, symbolSize)
		rels, at := block(relocs, relocSize)
		if okNames < 0 || at < 0 {
			return nil, nil, malformed
		}
		first := len(refs)
		for ; len(names) > 0; names = names[symbolSize:] {
			n, off := int(le.Uint32(names)), int(le.Uint32(names[4:]))
			if off+n > len(b) {
				return nil, nil, malformed
			}
			refs = append(refs, reference{string(b[off : off+n]), le.Uint16(names[8:])})
		}
		for ; len(rels) > 0; rels, at = rels[relocSize:], at+relocSize {
			if le.Uint16(rels[5:]) != methodOff || le.Uint32(rels[15:]) != byName {
				continue
			}
			// Definitions and references are numbered in one go.
			n := int(le.Uint32(rels[19:])) - len(defs)/symbolSize
			if n >= 0 && first+n < len(refs) {
				methods = append(methods, methodOffset{int64(start + at + 4), refs[first+n]})
			}
		}
	}
	if !found {
		return nil, nil, fmt.Errorf("%s holds no Go object of the expected version", archive)
	}
	return refs, methods, nil
}

// dropMethods makes the linker leave words of method tables empty whose functions
// are in a loaded library. It refuses to link them otherwise: an archive may have
// a type descriptor of an instantiated type (*unique.Handle[netip.addrDetail])
// without the methods, which a package that it imports has. Then that one has the
// descriptor too, and it is the one that counts. It reports false if there was
// nothing to do; otherwise the changed archive is in the file to.
func (x *index) dropMethods(to, archive string, methods []methodOffset) (bool, error) {
	var drop []int64
	for _, m := range methods {
		name := mangle(m.target.name)
		if _, ok := x.lookup(name + ".abiinternal"); ok {
			drop = append(drop, m.size)
		} else if _, ok := x.lookup(name); ok && !strings.HasPrefix(name, "type:") {
			drop = append(drop, m.size)
		}
	}
	if drop == nil {
		return false, nil
	}
	b, err := os.ReadFile(archive)
	if err != nil {
		return false, err
	}
	for _, at := range drop {
		b[at] = 0 // a relocation of no bytes is for information only
	}
	return true, os.WriteFile(to, b, 0o666)
}

// mangle is the name that the linker gives a symbol in a shared library
// (typeSymbolMangle of cmd/link).
func mangle(name string) string {
	isType := strings.HasPrefix(name, "type:")
	switch {
	case !isType && !strings.Contains(name, "@"),
		strings.HasPrefix(name, "type:runtime."),
		strings.HasPrefix(name, "go:string."),
		len(name) <= 14 && !strings.Contains(name, "@"):
		return name
	}
	hash := func(s string) string {
		h := sha256.Sum256([]byte(s))
		h[0] ^= 0xff // as cmd/internal/hash does
		return base64.StdEncoding.EncodeToString(h[:6])
	}
	if isType {
		prefix := "type:"
		if name[5] == '.' {
			prefix = "type:."
		}
		return prefix + hash(name[5:])
	}
	i, j := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if j == -1 || j <= i {
		j = len(name)
	}
	return name[:i+1] + hash(name[i+1:j]) + name[j:]
}
