package nnkit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// network is a model at work in a memory of its own.
type network struct {
	m    *Model
	tape Tape
}

// forward computes the output for rows of x, which begins a step of the tape.
func (w *network) forward(x []float32, rows int) (*Tensor, error) {
	t := &w.tape
	t.Reset()
	var room [6]int
	n := t.leaf(x, append(append(room[:0], rows), w.m.input...)...)
	return w.m.forward(t, &n.Tensor)
}

// forward runs a tensor on a tape through all layers.
func (m *Model) forward(t *Tape, x *Tensor) (y *Tensor, err error) {
	return m.through(t, x, 0, len(m.layers))
}

// through runs a tensor on a tape through layers from to to-1.
func (m *Model) through(t *Tape, x *Tensor, from, to int) (y *Tensor, err error) {
	defer m.caughtAt(t, &err)
	first := t.used
	for i := from; i < to; i++ {
		l := m.layers[i]
		t.layer = i
		if x = l.Forward(x); x == nil {
			return nil, fmt.Errorf("%s: has returned nil from Forward", l.core().where(i))
		}
		x = t.put(x)
		t.regularizeActivity(l, x)
		if !t.recording && i < to-1 {
			t.release(first, x.node)
		}
	}
	return x, nil
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

// judge runs rows forwards and puts the outputs beside the truth.
func (w *network) judge(j *judged, r rows) error {
	p, err := w.forward(r.x, r.n)
	if err != nil {
		return err
	}
	_, width := p.rows()
	j.out, j.p, j.y, j.weights, j.truthShape, j.rows = p, p.data, r.y, r.weights, r.truthShape, r.n
	j.width = p.shape[len(p.shape)-1]
	if len(p.shape) == 1 {
		j.width = 1
	}
	j.places = width / max(1, j.width)
	j.counting = w.m.loss.counts(j.width, r.truth/max(1, j.places))
	j.z, j.sums, j.activation = nil, nil, nil
	if z, a := sums(p); a != nil {
		j.z, j.sums, j.activation = z.data, z, a
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

// evaluate writes the loss and the metrics of all rows, judged by at most step at a time.
func (w *network) evaluate(ctx context.Context, all rows, step int, j *judged, meters []meter, values []float64) (err error) {
	total, seen := 0.0, 0
	for lo := 0; lo < all.n; lo += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.judge(j, all.slice(lo, min(lo+step, all.n))); err != nil {
			return err
		}
		if total, err = w.lossOf(total, j); err != nil {
			return err
		}
		seen += j.count()
		if err := measure(meters, j); err != nil {
			return err
		}
	}
	values[0] = total/float64(seen) + w.m.penalty(&w.tape)
	for i, m := range meters {
		values[1+i] = m.value(true)
	}
	return nil
}

// lossOf adds the places' losses to a total.
func (w *network) lossOf(total float64, j *judged) (_ float64, err error) {
	defer caught(&err)
	return w.m.loss.sum(total, j, j.weights, nil) + j.perPlace(w.tape.penalty), nil
}

// measure takes what was judged into metrics.
func measure(meters []meter, j *judged) (err error) {
	defer caught(&err)
	for _, m := range meters {
		m.add(j)
	}
	return nil
}

// trainer is a network in training, with all that its steps need, so that a step allocates nothing.
type trainer struct {
	network
	batch  rows
	total  float64 // of the places' losses in this epoch
	seen   int     // of the places
	meters []meter
	judged judged
	quiet  network // for validation
}

func newTrainer(m *Model, capacity int, like rows) *trainer {
	t := &trainer{network: network{m: m}, meters: m.newMeters(), quiet: network{m: m}}
	t.tape.recording, t.tape.training, t.tape.frugal = true, true, true
	t.batch = rows{
		n: capacity, width: like.width, truth: like.truth, truthShape: like.truthShape, weighted: like.weighted,
		x: make([]float32, capacity*like.width), y: make([]float32, capacity*like.truth),
	}
	if like.weights != nil {
		t.batch.weights = make([]float32, capacity*like.weighted)
	}
	return t
}

func (m *Model) newMeters() []meter {
	meters := make([]meter, len(m.metrics))
	for i, metric := range m.metrics {
		meters[i] = metric.newMeter(m.output().width)
	}
	return meters
}

func (t *trainer) reset() {
	t.total, t.seen = 0, 0
	for _, m := range t.meters {
		m.reset()
	}
}

// gather copies the rows of a batch next to each other.
func (t *trainer) gather(r rows, order []int32) {
	for i, from := range order {
		copy(t.batch.x[i*r.width:(i+1)*r.width], r.x[int(from)*r.width:])
		copy(t.batch.y[i*r.truth:(i+1)*r.truth], r.y[int(from)*r.truth:])
	}
	if r.weights != nil {
		for i, from := range order {
			copy(t.batch.weights[i*r.weighted:(i+1)*r.weighted], r.weights[int(from)*r.weighted:])
		}
	}
}

// step takes the first n rows of the batch forwards and backwards. It returns their mean loss, and leaves the gradients
// behind.
func (t *trainer) step(n int) (float64, error) {
	t.tape.noise = random.Stream{Seed: uint64(int64(t.m.seed)), Purpose: random.Dropout, Index: uint32(t.m.batches) - 1} // Reset counts
	t.m.batches++
	if err := t.judge(&t.judged, t.batch.slice(0, n)); err != nil {
		return 0, err
	}
	tape := &t.tape
	tape.begin()
	from, sum, err := t.seed()
	if err != nil {
		return 0, err
	}
	from = tape.seedActivities(from, n)
	sum += t.judged.perPlace(tape.penalty) + float64(float64(t.judged.count())*t.m.penalty(tape))
	t.total += sum
	t.seen += t.judged.count()
	if err := measure(t.meters, &t.judged); err != nil {
		return 0, err
	}
	tape.backward(from)
	tape.clearMissed(t.m.parameters)
	t.m.addPenaltyGradient(tape)
	return sum / float64(t.judged.count()), nil
}

// seed computes the sum of the places' losses and has the gradient of their mean begin: it returns where to go back from.
func (t *trainer) seed() (from *node, sum float64, err error) {
	j := &t.judged
	defer caught(&err)
	own, ok := t.m.loss.(*lossFunc)
	switch {
	case ok:
		mean := own.mean(j, j.weights)
		from, sum = mean.node, mean.Item()*float64(j.count())
	case j.sums != nil && t.m.loss.fromSums(j.activation):
		from = j.sums
	default:
		from = j.out.node
	}
	if from == nil || !from.wanted {
		if len(t.m.parameters) > 0 && !slices.ContainsFunc(t.m.parameters, (*Parameter).Trainable) {
			return nil, 0, errors.New("all parameters are frozen: there is nothing to train; Unfreeze some")
		}
		at := len(t.m.layers) - 1
		return nil, 0, fmt.Errorf("the output of %s, or the loss, does not depend on any parameter: there is nothing to train",
			t.m.layers[at].core().where(at))
	}
	s := t.tape.part(from)
	if ok {
		s.data[0] = 1
	} else {
		sum = t.m.loss.sum(0, j, j.weights, s.data)
	}
	t.tape.contribute(s)
	return from, sum, nil
}

// scores writes the loss and the metrics of the epoch so far, or of all of it.
func (t *trainer) scores(values []float64, done bool) {
	values[0] = t.total / float64(t.seen)
	for i, m := range t.meters {
		values[1+i] = m.value(done)
	}
}

// validate judges rows, and uses up the trainer's meters.
func (t *trainer) validate(ctx context.Context, r rows, values []float64) error {
	t.reset()
	return t.quiet.evaluate(ctx, r, t.batch.n, &t.judged, t.meters, values)
}
