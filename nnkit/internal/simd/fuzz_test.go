package simd

import (
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// FuzzProduct has products of any sizes and strides agree with the loop in the comment of Part, to the bit, for every set,
// between pages that must not be touched.
func FuzzProduct(f *testing.F) {
	f.Add(uint8(3), uint8(17), uint16(5), uint8(0), uint8(0), uint8(0), uint8(0), uint32(1))
	f.Add(uint8(15), uint8(33), uint16(70), uint8(3), uint8(1), uint8(2), uint8(255), uint32(2))
	f.Add(uint8(1), uint8(1), uint16(1100), uint8(0), uint8(7), uint8(1), uint8(90), uint32(3))
	f.Add(uint8(29), uint8(100), uint16(0), uint8(0), uint8(0), uint8(0), uint8(16), uint32(4))
	f.Fuzz(func(t *testing.T, m8, n8 uint8, k16 uint16, padA, padB, padC, flags uint8, seed uint32) {
		m, n, k := int(m8)%64, int(n8), int(k16)%1200
		p := Product{
			M: m, N: n, K: k,
			A:      guardedView(t, m, k, int(padA), int(seed), flags&1 != 0),
			B:      guardedView(t, k, n, int(padB), int(seed)+1, flags&2 != 0),
			Stride: n + int(padC), ReLU: flags&4 != 0,
		}
		size := 0
		if m > 0 {
			size = (m-1)*p.Stride + n
		}
		first := random.Stream{Seed: uint64(seed), Index: 9}
		c := newGuard(t, 4*size+4).end(size)
		for i := range c {
			c[i] = float32(first.Normal(i))
		}
		switch {
		case flags&8 != 0:
			p.Start, p.StartStride = append([]float32(nil), c...), p.Stride
		case flags&16 != 0:
			p.Start = append([]float32(nil), c[:min(n, len(c))]...)
		}
		if flags&32 != 0 {
			p.Gate = append([]float32(nil), c...)
		}
		p.C = append([]float32(nil), c...)
		if m > 0 && n > 0 {
			p.partGo(0, m, 0, n)
		}
		want := p.C
		defer Use(Active())
		for _, set := range sets {
			Use(set)
			p.C = c
			for b := range p.Blocks() {
				p.Block(b)
			}
			for i, v := range want {
				if !sameBits(c[i], v) {
					t.Fatalf("%s: %d×%d×%d, strides %d %d, %d %d, %d: number %d is %v, want %v", set, m, n, k, p.A.RowStride, p.A.ColumnStride,
						p.B.RowStride, p.B.ColumnStride, p.Stride, i, c[i], v)
				}
			}
			copy(c, want)
		}
	})
}

// guardedView makes a view of rows×columns with a distance of pad between its lines, that ends where memory ends.
func guardedView(t *testing.T, rows, columns, pad, seed int, transposed bool) View {
	lines, length := rows, columns
	if transposed {
		lines, length = columns, rows
	}
	size := 0
	if lines > 0 {
		size = (lines-1)*(length+pad) + length
	}
	x := newGuard(t, 4*size+4).end(size)
	s := random.Stream{Seed: uint64(seed)}
	for i := range x {
		x[i] = float32(s.Normal(i))
	}
	if transposed {
		return View{x, 1, length + pad}
	}
	return View{x, length + pad, 1}
}
