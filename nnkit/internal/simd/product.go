package simd

import "math"

// View is a matrix in a slice: element (i, j) is Data[i*RowStride+j*ColumnStride].
type View struct {
	Data                    []float32
	RowStride, ColumnStride int
}

// RowMajor is a view of rows of the given width.
func RowMajor(data []float32, width int) View { return View{data, width, 1} }

// Transposed swaps rows and columns; nothing is moved.
func (v View) Transposed() View { return View{v.Data, v.ColumnStride, v.RowStride} }

// Product is the matrix product C = Start + A·B, with ReLU or its gradient on the way out if asked for. A is M×K in any
// strides. B is K×N, and one of its strides is 1. Row i of C begins at C[i*Stride].
type Product struct {
	M, N, K int
	A, B    View
	C       []float32
	Stride  int

	// Row i of C begins as Start[i*StartStride:], zeros if nil. With a stride of 0 it is a bias; with Start = C the
	// product is added to what C holds.
	Start       []float32
	StartStride int

	ReLU bool // what is below 0 becomes 0
	// What Gate, laid out as C, is not above 0 at becomes 0: the gradient of ReLU, whose value Gate is. nil for none.
	Gate []float32
}

// A block is as wide as two of the widest tiles, or as the product; it is high enough to use its part of B often, and low
// enough that many cores have something to do.
const blockColumns, blockRows = 64, 256

// Below this many multiply-adds a product is one block: several cores would cost more than they save.
const smallProduct = 1 << 18

// Blocks returns into how many blocks, which may be computed at the same time, the product is best cut.
func (p *Product) Blocks() int {
	if p.M*p.N*p.K < smallProduct {
		return 1
	}
	rows, columns := p.blockSize()
	return ((p.M + rows - 1) / rows) * ((p.N + columns - 1) / columns)
}

func (p *Product) blockSize() (rows, columns int) {
	switch {
	case p.M*p.N*p.K < smallProduct:
		return p.M, p.N
	case p.far():
		blocks := (p.M + farRows - 1) / farRows
		return (p.M + blocks - 1) / max(1, blocks), farColumns
	case p.N < 2*blockColumns:
		return 2 * 14, p.N // few columns: low blocks instead, of two whole tiles
	default:
		return blockRows, blockColumns
	}
}

// far says whether neighbouring elements of A are a page or more apart in memory, and A is used often enough to copy it:
// each would need a place of its own in the processor's table of pages, and many the same place of its first cache.
func (p *Product) far() bool {
	return max(p.A.RowStride, p.A.ColumnStride) >= 1024 && p.N >= 256
}

// The size of a block then: a copy of its part of A fits the second cache, and pays.
const farRows, farColumns = 140, 1024

// Block computes block i.
func (p *Product) Block(i int) {
	rows, columns := p.blockSize()
	across := max(1, (p.N+columns-1)/max(1, columns))
	i0, j0 := i/across*rows, i%across*columns
	p.Part(i0, min(i0+rows, p.M), j0, min(j0+columns, p.N))
}

// Part computes rows i0 to i1-1 and columns j0 to j1-1 of C:
//
//	for i := i0; i < i1; i++ {
//		for j := j0; j < j1; j++ {
//			c := Start[i*StartStride+j]
//			for k := range K {
//				c = fma(A[i,k], B[k,j], c)
//			}
//			if ReLU && c < 0 || Gate[i*Stride+j] <= 0 {
//				c = 0
//			}
//			C[i*Stride+j] = c
//		}
//	}
//
// Parts that do not overlap may be computed at the same time, and how C is cut changes no bit.
func (p *Product) Part(i0, i1, j0, j1 int) {
	if i0 >= i1 || j0 >= j1 {
		return
	}
	if p.K == 0 || !p.partInTiles(i0, i1, j0, j1) {
		p.partGo(i0, i1, j0, j1)
	}
}

// ColumnSums sets dst[j] to the sum of column j of src, from the first row on.
func ColumnSums(dst, src []float32, rows, width int) { columnSums(dst, nil, src, rows, width) }

// AddColumnSums adds the rows of src to dst, one after another.
func AddColumnSums(dst, src []float32, rows, width int) { columnSums(dst, dst, src, rows, width) }

func columnSums(dst, start, src []float32, rows, width int) {
	p := Product{M: 1, N: width, K: rows, A: View{Data: one[:]}, B: RowMajor(src, width), C: dst, Start: start}
	p.Part(0, 1, 0, width)
}

// one is a row of ones of any length, as a view without strides.
var one = [1]float32{1}

func (p *Product) partGo(i0, i1, j0, j1 int) {
	even, four := i0+(i1-i0)&^1, j0+(j1-j0)&^3
	// Rows run inside columns, so that four columns of B stay in the first cache while A goes by.
	for j := j0; j < four; j += 4 {
		for i := i0; i < even; i += 2 {
			p.fourColumns(i, j)
			p.fourColumns(i+1, j)
		}
	}
	for j := j0; j < four; j += 4 {
		for i := even; i < i1; i++ {
			p.fourColumns(i, j)
		}
	}
	for i := i0; i < i1; i++ {
		for j := four; j < j1; j++ {
			p.element(i, j)
		}
	}
}

// fourColumns computes four neighbours in a row of C, with fma written out: a call for each would take five times as
// long.
func (p *Product) fourColumns(i, j int) {
	var c0, c1, c2, c3 float32
	if p.Start != nil {
		s := (*[4]float32)(p.Start[i*p.StartStride+j:])
		c0, c1, c2, c3 = s[0], s[1], s[2], s[3]
	}
	if p.K > 0 {
		a, b := p.A.Data[i*p.A.RowStride:], p.B.Data
		x, y, next := 0, j*p.B.ColumnStride, p.B.ColumnStride
		for range p.K {
			v := float64(a[x])
			p0, p1, p2, p3 := v*float64(b[y]), v*float64(b[y+next]), v*float64(b[y+2*next]), v*float64(b[y+3*next])
			s0, s1, s2, s3 := p0+float64(c0), p1+float64(c1), p2+float64(c2), p3+float64(c3)
			u0, u1, u2, u3 := math.Float64bits(s0), math.Float64bits(s1), math.Float64bits(s2), math.Float64bits(s3)
			if u0<<35 == halfway || u1<<35 == halfway || u2<<35 == halfway || u3<<35 == halfway ||
				u0<<1-1 < tiny-1 || u1<<1-1 < tiny-1 || u2<<1-1 < tiny-1 || u3<<1-1 < tiny-1 {
				c0, c1 = fmaExactly(p0, float64(c0), s0), fmaExactly(p1, float64(c1), s1)
				c2, c3 = fmaExactly(p2, float64(c2), s2), fmaExactly(p3, float64(c3), s3)
			} else {
				c0, c1, c2, c3 = float32(s0), float32(s1), float32(s2), float32(s3)
			}
			x += p.A.ColumnStride
			y += p.B.RowStride
		}
	}
	p.store(i, j, c0)
	p.store(i, j+1, c1)
	p.store(i, j+2, c2)
	p.store(i, j+3, c3)
}

func (p *Product) element(i, j int) {
	c := float32(0)
	if p.Start != nil {
		c = p.Start[i*p.StartStride+j]
	}
	x, y := i*p.A.RowStride, j*p.B.ColumnStride
	for range p.K {
		c = fma(p.A.Data[x], p.B.Data[y], c)
		x += p.A.ColumnStride
		y += p.B.RowStride
	}
	p.store(i, j, c)
}

func (p *Product) store(i, j int, c float32) {
	at := i*p.Stride + j
	if p.ReLU {
		c = relu(c)
	}
	if p.Gate != nil && p.Gate[at] <= 0 {
		c = 0
	}
	p.C[at] = c
}

// Transpose sets dst, row after row, to the transpose of src, which has rows of the given width.
func Transpose(dst, src []float32, rows, width int) {
	transposeRows(dst[:rows*width], src[:rows*width], 0, rows, rows, width)
}

// transposeRows copies rows r0 to r1-1 of src, which has so many rows and columns, to the columns of dst.
func transposeRows(dst, src []float32, r0, r1, rows, columns int) {
	if r0 == r1 {
		return
	}
	const atOnce = 2 * part / 8 // a call takes eight rows
	for lo := 0; lo < columns; lo += atOnce {
		transpose(dst[lo*rows+r0:], rows, src[r0*columns+lo:], columns, r1-r0, min(atOnce, columns-lo))
	}
}

// transposeGo sets dst[q*width+l] to number q of line l of src, for k numbers of each line.
func transposeGo(dst []float32, width int, src []float32, stride, lines, k int) {
	for l := range lines {
		for q, v := range src[l*stride:][:k] {
			dst[q*width+l] = v
		}
	}
}
