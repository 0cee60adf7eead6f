package display

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// UpdateRatios draws by how much each parameter changes in a step in relation to its size, the norm of the update over the norm of the
// weights, on a logarithmic axis, a line for each series of the history. About one in a thousand, the dotted line, is what a healthy
// learning rate gives (Karpathy, 2015); far above it training is unstable, far below it stands still.
func UpdateRatios(h History, options ...Option) *Figure {
	if isNil(h) || len(h.Names()) == 0 {
		return note("nothing to draw yet: there are no update ratios", options)
	}
	f := &Figure{columns: 1, settings: resolve(560, 340, options)}
	t := f.theme
	const healthy = 1e-3
	p := &panel{title: "update to weight ratio"}
	pl := t.newPlot()
	bounds := span{healthy / 2, healthy * 2}
	names := h.Names()
	n, points := 0, 0
	var lost bad
	var ends []string
	drawn := 0
	for _, name := range names {
		values := h.Series(name)
		c := countBad(values)
		c.countNotPositive(values)
		lost.add(c)
		if drawn == len(t.hues) {
			continue
		}
		series := positive(values)
		bounds.include(series)
		style := draw.LineStyle{Color: t.hue(drawn).strong, Width: vg.Length(1.4)}
		addLine(pl, byEpoch(series), style, len(series) <= 20)
		p.keys = append(p.keys, key{name: name, line: style})
		n, points = max(n, len(series)), points+len(series)
		if last := len(series) - 1; last >= 0 {
			ends = append(ends, name+" "+short(series[last]))
		}
		drawn++
	}
	if points == 0 {
		return note("nothing to draw yet: there are no update ratios", options)
	}
	pl.X.Label.Text = "epoch"
	pl.X.Min, pl.X.Max = 1, math.Max(float64(n), 1.5)
	pl.X.Tick.Marker = whole{n: 10, from: 1}
	logarithmic(&pl.Y, bounds, 6)
	pl.Add(&plotter.Line{XYs: plotter.XYs{{X: pl.X.Min, Y: healthy}, {X: pl.X.Max, Y: healthy}}, LineStyle: t.dotted()})
	p.caption = "dotted: one in a thousand, what a healthy learning rate gives"
	var warnings []string
	if lost.any() {
		warnings = append(warnings, "left out: "+lost.String())
	}
	if drawn < len(names) {
		warnings = append(warnings, fmt.Sprintf("the first %d of %d parameters", drawn, len(names)))
	}
	p.warning = joinNonEmpty(warnings)
	p.plot = pl
	f.add(p, points)
	f.about = "update to weight ratios, last: " + list(ends)
	return f
}

// DeadUnits draws for each layer the share of its units that were active, above zero, for none of the examples: units of a ReLU that no
// longer learn. A layer's Values hold a row for each example and a column for each unit. [DeadReLUs] finds them in a model.
func DeadUnits(layers []Map, options ...Option) *Figure {
	if len(layers) == 0 {
		return note("nothing to draw: there are no layers", options)
	}
	var counts []silence
	for i, l := range layers {
		if problem := rectangular(fmt.Sprintf("layer %d", i), l.Values); problem != "" {
			return note(problem, options)
		}
		name := l.Name
		if name == "" {
			name = fmt.Sprintf("layer %d", i)
		}
		c := silence{name: name, active: make([]bool, len(l.Values[0]))}
		for _, example := range l.Values {
			hear(&c, example)
		}
		counts = append(counts, c)
	}
	return deadFigure(counts, len(layers[0].Values), options)
}

// silence is which units of a layer have been active so far.
type silence struct {
	name   string
	active []bool
}

// hear notes the units that are active in outputs, one of each unit.
func hear[T Float](s *silence, outputs []T) {
	for i, v := range outputs {
		s.active[i] = s.active[i] || v > 0
	}
}

// deadFigure draws how many units of each layer were silent.
func deadFigure(layers []silence, examples int, options []Option) *Figure {
	var rows []row
	dead, units := 0, 0
	for _, l := range layers {
		n, silent := len(l.active), 0
		for _, active := range l.active {
			if !active {
				silent++
			}
		}
		rows = append(rows, row{l.name, float64(silent) / float64(n), fmt.Sprintf("%s  (%d of %d)", percent(silent, n), silent, n)})
		dead, units = dead+silent, units+n
	}
	shown := rows[:min(len(rows), mostBars)]
	f := bars(shown, 1, options)
	p := f.panels[0]
	p.title = "dead units"
	p.caption = fmt.Sprintf("%d of %s active for none of %s", dead, count(units, "unit"), count(examples, "example"))
	if len(shown) < len(rows) {
		p.warning = fmt.Sprintf("the first %d of %d layers", len(shown), len(rows))
	}
	f.about = "dead units: " + p.caption
	return f
}
