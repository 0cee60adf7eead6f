package simd

// plane is how far images, their rows and their columns are apart.
type plane struct{ image, row, column int }

func newPlane(rows, columns, channels int) plane {
	return plane{rows * columns * channels, columns * channels, channels}
}

// sweep is a window that slides over images of whole batches: a convolution, or that part of the gradient for its
// input which has the same taps.
type sweep struct {
	rows, columns           axis
	from, to                plane
	groups, channels, count int // channels and results of a group
	x, w, y, start, gate    []float32
	relu                    bool
}

// compute computes a section, of each group.
func (s *sweep) compute(of section) {
	var t strip
	width := s.groups * s.count // of a row of the kernel
	t.n, t.bRow, t.relu, t.aColumn = of.j1-of.j0, width, s.relu, 1
	// Where nothing lies between the taps of a row of the kernel, they are one run.
	joined := s.columns.dilation == 1 && s.from.column == s.channels
	for p := of.p0; p < of.p1; {
		row0, row1, nextRow := s.rows.span(p, of.p1)
		for q := 0; q < s.columns.out; {
			column0, column1, nextColumn := s.columns.span(q, s.columns.out)
			t.outer, t.aOuter, t.bOuter = row1-row0, s.rows.dilation*s.from.row, s.columns.taps*s.channels
			t.inner, t.aInner, t.bInner = column1-column0, s.columns.dilation*s.from.column, s.channels
			t.run = s.channels
			if joined {
				t.inner, t.aInner, t.bInner, t.outer = t.outer, t.aOuter, t.bOuter, 1
				t.run *= column1 - column0
			}
			t.rows = [3]side{
				{nextColumn - q, s.columns.stride * s.from.column, s.to.column},
				{nextRow - p, s.rows.stride * s.from.row, s.to.row},
				{of.n1 - of.n0, s.from.image, s.to.image},
			}
			a := of.n0*s.from.image + s.rows.at(p, row0)*s.from.row + s.columns.at(q, column0)*s.from.column
			b := (row0*s.columns.taps+column0)*s.channels*width + of.j0
			c := of.n0*s.to.image + p*s.to.row + q*s.to.column + of.j0
			for g := range s.groups {
				u := t
				if row0 < row1 && column0 < column1 {
					u.a, u.b = s.x[a+g*s.channels:], s.w[b+g*s.count:]
				}
				u.c = s.y[c+g*s.count:]
				if s.start != nil {
					u.start = s.start[g*s.count+of.j0:]
				}
				if s.gate != nil {
					u.gate = s.gate[c+g*s.count:]
				}
				u.compute()
			}
			q = nextColumn
		}
		p = nextRow
	}
}

// section is what a block computes: rows p0 to p1-1 and columns j0 to j1-1, which are channels of a group, of images n0 to n1-1.
type section struct{ n0, n1, p0, p1, j0, j1 int }

// blocks is how a convolution is cut.
type blocks struct {
	batch, rows, columns int
	images, high, wide   int // of a block
}

// So many multiply-adds are a block, and more in one image are worth cutting it where there are few images.
const convBlock = 1 << 20

// newBlocks cuts images of so many rows, each of which is some work; weights are how many numbers the kernel has. One that
// takes much of the second cache is cut itself, if images are small: each of its parts is used for several of them.
func newBlocks(batch, rows, columns, work, weights int) blocks {
	b := blocks{batch: batch, rows: rows, columns: columns, images: 1, high: max(1, rows), wide: max(1, columns)}
	const large, few = 1 << 17, 256 // numbers, pixels
	work = max(1, work)
	switch {
	case weights > large && work/weights < few:
		b.images, b.wide = 14, blockColumns
	case work <= convBlock:
		b.images = convBlock / work
	default:
		bands := work / (4 * convBlock)
		if batch < 16 {
			bands = work / convBlock
		}
		bands = min(max(1, bands), max(1, rows/8))
		b.high = (rows + bands - 1) / bands
	}
	return b
}

// cuts returns how many blocks an image, or several, is cut into: down, and across its channels.
func (b *blocks) cuts() (down, across int) {
	return (b.rows + b.high - 1) / b.high, (b.columns + b.wide - 1) / b.wide
}

// count returns how many blocks there are.
func (b *blocks) count() int {
	down, across := b.cuts()
	return (b.batch + b.images - 1) / b.images * down * across
}

// section returns what block i computes.
func (b *blocks) section(i int) section {
	down, across := b.cuts()
	j0, p0, n0 := i%across*b.wide, i/across%down*b.high, i/across/down*b.images
	return section{n0, min(n0+b.images, b.batch), p0, min(p0+b.high, b.rows), j0, min(j0+b.wide, b.columns)}
}
