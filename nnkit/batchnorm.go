package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// BatchNormalization makes a layer that gives each channel, the last dimension, the mean 0 and the variance 1 over the
// batch and all places, and then a trained gain and offset. Predictions use moving averages of the batches' means and
// variances, which it keeps beside its parameters (see [Model.States]). S. Ioffe and C. Szegedy, Batch normalization,
// ICML 2015. Options are [Name], [NormEpsilon] and [MovingMomentum].
func BatchNormalization(options ...BatchNormOption) Layer {
	l := &batchNormLayer{}
	l.layer.kind = "batch_normalization"
	s := layerSettings{epsilon: 1e-3, momentum: 0.99}
	applyOptions(&s, "BatchNormalization(…)", options)
	s.give(&l.layer)
	l.epsilon, l.momentum = s.epsilon, s.momentum
	return l
}

// BatchNormOption is an argument of [BatchNormalization]: a [NormOption] or [MovingMomentum].
type BatchNormOption interface {
	option
	batchNormOption()
}

func (forAll) batchNormOption()            {}
func (NormEpsilonOption) batchNormOption() {}

// MovingMomentumOption is the result of [MovingMomentum].
type MovingMomentumOption struct{ share float64 }

// MovingMomentum sets what share of a moving average is kept with each batch; 0.99 by default, as in Keras (PyTorch's
// momentum is the other share, 0.1).
func MovingMomentum(share float64) MovingMomentumOption { return MovingMomentumOption{share} }

func (MovingMomentumOption) batchNormOption() {}

func (o MovingMomentumOption) set(s *layerSettings) {
	if s.momentum = o.share; !(o.share >= 0 && o.share < 1) {
		s.err = fmt.Errorf("MovingMomentum(%v): it must be at least 0 and below 1", o.share)
	}
}

type batchNormLayer struct {
	BaseLayer
	epsilon, momentum          float64
	gamma, beta                *Parameter
	movingMean, movingVariance *Parameter
}

// Build makes gain and offset, and what predictions use.
func (l *batchNormLayer) Build(input []int) error {
	channels := input[len(input)-1]
	l.gamma = l.AddParameter("gamma", Ones, channels)
	l.beta = l.AddParameter("beta", Zeros, channels)
	l.movingMean = l.AddState("moving_mean", Zeros, channels)
	l.movingVariance = l.AddState("moving_variance", Ones, channels)
	return nil
}

// Forward normalizes, in training by the batch, less what a mask leaves out of it, and else by the moving averages.
func (l *batchNormLayer) Forward(x *Tensor) *Tensor {
	mask := x.stepMask()
	if len(x.shape) != 3 || counted(mask) == 0 || !x.node.tape.training {
		return l.normalize(x)
	}
	return l.normalize(x.onlyMasked("BatchNormalization", mask)).spreadMasked("BatchNormalization", x.shape[0], x.shape[1], mask)
}

func (l *batchNormLayer) normalize(x *Tensor) *Tensor {
	rows, channels := x.lastRows("BatchNormalization")
	n := next("BatchNormalization", x, l.gamma.Tensor(), l.beta.Tensor())
	n.make(x.shape...)
	o := noted[batchNormalized](n)
	o.x, o.gamma, o.beta = x.node, &l.gamma.leaf, &l.beta.leaf
	o.forward = simd.BatchNorm{
		Rows: rows, Channels: channels, X: x.data, Y: n.data, Gamma: l.gamma.Data(), Beta: l.beta.Data(), Epsilon: l.epsilon,
	}
	f := &o.forward
	o.workspace = n.tape.borrow(f.WorkspaceSize())
	f.Workspace = o.workspace.data
	if size := 2*channels + f.PartialSize(); cap(o.partial) < size {
		o.partial = make([]float64, size)
	}
	f.Mean, f.Variance, f.Partial = o.partial[:channels], o.partial[channels:2*channels], o.partial[2*channels:cap(o.partial)]
	if o.fixed = n.tape == nil || !n.tape.training || !l.gamma.Trainable(); o.fixed {
		f.Use(l.movingMean.Data(), l.movingVariance.Data())
	} else {
		o.moments = simd.BatchMoments{BatchNorm: f}
		compute(&o.moments)
		o.joinMoments(n.tape.shard)
		f.Average(l.movingMean.Data(), l.movingVariance.Data(), l.momentum, false)
	}
	compute(f)
	if !n.wanted {
		n.tape.giveBack(o.workspace)
	}
	return n.done()
}

type batchNormalized struct {
	x, gamma, beta *node
	forward        simd.BatchNorm
	moments        simd.BatchMoments
	sums           simd.BatchNormSums
	back           simd.BatchNormGradient
	workspace      *buffer
	partial        []float64
	record         []float64 // of a shard
	fixed          bool
}

// joinMoments finds the moments of the batch, of which there may be a shard.
func (o *batchNormalized) joinMoments(s *shard) {
	if s == nil {
		o.moments.Join()
		return
	}
	o.moments.Sum()
	o.record = append(append(append(o.record[:0], float64(o.forward.Rows)), o.forward.Mean...), o.forward.Variance...)
	o.moments.JoinAll(s.together(o.record))
}

// joinSums finds the sums over the batch.
func (o *batchNormalized) joinSums(s *shard) {
	if s == nil || o.fixed {
		o.sums.Join()
		return
	}
	o.record = o.sums.Sum(o.record[:0])
	o.sums.JoinAll(s.together(o.record))
}

func (o *batchNormalized) backward(t *Tape, n *node) {
	f := &o.forward
	gamma, beta := t.partOf(o.gamma, f.Channels), t.partOf(o.beta, f.Channels)
	o.sums = simd.BatchNormSums{BatchNorm: f, DY: n.gradient(), DGamma: gamma.data, DBeta: beta.data, Fixed: o.fixed}
	compute(&o.sums)
	o.joinSums(t.shard)
	if wantedOf(o.x) {
		o.back = simd.BatchNormGradient{BatchNorm: f, DY: n.gradient(), DX: n.gradient()}
		compute(&o.back)
	}
	t.contribute(gamma)
	t.contribute(beta)
	t.memory.free(o.workspace)
	if wantedOf(o.x) {
		t.hand(n, o.x)
	}
}
