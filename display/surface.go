package display

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Path is the way of an optimizer over the two parameters of a [LossSurface], from its first point to its last.
type Path struct {
	Name   string
	Points [][2]float64
}

// Step adds a point.
func (p *Path) Step(x, y float64) { p.Points = append(p.Points, [2]float64{x, y}) }

// LossSurface draws a loss of two parameters from above, pale where it is low, and over it the paths of optimizers, each from its ring
// to its disc; there may be none. The levels between colours are denser where the loss is low, and go by powers of ten where it spans more than one.
// The lowest point seen is marked by a cross.
//
// The picture holds the paths, as far as they keep to losses of the size of those they started from, or what [Within] says. Of a model's
// loss, which has more parameters, [Landscape] draws such a picture.
//
//	path := display.Path{Name: "gradient descent"}
//	for range 50 {
//		path.Step(x, y)
//		x, y = x-0.1*2*x, y-0.1*20*y
//	}
//	display.LossSurface(func(x, y float64) float64 { return x*x + 10*y*y }, []display.Path{path})
func LossSurface(loss func(x, y float64) float64, paths []Path, options ...Option) *Figure {
	if loss == nil {
		return note("nothing to draw: there is no loss function", options)
	}
	x, y, problem := pathRegion(loss, paths, resolve(0, 0, options).region)
	if problem != "" {
		return note(problem, options)
	}
	g := newGridded(x, y, 161, 141)
	for j, row := range g.values {
		for i := range row {
			row[i] = loss(g.node(i, j))
		}
	}
	return surfaceFigure("loss surface", g, paths, options)
}

// Within sets which part of its two parameters a [LossSurface] shows, from the lowest to the highest value of each.
func Within(xMin, xMax, yMin, yMax float64) Option {
	return option(func(s *settings) { s.region = &[2]span{{xMin, xMax}, {yMin, yMax}} })
}

// runaway is how many times the loss at the start of its path a point may have for the picture to reach out to it.
const runaway = 4

// pathRegion returns what of the plane a surface shows.
func pathRegion(loss func(x, y float64) float64, paths []Path, asked *[2]span) (x, y span, problem string) {
	if asked != nil {
		for i, s := range asked {
			if !finite(s.lo) || !finite(s.hi) || s.lo >= s.hi {
				return x, y, fmt.Sprintf("nothing to draw: Within says that the %s parameter goes from %g to %g; the first must be below the second",
					[]string{"first", "second"}[i], s.lo, s.hi)
			}
		}
		return asked[0], asked[1], ""
	}
	x, y = newSpan(), newSpan()
	start, lowest := math.Inf(-1), math.Inf(1)
	for _, p := range paths {
		for i, at := range p.Points {
			if v := loss(at[0], at[1]); finite(v) {
				lowest = math.Min(lowest, v)
				if i == 0 {
					start = math.Max(start, v)
				}
			}
		}
	}
	for _, p := range paths {
		for i, at := range p.Points {
			if v := loss(at[0], at[1]); finite(at[0]) && finite(at[1]) && (i == 0 || v-lowest <= runaway*(start-lowest)) {
				x.include(at[:1])
				y.include(at[1:])
			}
		}
	}
	if x.empty() {
		if len(paths) > 0 {
			return x, y, "nothing to draw: no path has a point of two numbers"
		}
		return span{-1, 1}, span{-1, 1}, ""
	}
	// A path along one axis still gets a plane around it.
	x.lo, x.hi = x.widened(0.15)
	y.lo, y.hi = y.widened(0.15)
	wider := func(s span, least float64) span {
		if lack := least - (s.hi - s.lo); lack > 0 {
			return span{s.lo - lack/2, s.hi + lack/2}
		}
		return s
	}
	return wider(x, (y.hi-y.lo)/8), wider(y, (x.hi-x.lo)/8), ""
}

// surfaceFigure draws a surface and paths over it.
func surfaceFigure(title string, g *gridded, paths []Path, options []Option) *Figure {
	bounds := newSpan()
	bad := 0
	lowest, at := math.Inf(1), [2]float64{}
	for j, row := range g.values {
		bounds.include(row)
		bad += countBad(row).nan + countBad(row).inf
		for i, v := range row {
			if finite(v) && v < lowest {
				lowest = v
				at[0], at[1] = g.node(i, j)
			}
		}
	}
	if bounds.empty() {
		return note("nothing to draw: the loss is a number nowhere in the picture", options)
	}
	f := &Figure{columns: 1, settings: resolve(600, 480, options)}
	t := f.theme
	pl := t.blank()
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = g.x.lo, g.x.hi, g.y.lo, g.y.hi
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 7}, steps{n: 6}
	f.nameAxes(pl, f.theme.word("first parameter"), f.theme.word("second parameter"))
	pl.Y.Padding = 4
	l := levelsOf(g.values)
	colors := t.bands(len(l.at) + 1)
	pl.Add(contours{g, l, colors, t})
	p := &panel{plot: pl, title: f.theme.word(title), scale: l.scale(colors)}
	lost, outside := 0, 0
	shown := paths[:min(len(paths), len(t.hues))]
	for i, path := range shown {
		tr := trace{color: t.hue(i).strong, ground: t.card}
		for _, at := range path.Points {
			if !finite(at[0]) || !finite(at[1]) {
				lost++
				continue
			}
			if at[0] < g.x.lo || at[0] > g.x.hi || at[1] < g.y.lo || at[1] > g.y.hi {
				outside++
			}
			tr.points = append(tr.points, plotter.XY{X: at[0], Y: at[1]})
		}
		pl.Add(tr)
		name := path.Name
		if name == "" && len(paths) > 1 {
			name = fmt.Sprintf("path %d", i+1)
		}
		if name != "" {
			p.keys = append(p.keys, key{name: name, line: draw.LineStyle{Color: tr.color, Width: vg.Length(1.5)}})
		}
	}
	pl.Add(cross{plotter.XY{X: at[0], Y: at[1]}, t})
	p.caption = f.theme.say("× the lowest loss seen, %s at (%s, %s)", short(lowest), short(at[0]), short(at[1]))
	if slices.ContainsFunc(paths, func(p Path) bool { return len(p.Points) > 1 }) {
		p.caption = f.theme.say("%s; ○ start, ● end", p.caption)
	}
	var warnings []string
	if len(shown) < len(paths) {
		warnings = append(warnings, fmt.Sprintf("the first %d of %d paths; no more colours can be told apart", len(shown), len(paths)))
	}
	if lost > 0 {
		warnings = append(warnings, "left out: "+count(lost, "point")+" of paths that are no numbers")
	}
	if outside > 0 {
		warnings = append(warnings, f.theme.say("%s of paths outside of the picture", f.theme.count(outside, "point")))
	}
	if bad > 0 {
		warnings = append(warnings, "grey: the loss is no number")
	}
	p.warning = joinNonEmpty(warnings)
	points := 0
	for _, path := range shown {
		points += len(path.Points)
	}
	f.add(p, points+1)
	f.about = fmt.Sprintf("%s from %s to %s, lowest at (%s, %s)", title, short(bounds.lo), short(bounds.hi), short(at[0]), short(at[1]))
	f.about = joinNonEmpty([]string{f.about, ends(paths), p.warning})
	return f
}

// ends says where paths end.
func ends(paths []Path) string {
	var said []string
	for _, p := range paths {
		n := len(p.Points)
		if n < 2 {
			continue
		}
		name := p.Name
		if name == "" {
			name = "the path"
		}
		last := p.Points[n-1]
		said = append(said, fmt.Sprintf("%s ends at (%s, %s)", name, short(last[0]), short(last[1])))
	}
	return strings.Join(said, ", ")
}

// trace is a path: a line on a rim of the card's colour, a dot for each step where they do not crowd, a ring at its start and a disc at its end.
type trace struct {
	points        plotter.XYs
	color, ground color.RGBA
}

// roomyStep is how far from each other, on average, the steps of a path are that have dots.
const roomyStep = vg.Length(5)

// Plot draws the path, as plot.Plotter wants it.
func (tr trace) Plot(c draw.Canvas, p *plot.Plot) {
	if len(tr.points) == 0 {
		return
	}
	x, y := p.Transforms(&c)
	line := make([]vg.Point, len(tr.points))
	for i, xy := range tr.points {
		line[i] = vg.Point{X: clamp(x(xy.X)), Y: clamp(y(xy.Y))}
	}
	inside := c.ClipLinesXY(line)
	c.StrokeLines(draw.LineStyle{Color: tr.ground, Width: vg.Length(3)}, inside...)
	c.StrokeLines(draw.LineStyle{Color: tr.color, Width: vg.Length(1.3)}, inside...)
	mark := func(at vg.Point, radius vg.Length, ink color.RGBA) {
		if c.Contains(at) {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: radius, Shape: disc{}}, at)
		}
	}
	length := vg.Length(0)
	for i, at := range line[1:] {
		length += vg.Length(math.Hypot(float64(at.X-line[i].X), float64(at.Y-line[i].Y)))
	}
	if length >= roomyStep*vg.Length(len(line)) {
		for _, at := range line[1:max(len(line)-1, 1)] {
			mark(at, 1.7, tr.color)
		}
	}
	first, last := line[0], line[len(line)-1]
	mark(first, 4.4, tr.ground)
	mark(first, 3.6, tr.color)
	mark(first, 2.2, tr.ground)
	if len(line) > 1 {
		mark(last, 4.8, tr.ground)
		mark(last, 3.8, tr.color)
	}
}

// clamp keeps what lies far outside of a page where an SVG can still say it.
func clamp(v vg.Length) vg.Length { return min(max(v, -1e4), 1e4) }

// cross marks a place.
type cross struct {
	at plotter.XY
	t  Theme
}

// Plot draws the cross, as plot.Plotter wants it.
func (x cross) Plot(c draw.Canvas, p *plot.Plot) {
	px, py := p.Transforms(&c)
	at := vg.Point{X: px(x.at.X), Y: py(x.at.Y)}
	const arm = vg.Length(3.4)
	for _, style := range []draw.LineStyle{{Color: x.t.card, Width: 3.4}, {Color: x.t.text, Width: 1.4}} {
		c.StrokeLine2(style, at.X-arm, at.Y-arm, at.X+arm, at.Y+arm)
		c.StrokeLine2(style, at.X-arm, at.Y+arm, at.X+arm, at.Y-arm)
	}
}
