package nnkit

import (
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Add is x + y. The shapes must be equal, or one is stretched to the other as NumPy and PyTorch do it: aligned at
// their ends, a size of 1 (or a missing one) serves for any size. So a row vector is added to each row of a matrix.
func (x *Tensor) Add(y *Tensor) *Tensor { return x.pair("Add", simd.AddNumbers, y) }

// Sub is x - y, with shapes as for [Tensor.Add].
func (x *Tensor) Sub(y *Tensor) *Tensor { return x.pair("Sub", simd.SubtractNumbers, y) }

// Mul is x·y for each number, with shapes as for [Tensor.Add]; the product of matrices is [Tensor.MatMul].
func (x *Tensor) Mul(y *Tensor) *Tensor { return x.pair("Mul", simd.MultiplyNumbers, y) }

// Div is x/y for each number, with shapes as for [Tensor.Add].
func (x *Tensor) Div(y *Tensor) *Tensor { return x.pair("Div", simd.DivideNumbers, y) }

// Maximum is the larger of x and y, with shapes as for [Tensor.Add], NaN where one of them is. Where they are equal the
// gradient is x's.
func (x *Tensor) Maximum(y *Tensor) *Tensor { return x.pair("Maximum", simd.MaximumNumbers, y) }

// Minimum is the smaller of x and y, as [Tensor.Maximum].
func (x *Tensor) Minimum(y *Tensor) *Tensor { return x.pair("Minimum", simd.MinimumNumbers, y) }

// paired notes an operation on two tensors.
type paired struct {
	op     simd.Operation
	x, y   *node // nil for constants
	xt, yt *Tensor
}

func (x *Tensor) pair(name string, op simd.Operation, y *Tensor) *Tensor {
	n := next(name, x, y, nil)
	n.shape = appendBroadcast(n.blank(), name, x.shape, y.shape)
	n.make(n.shape...)
	switch {
	case len(x.data) != len(n.data) || len(y.data) != len(n.data):
		broadcast(op, n.data, n.shape, x.operand(), y.operand())
	default:
		spread3(kernels[op], n.data, x.data, y.data)
	}
	*noted[paired](n) = paired{op, x.node, y.node, x, y}
	return n.done()
}

// kernels are the operations on tensors of one shape.
var kernels = [...]func(dst, a, b []float32){
	simd.AddNumbers: simd.Add, simd.SubtractNumbers: simd.Subtract, simd.MultiplyNumbers: simd.Multiply, simd.DivideNumbers: simd.Divide,
	simd.MaximumNumbers: simd.Maximum, simd.MinimumNumbers: simd.Minimum,
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

// broadcast computes dst = x op y, of the given shape.
func broadcast(op simd.Operation, dst []float32, shape []int, x, y operand) {
	if len(dst) == 0 {
		return
	}
	// A run is as many dimensions at the end as have each operand either whole or stretched, and more runs lie in one
	// matrix as long as the same is true of the dimension before them.
	run, xRun, yRun, outer := together(shape, x, y)
	rows, xRows, yRows, outer := together(shape[:outer], x.before(len(shape)-outer), y.before(len(shape)-outer))
	var room [8]int
	index := append(room[:0], shape[:outer]...)
	clear(index)
	xs, ys := x.matrix(rows, run, xRows, xRun), y.matrix(rows, run, yRows, yRun)
	for lo := 0; lo < len(dst); lo += rows * run {
		xs.view.Data = x.data[offset(x.shape, shape, index)*xs.size:]
		ys.view.Data = y.data[offset(y.shape, shape, index)*ys.size:]
		simd.Broadcast(op, simd.RowMajor(dst[lo:lo+rows*run], run), xs.view, ys.view, rows, run)
		step(index, shape)
	}
}

// together returns how many numbers the dimensions at the end of a shape have along which each operand is either whole or
// stretched, which of the two it is, and how many dimensions are before them.
func together(shape []int, x, y operand) (size int, xWhole, yWhole bool, outer int) {
	size, xWhole, yWhole = 1, true, true
	for outer = len(shape); outer > 0; outer-- {
		if shape[outer-1] == 1 {
			continue
		}
		u, v := x.whole(outer-1, shape), y.whole(outer-1, shape)
		if size == 1 {
			xWhole, yWhole = u, v
		}
		if u != xWhole || v != yWhole {
			break
		}
		size *= shape[outer-1]
	}
	return size, xWhole, yWhole, outer
}

// before is the operand without its last n dimensions, as far as shapes go.
func (o operand) before(n int) operand { return operand{shape: o.shape[:max(0, len(o.shape)-n)]} }

// whole says whether the operand is not stretched along a dimension of the larger shape.
func (o operand) whole(i int, shape []int) bool { return sizeAt(o.shape, i-len(shape)) == shape[i] }

// matrix is the part of an operand that a call of simd.Broadcast reads: rows of runs, either of which may be stretched.
func (o operand) matrix(rows, run int, manyRows, wholeRun bool) (m struct {
	view simd.View
	size int
},
) {
	m.size = 1
	if wholeRun {
		m.view.ColumnStride, m.size = 1, run
	}
	if manyRows && rows > 1 {
		m.view.RowStride = m.size
		m.size *= rows
	}
	return m
}

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
		switch o.op {
		case simd.AddNumbers:
			t.addReduced(n, o.y, n.gradient())
		default:
			b := t.memory.take(len(n.data))
			g := b.data[:len(n.data)]
			dy := operand{n.shape, n.gradient()}
			switch o.op {
			case simd.SubtractNumbers:
				simd.Negate(g, dy.data)
			case simd.MultiplyNumbers:
				broadcast(simd.MultiplyNumbers, g, n.shape, dy, o.xt.operand())
			case simd.DivideNumbers: // -dy·(x/y)/y
				simd.Multiply(g, dy.data, n.data)
				broadcast(simd.DivideNumbers, g, n.shape, operand{n.shape, g}, o.yt.operand())
				simd.Negate(g, g)
			case simd.MaximumNumbers:
				broadcast(simd.LessNumbers, g, n.shape, o.xt.operand(), o.yt.operand())
				simd.Multiply(g, g, dy.data)
			case simd.MinimumNumbers:
				broadcast(simd.LessNumbers, g, n.shape, o.yt.operand(), o.xt.operand())
				simd.Multiply(g, g, dy.data)
			}
			t.addReduced(n, o.y, g)
			t.memory.free(b)
		}
	}
	if !wantedOf(o.x) {
		return
	}
	dy := operand{n.shape, n.gradient()}
	switch o.op {
	case simd.MultiplyNumbers:
		broadcast(simd.MultiplyNumbers, dy.data, n.shape, dy, o.yt.operand())
	case simd.DivideNumbers:
		broadcast(simd.DivideNumbers, dy.data, n.shape, dy, o.yt.operand())
	case simd.MaximumNumbers, simd.MinimumNumbers:
		b := t.memory.take(len(n.data))
		g := b.data[:len(n.data)]
		if o.op == simd.MaximumNumbers {
			broadcast(simd.LessEqualNumbers, g, n.shape, o.yt.operand(), o.xt.operand())
		} else {
			broadcast(simd.LessEqualNumbers, g, n.shape, o.xt.operand(), o.yt.operand())
		}
		simd.Multiply(dy.data, g, dy.data)
		t.memory.free(b)
	}
	if len(o.x.data) == len(n.data) {
		t.hand(n, o.x)
		return
	}
	t.addReduced(n, o.x, n.gradient())
}

// addReduced adds g, of n's shape, to the gradient of an input, summed over the dimensions along which it was stretched.
func (t *Tape) addReduced(n, to *node, g []float32) {
	if width, _ := rowOf(to.shape, n.shape); width > 1 && width == len(to.data) {
		s := t.sumsOf(to, width)
		simd.AddColumnSums(s.data, g, len(g)/width, width)
		t.contribute(s)
		return
	}
	s := t.part(to)
	sumTo(s.data, to.shape, g, n.shape)
	t.contribute(s)
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
	width, i := rowOf(to, from)
	if rows := len(src) / len(dst); width == 1 && len(dst)*rows == len(src) && stretchedAtEnd(to, from) {
		simd.RowSums(dst, simd.RowMajor(src, rows), len(dst), rows)
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

// rowOf returns how many numbers the dimensions at the end that are not stretched have, and the last one, counted from the
// end, that is.
func rowOf(to, from []int) (width, stretched int) {
	width, stretched = 1, -1
	for ; stretched >= -len(to) && sizeAt(to, stretched) == sizeAt(from, stretched); stretched-- {
		width *= sizeAt(from, stretched)
	}
	return width, stretched
}

// stretchedAtEnd says whether the shape is stretched along its last dimensions and no others.
func stretchedAtEnd(to, from []int) bool {
	i := -1
	for ; i >= -len(from) && sizeAt(to, i) == 1; i-- {
		continue
	}
	for ; i >= -len(from); i-- {
		if sizeAt(to, i) != sizeAt(from, i) {
			return false
		}
	}
	return true
}
