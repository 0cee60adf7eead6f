package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// stepper is an optimizer at work on one model.
type stepper struct {
	o        *optimizer
	schedule Schedule
	rate     float64 // of the last batch, or as set for the next
	batches  int     // trained on so far
	groups   []group // the first is of the parameters that no ParameterGroup matches
	// What a step goes over.
	list        []stretch
	constrained []*Parameter
	memory      rememberer
	clipper     clipper
	gathered    gathered
	average     movingAverage
	sweep       sweep
}

// group is a formula at work on some parameters.
type group struct {
	rule
	factor float64 // of the learning rate
	decay  float64
	// matched says that there are parameters in it.
	matched bool
}

// stretch is a range of the weights that are in the same group.
type stretch struct{ lo, hi, group int }

func (o *optimizer) start(n int) *stepper {
	s := &stepper{o: o, schedule: o.rate, rate: o.rate.Rate(0), memory: rememberer{n: n}}
	add := func(factor, decay float64) {
		s.groups = append(s.groups, group{rule: o.formula.rule(o, &s.memory), factor: factor, decay: decay})
	}
	add(1, o.decay)
	for _, g := range o.groups {
		decay := o.decay
		if g.decay != nil {
			decay = *g.decay
		}
		add(g.factor, decay)
	}
	s.list = []stretch{{0, n, 0}}
	s.average.averaging = o.average
	return s
}

// stepMemory points to what an optimizer remembers, under names: numbers, which may be of any type that JSON can hold,
// and arrays of as many numbers as there are weights, nil where there is none yet.
type stepMemory struct {
	numbers map[string]any
	arrays  map[string]*[]float32
}

// remembered lists what is to be written to a file and read from it.
func (s *stepper) remembered() stepMemory {
	m := stepMemory{
		map[string]any{
			"rate": &s.rate, "batches": &s.batches, "gathered_batches": &s.gathered.batches, "gathered_rows": &s.gathered.rows, "shown": &s.average.shown,
		},
		map[string]*[]float32{"gathered": &s.gathered.mean, "average": &s.average.mean, "weights": &s.average.other},
	}
	for i := range s.memory.arrays {
		m.arrays[fmt.Sprintf("state_%d", i)] = &s.memory.arrays[i]
	}
	for i, g := range s.groups {
		if r, ok := g.rule.(interface{ numbers() []any }); ok {
			for k, v := range r.numbers() {
				m.numbers[fmt.Sprintf("group_%d_%d", i, k)] = v
			}
		}
	}
	return m
}

// arrange finds out which weights are in which group, less those of parameters that are not trained. It is done at the
// beginning of each epoch, since parameters may be frozen and freed between them.
func (s *stepper) arrange(parameters []*Parameter) error {
	s.list, s.constrained = s.list[:0], s.constrained[:0]
	for i := range s.groups {
		s.groups[i].matched = false
	}
	_, apart := s.o.formula.(*ownFormula)
	at := 0
	for _, p := range parameters {
		lo, hi := at, at+aligned(p.Len())
		at = hi
		index := s.groupOf(p)
		s.groups[index].matched = true
		if !p.Trainable() {
			continue
		}
		if p.constraint != nil {
			s.constrained = append(s.constrained, p)
		}
		if n := len(s.list); !apart && n > 0 && s.list[n-1].group == index && s.list[n-1].hi == lo {
			s.list[n-1].hi = hi
			continue
		}
		s.list = append(s.list, stretch{lo, hi, index})
	}
	for i := range s.o.groups {
		if !s.groups[1+i].matched {
			return fmt.Errorf("%s: ParameterGroup %d matches no parameter, or an earlier one takes all that it matches: the parameters are named as %q is",
				s.o.name, i+1, parameters[0].name)
		}
	}
	if apart {
		for i := range s.groups {
			s.groups[i].rule.(*ownRule).know(parameters)
		}
	}
	return nil
}

// groupOf returns the index of a parameter's group.
func (s *stepper) groupOf(p *Parameter) int {
	for i, g := range s.o.groups {
		if g.match(p.name) {
			return 1 + i
		}
	}
	return 0
}

// learningRate returns the rate of the next batch.
func (s *stepper) learningRate() (float64, error) {
	if s.schedule.rate == nil {
		return s.rate, nil
	}
	rate := s.schedule.Rate(s.batches)
	if !(rate >= 0) || math.IsInf(rate, 1) {
		return 0, fmt.Errorf("the learning rate of %s is %v after %s: it must be a number of at least 0",
			s.schedule, rate, countOf(s.batches, "batch", "batches"))
	}
	return rate, nil
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// step changes the weights of m by its gradients, which are those of a batch of so many rows.
func (s *stepper) step(m *Model, rows int) error {
	rate, err := s.learningRate()
	if err != nil {
		return err
	}
	s.rate = rate
	s.batches++
	if s.o.accumulate > 1 && !s.gathered.add(m.gradients, rows, s.o.accumulate) {
		return nil
	}
	s.clipper.clip(&s.o.clip, m)
	for i := range s.groups {
		g := &s.groups[i]
		rate := float64(s.rate * g.factor)
		g.next(rate, 1-float64(rate*g.decay))
	}
	for _, r := range s.list {
		s.sweep.run(s.groups[r.group].rule, m.weights, m.gradients, r.lo, r.hi)
	}
	for _, p := range s.constrained {
		p.constraint.apply(p)
	}
	s.average.add(m.weights)
	return nil
}

// sweep is a rule's step over a range of the weights, split over the cores if it is long.
type sweep struct {
	rule   rule
	w, g   []float32
	lo, hi int
}

const sweepBlock = 1 << 14

func (t *sweep) run(r rule, w, g []float32, lo, hi int) {
	if _, whole := r.(*ownRule); whole || hi-lo < 2*sweepBlock {
		r.apply(w, g, lo, hi)
		return
	}
	*t = sweep{r, w, g, lo, hi}
	parallel.Run((hi-lo+sweepBlock-1)/sweepBlock, t)
}

// Block implements parallel.Task.
func (t *sweep) Block(i int) {
	lo := t.lo + i*sweepBlock
	t.rule.apply(t.w, t.g, lo, min(t.hi, lo+sweepBlock))
}

// gathered are gradients of several batches.
type gathered struct {
	mean    []float32
	batches int
	rows    int
}

// add takes a batch in. When there are enough it writes their mean, which counts every row as much, and begins anew.
func (a *gathered) add(g []float32, rows, enough int) bool {
	if a.mean == nil {
		a.mean = make([]float32, len(g))
	}
	a.batches++
	a.rows += rows
	if a.batches == 1 {
		copy(a.mean, g)
	} else {
		simd.Average(a.mean, g, float32(float64(rows)/float64(a.rows)))
	}
	if a.batches < enough {
		return false
	}
	copy(g, a.mean)
	a.batches, a.rows = 0, 0
	return true
}

// AccumulationOption is the result of [GradientAccumulation].
type AccumulationOption struct {
	forOptimizers
	batches int
}

// GradientAccumulation lets an optimizer change the weights only after so many batches, by the mean gradient of all their
// rows: as after one batch of them all, but for the rounding of the gradient. Memory is that of one batch. What is
// gathered at the end of an epoch, or of a Fit, counts with what comes next. A [Schedule] goes on with each batch, as in
// Keras. (A layer that looks at its whole batch, such as a batch normalization, sees the small one.)
func GradientAccumulation(batches int) AccumulationOption {
	return AccumulationOption{batches: batches}
}

func (o AccumulationOption) setOptimizer(s *optimizer) {
	s.accumulate = o.batches
	if o.batches < 1 {
		s.err = fmt.Errorf("%s(GradientAccumulation(%d)): the number of batches must be at least 1", s.name, o.batches)
	}
}
