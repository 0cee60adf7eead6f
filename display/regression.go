package display

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Regression draws predictions against truths, on the dotted diagonal where they agree, with R², the root mean squared and the mean absolute
// error; beside it what is left over, truth less prediction, against the prediction: a shape in it is something that the model has
// not learnt.
func Regression[T Float](truth, predicted []T, options ...Option) *Figure {
	if problem := paired("truths", len(truth), "predictions", len(predicted)); problem != "" {
		return note(problem, options)
	}
	var agree, rest plotter.XYs
	var truths, residuals []float64
	lost := 0
	both, across := newSpan(), newSpan()
	var squares, distance float64
	for i := range truth {
		y, p := float64(truth[i]), float64(predicted[i])
		if !finite(y) || !finite(p) {
			lost++
			continue
		}
		both.include([]float64{y, p})
		across.include([]float64{p})
		agree = append(agree, plotter.XY{X: y, Y: p})
		rest = append(rest, plotter.XY{X: p, Y: y - p})
		truths, residuals = append(truths, y), append(residuals, y-p)
		squares += (y - p) * (y - p)
		distance += math.Abs(y - p)
	}
	if len(agree) == 0 {
		return note("nothing to draw: no row has both a truth and a prediction that are numbers", options)
	}
	f := &Figure{columns: 2, settings: resolve(760, 410, options)}
	t := f.theme
	n := float64(len(agree))
	score := "R² is not defined, all truths are equal"
	if _, sd := moments(truths); sd > 0 {
		score = fmt.Sprintf("R² %.4f", 1-squares/(n*sd*sd))
	}
	radius := vg.Length(min(max(2.4-0.3*math.Log10(n/30), 1.1), 2.4))
	dots := draw.GlyphStyle{Color: t.hue(0).strong, Radius: radius, Shape: disc{}}
	dots.Color = translucent(t.hue(0).strong, min(max(8/math.Sqrt(n), 0.25), 0.8))
	pl := t.newPlot()
	lo, hi := both.padded()
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = lo, hi, lo, hi
	pl.X.Label.Text, pl.Y.Label.Text = "truth", "prediction"
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 6}, steps{n: 6}
	pl.Add(&plotter.Line{XYs: plotter.XYs{{X: lo, Y: lo}, {X: hi, Y: hi}}, LineStyle: t.dotted()})
	pl.Add(&plotter.Scatter{XYs: agree, GlyphStyle: dots})
	p := &panel{plot: pl, shape: 1, title: "prediction", caption: fmt.Sprintf("%s, RMSE %s, MAE %s", score, short(math.Sqrt(squares/n)), short(distance/n))}
	if lost > 0 {
		p.warning = fmt.Sprintf("left out: %s with a value that is no number", count(lost, "row"))
	}
	f.add(p, len(agree))

	over := newSpan()
	over.include(residuals)
	mean, sd := moments(residuals)
	r := t.newPlot()
	r.X.Min, r.X.Max = across.padded()
	r.Y.Min, r.Y.Max = over.around().padded()
	r.X.Label.Text, r.Y.Label.Text = "prediction", "truth − prediction"
	r.X.Tick.Marker, r.Y.Tick.Marker = steps{n: 6}, steps{n: 6}
	r.Add(&plotter.Line{XYs: plotter.XYs{{X: r.X.Min, Y: 0}, {X: r.X.Max, Y: 0}}, LineStyle: t.dotted()})
	r.Add(&plotter.Scatter{XYs: rest, GlyphStyle: dots})
	f.add(&panel{plot: r, shape: 1, title: "residuals", caption: fmt.Sprintf("mean %s ± %s", short(mean), short(sd))}, len(rest))
	f.about = fmt.Sprintf("regression of %s: %s", count(len(agree), "row"), p.caption)
	return f
}
