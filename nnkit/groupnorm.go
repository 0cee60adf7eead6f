package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// GroupNormalization makes a layer that cuts the channels, the last dimension, into groups and gives each group of each row
// the mean 0 and the variance 1 over all its places, and then a trained gain and offset for each channel. Y. Wu and K. He,
// Group normalization, ECCV 2018. Options are [Name] and [NormEpsilon].
func GroupNormalization(groups int, options ...NormOption) Layer {
	l := &groupNormLayer{groups: groups}
	l.layer.kind = "group_normalization"
	s := layerSettings{epsilon: 1e-3}
	applyOptions(&s, fmt.Sprintf("GroupNormalization(%d, …)", groups), options)
	if s.err == nil && groups < 1 {
		s.err = fmt.Errorf("GroupNormalization(%d, …): the number of groups must be at least 1", groups)
	}
	s.give(&l.layer)
	l.epsilon = s.epsilon
	return l
}

type groupNormLayer struct {
	BaseLayer
	groups      int
	epsilon     float64
	gamma, beta *Parameter
}

// Build makes gain and offset.
func (l *groupNormLayer) Build(input []int) error {
	channels := input[len(input)-1]
	if channels%l.groups != 0 {
		return fmt.Errorf("cannot cut %d channels into %d groups: they must be a multiple of it", channels, l.groups)
	}
	l.gamma = l.AddParameter("gamma", Ones, channels)
	l.beta = l.AddParameter("beta", Zeros, channels)
	return nil
}

// Forward normalizes.
func (l *groupNormLayer) Forward(x *Tensor) *Tensor {
	return x.GroupNorm(l.groups, l.gamma.Tensor(), l.beta.Tensor(), l.epsilon)
}

// GroupNorm cuts the channels, the last dimension, into groups, gives each group of each row the mean 0 and the variance 1
// over all its places, and then gamma and beta of each channel. Epsilon is added to the variance.
func (x *Tensor) GroupNorm(groups int, gamma, beta *Tensor, epsilon float64) *Tensor {
	const operation = "GroupNorm"
	if len(x.shape) < 2 {
		fail(operation, "x has the shape %s: it must have rows and channels", shapeText(x.shape))
	}
	channels := x.shape[len(x.shape)-1]
	if groups < 1 || channels%groups != 0 || gamma.Len() != channels || beta.Len() != channels {
		fail(operation, "x has the shape %s: its %d channels must be a multiple of %d groups, and as many as gamma's %d and beta's %d numbers",
			shapeText(x.shape), channels, groups, gamma.Len(), beta.Len())
	}
	n := next(operation, x, gamma, beta)
	n.make(x.shape...)
	o := noted[groupNormalized](n)
	o.x, o.gamma, o.beta = x.node, gamma.node, beta.node
	o.forward = simd.GroupNorm{
		Samples: x.shape[0], Rows: sizeOf(x.shape[1 : len(x.shape)-1]), Channels: channels, Groups: groups,
		X: x.data, Y: n.data, Gamma: gamma.data, Beta: beta.data, Epsilon: epsilon,
	}
	f := &o.forward
	o.workspace = n.tape.borrow(f.WorkspaceSize())
	f.Workspace = o.workspace.data
	if size := f.PartialSize(); cap(o.partial) < size {
		o.partial = make([]float64, size)
	}
	f.Partial = o.partial[:cap(o.partial)]
	compute(f)
	if !n.wanted {
		n.tape.giveBack(o.workspace)
	}
	return n.done()
}

type groupNormalized struct {
	x, gamma, beta *node
	forward        simd.GroupNorm
	back           simd.GroupNormGradient
	workspace      *buffer
	partial        []float64
}

func (o *groupNormalized) backward(t *Tape, n *node) {
	f := &o.forward
	gamma, beta := t.partOf(o.gamma, f.Channels), t.partOf(o.beta, f.Channels)
	sums := t.memory.take(2 * f.Samples * f.Channels)
	o.back = simd.GroupNormGradient{
		GroupNorm: f, DY: n.gradient(), DX: n.gradient(), DGamma: gamma.data, DBeta: beta.data, Sums: sums.data,
	}
	compute(&o.back)
	o.back.Join()
	t.memory.free(sums)
	t.contribute(gamma)
	t.contribute(beta)
	t.memory.free(o.workspace)
	if wantedOf(o.x) {
		t.hand(n, o.x)
	}
}
