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
// them at the epoch's end. Within an epoch it is renewed whenever there are four times as many. It is NaN where all are yes or
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

// scored are the outputs where the truth is yes, and where it is no, as numbers of the same order.
type scored struct{ yes, no []uint32 }

// ordered gives outputs an order that integers have.
func ordered(v float32) uint32 {
	bits := math.Float32bits(v + 0) // -0 is 0
	if bits>>31 == 1 {
		return ^bits
	}
	return bits | 1<<31
}

type aucMeter struct {
	*auc
	outputs []scored // the first only where all are taken together
	average average
	seen    int
	known   int // how many were seen when the area was last computed
	area    float64
	unknown bool // an output was not a number
	spare   []uint32
}

func (m *aucMeter) reset() {
	for i, s := range m.outputs {
		m.outputs[i] = scored{s.yes[:0], s.no[:0]}
	}
	m.seen, m.known, m.area, m.unknown = 0, 0, math.NaN(), false
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
			m.unknown = m.unknown || v != v
			s := &m.outputs[0]
			if m.average == macro {
				s = &m.outputs[k]
			}
			if yes {
				s.yes = append(s.yes, ordered(v))
			} else {
				s.no = append(s.no, ordered(v))
			}
		}
	}
	m.seen += j.count()
}

func (m *aucMeter) put(to []float64) []float64 {
	to = append(to, float64(m.average), float64(m.seen), indicator(m.unknown))
	for _, s := range m.outputs {
		for _, list := range [][]uint32{s.yes, s.no} {
			to = append(to, float64(len(list)))
			for _, v := range list {
				to = append(to, float64(v))
			}
		}
	}
	return to
}

func (m *aucMeter) take(from []float64) []float64 {
	m.average = max(m.average, average(from[0]))
	m.seen += int(from[1])
	m.unknown = m.unknown || from[2] != 0
	from = from[3:]
	for i := range m.outputs {
		s := &m.outputs[i]
		for _, list := range []*[]uint32{&s.yes, &s.no} {
			n := int(from[0])
			for _, v := range from[1 : 1+n] {
				*list = append(*list, uint32(v))
			}
			from = from[1+n:]
		}
	}
	return from
}

func (m *aucMeter) value(done bool) float64 {
	if m.seen == m.known || !done && m.seen < 4*m.known {
		return m.area
	}
	m.known = m.seen
	sum, n := 0.0, 0
	for _, s := range m.outputs {
		if len(s.yes) == 0 || len(s.no) == 0 {
			continue
		}
		m.spare = grown(m.spare, max(len(s.yes), len(s.no)))
		sortNumbers(s.yes, m.spare)
		sortNumbers(s.no, m.spare)
		n++
		sum += s.area(m.pr)
	}
	if m.area = sum / float64(n); m.unknown { // NaN of none
		m.area = math.NaN()
	}
	return m.area
}

// sortNumbers sorts long slices by their digits of 11 bits, the last ones first. spare is at least as long.
func sortNumbers(x, spare []uint32) {
	if len(x) < 256 {
		slices.Sort(x)
		return
	}
	from, to := x, spare[:len(x)]
	for shift := 0; shift < 32; shift += 11 {
		var at [1 << 11]uint32
		for _, v := range from {
			at[v>>shift&(1<<11-1)]++
		}
		sum := uint32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for _, v := range from {
			digit := v >> shift & (1<<11 - 1)
			to[at[digit]] = v
			at[digit]++
		}
		from, to = to, from
	}
	copy(x, from) // three digits end in spare
}

// area goes through the thresholds from the highest on. yes and no are sorted.
func (s scored) area(pr bool) float64 {
	sum, yes, no := 0.0, 0, 0
	for yes < len(s.yes) || no < len(s.no) {
		at := uint32(0)
		if yes < len(s.yes) {
			at = s.yes[len(s.yes)-1-yes]
		}
		if no < len(s.no) {
			at = max(at, s.no[len(s.no)-1-no])
		}
		y, n := equals(s.yes[:len(s.yes)-yes], at), equals(s.no[:len(s.no)-no], at)
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
func equals(sorted []uint32, v uint32) int {
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
