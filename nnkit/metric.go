package nnkit

// Metric is a number to judge a model by, beside the loss: [Accuracy], or any [Loss]. Over an epoch it is exact, the
// mean over all its rows and not the average of the batches' averages.
type Metric interface {
	// String returns the name under which the metric's values are found: "accuracy".
	String() string

	newMeter(l Loss, width int) meter
	// larger says that more is better.
	larger() bool
}

// Accuracy is the share of right answers. The loss says what is right: with [BinaryCrossEntropy] an output on the same
// side of 0.5 as y, counted for each output; with the categorical cross-entropies a largest output at the right class
// (the first of equals). With other losses it counts as for BinaryCrossEntropy if there is one output, else y as one-hot.
var Accuracy Metric = accuracy{}

// meter adds up a metric.
type meter interface {
	reset()
	add(j *judged)
	value() float64
}

type accuracy struct{}

func (accuracy) String() string { return "accuracy" }

func (accuracy) larger() bool { return true }

func (accuracy) newMeter(l Loss, width int) meter { return &accuracyMeter{counting: l.counts(width)} }

type counting int

const (
	countBinary counting = iota
	countCategorical
	countSparse
)

func countByWidth(width int) counting {
	if width == 1 {
		return countBinary
	}
	return countCategorical
}

type accuracyMeter struct {
	counting    counting
	right, seen int
}

func (m *accuracyMeter) reset() { m.right, m.seen = 0, 0 }

func (m *accuracyMeter) value() float64 { return float64(m.right) / float64(max(1, m.seen)) }

func (m *accuracyMeter) add(j *judged) {
	if m.counting == countBinary {
		p, y := j.p[:j.rows*j.width], j.y[:j.rows*j.width]
		for i, v := range p {
			if (v > 0.5) == (y[i] > 0.5) {
				m.right++
			}
		}
		m.seen += len(p)
		return
	}
	for r := range j.rows {
		want := 0
		if m.counting == countSparse {
			want = int(j.y[r])
		} else {
			want = largest(j.y[r*j.width : (r+1)*j.width])
		}
		if largest(j.p[r*j.width:(r+1)*j.width]) == want {
			m.right++
		}
	}
	m.seen += j.rows
}

func largest(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}

// lossMeter is a loss as a metric.
type lossMeter struct {
	loss  Loss
	total float64
	seen  int
}

func (m *lossMeter) reset() { m.total, m.seen = 0, 0 }

func (m *lossMeter) value() float64 { return m.total / float64(max(1, m.seen)) }

func (m *lossMeter) add(j *judged) {
	if j.z != nil && !m.loss.fromSums(j.activation) {
		own := *j
		own.z = nil
		j = &own
	}
	m.total = m.loss.sum(m.total, j, nil)
	m.seen += j.rows
}
