package display

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostBars is how many bars one above the other can be read.
const mostBars = 30

// Balance draws how many examples each class has. Labels count from 0; [Classes] names them, and shows those that have
// no example too. Of more than 30 classes it draws the most frequent.
func Balance(labels []int, options ...Option) *Figure {
	if len(labels) == 0 {
		return note("nothing to draw: there are no labels", options)
	}
	s := resolve(0, 0, options)
	all := slices.Clone(labels)
	for i := range s.classes {
		all = append(all, i)
	}
	classes := distinct(all)
	n := map[int]int{}
	for _, l := range labels {
		n[l]++
	}
	total := len(classes)
	if total > mostBars {
		slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(n[b], n[a]) })
		classes = classes[:mostBars]
	}
	var rows []row
	least, most := n[classes[0]], n[classes[0]]
	for _, c := range classes {
		rows = append(rows, row{s.className(c), float64(n[c]), fmt.Sprintf("%d  (%s)", n[c], percent(n[c], len(labels)))})
		least, most = min(least, n[c]), max(most, n[c])
	}
	caption := fmt.Sprintf("%s in %s", count(len(labels), "example"), plural(total, "class", "classes"))
	switch {
	case total == 1:
	case least == 0:
		caption += "; one or more have none"
	default:
		caption += fmt.Sprintf("; the largest is %.3g times the smallest", float64(most)/float64(least))
	}
	f := bars(rows, 0, options)
	f.panels[0].title, f.panels[0].caption = "class balance", caption
	if total > len(classes) {
		f.panels[0].warning = fmt.Sprintf("the %d most frequent of %d classes", len(classes), total)
	}
	f.about = "class balance: " + caption
	return f
}

// A row is a bar with its name and what is written beside it.
type row struct {
	name  string
	value float64
	text  string
}

// bars draws lying bars, the first on top, on a track up to what would be full, if that is not 0.
func bars(rows []row, full float64, options []Option) *Figure {
	f := &Figure{columns: 1, settings: resolve(520, 100+24*len(rows), options)}
	t := f.theme
	pl := t.blank()
	small := t.style(smallSize, t.quiet, false)
	var names []string
	most := 0.0
	for _, r := range rows {
		names = append(names, fit(small, r.name, 110))
		most = max(most, r.value)
	}
	if most = max(most, full); most == 0 {
		most = 1
	}
	pl.Y.Tick.Marker = named{names: names, down: true}
	pl.Y.Tick.Label.YAlign = draw.YCenter
	pl.Y.Min, pl.Y.Max = 0.5-float64(len(rows)), 0.5
	pl.X.Min, pl.X.Max = 0, most*1.28 // room for the text beside the longest
	pl.HideX()                        // each bar tells its number
	pl.Add(barRows{rows, full, t})
	f.add(&panel{plot: pl}, len(rows))
	return f
}

type barRows struct {
	rows  []row
	full  float64
	theme Theme
}

// Plot draws the bars, as plot.Plotter wants it.
func (b barRows) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	h := y(0) - y(-1)
	sty := b.theme.style(smallSize, b.theme.text, false)
	sty.YAlign = draw.YCenter
	for i, r := range b.rows {
		at := y(float64(-i))
		if b.full > 0 {
			c.SetColor(b.theme.grid)
			c.Fill(vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: at - h*0.34}, Max: vg.Point{X: x(b.full), Y: at + h*0.34}}.Path())
		}
		c.SetColor(b.theme.hue(0).fill)
		c.Fill(vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: at - h*0.34}, Max: vg.Point{X: x(r.value), Y: at + h*0.34}}.Path())
		c.FillText(sty, vg.Point{X: x(max(r.value, b.full)) + 5, Y: at}, r.text)
	}
}
