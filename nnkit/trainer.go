package nnkit

import (
	"context"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
)

// trainer is the working memory of a training: everything a step needs, so that a step allocates nothing.
type trainer struct {
	m        *Model
	network  network
	capacity int // rows of a batch
	truth    int // numbers of y a row
	x, y     []float32
	grad     []float32
	total    float64 // of the rows' losses in this epoch
	seen     int
	meters   []meter
	judged   judged
	sweep    sweep
}

func newTrainer(m *Model, capacity, truth int) *trainer {
	out := m.last().units
	t := &trainer{
		m:        m,
		network:  newNetwork(m, capacity, true),
		capacity: capacity,
		truth:    truth,
		x:        make([]float32, capacity*m.inputs),
		y:        make([]float32, capacity*truth),
		grad:     make([]float32, capacity*out),
		meters:   m.newMeters(),
	}
	return t
}

func (m *Model) newMeters() []meter {
	meters := make([]meter, len(m.metrics))
	for i, metric := range m.metrics {
		meters[i] = metric.newMeter(m.loss, m.last().units)
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
		copy(t.x[i*r.width:(i+1)*r.width], r.x[int(from)*r.width:])
		copy(t.y[i*r.truth:(i+1)*r.truth], r.y[int(from)*r.truth:])
	}
}

// forward returns the mean loss of the batch and leaves its gradient behind.
func (t *trainer) forward(n int) float64 {
	t.network.judge(&t.judged, t.x, t.y, n)
	sum := t.m.loss.sum(0, &t.judged, t.grad)
	t.total += sum
	t.seen += n
	for _, m := range t.meters {
		m.add(&t.judged)
	}
	return sum / float64(n)
}

func (t *trainer) backward(n int) {
	t.network.backward(t.x, t.grad[:n*t.m.last().units], n)
}

func (t *trainer) update(s stepper) {
	s.next()
	t.sweep.run(s, t.m.weights, t.m.gradients)
}

// scores writes the loss and the metrics of the epoch so far.
func (t *trainer) scores(values []float64) {
	values[0] = t.total / float64(t.seen)
	for i, m := range t.meters {
		values[1+i] = m.value()
	}
}

// evaluate judges rows in the trainer's memory, and uses up its meters.
func (t *trainer) evaluate(ctx context.Context, r rows, values []float64) error {
	t.reset()
	return t.network.evaluate(ctx, r, t.capacity, &t.judged, t.meters, values)
}

// network runs all layers forwards and backwards.
type network struct {
	m      *Model
	passes []pass
	sums   bool
	ys     [][]float32 // the output of each layer in the last forward pass
}

func newNetwork(m *Model, rows int, train bool) network {
	n := network{m: m, passes: make([]pass, len(m.layers)), ys: make([][]float32, len(m.layers))}
	n.sums = m.loss != nil && m.loss.fromSums(m.last().activation)
	for i, l := range m.layers {
		n.passes[i] = l.newPass(rows, purpose{
			backward: train,
			input:    train && i > 0,
			gated:    i > 0 && n.gates(i-1),
			sums:     n.sums && i == len(m.layers)-1,
		})
	}
	return n
}

func (n *network) forward(x []float32, rows int) []float32 {
	for i, p := range n.passes {
		x = p.forward(x, rows)
		n.ys[i] = x
	}
	return x
}

// judge runs rows forwards and puts the outputs beside the truth.
func (n *network) judge(j *judged, x, y []float32, rows int) {
	last := n.m.last()
	*j = judged{p: n.forward(x, rows), y: y, rows: rows, width: last.units, activation: last.activation}
	if n.sums {
		j.z = n.passes[len(n.passes)-1].sums()
	}
}

func (n *network) backward(x, dy []float32, rows int) {
	for i := len(n.passes) - 1; i >= 0; i-- {
		in := x
		if i > 0 {
			in = n.ys[i-1]
		}
		last := i == len(n.passes)-1
		dy = n.passes[i].backward(in, dy, rows, n.sums && last || n.gates(i))
	}
}

// gates says whether layer i ends in a ReLU within the network: then the layer behind it applies its gradient.
func (n *network) gates(i int) bool {
	l, ok := n.m.layers[i].(*denseLayer)
	return ok && l.activation == ReLU && i < len(n.m.layers)-1
}

// evaluate writes the loss and the metrics of all rows, judged by at most step at a time.
func (n *network) evaluate(ctx context.Context, r rows, step int, j *judged, meters []meter, values []float64) error {
	total := 0.0
	for lo := 0; lo < r.n; lo += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := r.slice(lo, min(lo+step, r.n))
		n.judge(j, b.x, b.y, b.n)
		total = n.m.loss.sum(total, j, nil)
		for _, m := range meters {
			m.add(j)
		}
	}
	values[0] = total / float64(r.n)
	for i, m := range meters {
		values[1+i] = m.value()
	}
	return nil
}

// sweep is an optimizer's step over all weights, split over the cores if there are many.
type sweep struct {
	s    stepper
	w, g []float32
}

const sweepBlock = 1 << 14

func (t *sweep) run(s stepper, w, g []float32) {
	if len(w) < 2*sweepBlock {
		s.apply(w, g, 0, len(w))
		return
	}
	t.s, t.w, t.g = s, w, g
	parallel.Run((len(w)+sweepBlock-1)/sweepBlock, t)
}

// Block implements parallel.Task.
func (t *sweep) Block(i int) { t.s.apply(t.w, t.g, i*sweepBlock, min(len(t.w), (i+1)*sweepBlock)) }
