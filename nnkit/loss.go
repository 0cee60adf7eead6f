package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Loss says how far predictions are from the truth; training makes its mean over the rows small. Every loss is a
// [Metric] too.
//
// Cross-entropies are computed from the sums before the output's sigmoid or softmax, so that they neither overflow nor
// lose their gradient; Predict gives probabilities all the same.
type Loss interface {
	Metric

	// suits says whether the loss can judge an output.
	suits(o output) error
	// fromSums says whether the loss is computed from the output's weighted sums.
	fromSums(a Activation) bool
	// checkTruth says whether y is a truth for an output; name is what the caller calls it.
	checkTruth(name string, y *Tensor, o output) error
	// counts says how accuracy is counted.
	counts(width int) counting
	// sum adds the rows' losses to total, one after another, so that a sum does not depend on how rows are batched. A
	// grad that is not nil gets the gradient of their mean, with respect to the sums or the outputs as fromSums says.
	sum(total float64, j *judged, grad []float32) float64
}

// output is what a loss needs to know of a model's last layer.
type output struct {
	where      string     // for messages: dense layer "dense_3" (layer 3)
	activation Activation // nil if it is not known
	width      int        // 0 if it is not known yet
}

// judged is a batch of predictions beside the truth.
type judged struct {
	out        *Tensor
	sums       *node     // of the output layer's weighted sums, if the loss is computed from them; else nil
	p          []float32 // outputs, rows×width
	z          []float32 // the weighted sums
	y          []float32 // truth, a number for each output or, for class numbers, one for each row
	truthShape []int     // of one row of it
	rows       int
	width      int
	activation Activation // from z to p
}

// The losses.
var (
	// BinaryCrossEntropy is -(y·log p + (1-y)·log(1-p)), averaged over the outputs: for questions answered yes (1) or no
	// (0), one output with [Sigmoid] for each. y has as many columns as there are outputs; a vector is one column.
	BinaryCrossEntropy Loss = binaryCrossEntropy{}
	// CategoricalCrossEntropy is -Σ y·log p over the classes, with [Softmax] at the output. A row of y holds a
	// probability for each class, as in one-hot rows.
	CategoricalCrossEntropy Loss = categoricalCrossEntropy{}
	// SparseCategoricalCrossEntropy is -log p of the right class, with [Softmax] at the output. y is a vector of class
	// numbers from 0 on.
	SparseCategoricalCrossEntropy Loss = sparseCrossEntropy{}
	// MeanSquaredError is (p-y)², averaged over the outputs: for numbers, with [Linear] at the output.
	MeanSquaredError Loss = squaredError{}
	// MeanAbsoluteError is |p-y|, averaged over the outputs. It forgives outliers, and as a metric it has the unit of y.
	MeanAbsoluteError Loss = absoluteError{}
)

// probabilityFloor keeps logarithms finite where a cross-entropy has only probabilities to go by: Keras' epsilon.
const probabilityFloor = 1e-7

type binaryCrossEntropy struct{}

func (binaryCrossEntropy) String() string { return "binary_crossentropy" }

func (l binaryCrossEntropy) newMeter(Loss, int) meter { return &lossMeter{loss: l} }

func (binaryCrossEntropy) larger() bool { return false }

func (binaryCrossEntropy) suits(o output) error {
	if o.activation != nil && o.activation != Sigmoid && o.activation != Softmax {
		return fmt.Errorf("BinaryCrossEntropy wants outputs between 0 and 1, but %s ends in %s: write "+
			"Dense(%d, nnkit.Sigmoid)", o.where, o.activation, o.width)
	}
	return nil
}

func (binaryCrossEntropy) fromSums(a Activation) bool { return a == Sigmoid }

func (binaryCrossEntropy) counts(int) counting { return countBinary }

func (binaryCrossEntropy) checkTruth(name string, y *Tensor, o output) error {
	if err := sameWidth(name, y, o); err != nil {
		return err
	}
	return between(name, y, "BinaryCrossEntropy")
}

func (binaryCrossEntropy) sum(total float64, j *judged, grad []float32) float64 {
	scale := 1 / float32(j.rows*j.width)
	for r := range j.rows {
		row := 0.0
		for i := r * j.width; i < (r+1)*j.width; i++ {
			p, y := j.p[i], j.y[i]
			if j.z != nil {
				z := j.z[i]
				// log(1+exp(z)) - y·z, written so that exp cannot overflow.
				row += float64(max(z, 0)) - float64(float64(y)*float64(z)) + simd.Log1pExpNeg(z)
				if grad != nil {
					grad[i] = (p - y) * scale
				}
				continue
			}
			q := min(max(float64(p), probabilityFloor), 1-probabilityFloor)
			row -= float64(float64(y)*simd.Log64(q)) + float64((1-float64(y))*simd.Log64(1-q))
			if grad != nil {
				grad[i] = 0
				if q == float64(p) { // a clipped probability has no slope
					grad[i] = float32((q-float64(y))/(q*(1-q))) * scale
				}
			}
		}
		total += row / float64(j.width)
	}
	return total
}

type categoricalCrossEntropy struct{}

func (categoricalCrossEntropy) String() string { return "categorical_crossentropy" }

func (l categoricalCrossEntropy) newMeter(Loss, int) meter { return &lossMeter{loss: l} }

func (categoricalCrossEntropy) larger() bool { return false }

func (categoricalCrossEntropy) suits(o output) error {
	return wantsSoftmax("CategoricalCrossEntropy", o)
}

func wantsSoftmax(loss string, o output) error {
	switch {
	case o.width == 1:
		return fmt.Errorf("%s wants an output for each class, but %s has one: write Dense(classes, "+
			"nnkit.Softmax), or for yes or no nnkit.BinaryCrossEntropy", loss, o.where)
	case o.activation != nil && o.activation != Softmax:
		return fmt.Errorf("%s wants probabilities of classes, but %s ends in %s: write Dense(%d, "+
			"nnkit.Softmax)", loss, o.where, o.activation, o.width)
	}
	return nil
}

func (categoricalCrossEntropy) fromSums(a Activation) bool { return a == Softmax }

func (categoricalCrossEntropy) counts(int) counting { return countCategorical }

func (categoricalCrossEntropy) checkTruth(name string, y *Tensor, o output) error {
	n, got := y.rows()
	if got == 1 && o.width > 1 {
		return fmt.Errorf("%s has one number a row, but CategoricalCrossEntropy wants %d, one for each class: for class "+
			"numbers use nnkit.SparseCategoricalCrossEntropy", name, o.width)
	}
	if err := sameWidth(name, y, o); err != nil {
		return err
	}
	if err := between(name, y, "CategoricalCrossEntropy"); err != nil {
		return err
	}
	for r := range n {
		sum := 0.0
		for _, v := range y.data[r*o.width : (r+1)*o.width] {
			sum += float64(v)
		}
		if sum < 0.999 || sum > 1.001 {
			return fmt.Errorf("row %d of %s sums to %.4g, but CategoricalCrossEntropy wants probabilities that sum to 1: for "+
				"several answers at once use nnkit.Sigmoid and nnkit.BinaryCrossEntropy", r, name, sum)
		}
	}
	return nil
}

func (categoricalCrossEntropy) sum(total float64, j *judged, grad []float32) float64 {
	scale := 1 / float32(j.rows)
	for r := range j.rows {
		from, to := r*j.width, (r+1)*j.width
		if j.z == nil {
			for i := from; i < to; i++ {
				total -= float64(float64(j.y[i]) * simd.Log64(max(float64(j.p[i]), probabilityFloor)))
			}
			continue
		}
		lse := simd.LogSumExp(j.z[from:to])
		for i := from; i < to; i++ {
			total += float64(float64(j.y[i]) * (lse - float64(j.z[i])))
			if grad != nil {
				grad[i] = (j.p[i] - j.y[i]) * scale
			}
		}
	}
	return total
}

type sparseCrossEntropy struct{}

func (sparseCrossEntropy) String() string { return "sparse_categorical_crossentropy" }

func (l sparseCrossEntropy) newMeter(Loss, int) meter { return &lossMeter{loss: l} }

func (sparseCrossEntropy) larger() bool { return false }

func (sparseCrossEntropy) suits(o output) error {
	return wantsSoftmax("SparseCategoricalCrossEntropy", o)
}

func (sparseCrossEntropy) fromSums(a Activation) bool { return a == Softmax }

func (sparseCrossEntropy) counts(int) counting { return countSparse }

func (sparseCrossEntropy) checkTruth(name string, y *Tensor, o output) error {
	if _, got := y.rows(); got != 1 {
		return fmt.Errorf("%s has %d numbers a row, but SparseCategoricalCrossEntropy wants one, the class number: for "+
			"one-hot rows use nnkit.CategoricalCrossEntropy", name, got)
	}
	least, most := y.data[0], y.data[0]
	for r, v := range y.data {
		if v != float32(int64(v)) {
			return fmt.Errorf("%s is %v at row %d, but a class number is a whole number from 0 to %d", name, v, r, o.width-1)
		}
		least, most = min(least, v), max(most, v)
	}
	switch {
	case least == 1 && int(most) == o.width:
		return fmt.Errorf("labels go from 1 to %d, but %d classes are numbered 0 to %d: subtract 1", o.width, o.width, o.width-1)
	case least < 0:
		return fmt.Errorf("labels go from %d to %d, but classes are numbered from 0 on: add %d", int(least), int(most), -int(least))
	case int(most) >= o.width:
		return fmt.Errorf("labels go from %d to %d, but the %d outputs of %s are the classes 0 to %d: give it an output for each "+
			"class, Dense(%d, nnkit.Softmax)", int(least), int(most), o.width, o.where, o.width-1, int(most)+1)
	}
	return nil
}

func (sparseCrossEntropy) sum(total float64, j *judged, grad []float32) float64 {
	scale := 1 / float32(j.rows)
	for r := range j.rows {
		from, to := r*j.width, (r+1)*j.width
		class := from + int(j.y[r])
		if j.z == nil {
			total -= simd.Log64(max(float64(j.p[class]), probabilityFloor))
			continue
		}
		total += simd.LogSumExp(j.z[from:to]) - float64(j.z[class])
		if grad != nil {
			for i := from; i < to; i++ {
				grad[i] = j.p[i] * scale
			}
			grad[class] = (j.p[class] - 1) * scale
		}
	}
	return total
}

type squaredError struct{}

func (squaredError) String() string { return "mean_squared_error" }

func (l squaredError) newMeter(Loss, int) meter { return &lossMeter{loss: l} }

func (squaredError) larger() bool { return false }

func (squaredError) suits(output) error { return nil }

func (squaredError) fromSums(Activation) bool { return false }

func (squaredError) counts(width int) counting { return countByWidth(width) }

func (squaredError) checkTruth(name string, y *Tensor, o output) error {
	return sameWidth(name, y, o)
}

func (squaredError) sum(total float64, j *judged, grad []float32) float64 {
	scale := 2 / float32(j.rows*j.width)
	for r := range j.rows {
		row := 0.0
		for i := r * j.width; i < (r+1)*j.width; i++ {
			d := j.p[i] - j.y[i]
			row += float64(float64(d) * float64(d))
			if grad != nil {
				grad[i] = d * scale
			}
		}
		total += row / float64(j.width)
	}
	return total
}

type absoluteError struct{}

func (absoluteError) String() string { return "mean_absolute_error" }

func (l absoluteError) newMeter(Loss, int) meter { return &lossMeter{loss: l} }

func (absoluteError) larger() bool { return false }

func (absoluteError) suits(output) error { return nil }

func (absoluteError) fromSums(Activation) bool { return false }

func (absoluteError) counts(width int) counting { return countByWidth(width) }

func (absoluteError) checkTruth(name string, y *Tensor, o output) error {
	return sameWidth(name, y, o)
}

func (absoluteError) sum(total float64, j *judged, grad []float32) float64 {
	scale := 1 / float32(j.rows*j.width)
	for r := range j.rows {
		row := 0.0
		for i := r * j.width; i < (r+1)*j.width; i++ {
			d := j.p[i] - j.y[i]
			g := float32(0)
			switch {
			case d > 0:
				g = scale
			case d < 0:
				g = -scale
			}
			row += float64(max(d, -d))
			if grad != nil {
				grad[i] = g
			}
		}
		total += row / float64(j.width)
	}
	return total
}

func sameWidth(name string, y *Tensor, o output) error {
	if _, got := y.rows(); got != o.width {
		return fmt.Errorf("%s has %d %s a row, but %s has %d %s: they must agree",
			name, got, plural(got, "number"), o.where, o.width, plural(o.width, "output"))
	}
	return nil
}

func between(name string, y *Tensor, loss string) error {
	_, width := y.rows()
	for i, v := range y.data {
		if v < 0 || v > 1 {
			return fmt.Errorf("%s is %v at row %d, but %s wants numbers from 0 to 1", name, v, i/width, loss)
		}
	}
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
