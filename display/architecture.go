package display

import (
	"fmt"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Layer is a row of an [Architecture].
type Layer struct {
	Name       string
	Kind       string // "dense", "conv2d", …; with the activation if that matters
	Shape      []int  // of the output for one example; nil where it is not known
	Parameters int    // how many numbers are trained
}

// mostLayers is how many boxes one above the other can be read; of more, the middle is left out.
const mostLayers = 40

// Architecture draws the layers of a network as a chain of boxes from the input at the top, each with its output shape, the number of
// its parameters, and a bar for its share of them all.
func Architecture(layers []Layer, options ...Option) *Figure {
	if len(layers) == 0 {
		return note("nothing to draw: the network has no layers", options)
	}
	total := 0
	for i, l := range layers {
		if l.Parameters < 0 {
			return note(fmt.Sprintf("nothing to draw: layer %d, %q, has %d parameters; there cannot be fewer than none", i, l.Name, l.Parameters), options)
		}
		total += l.Parameters
	}
	shown := layers
	gapAt := -1
	if len(layers) > mostLayers {
		gapAt = mostLayers / 2
		shown = append(append([]Layer{}, layers[:gapAt]...), layers[len(layers)-mostLayers/2:]...)
	}
	f := &Figure{columns: 1, settings: resolve(600, 70+38*len(shown), options)}
	t := f.theme
	pl := t.bare(len(shown), 1)
	pl.X.Min, pl.X.Max = 0, 1
	pl.Add(chain{shown, total, gapAt, t})
	p := &panel{plot: pl, title: "architecture", caption: fmt.Sprintf("%s, %s parameters", count(len(layers), "layer"), grouped(total))}
	if gapAt >= 0 {
		p.warning = fmt.Sprintf("the first and the last %d of %d layers", mostLayers/2, len(layers))
	}
	f.add(p, 4*len(shown))
	f.about = "architecture: " + p.caption
	return f
}

// chain draws boxes with arrows, and numbers beside them.
type chain struct {
	layers []Layer
	total  int
	gapAt  int // where layers are left out, -1 for nowhere
	theme  Theme
}

// Plot draws the chain, as plot.Plotter wants it.
func (ch chain) Plot(c draw.Canvas, p *plot.Plot) {
	t := ch.theme
	_, y := p.Transforms(&c)
	h := y(0) - y(-1)
	w := c.Size().X
	box := w * 0.52
	name, quiet := t.style(nameSize, t.text, true), t.style(smallSize, t.quiet, false)
	number := t.style(smallSize, t.text, false)
	number.YAlign, number.XAlign = draw.YCenter, draw.XRight
	name.YAlign, quiet.YAlign = draw.YCenter, draw.YCenter
	kinds := map[string]int{}
	for i, l := range ch.layers {
		at := y(float64(-i))
		kind := strings.TrimRight(strings.Fields(l.Kind + " ?")[0], ",")
		if _, ok := kinds[kind]; !ok && l.Parameters > 0 {
			kinds[kind] = len(kinds)
		}
		color := t.hue(kinds[kind])
		if l.Parameters == 0 { // what only reshapes or pools stands back
			color.fill, color.strong = t.axis, t.axis
		}
		r := vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: at - h*0.36}, Max: vg.Point{X: c.Min.X + box, Y: at + h*0.36}}
		c.SetColor(t.tint(color.fill, 0.2))
		c.Fill(r.Path())
		c.SetColor(color.strong)
		c.Fill(vg.Rectangle{Min: r.Min, Max: vg.Point{X: r.Min.X + 3, Y: r.Max.Y}}.Path())
		title := fit(name, l.Name, box*0.55)
		c.FillText(name, vg.Point{X: r.Min.X + 10, Y: at}, title)
		right := quiet
		right.XAlign = draw.XRight
		c.FillText(right, vg.Point{X: r.Max.X - 8, Y: at}, fit(quiet, l.Kind, box-name.Width(title)-28))
		c.FillText(quiet, vg.Point{X: r.Max.X + 10, Y: at}, fit(quiet, shapeText(l.Shape), w*0.22))
		c.FillText(number, vg.Point{X: c.Min.X + w*0.86, Y: at}, grouped(l.Parameters))
		if l.Parameters > 0 {
			full := w * 0.13
			bar := max(full*vg.Length(float64(l.Parameters)/float64(ch.total)), 0.75)
			left := c.Min.X + w*0.87
			c.SetColor(color.fill)
			c.Fill(vg.Rectangle{Min: vg.Point{X: left, Y: at - 3}, Max: vg.Point{X: left + bar, Y: at + 3}}.Path())
		}
		if i > 0 {
			ch.arrow(c, vg.Point{X: c.Min.X + box/2, Y: r.Max.Y}, y(float64(1-i))-h*0.36, i == ch.gapAt)
		}
	}
}

// arrow points from a box above down to a tip; it is dotted where layers are left out.
func (ch chain) arrow(c draw.Canvas, tip vg.Point, from vg.Length, gap bool) {
	style := draw.LineStyle{Color: ch.theme.quiet, Width: vg.Length(0.9)}
	if gap {
		style.Dashes = []vg.Length{1, 1.5}
	}
	c.StrokeLine2(style, tip.X, from, tip.X, tip.Y+2)
	c.SetColor(ch.theme.quiet)
	fillPolygon(&c, tip, vg.Point{}, vg.Point{X: -2.4, Y: 3.6}, vg.Point{X: 2.4, Y: 3.6})
}

// shapeText writes a shape as 28 × 28 × 6.
func shapeText(shape []int) string {
	if shape == nil {
		return "?"
	}
	parts := make([]string, len(shape))
	for i, n := range shape {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, " × ")
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
