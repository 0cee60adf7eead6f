package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// OperationError is what an operation on tensors panics with when they do not fit together: it names the operation, the
// shapes and the remedy. Where a model computes, [Model.Fit] and its kin return it as an error that names the layer, too.
type OperationError struct {
	Operation string // "MatMul"
	Problem   string
}

// Error names the operation and says what is wrong.
func (e *OperationError) Error() string { return e.Operation + ": " + e.Problem }

func fail(operation, format string, args ...any) {
	panic(&OperationError{operation, fmt.Sprintf(format, args...)})
}

func sizeOf(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func zeros(shape []int) *Tensor { return newTensor(shape, sizeOf(shape)) }

// newTensor makes a tensor by itself for size numbers, with its shape, and with the numbers if they are few, in the same piece
// of memory.
func newTensor(shape []int, size int) *Tensor {
	t := &struct {
		Tensor
		room [4]int
		few  [2]float32 // more would take more memory of all tensors
	}{}
	t.shape = append(t.room[:0], shape...)
	if size <= len(t.few) {
		t.data = t.few[:size:size]
	} else {
		t.data = make([]float32, size)
	}
	return &t.Tensor
}

// unary notes y = f(x) for a function of each number, with its kernels: slope replaces dy by dx, given x or y.
type unary struct {
	x     *node
	slope func(dy, of []float32)
	kind  unaryKind
}

type unaryKind int

const (
	byY       unaryKind = iota // the slope is found from y
	byX                        // from x
	isSigmoid                  // from y, and losses know it
)

func (o *unary) backward(t *Tape, n *node) {
	of := n.data
	if o.kind == byX {
		of = o.x.data
	}
	spread(o.slope, n.gradient(), of)
	t.hand(n, o.x)
}

func (x *Tensor) unary(name string, f, slope func(dst, src []float32), kind unaryKind) *Tensor {
	n := next(name, x, nil, nil)
	n.make(x.shape...)
	spread(f, n.data, x.data)
	*noted[unary](n) = unary{x.node, slope, kind}
	return n.done()
}

// Exp is e to the power of x, for each number, with an error of at most one unit in the last place.
func (x *Tensor) Exp() *Tensor { return x.unary("Exp", simd.Exp, multiplyBy, byY) }

func multiplyBy(dy, y []float32) { simd.Multiply(dy, dy, y) }

// Log is the natural logarithm: NaN below 0, minus infinity at 0.
func (x *Tensor) Log() *Tensor { return x.unary("Log", simd.Log, divideBy, byX) }

func divideBy(dy, x []float32) { simd.Divide(dy, dy, x) }

// Sigmoid is 1/(1+exp(-x)).
func (x *Tensor) Sigmoid() *Tensor {
	return x.unary("Sigmoid", simd.Sigmoid, simd.SigmoidGradient, isSigmoid)
}

// Tanh is the hyperbolic tangent.
func (x *Tensor) Tanh() *Tensor { return x.unary("Tanh", simd.Tanh, simd.TanhGradient, byY) }

// Erf is the error function.
func (x *Tensor) Erf() *Tensor { return x.unary("Erf", simd.Erf, erfGradient, byX) }

func erfGradient(dy, x []float32) {
	var e [256]float32
	for len(dy) > 0 {
		n := min(len(dy), len(e))
		simd.Square(e[:n], x[:n])
		simd.Negate(e[:n], e[:n])
		simd.Exp(e[:n], e[:n])
		simd.Scale(e[:n], e[:n], 2/1.7724538509055159) // 2/√π
		simd.Multiply(dy[:n], dy[:n], e[:n])
		dy, x = dy[n:], x[n:]
	}
}

// Sin is the sine of x, in radians.
func (x *Tensor) Sin() *Tensor { return x.unary("Sin", simd.Sine, sineGradient, byX) }

func sineGradient(dy, x []float32) {
	var c [256]float32
	for len(dy) > 0 {
		n := min(len(dy), len(c))
		simd.Cosine(c[:n], x[:n])
		simd.Multiply(dy[:n], dy[:n], c[:n])
		dy, x = dy[n:], x[n:]
	}
}

// Cos is the cosine of x, in radians.
func (x *Tensor) Cos() *Tensor { return x.unary("Cos", simd.Cosine, cosineGradient, byX) }

func cosineGradient(dy, x []float32) {
	var s [256]float32
	for len(dy) > 0 {
		n := min(len(dy), len(s))
		simd.Sine(s[:n], x[:n])
		simd.Negate(s[:n], s[:n])
		simd.Multiply(dy[:n], dy[:n], s[:n])
		dy, x = dy[n:], x[n:]
	}
}

// Square is x².
func (x *Tensor) Square() *Tensor { return x.unary("Square", simd.Square, squareGradient, byX) }

func squareGradient(dy, x []float32) {
	simd.Multiply(dy, dy, x)
	simd.Scale(dy, dy, 2)
}

// Sqrt is the square root, correctly rounded: NaN below 0.
func (x *Tensor) Sqrt() *Tensor { return x.unary("Sqrt", simd.Sqrt, rootGradient, byY) }

func rootGradient(dy, y []float32) {
	simd.Divide(dy, dy, y)
	simd.Scale(dy, dy, 0.5)
}

// Abs is the absolute value; its gradient at 0 is 0.
func (x *Tensor) Abs() *Tensor { return x.unary("Abs", simd.Abs, absoluteGradient, byX) }

func absoluteGradient(dy, x []float32) {
	var sign [256]float32
	for len(dy) > 0 {
		n := min(len(dy), len(sign))
		simd.Sign(sign[:n], x[:n])
		simd.Multiply(dy[:n], dy[:n], sign[:n])
		dy, x = dy[n:], x[n:]
	}
}

// Rsqrt is 1/√x, correctly rounded: NaN below 0.
func (x *Tensor) Rsqrt() *Tensor { return x.unary("Rsqrt", simd.Rsqrt, rsqrtGradient, byY) }

func rsqrtGradient(dy, y []float32) {
	// -y³/2
	var cube [256]float32
	for len(dy) > 0 {
		n := min(len(dy), len(cube))
		simd.Square(cube[:n], y[:n])
		simd.Multiply(cube[:n], cube[:n], y[:n])
		simd.Scale(cube[:n], cube[:n], -0.5)
		simd.Multiply(dy[:n], dy[:n], cube[:n])
		dy, y = dy[n:], y[n:]
	}
}

// Log1p is log(1+x), exact for small x.
func (x *Tensor) Log1p() *Tensor { return x.unary("Log1p", simd.Log1p, log1pGradient, byX) }

func log1pGradient(dy, x []float32) {
	var d [256]float32
	for len(dy) > 0 {
		n := min(len(dy), len(d))
		simd.Shift(d[:n], x[:n], 1)
		simd.Divide(dy[:n], dy[:n], d[:n])
		dy, x = dy[n:], x[n:]
	}
}

// Expm1 is exp(x) - 1, exact for small x.
func (x *Tensor) Expm1() *Tensor { return x.unary("Expm1", simd.Expm1, expm1Gradient, byY) }

func expm1Gradient(dy, y []float32) {
	// dy·y + dy
	var d [256]float32
	for len(dy) > 0 {
		n := min(len(dy), len(d))
		simd.Multiply(d[:n], dy[:n], y[:n])
		simd.Add(dy[:n], dy[:n], d[:n])
		dy, y = dy[n:], y[n:]
	}
}

// Clip brings each number between low and high; the gradient of what is outside is 0. NaN stays.
func (x *Tensor) Clip(low, high float64) *Tensor {
	n := next("Clip", x, nil, nil)
	n.make(x.shape...)
	simd.Clip(n.data, x.data, float32(low), float32(high))
	*noted[clipped](n) = clipped{x.node, x.data, float32(low), float32(high)}
	return n.done()
}

type clipped struct {
	x         *node
	xs        []float32
	low, high float32
}

func (o *clipped) backward(t *Tape, n *node) {
	simd.ClipGradient(n.gradient(), o.xs, o.low, o.high)
	t.hand(n, o.x)
}

// ReLU is max(x, 0); its gradient at 0 is 0.
func (x *Tensor) ReLU() *Tensor {
	n := next("ReLU", x, nil, nil)
	n.make(x.shape...)
	spread(simd.ReLU, n.data, x.data)
	noted[rectified](n).x = x.node
	n.gated = n.wanted
	return n.done()
}

type rectified struct{ x *node }

func (o *rectified) backward(t *Tape, n *node) {
	if !n.gated {
		spread(simd.ReLUGradient, n.gradient(), n.data)
	}
	t.hand(n, o.x)
}

// GELU is x·Φ(x), see [GELU].
func (x *Tensor) GELU() *Tensor { return x.unary("GELU", simd.GELU, simd.GELUGradient, byX) }

// TanhGELU is the approximation of GELU by a hyperbolic tangent.
func (x *Tensor) TanhGELU() *Tensor {
	return x.unary("TanhGELU", simd.TanhGELU, simd.TanhGELUGradient, byX)
}

// SiLU is x·sigmoid(x).
func (x *Tensor) SiLU() *Tensor { return x.unary("SiLU", simd.SiLU, simd.SiLUGradient, byX) }

// Softplus is log(1+exp(x)).
func (x *Tensor) Softplus() *Tensor {
	return x.unary("Softplus", simd.Softplus, simd.SoftplusGradient, byY)
}

// Softsign is x/(1+|x|).
func (x *Tensor) Softsign() *Tensor {
	return x.unary("Softsign", simd.Softsign, simd.SoftsignGradient, byY)
}

// Mish is x·tanh(softplus(x)).
func (x *Tensor) Mish() *Tensor { return x.unary("Mish", simd.Mish, simd.MishGradient, byX) }

// HardSigmoid is (x+3)/6 between 0 and 1.
func (x *Tensor) HardSigmoid() *Tensor {
	return x.unary("HardSigmoid", simd.HardSigmoid, simd.HardSigmoidGradient, byY)
}

// HardSwish is x·HardSigmoid(x).
func (x *Tensor) HardSwish() *Tensor {
	return x.unary("HardSwish", simd.HardSwish, simd.HardSwishGradient, byX)
}

// ELU is x above 0 and alpha·(exp(x)-1) below.
func (x *Tensor) ELU(alpha float64) *Tensor { return x.elu("ELU", 1, float32(alpha)) }

// SELU is [Tensor.ELU] with the scale and alpha of self-normalizing networks.
func (x *Tensor) SELU() *Tensor { return x.elu("SELU", simd.SELUScale, simd.SELUAlpha) }

func (x *Tensor) elu(name string, scale, alpha float32) *Tensor {
	n := next(name, x, nil, nil)
	n.make(x.shape...)
	simd.ELU(n.data, x.data, scale, alpha)
	*noted[eluOperation](n) = eluOperation{x.node, scale, alpha}
	return n.done()
}

type eluOperation struct {
	x            *node
	scale, alpha float32
}

func (o *eluOperation) backward(t *Tape, n *node) {
	simd.ELUGradient(n.gradient(), n.data, o.scale, o.alpha)
	t.hand(n, o.x)
}

// LeakyReLU is x above 0 and slope·x, which must not be negative, below.
func (x *Tensor) LeakyReLU(slope float64) *Tensor {
	if !(slope >= 0) {
		fail("LeakyReLU", "the slope %v must not be negative", slope)
	}
	n := next("LeakyReLU", x, nil, nil)
	n.make(x.shape...)
	simd.LeakyReLU(n.data, x.data, float32(slope))
	*noted[leaky](n) = leaky{x.node, float32(slope)}
	return n.done()
}

type leaky struct {
	x     *node
	slope float32
}

func (o *leaky) backward(t *Tape, n *node) {
	simd.LeakyReLUGradient(n.gradient(), n.data, o.slope)
	t.hand(n, o.x)
}

// Scale is factor·x.
func (x *Tensor) Scale(factor float64) *Tensor {
	n := next("Scale", x, nil, nil)
	n.make(x.shape...)
	simd.Scale(n.data, x.data, float32(factor))
	*noted[scaled](n) = scaled{x.node, float32(factor)}
	return n.done()
}

type scaled struct {
	x      *node
	factor float32
}

func (o *scaled) backward(t *Tape, n *node) {
	simd.Scale(n.gradient(), n.gradient(), o.factor)
	t.hand(n, o.x)
}

// Neg is -x.
func (x *Tensor) Neg() *Tensor { return x.Scale(-1) }

// Shift is x + term.
func (x *Tensor) Shift(term float64) *Tensor {
	n := next("Shift", x, nil, nil)
	n.make(x.shape...)
	simd.Shift(n.data, x.data, float32(term))
	noted[passed](n).x = x.node
	return n.done()
}

// passed hands its gradient on as it is.
type passed struct{ x *node }

func (o *passed) backward(t *Tape, n *node) { t.hand(n, o.x) }

// Softmax is exp(x_i)/Σexp(x_j) over the last dimension.
func (x *Tensor) Softmax() *Tensor {
	rows, width := x.lastRows("Softmax")
	n := next("Softmax", x, nil, nil)
	n.make(x.shape...)
	simd.Softmax(n.data, x.data, rows, width)
	*noted[softmaxed](n) = softmaxed{x.node, rows, width}
	return n.done()
}

type softmaxed struct {
	x           *node
	rows, width int
}

func (o *softmaxed) backward(t *Tape, n *node) {
	simd.SoftmaxGradient(n.gradient(), n.data, o.rows, o.width)
	t.hand(n, o.x)
}

// LogSoftmax is x - log Σexp(x_j) over the last dimension: the logarithm of Softmax without its loss of digits.
func (x *Tensor) LogSoftmax() *Tensor {
	rows, width := x.lastRows("LogSoftmax")
	n := next("LogSoftmax", x, nil, nil)
	n.make(x.shape...)
	simd.LogSoftmax(n.data, x.data, rows, width)
	*noted[logSoftmaxed](n) = logSoftmaxed{x.node, rows, width}
	return n.done()
}

type logSoftmaxed struct {
	x           *node
	rows, width int
}

func (o *logSoftmaxed) backward(t *Tape, n *node) {
	simd.LogSoftmaxGradient(n.gradient(), n.data, o.rows, o.width)
	t.hand(n, o.x)
}

// lastRows cuts a tensor into rows along its last dimension.
func (x *Tensor) lastRows(operation string) (rows, width int) {
	if len(x.shape) == 0 {
		fail(operation, "the tensor is a single number and has no last dimension")
	}
	width = x.shape[len(x.shape)-1]
	if width == 0 {
		return 0, 0
	}
	return len(x.data) / width, width
}
