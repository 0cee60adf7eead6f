package simd

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
	if d.groups() > 1 || columns.dilation > 1 || d.Batch < narrowImages || d.Channels >= active.lanes {
		return false
	}
	vectors := func(n int) int { return (n + active.lanes - 1) / active.lanes }
	return vectors(columns.taps*d.Channels) < columns.taps*vectors(d.Channels)
}

// narrowImages are a block then.
const narrowImages = 8

// blocks is of rows that stand for as many as a stride each.
func (d *ConvInputGradient) blocks(rows, columns axis) blocks {
	high := (rows.in + rows.stride - 1) / rows.stride
	channels := d.Channels / d.groups()
	if d.narrow(columns) {
		return blocks{d.Batch, high, channels, narrowImages, max(1, high), max(1, channels)}
	}
	weights := rows.taps * columns.taps * channels * d.Filters
	return newBlocks(d.Batch, high, channels, rows.out*columns.out*weights, weights/d.groups())
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
	b := d.blocks(d.axes())
	return b.count()
}

// Block computes block i.
func (d *ConvInputGradient) Block(i int) {
	rows, columns := d.axes()
	b := d.blocks(rows, columns)
	section := b.section(i)
	if d.narrow(columns) {
		d.spread(rows, columns, section.n0, section.n1)
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
			of := section
			if of.p1 = min(of.p1, s.rows.out); of.p0 < of.p1 && s.columns.out > 0 {
				at := r*origin.row + c*origin.column
				s.y = d.DX[at:]
				if d.Gate != nil {
					s.gate = d.Gate[at:]
				}
				s.compute(of)
			}
			s.w = s.w[s.rows.taps*s.columns.taps*s.channels*d.Channels:]
		}
	}
}
