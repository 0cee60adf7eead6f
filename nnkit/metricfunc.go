package nnkit

import "fmt"

// MetricFunc makes a metric of a function of the model's output and the truth, written with the operations of [Tensor].
// Both are as for [LossFunc]. The function returns a number, or some for each row, of which the mean counts:
//
//	within := nnkit.MetricFunc("within_one", func(p, y *nnkit.Tensor) *nnkit.Tensor { … }, nnkit.LargerIsBetter)
//
// Over an epoch it is the mean over all rows; where the function returns a single number for a batch, that counts for
// each of its rows.
func MetricFunc(name string, f func(output, truth *Tensor) *Tensor, better ...Better) Metric {
	m := &metricFunc{name: name, f: f}
	for _, b := range better {
		m.better = b
	}
	return m
}

// Better says which of two values of a metric is the better one.
type Better int

// What is better; SmallerIsBetter unless [MetricFunc] is told otherwise.
const (
	SmallerIsBetter Better = iota
	LargerIsBetter
)

type metricFunc struct {
	name   string
	f      func(output, truth *Tensor) *Tensor
	better Better
}

func (m *metricFunc) String() string { return m.name }

func (m *metricFunc) larger() bool { return m.better == LargerIsBetter }

func (m *metricFunc) suits(output) error {
	if m.f == nil {
		return fmt.Errorf("MetricFunc(%q, nil): the function is missing", m.name)
	}
	if m.name == "" || m.name == "loss" {
		return fmt.Errorf("MetricFunc(%q, …): a metric's name must not be empty, nor \"loss\"", m.name)
	}
	return nil
}

// checkTruth lets every truth through: only the function knows.
func (m *metricFunc) checkTruth(string, *Tensor, output) error { return nil }

func (m *metricFunc) newMeter(int) meter { return &metricFuncMeter{metricFunc: m} }

type metricFuncMeter struct {
	*metricFunc
	total float64
	seen  int
}

func (m *metricFuncMeter) reset() { m.total, m.seen = 0, 0 }

func (m *metricFuncMeter) value(bool) float64 { return m.total / float64(max(1, m.seen)) }

func (m *metricFuncMeter) put(to []float64) []float64 {
	return append(to, m.total, float64(m.seen))
}

func (m *metricFuncMeter) take(from []float64) []float64 {
	m.total += from[0]
	m.seen += int(from[1])
	return from[2:]
}

func (m *metricFuncMeter) add(j *judged) {
	v := m.f(j.constant(j.p, j.rows, j.out.shape[1:]), j.truth())
	switch {
	case v == nil:
		fail("MetricFunc "+m.name, "the function has returned nil")
	case len(v.data) == 1:
		m.total += float64(v.data[0]) * float64(j.rows)
	case len(v.shape) == 0 || v.shape[0] != j.rows:
		fail("MetricFunc "+m.name, "the function has returned the shape %s for %d rows: it must be a single number, or begin with %d",
			shapeText(v.shape), j.rows, j.rows)
	default:
		_, width := v.rows()
		for r := range j.rows {
			m.total += sum64(v.data[r*width:][:width]) / float64(width)
		}
	}
	m.seen += j.rows
}
