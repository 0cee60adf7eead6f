package display

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// steps marks an axis at round distances (1, 2 or 5 times a power of ten), at most about n of them, and writes all
// its labels with the same number of decimals.
type steps struct{ n int }

func (s steps) Ticks(lo, hi float64) []plot.Tick {
	step := roundStep((hi - lo) / float64(max(s.n, 1)))
	if step <= 0 || math.IsInf(step, 0) || math.IsNaN(step) {
		return []plot.Tick{{Value: lo, Label: number(lo)}}
	}
	for range 4 { // one mark is no scale
		if math.Floor(hi/step+1e-6)-math.Ceil(lo/step-1e-6) >= 1 {
			break
		}
		step = roundStep(step * 0.4)
	}
	decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	var ticks []plot.Tick
	slack := step * 1e-6
	for i := math.Ceil((lo - slack) / step); i*step <= hi+slack; i++ {
		v := i * step
		if i == 0 {
			v = 0 // not -0
		}
		label := strconv.FormatFloat(v, 'f', decimals, 64)
		if a := math.Max(math.Abs(lo), math.Abs(hi)); a >= 1e5 || a < 1e-3 {
			label = strconv.FormatFloat(v, 'g', 3, 64)
		}
		if v == 0 {
			label = "0"
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}

// whole marks whole numbers only: epochs, counts. With from above zero the first of them is marked too, since a
// run starts at epoch 1 and not at 5.
type whole struct {
	n    int
	from float64
}

func (w whole) Ticks(lo, hi float64) []plot.Tick {
	step := math.Max(1, roundStep((hi-lo)/float64(max(w.n, 1))))
	var ticks []plot.Tick
	if w.from > 0 && step >= 5 && w.from >= lo {
		ticks = append(ticks, plot.Tick{Value: w.from, Label: strconv.FormatFloat(w.from, 'f', 0, 64)})
	}
	for i := math.Ceil(lo / step); i*step <= hi; i++ {
		v := i * step
		if i == 0 {
			v = 0
		}
		label := strconv.FormatFloat(v, 'f', 0, 64)
		if math.Abs(v) >= 1e6 {
			label = strconv.FormatFloat(v, 'g', 3, 64)
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}

// logarithmic makes an axis logarithmic over bounds above zero, with about n ticks.
func logarithmic(a *plot.Axis, bounds span, n int) {
	a.Scale = plot.LogScale{}
	a.Tick.Marker = decades{n}
	room := math.Pow(bounds.hi/bounds.lo, 0.04)
	if room < 1.02 || math.IsInf(room, 0) {
		room = 1.02
	}
	a.Min, a.Max = max(bounds.lo/room, math.SmallestNonzeroFloat64), min(bounds.hi*room, math.MaxFloat64)
}

// decades marks a logarithmic axis at powers of ten, about n of them, and where there are few at 2 and 5 times those too.
type decades struct{ n int }

func (d decades) Ticks(lo, hi float64) []plot.Tick {
	if !(lo > 0) || math.IsInf(hi, 0) || hi <= lo {
		return []plot.Tick{{Value: lo, Label: number(lo)}}
	}
	first, last := math.Ceil(math.Log10(lo)-1e-9), math.Floor(math.Log10(hi)+1e-9)
	multiples := []float64{1}
	if last-first < 2 {
		multiples = []float64{1, 2, 5}
	}
	every := math.Max(1, roundStep((last-first+1)/float64(max(d.n, 1))))
	var ticks []plot.Tick
	for e := first - 1; e <= last; e++ {
		if math.Mod(e, every) != 0 {
			continue
		}
		for _, m := range multiples {
			if v := m * math.Pow(10, e); v >= lo*(1-1e-9) && v <= hi*(1+1e-9) {
				ticks = append(ticks, plot.Tick{Value: v, Label: power(v)})
			}
		}
	}
	if len(ticks) < 3 && last-first < 1 { // so short a stretch of the axis spaces round steps about evenly
		return steps{max(d.n/2, 2)}.Ticks(lo, hi)
	}
	return ticks
}

// power writes a round number: plainly where that is short, 1e-5 where it is not.
func power(v float64) string {
	if v >= 1e-3 && v < 1e5 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', 2, 64), "e")
	exponent = strings.TrimPrefix(strings.Replace(exponent, "-0", "-", 1), "+")
	return strings.TrimSuffix(strings.TrimRight(mantissa, "0"), ".") + "e" + strings.TrimPrefix(exponent, "0")
}

// named marks the places 0, 1, 2 … of an axis, or 0, -1, -2 … where it runs downwards, each by its name; where there is no room
// for all, every second, third and so on.
type named struct {
	names []string
	down  bool
	every int
}

func (m named) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	for i := 0; i < len(m.names); i += max(m.every, 1) {
		v := float64(i)
		if m.down {
			v = -v
		}
		if v >= lo && v <= hi {
			ticks = append(ticks, plot.Tick{Value: v, Label: m.names[i]})
		}
	}
	return ticks
}

// roundStep returns the smallest of 1, 2, 5 times a power of ten that is not below step.
func roundStep(step float64) float64 {
	if step <= 0 || math.IsInf(step, 0) || math.IsNaN(step) {
		return 0
	}
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= step*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// number writes a value for reading: four decimals where that says something, an exponent where it does not.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	case a == 0:
		return "0"
	case a < 1e-3 || a >= 1e5:
		return strconv.FormatFloat(v, 'e', 2, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
}
