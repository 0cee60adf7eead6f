package display

import (
	"math"
	"strconv"

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
