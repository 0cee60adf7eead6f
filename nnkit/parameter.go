package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Parameter is an array of trained numbers: a layer's kernel or its bias. [BaseLayer.AddParameter] makes one.
type Parameter struct {
	name        string
	leaf        node // of every tape
	gradient    []float32
	mark        int64     // of the Backward that the gradient is of
	turned      []float32 // the transpose of a matrix, for the portions and the shards of a batch
	turnedOf    int64     // the weights that it is of
	initializer Initializer
	drawn       bool // its first values, or others since
	regularizer Regularizer
	constraint  Constraint
	scale       []float64 // where a constraint works
}

func newParameter(name string, i Initializer, shape ...int) *Parameter {
	p := &Parameter{name: name, initializer: i}
	p.leaf = node{wanted: true, parameter: p}
	p.leaf.Tensor = Tensor{shape: append([]int(nil), shape...), node: &p.leaf}
	p.leaf.owner = &p.leaf
	p.place(make([]float32, p.Len()), make([]float32, p.Len()))
	return p
}

// place says where the values and their gradient are.
func (p *Parameter) place(data, gradient []float32) { p.leaf.data, p.gradient = data, gradient }

// draw gives the parameter its first values; index is its place in the model.
func (p *Parameter) draw(seed, index int) {
	p.drawn = true
	in, out := fans(p.leaf.shape)
	p.initializer.fill(p.leaf.data, in, out, random.Stream{Seed: uint64(int64(seed)), Purpose: random.Weights, Index: uint32(index)})
}

// fans returns how many inputs and outputs of a layer the numbers of a kernel connect, as Keras counts them: its last two
// sizes, times the positions of a convolution's window.
func fans(shape []int) (in, out int) {
	switch n := len(shape); n {
	case 0:
		return 1, 1
	case 1:
		return shape[0], shape[0]
	default:
		window := sizeOf(shape[:n-2])
		return window * shape[n-2], window * shape[n-1]
	}
}

// Trainable says whether training changes the parameter; see [Model.Freeze].
func (p *Parameter) Trainable() bool { return p.leaf.wanted }

// SetTrainable says whether training changes the parameter, from the next epoch on. The gradient of one that is not
// trained is zero, and is not computed.
func (p *Parameter) SetTrainable(on bool) {
	p.leaf.wanted = on
	if !on {
		clear(p.gradient)
	}
}

// columns returns the number of units, or filters, that a parameter has weights for; 1 for a vector.
func (p *Parameter) columns() int {
	if n := len(p.leaf.shape); n > 1 {
		return p.leaf.shape[n-1]
	}
	return 1
}

// Name returns the layer's name and the parameter's, in Keras' words: "dense_1/kernel", "dense_1/bias".
func (p *Parameter) Name() string { return p.name }

// Shape returns the sizes: (inputs, units) for the kernel of a dense layer, (units) for its bias. It is a copy.
func (p *Parameter) Shape() []int { return p.leaf.Shape() }

// Len returns the number of values.
func (p *Parameter) Len() int { return sizeOf(p.leaf.shape) }

// Tensor returns the parameter as a tensor to compute with. It shares the values, and operations on it beside one on a
// [Tape] count it among what gradients are wanted of.
func (p *Parameter) Tensor() *Tensor { return &p.leaf.Tensor }

// tensor is Tensor, and nil for a parameter that there is not.
func (p *Parameter) tensor() *Tensor {
	if p == nil {
		return nil
	}
	return p.Tensor()
}

// Data returns the values, row after row. It is a view: it changes as training goes on, and writing to it changes the
// model. Do neither while a Fit runs in another goroutine.
func (p *Parameter) Data() []float32 { return p.leaf.data }

// Gradient returns the gradient of the last training batch's mean loss, laid out as Data. It is a view, zero before
// the first batch.
func (p *Parameter) Gradient() []float32 { return p.gradient }

// String names the parameter and its shape.
func (p *Parameter) String() string { return fmt.Sprintf("%s %s", p.name, shapeText(p.leaf.shape)) }
