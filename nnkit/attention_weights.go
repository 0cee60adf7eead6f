package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// AttentionWeights returns how much the steps of a sequence look at each other in a layer, given by its name, that is a
// [MultiHeadAttention] or a [TransformerEncoder]: a tensor of shape (rows, heads, steps, steps), in which the weights that a
// step, the third index, gives to all steps, the fourth, add up to 1. Display's Attention draws those of a row.
func AttentionWeights(m *Model, x any, layer string) (*Tensor, error) {
	const caller = "AttentionWeights"
	in, err := m.explained(caller, x)
	if err != nil {
		return nil, err
	}
	value, err := m.layerNamed(caller, layer)
	if err != nil {
		return nil, err
	}
	at := m.makerAt(value)
	var l *attentionLayer
	switch of := m.calls[at].layer.(type) {
	case *attentionLayer:
		l = of
	case *encoderLayer:
		l = &of.attention
	default:
		return nil, fmt.Errorf("%s: layer %q is of the kind %s: name a layer of attention", caller, layer, of.core().kind)
	}
	from := m.calls[at].from[0]
	steps := m.shapes[from][0]
	each := l.heads * steps * steps
	scores := zeros([]int{in.shape[0], l.heads, steps, steps})
	err = m.upTo(caller, in, at, func(lo int, values *stack) {
		x := values.at[from]
		l.score(scores.data[lo*each:][:x.shape[0]*each], x)
	})
	return scores.Softmax(), err
}

// score computes what the softmax over the keys is taken of, for rows, heads, queries and keys.
func (l *attentionLayer) score(scores []float32, x *Tensor) {
	all := linear("MultiHeadAttention", x, l.kernel.Tensor(), l.bias.tensor(), false)
	steps, size, mask := x.shape[1], l.size, x.stepMask()
	// Queries, keys and values of all heads lie next to each other.
	part := func(row, step, which, head int) []float32 {
		return all.data[((row*steps+step)*3+which)*l.heads*size+head*size:][:size]
	}
	scale := 1 / math.Sqrt(float64(size))
	for i := range scores {
		query, key := i/steps%steps, i%steps
		head, row := i/(steps*steps)%l.heads, i/(steps*steps*l.heads)
		if l.settings.causal && key > query || mask != nil && mask[row*steps+key] == 0 {
			scores[i] = float32(math.Inf(-1))
			continue
		}
		scores[i] = float32(scale * simd.Dot(part(row, query, 0, head), part(row, key, 1, head)))
	}
}
