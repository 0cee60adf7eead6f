package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Conv2DTranspose makes a layer of transposed convolution for images of shape (height, width, channels): each number
// spreads size×size over the result, which with [Strides] of 2 has twice the image's size. Its kernel has the shape (size, size,
// filters, channels), as in Keras. V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning, 2016.
// Options are those of [Conv2D] but for [Groups] and [DilationRate].
func Conv2DTranspose(filters, size int, options ...ConvOption) Layer {
	l := &convTransposeLayer{filters: filters}
	call := fmt.Sprintf("Conv2DTranspose(%d, %d, …)", filters, size)
	l.layer.kind = "conv2d_transpose"
	l.settings = layerSettings{activation: Linear, initializer: GlorotUniform, useBias: true, size: [2]int{size, size}}
	applyOptions(&l.settings, call, options)
	l.settings.checkConvolution(call, filters)
	c := l.settings.conv
	switch {
	case l.settings.err != nil:
	case c.Padding == CausalPadding:
		l.settings.err = fmt.Errorf("%s: CausalPadding is for sequences, Conv1D", call)
	case c.Groups > 1 || c.Dilation != [2]int{}:
		l.settings.err = fmt.Errorf("%s: Groups and DilationRate are for Conv2D", call)
	}
	l.settings.give(&l.layer)
	return l
}

type convTransposeLayer struct {
	BaseLayer
	settings     layerSettings
	filters      int
	kernel, bias *Parameter
}

// Build makes kernel and bias.
func (l *convTransposeLayer) Build(input []int) error {
	if err := checkImage(input, false); err != nil {
		return err
	}
	s := &l.settings
	l.kernel = l.AddParameter("kernel", s.initializer, s.size[0], s.size[1], l.filters, input[2])
	if s.useBias {
		l.bias = l.AddParameter("bias", s.biasRules.or(Zeros), l.filters)
	}
	return nil
}

// Forward spreads, and applies the activation.
func (l *convTransposeLayer) Forward(x *Tensor) *Tensor {
	return l.layer.activation.apply(x.Conv2DTranspose(l.kernel.Tensor(), l.bias.tensor(), l.settings.conv))
}

// Conv2DTranspose is the transposed convolution of images x of shape (rows, height, width, channels) with a kernel of shape
// (height, width, filters, channels), plus a bias of shape (filters), nil for none. Strides and padding are those of the
// convolution that it turns round; there are no groups and no dilation.
func (x *Tensor) Conv2DTranspose(kernel, bias *Tensor, c Convolution) *Tensor {
	const operation = "Conv2DTranspose"
	if len(x.shape) != 4 || len(kernel.shape) != 4 || x.shape[3] != kernel.shape[3] {
		fail(operation, "x has the shape %s and the kernel %s: they must be (rows, height, width, channels) and (height, width, filters, channels)",
			shapeText(x.shape), shapeText(kernel.shape))
	}
	filters := kernel.shape[2]
	if bias != nil && (len(bias.shape) != 1 || bias.shape[0] != filters) {
		fail(operation, "the bias has the shape %s, but there are %d filters: it must be (%d)", shapeText(bias.shape), filters, filters)
	}
	if c.Groups > 1 || c.Dilation[0] > 1 || c.Dilation[1] > 1 {
		fail(operation, "there are no groups and no dilation")
	}
	var out [2]int
	var sides [2]side
	for i := range out {
		stride := max(1, c.Strides[i])
		out[i] = x.shape[1+i] * stride
		if c.Padding == ValidPadding {
			out[i] += max(kernel.shape[i]-stride, 0)
		}
		sides[i] = c.side(i, out[i], kernel.shape[i])
	}
	n := next(operation, x, kernel, bias)
	n.make(x.shape[0], out[0], out[1], filters)
	o := noted[convTransposed](n)
	o.x, o.w, o.b = x.node, kernel.node, nil
	packed := n.tape.borrow(len(kernel.data))
	o.forward = simd.ConvInputGradient{
		Conv: simd.Conv{
			Batch: x.shape[0], Height: out[0], Width: out[1], Channels: filters, Filters: x.shape[3],
			KernelHeight: kernel.shape[0], KernelWidth: kernel.shape[1], StrideHeight: c.Strides[0], StrideWidth: c.Strides[1],
			PadTop: sides[0].before, PadBottom: sides[0].after, PadLeft: sides[1].before, PadRight: sides[1].after,
		},
		DY: x.data, W: kernel.data, DX: n.data, Packed: packed.data[:len(kernel.data)],
	}
	f := &o.forward
	if bias != nil {
		o.b, f.Bias = bias.node, bias.data
	}
	f.Pack()
	compute(f)
	n.tape.giveBack(packed)
	return n.done()
}

type convTransposed struct {
	x, w, b *node
	forward simd.ConvInputGradient
	inputs  simd.ConvForward
	weights simd.ConvWeightGradient
}

func (o *convTransposed) backward(t *Tape, n *node) {
	f, dy := &o.forward, n.gradient()
	if wantedOf(o.b) {
		s := t.sumsOf(o.b, f.Channels)
		simd.AddColumnSums(s.data, dy, len(dy)/max(1, f.Channels), f.Channels)
		t.contribute(s)
	}
	if wantedOf(o.w) {
		s := t.sumsOf(o.w, len(f.W))
		o.weights = simd.ConvWeightGradient{Conv: f.Conv, X: dy, DY: f.DY, DW: s.data}
		compute(&o.weights)
		t.contribute(s)
	}
	if wantedOf(o.x) {
		s := t.part(o.x)
		o.inputs = simd.ConvForward{Conv: f.Conv, X: dy, W: f.W, Y: s.data}
		compute(&o.inputs)
		t.contribute(s)
	}
}
