package simd

import "runtime"

// ConvWeightGradient adds the gradient for the kernel of a convolution to DW, and that for its bias to DBias, if it is not
// nil. Each number is one chain of multiply-adds, or of additions, in ascending order of images, rows and columns of DY.
type ConvWeightGradient struct {
	Conv
	X, DY, DW, DBias []float32

	cut int // into so many blocks, as Blocks has returned
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

// Blocks returns into how many blocks, which may be computed at the same time, the gradient is best cut. It must have
// been called for the present shape before the blocks are computed: how many depends on the number of cores, which may
// change meanwhile.
func (d *ConvWeightGradient) Blocks() int {
	t := d.tiles()
	d.cut = 1
	if work := d.Batch * t.rows.out * t.columns.out * t.rows.taps * t.columns.taps * t.channels * d.Filters; work >= smallProduct {
		// All of X and DY goes through each block: so no more of them than can be of use.
		d.cut = min(runtime.GOMAXPROCS(0), max(1, t.count()))
	}
	return d.cut
}

func (t *weightTiles) count() int { return t.lines*t.high*t.wide + t.bias }

// together is how many numbers of X and DY are taken at once, that they stay in the second cache.
const together = 1 << 18

// Block computes block i.
func (d *ConvWeightGradient) Block(i int) {
	t := d.tiles()
	all := t.count()
	lo, hi := i*all/d.cut, (i+1)*all/d.cut
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
