package display

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostRidges is how many distributions stand behind each other.
const mostRidges = 16

// mostGroups is how many panels of them a figure has.
const mostGroups = 12

// Ridges draws how a distribution changes: samples of one Group, one for each epoch say and named by it, stand behind each other in a panel, the
// first at the back, and lighter or darker as time goes on. Of more than 16 samples of a group as many are drawn at even distances,
// the first and the last among them.
func Ridges(samples []Sample, options ...Option) *Figure {
	var groups [][]Sample
	index := map[string]int{}
	for _, s := range samples {
		at, ok := index[s.Group]
		if !ok {
			at = len(groups)
			index[s.Group] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], s)
	}
	if len(groups) == 0 {
		return note("nothing to draw: there are no values", options)
	}
	all := len(groups)
	groups = groups[:min(all, mostGroups)]
	columns := columnsFor(len(groups))
	rows := (len(groups) + columns - 1) / columns
	f := &Figure{columns: columns, settings: resolve([]int{460, 760, 960}[columns-1], 40+300*rows, options)}
	var about []string
	shared := newSpan()
	if f.sharedAxis {
		for _, g := range groups {
			for _, s := range g {
				shared.include(s.Values)
			}
		}
	}
	for _, g := range groups {
		p, points := f.theme.ridges(g, f.width/columns, shared)
		f.add(p, points)
		about = append(about, g[0].Group+": "+joinNonEmpty([]string{p.caption, p.warning}))
	}
	if len(groups) < all {
		f.note = fmt.Sprintf("The first %d of %d.", len(groups), all)
	}
	f.about = "distributions over time; " + joinNonEmpty(about)
	return f
}

// ridges draws the samples of a group over their own values, or over those of a span that is not empty.
func (t Theme) ridges(samples []Sample, width int, axis span) (*panel, int) {
	p := &panel{title: samples[0].Group}
	all := newSpan()
	var lost bad
	for _, s := range samples {
		all.include(s.Values)
		lost.add(countBad(s.Values))
	}
	if lost.any() {
		p.warning = "left out: " + lost.String()
	}
	if all.empty() {
		p.warning = joinNonEmpty([]string{"no finite value to draw", p.warning})
		return p, 0
	}
	shown := samples
	if len(samples) > mostRidges {
		shown = nil
		for i := range mostRidges {
			shown = append(shown, samples[i*(len(samples)-1)/(mostRidges-1)])
		}
	}
	if axis.empty() {
		axis = all
	}
	lo, hi := axis.widened(0.02)
	const bins = 48
	heights := make([][]float64, len(shown))
	tallest := 0.0
	for i, s := range shown {
		heights[i] = density(s.Values, lo, hi, bins)
		tallest = math.Max(tallest, slices.MaxFunc(heights[i], cmp.Compare[float64]))
	}
	n := len(shown)
	const overlap = 2.2 // how many places high the tallest ridge is
	pl := t.newPlot()
	pl.X.Min, pl.X.Max = lo, hi
	pl.Y.Min, pl.Y.Max = 0.5-float64(n), overlap+0.1
	pl.X.Tick.Marker = steps{n: max((width-80)/60, 2)}
	small := t.style(smallSize, t.quiet, false)
	names := make([]string, n)
	for i, s := range shown {
		names[i] = fit(small, s.Name, 70)
	}
	pl.Y.Tick.Marker = named{names: names, down: true, every: stride(small.Height("x"), vg.Length(220/float64(n+2)))}
	pl.Y.Tick.Label.YAlign = draw.YCenter
	from, to := toOKLab(t.hue(0).soft).mix(toOKLab(t.card), 0.5), toOKLab(t.hue(0).strong)
	for i, h := range heights {
		step := 1.0
		if n > 1 {
			step = float64(i) / float64(n-1)
		}
		xys := make(plotter.XYs, bins)
		for b := range xys {
			xys[b] = plotter.XY{X: lo + (hi-lo)*(float64(b)+0.5)/bins, Y: float64(-i) + overlap*h[b]/tallest}
		}
		pl.Add(ridge{xys, float64(-i), from.mix(to, step).color(), t})
	}
	first, last := spread(samples[0].Values), spread(samples[len(samples)-1].Values)
	p.caption = t.say("standard deviation %s at %s, %s at %s", short(first), samples[0].Name, short(last), samples[len(samples)-1].Name)
	p.plot = pl
	return p, n * bins
}

// spread is the standard deviation of the finite values.
func spread(values []float64) float64 {
	_, sd := moments(slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !finite(v) }))
	return sd
}

// density is the share of the finite values in each bin, smoothed by a small binomial kernel, since ridges are read by their outline.
func density(values []float64, lo, hi float64, bins int) []float64 {
	h := make([]float64, bins)
	n := 0
	for _, v := range values {
		if finite(v) {
			h[min(max(int((v-lo)/(hi-lo)*float64(bins)), 0), bins-1)]++
			n++
		}
	}
	for range 2 {
		last := 0.0
		for i, v := range h {
			next := 0.0
			if i+1 < len(h) {
				next = h[i+1]
			}
			h[i], last = (last+2*v+next)/4, v
		}
	}
	for i := range h {
		h[i] /= float64(max(n, 1))
	}
	return h
}

// ridge is an outline over its base, which hides what stands behind it.
type ridge struct {
	xys   plotter.XYs
	base  float64
	color color.RGBA
	theme Theme
}

// Plot draws the ridge, as plot.Plotter wants it.
func (r ridge) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var outline vg.Path
	for i, xy := range r.xys {
		at := vg.Point{X: x(xy.X), Y: y(xy.Y)}
		if i == 0 {
			outline.Move(at)
			continue
		}
		outline.Line(at)
	}
	area := slices.Clone(outline)
	area.Line(vg.Point{X: x(r.xys[len(r.xys)-1].X), Y: y(r.base)})
	area.Line(vg.Point{X: x(r.xys[0].X), Y: y(r.base)})
	area.Close()
	c.SetColor(r.theme.tint(r.color, 0.55))
	c.Fill(area)
	c.SetLineStyle(draw.LineStyle{Color: r.color, Width: vg.Length(0.9)})
	c.Stroke(outline)
}
