package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// MatMul is the product of matrices: (rows, k) by (k, columns) gives (rows, columns). Dimensions in front of the last
// two count as more rows of x when y is a matrix; otherwise x and y are as many pairs of matrices, (…, rows, k) by
// (…, k, columns), and their dimensions in front must be equal. A vector counts as a row on the left and as a column on
// the right, and its dimension of 1 is left out of the result, as in NumPy.
//
// Each number of the result is a sum in ascending order of k, each step rounded once.
func (x *Tensor) MatMul(y *Tensor) *Tensor {
	a, b := x.shape, y.shape
	if len(a) == 0 || len(b) == 0 {
		fail("MatMul", "the shapes %s and %s do not fit: a single number is multiplied by Mul or Scale", shapeText(a), shapeText(b))
	}
	k := a[len(a)-1]
	inner := b[max(0, len(b)-2)]
	if k != inner {
		fail("MatMul", "the shapes %s and %s do not fit: the last size of the left one, %d, must be the number of rows of the right one, %d",
			shapeText(a), shapeText(b), k, inner)
	}
	n := next("MatMul", x, y, nil)
	o := noted[product](n)
	o.x, o.y, o.xt, o.yt = x.node, y.node, x, y
	o.k = k
	if len(b) <= 2 {
		o.count, o.m, o.n = 1, len(x.data)/max(1, k), 1
		if k == 0 {
			o.m = sizeOf(a[:len(a)-1])
		}
		n.shape = append(n.blank(), a[:len(a)-1]...)
		if len(b) == 2 {
			o.n = b[1]
			n.shape = append(n.shape, b[1])
		}
	} else {
		outer := len(b) - 2
		same := len(a) == len(b)
		for i := 0; same && i < outer; i++ {
			same = a[i] == b[i]
		}
		if !same {
			fail("MatMul", "the shapes %s and %s do not fit: the dimensions in front of the last two must be equal, or the right one a matrix",
				shapeText(a), shapeText(b))
		}
		o.count, o.m, o.n = sizeOf(b[:outer]), a[outer], b[outer+1]
		n.shape = append(append(n.blank(), a[:outer+1]...), b[outer+1])
	}
	n.make(n.shape...)
	o.up = simd.Batch{
		Product: simd.Product{
			M: o.m, N: o.n, K: o.k, A: simd.RowMajor(x.data, o.k), B: simd.RowMajor(y.data, o.n), C: n.data, Stride: o.n,
		},
		Count: o.count, StepA: o.m * o.k, StepB: o.k * o.n, StepC: o.m * o.n,
	}
	compute(&o.up)
	return n.done()
}

// product notes count products of m×k by k×n matrices.
type product struct {
	x, y           *node
	xt, yt         *Tensor
	count, m, n, k int
	up, down, over simd.Batch
}

func (o *product) backward(t *Tape, n *node) {
	dy := n.gradient()
	if wantedOf(o.x) {
		o.down = simd.Batch{
			Product: simd.Product{M: o.m, N: o.k, K: o.n, A: simd.RowMajor(dy, o.n), B: simd.RowMajor(o.yt.data, o.n).Transposed(), Stride: o.k},
			Count:   o.count, StepA: o.m * o.n, StepB: o.k * o.n, StepC: o.m * o.k,
		}
		t.into(&o.down.Product, o.x)
		o.down.StepStart = o.down.StepC
		compute(&o.down)
	}
	if wantedOf(o.y) {
		o.over = simd.Batch{
			Product: simd.Product{M: o.k, N: o.n, K: o.m, A: simd.RowMajor(o.xt.data, o.k).Transposed(), B: simd.RowMajor(dy, o.n), Stride: o.n},
			Count:   o.count, StepA: o.m * o.k, StepB: o.m * o.n, StepC: o.k * o.n,
		}
		t.into(&o.over.Product, o.y)
		o.over.StepStart = o.over.StepC
		compute(&o.over)
	}
}

// into has a product computed onto the gradient of a node.
func (t *Tape) into(p *simd.Product, n *node) {
	g, add := t.onto(n)
	p.C = g
	if add {
		p.Start, p.StartStride = g, p.Stride
	}
	if n.gated {
		p.Gate = n.data
	}
}
