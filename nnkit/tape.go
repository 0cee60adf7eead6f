package nnkit

import (
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Tape notes the operations on tensors as they are computed, so that [Tape.Backward] can go back through them and find
// gradients: reverse-mode automatic differentiation. The operations are the methods of [Tensor]; those on a tensor that
// is on the tape, be it watched or computed from one that is, are noted.
//
//	tape := nnkit.NewTape()
//	x := tape.Watch(nnkit.Vector(1, 2, 3))
//	y := x.Square().Sum()
//	err := tape.Backward(y)
//	fmt.Println(tape.Gradient(x)) // 2 4 6
//
// [Model.Fit] keeps a tape of its own, which is why a layer or a loss of one's own needs its forward computation alone.
//
// A tape owns the memory of what is computed on it. [Tape.Reset] begins the next step, and the tensors of the step
// before are gone then: [Tensor.Clone] keeps one. In return steps of the same shapes allocate nothing after the first.
//
// A tape belongs to one goroutine at a time.
type Tape struct {
	nodes     []*node // those of this step first; the others were used before and will be again
	used      int
	memory    memory
	recording bool  // gradients will be wanted
	frugal    bool  // values are given up as soon as Backward has passed them
	training  bool  // dropout drops
	mark      int64 // of this Backward, among all
	weights   int64 // changes whenever a batch begins, and with it weights may have changed
	layer     int   // of the model, at work
	noise     random.Stream
	drawn     uint64 // numbers of the noise, in this step
	portion   portion
	shard     *shard // that is at work and can ask what others have found; nil for none
	// What layers' outputs add to the sum of the rows' losses, and those with a gradient.
	penalty    float64
	activities []activity
	values     stack // of the network at work
}

// node is a tensor on a tape.
type node struct {
	Tensor
	tape      *Tape // nil for a parameter's
	operation operation
	wanted    bool // a gradient goes through it
	watched   bool // its gradient is kept
	// The value is that of a ReLU, and its gradient is already that of the sums before it: whoever adds to it sees to that.
	// So a product can apply it on its way out.
	gated     bool
	parameter *Parameter
	buffer    *buffer // of the value, while holds is set; else the value is the caller's or another node's
	holds     bool
	owner     *node     // whose buffer the value lies in
	mask      []float32 // of a sequence's steps; nil for none
	slope     *buffer   // of the gradient; nil while it is zero
	step      int       // of the tape, that it belongs to
	from      []*node   // its inputs, while it is made of parameters alone and on no tape yet
	room      [4]int    // for the shape
}

// operation is what made a node.
type operation interface {
	// backward adds to the gradients of the inputs what the node's own gradient, which may be used up, makes of them.
	backward(t *Tape, n *node)
}

// NewTape returns a tape that is ready for its first step.
func NewTape() *Tape { return &Tape{recording: true} }

// NewTrainingTape returns a tape on which layers behave as in training: dropout drops, by the seed and the step, and batch
// normalization uses and follows the batch's statistics.
func NewTrainingTape(seed int) *Tape {
	return &Tape{recording: true, training: true, noise: random.Stream{Seed: uint64(int64(seed)), Purpose: random.Dropout}}
}

// Constant puts a tensor on the tape without asking for its gradient, as a batch of data. The result shares the tensor's
// numbers; compute with it.
func (t *Tape) Constant(x *Tensor) *Tensor {
	if x.node != nil && x.node.tape == t {
		return x
	}
	return &t.leaf(x.data, x.shape...).Tensor
}

// Watch puts a tensor on the tape and asks for its gradient. The result shares the tensor's numbers; compute with it. A
// tensor that is on the tape already is returned as it is, and its gradient is kept from now on.
func (t *Tape) Watch(x *Tensor) *Tensor {
	if n := x.node; n != nil && n.tape == t {
		n.wanted, n.watched, n.gated = true, true, false
		return x
	}
	n := t.leaf(x.data, x.shape...)
	n.wanted, n.watched = true, true
	return &n.Tensor
}

// leaf puts the caller's numbers on the tape.
func (t *Tape) leaf(data []float32, shape ...int) *node {
	n := t.node()
	n.setShape(shape)
	n.point(data)
	if n.operation != nil {
		n.operation = nil
	}
	return n
}

// point sets the node's numbers.
func (n *node) point(data []float32) {
	if len(n.data) != len(data) || unsafe.SliceData(n.data) != unsafe.SliceData(data) {
		n.data = data
	}
}

// node returns the next node, with its operation of the step before, which is used again if it is of the same kind.
func (t *Tape) node() *node {
	if t.used == len(t.nodes) {
		n := &node{tape: t}
		n.node = n
		t.nodes = append(t.nodes, n)
	}
	n := t.nodes[t.used]
	t.used++
	n.step = t.memory.step
	n.wanted, n.watched, n.gated, n.holds = false, false, false, false
	// Here and below: where nothing changes no pointer is written, since the collector would look at it.
	if n.slope != nil {
		n.slope = nil
	}
	if n.owner != n {
		n.owner = n
	}
	if n.mask != nil {
		n.mask = nil
	}
	return n
}

func (n *node) setShape(shape []int) {
	if n.shape != nil && len(n.shape) == len(shape) {
		copy(n.shape, shape)
		return
	}
	n.shape = append(n.blank(), shape...)
}

// blank is the node's room for a shape.
func (n *node) blank() []int {
	if n.shape == nil {
		n.shape = n.room[:0]
	}
	return n.shape[:0]
}

// Reset begins a new step: the tape is empty, and its memory is used again.
func (t *Tape) Reset() {
	t.used, t.drawn = 0, 0
	t.values.at = t.values.at[:0]
	t.penalty, t.activities = 0, t.activities[:0]
	t.memory.reset()
	t.noise.Index++
}

// Bytes returns how much memory the tape holds for values and gradients.
func (t *Tape) Bytes() int { return 4 * t.memory.size() }

// Backward goes back from y, which must hold a single number, to everything it was computed from; once in a step. Then
// [Tape.Gradient] tells the gradients of watched tensors, and [Parameter.Gradient] those of parameters that took part.
//
// It is an error when y holds more than one number or is not on the tape.
func (t *Tape) Backward(y *Tensor) error {
	if y == nil || y.node == nil || y.node.tape != t {
		return fmt.Errorf("Backward: the tensor is not on this tape: compute it from one that Tape.Watch has returned")
	}
	if len(y.data) != 1 {
		return fmt.Errorf("Backward: the tensor has the shape %s, but a gradient is that of a single number: take its Sum or its Mean",
			shapeText(y.shape))
	}
	if !y.node.wanted {
		return fmt.Errorf("Backward: the number does not depend on anything watched nor on a trainable parameter")
	}
	t.begin()
	g, _ := t.onto(y.node)
	g[0] = 1
	t.backward(y.node)
	return nil
}

// backwards counts them, so that a parameter can tell whether its gradient is of the present one.
var backwards atomic.Int64

func (t *Tape) begin() {
	t.mark = backwards.Add(1)
	for _, n := range t.nodes[:t.used] {
		n.slope = nil
	}
}

// backward goes back from a node, whose gradient is there.
func (t *Tape) backward(from *node) {
	at := t.used - 1
	for t.nodes[at] != from {
		at--
	}
	for ; at >= 0; at-- {
		n := t.nodes[at]
		var kept *buffer
		if n.watched && n.slope != nil && n.operation != nil { // which uses it up
			kept = t.memory.take(len(n.data))
			copy(kept.data, n.gradient())
		}
		if n.slope != nil && n.operation != nil {
			n.operation.backward(t, n)
		}
		if n.slope != nil && !(n.watched && kept == nil) {
			t.memory.free(n.slope)
			n.slope = nil
		}
		if kept != nil {
			n.slope = kept
		}
		if t.frugal {
			t.drop(n)
		}
	}
}

// Gradient returns the gradient of a watched tensor after [Tape.Backward]: of its shape, zero where the result does not
// depend on it. It is a copy. It is nil for a tensor that was not watched.
func (t *Tape) Gradient(x *Tensor) *Tensor {
	n := x.node
	if n == nil || n.tape != t || !n.watched {
		return nil
	}
	g := zeros(x.shape)
	if n.slope != nil {
		copy(g.data, n.slope.data)
	}
	return g
}

// next returns the node for the output of an operation on up to three tensors, of which the last ones may be nil. It is
// on their tape; if they are on none it is by itself.
func next(operation string, a, b, c *Tensor) *node {
	inputs := [...]*Tensor{a, b, c}
	return nextOf(operation, inputs[:])
}

func nextOf(operation string, inputs []*Tensor) *node {
	var t *Tape
	wanted, floating := false, false
	for _, x := range inputs {
		if x == nil || x.node == nil {
			continue
		}
		wanted = wanted || x.node.wanted
		switch {
		case x.node.tape == nil:
			floating = floating || x.node.parameter == nil
			continue
		case t == nil:
			t = x.node.tape
		case x.node.tape != t:
			fail(operation, "its tensors are on two tapes: put them on one by Tape.Watch, or Clone what is a constant")
		}
		if x.node.step != t.memory.step {
			fail(operation, "a tensor is of an earlier step of its tape: compute it anew, or Clone it to keep it")
		}
	}
	if t == nil {
		n := &node{wanted: wanted}
		n.node, n.owner = n, n
		for _, x := range inputs {
			if wanted && x != nil && x.node != nil {
				n.from = append(n.from, x.node)
			}
		}
		return n
	}
	if floating && t.recording {
		for _, x := range inputs {
			if x != nil && x.node != nil {
				t.adopt(x.node)
			}
		}
	}
	n := t.node()
	n.wanted = wanted && t.recording
	return n
}

// adopt puts what was computed from parameters alone on the tape, before what is computed from it.
func (t *Tape) adopt(n *node) {
	if n.tape != nil || n.parameter != nil {
		return
	}
	for _, input := range n.from {
		t.adopt(input)
	}
	n.tape, n.step, n.from = t, t.memory.step, nil
	if t.used < len(t.nodes) {
		t.nodes[t.used] = n
	} else {
		t.nodes = append(t.nodes, n)
	}
	t.used++
}

// put puts a tensor that is on no tape on this one: numbers that a layer has made by itself, or what it has computed from
// parameters alone.
func (t *Tape) put(x *Tensor) *Tensor {
	switch {
	case x.node == nil:
		return &t.leaf(x.data, x.shape...).Tensor
	case x.node.parameter != nil:
		n := t.node()
		n.wanted = x.node.wanted && t.recording
		n.view(x, x.data, x.shape...)
		noted[passed](n).x = x.node
		return &n.Tensor
	case x.node.tape == nil && t.recording:
		t.adopt(x.node)
	}
	return x
}

// make gives a node its shape and room for its value.
func (n *node) make(shape ...int) {
	n.setShape(shape)
	size := numbersOf(shape)
	if n.tape == nil {
		n.data = make([]float32, size)
		return
	}
	b := n.tape.memory.take(size)
	if n.buffer != b {
		n.buffer = b
	}
	n.holds = true
	n.point(b.data[:size])
}

// numbersOf is sizeOf for a shape that a computation has come to.
func numbersOf(shape []int) int {
	size := uint64(1)
	for _, d := range shape {
		over, product := bits.Mul64(size, uint64(d))
		if size = product; over != 0 || size > math.MaxInt/8 {
			fail("Tensor", "the shape %s has more numbers than memory can hold", shapeText(shape))
		}
	}
	return int(size)
}

// view gives a node a shape over numbers of another tensor.
func (n *node) view(of *Tensor, data []float32, shape ...int) {
	n.setShape(shape)
	n.point(data)
	if of.node != nil {
		n.owner = of.node.owner
	}
}

// done returns the node's tensor. Where nobody wants a gradient it must not hold on to what it was computed from.
func (n *node) done() *Tensor {
	if n.tape == nil && !n.wanted {
		t := newTensor(n.shape, 0)
		t.data = n.data
		return t
	}
	return &n.Tensor
}

// noted returns the node's operation, to be filled in: that of the step before if it was of the same kind.
func noted[O any, P interface {
	*O
	operation
}](n *node) P {
	if p, ok := n.operation.(P); ok {
		return p
	}
	p := P(new(O))
	n.operation = p
	return p
}

// wantedOf says whether a tensor's gradient is wanted; nil is none.
func wantedOf(x *node) bool { return x != nil && x.wanted }

// onto returns where the gradient of n is, and whether there is something already to add to.
func (t *Tape) onto(n *node) (g []float32, add bool) {
	if p := n.parameter; p != nil {
		add = p.mark == t.mark
		p.mark = t.mark
		return p.gradient, add
	}
	if n.slope != nil {
		return n.slope.data[:len(n.data)], true
	}
	n.slope = t.memory.take(len(n.data))
	return n.slope.data[:len(n.data)], false
}

// gradient is n's own, in the backward of its operation.
func (n *node) gradient() []float32 { return n.slope.data[:len(n.data)] }

// clearMissed sets the gradients of parameters that the last Backward has not reached to zero.
func (t *Tape) clearMissed(parameters []*Parameter) {
	for _, p := range parameters {
		if p.mark != t.mark && p.Trainable() {
			clear(p.gradient)
		}
	}
}

// contribution is a part of a gradient in the making.
type contribution struct {
	n     *node
	data  []float32
	extra *buffer // where data is, if something was there already
	// applied says that the gradient of the ReLU whose value n is has been applied.
	applied bool
}

// part returns memory to write a contribution to; add it by [Tape.contribute].
func (t *Tape) part(n *node) contribution {
	g, add := t.onto(n)
	if !add {
		return contribution{n: n, data: g}
	}
	b := t.memory.take(len(g))
	return contribution{n: n, data: b.data[:len(g)], extra: b}
}

// partOf is part, and for a gradient that is not wanted memory of the given size, given back by contribute.
func (t *Tape) partOf(n *node, size int) contribution {
	if wantedOf(n) {
		return t.part(n)
	}
	b := t.memory.take(size)
	return contribution{data: b.data[:size], extra: b}
}

// sumsOf returns memory to which sums over a batch's rows are added, row after row: zeros, and from a batch's second portion on
// the gradient itself, so that portions do not show. For a gradient that is not wanted it is memory of the given size. Then call
// contribute.
func (t *Tape) sumsOf(n *node, size int) contribution {
	if t.portion.from > t.portion.first && wantedOf(n) {
		g, goesOn := t.onto(n)
		if !goesOn {
			clear(g)
		}
		return contribution{n: n, data: g}
	}
	s := t.partOf(n, size)
	clear(s.data)
	return s
}

func (t *Tape) contribute(s contribution) {
	if s.n == nil {
		t.memory.free(s.extra)
		return
	}
	if s.n.gated && !s.applied {
		spread(simd.ReLUGradient, s.data, s.n.data)
	}
	if s.extra != nil {
		g, _ := t.onto(s.n)
		spread3(simd.Add, g, g, s.data)
		t.memory.free(s.extra)
	}
}

// hand gives a node's own gradient, which is used up, to an input of as many numbers.
func (t *Tape) hand(n, to *node) {
	if to.parameter == nil && to.slope == nil {
		to.slope, n.slope = n.slope, nil
		if to.gated {
			spread(simd.ReLUGradient, to.gradient(), to.data)
		}
		return
	}
	t.copy(n.gradient(), to)
}

// copy adds numbers, which stay, to a gradient.
func (t *Tape) copy(g []float32, to *node) {
	s := t.part(to)
	copy(s.data, g)
	t.contribute(s)
}

// borrow returns memory for an operation to work in, of at least n numbers, whatever they are; without a tape, too.
func (t *Tape) borrow(n int) *buffer {
	if t == nil {
		return &buffer{data: make([]float32, n)}
	}
	return t.memory.take(n)
}

func (t *Tape) giveBack(b *buffer) {
	if t != nil {
		t.memory.free(b)
	}
}

// drop gives up a node's value.
func (t *Tape) drop(n *node) {
	if n.holds {
		n.holds = false
		t.memory.free(n.buffer)
	}
}
