package display

import (
	"fmt"
	"slices"
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
	// Inputs are the names of the layers before it that it reads: nil for the one right before it, none of an input.
	Inputs []string
}

// mostLayers is how many boxes one above the other can be read; of more, the middle is left out.
const mostLayers = 40

// Architecture draws the layers of a network as a chain of boxes from the input at the top, each with its output shape, the number of
// its parameters, and a bar for its share of them all. Where a network branches, lines beside the boxes lead from a layer to those
// farther down that read it.
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
	reads, problem := readings(layers)
	if problem != "" {
		return note("nothing to draw: "+problem, options)
	}
	shown := layers
	gapAt := -1
	if left := len(layers) - mostLayers; left > 0 {
		gapAt = mostLayers / 2
		shown = slices.Concat(layers[:gapAt], layers[gapAt+left:])
		reads = withoutMiddle(reads, gapAt, left)
	}
	f := &Figure{columns: 1, settings: resolve(600, 70+38*len(shown), options)}
	t := f.theme
	pl := t.bare(len(shown), 1)
	pl.X.Min, pl.X.Max = 0, 1
	pl.Add(chain{shown, reads, total, gapAt, t})
	p := &panel{plot: pl, title: "architecture", caption: fmt.Sprintf("%s, %s parameters", count(len(layers), "layer"), grouped(total))}
	if gapAt >= 0 {
		p.warning = fmt.Sprintf("the first and the last %d of %d layers", mostLayers/2, len(layers))
	}
	f.add(p, 4*len(shown))
	f.about = "architecture: " + p.caption
	return f
}

// readings returns the rows that each layer reads, or what is wrong with them.
func readings(layers []Layer) (reads [][]int, problem string) {
	reads = make([][]int, len(layers))
	for i, l := range layers {
		if l.Inputs == nil && i > 0 {
			reads[i] = []int{i - 1}
		}
		for _, name := range l.Inputs {
			at := slices.IndexFunc(layers[:i], func(l Layer) bool { return l.Name == name })
			if at < 0 {
				return nil, fmt.Sprintf("layer %d, %q, reads %q, which is none of the layers before it", i, l.Name, name)
			}
			if !slices.Contains(reads[i], at) {
				reads[i] = append(reads[i], at)
			}
		}
	}
	return reads, ""
}

// withoutMiddle leaves out some rows from one on. The rows at either side of the gap stand for what was between them.
func withoutMiddle(reads [][]int, gapAt, left int) [][]int {
	kept := slices.Concat(reads[:gapAt], reads[gapAt+left:])
	for i, from := range kept {
		if i < gapAt {
			continue
		}
		var rows []int
		for _, at := range from {
			switch {
			case at >= gapAt+left:
				rows = append(rows, at-left)
			case at < gapAt:
				rows = append(rows, at)
			case i == gapAt:
				rows = append(rows, gapAt-1)
			}
		}
		kept[i] = rows
	}
	return kept
}

// lane is a line from a box, down beside the boxes, to those that read it without being next.
type lane struct {
	from, to int // rows
	targets  []int
	at       int // its place, counted from the boxes
}

// lanes finds a place for the lines of a network, short ones next to the boxes.
func lanes(reads [][]int) (list []lane, places int) {
	for from := range reads {
		l := lane{from: from}
		for row := from + 2; row < len(reads); row++ {
			if slices.Contains(reads[row], from) {
				l.targets, l.to = append(l.targets, row), row
			}
		}
		if l.targets != nil {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b lane) int { return a.to - a.from - (b.to - b.from) })
	for i := range list {
		l := &list[i]
		for slices.ContainsFunc(list[:i], func(o lane) bool { return o.at == l.at && o.from < l.to && l.from < o.to }) {
			l.at++
		}
		places = max(places, l.at+1)
	}
	return list, places
}

// chain draws boxes with arrows, and numbers beside them.
type chain struct {
	layers []Layer
	reads  [][]int // rows that a layer reads
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
	beside, places := lanes(ch.reads)
	spacing := vg.Length(0)
	if places > 0 {
		spacing = min(9, w*0.2/vg.Length(places))
	}
	left := c.Min.X + spacing*vg.Length(places)
	box := c.Min.X + w*0.52 - left
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
		r := vg.Rectangle{Min: vg.Point{X: left, Y: at - h*0.36}, Max: vg.Point{X: left + box, Y: at + h*0.36}}
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
			from := c.Min.X + w*0.87
			c.SetColor(color.fill)
			c.Fill(vg.Rectangle{Min: vg.Point{X: from, Y: at - 3}, Max: vg.Point{X: from + bar, Y: at + 3}}.Path())
		}
		if slices.Contains(ch.reads[i], i-1) {
			ch.arrow(c, vg.Point{X: left + box/2, Y: r.Max.Y}, y(float64(1-i))-h*0.36, i == ch.gapAt)
		}
	}
	for _, l := range beside {
		ch.branch(c, l, vg.Point{X: left, Y: h * 0.16}, left-spacing*(vg.Length(l.at)+0.75), func(row int) vg.Length { return y(float64(-row)) })
	}
}

// branch leads from a box to others: out below the middle of its left side, and in above it, by aside.Y.
func (ch chain) branch(c draw.Canvas, l lane, aside vg.Point, x vg.Length, row func(int) vg.Length) {
	style := draw.LineStyle{Color: ch.theme.quiet, Width: vg.Length(0.9)}
	c.StrokeLines(style, []vg.Point{
		{X: aside.X, Y: row(l.from) - aside.Y}, {X: x, Y: row(l.from) - aside.Y}, {X: x, Y: row(l.to) + aside.Y},
	})
	for _, target := range l.targets {
		tip := vg.Point{X: aside.X, Y: row(target) + aside.Y}
		c.StrokeLine2(style, x, tip.Y, tip.X-2, tip.Y)
		c.SetColor(ch.theme.quiet)
		fillPolygon(&c, tip, vg.Point{}, vg.Point{X: -3.6, Y: 2.4}, vg.Point{X: -3.6, Y: -2.4})
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
