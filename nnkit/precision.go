package nnkit

import (
	"fmt"
	"strings"
)

// Precision is the share of true yeses among the yeses that the model gives: TP/(TP+FP), 0 where it gives none.
//
// For questions answered yes or no (outputs with [BinaryCrossEntropy] or [Hinge]) an output above the [Threshold] is a
// yes, and all outputs are counted together. For classes the largest output is a yes to its class, or with a Threshold
// every output above it, and the result is the mean of the classes' precisions; a class that nobody has gives 0.
// [Micro], [Macro] and [Weighted] average otherwise, [ClassID] takes one output or class alone. (Keras' Precision has a
// threshold of 0.5 and [Micro] for classes, too.)
func Precision(options ...PrecisionOption) Metric { return newTally("Precision", "precision", options) }

// Recall is the share of the true yeses that the model finds: TP/(TP+FN), 0 where there are none. What a yes is, and
// what is averaged, is as for [Precision].
func Recall(options ...PrecisionOption) Metric { return newTally("Recall", "recall", options) }

// F1Score is the harmonic mean of precision and recall: 2·TP/(2·TP+FP+FN), 0 where there is neither. What a yes is, and
// what is averaged, is as for [Precision].
func F1Score(options ...PrecisionOption) Metric { return newTally("F1Score", "f1_score", options) }

// PrecisionOption is an argument of [Precision], [Recall] and [F1Score]: [Threshold], [ClassID], [Micro], [Macro],
// [Weighted] or [Name].
type PrecisionOption interface{ precisionOption(*metricSettings) }

// AUCOption is an argument of [AUC]: [PR], [ClassID], [Micro], [Macro] or [Name].
type AUCOption interface{ aucOption(*metricSettings) }

// metricSettings is what the options of a metric can say.
type metricSettings struct {
	call      string // Precision
	name      string
	threshold *float64
	class     *int
	average   average
	pr        bool
}

type average int

const (
	byCounting average = iota // all outputs together for yes or no, the classes' mean for classes
	micro
	macro
	weighted
)

// source writes the metric as a call.
func (s *metricSettings) source() string {
	options := []string{fmt.Sprintf("Name(%q)", s.name)}
	if s.threshold != nil {
		options = append(options, fmt.Sprintf("Threshold(%v)", *s.threshold))
	}
	if s.class != nil {
		options = append(options, fmt.Sprintf("ClassID(%d)", *s.class))
	}
	if s.average != byCounting {
		options = append(options, map[average]string{micro: "Micro", macro: "Macro", weighted: "Weighted"}[s.average])
	}
	if s.pr {
		options = append(options, "PR")
	}
	return s.call + "(" + strings.Join(options, ", ") + ")"
}

func (s *metricSettings) suits(o output) error {
	if s.threshold != nil && *s.threshold != *s.threshold {
		return fmt.Errorf("%s(Threshold(NaN)): it must be a number", s.call)
	}
	if k := s.class; k != nil {
		switch {
		case *k < 0, o.width > 0 && *k >= o.width:
			return fmt.Errorf("%s(ClassID(%d)): %s has the outputs 0 to %d", s.call, *k, o.where, o.width-1)
		case s.average != byCounting:
			return fmt.Errorf("%s: ClassID and an average are both given: choose one", s.call)
		}
	}
	return checkMetricName(s.call, s.name)
}

// averageFor is the average if none was asked for.
func (s *metricSettings) averageFor(c counting) average {
	switch {
	case s.average != byCounting:
		return s.average
	case c.classes():
		return macro
	}
	return micro
}

// ThresholdOption is the result of [Threshold].
type ThresholdOption struct{ threshold float64 }

// Threshold sets what an output must exceed to be a yes in [Precision], [Recall] and [F1Score]. By default it is 0.5, or
// 0 with [Hinge], and for classes the largest output counts.
func Threshold(threshold float64) ThresholdOption { return ThresholdOption{threshold} }

func (o ThresholdOption) precisionOption(s *metricSettings) { s.threshold = &o.threshold }

// ClassIDOption is the result of [ClassID].
type ClassIDOption struct{ class int }

// ClassID makes a metric of one class, or one output, counted from 0.
func ClassID(class int) ClassIDOption { return ClassIDOption{class} }

func (o ClassIDOption) precisionOption(s *metricSettings) { s.class = &o.class }
func (o ClassIDOption) aucOption(s *metricSettings)       { s.class = &o.class }

func (o NameOption) precisionOption(s *metricSettings) { s.name = o.name }
func (o NameOption) aucOption(s *metricSettings)       { s.name = o.name }

// Averaging is the type of [Micro] and [Macro].
type Averaging struct{ average average }

// WeightedOption is the type of [Weighted].
type WeightedOption struct{ average average }

var (
	// Micro counts all outputs or classes together.
	Micro = Averaging{micro}
	// Macro takes the mean of all outputs' or classes' values.
	Macro = Averaging{macro}
	// Weighted takes the mean of all outputs' or classes' values, weighted by how often each is true.
	Weighted = WeightedOption{weighted}
)

func (a Averaging) precisionOption(s *metricSettings)      { s.average = a.average }
func (a Averaging) aucOption(s *metricSettings)            { s.average = a.average }
func (a WeightedOption) precisionOption(s *metricSettings) { s.average = a.average }

// tally is a metric of true and false yeses.
type tally struct {
	metricSettings
	of func(n yeses) float64
}

// yeses are how many the model gives, how many are true, and how many of them it gives.
type yeses struct{ given, actual, both int }

func (n yeses) plus(m yeses) yeses {
	return yeses{n.given + m.given, n.actual + m.actual, n.both + m.both}
}

func (n yeses) precision() float64 { return quotient(n.both, n.given) }
func (n yeses) recall() float64    { return quotient(n.both, n.actual) }
func (n yeses) f1() float64        { return quotient(2*n.both, n.given+n.actual) }

func quotient(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func newTally(call, name string, options []PrecisionOption) Metric {
	m := &tally{metricSettings: metricSettings{call: call, name: name}}
	m.of = map[string]func(yeses) float64{"Precision": yeses.precision, "Recall": yeses.recall, "F1Score": yeses.f1}[call]
	for _, o := range options {
		if o != nil {
			o.precisionOption(&m.metricSettings)
		}
	}
	return m
}

func (m *tally) String() string { return m.name }

func (m *tally) larger() bool { return true }

func (m *tally) checkTruth(name string, y *Tensor, o output) error {
	return o.counting.check(name, y, o)
}

func (m *tally) newMeter(width int) meter { return &tallyMeter{tally: m, counts: make([]yeses, width)} }

type tallyMeter struct {
	*tally
	counting counting
	counts   []yeses // of each output
}

func (m *tallyMeter) reset() { clear(m.counts) }

func (m *tallyMeter) put(to []float64) []float64 {
	to = append(to, float64(m.counting))
	for _, n := range m.counts {
		to = append(to, float64(n.given), float64(n.actual), float64(n.both))
	}
	return to
}

func (m *tallyMeter) take(from []float64) []float64 {
	m.counting = max(m.counting, counting(from[0]))
	from = from[1:]
	for i := range m.counts {
		n := &m.counts[i]
		n.given += int(from[0])
		n.actual += int(from[1])
		n.both += int(from[2])
		from = from[3:]
	}
	return from
}

func (m *tallyMeter) add(j *judged) {
	m.counting = j.counting
	switch {
	case !j.counting.classes():
		t := j.counting.threshold()
		above := t
		if m.threshold != nil {
			above = float32(*m.threshold)
		}
		column := 0
		y := j.y[:j.count()*j.width]
		for i, v := range j.p[:len(y)] {
			m.counts[column].count(v > above, y[i] > t)
			if column++; column == j.width {
				column = 0
			}
		}
	case m.threshold != nil:
		above := float32(*m.threshold)
		for i := range j.count() {
			class := j.class(i)
			for k, v := range j.p[i*j.width:][:j.width] {
				m.counts[k].count(v > above, k == class)
			}
		}
	default:
		for i := range j.count() {
			class, given := j.class(i), largest(j.p[i*j.width:][:j.width])
			m.counts[class].actual++
			m.counts[given].given++
			if class == given {
				m.counts[class].both++
			}
		}
	}
}

// count takes an answer and the truth in.
func (n *yeses) count(given, actual bool) {
	if given {
		n.given++
	}
	if actual {
		n.actual++
		if given {
			n.both++
		}
	}
}

func (m *tallyMeter) value(bool) float64 {
	if m.class != nil {
		return m.of(m.counts[*m.class])
	}
	var all yeses
	for _, n := range m.counts {
		all = all.plus(n)
	}
	sum, share := 0.0, 1.0
	switch m.averageFor(m.counting) {
	case micro:
		return m.of(all)
	case macro:
		for _, n := range m.counts {
			sum += m.of(n)
		}
		share = float64(len(m.counts))
	case weighted:
		for _, n := range m.counts {
			sum += float64(m.of(n) * float64(n.actual))
		}
		share = float64(max(1, all.actual))
	}
	return sum / share
}

// checkMetricName says whether a metric can have a name.
func checkMetricName(call, name string) error {
	if name == "" || name == "loss" {
		return fmt.Errorf("%s(nnkit.Name(%q)): a metric's name must not be empty, nor \"loss\"", call, name)
	}
	return nil
}
