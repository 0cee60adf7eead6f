package nnkit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// network is a model at work in a memory of its own.
type network struct {
	m    *Model
	tape Tape
}

// enter begins a step of the tape with rows lo to hi-1 of what goes in.
func (w *network) enter(r *rows, lo, hi int) {
	t := &w.tape
	t.Reset()
	s := t.stack()
	s.push(len(w.m.last))
	for i := range r.x {
		var room [6]int
		n := t.leaf(r.x[i].slice(lo, hi), append(append(room[:0], hi-lo), w.m.inputs[i].shape...)...)
		s.at[i] = &n.Tensor
	}
}

// forward computes the outputs for rows lo to hi-1; [network.output] returns them.
func (w *network) forward(r *rows, lo, hi int) error {
	w.enter(r, lo, hi)
	return w.m.through(&w.tape, 0, len(w.m.calls))
}

// output returns an output of the present step.
func (w *network) output(i int) *Tensor { return w.tape.values.at[w.m.outputs[i]] }

// through computes calls from to to-1 of the values that lie on the tape's stack.
func (m *Model) through(t *Tape, from, to int) (err error) {
	defer m.caughtAt(t, &err)
	first := t.used
	for i := from; i < to; i++ {
		c := &m.calls[i]
		t.layer = c.at
		c.forward(&t.values, 0)
		if t.values.at[c.to] == nil {
			return fmt.Errorf("%s: has returned nil from Forward", c.layer.core().where(c.at))
		}
		if !t.recording && i < len(m.calls)-1 {
			m.release(t, first, 0, i)
		}
	}
	return nil
}

// caughtAt makes an error of an operation's panic, with the layer at work.
func (m *Model) caughtAt(t *Tape, err *error) {
	switch e := recover().(type) {
	case nil:
	case *OperationError:
		*err = fmt.Errorf("%s: %w", m.layers[t.layer].core().where(t.layer), e)
	default:
		panic(e)
	}
}

// judge runs rows lo to hi-1 forwards and puts the outputs beside the truth.
func (w *network) judge(g *grading, r *rows, lo, hi int) error {
	if err := w.forward(r, lo, hi); err != nil {
		return err
	}
	for i := range g.outputs {
		o := &g.outputs[i]
		o.judged.see(w.output(i), &r.y[i], o.loss, lo, hi)
	}
	return nil
}

// sums returns what a sigmoid or a softmax has made p of, and which it was; nil if it was neither, or if the sums have
// been given up since.
func sums(p *Tensor) (x *node, a Activation) {
	if p.node == nil {
		return nil, nil
	}
	switch o := p.node.operation.(type) {
	case *softmaxed:
		x, a = o.x, Softmax
	case *unary:
		if o.kind == isSigmoid {
			x, a = o.x, Sigmoid
		}
	}
	if x == nil || !x.owner.holds {
		return nil, nil
	}
	return x, a
}

// grading is loss and metrics of the rows that were seen so far.
type grading struct {
	outputs []graded
	penalty float64 // of what layers put out and of weights, times the rows
	rows    int
}

// graded is an output in a grading.
type graded struct {
	*target
	judged judged
	meters []meter
	total  float64 // of the places' losses
	seen   int     // of the places
	// The same of the present batch in training.
	sum   float64
	valid int
}

func (m *Model) newGrading() grading {
	g := grading{outputs: make([]graded, len(m.targets))}
	for i := range g.outputs {
		o := &g.outputs[i]
		o.target = &m.targets[i]
		width := m.output(i).width
		for _, metric := range o.metrics {
			o.meters = append(o.meters, metric.newMeter(width))
		}
	}
	return g
}

func (g *grading) reset() {
	g.penalty, g.rows = 0, 0
	for i := range g.outputs {
		o := &g.outputs[i]
		o.total, o.seen = 0, 0
		for _, m := range o.meters {
			m.reset()
		}
	}
}

// measure takes what was judged into the metrics.
func (g *grading) measure() (err error) {
	defer caught(&err)
	for i := range g.outputs {
		o := &g.outputs[i]
		if len(o.meters) == 0 {
			continue
		}
		j := o.judged.unmasked()
		if j.rows == 0 {
			continue
		}
		for _, m := range o.meters {
			m.add(j)
		}
	}
	return nil
}

// addLosses adds the places' losses to the totals.
func (g *grading) addLosses() (err error) {
	defer caught(&err)
	for i := range g.outputs {
		o := &g.outputs[i]
		j := &o.judged
		o.total = o.loss.sum(o.total, j, j.placeWeights(), nil)
		o.seen += j.valid()
	}
	return nil
}

// scores writes loss and metrics, of an epoch so far or of all of it, in the order of their names.
func (g *grading) scores(values []float64, done bool) {
	several := len(g.outputs) > 1
	values[0] = g.penalty / float64(max(1, g.rows))
	at := 1
	for i := range g.outputs {
		o := &g.outputs[i]
		loss := o.total / float64(max(1, o.seen))
		values[0] += float64(o.weight * loss)
		if several {
			values[at] = loss
			at++
		}
	}
	for i := range g.outputs {
		for _, m := range g.outputs[i].meters {
			values[at] = m.value(done)
			at++
		}
	}
}

// grade judges rows lo to hi-1 and takes them into losses and metrics.
func (w *network) grade(g *grading, r *rows, lo, hi int) error {
	if err := w.judge(g, r, lo, hi); err != nil {
		return err
	}
	if err := g.addLosses(); err != nil {
		return err
	}
	g.rows += hi - lo
	g.penalty += w.tape.penalty
	return g.measure()
}

// evaluate writes the loss and the metrics of all rows, judged by at most step at a time.
func (w *network) evaluate(ctx context.Context, all *rows, step int, g *grading, values []float64) error {
	g.reset()
	for lo := 0; lo < all.n; lo += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.grade(g, all, lo, min(lo+step, all.n)); err != nil {
			return err
		}
	}
	g.scores(values, true)
	values[0] += w.m.penalty(&w.tape)
	return nil
}

// trainer is a network in training, with all that its steps need, so that a step allocates nothing.
type trainer struct {
	network
	batch   rows
	cut     portions
	grading grading
	quiet   network // for validation
}

func newTrainer(m *Model, capacity int, like *rows) *trainer {
	t := &trainer{network: network{m: m}, grading: m.newGrading(), quiet: network{m: m}}
	t.tape.recording, t.tape.training, t.tape.frugal = true, true, true
	t.cut.possible = m.inPortions()
	t.batch = rows{n: capacity}
	for _, x := range like.x {
		t.batch.x = append(t.batch.x, x.blank(capacity))
	}
	for _, y := range like.y {
		t.batch.y = append(t.batch.y, truth{y.blank(capacity), y.shape, y.weights.blank(capacity)})
	}
	return t
}

// gather copies rows next to each other into the batch, from its row lo on.
func (t *trainer) gather(r *rows, order []int32, lo int) {
	for i := range r.x {
		t.batch.x[i].gather(r.x[i], order, lo)
	}
	for i := range r.y {
		t.batch.y[i].gather(r.y[i].columns, order, lo)
		t.batch.y[i].weights.gather(r.y[i].weights, order, lo)
	}
}

// step takes the first n rows of the batch forwards and backwards, in portions. It returns their mean loss, and leaves the
// gradients behind.
func (t *trainer) step(n int) (float64, error) {
	tape, g := &t.tape, &t.grading
	noise := random.Stream{Seed: uint64(int64(t.m.seed)), Purpose: random.Dropout, Index: uint32(t.m.batches) - 1} // Reset counts
	t.m.batches++
	tape.weights = backwards.Add(1)
	if t.cut.possible && t.cut.rows == 0 { // a row by itself shows how much memory a row takes
		tape.noise, tape.portion = noise, portion{rows: 1, batch: 1}
		if err := t.portion(false); err != nil {
			return 0, err
		}
		t.cut.learn(tape.Bytes(), 4*len(t.m.weights))
	}
	g.beginBatch()
	for lo := 0; lo < n; lo += tape.portion.rows {
		tape.noise, tape.portion = noise, t.cut.next(0, lo, n, n)
		if err := t.portion(true); err != nil {
			return 0, err
		}
	}
	tape.clearMissed(t.m.parameters)
	t.m.addPenaltyGradient(tape)
	penalty := tape.penalty + float64(float64(n)*t.m.penalty(tape))
	g.penalty += penalty
	g.rows += n
	return g.endBatch() + penalty/float64(n), nil
}

// portion takes the rows of the tape's portion forwards and backwards, and has them measured if they count.
func (t *trainer) portion(counts bool) error {
	tape, g := &t.tape, &t.grading
	p := tape.portion
	if err := t.judge(g, &t.batch, p.from, p.from+p.rows); err != nil {
		return err
	}
	for i := range g.outputs {
		g.outputs[i].judged.batch = p.batch
	}
	if tape.shard != nil {
		tape.shard.countPlaces()
	}
	if p.from == p.first {
		tape.begin() // the gradients anew
	}
	from, err := t.seed()
	if err != nil {
		return err
	}
	from = tape.seedActivities(from, p.batch)
	if counts {
		if err := g.measure(); err != nil {
			return err
		}
	}
	tape.backward(from)
	return nil
}

// beginBatch begins the losses of a batch.
func (g *grading) beginBatch() {
	for i := range g.outputs {
		g.outputs[i].sum, g.outputs[i].valid = 0, 0
	}
}

// endBatch adds the losses of a batch to the totals, and returns their mean.
func (g *grading) endBatch() (mean float64) {
	for i := range g.outputs {
		o := &g.outputs[i]
		o.total += o.sum
		o.seen += o.valid
		mean += float64(o.weight * (o.sum / float64(max(1, o.valid))))
	}
	return mean
}

// seed computes the outputs' losses, adds them to those of the batch and has the gradients of the batch's means begin: it
// returns where to go back from.
func (t *trainer) seed() (from *node, err error) {
	defer caught(&err)
	for i := range t.grading.outputs {
		o := &t.grading.outputs[i]
		var n *node
		n, o.sum = t.tape.seedLoss(o)
		o.valid += o.judged.valid()
		switch {
		case n == nil:
		case from == nil:
			from = n
		default:
			from = t.tape.later(from, n)
		}
	}
	if from != nil {
		return from, nil
	}
	if len(t.m.parameters) > 0 && !slices.ContainsFunc(t.m.parameters, (*Parameter).Trainable) {
		return nil, errors.New("all parameters are frozen: there is nothing to train; Unfreeze some")
	}
	return nil, fmt.Errorf("the output of %s, or the loss, does not depend on any parameter: there is nothing to train", t.m.output(0).where)
}

// seedLoss adds an output's losses over the places to its sum and has the gradient of their weighted mean begin at the node that it
// returns; nil where there is nothing to train.
func (t *Tape) seedLoss(o *graded) (from *node, sum float64) {
	j := &o.judged
	weights := j.placeWeights()
	own, ok := o.loss.(*lossFunc)
	switch {
	case ok:
		mean := own.mean(j, weights)
		from, sum = mean.node, o.sum+float64(mean.Item()*float64(j.count()))
	case j.sums != nil && o.loss.fromSums(j.activation):
		from = j.sums
	default:
		from = j.out.node
	}
	wanted := from != nil && from.wanted
	if ok && !wanted {
		return nil, sum
	}
	if !wanted {
		return nil, o.loss.sum(o.sum, j, weights, nil)
	}
	s := t.part(from)
	if ok {
		s.data[0] = float32(float64(j.rows) / float64(j.batch)) // the mean is that of a shard
	} else {
		sum = o.loss.sum(o.sum, j, weights, s.data)
	}
	if scale := o.weight * j.perValid(); scale != 1 {
		simd.Scale(s.data, s.data, float32(scale))
	}
	t.contribute(s)
	return from, sum
}
