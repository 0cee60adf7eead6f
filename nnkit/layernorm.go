package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// LayerNormalization makes a layer that gives each row, along the last dimension, the mean 0 and the variance 1, and then
// a trained gain and offset for each place. J. L. Ba et al., Layer normalization, 2016. Options are [Name] and
// [NormEpsilon].
func LayerNormalization(options ...NormOption) Layer {
	return newLayerNorm("LayerNormalization", "layer_normalization", false, options)
}

// RMSNormalization makes a layer that divides each row by the root of its mean square, along the last dimension, and then
// has a trained gain for each place. B. Zhang and R. Sennrich, Root mean square layer normalization, NeurIPS 2019. Options
// are those of [LayerNormalization].
func RMSNormalization(options ...NormOption) Layer {
	return newLayerNorm("RMSNormalization", "rms_normalization", true, options)
}

// NormOption is an argument of [LayerNormalization], [RMSNormalization] or [BatchNormalization].
type NormOption interface {
	option
	normOption()
}

func (forAll) normOption() {}

// NormEpsilonOption is the result of [NormEpsilon].
type NormEpsilonOption struct{ epsilon float64 }

// NormEpsilon sets the small number that is added to a variance before its root is divided by; 0.001 by default, as in
// Keras (PyTorch has 0.00001).
func NormEpsilon(epsilon float64) NormEpsilonOption { return NormEpsilonOption{epsilon} }

func (NormEpsilonOption) normOption() {}

func (o NormEpsilonOption) set(s *layerSettings) {
	if s.epsilon = o.epsilon; !(o.epsilon > 0) {
		s.err = fmt.Errorf("NormEpsilon(%v): it must be a number above 0", o.epsilon)
	}
}

type layerNormLayer struct {
	BaseLayer
	rms         bool
	epsilon     float64
	gamma, beta *Parameter
}

func newLayerNorm(name, kind string, rms bool, options []NormOption) Layer {
	l := &layerNormLayer{rms: rms}
	l.layer.kind = kind
	s := layerSettings{epsilon: 1e-3}
	applyOptions(&s, name+"(…)", options)
	s.give(&l.layer)
	l.epsilon = s.epsilon
	return l
}

// Build makes gain and offset.
func (l *layerNormLayer) Build(input []int) error {
	width := input[len(input)-1]
	l.gamma = l.AddParameter("gamma", Ones, width)
	if !l.rms {
		l.beta = l.AddParameter("beta", Zeros, width)
	}
	return nil
}

// Forward normalizes.
func (l *layerNormLayer) Forward(x *Tensor) *Tensor {
	return normalizeRows("LayerNormalization", x, nil, l.gamma.Tensor(), l.beta.tensor(), rowNorm{epsilon: l.epsilon, rms: l.rms})
}

// LayerNorm gives each row, along the last dimension, the mean 0 and the variance 1, and then gamma and beta of the row's
// length; nil for ones and zeros is not allowed. Epsilon is added to the variance.
func (x *Tensor) LayerNorm(gamma, beta *Tensor, epsilon float64) *Tensor {
	return normalizeRows("LayerNorm", x, nil, gamma, beta, rowNorm{epsilon: epsilon})
}

// rowNorm is how rows are normalized.
type rowNorm struct {
	epsilon float64
	rms     bool
	spent   bool // nothing else needs the value of the residual, in whose place the sum is kept for the gradient
}

// normalizeRows normalizes x, or x + residual if there is one; beta may be nil.
func normalizeRows(operation string, x, residual, gamma, beta *Tensor, how rowNorm) *Tensor {
	rows, width := x.lastRows(operation)
	if len(gamma.shape) != 1 || gamma.shape[0] != width || beta != nil && (len(beta.shape) != 1 || beta.shape[0] != width) {
		fail(operation, "x has the shape %s: gain and offset must be (%d)", shapeText(x.shape), width)
	}
	inputs := [...]*Tensor{x, residual, gamma, beta}
	n := nextOf(operation, inputs[:])
	n.make(x.shape...)
	o := noted[rowsNormalized](n)
	o.x, o.residual, o.gamma, o.beta = x.node, nil, gamma.node, nil
	o.forward = simd.LayerNorm{Rows: rows, Width: width, X: x.data, Gamma: gamma.data, Y: n.data, Epsilon: how.epsilon, RMS: how.rms}
	f := &o.forward
	noBeta := n.tape.borrow(width)
	if beta != nil {
		o.beta, f.Beta = beta.node, beta.data
	} else {
		f.Beta = noBeta.data[:width]
		clear(f.Beta)
	}
	if residual != nil {
		o.residual, f.Residual = residual.node, residual.data
	}
	if n.wanted {
		o.stats = n.tape.borrow(3 * rows)
		f.Stats = o.stats.data[:3*rows]
		switch o.sum = nil; {
		case residual == nil:
		case how.spent:
			f.Sum = residual.data
		default:
			o.sum = n.tape.borrow(len(x.data))
			f.Sum = o.sum.data[:len(x.data)]
		}
	}
	compute(f)
	n.tape.giveBack(noBeta)
	return n.done()
}

type rowsNormalized struct {
	x, residual, gamma, beta *node
	forward                  simd.LayerNorm
	back                     simd.LayerNormGradient
	columns                  simd.LayerNormColumns
	stats, sum               *buffer
}

func (o *rowsNormalized) backward(t *Tape, n *node) {
	f := &o.forward
	gamma, beta := t.sumsOf(o.gamma, f.Width), t.sumsOf(o.beta, f.Width)
	o.back = simd.LayerNormGradient{LayerNorm: f, DY: n.gradient(), DX: n.gradient(), DGamma: gamma.data, DBeta: beta.data}
	b := t.memory.take(o.back.WorkspaceSize())
	o.back.Workspace = b.data
	compute(&o.back)
	o.columns.LayerNormGradient = &o.back
	compute(&o.columns)
	t.memory.free(b)
	t.contribute(gamma)
	t.contribute(beta)
	t.memory.free(o.stats)
	if o.sum != nil {
		t.memory.free(o.sum)
	}
	if wantedOf(o.residual) {
		t.copy(n.gradient(), o.residual)
	}
	if wantedOf(o.x) {
		t.hand(n, o.x)
	}
}
