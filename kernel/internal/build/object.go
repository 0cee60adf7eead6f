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

// references lists what the Go objects of an archive refer to. The layout of an
// object is that of cmd/internal/goobj.
func references(archive string) ([]reference, error) {
	b, err := os.ReadFile(archive)
	if err != nil {
		return nil, err
	}
	const (
		magic      = "\x00go120ld"
		nonpkgref  = 7  // the block of references by name, and its end
		symbolSize = 21 // of an entry in it: name's length and offset, ABI, …
		headerSize = 8 + 8 + 4 + 4*(nonpkgref+2)
	)
	var refs []reference
	found := false
	for {
		i := bytes.Index(b, []byte(magic))
		if i < 0 {
			break
		}
		b, found = b[i:], true
		if len(b) < headerSize {
			return nil, fmt.Errorf("%s: object is cut off", archive)
		}
		block := func(n int) int { return int(le.Uint32(b[8+8+4+4*n:])) }
		from, to := block(nonpkgref), block(nonpkgref+1)
		if from > to || to > len(b) {
			return nil, fmt.Errorf("%s: object has another layout than expected", archive)
		}
		for at := from; at+symbolSize <= to; at += symbolSize {
			n, off := int(le.Uint32(b[at:])), int(le.Uint32(b[at+4:]))
			if off+n > len(b) {
				return nil, fmt.Errorf("%s: object has another layout than expected", archive)
			}
			refs = append(refs, reference{string(b[off : off+n]), le.Uint16(b[at+8:])})
		}
		b = b[len(magic):]
	}
	if !found {
		return nil, fmt.Errorf("%s holds no Go object of the expected version", archive)
	}
	return refs, nil
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
