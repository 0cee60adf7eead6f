package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Embedding makes a layer that looks whole numbers from 0 to below vocabulary up in a trained table: rows of numbers,
// (steps), become vectors of size dimension, (steps, dimension). The table begins uniform between ±0.05, as in Keras.
// Options are [Name], [EmbeddingInitializer] and [MaskZero].
func Embedding(vocabulary, dimension int, options ...EmbeddingOption) Layer {
	l := &embeddingLayer{vocabulary: vocabulary, dimension: dimension}
	call := fmt.Sprintf("Embedding(%d, %d, …)", vocabulary, dimension)
	l.layer.kind = "embedding"
	s := layerSettings{table: RandomUniform(-0.05, 0.05)}
	applyOptions(&s, call, options)
	if s.err == nil && (vocabulary < 1 || dimension < 1) {
		s.err = fmt.Errorf("%s: both numbers must be at least 1", call)
	}
	s.give(&l.layer)
	l.initializer, l.maskZero = s.table, s.maskZero
	return l
}

// EmbeddingOption is an argument of [Embedding] behind its sizes.
type EmbeddingOption interface {
	option
	embeddingOption()
}

func (forAll) embeddingOption() {}

// EmbeddingInitializerOption is the result of [EmbeddingInitializer].
type EmbeddingInitializerOption struct{ initializer Initializer }

// EmbeddingInitializer says how the table of an [Embedding] is drawn.
func EmbeddingInitializer(i Initializer) EmbeddingInitializerOption {
	return EmbeddingInitializerOption{i}
}

func (EmbeddingInitializerOption) embeddingOption() {}

func (o EmbeddingInitializerOption) set(s *layerSettings) {
	if o.initializer == nil {
		s.err = fmt.Errorf("EmbeddingInitializer(nil): name one, GlorotUniform for example")
	}
	s.table = o.initializer
}

type embeddingLayer struct {
	BaseLayer
	vocabulary, dimension int
	initializer           Initializer
	table                 *Parameter
	maskZero              bool
}

// Build makes the table.
func (l *embeddingLayer) Build([]int) error {
	l.table = l.AddParameter("embeddings", l.initializer, l.vocabulary, l.dimension)
	return nil
}

// Forward looks up.
func (l *embeddingLayer) Forward(x *Tensor) *Tensor {
	y := x.lookup("Embedding", l.table.Tensor())
	if l.maskZero && len(x.shape) == 2 {
		mask := y.newMask(len(x.data))
		for i, v := range x.data {
			if v != 0 {
				mask[i] = 1
			}
		}
		y.setMask(mask)
	}
	return y
}

// Lookup takes the numbers of x for rows of a table of shape (rows, width): each is replaced by that row, so that the
// result has a dimension more. They must be whole numbers from 0 to below the table's number of rows.
func (x *Tensor) Lookup(table *Tensor) *Tensor { return x.lookup("Lookup", table) }

func (x *Tensor) lookup(operation string, table *Tensor) *Tensor {
	if len(table.shape) != 2 {
		fail(operation, "the table has the shape %s: it must be a matrix", shapeText(table.shape))
	}
	n := next(operation, x, table, nil)
	n.setShape(x.shape)
	n.shape = append(n.shape, table.shape[1])
	n.make(n.shape...)
	o := noted[lookedUp](n)
	o.table = table.node
	if cap(o.index) < len(x.data) {
		o.index = make([]int32, len(x.data))
	}
	o.index = o.index[:len(x.data)]
	if at := simd.Indices(o.index, x.data, table.shape[0]); at >= 0 {
		fail(operation, "number %d is %v, but the table has the rows 0 to %d: numbers must be whole, and the table large enough",
			at, x.data[at], table.shape[0]-1)
	}
	o.forward = simd.Embedding{Table: table.data, Width: table.shape[1], Index: o.index, Y: n.data}
	compute(&o.forward)
	n.wanted = n.wanted && wantedOf(o.table) // numbers of rows have no gradient
	return n.done()
}

type lookedUp struct {
	table   *node
	index   []int32
	forward simd.Embedding
	back    simd.EmbeddingGradient
}

func (o *lookedUp) backward(t *Tape, n *node) {
	s := t.sumsOf(o.table, 0)
	o.back = simd.EmbeddingGradient{Gradient: s.data, Width: o.forward.Width, Index: o.index, DY: n.gradient()}
	compute(&o.back)
	t.contribute(s)
}
