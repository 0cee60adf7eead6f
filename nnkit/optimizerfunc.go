package nnkit

import "fmt"

// Step is what an optimizer of one's own sees of one parameter in one step.
type Step struct {
	Parameter *Parameter
	Weights   []float32   // to be changed
	Gradient  []float32   // of the mean loss, clipped
	State     [][]float32 // as many arrays as were asked for, as long as Weights, zero before the first step
	Rate      float64     // the learning rate
	Count     int         // of the step, from 1
}

// OptimizerFunc makes an optimizer of a function that takes one step for one parameter; state is how many arrays of
// numbers it remembers for each. The default learning rate is 0.001, and all options of optimizers work. This is Signum,
// which goes by the sign of its momentum:
//
//	signum := nnkit.OptimizerFunc("Signum", 1, func(s *nnkit.Step) {
//		m, rate := s.State[0], float32(s.Rate)
//		for i, g := range s.Gradient {
//			m[i] = 0.9*m[i] + 0.1*g
//			if m[i] > 0 {
//				s.Weights[i] -= rate
//			} else if m[i] < 0 {
//				s.Weights[i] += rate
//			}
//		}
//	}, nnkit.LearningRate(0.01))
//
// The function is called for one parameter after another, in their order, and must not keep s.
func OptimizerFunc(name string, state int, step func(s *Step), options ...OptimizerOption) Optimizer {
	o := optimizer{name: name, formula: &ownFormula{state, step}}
	switch {
	case step == nil:
		o.err = fmt.Errorf("OptimizerFunc(%q, %d, nil): the function is missing", name, state)
	case state < 0:
		o.err = fmt.Errorf("OptimizerFunc(%q, %d, …): the number of arrays must be at least 0", name, state)
	}
	return newOptimizer(o, 0.001, options)
}

type ownFormula struct {
	state int
	step  func(s *Step)
}

func (f *ownFormula) settings(*optimizer) []setting { return nil }

func (f *ownFormula) rule(_ *optimizer, m *rememberer) rule {
	r := &ownRule{function: f.step, arrays: make([][]float32, f.state)}
	for i := range r.arrays {
		r.arrays[i] = m.array(i)
	}
	r.step.State = make([][]float32, f.state)
	return r
}

type ownRule struct {
	plainStep
	function func(s *Step)
	step     Step
	arrays   [][]float32
	at       map[int]*Parameter // by where their weights begin
}

// know tells the rule where parameters are.
func (r *ownRule) know(parameters []*Parameter) {
	if len(r.at) == len(parameters) {
		return
	}
	r.at = make(map[int]*Parameter, len(parameters))
	at := 0
	for _, p := range parameters {
		r.at[at] = p
		at += aligned(p.Len())
	}
}

func (r *ownRule) numbers() []any { return []any{&r.step.Count} }

func (r *ownRule) next(rate, keep float64) {
	r.plainStep.next(rate, keep)
	r.step.Rate = rate
	r.step.Count++
}

func (r *ownRule) apply(w, g []float32, lo, _ int) {
	s := &r.step
	s.Parameter = r.at[lo]
	hi := lo + s.Parameter.Len()
	s.Weights, s.Gradient = w[lo:hi:hi], g[lo:hi:hi]
	for i, a := range r.arrays {
		s.State[i] = a[lo:hi:hi]
	}
	r.shrink(s.Weights)
	r.function(s)
}
