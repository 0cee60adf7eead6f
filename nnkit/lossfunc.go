package nnkit

import "fmt"

// LossFunc makes a loss of a function of the model's output and the truth, written with the operations of [Tensor]. Both
// have a row for each example; the truth has the shape in which it was given to [Model.Fit], a vector as a column. The
// mean of what the function returns, of whatever shape, is made small:
//
//	logCosh := nnkit.LossFunc("log_cosh", func(p, y *nnkit.Tensor) *nnkit.Tensor {
//		d := p.Sub(y)
//		return d.Exp().Add(d.Neg().Exp()).Scale(0.5).Log()
//	})
//
// The name is under which a [History] has it as a metric. Evaluate and the scores of an epoch take the mean over rows of
// the batches' means, weighted by their rows. With [ClassWeight] or [SampleWeight] the function must return numbers for
// each row, which are weighted before their mean is taken.
func LossFunc(name string, f func(output, truth *Tensor) *Tensor) Loss { return &lossFunc{name, f} }

type lossFunc struct {
	name string
	f    func(output, truth *Tensor) *Tensor
}

func (l *lossFunc) String() string                   { return l.name }
func (l *lossFunc) objective()                       {}
func (l *lossFunc) newMeter(int) meter               { return &lossMeter{loss: l, sign: 1} }
func (l *lossFunc) larger() bool                     { return false }
func (l *lossFunc) fromSums(Activation) bool         { return false }
func (l *lossFunc) counts(width, truth int) counting { return countByShape(width, truth) }

func (l *lossFunc) suits(output) error {
	if l.f == nil {
		return fmt.Errorf("LossFunc(%q, nil): the function is missing", l.name)
	}
	return nil
}

// checkTruth lets every truth through: only the function knows.
func (l *lossFunc) checkTruth(string, *Tensor, output) error { return nil }

// mean computes the loss on the tape of the output, if it has one.
func (l *lossFunc) mean(j *judged, weights []float32) *Tensor {
	y := l.f(j.out, j.truth())
	switch {
	case y == nil:
		fail("LossFunc "+l.name, "the function has returned nil")
	case weights != nil:
		if len(y.shape) == 0 || y.shape[0] != j.rows || len(y.data)%len(weights) != 0 {
			fail("LossFunc "+l.name, "the function has returned the shape %s, which cannot be weighted: let it return numbers for each "+
				"of the %d rows, without Mean or Sum over them", shapeText(y.shape), j.rows)
		}
		y = y.Reshape(len(weights), -1).Mul(j.constant(weights, len(weights), oneNumber))
	case len(y.data) == 1:
		return y
	}
	return y.Mean()
}

var oneNumber = []int{1}

// sum has no gradient to give: the tape finds it.
func (l *lossFunc) sum(sum float64, j *judged, weights, _ []float32) float64 {
	return sum + l.mean(j, weights).Item()*float64(j.count())
}
