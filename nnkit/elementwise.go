package nnkit

import (
	"sync"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Add is x + y. The shapes must be equal, or one is stretched to the other as NumPy and PyTorch do it: aligned at
// their ends, a size of 1 (or a missing one) serves for any size. So a row vector is added to each row of a matrix.
func (x *Tensor) Add(y *Tensor) *Tensor { return x.pair("Add", simd.Add, adding, y) }

// Sub is x - y, with shapes as for [Tensor.Add].
func (x *Tensor) Sub(y *Tensor) *Tensor { return x.pair("Sub", simd.Subtract, subtracting, y) }

// Mul is x·y for each number, with shapes as for [Tensor.Add]; the product of matrices is [Tensor.MatMul].
func (x *Tensor) Mul(y *Tensor) *Tensor { return x.pair("Mul", simd.Multiply, multiplying, y) }

// Div is x/y for each number, with shapes as for [Tensor.Add].
func (x *Tensor) Div(y *Tensor) *Tensor { return x.pair("Div", simd.Divide, dividing, y) }

type arithmetic int

const (
	adding arithmetic = iota
	subtracting
	multiplying
	dividing
)

// paired notes an operation on two tensors.
type paired struct {
	kind   arithmetic
	x, y   *node // nil for constants
	xt, yt *Tensor
	f      func(dst, a, b []float32)
}

func (x *Tensor) pair(name string, f func(dst, a, b []float32), kind arithmetic, y *Tensor) *Tensor {
	n := next(name, x, y, nil)
	if n.tape == nil && n.shape == nil {
		n.shape = n.room[:0]
	}
	n.shape = appendBroadcast(n.shape[:0], name, x.shape, y.shape)
	n.make(n.shape...)
	broadcast(f, n.data, n.shape, x.operand(), y.operand())
	*noted[paired](n) = paired{kind, x.node, y.node, x, y, f}
	return n.done()
}

// appendBroadcast appends the shape to which two are stretched.
func appendBroadcast(to []int, operation string, a, b []int) []int {
	for i := range max(len(a), len(b)) {
		u, v := 1, 1
		if k := i + len(a) - max(len(a), len(b)); k >= 0 {
			u = a[k]
		}
		if k := i + len(b) - max(len(a), len(b)); k >= 0 {
			v = b[k]
		}
		switch {
		case u == v || v == 1:
			to = append(to, u)
		case u == 1:
			to = append(to, v)
		default:
			fail(operation, "the shapes %s and %s do not fit: aligned at their ends, sizes must be equal or 1, and %d meets %d",
				shapeText(a), shapeText(b), u, v)
		}
	}
	return to
}

// operand is a tensor's shape and numbers, by value.
type operand struct {
	shape []int
	data  []float32
}

func (x *Tensor) operand() operand { return operand{x.shape, x.data} }

// broadcast computes dst = f(x, y), of the given shape.
func broadcast(f func(dst, a, b []float32), dst []float32, shape []int, x, y operand) {
	if len(dst) == 0 {
		return
	}
	if len(x.data) == len(dst) && len(y.data) == len(dst) {
		spread3(f, dst, x.data, y.data)
		return
	}
	// A run is as many dimensions at the end as have each operand either whole or stretched.
	run, outer := 1, len(shape)
	xWhole, yWhole := true, true
	for ; outer > 0; outer-- {
		size := shape[outer-1]
		if size == 1 {
			continue
		}
		u, v := sizeAt(x.shape, outer-1-len(shape)) == size, sizeAt(y.shape, outer-1-len(shape)) == size
		if run == 1 {
			xWhole, yWhole = u, v
		}
		if u != xWhole || v != yWhole {
			break
		}
		run *= size
	}
	var room [8]int
	index := append(room[:0], shape[:outer]...)
	clear(index)
	filled := stretches.Get().(*[2][256]float32)
	defer stretches.Put(filled)
	xs, ys := filled[0][:], filled[1][:]
	for lo := 0; lo < len(dst); lo += run {
		a, b := offset(x.shape, shape, index), offset(y.shape, shape, index)
		if xWhole && yWhole {
			f(dst[lo:lo+run], x.data[a*run:(a+1)*run], y.data[b*run:(b+1)*run])
		} else {
			for from := 0; from < run; from += len(xs) {
				to := min(from+len(xs), run)
				p, q := xs[:to-from], ys[:to-from]
				if xWhole {
					p = x.data[a*run+from : a*run+to]
				} else {
					fill(p, x.data[a])
				}
				if yWhole {
					q = y.data[b*run+from : b*run+to]
				} else {
					fill(q, y.data[b])
				}
				f(dst[lo+from:lo+to], p, q)
			}
		}
		step(index, shape)
	}
}

// stretches are numbers repeated.
var stretches = sync.Pool{New: func() any { return new([2][256]float32) }}

// step moves an index to the next, the last dimension first.
func step(index, shape []int) {
	for i := len(index) - 1; i >= 0; i-- {
		if index[i]++; index[i] < shape[i] {
			return
		}
		index[i] = 0
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// sizeAt returns the size of a dimension counted from the end, -1 being the last; 1 for one that is missing.
func sizeAt(shape []int, fromEnd int) int {
	if i := len(shape) + fromEnd; i >= 0 {
		return shape[i]
	}
	return 1
}

// offset returns which of a tensor's runs an index of the stretched shape's outer dimensions means.
func offset(of, shape, index []int) int {
	n := 0
	for i, v := range index {
		size := sizeAt(of, i-len(shape))
		if size == 1 {
			v = 0
		}
		n = n*size + v
	}
	return n
}

func (o *paired) backward(t *Tape, n *node) {
	// The gradient by y first: that by x may take over the memory of n's.
	if wantedOf(o.y) {
		switch o.kind {
		case adding:
			t.reduced(n, o.y, nil, nil, 1)
		case subtracting:
			t.reduced(n, o.y, nil, nil, -1)
		case multiplying:
			t.reduced(n, o.y, o.xt, nil, 1)
		case dividing:
			t.reduced(n, o.y, &n.Tensor, o.yt, -1)
		}
	}
	if wantedOf(o.x) {
		switch o.kind {
		case adding, subtracting:
			if len(o.x.data) == len(n.data) {
				t.hand(n, o.x)
				return
			}
			t.reduced(n, o.x, nil, nil, 1)
		case multiplying:
			t.reduced(n, o.x, o.yt, nil, 1)
		case dividing:
			t.reduced(n, o.x, nil, o.yt, 1)
		}
	}
}

// reduced adds to the gradient of an input: sign·dy·by/over, summed over the dimensions along which the input was
// stretched. by and over may be nil.
func (t *Tape) reduced(n, to *node, by, over *Tensor, sign float32) {
	b := t.memory.take(len(n.data))
	g := b.data[:len(n.data)]
	switch {
	case by != nil:
		broadcast(simd.Multiply, g, n.shape, operand{n.shape, n.gradient()}, by.operand())
	default:
		copy(g, n.gradient())
	}
	if over != nil {
		broadcast(simd.Divide, g, n.shape, operand{n.shape, g}, over.operand())
	}
	if sign < 0 {
		simd.Scale(g, g, sign)
	}
	s := t.part(to)
	sumTo(s.data, to.shape, g, n.shape)
	t.contribute(s)
	t.memory.free(b)
}

// sumTo sums src over the dimensions along which dst would have to be stretched to its shape.
func sumTo(dst []float32, to []int, src []float32, from []int) {
	switch {
	case len(dst) == len(src):
		copy(dst, src)
		return
	case len(dst) == 1:
		dst[0] = float32(simd.Sum(src))
		return
	case len(dst) == 0:
		return
	}
	// As many dimensions at the end as are not stretched make a row.
	width, i := 1, -1
	for ; i >= -len(to) && sizeAt(to, i) == sizeAt(from, i); i-- {
		width *= sizeAt(from, i)
	}
	if width == len(dst) {
		columnSums(dst, src, len(src)/width, width)
		return
	}
	clear(dst)
	outer := from[:len(from)+i+1]
	var room [8]int
	index := append(room[:0], outer...)
	clear(index)
	for lo := 0; lo < len(src); lo += width {
		at := offset(to, from, index) * width
		simd.Add(dst[at:at+width], dst[at:at+width], src[lo:lo+width])
		step(index, outer)
	}
}
