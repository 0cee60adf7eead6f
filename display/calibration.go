package display

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// calibrationBins is into how many equal parts probabilities are put.
const calibrationBins = 10

// Calibration draws how often class 1 was true where its predicted probability was about p: on the dotted diagonal when probabilities
// can be believed, below it when they are too high. Upright lines are 95 % intervals (Wilson, 1927). Beside it stands how often each
// probability was predicted. The caption gives the expected calibration error over ten bins (Naeini and others, 2015) and the Brier
// score (1950), the mean squared error of the probability.
//
// Probabilities are of class 1, or the confidence in the predicted class with truth 1 where it was right.
func Calibration[T Float](truth []int, probabilities []T, options ...Option) *Figure {
	if problem := paired("truths", len(truth), "probabilities", len(probabilities)); problem != "" {
		return note(problem, options)
	}
	var n, hits [calibrationBins]int
	var sum [calibrationBins]float64
	used, lost := 0, 0
	brier := 0.0
	for i, label := range truth {
		p := float64(probabilities[i])
		switch {
		case label != 0 && label != 1:
			return note(fmt.Sprintf("nothing to draw: the truth of row %d is %d; it must be 0 or 1", i, label), options)
		case math.IsNaN(p):
			lost++
			continue
		case p < 0 || p > 1:
			return note(fmt.Sprintf("nothing to draw: the probability of row %d is %g; it must lie in 0 to 1: pass what a sigmoid or softmax gives", i, p), options)
		}
		bin := min(int(p*calibrationBins), calibrationBins-1)
		n[bin]++
		hits[bin] += label
		sum[bin] += p
		used++
		brier += (p - float64(label)) * (p - float64(label))
	}
	if used == 0 {
		return note("nothing to draw: every probability is NaN", options)
	}
	f := &Figure{columns: 2, settings: resolve(760, 400, options)}
	t := f.theme
	hue := t.hue(0)
	pl := t.unitPlot("mean predicted probability", "share that was true")
	pl.Add(&plotter.Line{XYs: plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}, LineStyle: t.dotted()})
	var xys plotter.XYs
	var bars []plotter.HistogramBin
	var errs intervals
	expected, most := 0.0, 0.0
	for i := range n {
		bars = append(bars, plotter.HistogramBin{Min: float64(i) / calibrationBins, Max: float64(i+1) / calibrationBins, Weight: float64(n[i])})
		most = math.Max(most, float64(n[i]))
		if n[i] == 0 {
			continue
		}
		mean, rate := sum[i]/float64(n[i]), float64(hits[i])/float64(n[i])
		lo, hi := wilson(hits[i], n[i])
		xys = append(xys, plotter.XY{X: mean, Y: rate})
		errs.at = append(errs.at, interval{mean, lo, hi})
		expected += float64(n[i]) / float64(used) * math.Abs(mean-rate)
	}
	errs.LineStyle = draw.LineStyle{Color: hue.soft, Width: vg.Length(0.75)}
	pl.Add(errs)
	addLine(pl, xys, draw.LineStyle{Color: hue.strong, Width: vg.Length(1.5)}, false)
	pl.Add(&plotter.Scatter{XYs: xys, GlyphStyle: t.classMark(0, 2.5)})
	p := &panel{plot: pl, title: "calibration", shape: 1, caption: fmt.Sprintf("calibration error %.4f, Brier score %.4f", expected, brier/float64(used))}
	if lost > 0 {
		p.warning = fmt.Sprintf("left out: %d NaN", lost)
	}
	f.add(p, 3*len(xys))

	h := t.newPlot()
	h.Add(&plotter.Histogram{Bins: bars, Width: 1.0 / calibrationBins, FillColor: hue.fill, LineStyle: draw.LineStyle{Color: t.card, Width: vg.Length(0.5)}})
	h.X.Label.Text, h.Y.Label.Text = "predicted probability", "examples"
	h.X.Min, h.X.Max, h.Y.Min, h.Y.Max = 0, 1, 0, most*1.04
	h.X.Tick.Marker, h.Y.Tick.Marker = steps{n: 5}, whole{n: 5}
	f.add(&panel{plot: h, title: "how often", shape: 1, caption: count(used, "example")}, len(bars))
	f.about = "calibration: " + p.caption
	return f
}

// wilson is the interval that holds the true share of hits among n with a probability of 95 %.
func wilson(hits, n int) (lo, hi float64) {
	const z = 1.959964
	N := float64(n)
	share := float64(hits) / N
	mid := (share + z*z/(2*N)) / (1 + z*z/N)
	half := z / (1 + z*z/N) * math.Sqrt(share*(1-share)/N+z*z/(4*N*N))
	return max(0, mid-half), min(1, mid+half)
}

type interval struct{ x, lo, hi float64 }

// intervals are upright lines.
type intervals struct {
	draw.LineStyle
	at []interval
}

// Plot draws the lines, as plot.Plotter wants it.
func (e intervals) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, i := range e.at {
		c.StrokeLine2(e.LineStyle, x(i.x), y(i.lo), x(i.x), y(i.hi))
	}
}
