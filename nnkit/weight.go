package nnkit

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// WeightOption is the result of [ClassWeight] and [SampleWeight], for [Model.Fit], [ValidationData] and [Model.Evaluate].
type WeightOption struct{ weighting }

func (WeightOption) fitOption() {}

func (WeightOption) evaluateOption() {}

// For makes the weights those of one output of a model of several, by its name: SampleWeight(w).For("price"). Without it sample
// weights are those of every output, and class weights want it.
func (o WeightOption) For(output string) WeightOption {
	o.output, o.chosen = output, true
	return o
}

// EvaluateOption is an argument of [Model.Evaluate] behind the data: [ClassWeight] or [SampleWeight].
type EvaluateOption interface {
	evaluateOption()
	weights() weighting
}

// ClassWeight multiplies the losses of each class of y by a weight, so that a rare class counts as much as a frequent one:
// ClassWeight(map[int]float64{0: 1, 1: 12}). Every class that y holds must have a weight, of at least 0. As in Keras the
// sum of the weighted losses is divided by their number, not by the weights' sum, metrics are not weighted, nor is the loss
// of validation rows, unless [ValidationData] is given weights of its own. Classes are those of the losses for classes; with one output they are the numbers in y.
func ClassWeight(weights map[int]float64) WeightOption {
	return WeightOption{weighting{classes: weights, byClass: true}}
}

// SampleWeight multiplies the losses of each row by a weight of at least 0, or for sequences the losses of each step by
// one: the first row's steps, then the second's. A weight of 0 leaves a row or a step out. As in Keras the sum of the
// weighted losses is divided by their number, not by the weights' sum, and metrics are not weighted; the rows that
// [ValidationSplit] takes have their weights in val_loss.
func SampleWeight(weights []float64) WeightOption {
	return WeightOption{weighting{samples: weights}}
}

// weighting is what was asked for.
type weighting struct {
	byClass bool // else by sample
	classes map[int]float64
	samples []float64
	output  string // for which it is, if one was chosen
	chosen  bool
}

func (w weighting) weights() weighting { return w }

func (w weighting) option() string {
	if w.byClass {
		return "ClassWeight"
	}
	return "SampleWeight"
}

type weightings []weighting

func (list weightings) ofSamples() weightings {
	return slices.DeleteFunc(slices.Clone(list), func(w weighting) bool { return w.byClass })
}

func (list weightings) ofClasses() weightings {
	return slices.DeleteFunc(slices.Clone(list), func(w weighting) bool { return !w.byClass })
}

// weigh multiplies the weights of rows by those asked for.
func (m *Model) weigh(caller string, r *rows, list weightings) error {
	names := m.outputNames()
	for _, w := range list {
		switch {
		case w.chosen && !slices.Contains(names, w.output):
			return fmt.Errorf("%s: %s(…).For(%q): there is no such output: the model has %s", caller, w.option(), w.output, quoted(names))
		case w.byClass && !w.chosen && len(names) > 1:
			return fmt.Errorf("%s: ClassWeight is for one output, and the model has %d: write ClassWeight(…).For(%q)", caller, len(names), names[0])
		}
		for i := range r.y {
			if w.chosen && names[i] != w.output {
				continue
			}
			if err := r.y[i].weigh(w, r.n, m.output(i), m.targets[i].loss); err != nil {
				return fmt.Errorf("%s: %w", caller, err)
			}
		}
	}
	return nil
}

func (y *truth) weigh(w weighting, n int, o output, loss Loss) error {
	if y.weights.data == nil {
		y.weights = columns{o.places(), make([]float32, n*o.places())}
		fill(y.weights.data, 1)
	}
	var err error
	if w.byClass {
		err = y.weighClasses(w.classes, o, loss.counts(o.width, y.width/o.places()))
	} else {
		err = y.weighSamples(w.samples, n)
	}
	if err != nil {
		return fmt.Errorf("%s %w", w.option(), err)
	}
	if !slices.ContainsFunc(y.weights.data, func(v float32) bool { return v != 0 }) {
		return errors.New("all weights are 0: nothing would count")
	}
	return nil
}

func (y *truth) weighSamples(weights []float64, n int) error {
	all := y.weights.data
	if len(weights) != n && len(weights) != len(all) {
		steps := ""
		if y.weights.width > 1 {
			steps = fmt.Sprintf(", or for each of the %d steps of a row", y.weights.width)
		}
		return fmt.Errorf("has %d %s for %d %s: give one for each row%s",
			len(weights), plural(len(weights), "number"), n, plural(n, "row"), steps)
	}
	each := len(all) / len(weights)
	for i, v := range weights {
		if !isWeight(v) {
			return fmt.Errorf("is %v at %d (counted from 0): a weight is a number of at least 0", v, i)
		}
		for k := range each {
			all[i*each+k] *= float32(v)
		}
	}
	return nil
}

// isWeight says whether a weight is a number that a float32 can be.
func isWeight(v float64) bool { return v >= 0 && v <= math.MaxFloat32 }

func (y *truth) weighClasses(weights map[int]float64, o output, c counting) error {
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
	if want := o.numbersOfTruth(c); y.width != want*o.places() {
		return fmt.Errorf("finds no classes in y, which has %d %s a row: use nnkit.SampleWeight", y.width, plural(y.width, "number"))
	}
	counts := map[int]int{}
	for i := range y.weights.data {
		if c != countCategorical && y.data[i] != float32(int(y.data[i])) {
			return fmt.Errorf("finds no classes in y: it is %v at place %d, and not a class number", y.data[i], i)
		}
		class := c.class(y.data, o.width, i)
		v, ok := weights[class]
		if !ok {
			counts[class]++
			continue
		}
		y.weights.data[i] *= float32(v)
	}
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		return fmt.Errorf("has no weight for class %d, which y holds %d %s: add %d: 1 to leave it as it is",
			class, counts[class], plural(counts[class], "time"), class)
	}
	return nil
}
