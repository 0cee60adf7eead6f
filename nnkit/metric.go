package nnkit

// Metric is a number to judge a model by, beside the loss: [Accuracy], [TopKAccuracy], [Precision], [Recall], [F1Score]
// and [AUC] for classes, [RootMeanSquaredError] and [R2Score] for numbers, any [Loss], or a function of one's own by
// [MetricFunc]. Over an epoch it is exact, that of all its rows together and not the average of the batches' values.
// Weights of classes and samples do not touch it.
type Metric interface {
	// String returns the name under which the metric's values are found: "accuracy".
	String() string

	// suits says whether the metric can judge an output.
	suits(o output) error
	// checkTruth says whether y is a truth for an output; name is what the caller calls it.
	checkTruth(name string, y *Tensor, o output) error
	// newMeter returns what adds the metric up, for places of width outputs.
	newMeter(width int) meter
	// larger says that more is better.
	larger() bool
}

// meter adds up a metric.
type meter interface {
	reset()
	add(j *judged)
	// put writes what was added behind other numbers, and take adds what the meter of other rows has written, and returns
	// what is behind it.
	put(to []float64) []float64
	take(from []float64) []float64
	// value is the metric of all that was added. Until an epoch is done it may be that of most of it.
	value(done bool) float64
}

// Accuracy is the share of right answers. The loss says what is right: with [BinaryCrossEntropy] an output on the same
// side of 0.5 as y, counted for each output; with [Hinge] one on the same side of 0; with the losses of classes a largest
// output at the right class (the first of equals), counted for each place of a sequence. With other losses it counts as
// for BinaryCrossEntropy if there is one output, else y as class numbers if it has one for each place, else as one-hot.
var Accuracy Metric = accuracy{}

type accuracy struct{}

func (accuracy) String() string { return "accuracy" }

func (accuracy) larger() bool { return true }

func (accuracy) suits(output) error { return nil }

func (accuracy) checkTruth(name string, y *Tensor, o output) error {
	return o.counting.check(name, y, o)
}

func (accuracy) newMeter(int) meter { return &accuracyMeter{} }

type accuracyMeter struct{ right, seen int }

func (m *accuracyMeter) reset() { m.right, m.seen = 0, 0 }

func (m *accuracyMeter) value(bool) float64 { return float64(m.right) / float64(max(1, m.seen)) }

func (m *accuracyMeter) put(to []float64) []float64 {
	return append(to, float64(m.right), float64(m.seen))
}

func (m *accuracyMeter) take(from []float64) []float64 {
	m.right += int(from[0])
	m.seen += int(from[1])
	return from[2:]
}

func (m *accuracyMeter) add(j *judged) {
	n := j.count()
	if !j.counting.classes() {
		n *= j.width
		t := j.counting.threshold()
		y := j.y[:n]
		for i, v := range j.p[:n] {
			if (v > t) == (y[i] > t) {
				m.right++
			}
		}
		m.seen += n
		return
	}
	for i := range n {
		if largest(j.p[i*j.width:][:j.width]) == j.class(i) {
			m.right++
		}
	}
	m.seen += n
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
