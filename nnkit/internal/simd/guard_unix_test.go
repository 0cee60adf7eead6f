//go:build unix

package simd

import (
	"syscall"
	"testing"
	"unsafe"
)

// guard is memory between two pages that must not be touched.
type guard struct{ inside []byte }

func newGuard(t *testing.T, size int) *guard {
	t.Helper()
	page := syscall.Getpagesize()
	n := (size + page - 1) / page * page
	all, err := syscall.Mmap(-1, 0, n+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	for _, outside := range [][]byte{all[:page], all[page+n:]} {
		if err := syscall.Mprotect(outside, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return &guard{all[page : page+n]}
}

// begin returns n numbers right behind the first forbidden page, end those right before the second.
func (g *guard) begin(n int) []float32 { return floats(g.inside, n) }

func (g *guard) end(n int) []float32 { return floats(g.inside[len(g.inside)-4*n:], n) }

func floats(b []byte, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
