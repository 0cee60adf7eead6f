package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Dense makes a fully connected layer: y = activation(x·kernel + bias), with x of shape (rows, inputs), kernel of shape
// (inputs, units), bias and each row of y of length units. The number of inputs comes from the layer before it or from
// the data.
//
// Options are an [Activation] ([Linear] by default), [Name], [KernelInitializer] ([GlorotUniform] by default),
// [BiasInitializer] ([Zeros] by default), [UseBias], [KernelRegularizer], [BiasRegularizer], [ActivityRegularizer],
// [KernelConstraint], [BiasConstraint] and [Trainable].
//
//	nnkit.Dense(10, nnkit.ReLU)
//	nnkit.Dense(1, nnkit.Sigmoid, nnkit.Name("output"))
func Dense(units int, options ...DenseOption) Layer {
	l := &denseLayer{units: units}
	l.layer.kind, l.layer.output = "dense", []int{units}
	l.settings = layerSettings{activation: Linear, initializer: GlorotUniform, useBias: true}
	applyOptions(&l.settings, fmt.Sprintf("Dense(%d, …)", units), options)
	l.settings.give(&l.layer)
	if units < 1 {
		l.layer.err = fmt.Errorf("Dense(%d, …): the number of units must be at least 1", units)
	}
	if units == 1 && l.layer.activation == Softmax {
		l.layer.err = fmt.Errorf("Dense(1, Softmax): softmax over one unit is always 1; for yes or no write Dense(1, Sigmoid), " +
			"for classes one unit for each")
	}
	return l
}

// DenseOption is an argument of [Dense] behind the number of units.
type DenseOption interface {
	option
	denseOption()
}

type denseLayer struct {
	BaseLayer
	units        int
	settings     layerSettings
	kernel, bias *Parameter
}

// Build makes kernel and bias.
func (l *denseLayer) Build(input []int) error {
	l.kernel, l.bias = l.settings.parameters(&l.layer, input[len(input)-1], l.units)
	return nil
}

// Forward is x·kernel + bias along the last dimension, and the activation of that.
func (l *denseLayer) Forward(x *Tensor) *Tensor {
	if l.layer.activation == ReLU {
		return linear("Dense", x, l.kernel.Tensor(), l.bias.tensor(), true)
	}
	return l.layer.activation.apply(linear("Dense", x, l.kernel.Tensor(), l.bias.tensor(), false))
}

// Linear is x·weights + bias along the last dimension: weights of shape (inputs, outputs), bias of (outputs) or nil for
// none. It is MatMul and Add in one pass.
func (x *Tensor) Linear(weights, bias *Tensor) *Tensor {
	return linear("Linear", x, weights, bias, false)
}

func linear(operation string, x, w, b *Tensor, relu bool) *Tensor {
	if len(w.shape) != 2 || len(x.shape) == 0 || x.shape[len(x.shape)-1] != w.shape[0] || b != nil && (len(b.shape) != 1 || b.shape[0] != w.shape[1]) {
		failLinear(operation, x, w, b)
	}
	n := next(operation, x, w, b)
	n.setShape(x.shape)
	in, out := w.shape[0], w.shape[1]
	n.shape[len(n.shape)-1] = out
	n.make(n.shape...)
	o := noted[lineared](n)
	up := simd.Product{
		M: sizeOf(x.shape[:len(x.shape)-1]), N: out, K: in,
		A: simd.RowMajor(x.data, in), B: simd.RowMajor(w.data, out),
		C: n.data, Stride: out, ReLU: relu,
	}
	if b != nil {
		up.Start = b.data
	}
	computeProduct(&up, &o.product)
	if n.wanted {
		o.x, o.w, o.b, o.rows, o.in, o.out, o.relu = x.node, w.node, nil, up.M, in, out, relu
		o.xs, o.ws = x.data, w.data
		if b != nil {
			o.b = b.node
		}
		n.gated = relu
	}
	return n.done()
}

func failLinear(operation string, x, w, b *Tensor) {
	switch {
	case len(w.shape) != 2:
		fail(operation, "the weights have the shape %s: they must be a matrix of inputs by outputs", shapeText(w.shape))
	case len(x.shape) == 0 || x.shape[len(x.shape)-1] != w.shape[0]:
		fail(operation, "x has the shape %s, but the weights are of %d inputs: the last size of x must be %d",
			shapeText(x.shape), w.shape[0], w.shape[0])
	default:
		fail(operation, "the bias has the shape %s, but there are %d outputs: it must be (%d)", shapeText(b.shape), w.shape[1], w.shape[1])
	}
}

// lineared is the arithmetic of a dense layer:
//
//	y  = x·w + b, at least 0 with relu
//	dw = xᵀ·dy    db = Σ dy over the rows    dx = dy·wᵀ
type lineared struct {
	x, w, b       *node // nil for constants
	xs, ws        []float32
	rows, in, out int
	relu          bool
	product       simd.Product // at work on several cores
}

// turned is the transpose of the weights. A product copies what it reads across, so where others follow with the same weights a
// copy is kept.
func (o *lineared) turned(t *Tape) simd.View {
	if !t.portion.others() || o.w == nil || o.w.parameter == nil {
		return simd.RowMajor(o.ws, o.out).Transposed()
	}
	p := o.w.parameter
	if p.turnedOf != t.weights {
		p.turnedOf, p.turned = t.weights, grown(p.turned, len(o.ws))
		simd.Transpose(p.turned, o.ws, o.in, o.out)
	}
	return simd.RowMajor(p.turned, o.in)
}

// forgetTurned gives up what training has kept.
func (m *Model) forgetTurned() {
	for _, p := range m.parameters {
		p.turned = nil
	}
}

func (o *lineared) backward(t *Tape, n *node) {
	dy := n.gradient()
	if o.relu && !n.gated {
		spread(simd.ReLUGradient, dy, n.data)
	}
	if wantedOf(o.w) {
		weights := simd.Product{
			M: o.in, N: o.out, K: o.rows,
			A: simd.RowMajor(o.xs, o.in).Transposed(), B: simd.RowMajor(dy, o.out), Stride: o.out,
		}
		t.into(&weights, o.w)
		computeProduct(&weights, &o.product)
	}
	if wantedOf(o.b) {
		s := t.sumsOf(o.b, o.out)
		simd.AddColumnSums(s.data, dy, o.rows, o.out)
		t.contribute(s)
	}
	if wantedOf(o.x) {
		down := simd.Product{
			M: o.rows, N: o.in, K: o.out,
			A: simd.RowMajor(dy, o.out), B: o.turned(t), Stride: o.in,
		}
		t.into(&down, o.x)
		computeProduct(&down, &o.product)
	}
}
