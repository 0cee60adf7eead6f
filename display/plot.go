package display

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a line or a cloud of dots in a [Plot].
type Series struct {
	Name   string
	X      []float64 // nil for 0, 1, 2 …
	Y      []float64
	Dots   bool // a dot for each pair, and no line
	Dashed bool // a dashed line in the colour of the series before it, which it belongs to: a function's slope, a prediction
}

// AxisNames names what lies along the axes of [Plot], [Boundary], [DecisionBoundary] and [LossSurface], with its unit:
// AxisNames("day", "level in cm").
func AxisNames(x, y string) Option {
	return option(func(s *settings) { s.axes = [2]string{x, y} })
}

// nameAxes names the axes of a plot as [AxisNames] says, or else by the names given.
func (f *Figure) nameAxes(pl *plot.Plot, x, y string) {
	if f.axes != [2]string{} {
		x, y = f.axes[0], f.axes[1]
	}
	pl.X.Label.Text, pl.Y.Label.Text = x, y
}

// Plot draws y against x, for one or more series: lines in the order of their pairs, which may run anywhere, or dots. A value that is no
// number breaks its line. [AxisNames] says what is drawn, and with [LogAxis] y goes up in powers of ten. More than seven series
// beside the dashed ones cannot be told apart; those beyond are left out, and the figure says so.
//
//	display.Plot([]display.Series{{Name: "measured", X: day, Y: level, Dots: true}, {Name: "predicted", X: day, Y: said}})
func Plot(series []Series, options ...Option) *Figure {
	f := &Figure{columns: 1, settings: resolve(620, 340, options)}
	t := f.theme
	pl := t.newPlot()
	f.nameAxes(pl, "x", "y")
	p := &panel{title: pl.Y.Label.Text} // upright, where the eye begins
	pl.Y.Label.Text = ""
	x, y := newSpan(), newSpan()
	var lost bad
	var names []string
	hue, left, pairs, dots := -1, 0, 0, 0
	for i, s := range series {
		if s.Name == "" {
			s.Name = fmt.Sprintf("series %d", i+1)
		}
		if s.X != nil && len(s.X) != len(s.Y) {
			return note(fmt.Sprintf("nothing to draw: %s has %d x and %d y; there must be one for each pair", s.Name, len(s.X), len(s.Y)), options)
		}
		if !s.Dashed || hue < 0 {
			hue++
		}
		if hue >= len(t.hues) {
			left++
			continue
		}
		names = append(names, s.Name)
		pairs += len(s.Y)
		xys := s.pairs(f.logAxis, &lost)
		for _, xy := range xys {
			if finite(xy.Y) {
				x.include([]float64{xy.X})
				y.include([]float64{xy.Y})
			}
		}
		if s.Dots {
			dots++
			mark := t.classMark(hue, vg.Length(min(max(2.6-0.5*math.Log10(float64(len(xys)+1)/50), 1.3), 2.6)))
			pl.Add(rimmed{xys, mark, t.card})
			p.keys = append(p.keys, key{name: s.Name, mark: t.classMark(hue, 2.8)})
			continue
		}
		style := draw.LineStyle{Color: t.hue(hue).strong, Width: vg.Length(1.5)}
		if s.Dashed {
			style.Color, style.Dashes = t.hue(hue).soft, []vg.Length{4.5, 2.5}
		}
		addLine(pl, xys, style, false)
		p.keys = append(p.keys, key{name: s.Name, line: style})
	}
	switch {
	case len(series) == 0:
		return note("nothing to draw: there is no series", options)
	case x.empty():
		return note("nothing to draw: no pair of x and y has two numbers"+strings.TrimSuffix(" ("+lost.String()+")", " ()"), options)
	}
	if len(series) == 1 && series[0].Name == "" {
		p.keys = nil
	}
	pl.X.Min, pl.X.Max = x.lo, x.hi
	if dots > 0 || x.lo == x.hi {
		pl.X.Min, pl.X.Max = x.widened(0.02)
	}
	if f.logAxis {
		logarithmic(&pl.Y, y, 6)
	} else {
		pl.Y.Min, pl.Y.Max = y.padded()
		pl.Y.Tick.Marker = steps{n: min(max((f.height-90)/25, 2), 7)}
	}
	pl.X.Tick.Marker = steps{n: min(max((f.width-60)/55, 2), 10)}
	if lost.any() {
		p.warning = "left out: " + lost.String()
	}
	if left > 0 {
		f.note = fmt.Sprintf("The first %d of %d series; no more colours can be told apart.", len(names), len(series))
	}
	p.plot = pl
	f.add(p, pairs)
	f.about = fmt.Sprintf("%s against %s: %s", p.title, pl.X.Label.Text, list(names))
	return f
}

// pairs are the points of a series. Where x is no number there is none, and where y has no place on its axis there is a gap.
func (s Series) pairs(log bool, lost *bad) plotter.XYs {
	xys := make(plotter.XYs, 0, len(s.Y))
	lost.add(countBad(s.X))
	lost.add(countBad(s.Y))
	if log {
		lost.countNotPositive(s.Y)
	}
	for i, y := range s.Y {
		x := float64(i)
		if s.X != nil {
			x = s.X[i]
		}
		if !finite(x) || s.Dots && !finite(y) {
			continue
		}
		if log && y <= 0 {
			y = math.NaN()
		}
		xys = append(xys, plotter.XY{X: x, Y: y})
	}
	return xys
}
