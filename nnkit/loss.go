package nnkit

// Loss says how far predictions are from the truth; training makes its mean small, over the rows and, where a row has
// several predictions (a step of a sequence each), over those. Every loss is a [Metric] too.
//
// Cross-entropies are computed from the sums before the output's sigmoid or softmax, so that they neither overflow nor
// lose their gradient; Predict gives probabilities all the same.
//
// For classes: [BinaryCrossEntropy], [CategoricalCrossEntropy], [SparseCategoricalCrossEntropy], [KLDivergence],
// [BinaryFocalCrossEntropy], [CategoricalFocalCrossEntropy], [Hinge], [SquaredHinge] and [CategoricalHinge]. For numbers: [MeanSquaredError],
// [MeanAbsoluteError], [Huber], [LogCosh], [MeanAbsolutePercentageError], [MeanSquaredLogarithmicError], [Poisson] and
// [CosineSimilarity]. [LossFunc] makes one of a function.
type Loss interface {
	Metric
	Objective

	// fromSums says whether the loss is computed from what the activation has made the outputs of.
	fromSums(a Activation) bool
	// counts says how accuracy is counted for places of width outputs, and of so many numbers of truth.
	counts(width, truth int) counting
	// sum adds the losses of the places, times their weights, to a total. A grad that is not nil gets the gradient of
	// their weighted mean, with respect to the sums or the outputs as fromSums says.
	sum(total float64, j *judged, weights, grad []float32) float64
}

// lossMeter is a loss as a metric.
type lossMeter struct {
	loss  Loss
	sign  float64 // -1 for a loss that is small where the metric is large, else 1
	total float64
	seen  int
}

func (m *lossMeter) reset() { m.total, m.seen = 0, 0 }

func (m *lossMeter) value(bool) float64 { return m.sign * m.total / float64(max(1, m.seen)) }

func (m *lossMeter) put(to []float64) []float64 { return append(to, m.total, float64(m.seen)) }

func (m *lossMeter) take(from []float64) []float64 {
	m.total += from[0]
	m.seen += int(from[1])
	return from[2:]
}

func (m *lossMeter) add(j *judged) {
	m.total = m.loss.sum(m.total, j, nil, nil)
	m.seen += j.count()
}
