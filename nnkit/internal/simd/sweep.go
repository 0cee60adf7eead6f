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

// compute computes rows p0 to p1-1 of images n0 to n1-1.
func (s *sweep) compute(n0, n1, p0, p1 int) {
	var t strip
	width := s.groups * s.count // of a row of the kernel
	t.n, t.bRow, t.relu, t.aColumn = s.count, width, s.relu, 1
	// Where nothing lies between the taps of a row of the kernel, they are one run.
	joined := s.columns.dilation == 1 && s.from.column == s.channels
	for p := p0; p < p1; {
		row0, row1, nextRow := s.rows.span(p, p1)
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
				{n1 - n0, s.from.image, s.to.image},
			}
			a := n0*s.from.image + s.rows.at(p, row0)*s.from.row + s.columns.at(q, column0)*s.from.column
			b := (row0*s.columns.taps + column0) * s.channels * width
			c := n0*s.to.image + p*s.to.row + q*s.to.column
			for g := range s.groups {
				u := t
				if row0 < row1 && column0 < column1 {
					u.a, u.b = s.x[a+g*s.channels:], s.w[b+g*s.count:]
				}
				u.c = s.y[c+g*s.count:]
				if s.start != nil {
					u.start = s.start[g*s.count:]
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

// blocks is how a convolution is cut: into so many images, or rows of one image.
type blocks struct{ images, rows int }

// So many multiply-adds are a block, and more in one image are worth cutting it where there are few images.
const convBlock = 1 << 20

func newBlocks(batch, rows, work int) blocks {
	if work = max(1, work); work <= convBlock {
		return blocks{max(1, convBlock/work), max(1, rows)}
	}
	bands := work / (4 * convBlock)
	if batch < 16 {
		bands = work / convBlock
	}
	bands = min(max(1, bands), max(1, rows/8))
	return blocks{1, (rows + bands - 1) / bands}
}

// count returns how many blocks there are.
func (b blocks) count(batch, rows int) int {
	return (batch + b.images - 1) / b.images * ((rows + b.rows - 1) / b.rows)
}

// block returns the images and rows of block i.
func (b blocks) block(i, batch, rows int) (n0, n1, p0, p1 int) {
	bands := (rows + b.rows - 1) / b.rows
	n0, p0 = i/bands*b.images, i%bands*b.rows
	return n0, min(n0+b.images, batch), p0, min(p0+b.rows, rows)
}
