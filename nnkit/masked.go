package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Masking makes a layer that leaves out steps of sequences, (steps, features), whose features all have the given value: what
// shorter sequences were filled up with. Their numbers become 0, and the layers behind it are told of them by a mask, which
// [Embedding] makes, too, with [MaskZero].
//
// A mask goes along with the steps: recurrent layers skip what it leaves out, keeping their state; in attention nobody looks at
// it; global poolings, batch normalization, losses and metrics do not count it (in Keras metrics do). Layers that compute each step by itself hand it
// on, and so do [Lambda] and layers of one's own that keep rows and steps ([Tensor.Mask] tells it); after convolutions, other poolings, Flatten
// and Reshape it is gone, as in Keras.
func Masking(value float64, options ...LayerOption) Layer {
	l := &maskingLayer{value: float32(value)}
	call := fmt.Sprintf("Masking(%v, …)", value)
	l.layer.give("masking", call, options)
	if l.layer.err == nil && (math.IsNaN(value) || math.IsInf(value, 0)) {
		l.layer.err = fmt.Errorf("%s: the value must be a number, since data hold no other", call)
	}
	return l
}

type maskingLayer struct {
	BaseLayer
	value float32
}

// Build checks the shape.
func (l *maskingLayer) Build(input []int) error {
	if len(input) != 2 {
		return fmt.Errorf("gets rows of shape %s and wants sequences of shape (steps, features)", shapeText(input))
	}
	return nil
}

// Forward marks the steps.
func (l *maskingLayer) Forward(x *Tensor) *Tensor {
	mask := x.newMask(x.shape[0] * x.shape[1])
	for i := range mask {
		for _, v := range x.data[i*x.shape[2]:][:x.shape[2]] {
			if v != l.value {
				mask[i] = 1
				break
			}
		}
	}
	y := x.pick("Masking", x.shape[1], mask, present)
	y.setMask(mask)
	return y
}

// MaskZeroOption is the result of [MaskZero].
type MaskZeroOption struct{}

// MaskZero has an [Embedding] take the number 0 for no word but filling: the mask that it makes leaves such steps out (see
// [Masking]).
func MaskZero() MaskZeroOption { return MaskZeroOption{} }

func (MaskZeroOption) embeddingOption() {}

func (MaskZeroOption) set(s *layerSettings) { s.maskZero = true }

// Mask returns which steps of a sequence count, 1 or 0, in the shape (rows, steps); nil where all do. It is for layers of
// one's own; see [Masking].
func (x *Tensor) Mask() *Tensor {
	mask := x.stepMask()
	if mask == nil {
		return nil
	}
	return x.node.tape.Constant(&Tensor{shape: x.shape[:2:2], data: mask})
}

func (x *Tensor) stepMask() []float32 {
	if x.node == nil || x.node.tape == nil {
		return nil
	}
	return x.node.mask
}

// newMask is room for a mask, of zeros, which lasts as long as the step of x's tape.
func (x *Tensor) newMask(n int) []float32 {
	if x.node == nil || x.node.tape == nil {
		return make([]float32, n)
	}
	mask := x.node.tape.memory.take(n).data[:n]
	clear(mask)
	return mask
}

func (x *Tensor) setMask(mask []float32) {
	if x.node != nil && x.node.tape != nil {
		x.node.mask = mask
	}
}

// keepMask gives a layer's output the mask of its input, unless its steps are others.
func (x *Tensor) keepMask(l Layer, input *Tensor) {
	mask := input.stepMask()
	if mask == nil || x.stepMask() != nil || len(x.shape) < 3 || x.shape[0] != input.shape[0] || x.shape[0]*x.shape[1] != len(mask) {
		return
	}
	switch l := l.(type) {
	case *convLayer, *convTransposeLayer, *poolLayer:
		return
	case *lambdaLayer:
		if l.layer.kind == "reshape" {
			return
		}
	}
	x.setMask(mask)
}

// mask gives what was merged a mask, as Keras does: sums and their kin count where one of their inputs does, if all have a mask,
// and what lies next to each other counts where all do.
func (l *mergeLayer) mask(s *stack, base int, from []int, y *Tensor) {
	if y == nil || y.node == nil || y.node.tape == nil || len(y.shape) < 3 {
		return
	}
	n, masks := y.shape[0]*y.shape[1], 0
	for _, v := range from {
		if m := s.at[base+v].stepMask(); len(m) == n {
			masks++
		}
	}
	if masks == 0 || l.merge != concatenation && masks < len(from) {
		return
	}
	mask := y.newMask(n)
	if l.merge == concatenation {
		fill(mask, 1)
	}
	for _, v := range from {
		m := s.at[base+v].stepMask()
		switch {
		case len(m) != n:
		case l.merge == concatenation:
			simd.Minimum(mask, mask, m)
		default:
			simd.Maximum(mask, mask, m)
		}
	}
	y.setMask(mask)
}

// A choice says, for each of steps, which step of a row it is taken from, by its mask; -1 for zeros.
type choice func(from []int32, mask []float32)

// present leaves masked steps out where they are.
func present(from []int32, mask []float32) {
	for t := range from {
		if from[t] = -1; mask[t] != 0 {
			from[t] = int32(t)
		}
	}
}

// packed puts the steps that count at the beginning.
func packed(from []int32, mask []float32) {
	n := 0
	for t, m := range mask {
		if m != 0 {
			from[n] = int32(t)
			n++
		}
	}
	for ; n < len(from); n++ {
		from[n] = -1
	}
}

// packedAtEnd puts the steps that count at the end.
func packedAtEnd(from []int32, mask []float32) {
	n := len(from)
	for t := len(mask) - 1; t >= 0; t-- {
		if mask[t] != 0 {
			n--
			from[n] = int32(t)
		}
	}
	for n--; n >= 0; n-- {
		from[n] = -1
	}
}

// unpacked takes packed steps back to their places; a masked one repeats what came before it.
func unpacked(from []int32, mask []float32) {
	n := int32(-1)
	for t, m := range mask {
		if m != 0 {
			n++
		}
		from[t] = n
	}
}

// unpackedFromEnd is unpacked for steps that went the other way.
func unpackedFromEnd(from []int32, mask []float32) {
	n := int32(len(mask))
	for t := len(mask) - 1; t >= 0; t-- {
		if mask[t] != 0 {
			n--
		}
		if from[t] = n; n == int32(len(mask)) {
			from[t] = -1
		}
	}
}

// lastPacked takes the last of packed steps.
func lastPacked(from []int32, mask []float32) { from[0] = int32(counted(mask)) - 1 }

// firstPackedAtEnd takes the first of steps that are packed at the end.
func firstPackedAtEnd(from []int32, mask []float32) {
	if from[0] = int32(len(mask) - counted(mask)); from[0] == int32(len(mask)) {
		from[0] = -1
	}
}

// filledUp has masked steps repeat the first that counts.
func filledUp(from []int32, mask []float32) {
	first := int32(-1)
	for t, m := range mask {
		if m != 0 {
			first = int32(t)
			break
		}
	}
	for t, m := range mask {
		if from[t] = first; m != 0 {
			from[t] = int32(t)
		}
	}
}

func counted(mask []float32) (n int) {
	for _, m := range mask {
		if m != 0 {
			n++
		}
	}
	return n
}

// pick makes sequences of steps of x, (rows, steps, features), chosen by a mask.
func (x *Tensor) pick(operation string, steps int, mask []float32, choose choice) *Tensor {
	rows, all, width := x.shape[0], x.shape[1], x.shape[2]
	n, o := x.picking(operation, rows, steps, width)
	for r := range rows {
		from := o.from[r*steps:][:steps]
		choose(from, mask[r*all:][:all])
		for t, at := range from {
			if at >= 0 {
				from[t] = int32(r*all) + at
			}
		}
	}
	o.copy(n.data, x.data)
	return n.done()
}

// onlyMasked makes a matrix of the steps that count, of all rows.
func (x *Tensor) onlyMasked(operation string, mask []float32) *Tensor {
	n, o := x.picking(operation, 1, counted(mask), x.shape[2])
	packed(o.from, mask)
	o.copy(n.data, x.data)
	n.setShape([]int{len(o.from), x.shape[2]})
	return n.done()
}

// spreadMasked takes the rows of onlyMasked back to their places; there are zeros at the others.
func (x *Tensor) spreadMasked(operation string, rows, steps int, mask []float32) *Tensor {
	n, o := x.picking(operation, rows, steps, x.shape[1])
	at := int32(0)
	for i, m := range mask {
		if o.from[i] = -1; m != 0 {
			o.from[i] = at
			at++
		}
	}
	o.copy(n.data, x.data)
	return n.done()
}

// picking is a node for sequences whose vectors are chosen among those of x.
func (x *Tensor) picking(operation string, rows, steps, width int) (*node, *picked) {
	n := next(operation, x, nil, nil)
	n.make(rows, steps, width)
	o := noted[picked](n)
	o.x, o.width = x.node, width
	if cap(o.from) < rows*steps {
		o.from = make([]int32, rows*steps)
	}
	o.from = o.from[:rows*steps]
	return n, o
}

// copy copies the vectors that were chosen.
func (o *picked) copy(dst, src []float32) {
	for i, at := range o.from {
		to := dst[i*o.width:][:o.width]
		if at < 0 {
			clear(to)
			continue
		}
		copy(to, src[int(at)*o.width:])
	}
}

// picked notes which vectors of x the vectors of the value are; -1 for zeros.
type picked struct {
	x     *node
	from  []int32
	width int
}

func (o *picked) backward(t *Tape, n *node) {
	s := t.part(o.x)
	clear(s.data)
	g := n.gradient()
	for i, at := range o.from {
		if at >= 0 {
			to := s.data[int(at)*o.width:][:o.width]
			simd.Add(to, to, g[i*o.width:])
		}
	}
	t.contribute(s)
}

// maskedMean is the mean of the steps that count, zeros for none.
func (x *Tensor) maskedMean(mask []float32) *Tensor {
	sum := x.pick("GlobalAveragePooling1D", x.shape[1], mask, present).SumAxis(1)
	var share *Tensor
	if x.node != nil && x.node.tape != nil {
		share = &x.node.tape.constant(x.shape[0], 1).Tensor
	} else {
		share = zeros([]int{x.shape[0], 1})
	}
	for r := range share.data {
		share.data[r] = 1 / float32(max(1, counted(mask[r*x.shape[1]:][:x.shape[1]])))
	}
	return sum.Mul(share)
}

// maskedRoom is where the mask of a judged output lies, and what it leaves.
type maskedRoom struct {
	mask, weights []float32
	left          int // places that count
	dense         *judged
	p, z, y       []float32
}

// places returns the mask of an output's places, nil for none.
func (m *maskedRoom) places(p *Tensor, rows, places int) []float32 {
	mask := p.stepMask()
	if len(mask) == 0 || rows*places%len(mask) != 0 {
		return nil
	}
	each := rows * places / len(mask)
	m.mask, m.left = grown(m.mask, rows*places), 0
	for i := range m.mask {
		m.mask[i] = mask[i/each]
	}
	m.left = counted(m.mask)
	return m.mask
}

// placeWeights are the weights of the places in the loss, 0 for those that do not count; nil for 1.
func (j *judged) placeWeights() []float32 {
	switch {
	case j.mask == nil:
		return j.weights
	case j.weights == nil:
		return j.mask
	}
	m := &j.masked
	m.weights = grown(m.weights, len(j.mask))
	simd.Multiply(m.weights, j.weights, j.mask)
	return m.weights
}

// valid is the number of places that count.
func (j *judged) valid() int {
	if j.mask == nil {
		return j.count()
	}
	return j.masked.left
}

// perValid makes a mean over all places one over those that count.
func (j *judged) perValid() float64 {
	if j.mask == nil {
		return 1
	}
	return float64(j.batch*j.places) / float64(max(1, j.left))
}

// unmasked is what was judged at the places that count, each a row by itself.
func (j *judged) unmasked() *judged {
	if j.mask == nil {
		return j
	}
	m := &j.masked
	if m.dense == nil {
		m.dense = &judged{out: &Tensor{shape: []int{0, 0}}, truthShape: []int{0}}
	}
	truth := len(j.y) / max(1, j.count())
	d := m.dense
	m.p, m.y, m.z = m.p[:0], m.y[:0], m.z[:0]
	for i, on := range j.mask {
		if on == 0 {
			continue
		}
		m.p = append(m.p, j.p[i*j.width:][:j.width]...)
		m.y = append(m.y, j.y[i*truth:][:truth]...)
		if j.z != nil {
			m.z = append(m.z, j.z[i*j.width:][:j.width]...)
		}
	}
	d.p, d.y, d.rows, d.batch, d.places, d.width, d.counting, d.activation = m.p, m.y, m.left, m.left, 1, j.width, j.counting, j.activation
	d.out.shape[0], d.out.shape[1], d.out.data, d.truthShape[0] = m.left, j.width, m.p, truth
	if d.z = nil; j.z != nil {
		d.z = m.z
	}
	return d
}
