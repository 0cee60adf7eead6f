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
// the batches' means, weighted by their rows.
func LossFunc(name string, f func(output, truth *Tensor) *Tensor) Loss { return &lossFunc{name, f} }

type lossFunc struct {
	name string
	f    func(output, truth *Tensor) *Tensor
}

func (l *lossFunc) String() string            { return l.name }
func (l *lossFunc) newMeter(Loss, int) meter  { return &lossMeter{loss: l} }
func (l *lossFunc) larger() bool              { return false }
func (l *lossFunc) fromSums(Activation) bool  { return false }
func (l *lossFunc) counts(width int) counting { return countByWidth(width) }

func (l *lossFunc) suits(output) error {
	if l.f == nil {
		return fmt.Errorf("LossFunc(%q, nil): the function is missing", l.name)
	}
	return nil
}

// checkTruth lets every truth through: only the function knows.
func (l *lossFunc) checkTruth(string, *Tensor, output) error { return nil }

// mean computes the loss on the tape of the output, if it has one.
func (l *lossFunc) mean(j *judged) *Tensor {
	y := l.f(j.out, j.truth())
	if y == nil {
		fail("LossFunc "+l.name, "the function has returned nil")
	}
	if len(y.data) == 1 {
		return y
	}
	return y.Mean()
}

// sum has no gradient to give: the tape finds it.
func (l *lossFunc) sum(total float64, j *judged, _ []float32) float64 {
	return total + l.mean(j).Item()*float64(j.rows)
}

// truth is y as a tensor, on the output's tape if there is one.
func (j *judged) truth() *Tensor {
	if j.out.node == nil {
		return &Tensor{shape: append([]int{j.rows}, j.truthShape...), data: j.y}
	}
	n := j.out.node.tape.leaf(j.y)
	n.setShape(append(append(n.shape[:0], j.rows), j.truthShape...))
	return &n.Tensor
}
