package nnkit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Schedule changes the learning rate from batch to batch: it is a function of how many batches the model has been trained
// on, in all calls of Fit since it was compiled. Give one to [LearningRate]. [ExponentialDecay], [InverseTimeDecay],
// [PolynomialDecay], [PiecewiseConstantDecay], [CosineDecay], [CosineDecayRestarts], [Warmup] and [OneCycle] make one, and
// [ScheduleFunc] makes one of your own. Formulas and defaults are Keras' where it has the schedule.
type Schedule struct {
	text    string
	initial float64 // the rate, of a constant one
	rate    func(step int) float64
	source  func() (string, error) // its call, for a file; nil if that is its text
	err     error
}

// Rate returns the learning rate of a batch, the first being 0.
func (s Schedule) Rate(step int) float64 {
	if s.rate == nil {
		return s.initial
	}
	return s.rate(step)
}

// String returns the schedule as it was written: "CosineDecay(0.1, 2000)".
func (s Schedule) String() string { return s.text }

// written is the schedule as a file has it.
func (s Schedule) written() (string, error) {
	if s.source != nil {
		return s.source()
	}
	return s.text, nil
}

func (s Schedule) constant() bool { return s.rate == nil && s.err == nil }

func constantRate(rate float64) Schedule { return Schedule{text: fmt.Sprint(rate), initial: rate} }

// ScheduleFunc makes a schedule of a function that returns the learning rate, above 0, for a batch, the first being 0. The
// name is what the optimizer's summary calls it.
func ScheduleFunc(name string, rate func(step int) float64) Schedule {
	s := Schedule{text: name, rate: rate, source: func() (string, error) { return registeredSource("Schedule", Schedule{}, name) }}
	if rate == nil {
		s.err = fmt.Errorf("ScheduleFunc(%q, nil): the function is missing", name)
	}
	return s
}

// newSchedule checks numbers of a call, whose text it is, before it takes the function.
func newSchedule(name, arguments string, rate func(step int) float64, settings ...setting) Schedule {
	return Schedule{text: name + "(" + arguments + ")", rate: rate, err: checkSettings(name, settings...)}
}

// ScheduleOption is an option of the schedules that say so.
type ScheduleOption struct {
	name  string
	value float64
}

// Staircase lets an [ExponentialDecay] or an [InverseTimeDecay] go down in steps, each decaySteps batches long.
func Staircase() ScheduleOption { return ScheduleOption{"Staircase", 1} }

// EndLearningRate is where a [PolynomialDecay] ends; 0.0001 by default.
func EndLearningRate(rate float64) ScheduleOption { return ScheduleOption{"EndLearningRate", rate} }

// Power is the exponent of a [PolynomialDecay]; 1 by default.
func Power(p float64) ScheduleOption { return ScheduleOption{"Power", p} }

// Cycle lets a [PolynomialDecay] rise again when it has reached its end, and go down to a later one.
func Cycle() ScheduleOption { return ScheduleOption{"Cycle", 1} }

// Alpha is the share of its first rate that a [CosineDecay], or one with restarts, ends at; 0 by default.
func Alpha(share float64) ScheduleOption { return ScheduleOption{"Alpha", share} }

// TMul is how much longer each period of a [CosineDecayRestarts] is than the one before; 2 by default.
func TMul(factor float64) ScheduleOption { return ScheduleOption{"TMul", factor} }

// MMul is by what each period of a [CosineDecayRestarts] multiplies the rate that it begins with; 1 by default.
func MMul(factor float64) ScheduleOption { return ScheduleOption{"MMul", factor} }

// PercentStart is the share of a [OneCycle] in which the rate rises; 0.3 by default.
func PercentStart(share float64) ScheduleOption { return ScheduleOption{"PercentStart", share} }

// DivFactor is how many times smaller than its largest rate a [OneCycle]'s first is; 25 by default.
func DivFactor(factor float64) ScheduleOption { return ScheduleOption{"DivFactor", factor} }

// FinalDivFactor is how many times smaller than its first rate a [OneCycle]'s last is; 10,000 by default.
func FinalDivFactor(factor float64) ScheduleOption { return ScheduleOption{"FinalDivFactor", factor} }

// chosen is what the options of a schedule say.
type chosen struct {
	text   string
	values map[string]float64
	err    error
}

// choose reads options that a schedule knows, each with its default.
func choose(call string, options []ScheduleOption, known map[string]float64) chosen {
	c := chosen{values: known}
	for _, o := range options {
		if _, ok := known[o.name]; !ok {
			c.err = fmt.Errorf("%s: %s is not an option of it", call, o.name)
			return c
		}
		known[o.name] = o.value
		switch o.name {
		case "Staircase", "Cycle":
			c.text += ", " + o.name
		default:
			c.text += fmt.Sprintf(", %s(%v)", o.name, o.value)
		}
	}
	return c
}

func (c *chosen) finish(s Schedule) Schedule {
	if c.err != nil {
		s.err = c.err
	}
	return s
}

// ExponentialDecay is initial·decayRate^(step/decaySteps). The option is [Staircase].
func ExponentialDecay(initial float64, decaySteps int, decayRate float64, options ...ScheduleOption) Schedule {
	return decayed("ExponentialDecay", initial, decaySteps, decayRate, options, func(p float64) float64 {
		return initial * powerOf(decayRate, p)
	})
}

// InverseTimeDecay is initial/(1+decayRate·step/decaySteps). The option is [Staircase].
func InverseTimeDecay(initial float64, decaySteps int, decayRate float64, options ...ScheduleOption) Schedule {
	return decayed("InverseTimeDecay", initial, decaySteps, decayRate, options, func(p float64) float64 {
		return initial / (1 + float64(decayRate*p))
	})
}

// decayed is a schedule by the number of periods that are over.
func decayed(name string, initial float64, steps int, rate float64, options []ScheduleOption, of func(p float64) float64) Schedule {
	c := choose(name, options, map[string]float64{"Staircase": 0})
	stairs := c.values["Staircase"] != 0
	return c.finish(newSchedule(name, fmt.Sprintf("%v, %d, %v%s", initial, steps, rate, c.text), func(step int) float64 {
		p := float64(step) / float64(steps)
		if stairs {
			p = math.Floor(p)
		}
		return of(p)
	}, setting{"initial", initial, positive}, setting{"decaySteps", float64(steps), positive}, setting{"decayRate", rate, positive}))
}

// PolynomialDecay goes from initial to an end in decaySteps batches: (initial-end)·(1-step/decaySteps)^power + end. Options
// are [EndLearningRate], [Power] and [Cycle].
func PolynomialDecay(initial float64, decaySteps int, options ...ScheduleOption) Schedule {
	const name = "PolynomialDecay"
	c := choose(name, options, map[string]float64{"EndLearningRate": 0.0001, "Power": 1, "Cycle": 0})
	end, exponent, cycle := c.values["EndLearningRate"], c.values["Power"], c.values["Cycle"] != 0
	return c.finish(newSchedule(name, fmt.Sprintf("%v, %d%s", initial, decaySteps, c.text), func(step int) float64 {
		over := float64(step) / float64(decaySteps)
		if cycle {
			over /= max(1, math.Ceil(over))
		}
		return float64((initial-end)*powerOf(1-min(over, 1), exponent)) + end
	}, setting{"initial", initial, positive}, setting{"decaySteps", float64(decaySteps), positive},
		setting{"EndLearningRate", end, notNegative}, setting{"Power", exponent, positive}))
}

// PiecewiseConstantDecay is values[0] up to and including batch boundaries[0], then values[1] up to boundaries[1], and the
// last value from then on: there is one more of them. Boundaries rise.
func PiecewiseConstantDecay(boundaries []int, values []float64) Schedule {
	boundaries, values = slices.Clone(boundaries), slices.Clone(values)
	const name = "PiecewiseConstantDecay"
	s := newSchedule(name, listText("int", boundaries)+", "+listText("float64", values), func(step int) float64 {
		at, _ := slices.BinarySearch(boundaries, step)
		return values[at]
	})
	for _, v := range values {
		if s.err == nil {
			s.err = checkSettings(name, setting{"value", v, positive})
		}
	}
	switch {
	case len(values) != len(boundaries)+1:
		s.err = fmt.Errorf("%s: %d boundaries want %d values, one more, and there are %d", name, len(boundaries), len(boundaries)+1, len(values))
	case !slices.IsSorted(boundaries) || len(slices.Compact(slices.Clone(boundaries))) < len(boundaries):
		s.err = fmt.Errorf("%s: the boundaries %v must rise", name, boundaries)
	}
	return s
}

// listText writes numbers as in Go: []int{1, 2}.
func listText[N int | float64](kind string, numbers []N) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = fmt.Sprint(n)
	}
	return "[]" + kind + "{" + strings.Join(texts, ", ") + "}"
}

// CosineDecay goes down half a wave of the cosine in decaySteps batches, from initial to [Alpha] of it. In the place of
// Keras' warmup_steps a [Warmup] goes before it. I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
func CosineDecay(initial float64, decaySteps int, options ...ScheduleOption) Schedule {
	const name = "CosineDecay"
	c := choose(name, options, map[string]float64{"Alpha": 0})
	alpha := c.values["Alpha"]
	return c.finish(newSchedule(name, fmt.Sprintf("%v, %d%s", initial, decaySteps, c.text), func(step int) float64 {
		return initial * halfWave(1, alpha, min(1, float64(step)/float64(decaySteps)))
	}, setting{"initial", initial, positive}, setting{"decaySteps", float64(decaySteps), positive}, setting{"Alpha", alpha, notNegative}))
}

// CosineDecayRestarts goes down as [CosineDecay] in firstDecaySteps batches, begins again, and so on. Options are [TMul],
// [MMul] and [Alpha].
func CosineDecayRestarts(initial float64, firstDecaySteps int, options ...ScheduleOption) Schedule {
	const name = "CosineDecayRestarts"
	c := choose(name, options, map[string]float64{"TMul": 2, "MMul": 1, "Alpha": 0})
	longer, higher, alpha := c.values["TMul"], c.values["MMul"], c.values["Alpha"]
	s := newSchedule(name, fmt.Sprintf("%v, %d%s", initial, firstDecaySteps, c.text), func(step int) float64 {
		left, period, height := float64(step), float64(firstDecaySteps), 1.0
		for left >= period {
			left -= period
			period = float64(period * longer)
			height *= higher
		}
		return initial * halfWave(float64(height*(1-alpha))+alpha, alpha, left/period)
	}, setting{"initial", initial, positive}, setting{"firstDecaySteps", float64(firstDecaySteps), positive},
		setting{"MMul", higher, positive}, setting{"Alpha", alpha, notNegative})
	if s.err == nil && !(longer >= 1) {
		s.err = fmt.Errorf("%s(TMul(%v)): it must be at least 1", name, longer)
	}
	return c.finish(s)
}

// Warmup raises the rate from near 0 to where another schedule, or a number, begins, in equal steps over so many batches;
// then that one begins:
//
//	nnkit.LearningRate(nnkit.Warmup(500, nnkit.CosineDecay(0.1, 10000)))
//
// The first batch has 1/steps of the rate (that of Keras' CosineDecay with warmup_steps has nothing, and learns nothing). P. Goyal and others, Accurate, large minibatch SGD, 2017.
func Warmup[R int | float64 | Schedule](steps int, rate R) Schedule {
	then := LearningRate(rate).rate
	s := newSchedule("Warmup", fmt.Sprintf("%d, %s", steps, then), func(step int) float64 {
		if step < steps {
			return then.Rate(0) * float64(step+1) / float64(steps)
		}
		return then.Rate(step - steps)
	}, setting{"steps", float64(steps), positive})
	if then.source != nil {
		s.source = func() (string, error) {
			text, err := then.written()
			return fmt.Sprintf("Warmup(%d, %s)", steps, text), err
		}
	}
	if then.err != nil {
		s.err = then.err
	}
	if then.constant() && s.err == nil {
		s.err = checkSettings("Warmup", setting{"rate", then.initial, positive})
	}
	return s
}

// OneCycle raises the rate to most and takes it down to nearly nothing, both by half a wave of the cosine, over all
// totalSteps batches of a training: PyTorch's OneCycleLR, without its cycle of momenta. Options are [PercentStart],
// [DivFactor] and [FinalDivFactor]. L. N. Smith and N. Topin, Super-convergence, 2018.
func OneCycle(most float64, totalSteps int, options ...ScheduleOption) Schedule {
	const name = "OneCycle"
	c := choose(name, options, map[string]float64{"PercentStart": 0.3, "DivFactor": 25, "FinalDivFactor": 1e4})
	first := most / c.values["DivFactor"]
	last := first / c.values["FinalDivFactor"]
	top, end := float64(c.values["PercentStart"]*float64(totalSteps))-1, float64(totalSteps-1)
	s := newSchedule(name, fmt.Sprintf("%v, %d%s", most, totalSteps, c.text), func(step int) float64 {
		if at := float64(step); at <= top {
			return halfWave(first, most, at/top)
		}
		return halfWave(most, last, min(1, (float64(step)-top)/(end-top)))
	}, setting{"most", most, positive}, setting{"totalSteps", float64(totalSteps), positive},
		setting{"PercentStart", c.values["PercentStart"], share},
		setting{"DivFactor", c.values["DivFactor"], positive}, setting{"FinalDivFactor", c.values["FinalDivFactor"], positive})
	if s.err == nil && top < 1 {
		s.err = fmt.Errorf("%s(%v, %d): it wants at least %.0f batches, so that there is a rise: give the epochs times the batches of one",
			name, most, totalSteps, math.Ceil(2/c.values["PercentStart"]))
	}
	return c.finish(s)
}

// halfWave goes from one number to another by half a wave of the cosine, as p goes from 0 to 1.
func halfWave(from, to, p float64) float64 {
	return to + float64((from-to)*0.5*(1+cosinePi(p)))
}

// powerOf is bˣ for b and x of at least 0, with the same bits on every machine.
func powerOf(b, x float64) float64 {
	whole := math.Floor(x)
	y := 1.0
	if rest := x - whole; rest > 0 {
		if b == 0 {
			return 0
		}
		y = simd.Exp64(rest * simd.Log64(b))
	}
	for n := int(min(whole, 1<<40)); n > 0; n >>= 1 {
		if n&1 != 0 {
			y *= b
		}
		b *= b
	}
	return y
}

// cosinePi is cos(π·p) for p from 0 to 1, with the same bits on every machine: the sine's series around its zero.
func cosinePi(p float64) float64 {
	x := math.Pi * (0.5 - p)
	square, term, sum := float64(x*x), x, x
	for n := 2.0; n < 24; n += 2 {
		term = float64(term * (-square / (n * (n + 1))))
		sum += term
	}
	return min(max(sum, -1), 1)
}
