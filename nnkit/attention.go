package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// MultiHeadAttention makes a layer in which each step of a sequence, (steps, features), looks at all others: heads
// attentions beside each other, each with queries, keys and values of size numbers a step, which a last trained matrix
// brings back to the features. A. Vaswani et al., Attention is all you need, NeurIPS 2017. Options are [Name],
// [KernelInitializer], [UseBias], [Causal] and [AttentionDropout].
//
// The matrices of queries, keys and values are one parameter, (features, 3·heads·size).
func MultiHeadAttention(heads, size int, options ...AttentionOption) Layer {
	l := &attentionLayer{heads: heads, size: size}
	l.layer.kind = "multi_head_attention"
	l.configure(fmt.Sprintf("MultiHeadAttention(%d, %d, …)", heads, size), options)
	return l
}

// AttentionOption is an argument of [MultiHeadAttention] behind its sizes.
type AttentionOption interface {
	option
	attentionOption()
}

func (forWeighted) attentionOption() {}

// CausalOption is the result of [Causal].
type CausalOption struct{}

// Causal lets a step see itself and those before it only.
func Causal() CausalOption { return CausalOption{} }

func (CausalOption) attentionOption()     {}
func (CausalOption) set(s *layerSettings) { s.causal = true }

// AttentionDropoutOption is the result of [AttentionDropout].
type AttentionDropoutOption struct{ rate float64 }

// AttentionDropout has training drop a share of what steps see of each other; none by default.
func AttentionDropout(rate float64) AttentionDropoutOption { return AttentionDropoutOption{rate} }

func (AttentionDropoutOption) attentionOption() {}

func (o AttentionDropoutOption) set(s *layerSettings) {
	if s.rate = o.rate; !(o.rate >= 0 && o.rate < 1) {
		s.err = fmt.Errorf("AttentionDropout(%v): the rate must be at least 0 and below 1", o.rate)
	}
}

type attentionLayer struct {
	BaseLayer
	settings                       layerSettings
	heads, size                    int
	kernel, bias, output, lastBias *Parameter
}

func (l *attentionLayer) configure(call string, options []AttentionOption) {
	l.settings = layerSettings{initializer: GlorotUniform, useBias: true}
	applyOptions(&l.settings, call, options)
	if l.settings.err == nil && (l.heads < 1 || l.size < 1) {
		l.settings.err = fmt.Errorf("%s: heads and size must be at least 1", call)
	}
	l.settings.give(&l.layer)
}

// Build makes the matrices.
func (l *attentionLayer) Build(input []int) error {
	if len(input) != 2 {
		return fmt.Errorf("gets rows of shape %s and wants sequences of shape (steps, features)", shapeText(input))
	}
	features, width := input[1], l.heads*l.size
	l.kernel = l.AddParameter("kernel", apart{l.settings.initializer, 3}, features, 3*width)
	if l.settings.useBias {
		l.bias = l.AddParameter("bias", l.settings.biasRules.or(Zeros), 3*width)
	}
	l.output = l.AddParameter("output_kernel", l.settings.initializer, width, features)
	if l.settings.useBias {
		l.lastBias = l.AddParameter("output_bias", l.settings.biasRules.or(Zeros), features)
	}
	return nil
}

// Forward attends.
func (l *attentionLayer) Forward(x *Tensor) *Tensor {
	all := linear("MultiHeadAttention", x, l.kernel.Tensor(), l.bias.tensor(), false)
	all.keepMask(l, x)
	y := all.selfAttention(l.heads, l.settings.causal, l.settings.rate)
	return linear("MultiHeadAttention", y, l.output.Tensor(), l.lastBias.tensor(), false)
}

// apart draws a matrix that is several next to each other as if each were by itself.
type apart struct {
	Initializer
	parts int
}

func (a apart) fill(w []float32, in, out int, s random.Stream) {
	a.Initializer.fill(w, in, out/a.parts, s)
}

// Attention is what [MultiHeadAttention] does between its matrices: x of shape (rows, steps, 3·width) holds queries, keys
// and values of so many heads next to each other, the result has the shape (rows, steps, width). A step sees itself and those
// before it only if causal.
func (x *Tensor) Attention(heads int, causal bool) *Tensor { return x.selfAttention(heads, causal, 0) }

func (x *Tensor) selfAttention(heads int, causal bool, rate float64) *Tensor {
	if len(x.shape) != 3 || x.shape[2]%(3*heads) != 0 {
		fail("Attention", "x has the shape %s: it must be (rows, steps, 3·width), queries, keys and values of %d heads", shapeText(x.shape), heads)
	}
	width := x.shape[2] / 3
	n := next("Attention", x, nil, nil)
	n.make(x.shape[0], x.shape[1], width)
	o := noted[attended](n)
	o.x = x.node
	size := width / heads
	part := func(data []float32, i int) simd.Heads {
		return simd.Heads{Data: data[min(i*width, len(data)):], RowStride: 3 * width, HeadStride: size}
	}
	a := simd.Attention{
		Batch: x.shape[0], Heads: heads, Queries: x.shape[1], Keys: x.shape[1], Width: size, ValueWidth: size,
		Q: part(x.data, 0), K: part(x.data, 1), V: part(x.data, 2), O: simd.Heads{Data: n.data, RowStride: width, HeadStride: size},
		Scale: float32(1 / math.Sqrt(float64(size))), Causal: causal,
	}
	if mask := x.stepMask(); mask != nil { // nobody looks at what it leaves out
		a.Mask, a.MaskBatch = x.newMask(len(mask)), x.shape[1]
		for i, m := range mask {
			if m == 0 {
				a.Mask[i] = float32(math.Inf(-1))
			}
		}
	}
	if t := x.trainingTape(); t != nil && rate > 0 {
		a.DropoutRate = float32(rate)
		a.Stream, a.At = t.draw(a.DropoutNumbers())
	}
	if n.wanted && x.shape[1] <= mostKept {
		o.probabilities = n.tape.borrow(a.Scores())
		a.Probabilities = o.probabilities.data[:a.Scores()]
	}
	o.back.Attention = a
	compute(&o.back.Attention)
	return n.done()
}

// mostKept is how long sequences may be for their probabilities to be kept for the way back. They grow with the square.
const mostKept = 512

type attended struct {
	x             *node
	back          simd.AttentionGradient
	probabilities *buffer
}

func (o *attended) backward(t *Tape, n *node) {
	s := t.part(o.x)
	g := &o.back
	width := g.O.RowStride
	g.DO = simd.Heads{Data: n.gradient(), RowStride: width, HeadStride: g.Width}
	for i, h := range []*simd.Heads{&g.DQ, &g.DK, &g.DV} {
		*h = simd.Heads{Data: s.data[min(i*width, len(s.data)):], RowStride: 3 * width, HeadStride: g.Width}
	}
	compute(g)
	t.contribute(s)
	if g.Probabilities != nil {
		t.memory.free(o.probabilities)
	}
}
