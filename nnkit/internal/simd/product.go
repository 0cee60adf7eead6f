package simd

// View is a matrix in a slice: element (i, j) is Data[i*RowStride+j*ColumnStride].
type View struct {
	Data                    []float32
	RowStride, ColumnStride int
}

// RowMajor is a view of rows of the given width.
func RowMajor(data []float32, width int) View { return View{data, width, 1} }

// Transposed swaps rows and columns; nothing is moved.
func (v View) Transposed() View { return View{v.Data, v.ColumnStride, v.RowStride} }

// Product is the matrix product C = Init + A·B, with ReLU on the way out if asked for. A is M×K, B is K×N, one of its
// strides is 1, and row i of C begins at C[i*LDC].
type Product struct {
	M, N, K int
	A, B    View
	C       []float32
	LDC     int
	Init    []float32 // N numbers that every row of C begins with, a bias; nil for zeros
	ReLU    bool
}

// Part computes rows i0 to i1-1 and columns j0 to j1-1 of C:
//
//	for i := i0; i < i1; i++ {
//		for j := j0; j < j1; j++ {
//			c := Init[j]
//			for k := range K {
//				c += float32(A[i,k] * B[k,j])
//			}
//			C[i,j] = max(c, 0) if ReLU, else c
//		}
//	}
//
// Parts that do not overlap may be computed at the same time, and how C is cut changes no bit.
func (p *Product) Part(i0, i1, j0, j1 int) {
	if p.K == 0 {
		p.edge(i0, i1, j0, j1)
		return
	}
	even, four := i0+max(0, i1-i0)&^1, j0+max(0, j1-j0)&^3
	// Rows run inside columns, so that four columns of B stay in the first cache while A goes by.
	if p.B.ColumnStride == 1 {
		for j := j0; j < four; j += 4 {
			for i := i0; i < even; i += 2 {
				p.tileAlong(i, j)
			}
		}
	} else {
		for j := j0; j < four; j += 4 {
			for i := i0; i < even; i += 2 {
				p.tileAcross(i, j)
			}
		}
	}
	p.edge(even, i1, j0, four)
	p.edge(i0, i1, four, j1)
}

// tileAlong computes a tile of 2×4, with four neighbours in a row of B. Eight sums and what they need just fit the
// registers.
func (p *Product) tileAlong(i, j int) {
	var c [4]float32
	if p.Init != nil {
		c = [4]float32(p.Init[j:])
	}
	c00, c01, c02, c03 := c[0], c[1], c[2], c[3]
	c10, c11, c12, c13 := c[0], c[1], c[2], c[3]
	a0, a1 := p.A.Data[i*p.A.RowStride:], p.A.Data[(i+1)*p.A.RowStride:]
	b := p.B.Data[j:]
	step, stride := p.A.ColumnStride, p.B.RowStride
	at, row := 0, 0
	for range p.K {
		x0, x1 := a0[at], a1[at]
		y := (*[4]float32)(b[row:])
		y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
		c00 += float32(x0 * y0)
		c01 += float32(x0 * y1)
		c02 += float32(x0 * y2)
		c03 += float32(x0 * y3)
		c10 += float32(x1 * y0)
		c11 += float32(x1 * y1)
		c12 += float32(x1 * y2)
		c13 += float32(x1 * y3)
		at += step
		row += stride
	}
	p.store(i, j, c00, c01, c02, c03)
	p.store(i+1, j, c10, c11, c12, c13)
}

// tileAcross computes a tile of 2×4, with four neighbours in a column of B's memory.
func (p *Product) tileAcross(i, j int) {
	var c [4]float32
	if p.Init != nil {
		c = [4]float32(p.Init[j:])
	}
	c00, c01, c02, c03 := c[0], c[1], c[2], c[3]
	c10, c11, c12, c13 := c[0], c[1], c[2], c[3]
	a0, a1 := p.A.Data[i*p.A.RowStride:], p.A.Data[(i+1)*p.A.RowStride:]
	step, stride := p.A.ColumnStride, p.B.ColumnStride
	n := p.K
	b := p.B.Data
	b0, b1, b2, b3 := b[j*stride:][:n], b[(j+1)*stride:][:n], b[(j+2)*stride:][:n], b[(j+3)*stride:][:n]
	at := 0
	for k := range b0 {
		x0, x1 := a0[at], a1[at]
		y0, y1, y2, y3 := b0[k], b1[k], b2[k], b3[k]
		c00 += float32(x0 * y0)
		c01 += float32(x0 * y1)
		c02 += float32(x0 * y2)
		c03 += float32(x0 * y3)
		c10 += float32(x1 * y0)
		c11 += float32(x1 * y1)
		c12 += float32(x1 * y2)
		c13 += float32(x1 * y3)
		at += step
	}
	p.store(i, j, c00, c01, c02, c03)
	p.store(i+1, j, c10, c11, c12, c13)
}

func (p *Product) store(i, j int, c0, c1, c2, c3 float32) {
	if p.ReLU {
		c0, c1, c2, c3 = relu(c0), relu(c1), relu(c2), relu(c3)
	}
	*(*[4]float32)(p.C[i*p.LDC+j:]) = [4]float32{c0, c1, c2, c3}
}

func (p *Product) edge(i0, i1, j0, j1 int) {
	a, b := &p.A, &p.B
	for i := i0; i < i1; i++ {
		for j := j0; j < j1; j++ {
			c := float32(0)
			if p.Init != nil {
				c = p.Init[j]
			}
			x, y := i*a.RowStride, j*b.ColumnStride
			for range p.K {
				c += float32(a.Data[x] * b.Data[y])
				x += a.ColumnStride
				y += b.RowStride
			}
			if p.ReLU {
				c = relu(c)
			}
			p.C[i*p.LDC+j] = c
		}
	}
}

// relu keeps a NaN, as PyTorch does.
func relu(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x
}

// ColumnSums sets dst[j] to the sum of column j of src, from the first row on.
func ColumnSums(dst, src []float32, rows, width int) {
	dst = dst[:width]
	clear(dst)
	for r := range rows {
		row := src[r*width:][:width]
		for j, v := range row {
			dst[j] += v
		}
	}
}
