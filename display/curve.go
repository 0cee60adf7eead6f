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
// names if it has a method BestEpochBy(name string) int, as *nnkit.History does. A series "learning_rate" or "lr" stands
// beside them and has no best. [LogAxis] and [Smooth] change how the values are drawn.
func Curve(h History, options ...Option) *Figure {
	return curves([]Run{{History: h}}, options)
}

// Run is a named history, one line of a comparison.
type Run struct {
	Name    string
	History History
}

// Compare draws the curves of several runs over each other, a colour for each run, as [Curve] draws those of one: a plot for
// each metric, each run's best epoch marked, and the best run named. Runs beyond the seventh are left out, since their
// colours could not be told apart; the figure says so.
func Compare(runs []Run, options ...Option) *Figure {
	if len(runs) == 0 {
		return note("nothing to compare: there are no runs", options)
	}
	named := slices.Clone(runs)
	for i := range named {
		if named[i].Name == "" {
			named[i].Name = fmt.Sprintf("run %d", i+1)
		}
	}
	return curves(named, options)
}

func curves(runs []Run, options []Option) *Figure {
	var all [][]metric // of one name each
	index := map[string]int{}
	f := &Figure{}
	f.settings = resolve(0, 0, options) // for the number of hues; the size comes below
	left := max(0, len(runs)-len(f.theme.hues))
	for i, run := range runs[:len(runs)-left] {
		for _, m := range gather(run.History) {
			at, ok := index[m.name]
			if !ok {
				at = len(all)
				index[m.name] = at
				all = append(all, nil)
			}
			m.run, m.hue = run.Name, f.theme.hue(i)
			all[at] = append(all[at], m)
		}
	}
	if len(all) == 0 {
		return note("nothing to draw yet: the history is empty, no epoch has ended", options)
	}
	f.columns = columnsFor(len(all))
	w, height := curveSize(len(all))
	f.settings = resolve(w, height, options)
	if left > 0 {
		f.note = fmt.Sprintf("The first %d of %d runs; no more colours can be told apart.", len(runs)-left, len(runs))
	}
	var names, notes []string
	epochs := 0
	for _, runs := range all {
		p := f.curve(runs)
		f.spaceTicks(p, len(all))
		f.panels = append(f.panels, p)
		name := runs[0].name
		names = append(names, name)
		for _, m := range runs {
			f.points += drawnValues(len(m.train)) + drawnValues(len(m.val))
			epochs = max(epochs, len(m.train), len(m.val))
		}
		if p.caption != "" {
			notes = append(notes, name+" "+p.caption)
		}
		if p.warning != "" {
			notes = append(notes, name+": "+p.warning)
		}
	}
	f.about = fmt.Sprintf("%s over %s", list(names), count(epochs, "epoch"))
	if len(runs) > 1 {
		f.about = fmt.Sprintf("%d runs compared: %s", len(runs), f.about)
	}
	if len(notes) > 0 {
		f.about += "; " + strings.Join(notes, "; ")
	}
	return f
}

// A metric is one quantity of one run, as measured on the training and on the validation data.
type metric struct {
	name       string
	train, val []float64
	best       func(name string) int // counted from 1, 0 where the history has no opinion; may be nil
	run        string                // "" where there is but one
	hue        hue
}

// isRate reports whether a metric is a setting of the run and no measure of its success.
func (m metric) isRate() bool { return m.name == "learning_rate" || m.name == "lr" }

// judged returns the values by which the run is judged, the name of their series and the data they were measured on.
func (m metric) judged() (values []float64, series, on string) {
	if len(m.val) > 0 {
		return m.val, valPrefix + m.name, "validation"
	}
	return m.train, m.name, "training"
}

// bestEpoch returns the index of the best of the judged values.
func (m metric) bestEpoch() (best int, ok bool) {
	values, series, _ := m.judged()
	best, ok = bestEpoch(m.name, values)
	if m.best != nil && ok {
		// The history knows of each metric whether more is better, where we go by its name.
		if epoch := m.best(series); epoch >= 1 && epoch <= len(values) && finite(values[epoch-1]) {
			best = epoch - 1
		}
	}
	return best, ok && !m.isRate()
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
	if _, set := p.plot.Y.Tick.Marker.(decades); !set {
		p.plot.Y.Tick.Marker = steps{n: min(max(h/25, 2), 6)}
	}
}

// curve draws one metric of one run or of several.
func (f *Figure) curve(runs []metric) *panel {
	t := f.theme
	p := &panel{title: t.word(readable(runs[0].name))}
	log := f.logAxis || runs[0].isRate() && spansDecade(runs)
	bounds := newSpan()
	n := 0
	var warnings []string
	for i := range runs {
		m := &runs[i]
		warning := m.gaps(log)
		if m.run != "" && warning != "" {
			warning = m.run + ": " + warning
		}
		if warning != "" {
			warnings = append(warnings, warning)
		}
		if log {
			m.train, m.val = positive(m.train), positive(m.val)
		}
		bounds.include(m.train)
		bounds.include(m.val)
		n = max(n, len(m.train), len(m.val))
	}
	p.warning = strings.Join(warnings, "; ")
	if bounds.empty() {
		p.warning = "no finite value to draw; " + p.warning
		return p
	}

	pl := t.newPlot()
	dashes := []vg.Length{4.5, 2.5}
	var trained, validated bool
	var marks []bestMark
	leader, leading := -1, 0.0
	for i, m := range runs {
		solid := draw.LineStyle{Color: m.hue.strong, Width: vg.Length(1.5)}
		dashed := draw.LineStyle{Color: m.hue.soft, Width: vg.Length(1.5), Dashes: dashes}
		f.addSeries(pl, m.train, solid, n)
		f.addSeries(pl, m.val, dashed, n)
		trained, validated = trained || len(m.train) > 0, validated || len(m.val) > 0
		switch {
		case m.run != "":
			p.keys = append(p.keys, key{name: m.run, line: solid})
		case m.isRate():
		default:
			if len(m.train) > 0 {
				p.keys = append(p.keys, key{name: t.word("train"), line: solid})
			}
			if len(m.val) > 0 {
				p.keys = append(p.keys, key{name: t.word("validation"), line: dashed})
			}
		}
		best, ok := m.bestEpoch()
		if !ok {
			continue
		}
		values, _, on := m.judged()
		v := values[best]
		mark := bestMark{
			x: float64(best + 1), y: v, color: m.hue.soft, ground: t.card,
			stem: draw.LineStyle{Color: t.quiet, Width: vg.Length(0.75), Dashes: []vg.Length{1, 2}},
		}
		if on == "training" {
			mark.color = m.hue.strong
		}
		marks = append(marks, mark)
		if leader < 0 || lowerIsBetter(m.name) && v < leading || !lowerIsBetter(m.name) && v > leading {
			leader, leading = i, v
			if m.run != "" {
				p.caption = t.say("best %s %s by %s at epoch %d", t.word(on), number(v), m.run, best+1)
			} else {
				p.caption = t.say("best %s %s at epoch %d", t.word(on), number(v), best+1)
			}
		}
	}
	if runs[0].run != "" && trained && validated {
		p.keys = append(p.keys, key{name: t.word("validation"), line: draw.LineStyle{Color: t.quiet, Width: vg.Length(1.5), Dashes: dashes}})
	}
	for _, m := range marks { // above every line
		pl.Add(m)
	}

	pl.X.Label.Text = t.word("epoch")
	pl.X.Min, pl.X.Max = 1, float64(n)
	if n == 1 {
		pl.X.Min, pl.X.Max = 0.5, 1.5
	}
	if log {
		logarithmic(&pl.Y, bounds, 6)
	} else {
		pl.Y.Min, pl.Y.Max = bounds.padded()
	}
	p.plot = pl
	return p
}

// spansDecade reports whether a learning rate falls so far that its end would lie on the axis.
func spansDecade(runs []metric) bool {
	bounds := newSpan()
	for _, m := range runs {
		bounds.include(m.train)
	}
	return bounds.lo > 0 && bounds.hi >= 10*bounds.lo
}

// positive replaces what a logarithm cannot take by NaN.
func positive(values []float64) []float64 {
	out := slices.Clone(values)
	for i, v := range out {
		if v <= 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// addSeries draws values by epoch, smoothed where that was asked for.
func (f *Figure) addSeries(pl *plot.Plot, values []float64, style draw.LineStyle, n int) {
	if f.smooth == 0 {
		addLine(pl, byEpoch(values), style, n <= 20)
		return
	}
	pale := style
	pale.Color = f.theme.tint(style.Color.(color.RGBA), 0.35)
	pale.Width, pale.Dashes = vg.Length(0.75), nil
	addLine(pl, byEpoch(values), pale, false)
	addLine(pl, byEpoch(average(values, f.smooth)), style, false)
}

// average smooths the finite values by weights that fall exponentially on both sides.
func average(values []float64, weight float64) []float64 {
	out := make([]float64, len(values))
	shares := make([]float64, len(values))
	pass := func(i int, sum, share *float64, again float64) {
		v, own := 0.0, 0.0
		if finite(values[i]) {
			v, own = values[i], 1
		}
		*sum, *share = weight**sum+v, weight**share+own
		out[i] += *sum - again*v // the second pass meets the value itself again
		shares[i] += *share - again*own
	}
	var sum, share float64
	for i := range values {
		pass(i, &sum, &share, 0)
	}
	sum, share = 0, 0
	for i := len(values) - 1; i >= 0; i-- {
		pass(i, &sum, &share, 1)
		out[i] /= shares[i]
		if !finite(values[i]) {
			out[i] = math.NaN()
		}
	}
	return out
}

// A series of more values than mostValues is drawn by the lowest and the highest of each of extremesOf parts, which looks the
// same where the parts are as narrow as the line, and keeps the picture small however long the run.
const (
	mostValues = 600
	extremesOf = 160
)

// byEpoch are the points of a series, the first at 1.
func byEpoch(values []float64) plotter.XYs {
	xys := make(plotter.XYs, 0, min(len(values), mostValues))
	add := func(i int) { xys = append(xys, plotter.XY{X: float64(i + 1), Y: values[i]}) }
	if len(values) <= mostValues {
		for i := range values {
			add(i)
		}
		return xys
	}
	for part := range extremesOf {
		from, to := part*len(values)/extremesOf, (part+1)*len(values)/extremesOf
		lo, hi, gap := -1, -1, -1
		for i := from; i < to; i++ {
			switch v := values[i]; {
			case !finite(v):
				gap = i
			case lo < 0:
				lo, hi = i, i
			case v < values[lo]:
				lo = i
			case v > values[hi]:
				hi = i
			}
		}
		marks := []int{lo, hi, gap}
		if part == extremesOf-1 {
			marks = append(marks, len(values)-1)
		}
		slices.Sort(marks)
		for _, i := range slices.Compact(marks) {
			if i >= 0 {
				add(i)
			}
		}
	}
	return xys
}

// drawnValues is how many points byEpoch makes of n values where all are finite.
func drawnValues(n int) int {
	if n > mostValues {
		return 2 * extremesOf
	}
	return n
}

// addLine draws a line, broken where it is not finite. With dots it shows where values were measured; a value between
// two gaps always gets one, or it would not be seen.
func addLine(pl *plot.Plot, points plotter.XYs, style draw.LineStyle, dots bool) {
	dot := draw.GlyphStyle{Color: style.Color, Radius: 1.6, Shape: draw.CircleGlyph{}}
	for start := 0; start < len(points); {
		if !finite(points[start].Y) {
			start++
			continue
		}
		end := start
		for end < len(points) && finite(points[end].Y) {
			end++
		}
		xys := points[start:end]
		if len(xys) > 1 {
			pl.Add(&plotter.Line{XYs: xys, LineStyle: style})
		}
		if len(xys) == 1 || dots {
			pl.Add(&plotter.Scatter{XYs: xys, GlyphStyle: dot})
		}
		start = end
	}
}

// gaps says in words what of a metric cannot be drawn.
func (m metric) gaps(log bool) string {
	var said []string
	for _, s := range []struct {
		values []float64
		name   string
	}{{m.train, "train"}, {m.val, "validation"}} {
		c := countBad(s.values)
		if log {
			c.countNotPositive(s.values)
		}
		if c.any() {
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
