package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Regularizer adds to the loss what keeps numbers small: l1·Σ|x| + l2·Σx², as [L1], [L2] or [L1L2]. [KernelRegularizer] and
// its kin give one to a layer. What it adds is part of the loss that Fit and Evaluate tell, as in Keras, but of no metric;
// parameters that are not trained add nothing.
type Regularizer struct{ l1, l2 float64 }

// L1 is factor·Σ|x|, whose slope at 0 is taken for 0. R. Tibshirani, Regression shrinkage and selection via the lasso, 1996.
func L1(factor float64) Regularizer { return Regularizer{l1: factor} }

// L2 is factor·Σx². Its gradient is 2·factor·x, twice what PyTorch's weight_decay is. A. E. Hoerl and R. W. Kennard, Ridge
// regression, 1970.
func L2(factor float64) Regularizer { return Regularizer{l2: factor} }

// L1L2 is l1·Σ|x| + l2·Σx². H. Zou and T. Hastie, Regularization and variable selection via the elastic net, 2005.
func L1L2(l1, l2 float64) Regularizer { return Regularizer{l1, l2} }

// String writes it as a call: "L2(0.01)".
func (r Regularizer) String() string {
	switch {
	case r.l1 == 0:
		return fmt.Sprintf("L2(%v)", r.l2)
	case r.l2 == 0:
		return fmt.Sprintf("L1(%v)", r.l1)
	}
	return fmt.Sprintf("L1L2(%v, %v)", r.l1, r.l2)
}

func (r Regularizer) check(option string) error {
	return checkSettings(option, setting{"L1", r.l1, notNegative}, setting{"L2", r.l2, notNegative})
}

// none says that there is nothing to add.
func (r Regularizer) none() bool { return r == Regularizer{} }

// loss is what numbers add to the loss.
func (r Regularizer) loss(t *Tape, x []float32) (loss float64) {
	if r.l1 != 0 {
		b := t.borrow(len(x))
		spread(simd.Abs, b.data[:len(x)], x)
		loss = float64(r.l1 * simd.Sum(b.data[:len(x)]))
		t.giveBack(b)
	}
	if r.l2 != 0 {
		loss += float64(r.l2 * simd.SumOfSquares(x))
	}
	return loss
}

// addGradient adds scale times the slope of loss to g.
func (r Regularizer) addGradient(t *Tape, g, x []float32, scale float64) {
	if r.l1 != 0 {
		b := t.borrow(len(x))
		spread(simd.Sign, b.data[:len(x)], x)
		simd.AddScaled(g, b.data[:len(x)], float32(r.l1*scale))
		t.giveBack(b)
	}
	if r.l2 != 0 {
		simd.AddScaled(g, x, float32(2*r.l2*scale))
	}
}

// activity is the output of a layer that has an [ActivityRegularizer].
type activity struct {
	regularizer Regularizer
	node        *node
}

// regularizeActivity notes a layer's output and what it adds to the sum of the rows' losses, if the layer asks for it.
func (t *Tape) regularizeActivity(l Layer, y *Tensor) {
	r := l.core().regularizer
	if r.none() {
		return
	}
	t.penalty += r.loss(t, y.data)
	if y.node != nil && y.node.wanted {
		t.activities = append(t.activities, activity{r, y.node})
	}
}

// seedActivities has the gradients of what layers' outputs add to the mean loss begin, and returns the last node of from
// and these.
func (t *Tape) seedActivities(from *node, rows int) *node {
	for _, a := range t.activities {
		s := t.part(a.node)
		clear(s.data)
		a.regularizer.addGradient(t, s.data, a.node.data, 1/float64(rows))
		t.contribute(s)
	}
	if n := len(t.activities); n > 0 {
		from = t.later(from, t.activities[n-1].node)
	}
	return from
}

// later returns which of two nodes was made later.
func (t *Tape) later(a, b *node) *node {
	for at := t.used - 1; ; at-- {
		if n := t.nodes[at]; n == a || n == b {
			return n
		}
	}
}

// penalty is what the parameters add to the mean loss.
func (m *Model) penalty(t *Tape) (sum float64) {
	for _, p := range m.regularized {
		if p.Trainable() {
			sum += p.regularizer.loss(t, p.leaf.data)
		}
	}
	return sum
}

// addPenaltyGradient adds the slopes of penalty to the gradients.
func (m *Model) addPenaltyGradient(t *Tape) {
	for _, p := range m.regularized {
		if p.Trainable() {
			p.regularizer.addGradient(t, p.gradient, p.leaf.data, 1)
		}
	}
}

// KernelRegularizer regularizes a layer's kernel: KernelRegularizer(nnkit.L2(0.01)).
func KernelRegularizer(r Regularizer) LayerWeightOption {
	return LayerWeightOption{apply: func(s *layerSettings) error { return s.kernelRules.regularize("KernelRegularizer", r) }}
}

// BiasRegularizer regularizes a layer's bias.
func BiasRegularizer(r Regularizer) LayerWeightOption {
	return LayerWeightOption{apply: func(s *layerSettings) error { return s.biasRules.regularize("BiasRegularizer", r) }}
}

// RecurrentRegularizer regularizes the kernel by which a recurrent layer's state goes into the next.
func RecurrentRegularizer(r Regularizer) RecurrentWeightOption {
	return RecurrentWeightOption{apply: func(s *layerSettings) error { return s.recurrentRules.regularize("RecurrentRegularizer", r) }}
}

// ActivityRegularizer regularizes a layer's output, behind its activation. What it adds to the loss is the mean over the rows
// of a batch, so that it does not depend on the batch's size: that is what Keras 2 does, while Keras 3 adds their sum.
func ActivityRegularizer(r Regularizer) LayerWeightOption {
	return LayerWeightOption{apply: func(s *layerSettings) error {
		s.activity = r
		return r.check("ActivityRegularizer")
	}}
}
