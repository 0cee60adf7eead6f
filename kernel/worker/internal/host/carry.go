//go:build linux && amd64 && cgo

package host

import (
	"bytes"
	"os"
	"reflect"
	"strconv"
	"unsafe"

	"github.com/seed5607215b/nnkit/kernel/worker/internal/carry"
)

// letCarry tells package carry of this process. Without the runtime's function it
// cannot carry anything, and says so.
func (h *host) letCarry() {
	symbol := lookup(nil, "runtime.findObject.abiinternal")
	if symbol == nil {
		return
	}
	findObject := function[func(p, base, offset uintptr) (uintptr, unsafe.Pointer, uintptr)](symbol)
	carry.Here = &carry.Process{
		InHeap: func(p unsafe.Pointer) bool {
			base, _, _ := findObject(uintptr(p), 0, 0)
			return base != 0
		},
		Library: func(p unsafe.Pointer) (file string, offset uintptr, ofCell bool) {
			file, base := libraryOf(p)
			return file, uintptr(p) - base, h.cells[file]
		},
		Base: loadedAt,
		Types: func(yield func(reflect.Type) bool) {
			for _, list := range h.runtime.types.byHash {
				for _, descriptor := range list {
					if !yield(typeAt(descriptor)) {
						return
					}
				}
			}
		},
	}
}

// loadedAt is where a file is mapped, or nil.
func loadedAt(file string) unsafe.Pointer {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(maps) {
		if f := bytes.Fields(line); len(f) >= 6 && string(bytes.Join(f[5:], []byte(" "))) == file && string(f[2]) == "00000000" {
			begin, _, _ := bytes.Cut(f[0], []byte("-"))
			if at, err := strconv.ParseUint(string(begin), 16, 64); err == nil {
				return pointer(uintptr(at))
			}
		}
	}
	return nil
}
