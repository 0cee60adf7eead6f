package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// Convolution says how a kernel moves over an image, or over a sequence; its zero value is Keras' default.
type Convolution struct {
	Strides  [2]int  // how far it moves, down and across; 0 is 1
	Dilation [2]int  // how far its taps are apart; 0 is 1, next to each other
	Padding  Padding // what is outside of the image
	Groups   int     // the channels are cut into so many groups, convolved by themselves; 0 is 1
}

// Pooling says how a window moves over an image.
type Pooling struct {
	Size    [2]int // of the window, height and width
	Strides [2]int // how far it moves, down and across; 0 is the window's size
	Padding Padding
}

// side is a direction of an image, in which a window moves.
type side struct{ in, out, before, after int }

// Conv2D is the convolution of images x of shape (rows, height, width, channels) with a kernel of shape (height, width,
// channels/groups, filters), plus a bias of shape (filters), nil for none: (rows, height, width, filters). As everywhere
// in deep learning the kernel is not turned round.
func (x *Tensor) Conv2D(kernel, bias *Tensor, c Convolution) *Tensor {
	return convolve("Conv2D", x, kernel, bias, c, false, false)
}

// Conv1D is the convolution of sequences x of shape (rows, steps, channels) with a kernel of shape (steps,
// channels/groups, filters), plus a bias of shape (filters), nil for none: (rows, steps, filters). Of strides and dilation
// the second number counts.
func (x *Tensor) Conv1D(kernel, bias *Tensor, c Convolution) *Tensor {
	return convolve("Conv1D", x, kernel, bias, c, true, false)
}

// convolve takes a sequence for images of height 1.
func convolve(operation string, x, w, b *Tensor, c Convolution, sequence, relu bool) *Tensor {
	var g simd.Conv
	if sequence {
		if len(x.shape) != 3 {
			fail(operation, "x has the shape %s: it must have three dimensions, (rows, steps, channels)", shapeText(x.shape))
		}
		if len(w.shape) != 3 {
			fail(operation, "the kernel has the shape %s: it must be (steps, channels, filters)", shapeText(w.shape))
		}
		g = c.geometry(operation, [4]int{x.shape[0], 1, x.shape[1], x.shape[2]}, [4]int{1, w.shape[0], w.shape[1], w.shape[2]}, x, w, b)
	} else {
		if len(x.shape) != 4 {
			fail(operation, "x has the shape %s: it must have four dimensions, (rows, height, width, channels)", shapeText(x.shape))
		}
		if len(w.shape) != 4 {
			fail(operation, "the kernel has the shape %s: it must be (height, width, channels, filters)", shapeText(w.shape))
		}
		g = c.geometry(operation, [4]int(x.shape), [4]int(w.shape), x, w, b)
	}
	n := next(operation, x, w, b)
	if sequence {
		n.make(g.Batch, g.OutWidth(), g.Filters)
	} else {
		n.make(g.Batch, g.OutHeight(), g.OutWidth(), g.Filters)
	}
	o := noted[convolved](n)
	o.x, o.w, o.b = x.node, w.node, nil
	o.forward = simd.ConvForward{Conv: g, X: x.data, W: w.data, Y: n.data, ReLU: relu}
	if b != nil {
		o.b, o.forward.Bias = b.node, b.data
	}
	compute(&o.forward)
	n.gated = relu && n.wanted
	return n.done()
}

// geometry checks the shapes of a convolution.
func (c Convolution) geometry(operation string, image, kernel [4]int, x, w, b *Tensor) simd.Conv {
	groups := max(1, c.Groups)
	channels, filters := image[3], kernel[3]
	switch {
	case channels%groups != 0 || filters%groups != 0:
		fail(operation, "%d channels and %d filters cannot be cut into %d groups: both must be multiples of it", channels, filters, groups)
	case kernel[2] != channels/groups:
		fail(operation, "x has the shape %s and the kernel %s: the kernel's last size but one must be the number of channels in a group, %d",
			shapeText(x.shape), shapeText(w.shape), channels/groups)
	case b != nil && (len(b.shape) != 1 || b.shape[0] != filters):
		fail(operation, "the bias has the shape %s, but there are %d filters: it must be (%d)", shapeText(b.shape), filters, filters)
	}
	down, across := c.side(0, image[1], kernel[0]), c.side(1, image[2], kernel[1])
	if down.out < 1 || across.out < 1 {
		fail(operation, "a kernel of shape %s does not fit into x of shape %s: use a smaller one, or SamePadding", shapeText(w.shape), shapeText(x.shape))
	}
	return simd.Conv{
		Batch: image[0], Height: image[1], Width: image[2], Channels: channels, Filters: filters,
		KernelHeight: kernel[0], KernelWidth: kernel[1],
		StrideHeight: c.Strides[0], StrideWidth: c.Strides[1], DilationHeight: c.Dilation[0], DilationWidth: c.Dilation[1],
		PadTop: down.before, PadBottom: down.after, PadLeft: across.before, PadRight: across.after, Groups: groups,
	}
}

func (c Convolution) side(i, in, taps int) side {
	return c.Padding.side(in, (taps-1)*max(1, c.Dilation[i])+1, max(1, c.Strides[i]))
}

// side works out what a window that covers so many numbers makes of a direction of the image.
func (p Padding) side(in, covers, stride int) side {
	s := side{in: in}
	switch p {
	case SamePadding:
		s.out = (in + stride - 1) / stride
		if all := (s.out-1)*stride + covers - in; all > 0 {
			s.before, s.after = all/2, all-all/2
		}
	case CausalPadding:
		s.before = covers - 1
		s.out = (in + stride - 1) / stride
	default:
		s.out = (in-covers)/stride + 1
		if in < covers {
			s.out = 0
		}
	}
	return s
}

type convolved struct {
	x, w, b *node
	forward simd.ConvForward
	inputs  simd.ConvInputGradient
	weights simd.ConvWeightGradient
}

func (o *convolved) backward(t *Tape, n *node) {
	dy := n.gradient()
	f := &o.forward
	if f.ReLU && !n.gated {
		spread(simd.ReLUGradient, dy, n.data)
	}
	if wantedOf(o.w) || wantedOf(o.b) {
		o.weights = simd.ConvWeightGradient{Conv: f.Conv, X: f.X, DY: dy}
		kernel := t.sumsOf(o.w, len(f.W))
		o.weights.DW = kernel.data
		var bias contribution
		if wantedOf(o.b) {
			bias = t.sumsOf(o.b, f.Filters)
			o.weights.DBias = bias.data
		}
		compute(&o.weights)
		t.contribute(kernel)
		if wantedOf(o.b) {
			t.contribute(bias)
		}
	}
	if wantedOf(o.x) {
		packed := t.memory.take(len(f.W))
		s := t.part(o.x)
		o.inputs = simd.ConvInputGradient{Conv: f.Conv, DY: dy, W: f.W, DX: s.data, Packed: packed.data[:len(f.W)]}
		if o.x.gated {
			o.inputs.Gate, s.applied = o.x.data, true
		}
		o.inputs.Pack()
		compute(&o.inputs)
		t.contribute(s)
		t.memory.free(packed)
	}
}

// MaxPool2D makes each window of images of shape (rows, height, width, channels) the largest number in it, channel by
// channel. Of equal ones the first gets the gradient; NaN is larger than all, as in PyTorch.
func (x *Tensor) MaxPool2D(p Pooling) *Tensor {
	n, g := x.pool("MaxPool2D", p)
	o := noted[maxPooled](n)
	o.x = x.node
	o.forward = simd.MaxPool{Pool: g, X: x.data, Y: n.data}
	compute(&o.forward)
	return n.done()
}

type maxPooled struct {
	x       *node
	forward simd.MaxPool
	back    simd.MaxPoolGradient
}

func (o *maxPooled) backward(t *Tape, n *node) {
	s := t.part(o.x)
	o.back = simd.MaxPoolGradient{Pool: o.forward.Pool, X: o.forward.X, Y: n.data, DY: n.gradient(), DX: s.data, ReLU: o.x.gated}
	s.applied = true
	compute(&o.back)
	t.contribute(s)
}

// AveragePool2D makes each window of images of shape (rows, height, width, channels) the mean of the numbers in it that
// are in the image, channel by channel.
func (x *Tensor) AveragePool2D(p Pooling) *Tensor {
	n, g := x.pool("AveragePool2D", p)
	o := noted[averagePooled](n)
	o.x = x.node
	o.forward = simd.AveragePool{Pool: g, X: x.data, Y: n.data}
	compute(&o.forward)
	return n.done()
}

type averagePooled struct {
	x       *node
	forward simd.AveragePool
	back    simd.AveragePoolGradient
}

func (o *averagePooled) backward(t *Tape, n *node) {
	s := t.part(o.x)
	o.back = simd.AveragePoolGradient{Pool: o.forward.Pool, DY: n.gradient(), DX: s.data}
	compute(&o.back)
	t.contribute(s)
}

// pool checks the shapes of a pooling and makes its node.
func (x *Tensor) pool(operation string, p Pooling) (*node, simd.Pool) {
	if len(x.shape) != 4 {
		fail(operation, "x has the shape %s: it must have four dimensions, (rows, height, width, channels)", shapeText(x.shape))
	}
	var sides [2]side
	for i := range sides {
		if p.Size[i] < 1 {
			fail(operation, "the window is %d×%d: both sizes must be at least 1", p.Size[0], p.Size[1])
		}
		stride := p.Strides[i]
		if stride == 0 {
			stride = p.Size[i]
		}
		sides[i] = p.Padding.side(x.shape[1+i], p.Size[i], stride)
		if sides[i].out < 1 {
			fail(operation, "a window of %d×%d does not fit into images of %d×%d: use a smaller one, or SamePadding", p.Size[0], p.Size[1], x.shape[1], x.shape[2])
		}
	}
	n := next(operation, x, nil, nil)
	n.make(x.shape[0], sides[0].out, sides[1].out, x.shape[3])
	return n, simd.Pool{
		Batch: x.shape[0], Height: x.shape[1], Width: x.shape[2], Channels: x.shape[3],
		WindowHeight: p.Size[0], WindowWidth: p.Size[1], StrideHeight: p.Strides[0], StrideWidth: p.Strides[1],
		PadTop: sides[0].before, PadBottom: sides[0].after, PadLeft: sides[1].before, PadRight: sides[1].after,
	}
}
