package display

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// RangeTest draws the losses of a learning-rate range test (Smith, 2017): training at a rate that grows from batch to batch. The
// rate that [nnkit.SuggestRate] finds in the smoothed losses is marked; [SuggestRate] returns it. What [nnkit.Model.FindLearningRate]
// returns is drawn by [RateTest].
func RangeTest(rates, losses []float64, options ...Option) *Figure {
	if problem := paired("learning rates", len(rates), "losses", len(losses)); problem != "" {
		return note(problem, options)
	}
	var raw plotter.XYs
	for i, rate := range rates {
		if !(rate > 0) || math.IsInf(rate, 1) {
			return note(fmt.Sprintf("nothing to draw: learning rate %d is %g; rates must be above 0", i, rate), options)
		}
		if i > 0 && rate <= rates[i-1] {
			return note(fmt.Sprintf("nothing to draw: learning rate %d is %g after %g; the rates of a range test must grow", i, rate, rates[i-1]), options)
		}
		if finite(losses[i]) {
			raw = append(raw, plotter.XY{X: rate, Y: losses[i]})
		}
	}
	if len(raw) < 2 {
		return note(fmt.Sprintf("nothing to draw: a range test needs two losses at least, and there is %s that is a number", count(len(raw), "loss")), options)
	}
	smooth := make(plotter.XYs, len(raw))
	for i, v := range smoothLosses(losses) {
		smooth[i] = plotter.XY{X: raw[i].X, Y: v}
	}
	rate, ok := SuggestRate(rates, losses)
	f := rangeFigure(raw, smooth, rate, ok, options)
	if c := countBad(losses); c.any() {
		f.panels[0].warning = "left out: " + c.String()
	}
	return f
}

// rangeFigure draws a range test: the losses as measured, which may be nil, those smoothed, and the suggested rate if there is one.
func rangeFigure(raw, smooth plotter.XYs, rate float64, suggested bool, options []Option) *Figure {
	f := &Figure{columns: 1, settings: resolve(560, 340, options)}
	t := f.theme
	hue := t.hue(0)
	p := &panel{title: "learning-rate range test"}
	pl := t.newPlot()
	pale := draw.LineStyle{Color: t.tint(hue.strong, 0.35), Width: vg.Length(0.75)}
	strong := draw.LineStyle{Color: hue.strong, Width: vg.Length(1.5)}
	addLine(pl, raw, pale, false)
	addLine(pl, smooth, strong, false)
	p.keys = []key{{name: "smoothed", line: strong}}
	if raw != nil {
		p.keys = append(p.keys, key{name: "measured", line: pale})
	}
	// A loss that blows up at the end must not flatten all that comes before it.
	bounds := newSpan()
	for _, xy := range smooth {
		bounds.include([]float64{xy.Y})
	}
	bounds.hi = min(bounds.hi, smooth[0].Y+0.5*(smooth[0].Y-bounds.lo)+1e-9*math.Abs(smooth[0].Y))
	if bounds.hi <= bounds.lo {
		bounds.hi = bounds.lo
	}
	pl.Y.Min, pl.Y.Max = bounds.padded()
	p.caption = "no rate suggested: the loss falls nowhere for several rates on end"
	if suggested {
		y := smooth[0].Y
		for _, xy := range smooth {
			if xy.X <= rate {
				y = xy.Y
			}
		}
		pl.Add(bestMark{
			x: rate, y: y, color: hue.strong, ground: t.card,
			stem: draw.LineStyle{Color: t.quiet, Width: vg.Length(0.75), Dashes: []vg.Length{1, 2}},
		})
		p.caption = "suggested learning rate " + short(rate) + ", where the loss falls most steeply"
	}
	pl.X.Label.Text, pl.Y.Label.Text = "learning rate", "loss"
	logarithmic(&pl.X, span{smooth[0].X, smooth[len(smooth)-1].X}, 7)
	pl.X.Min, pl.X.Max = smooth[0].X, smooth[len(smooth)-1].X
	pl.Y.Tick.Marker = steps{n: 6}
	p.plot = pl
	f.add(p, len(raw)+len(smooth))
	f.about = "learning-rate range test over " + count(len(smooth), "rate") + "; " + p.caption
	return f
}

// smoothLosses averages the finite losses as a range test is read, over about a twentieth of them to each side.
func smoothLosses(losses []float64) []float64 {
	var kept []float64
	for _, v := range losses {
		if finite(v) {
			kept = append(kept, v)
		}
	}
	return average(kept, 1-1/max(float64(len(kept))/40, 1))
}
