package nnkit

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// WeightOption is the result of [ClassWeight] and [SampleWeight], for [Model.Fit] and [Model.Evaluate].
type WeightOption struct{ set func(w *weighting) }

func (WeightOption) fitOption() {}

func (o WeightOption) evaluateOption(w *weighting) { o.set(w) }

// EvaluateOption is an argument of [Model.Evaluate] behind the data: [ClassWeight] or [SampleWeight].
type EvaluateOption interface{ evaluateOption(w *weighting) }

// ClassWeight multiplies the losses of each class of y by a weight, so that a rare class counts as much as a frequent one:
// ClassWeight(map[int]float64{0: 1, 1: 12}). Every class that y holds must have a weight, of at least 0. As in Keras the
// sum of the weighted losses is divided by their number, not by the weights' sum, metrics are not weighted, nor is the loss
// of validation rows. Classes are those of the losses for classes; with one output they are the numbers in y.
func ClassWeight(weights map[int]float64) WeightOption {
	return WeightOption{func(w *weighting) { w.classes, w.byClass = weights, true }}
}

// SampleWeight multiplies the losses of each row by a weight of at least 0, or for sequences the losses of each step by
// one: the first row's steps, then the second's. A weight of 0 leaves a row or a step out. As in Keras the sum of the
// weighted losses is divided by their number, not by the weights' sum, and metrics are not weighted; the rows that
// [ValidationSplit] takes have their weights in val_loss.
func SampleWeight(weights []float64) WeightOption {
	return WeightOption{func(w *weighting) { w.samples, w.bySample = weights, true }}
}

// weighting is what was asked for.
type weighting struct {
	classes           map[int]float64
	samples           []float64
	byClass, bySample bool
}

func (w weighting) ofSamples() weighting { return weighting{samples: w.samples, bySample: w.bySample} }

func (w weighting) ofClasses() weighting { return weighting{classes: w.classes, byClass: w.byClass} }

// weigh multiplies the weights of rows by those asked for.
func (m *Model) weigh(caller string, r *rows, w weighting) error {
	if !w.byClass && !w.bySample {
		return nil
	}
	o := m.output()
	if r.weights == nil {
		r.weighted = o.places()
		r.weights = make([]float32, r.n*r.weighted)
		fill(r.weights, 1)
	}
	if w.bySample {
		if err := r.weighSamples(w.samples); err != nil {
			return fmt.Errorf("%s: SampleWeight %w", caller, err)
		}
	}
	if w.byClass {
		if err := r.weighClasses(w.classes, o, m.loss.counts(o.width, r.truth/o.places())); err != nil {
			return fmt.Errorf("%s: ClassWeight %w", caller, err)
		}
	}
	if !slices.ContainsFunc(r.weights, func(v float32) bool { return v != 0 }) {
		return fmt.Errorf("%s: all weights are 0: nothing would count", caller)
	}
	return nil
}

func (r *rows) weighSamples(weights []float64) error {
	if len(weights) != r.n && len(weights) != len(r.weights) {
		steps := ""
		if r.weighted > 1 {
			steps = fmt.Sprintf(", or for each of the %d steps of a row", r.weighted)
		}
		return fmt.Errorf("has %d %s for %d %s: give one for each row%s",
			len(weights), plural(len(weights), "number"), r.n, plural(r.n, "row"), steps)
	}
	each := len(r.weights) / len(weights)
	for i, v := range weights {
		if !isWeight(v) {
			return fmt.Errorf("is %v at %d (counted from 0): a weight is a number of at least 0", v, i)
		}
		for k := range each {
			r.weights[i*each+k] *= float32(v)
		}
	}
	return nil
}

// isWeight says whether a weight is a number that a float32 can be.
func isWeight(v float64) bool { return v >= 0 && v <= math.MaxFloat32 }

func (r *rows) weighClasses(weights map[int]float64, o output, c counting) error {
	classes := o.width
	if !c.classes() {
		if o.width > 1 {
			return fmt.Errorf("wants one class for each row, but %s answers %d questions at once: use nnkit.SampleWeight", o.where, o.width)
		}
		classes = 2
	}
	for _, class := range slices.Sorted(maps.Keys(weights)) {
		switch v := weights[class]; {
		case !isWeight(v):
			return fmt.Errorf("is %v for class %d: a weight is a number of at least 0", v, class)
		case class < 0 && c != countSign, class < -1, class >= classes:
			return fmt.Errorf("has a weight for class %d, but %s has the classes 0 to %d", class, o.where, classes-1)
		}
	}
	if want := o.numbersOfTruth(c); r.truth != want*o.places() {
		return fmt.Errorf("finds no classes in y, which has %d %s a row: use nnkit.SampleWeight", r.truth, plural(r.truth, "number"))
	}
	counts := map[int]int{}
	for i := range r.weights {
		if c != countCategorical && r.y[i] != float32(int(r.y[i])) {
			return fmt.Errorf("finds no classes in y: it is %v at place %d, and not a class number", r.y[i], i)
		}
		class := c.class(r.y, o.width, i)
		v, ok := weights[class]
		if !ok {
			counts[class]++
			continue
		}
		r.weights[i] *= float32(v)
	}
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		return fmt.Errorf("has no weight for class %d, which y holds %d %s: add %d: 1 to leave it as it is",
			class, counts[class], plural(counts[class], "time"), class)
	}
	return nil
}
