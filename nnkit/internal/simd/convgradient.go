package simd

import "runtime"

// ConvInputGradient is the gradient for the input of a convolution, DX = DY * W turned round. It is also the convolution
// transposed: then Bias, one for each of the Channels, and ReLU are of use. Each number of DX is the bias, or 0 if that is
// nil, and one chain of multiply-adds in ascending order of DY's rows, columns and filters. What Gate, laid out as DX, is
// not above 0 at becomes 0: the gradient of the ReLU whose value the convolution read.
//
// Pack must have been called for the present W before the blocks are computed.
type ConvInputGradient struct {
	Conv
	DY, W, Bias, Gate, DX []float32
	ReLU                  bool
	Packed                []float32 // as long as W
}

// Pack copies W into Packed, in the order in which the blocks read it: for each class of rows and columns of DX that the
// same taps reach, these in descending order, and (Filters/Groups, Channels) for each tap; where channels are few,
// (Filters, KernelWidth, Channels) for each row of the kernel.
func (d *ConvInputGradient) Pack() {
	rows, columns := d.axes()
	groups := d.groups()
	channels, filters := d.Channels/groups, d.Filters/groups
	to := d.Packed
	if d.narrow(columns) {
		width := columns.taps * d.Channels
		for at := 0; at < len(d.W); at += width * filters {
			transpose(to[at:], width, d.W[at:], filters, width, filters)
		}
		return
	}
	for r := range rows.stride {
		down, firstRow, stepRow := rows.class(r)
		for c := range columns.stride {
			across, firstColumn, stepColumn := columns.class(c)
			for i := down.taps - 1; i >= 0; i-- {
				for j := across.taps - 1; j >= 0; j-- {
					tap := (firstRow+i*stepRow)*columns.taps + firstColumn + j*stepColumn
					from := d.W[tap*channels*d.Filters:]
					for g := range groups {
						transpose(to[g*channels:], d.Channels, from[g*filters:], d.Filters, channels, filters)
					}
					to = to[filters*d.Channels:]
				}
			}
		}
	}
}

// narrow says whether the channels are so few that they leave much of a vector empty, which those that a row of the
// kernel covers would not. Then each pixel of DY is multiplied by such rows, for several images at once, and added to
// what it reaches. For a number of DX that is the same chain in the same order.
func (d *ConvInputGradient) narrow(columns axis) bool {
	if d.groups() > 1 || columns.dilation > 1 || d.Batch < narrowImages {
		return false
	}
	vectors := func(n int) int { return (n + active.lanes - 1) / active.lanes }
	return vectors(columns.taps*d.Channels) < columns.taps*vectors(d.Channels)
}

// narrowImages are a block then.
const narrowImages = 8

// cut returns the blocks, and how many rows, each standing for as many as a stride, they have to share.
func (d *ConvInputGradient) cut(rows, columns axis) (b blocks, high int) {
	high = (rows.in + rows.stride - 1) / rows.stride
	if d.narrow(columns) {
		return blocks{narrowImages, max(1, high)}, high
	}
	work := rows.out * columns.out * d.Filters * rows.taps * columns.taps * d.Channels / d.groups()
	return newBlocks(d.Batch, high, work), high
}

// spread computes images n0 to n1-1 where channels are few. A number of DX is reached from one row of DY by each row of
// the kernel, from a later one by one further up; so the pixels of DY come in ascending order.
func (d *ConvInputGradient) spread(rows, columns axis, n0, n1 int) {
	from, to := newPlane(rows.out, columns.out, d.Filters), newPlane(rows.in, columns.in, d.Channels)
	dx := d.DX[n0*to.image : n1*to.image]
	clear(dx)
	for at := 0; d.Bias != nil && at < len(dx); at += d.Channels {
		copy(dx[at:], d.Bias[:d.Channels])
	}
	width := columns.taps * d.Channels
	for row := rows.taps - 1; row >= 0; row-- {
		p0, p1 := rows.outputs(row)
		for q := 0; q < columns.out && p0 < p1; {
			column0, column1, next := columns.span(q, columns.out)
			if column0 < column1 {
				s := strip{
					rows: [3]side{
						{n1 - n0, from.image, to.image},
						{p1 - p0, from.row, rows.stride * to.row},
						{next - q, from.column, columns.stride * to.column},
					},
					overlapping: true, add: true,
					n: (column1 - column0) * d.Channels, outer: 1, inner: 1, run: d.Filters, aColumn: 1, bRow: width,
					a: d.DY[n0*from.image+p0*from.row+q*from.column:],
					b: d.Packed[row*width*d.Filters+column0*d.Channels:],
					c: dx[rows.at(p0, row)*to.row+columns.at(q, column0)*to.column:],
				}
				s.compute()
			}
			q = next
		}
	}
	if d.ReLU {
		ReLU(dx, dx)
	}
	if d.Gate != nil {
		ReLUGradient(dx, d.Gate[n0*to.image:n1*to.image])
	}
}

// Blocks returns into how many blocks, which may be computed at the same time, the gradient is best cut.
func (d *ConvInputGradient) Blocks() int {
	b, high := d.cut(d.axes())
	return b.count(d.Batch, high)
}

// Block computes block i.
func (d *ConvInputGradient) Block(i int) {
	rows, columns := d.axes()
	b, high := d.cut(rows, columns)
	n0, n1, p0, p1 := b.block(i, d.Batch, high)
	if d.narrow(columns) {
		d.spread(rows, columns, n0, n1)
		return
	}
	g := d.groups()
	s := sweep{
		from: newPlane(rows.out, columns.out, d.Filters), to: newPlane(rows.in, columns.in, d.Channels),
		groups: g, channels: d.Filters / g, count: d.Channels / g,
		x: d.DY, w: d.Packed, start: d.Bias, relu: d.ReLU,
	}
	origin := s.to
	s.to.row *= rows.stride
	s.to.column *= columns.stride
	for r := range rows.stride {
		s.rows, _, _ = rows.class(r)
		for c := range columns.stride {
			s.columns, _, _ = columns.class(c)
			if p1 := min(p1, s.rows.out); n0 < n1 && p0 < p1 && s.columns.out > 0 {
				at := r*origin.row + c*origin.column
				s.y = d.DX[at:]
				if d.Gate != nil {
					s.gate = d.Gate[at:]
				}
				s.compute(n0, n1, p0, p1)
			}
			s.w = s.w[s.rows.taps*s.columns.taps*s.channels*d.Channels:]
		}
	}
}

// ConvWeightGradient is the gradient for the kernel of a convolution, DW, and that for its bias, DBias, if it is not nil.
// Each number is one chain of multiply-adds, or of additions, in ascending order of images, rows and columns of DY.
type ConvWeightGradient struct {
	Conv
	X, DY, DW, DBias []float32
}

// The gradient is cut into tiles of DW, since all pixels go into each. They belong to lines: rows of DW that have the same
// pixels. A line is a row of the kernel, where its taps all lie in the image; otherwise the channels of one tap; or, where
// those are few, the taps of one channel that are above each other, which do not have the same pixels in rows of the
// image at its edges. DBias is a line more.
type weightTiles struct {
	rows, columns      axis
	lines, length      int
	joined, tall       bool
	channels, filters  int // of a group
	high, wide         int // tiles of a line and of the filters
	tileRows, tileWide int
	bias               int // tiles
}

func (d *ConvWeightGradient) tiles() weightTiles {
	var t weightTiles
	t.rows, t.columns = d.axes()
	g := d.groups()
	t.channels, t.filters = d.Channels/g, d.Filters/g
	first, _ := t.columns.outputs(0)
	_, last := t.columns.outputs(t.columns.taps - 1)
	switch {
	case g == 1 && t.columns.dilation == 1 && first == 0 && last == t.columns.out:
		t.joined = true
		t.lines, t.length = t.rows.taps, t.columns.taps*t.channels
	case t.channels < t.rows.taps:
		t.tall = true
		t.lines, t.length = g*t.columns.taps*t.channels, t.rows.taps
	default:
		t.lines, t.length = g*t.rows.taps*t.columns.taps, t.channels
	}
	t.tileRows, t.tileWide = tileSize(t.length)
	t.high = (t.length + t.tileRows - 1) / t.tileRows
	t.wide = (t.filters + t.tileWide - 1) / t.tileWide
	if d.DBias != nil {
		t.bias = (d.Filters + biasTile - 1) / biasTile
	}
	return t
}

const biasTile = 64

// Blocks returns into how many blocks, which may be computed at the same time, the gradient is best cut.
func (d *ConvWeightGradient) Blocks() int {
	t := d.tiles()
	work := d.Batch * t.rows.out * t.columns.out * t.rows.taps * t.columns.taps * t.channels * d.Filters
	if work < smallProduct {
		return 1
	}
	// All of X and DY goes through each block: so no more of them than can be of use.
	return min(runtime.GOMAXPROCS(0), max(1, t.count()))
}

func (t *weightTiles) count() int { return t.lines*t.high*t.wide + t.bias }

// together is how many numbers of X and DY are taken at once, that they stay in the second cache.
const together = 1 << 18

// Block computes block i.
func (d *ConvWeightGradient) Block(i int) {
	t := d.tiles()
	n, all := d.Blocks(), t.count()
	lo, hi := i*all/n, (i+1)*all/n
	for u := lo; u < hi; u++ {
		d.clear(&t, u)
	}
	each := t.rows.in*t.columns.in*d.Channels + t.rows.out*t.columns.out*d.Filters // numbers of an image
	images := max(1, together/max(1, each))
	bands := min(max(1, each/together), max(1, t.rows.out/4))
	for n0 := 0; n0 < d.Batch; n0 += images {
		for band := range bands {
			p0, p1 := band*t.rows.out/bands, (band+1)*t.rows.out/bands
			for u := lo; u < hi; u++ {
				d.add(&t, u, n0, min(n0+images, d.Batch), p0, p1)
			}
		}
	}
}

// at returns where tile u is.
func (d *ConvWeightGradient) at(t *weightTiles, u int) (w weightTile) {
	line := u / (t.high * t.wide)
	m, j := u%t.high*t.tileRows, u/t.high%t.wide*t.tileWide
	w.rows, w.columns = min(t.tileRows, t.length-m), min(t.tileWide, t.filters-j)
	w.step = d.Filters
	group, row := 0, m // of DW
	switch {
	case t.joined:
		w.row = line
		w.channel = m
		row += line * t.length
	case t.tall:
		w.row, w.column, w.channel = m, line/t.channels%t.columns.taps, line%t.channels
		group = line / t.channels / t.columns.taps
		w.step *= t.columns.taps * t.channels
		row = (m*t.columns.taps+w.column)*t.channels + w.channel
	default:
		w.row, w.column, w.channel = line/t.columns.taps%t.rows.taps, line%t.columns.taps, m
		group = line / t.columns.taps / t.rows.taps
		row += line % (t.columns.taps * t.rows.taps) * t.channels
	}
	w.channel += group * t.channels
	w.filter = group*t.filters + j
	w.at = row*d.Filters + w.filter
	return w
}

// weightTile is a part of DW.
type weightTile struct {
	row, column     int // the tap
	channel, filter int // the first ones
	rows, columns   int // how many
	at, step        int // in DW
}

// clear sets tile u to 0.
func (d *ConvWeightGradient) clear(t *weightTiles, u int) {
	if bias := u - t.lines*t.high*t.wide; bias >= 0 {
		clear(d.DBias[bias*biasTile : min((bias+1)*biasTile, d.Filters)])
		return
	}
	w := d.at(t, u)
	for r := range w.rows {
		clear(d.DW[w.at+r*w.step:][:w.columns])
	}
}

// add adds to tile u what comes from rows p0 to p1-1 of images n0 to n1-1.
func (d *ConvWeightGradient) add(t *weightTiles, u, n0, n1, p0, p1 int) {
	from, to := newPlane(t.rows.in, t.columns.in, d.Channels), newPlane(t.rows.out, t.columns.out, d.Filters)
	s := strip{add: true, bRow: d.Filters, bOuter: t.rows.out * t.columns.out, bInner: t.columns.out, outer: n1 - n0}
	s.rows[1].n, s.rows[2].n = 1, 1
	if bias := u - t.lines*t.high*t.wide; bias >= 0 {
		first := bias * biasTile
		s.rows[0].n, s.n = 1, min(biasTile, d.Filters-first)
		s.a, s.b, s.c = one[:], d.DY[n0*to.image+p0*to.row+first:], d.DBias[first:]
		s.inner, s.run = p1-p0, t.columns.out
		s.compute()
		return
	}
	w := d.at(t, u)
	q0, q1 := t.columns.outputs(w.column)
	if t.joined {
		q0, q1 = 0, t.columns.out
	}
	s.n, s.run = w.columns, q1-q0
	s.aOuter, s.aInner, s.aColumn = from.image, t.rows.stride*from.row, t.columns.stride*from.column
	part := func(n, p, next, row, rows int) {
		s.inner = next - p
		s.rows[0] = side{rows, 1, w.step}
		at := w.at
		if t.tall {
			s.rows[0].a = t.rows.dilation * from.row
			at += (row - w.row) * w.step
		}
		if s.outer*s.inner*s.run == 0 {
			return
		}
		s.a = d.X[n*from.image+t.rows.at(p, row)*from.row+t.columns.at(q0, w.column)*from.column+w.channel:]
		s.b = d.DY[n*to.image+p*to.row+q0*to.column+w.filter:]
		s.c = d.DW[at:]
		u := s
		u.compute()
	}
	if !t.tall {
		lo, hi := t.rows.outputs(w.row)
		part(n0, max(lo, p0), max(lo, p0, min(hi, p1)), w.row, w.rows)
		return
	}
	s.outer = 1
	for n := n0; n < n1; n++ {
		for p := p0; p < p1; {
			lo, hi, next := t.rows.span(p, p1)
			lo, hi = max(lo, w.row), min(hi, w.row+w.rows)
			if lo < hi {
				part(n, p, next, lo, hi-lo)
			}
			p = next
		}
	}
}
