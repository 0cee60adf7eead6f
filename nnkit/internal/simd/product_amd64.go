//go:build !purego

package simd

// A product is cut into tiles that fit the registers, at most 14×32 with AVX-512 and 6×16 with AVX2: each element of C
// is one chain of multiply-adds that stays in a register for up to depth of them. The columns of B that a tile needs are
// copied into a panel, where their parts lie next to each other: by the first tile of a column of tiles as it reads
// them, so that it costs next to nothing, or by transposing. Where a column has only one tile nothing is copied. A is
// read where it lies, an element at a time, unless its lines are far apart: then it is copied, too. The rows are divided
// evenly, since a low tile does not fill the pipeline.

// depth is how much of k is taken at once: a call then takes 2 µs at most, and a panel fits the second cache.
const depth = 512

// panels are the copies that a part makes.
type panels struct {
	b [depth * 2 * 16]float32                  // as wide as two vectors
	a [depth * ((farRows + 5) / 6) * 8]float32 // tile by tile, each in rows of 16 or 8 numbers
}

var spares spare[panels]

// shape is how high a tile of a set may be.
type shape struct {
	lanes int // columns of a vector
	rows  int // the most rows with one or two vectors of columns
	few   int // and with four
}

var shapeAVX512, shapeAVX2 = shape{16, 14, 5}, shape{8, 6, 2}

// tileShape is that of the set in use.
func tileShape() shape {
	if active.lanes == shapeAVX2.lanes {
		return shapeAVX2
	}
	return shapeAVX512
}

// tiling is the state of a part of a product on its way through its tiles. The product is not in it, since it would then
// escape to the heap.
type tiling struct {
	shape
	i0, i1      int
	count       int // of tiles in a column
	k0          int
	first, last bool    // of the blocks of k
	panels      *panels // nil if nothing is copied
	far         bool    // A is copied
	tile        tile
}

// height is the length of a row of A's panel.
func (s shape) height() int { return (s.rows + 7) &^ 7 }

// partInTiles is Part for the sets that have tiles.
func (p *Product) partInTiles(i0, i1, j0, j1 int) bool {
	if active == portable {
		return false
	}
	p.check(i1, j1)
	var w tiling
	p.prepare(&w, i0, i1)
	vectors := 2
	switch {
	case w.far || p.B.ColumnStride != 1 || w.count > 1 && j1-j0 > w.lanes:
		free := spares.borrow()
		defer spares.giveBack(free)
		w.panels = free
	case i1-i0 <= w.few:
		vectors = 4
	}
	blocks := (p.K + depth - 1) / depth
	for b := range blocks {
		w.k0, w.tile.k = evenly(p.K, blocks, b)
		w.first, w.last = b == 0, b == blocks-1
		if w.far {
			p.copyA(&w)
		}
		for j, n := j0, 0; j < j1; j += n {
			n = w.columns(vectors, j1-j)
			p.column(&w, j, n)
		}
	}
	return true
}

// prepare sets what stays the same for all tiles of rows i0 to i1-1.
func (p *Product) prepare(w *tiling, i0, i1 int) {
	w.shape, w.i0, w.i1 = tileShape(), i0, i1
	if w.count = 1; i1-i0 > w.rows {
		w.count = (i1 - i0 + w.rows - 1) / w.rows
	}
	w.far = p.far() && w.count > 1 && i1-i0 <= farRows
	w.tile.aRow, w.tile.aColumn = uintptr(p.A.RowStride)*4, uintptr(p.A.ColumnStride)*4
	if w.far {
		w.tile.aRow, w.tile.aColumn = 4, uintptr(w.height())*4
	}
	w.tile.cRow, w.tile.gateRow = uintptr(p.Stride)*4, uintptr(p.Stride)*4
}

// check panics where the last elements are outside of their slices: assembly would write there.
func (p *Product) check(i1, j1 int) {
	_ = p.A.Data[(i1-1)*p.A.RowStride+(p.K-1)*p.A.ColumnStride]
	_ = p.B.Data[(p.K-1)*p.B.RowStride+(j1-1)*p.B.ColumnStride]
	_ = p.C[(i1-1)*p.Stride+j1-1]
	if p.Start != nil {
		_ = p.Start[(i1-1)*p.StartStride+j1-1]
	}
	if p.Gate != nil {
		_ = p.Gate[(i1-1)*p.Stride+j1-1]
	}
}

// copyA copies the rows of A into their panel.
func (p *Product) copyA(w *tiling) {
	height, k := w.height(), w.tile.k
	for n := range w.count {
		i, rows := w.rowsOf(n)
		to := w.panels.a[n*k*height:]
		if from := p.A.Data[i*p.A.RowStride+w.k0*p.A.ColumnStride:]; p.A.ColumnStride == 1 {
			transpose(to, height, from, p.A.RowStride, rows, k)
		} else {
			for q := range k {
				for r := range rows {
					to[q*height+r] = from[q*p.A.ColumnStride+r*p.A.RowStride]
				}
			}
		}
	}
}

// evenly returns where part i of so many begins, of n things, and how many it has. Divisions are much of the time that a
// small product takes.
func evenly(n, parts, i int) (from, count int) {
	if parts == 1 {
		return 0, n
	}
	from = i * n / parts
	return from, (i+1)*n/parts - from
}

// rowsOf returns the first row of tile n of a column and how many it has. They are divided evenly.
func (w *tiling) rowsOf(n int) (i, rows int) {
	all := w.i1 - w.i0
	if w.count == 1 {
		return w.i0, all
	}
	rows, more := all/w.count, all%w.count
	i = w.i0 + n*rows + min(n, more)
	if n < more {
		rows++
	}
	return i, rows
}

// column computes the tiles of n columns from j on.
func (p *Product) column(w *tiling, j, n int) {
	t := &w.tile
	width := t.vectors * w.lanes
	if p.B.ColumnStride != 1 {
		transpose(w.panels.b[:], width, p.B.Data[w.k0+j*p.B.ColumnStride:], p.B.ColumnStride, n, t.k)
		t.b, t.bRow = &w.panels.b[0], uintptr(width)*4
	} else {
		t.b, t.bRow = &p.B.Data[w.k0*p.B.RowStride+j], uintptr(p.B.RowStride)*4
		if w.panels != nil && t.vectors == 2 && w.count > 1 {
			t.panel = &w.panels.b[0]
		}
	}
	for n := range w.count {
		var i int
		i, t.rows = w.rowsOf(n)
		if w.far {
			t.a = &w.panels.a[n*t.k*w.height()]
		} else {
			t.a = &p.A.Data[i*p.A.RowStride+w.k0*p.A.ColumnStride]
		}
		p.run(w, i, j)
		if t.panel != nil { // from now on B is read there
			t.b, t.bRow, t.panel = t.panel, uintptr(width)*4, nil
		}
	}
}

// columns has tiles of at most so many vectors take what they can of the columns that are left, and returns how many
// that are. As many vectors are used as are needed, the last one perhaps in part.
func (w *tiling) columns(vectors, left int) int {
	for vectors > 1 && left <= (vectors-1)*w.lanes {
		vectors /= 2
	}
	w.tile.vectors = vectors
	n := min(left, vectors*w.lanes)
	w.mask(n - (vectors-1)*w.lanes)
	return n
}

// mask has n columns of a tile's last vector used.
func (w *tiling) mask(n int) {
	w.tile.mask = 1<<n - 1
	if w.lanes == shapeAVX2.lanes {
		if n == w.lanes {
			w.tile.mask = 0
		}
		w.tile.masks = &lanesInUse[8-n]
	}
}

var lanesInUse = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

func (p *Product) run(w *tiling, i, j int) {
	t := &w.tile
	t.c = &p.C[i*p.Stride+j]
	switch {
	case !w.first:
		t.start, t.startRow = t.c, t.cRow
	case p.Start != nil:
		t.start, t.startRow = &p.Start[i*p.StartStride+j], uintptr(p.StartStride)*4
	}
	if w.last {
		if p.ReLU {
			t.relu = 1
		}
		if p.Gate != nil {
			t.gate = &p.Gate[i*p.Stride+j]
		}
	}
	w.multiply()
}

// multiply computes the tile.
func (w *tiling) multiply() {
	if w.lanes == shapeAVX512.lanes {
		tileAVX512(&w.tile)
	} else {
		tileAVX2(&w.tile)
	}
}

// transpose is transposeGo.
func transpose(dst []float32, width int, src []float32, stride, lines, k int) {
	if lines < 8 || k < 8 || active == portable {
		transposeGo(dst, width, src, stride, lines, k)
		return
	}
	for l := 0; l < lines; l += 8 {
		l := min(l, lines-8) // the last eight, some of them a second time; the same for k
		transpose8(&dst[l], uintptr(width)*4, &src[l*stride], uintptr(stride)*4, k/8)
		if k%8 != 0 {
			transpose8(&dst[(k-8)*width+l], uintptr(width)*4, &src[l*stride+k-8], uintptr(stride)*4, 1)
		}
	}
}
