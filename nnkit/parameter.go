package nnkit

import "fmt"

// Parameter is an array of trained numbers: a layer's kernel or its bias.
type Parameter struct {
	name     string
	shape    []int
	data     []float32
	gradient []float32
}

// Name returns the layer's name and the parameter's, in Keras' words: "dense_1/kernel", "dense_1/bias".
func (p *Parameter) Name() string { return p.name }

// Shape returns the sizes: (inputs, units) for the kernel of a dense layer, (units) for its bias. It is a copy.
func (p *Parameter) Shape() []int { return append([]int(nil), p.shape...) }

// Len returns the number of values.
func (p *Parameter) Len() int {
	n := 1
	for _, d := range p.shape {
		n *= d
	}
	return n
}

// Data returns the values, row after row. It is a view: it changes as training goes on, and writing to it changes the
// model. Do neither while a Fit runs in another goroutine.
func (p *Parameter) Data() []float32 { return p.data }

// Gradient returns the gradient of the last training batch's mean loss, laid out as Data. It is a view, zero before
// the first batch.
func (p *Parameter) Gradient() []float32 { return p.gradient }

// String names the parameter and its shape.
func (p *Parameter) String() string { return fmt.Sprintf("%s %s", p.name, shapeText(p.shape)) }
