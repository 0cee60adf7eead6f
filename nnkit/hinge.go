package nnkit

import "fmt"

var (
	// Hinge is max(0, 1 - y·p), averaged over the outputs: the loss of support vector machines, with [Linear] or [Tanh] at
	// the output. y is -1 or 1, or as in Keras 0 or 1, where 0 means -1. An output above 0 is a yes.
	Hinge Loss = &placeLoss{name: "hinge", call: "Hinge", compute: hinge, count: bySign, truth: signs}
	// SquaredHinge is max(0, 1 - y·p)², averaged over the outputs. y is as for [Hinge].
	SquaredHinge Loss = &placeLoss{name: "squared_hinge", call: "SquaredHinge", compute: squaredHinge, count: bySign, truth: signs}
	// CategoricalHinge is max(0, 1 + the largest (1-y)·p - Σ y·p): the right class is to lead by 1. A row of y is one-hot.
	CategoricalHinge Loss = &placeLoss{
		name: "categorical_hinge", call: "CategoricalHinge", compute: categoricalHinge,
		count: func(int, int) counting { return countCategorical }, refused: wantsClasses, truth: fromZeroToOne,
	}
)

func bySign(int, int) counting { return countSign }

func wantsClasses(call string, o output) error {
	if o.width == 1 {
		return fmt.Errorf("%s wants an output for each class, but %s has one: write Dense(classes), or for yes or no nnkit.Hinge",
			call, o.where)
	}
	return nil
}

// signs says whether y tells yes from no, in one of two ways.
func signs(call, name string, y *Tensor) error {
	zero, minus := -1, -1
	for i, v := range y.data {
		switch v {
		case 0:
			zero = i
		case -1:
			minus = i
		case 1:
		default:
			return fmt.Errorf("%s is %v at %s, but %s wants -1 or 1, or 0 or 1", name, v, y.place(i), call)
		}
		if zero >= 0 && minus >= 0 {
			return fmt.Errorf("%s is 0 at %s and -1 at %s, but %s wants one number for no: -1 or 0", name, y.place(zero), y.place(minus), call)
		}
	}
	return nil
}

// margin is 1 - t·p, with t = ±1 for y.
func margin(p, y float32) (m, t float32) {
	t = 1
	if y <= 0 {
		t = -1
	}
	return 1 - float32(t*p), t
}

func hinge(s span) {
	for i, p := range s.p {
		m, t := margin(p, s.y[i])
		if m <= 0 {
			m, t = 0, 0
		}
		s.value[i] = m
		if s.slope != nil {
			s.slope[i] = -t
		}
	}
	s.average()
}

func squaredHinge(s span) {
	for i, p := range s.p {
		m, t := margin(p, s.y[i])
		m = max(m, 0)
		s.value[i] = m * m
		if s.slope != nil {
			s.slope[i] = -2 * t * m
		}
	}
	s.average()
}

func categoricalHinge(s span) {
	for i := range s.losses {
		from := i * s.width
		p, y := s.p[from:from+s.width], s.y[from:from+s.width]
		right, rival := 0.0, 0
		most := float32((1 - y[0]) * p[0])
		for k, v := range p {
			right += float64(float64(y[k]) * float64(v))
			if w := float32((1 - y[k]) * v); w > most {
				most, rival = w, k
			}
		}
		s.losses[i] = max(0, float64(most)-right+1)
		if s.slope == nil {
			continue
		}
		slope := s.slope[from : from+s.width]
		if s.losses[i] == 0 {
			clear(slope)
			continue
		}
		// times width, since the slopes are averaged
		for k := range slope {
			slope[k] = -y[k] * float32(s.width)
		}
		slope[rival] += (1 - y[rival]) * float32(s.width)
	}
}
