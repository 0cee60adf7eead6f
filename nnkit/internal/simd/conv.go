package simd

// Conv is the shape of a convolution, which deep learning means without turning the kernel round. The image is
// (Batch, Height, Width, Channels), the kernel (KernelHeight, KernelWidth, Channels/Groups, Filters), the result (Batch,
// OutHeight, OutWidth, Filters), all row-major: Keras' layouts. Strides, dilations and groups of 0 are 1. Padding may be
// of any size, below 0 it cuts the image. What a kernel's tap would read outside of the image is left out.
//
// A convolution in one dimension has a height of 1, in the image and in the kernel.
type Conv struct {
	Batch, Height, Width, Channels       int
	Filters                              int
	KernelHeight, KernelWidth            int
	StrideHeight, StrideWidth            int
	DilationHeight, DilationWidth        int
	PadTop, PadBottom, PadLeft, PadRight int
	Groups                               int
}

// OutHeight returns the height of the result, 0 if the kernel does not fit.
func (c *Conv) OutHeight() int {
	return outputs(c.Height+c.PadTop+c.PadBottom, c.KernelHeight, c.StrideHeight, c.DilationHeight)
}

// OutWidth returns the width of the result, 0 if the kernel does not fit.
func (c *Conv) OutWidth() int {
	return outputs(c.Width+c.PadLeft+c.PadRight, c.KernelWidth, c.StrideWidth, c.DilationWidth)
}

func outputs(in, taps, stride, dilation int) int {
	over := in - (taps-1)*max(1, dilation) - 1
	if over < 0 {
		return 0
	}
	return over/max(1, stride) + 1
}

// axes returns the directions of the image; of one that has a height of 1 they change places, since there is more to
// gain from one that is high.
func (c *Conv) axes() (rows, columns axis) {
	rows = axis{c.Height, c.OutHeight(), c.KernelHeight, max(1, c.StrideHeight), max(1, c.DilationHeight), c.PadTop}
	columns = axis{c.Width, c.OutWidth(), c.KernelWidth, max(1, c.StrideWidth), max(1, c.DilationWidth), c.PadLeft}
	if rows.in == 1 && rows.out == 1 && rows.taps == 1 && rows.before == 0 {
		rows, columns = columns, rows
	}
	return rows, columns
}

func (c *Conv) groups() int { return max(1, c.Groups) }

// ConvForward is the convolution Y = X * W + Bias, with ReLU on the way out if asked for. Each number of Y is the bias, or
// 0 if that is nil, and one chain of multiply-adds in ascending order of the kernel's rows, columns and channels.
type ConvForward struct {
	Conv
	X, W, Bias, Y []float32
	ReLU          bool
}

func (f *ConvForward) sweep() sweep {
	rows, columns := f.axes()
	g := f.groups()
	return sweep{
		rows: rows, columns: columns,
		from: newPlane(rows.in, columns.in, f.Channels), to: newPlane(rows.out, columns.out, f.Filters),
		groups: g, channels: f.Channels / g, count: f.Filters / g,
		x: f.X, w: f.W, y: f.Y, start: f.Bias, relu: f.ReLU,
	}
}

func (f *ConvForward) blocks(s *sweep) blocks {
	weights := s.rows.taps * s.columns.taps * s.channels * f.Filters
	return newBlocks(f.Batch, s.rows.out, s.count, s.rows.out*s.columns.out*weights, weights/s.groups)
}

// Blocks returns into how many blocks, which may be computed at the same time, the convolution is best cut.
func (f *ConvForward) Blocks() int {
	s := f.sweep()
	b := f.blocks(&s)
	return b.count()
}

// Block computes block i.
func (f *ConvForward) Block(i int) {
	s := f.sweep()
	b := f.blocks(&s)
	s.compute(b.section(i))
}
