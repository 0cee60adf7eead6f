package display

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"sort"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// History is what a run leaves behind: for every name a series with one value per epoch. A *nnkit.History is one,
// and so is [Metrics] for numbers from elsewhere.
type History interface {
	// Names lists the series in the order in which they are drawn.
	Names() []string
	// Series returns the values of one series, the first epoch first.
	Series(name string) []float64
}

// Metrics is a [History] made of plain series:
//
//	display.Curve(display.Metrics{"loss": train, "val_loss": validation})
type Metrics map[string][]float64

// Names lists the losses first, then the other series by name.
func (m Metrics) Names() []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := strings.Contains(names[i], "loss"), strings.Contains(names[j], "loss")
		if a != b {
			return a
		}
		return names[i] < names[j]
	})
	return names
}

// Series returns the values under a name, nil when there are none.
func (m Metrics) Series(name string) []float64 { return m[name] }

// valPrefix marks the series measured on data that the model was not trained on.
const valPrefix = "val_"

// Curve draws loss and metrics against epochs, one plot for each, side by side: solid for the training data, dashed
// for the validation data (the series of the same name behind "val_"). The best epoch is marked: by validation where
// there is any, the lowest for a loss or an error and the highest for any other metric, or the one that the history
// names if it has a method BestEpochBy(name string) int, as *nnkit.History does.
func Curve(h History, options ...Option) *Figure {
	series := gather(h)
	if len(series) == 0 {
		return note("nothing to draw yet: the history is empty, no epoch has ended", options)
	}
	f := &Figure{columns: columnsFor(len(series))}
	w, height := curveSize(len(series))
	f.settings = resolve(w, height, options)
	var names, notes []string
	epochs := 0
	for _, m := range series {
		p, points := f.theme.curve(m)
		f.spaceTicks(p, len(series))
		f.panels = append(f.panels, p)
		f.points += points
		names = append(names, m.name)
		epochs = max(epochs, len(m.train), len(m.val))
		if p.caption != "" {
			notes = append(notes, m.name+" "+p.caption)
		}
		if p.warning != "" {
			notes = append(notes, m.name+": "+p.warning)
		}
	}
	f.about = fmt.Sprintf("%s over %s", list(names), count(epochs, "epoch"))
	if len(notes) > 0 {
		f.about += "; " + strings.Join(notes, "; ")
	}
	return f
}

// A metric is one quantity, as measured on the training and on the validation data.
type metric struct {
	name       string
	train, val []float64
	best       func(name string) int // counted from 1, 0 where the history has no opinion; may be nil
}

// gather pairs every series with its validation series and leaves out what is empty on both sides.
func gather(h History) []metric {
	if isNil(h) {
		return nil
	}
	var all []metric
	seen := map[string]bool{}
	for _, name := range h.Names() {
		name = strings.TrimPrefix(name, valPrefix)
		if seen[name] {
			continue
		}
		seen[name] = true
		m := metric{name: name, train: h.Series(name), val: h.Series(valPrefix + name)}
		if judge, ok := h.(interface{ BestEpochBy(name string) int }); ok {
			m.best = judge.BestEpochBy
		}
		if len(m.train)+len(m.val) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// columnsFor says how many panels stand side by side: up to three, and four as two by two.
func columnsFor(n int) int {
	if n == 4 {
		return 2
	}
	return min(n, 3)
}

func curveSize(n int) (w, h int) {
	columns := max(columnsFor(n), 1)
	rows := max((n+columns-1)/columns, 1)
	return []int{480, 760, 960}[columns-1], 40 + 250*rows
}

// spaceTicks gives a panel as many ticks as it has room for.
func (f *Figure) spaceTicks(p *panel, panels int) {
	if p.plot == nil {
		return
	}
	columns := max(f.columns, 1)
	rows := (panels + columns - 1) / columns
	w, h := f.width/columns-60, f.height/rows-90
	p.plot.X.Tick.Marker = whole{n: min(max(w/28, 2), 10), from: 1}
	p.plot.Y.Tick.Marker = steps{n: min(max(h/25, 2), 6)}
}

// curve draws one metric. It returns the number of points with the panel.
func (t Theme) curve(m metric) (*panel, int) {
	p := &panel{title: readable(m.name)}
	hue := t.hue(0)
	solid := draw.LineStyle{Color: hue.strong, Width: vg.Length(1.5)}
	dashed := draw.LineStyle{Color: hue.soft, Width: vg.Length(1.5), Dashes: []vg.Length{4.5, 2.5}}

	bounds := span{math.Inf(1), math.Inf(-1)}
	bounds.include(m.train)
	bounds.include(m.val)
	p.warning = m.gaps()
	if bounds.empty() {
		p.warning = "no finite value to draw; " + p.warning
		return p, 0
	}

	pl := t.newPlot()
	n := max(len(m.train), len(m.val))
	for _, s := range []struct {
		values []float64
		name   string
		style  draw.LineStyle
	}{{m.train, "train", solid}, {m.val, "validation", dashed}} {
		if len(s.values) == 0 {
			continue
		}
		addLine(pl, s.values, s.style, n)
		p.keys = append(p.keys, key{s.name, s.style})
	}
	judged, on := m.val, "validation"
	series := valPrefix + m.name
	if len(judged) == 0 {
		judged, on, series = m.train, "training", m.name
	}
	best, ok := bestEpoch(m.name, judged)
	if m.best != nil && ok {
		// The history knows of each metric whether more is better, where we go by its name.
		if epoch := m.best(series); epoch >= 1 && epoch <= len(judged) && finite(judged[epoch-1]) {
			best = epoch - 1
		}
	}
	if ok {
		mark := hue.soft
		if on == "training" {
			mark = hue.strong
		}
		pl.Add(bestMark{
			x: float64(best + 1), y: judged[best], color: mark, ground: t.card,
			stem: draw.LineStyle{Color: t.quiet, Width: vg.Length(0.75), Dashes: []vg.Length{1, 2}},
		})
		p.caption = fmt.Sprintf("best %s %s at epoch %d", on, number(judged[best]), best+1)
	}

	pl.X.Label.Text = "epoch"
	pl.X.Min, pl.X.Max = 1, float64(n)
	if n == 1 {
		pl.X.Min, pl.X.Max = 0.5, 1.5
	}
	pl.Y.Min, pl.Y.Max = bounds.padded()
	p.plot = pl
	return p, len(m.train) + len(m.val)
}

// addLine draws a series, broken where it is not finite. Short series get a dot at each epoch, since that is where
// they were measured; a value between two gaps always gets one, or it would not be seen.
func addLine(pl *plot.Plot, values []float64, style draw.LineStyle, n int) {
	dot := draw.GlyphStyle{Color: style.Color, Radius: 1.6, Shape: draw.CircleGlyph{}}
	for start := 0; start < len(values); {
		if !finite(values[start]) {
			start++
			continue
		}
		end := start
		var xys plotter.XYs
		for end < len(values) && finite(values[end]) {
			xys = append(xys, plotter.XY{X: float64(end + 1), Y: values[end]})
			end++
		}
		if len(xys) > 1 {
			pl.Add(&plotter.Line{XYs: xys, LineStyle: style})
		}
		if len(xys) == 1 || n <= 20 {
			pl.Add(&plotter.Scatter{XYs: xys, GlyphStyle: dot})
		}
		start = end
	}
}

// gaps says in words what of a metric cannot be drawn.
func (m metric) gaps() string {
	var said []string
	for _, s := range []struct {
		values []float64
		name   string
	}{{m.train, "train"}, {m.val, "validation"}} {
		if c := countBad(s.values); c.any() {
			said = append(said, fmt.Sprintf("%s left out: %s", s.name, c))
		}
	}
	if len(m.train) > 0 && len(m.val) > 0 && len(m.train) != len(m.val) {
		said = append(said, fmt.Sprintf("lengths differ: train %d, validation %d", len(m.train), len(m.val)))
	}
	return strings.Join(said, "; ")
}

// bestEpoch returns the index of the best finite value, the first of equals. There is no best of one.
func bestEpoch(name string, values []float64) (int, bool) {
	best, found := -1, 0
	for i, v := range values {
		if !finite(v) {
			continue
		}
		found++
		if best < 0 || lowerIsBetter(name) && v < values[best] || !lowerIsBetter(name) && v > values[best] {
			best = i
		}
	}
	return best, found > 1
}

// lowerIsBetter knows losses and errors by their usual names.
func lowerIsBetter(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"loss", "error", "entropy", "perplexity", "deviation", "distance"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == ' ' || r == '/' })
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"mse", "mae", "rmse", "mape", "msle", "hinge", "kl", "huber"}, w)
	})
}

// bestMark is a ring around the best value and a dotted stem down to its epoch.
type bestMark struct {
	x, y          float64
	color, ground color.Color
	stem          draw.LineStyle
}

// Plot draws the mark, as plotter.Plotter wants it.
func (b bestMark) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := vg.Point{X: x(b.x), Y: y(b.y)}
	if !c.Contains(at) {
		return
	}
	c.StrokeLine2(b.stem, at.X, c.Min.Y, at.X, at.Y)
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: b.ground, Radius: 4.5, Shape: draw.CircleGlyph{}}, at)
	var ring vg.Path
	ring.Move(vg.Point{X: at.X + 3.4, Y: at.Y})
	ring.Arc(at, 3.4, 0, 2*math.Pi)
	ring.Close()
	c.SetLineStyle(draw.LineStyle{Color: b.color, Width: vg.Length(1.5)})
	c.Stroke(ring)
}
