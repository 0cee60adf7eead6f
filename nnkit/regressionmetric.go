package nnkit

import "math"

var (
	// RootMeanSquaredError is the square root of [MeanSquaredError]: an error in the unit of y.
	RootMeanSquaredError Metric = rootMeanSquaredError{}
	// R2Score is the coefficient of determination, 1 - Σ(y-p)²/Σ(y-ȳ)²: 1 for perfect predictions, 0 for those no better
	// than the mean of y, and negative for worse ones. For several outputs it is the mean of theirs. Where y does not vary
	// it is 0.
	R2Score Metric = r2Score{}
)

// forNumbers is what metrics of numbers have in common.
type forNumbers struct{}

func (forNumbers) suits(output) error { return nil }

func (forNumbers) checkTruth(name string, y *Tensor, o output) error { return sameShape(name, y, o) }

type rootMeanSquaredError struct{ forNumbers }

func (rootMeanSquaredError) String() string { return "root_mean_squared_error" }

func (rootMeanSquaredError) larger() bool { return false }

func (rootMeanSquaredError) newMeter(int) meter {
	return &rootMeter{lossMeter{loss: MeanSquaredError, sign: 1}}
}

type rootMeter struct{ lossMeter }

func (m *rootMeter) value(done bool) float64 { return math.Sqrt(m.lossMeter.value(done)) }

type r2Score struct{ forNumbers }

func (r2Score) String() string { return "r2_score" }

func (r2Score) larger() bool { return true }

func (r2Score) newMeter(width int) meter { return &r2Meter{outputs: make([]variation, width)} }

type r2Meter struct {
	outputs []variation
	seen    int
}

// variation is what R2Score adds up for an output. The truth is taken from its first value on, so that little is lost
// where it lies far from 0.
type variation struct{ first, sum, squares, rest float64 }

func (m *r2Meter) reset() {
	clear(m.outputs)
	m.seen = 0
}

func (m *r2Meter) put(to []float64) []float64 {
	to = append(to, float64(m.seen))
	for _, v := range m.outputs {
		to = append(to, v.first, v.sum, v.squares, v.rest)
	}
	return to
}

func (m *r2Meter) take(from []float64) []float64 {
	n := from[0]
	from = from[1:]
	for i := range m.outputs {
		v, other := &m.outputs[i], variation{from[0], from[1], from[2], from[3]}
		if m.seen == 0 {
			v.first = other.first
		}
		// Its deviations are from its own first value.
		d := other.first - v.first
		v.squares += other.squares + float64(2*d*other.sum) + float64(n*d*d)
		v.sum += other.sum + float64(n*d)
		v.rest += other.rest
		from = from[4:]
	}
	m.seen += int(n)
	return from
}

func (m *r2Meter) add(j *judged) {
	for i := range j.count() {
		p, y := j.p[i*j.width:][:j.width], j.y[i*j.width:][:j.width]
		for k := range m.outputs {
			v := &m.outputs[k]
			if m.seen == 0 {
				v.first = float64(y[k])
			}
			d, e := float64(y[k])-v.first, float64(y[k])-float64(p[k])
			v.sum += d
			v.squares += float64(d * d)
			v.rest += float64(e * e)
		}
		m.seen++
	}
}

func (m *r2Meter) value(bool) float64 {
	sum, n := 0.0, float64(max(1, m.seen))
	for _, v := range m.outputs {
		if all := v.squares - float64(v.sum*v.sum)/n; all > 0 {
			sum += 1 - v.rest/all
		}
	}
	return sum / float64(len(m.outputs))
}
