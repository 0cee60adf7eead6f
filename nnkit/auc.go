package nnkit

import (
	"math"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// AUC is the area under the curve of true yeses over false yeses (ROC): the probability that a true yes has a larger
// output than a true no, with halves for equals. With [PR] it is the area under precision over recall.
//
// It is exact, of all thresholds, where Keras takes 200: it keeps the outputs of an epoch, four bytes for each, and sorts
// them at the epoch's end. Within an epoch it is renewed whenever the outputs have doubled. It is NaN where all are yes or
// all are no.
//
// For questions answered yes or no all outputs are taken together; for classes it is the mean of the areas of each class
// against all others, of those for which there is one. [Micro], [Macro] and [ClassID] choose otherwise.
func AUC(options ...AUCOption) Metric {
	m := &auc{metricSettings{call: "AUC", name: "auc"}}
	for _, o := range options {
		if o != nil {
			o.aucOption(&m.metricSettings)
		}
	}
	return m
}

// CurveOption is the type of [PR].
type CurveOption struct{ pr bool }

// PR makes [AUC] the area under precision over recall, which says more where yes is rare. Between two thresholds it
// interpolates as Keras does: J. Davis and M. Goadrich, The relationship between precision-recall and ROC curves, ICML
// 2006.
var PR = CurveOption{true}

func (o CurveOption) aucOption(s *metricSettings) { s.pr = o.pr }

type auc struct{ metricSettings }

func (m *auc) String() string { return m.name }

func (m *auc) larger() bool { return true }

func (m *auc) checkTruth(name string, y *Tensor, o output) error { return o.counting.check(name, y, o) }

func (m *auc) newMeter(width int) meter { return &aucMeter{auc: m, outputs: make([]scored, width)} }

// scored are the outputs where the truth is yes, and where it is no.
type scored struct{ yes, no []float32 }

type aucMeter struct {
	*auc
	outputs []scored // the first only where all are taken together
	average average
	seen    int
	known   int // how many were seen when the area was last computed
	area    float64
}

func (m *aucMeter) reset() {
	for i, s := range m.outputs {
		m.outputs[i] = scored{s.yes[:0], s.no[:0]}
	}
	m.seen, m.known, m.area = 0, 0, math.NaN()
}

func (m *aucMeter) add(j *judged) {
	m.average = m.averageFor(j.counting)
	t := j.counting.threshold()
	for i := range j.count() {
		class := 0
		if j.counting.classes() {
			class = j.class(i)
		}
		for k, v := range j.p[i*j.width:][:j.width] {
			if m.class != nil && k != *m.class {
				continue
			}
			yes := k == class
			if !j.counting.classes() {
				yes = j.y[i*j.width+k] > t
			}
			s := &m.outputs[0]
			if m.average == macro {
				s = &m.outputs[k]
			}
			if yes {
				s.yes = append(s.yes, v)
			} else {
				s.no = append(s.no, v)
			}
		}
	}
	m.seen += j.count()
}

func (m *aucMeter) value(done bool) float64 {
	if m.seen == m.known || !done && m.seen < 2*m.known {
		return m.area
	}
	m.known = m.seen
	sum, n := 0.0, 0
	for _, s := range m.outputs {
		if len(s.yes) == 0 || len(s.no) == 0 {
			continue
		}
		n++
		sum += s.area(m.pr)
	}
	m.area = sum / float64(n) // NaN of none
	return m.area
}

// area sorts the outputs and goes through the thresholds from the highest on.
func (s scored) area(pr bool) float64 {
	slices.Sort(s.yes)
	slices.Sort(s.no)
	sum, yes, no := 0.0, 0, 0
	for yes < len(s.yes) || no < len(s.no) {
		at := float32(math.Inf(-1))
		if yes < len(s.yes) {
			at = s.yes[len(s.yes)-1-yes]
		}
		if no < len(s.no) {
			at = max(at, s.no[len(s.no)-1-no])
		}
		y, n := equals(s.yes[:len(s.yes)-yes], at), equals(s.no[:len(s.no)-no], at)
		if y+n == 0 { // not numbers
			return math.NaN()
		}
		if pr {
			sum += precisionArea(yes, no, y, n)
		} else { // a trapezium
			sum += float64(n) * (float64(yes) + float64(y)/2)
		}
		yes, no = yes+y, no+n
	}
	if pr {
		return sum / float64(len(s.yes))
	}
	return sum / float64(len(s.yes)) / float64(len(s.no))
}

// equals counts how many numbers at the end of a sorted slice are v.
func equals(sorted []float32, v float32) int {
	n := 0
	for n < len(sorted) && sorted[len(sorted)-1-n] == v {
		n++
	}
	return n
}

// precisionArea is the area, times all yeses, from yes true and no false yeses to dy and dn more. Between them the true
// ones rise linearly with all, from p to q, by slope: the precision is slope + (yes - slope·p)/x at x of them.
func precisionArea(yes, no, dy, dn int) float64 {
	if dy == 0 {
		return 0
	}
	p, q := float64(yes+no), float64(yes+no+dy+dn)
	slope := float64(dy) / float64(dy+dn)
	rest := float64(yes) - float64(slope*p)
	if p == 0 {
		return slope * float64(dy)
	}
	return slope * (float64(dy) + float64(rest*simd.Log64(q/p)))
}
