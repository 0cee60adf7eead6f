package nnkit

import "fmt"

// Residual makes a layer that adds to its input what the layers make of it: x + f(x). They must give it back in its shape.
// K. He et al., Deep residual learning for image recognition, CVPR 2016.
func Residual(layers ...Layer) Layer {
	l := &residualLayer{block: block{layers: layers}}
	l.layer.give("residual", "Residual(…)", nil)
	l.layer.err = l.check("Residual")
	return l
}

type residualLayer struct {
	BaseLayer
	block
}

// Build builds the layers.
func (l *residualLayer) Build(input []int) error {
	output, err := l.build(&l.layer, input)
	if err == nil && shapeText(output) != shapeText(input) {
		err = fmt.Errorf("makes rows of shape %s of rows of shape %s, which cannot be added: the last layer must give back the input's shape",
			shapeText(output), shapeText(input))
	}
	return err
}

// Forward adds.
func (l *residualLayer) Forward(x *Tensor) *Tensor { return x.Add(l.forward(x)) }

// block is layers one after another within a layer.
type block struct{ layers []Layer }

func (b *block) check(name string) error {
	for i, l := range b.layers {
		if l == nil {
			return fmt.Errorf("%s: layer %d is nil", name, i+1)
		}
		if err := l.core().err; err != nil {
			return fmt.Errorf("%s: layer %d: %w", name, i+1, err)
		}
	}
	if len(b.layers) == 0 {
		return fmt.Errorf("%s: there are no layers", name)
	}
	return nil
}

// build builds the layers, whose parameters are the outer layer's, under its name and theirs.
func (b *block) build(outer *layerCore, input []int) (output []int, err error) {
	count := map[string]int{}
	output = input
	for _, l := range b.layers {
		c := l.core()
		if c.kind == "" {
			c.kind = kindOf(l)
		}
		count[c.kind]++
		if c.inner == "" {
			if c.inner = c.name; c.inner == "" {
				c.inner = fmt.Sprintf("%s_%d", c.kind, count[c.kind])
			}
		}
		c.name, c.parameters, c.states = outer.name+"/"+c.inner, nil, nil
		if err := build(l, output); err != nil {
			return nil, fmt.Errorf("in %q: %w", c.inner, err)
		}
		output = c.output
		outer.parameters, outer.states = append(outer.parameters, c.parameters...), append(outer.states, c.states...)
	}
	return output, nil
}

func (b *block) inner() []Layer { return b.layers }

func (b *block) forward(x *Tensor) *Tensor {
	for _, l := range b.layers {
		x = forwardWithin(l, x)
	}
	return x
}

// forwardWithin runs a layer and sees to what all layers' outputs have in common.
func forwardWithin(l Layer, x *Tensor) *Tensor {
	y := l.Forward(x)
	if y == nil || x.node == nil || x.node.tape == nil {
		return y
	}
	y = x.node.tape.put(y)
	y.keepMask(l, x)
	return noteActivity(l, y)
}

// noteActivity regularizes a layer's output, if that is asked for.
func noteActivity(l Layer, y *Tensor) *Tensor {
	if y != nil && y.node != nil && y.node.tape != nil {
		y.node.tape.regularizeActivity(l, y)
	}
	return y
}
