//go:build !purego

package simd

import "sync"

// A product is cut into tiles that fit the registers, at most 14×32 with AVX-512 and 6×16 with AVX2: each element of C
// is one chain of multiply-adds that stays in a register for up to depth of them. A is read where it lies, an element at
// a time. The columns of B that a tile needs are copied into a panel, where their parts lie next to each other: by the
// first tile of a column of tiles as it reads them, so that it costs next to nothing, or by transposing. Where a column
// has only one tile nothing is copied. The rows are divided evenly, since a low tile does not fill the pipeline.

// depth is how much of k is taken at once: a call then takes 2 µs at most, and a panel fits the second cache.
const depth = 512

// widest is the most columns of a tile that reads from a panel.
const widest = 2 * 16

// shape is how high a tile of a set may be.
type shape struct {
	lanes int // columns of a vector
	rows  int // the most rows with one or two vectors of columns
	few   int // and with four
}

var shapeAVX512, shapeAVX2 = shape{16, 14, 5}, shape{8, 6, 2}

type panel [depth * widest]float32

// tiling is the state of a part of a product on its way through its tiles. The product is not in it, since it would then
// escape to the heap.
type tiling struct {
	shape
	i0, i1      int
	k0          int
	first, last bool // of the blocks of k
	panel       *panel
	tile        tile
}

// partInTiles is Part for the sets that have tiles.
func (p *Product) partInTiles(i0, i1, j0, j1 int) bool {
	if active == portable {
		return false
	}
	w := tiling{shape: shapeAVX512, i0: i0, i1: i1}
	if active.lanes == shapeAVX2.lanes {
		w.shape = shapeAVX2
	}
	p.check(i1, j1)
	w.tile.aRow, w.tile.aColumn = uintptr(p.A.RowStride)*4, uintptr(p.A.ColumnStride)*4
	w.tile.cRow, w.tile.gateRow = uintptr(p.Stride)*4, uintptr(p.Stride)*4
	vectors := 2
	switch {
	case p.B.ColumnStride != 1 || i1-i0 > w.rows && j1-j0 > w.lanes:
		free := borrow()
		defer giveBack(free)
		w.panel = free
	case i1-i0 <= w.few:
		vectors = 4
	}
	blocks := (p.K + depth - 1) / depth
	for b := range blocks {
		w.k0 = b * p.K / blocks
		w.tile.k = (b+1)*p.K/blocks - w.k0
		w.first, w.last = b == 0, b == blocks-1
		for j, n := j0, 0; j < j1; j += n {
			// As many vectors as are used, the last one perhaps in part.
			w.tile.vectors = vectors
			for w.tile.vectors > 1 && j1-j <= (w.tile.vectors-1)*w.lanes {
				w.tile.vectors /= 2
			}
			n = min(w.tile.vectors*w.lanes, j1-j)
			p.column(&w, j, n)
		}
	}
	return true
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

// column computes the tiles of n columns from j on.
func (p *Product) column(w *tiling, j, n int) {
	t := &w.tile
	width := t.vectors * w.lanes
	w.mask(n - (width - w.lanes))
	if p.B.ColumnStride != 1 {
		p.pack(w, j, n, width)
		t.b, t.bRow = &w.panel[0], uintptr(width)*4
	} else {
		t.b, t.bRow = &p.B.Data[w.k0*p.B.RowStride+j], uintptr(p.B.RowStride)*4
		if w.panel != nil && t.vectors == 2 {
			t.panel = &w.panel[0]
		}
	}
	rows := w.i1 - w.i0
	count := (rows + w.rows - 1) / w.rows
	i := w.i0
	for n := range count {
		t.rows = rows / count
		if n < rows%count {
			t.rows++
		}
		p.run(w, i, j)
		if t.panel != nil { // from now on B is read there
			t.b, t.bRow, t.panel = t.panel, uintptr(width)*4, nil
		}
		i += t.rows
	}
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
	t.a = &p.A.Data[i*p.A.RowStride+w.k0*p.A.ColumnStride]
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
	if w.lanes == shapeAVX512.lanes {
		tileAVX512(t)
	} else {
		tileAVX2(t)
	}
}

// pack transposes n columns of B, each of which lies in a row of memory, into rows of the panel of the given width.
func (p *Product) pack(w *tiling, j, n, width int) {
	k, stride := w.tile.k, p.B.ColumnStride
	eightK, eightN := k&^7, n&^7
	if eightK > 0 {
		for c := 0; c < eightN; c += 8 {
			transpose8(&w.panel[c], uintptr(width)*4, &p.B.Data[w.k0+(j+c)*stride], uintptr(stride)*4, eightK/8)
		}
	}
	for c := range n {
		from := p.B.Data[w.k0+(j+c)*stride:][:k]
		at := 0
		if c < eightN {
			at = eightK
		}
		for ; at < k; at++ {
			w.panel[at*width+c] = from[at]
		}
	}
}

// panels are those that nobody uses: as many as parts have ever run at the same time.
var panels struct {
	sync.Mutex
	free []*panel
}

func borrow() *panel {
	panels.Lock()
	defer panels.Unlock()
	n := len(panels.free)
	if n == 0 {
		return new(panel)
	}
	p := panels.free[n-1]
	panels.free = panels.free[:n-1]
	return p
}

func giveBack(p *panel) {
	panels.Lock()
	defer panels.Unlock()
	panels.free = append(panels.free, p)
}
