package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Dense makes a fully connected layer: y = activation(x·kernel + bias), with x of shape (rows, inputs), kernel of shape
// (inputs, units), bias and each row of y of length units. The number of inputs comes from the layer before it or from
// the data.
//
// Options are an [Activation] ([Linear] by default), [Name], [KernelInitializer] ([GlorotUniform] by default, with
// biases of zero, as in Keras) and [UseBias].
//
//	nnkit.Dense(10, nnkit.ReLU)
//	nnkit.Dense(1, nnkit.Sigmoid, nnkit.Name("output"))
func Dense(units int, options ...DenseOption) Layer {
	l := &denseLayer{units: units, activation: Linear, kernel: GlorotUniform, useBias: true}
	l.kind, l.output = "dense", []int{units}
	for i, o := range options {
		if o == nil {
			l.err = fmt.Errorf("Dense(%d, …): option %d is nil", units, i+1)
			return l
		}
		o.denseOption(l)
	}
	if units < 1 {
		l.err = fmt.Errorf("Dense(%d, …): the number of units must be at least 1", units)
	}
	if units == 1 && l.activation == Softmax {
		l.err = fmt.Errorf("Dense(1, Softmax): softmax over one unit is always 1; for yes or no write Dense(1, Sigmoid), " +
			"for classes one unit for each")
	}
	return l
}

// DenseOption is an argument of [Dense] behind the number of units.
type DenseOption interface{ denseOption(*denseLayer) }

// KernelInitializerOption is the result of [KernelInitializer].
type KernelInitializerOption struct{ initializer Initializer }

// KernelInitializer says how a layer's kernel is drawn: KernelInitializer(nnkit.HeNormal).
func KernelInitializer(i Initializer) KernelInitializerOption { return KernelInitializerOption{i} }

func (o KernelInitializerOption) denseOption(d *denseLayer) {
	if o.initializer == nil {
		d.err = fmt.Errorf("KernelInitializer(nil): name one, GlorotUniform or HeNormal for example")
		return
	}
	d.kernel = o.initializer
}

// UseBiasOption is the result of [UseBias].
type UseBiasOption struct{ on bool }

// UseBias says whether a layer adds a bias to its sums; true by default.
func UseBias(on bool) UseBiasOption { return UseBiasOption{on} }

func (o UseBiasOption) denseOption(d *denseLayer) { d.useBias = o.on }

type denseLayer struct {
	layerCore
	units      int
	activation Activation
	kernel     Initializer
	useBias    bool
}

func (l *denseLayer) core() *layerCore { return &l.layerCore }

func (l *denseLayer) describe() string { return l.activation.String() }

func (l *denseLayer) build(input []int) ([]int, []*Parameter, error) {
	if len(input) != 1 {
		return nil, nil, fmt.Errorf("wants rows of plain numbers and gets rows of shape %s", shapeText(input))
	}
	parameters := []*Parameter{{name: l.name + "/kernel", shape: []int{input[0], l.units}}}
	if l.useBias {
		parameters = append(parameters, &Parameter{name: l.name + "/bias", shape: []int{l.units}})
	}
	return l.output, parameters, nil
}

func (l *denseLayer) draw(seed, first int) {
	kernel := l.parameters[0]
	l.kernel.fill(kernel.data, kernel.shape[0], l.units,
		random.Stream{Seed: uint64(int64(seed)), Purpose: random.Weights, Index: uint32(first)})
	if l.useBias {
		clear(l.parameters[1].data)
	}
}

func (l *denseLayer) newPass(rows int, p purpose) pass {
	in := l.input[0]
	d := &densePass{layer: l, in: in, out: l.units, y: make([]float32, rows*l.units)}
	d.w = l.parameters[0].data
	d.gw = l.parameters[0].gradient
	if l.useBias {
		d.b, d.gb = l.parameters[1].data, l.parameters[1].gradient
	}
	d.z = d.y
	if p.sums {
		d.z = make([]float32, rows*l.units)
	}
	if p.input {
		d.dx = make([]float32, rows*in)
	}
	d.gated = p.gated
	d.relu = l.activation == ReLU && !p.sums
	return d
}

// densePass is the arithmetic of a dense layer:
//
//	z  = x·w + b     y = f(z)
//	dz = dy·f'(z)    dw = xᵀ·dz    db = Σ dz over the rows    dx = dz·wᵀ
type densePass struct {
	layer   *denseLayer
	in, out int
	w, b    []float32
	gw, gb  []float32
	z, y    []float32 // the same memory unless the sums are kept
	dx      []float32
	relu    bool // ReLU is applied by the product
	gated   bool // so is the gradient of the ReLU before this layer

	up, weights, down simd.Product // of this batch; they live here, so that none is allocated
}

func (d *densePass) forward(x []float32, rows int) []float32 {
	d.up = simd.Product{
		M: rows, N: d.out, K: d.in,
		A: simd.RowMajor(x, d.in), B: simd.RowMajor(d.w, d.out),
		C: d.z, Stride: d.out, Start: d.b, ReLU: d.relu,
	}
	compute(&d.up)
	y, z := d.y[:rows*d.out], d.z[:rows*d.out]
	if d.layer.activation == Linear {
		return z
	}
	if !d.relu {
		d.layer.activation.apply(y, z, rows, d.out)
	}
	return y
}

func (d *densePass) sums() []float32 { return d.z }

func (d *densePass) backward(x, dy []float32, rows int, bySums bool) []float32 {
	if !bySums && d.layer.activation != Linear {
		d.layer.activation.chain(dy, d.y[:rows*d.out], rows, d.out)
	}
	d.weights = simd.Product{
		M: d.in, N: d.out, K: rows,
		A: simd.RowMajor(x, d.in).Transposed(), B: simd.RowMajor(dy, d.out),
		C: d.gw, Stride: d.out,
	}
	compute(&d.weights)
	if d.gb != nil {
		simd.ColumnSums(d.gb, dy, rows, d.out)
	}
	if d.dx == nil {
		return nil
	}
	d.down = simd.Product{
		M: rows, N: d.in, K: d.out,
		A: simd.RowMajor(dy, d.out), B: simd.RowMajor(d.w, d.out).Transposed(),
		C: d.dx, Stride: d.in,
	}
	if d.gated {
		d.down.Gate = x
	}
	compute(&d.down)
	return d.dx[:rows*d.in]
}
