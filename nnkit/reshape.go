package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Reshape is a view of the same numbers in another shape; nothing is copied. One size may be -1: it becomes what the
// others leave.
func (x *Tensor) Reshape(shape ...int) *Tensor {
	n := next("Reshape", x, nil, nil)
	n.setShape(shape)
	known, open := 1, -1
	for i, d := range n.shape {
		switch {
		case d >= 0:
			known *= d
		case d == -1 && open < 0:
			open = i
		default:
			fail("Reshape", "the shape %s has more than one open size or a negative one", shapeText(shape))
		}
	}
	if open >= 0 {
		if known == 0 || len(x.data)%known != 0 {
			fail("Reshape", "%d numbers of shape %s cannot be laid out as %s", len(x.data), shapeText(x.shape), shapeText(shape))
		}
		n.shape[open] = len(x.data) / known
	} else if known != len(x.data) {
		fail("Reshape", "the shape %s has %d numbers and %s would have %d: sizes must multiply to as many", shapeText(x.shape), len(x.data), shapeText(shape), known)
	}
	n.view(x, x.data, n.shape...)
	noted[passed](n).x = x.node
	return n.done()
}

// Flatten is a view with the dimensions behind the first made one: a row for each example.
func (x *Tensor) Flatten() *Tensor {
	rows, width := x.rows()
	return x.Reshape(rows, width)
}

// Slice is a view of part of the first dimension: the rows from lo to below hi.
func (x *Tensor) Slice(lo, hi int) *Tensor {
	if len(x.shape) == 0 || lo < 0 || hi < lo || hi > x.shape[0] {
		fail("Slice", "there are no rows %d to %d in the shape %s", lo, hi, shapeText(x.shape))
	}
	_, width := x.rows()
	n := next("Slice", x, nil, nil)
	n.setShape(x.shape)
	n.shape[0] = hi - lo
	n.view(x, x.data[lo*width:hi*width], n.shape...)
	*noted[sliced](n) = sliced{x.node, lo * width}
	return n.done()
}

// sliced notes a view of part of x, from a number on.
type sliced struct {
	x  *node
	at int
}

func (o *sliced) backward(t *Tape, n *node) {
	g, add := t.onto(o.x)
	if !add {
		clear(g)
	}
	b := t.memory.take(len(n.data))
	part := b.data[:len(n.data)]
	copy(part, n.gradient())
	if o.x.gated {
		simd.ReLUGradient(part, o.x.data[o.at:])
	}
	simd.Add(g[o.at:o.at+len(part)], g[o.at:], part)
	t.memory.free(b)
}

// Transpose swaps two dimensions, counted as for [Tensor.SumAxis]; the numbers are copied.
func (x *Tensor) Transpose(a, b int) *Tensor {
	a, b = x.axis("Transpose", a), x.axis("Transpose", b)
	if a > b {
		a, b = b, a
	}
	n := next("Transpose", x, nil, nil)
	n.setShape(x.shape)
	n.shape[a], n.shape[b] = n.shape[b], n.shape[a]
	n.make(n.shape...)
	*noted[transposed](n) = transposed{x.node, a, b}
	if a == b {
		copy(n.data, x.data)
	} else {
		swapAxes(n.data, x.data, x.shape, a, b)
	}
	return n.done()
}

type transposed struct {
	x    *node
	a, b int
}

func (o *transposed) backward(t *Tape, n *node) {
	if o.a == o.b {
		t.hand(n, o.x)
		return
	}
	s := t.part(o.x)
	swapAxes(s.data, n.gradient(), n.shape, o.a, o.b)
	t.contribute(s)
}

// swapAxes copies src, of the given shape, with dimensions a < b swapped.
func swapAxes(dst, src []float32, shape []int, a, b int) {
	outer, inner := sizeOf(shape[:a]), sizeOf(shape[b+1:])
	p, middle, q := shape[a], sizeOf(shape[a+1:b]), shape[b]
	for o := range outer {
		base := o * p * middle * q * inner
		for i := range p {
			for m := range middle {
				for j := range q {
					from := base + ((i*middle+m)*q+j)*inner
					to := base + ((j*middle+m)*p+i)*inner
					if inner == 1 {
						dst[to] = src[from]
					} else {
						copy(dst[to:to+inner], src[from:from+inner])
					}
				}
			}
		}
	}
}

// Concat puts tensors next to each other along one dimension, counted as for [Tensor.SumAxis]; the other sizes must
// be equal.
func Concat(axis int, tensors ...*Tensor) *Tensor {
	if len(tensors) == 0 {
		fail("Concat", "there are no tensors")
	}
	first := tensors[0]
	axis = first.axis("Concat", axis)
	total := 0
	for i, x := range tensors {
		same := len(x.shape) == len(first.shape)
		for d := 0; same && d < len(x.shape); d++ {
			same = d == axis || x.shape[d] == first.shape[d]
		}
		if !same {
			fail("Concat", "tensor %d has the shape %s and the first %s: all sizes but that of dimension %d must be equal",
				i+1, shapeText(x.shape), shapeText(first.shape), axis)
		}
		total += x.shape[axis]
	}
	n := nextOf("Concat", tensors)
	n.setShape(first.shape)
	n.shape[axis] = total
	n.make(n.shape...)
	o := noted[concatenated](n)
	o.parts = o.parts[:0]
	outer := sizeOf(n.shape[:axis])
	o.width = sizeOf(n.shape[axis:])
	at := 0
	for _, x := range tensors {
		width := sizeOf(x.shape[axis:])
		for i := range outer {
			copy(n.data[i*o.width+at:][:width], x.data[i*width:(i+1)*width])
		}
		o.parts = append(o.parts, part{x.node, at, width})
		at += width
	}
	return n.done()
}

// concatenated notes parts of rows.
type concatenated struct {
	width int
	parts []part
}

type part struct {
	x         *node
	at, width int
}

func (o *concatenated) backward(t *Tape, n *node) {
	g := n.gradient()
	for _, p := range o.parts {
		if !wantedOf(p.x) {
			continue
		}
		s := t.part(p.x)
		for i := range len(s.data) / max(1, p.width) {
			copy(s.data[i*p.width:(i+1)*p.width], g[i*o.width+p.at:])
		}
		t.contribute(s)
	}
}

// Clone copies the numbers to memory of their own, off every tape.
func (x *Tensor) Clone() *Tensor {
	return &Tensor{shape: append([]int(nil), x.shape...), data: append([]float32(nil), x.data...)}
}

// Vector is a tensor of one dimension with these numbers.
func Vector(values ...float32) *Tensor {
	return &Tensor{shape: []int{len(values)}, data: append([]float32(nil), values...)}
}

// Scalar is a tensor without dimensions: one number.
func Scalar(value float64) *Tensor { return &Tensor{data: []float32{float32(value)}} }

// Item returns the number of a tensor that holds just one. It panics for others.
func (x *Tensor) Item() float64 {
	if len(x.data) != 1 {
		panic(fmt.Sprintf("nnkit: Tensor.Item: the shape %s holds %d numbers, not one: take its Sum or Mean, or At", shapeText(x.shape), len(x.data)))
	}
	return float64(x.data[0])
}
