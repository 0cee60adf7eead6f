package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// Sum is the sum of all numbers, as a tensor without dimensions.
func (x *Tensor) Sum() *Tensor { return x.reduce("Sum", 1) }

// Mean is the mean of all numbers, as a tensor without dimensions; NaN for none.
func (x *Tensor) Mean() *Tensor { return x.reduce("Mean", 1/float64(len(x.data))) }

func (x *Tensor) reduce(name string, factor float64) *Tensor {
	n := next(name, x, nil, nil)
	n.make()
	n.data[0] = float32(simd.Sum(x.data) * factor)
	*noted[reduced](n) = reduced{x.node, float32(factor)}
	return n.done()
}

// reduced notes a sum of all numbers, times a factor.
type reduced struct {
	x      *node
	factor float32
}

func (o *reduced) backward(t *Tape, n *node) {
	s := t.part(o.x)
	fill(s.data, n.gradient()[0]*o.factor)
	t.contribute(s)
}

// SumAxis sums over one dimension, counted from 0, or from the end if negative: the result has a dimension less.
func (x *Tensor) SumAxis(axis int) *Tensor { return x.reduceAxis("SumAxis", axis, false) }

// MeanAxis is the mean over one dimension, counted as for [Tensor.SumAxis].
func (x *Tensor) MeanAxis(axis int) *Tensor { return x.reduceAxis("MeanAxis", axis, true) }

func (x *Tensor) reduceAxis(name string, axis int, mean bool) *Tensor {
	axis = x.axis(name, axis)
	n := next(name, x, nil, nil)
	o := noted[axisReduced](n)
	o.x, o.factor = x.node, 1
	o.outer, o.size, o.inner = sizeOf(x.shape[:axis]), x.shape[axis], sizeOf(x.shape[axis+1:])
	if mean {
		o.factor = 1 / float32(o.size)
	}
	n.shape = append(append(n.blank(), x.shape[:axis]...), x.shape[axis+1:]...)
	n.make(n.shape...)
	if o.inner == 1 {
		simd.RowSums(n.data, simd.RowMajor(x.data, o.size), o.outer, o.size)
	} else {
		for i := range o.outer {
			simd.ColumnSums(n.data[i*o.inner:(i+1)*o.inner], x.data[i*o.size*o.inner:(i+1)*o.size*o.inner], o.size, o.inner)
		}
	}
	if mean {
		simd.Scale(n.data, n.data, o.factor)
	}
	return n.done()
}

// axisReduced notes a sum over the middle of three dimensions.
type axisReduced struct {
	x                  *node
	outer, size, inner int
	factor             float32
}

func (o *axisReduced) backward(t *Tape, n *node) {
	s := t.part(o.x)
	for i, at := 0, 0; i < o.outer; i++ {
		g := n.gradient()[i*o.inner : (i+1)*o.inner]
		for range o.size {
			if o.inner == 1 {
				s.data[at] = g[0] * o.factor
			} else {
				simd.Scale(s.data[at:at+o.inner], g, o.factor)
			}
			at += o.inner
		}
	}
	t.contribute(s)
}

// axis returns a dimension counted from 0.
func (x *Tensor) axis(operation string, axis int) int {
	i := axis
	if i < 0 {
		i += len(x.shape)
	}
	if i < 0 || i >= len(x.shape) {
		fail(operation, "there is no dimension %d in the shape %s", axis, shapeText(x.shape))
	}
	return i
}
