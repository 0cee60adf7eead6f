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

// Rows computes rows lo to hi-1 of C:
//
//	for i := lo; i < hi; i++ {
//		for j := range N {
//			c := Init[j]
//			for k := range K {
//				c += float32(A[i,k] * B[k,j])
//			}
//			C[i,j] = max(c, 0) if ReLU, else c
//		}
//	}
func (p *Product) Rows(lo, hi int) {
	if p.K == 0 || p.N == 0 || hi <= lo {
		p.edge(lo, hi, 0, p.N)
		return
	}
	n4 := p.N &^ 3
	i := lo
	if p.B.ColumnStride == 1 {
		for ; i+2 <= hi; i += 2 {
			for j := 0; j < n4; j += 4 {
				p.tileAlong(i, j)
			}
		}
	} else {
		for ; i+2 <= hi; i += 2 {
			for j := 0; j < n4; j += 4 {
				p.tileAcross(i, j)
			}
		}
	}
	p.edge(i, hi, 0, n4)
	p.edge(lo, hi, n4, p.N)
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
	for k := p.K; ; {
		x0, x1 := a0[0], a1[0]
		y := (*[4]float32)(b)
		y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
		c00 += float32(x0 * y0)
		c01 += float32(x0 * y1)
		c02 += float32(x0 * y2)
		c03 += float32(x0 * y3)
		c10 += float32(x1 * y0)
		c11 += float32(x1 * y1)
		c12 += float32(x1 * y2)
		c13 += float32(x1 * y3)
		if k--; k == 0 {
			break
		}
		a0, a1, b = a0[step:], a1[step:], b[stride:]
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

func (p *Product) edge(lo, hi, from, to int) {
	a, b := &p.A, &p.B
	for i := lo; i < hi; i++ {
		for j := from; j < to; j++ {
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
