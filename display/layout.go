package display

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A panel is one plot with the lines above it: a name and a key to the left and right, and a quiet caption below
// them. What explains a plot stands there, outside the axes, where it can never cover a curve.
type panel struct {
	plot    *plot.Plot // nil when there is nothing to draw
	title   string
	keys    []key
	caption string
	warning string  // what was left out of the plot, or why there is none
	shape   float64 // width over height of the data's rectangle; 0 where it may be any
	scale   *scale  // what the colours of the plot mean; nil where they mean no number
	mistake bool    // the title tells of an error of the model
}

// A key explains one line style, or one kind of mark.
type key struct {
	name string
	line draw.LineStyle
	mark draw.GlyphStyle // instead of the line where it has a shape
}

// A scale is the bar beside a plot that tells which colour is which value.
type scale struct {
	bounds span
	colors ramp
	ticks  plot.Ticker // what stands beside the bar; nil for round numbers
}

// edge is the margin in CSS pixels.
const edge = 16

// Sizes in points; a CSS pixel is three quarters of one.
const (
	margin    = vg.Length(12)
	gap       = vg.Length(20) // between panels
	tightGap  = vg.Length(9)  // between pictures
	titleSize = vg.Length(12)
	nameSize  = vg.Length(9.75)
	smallSize = vg.Length(8.25)
	corner    = vg.Length(5)
	keyWidth  = vg.Length(17)
	markWidth = vg.Length(7)
	keyGap    = vg.Length(10)
	barWidth  = vg.Length(8)  // of a scale
	barRoom   = vg.Length(48) // for a scale and its numbers
)

// draw lays the figure out on c. A panic from a plot (one that its owner changed into something gonum refuses) is
// turned into a sentence on the card.
func (f *Figure) draw(c draw.Canvas) {
	f.card(c)
	body := draw.Crop(c, margin, -margin, margin, -margin)
	if f.title != "" {
		sty := f.theme.style(titleSize, f.theme.text, true)
		c.FillText(top(sty), vg.Point{X: body.Min.X, Y: body.Max.Y}, fit(sty, f.title, body.Size().X))
		body.Max.Y -= sty.Height("x") + 8
	}
	if f.note != "" {
		sty := f.theme.style(smallSize, f.theme.quiet, false)
		if f.title != "" {
			body.Max.Y += 5 // belongs to the title
		}
		c.FillText(top(sty), vg.Point{X: body.Min.X, Y: body.Max.Y}, fit(sty, f.note, body.Size().X))
		body.Max.Y -= sty.Height("x") + 8
	}
	if len(f.panels) == 0 {
		f.say(body, f.about)
		return
	}
	columns := min(max(f.columns, 1), len(f.panels))
	rows := (len(f.panels) + columns - 1) / columns
	gap, rowGap := gap, gap*0.8
	if f.tight {
		gap, rowGap = tightGap, tightGap
	}
	w := (body.Size().X - gap*vg.Length(columns-1)) / vg.Length(columns)
	h := (body.Size().Y - rowGap*vg.Length(rows-1)) / vg.Length(rows)

	// All panels of a row give their lines the same room, and all of a column their axis labels, so that the
	// plots stand in line.
	areas := make([]draw.Canvas, len(f.panels))
	heads := make([]vg.Length, rows)
	for i, p := range f.panels {
		heads[i/columns] = max(heads[i/columns], f.headHeight(p, w))
	}
	insets := make([]vg.Length, columns)
	own := make([]vg.Length, len(f.panels))
	for i, p := range f.panels {
		x := body.Min.X + vg.Length(i%columns)*(w+gap)
		y := body.Max.Y - vg.Length(i/columns)*(h+rowGap)
		areas[i] = draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: y - h}, Max: vg.Point{X: x + w, Y: y},
		}}
		own[i] = inset(p.plot, areas[i])
		insets[i%columns] = max(insets[i%columns], own[i])
	}
	for i, p := range f.panels {
		f.head(areas[i], p)
		area := draw.Crop(areas[i], 0, 0, 0, -heads[i/columns])
		if p.plot == nil {
			f.say(area, p.warning)
			continue
		}
		area.Min.X += insets[i%columns] - own[i]
		area = p.trim(area)
		if p.scale != nil {
			f.drawScale(c, p, area)
			area.Max.X -= barRoom
		}
		if err := drawPlot(p.plot, area); err != nil {
			f.card(area)
			f.say(area, "this plot could not be drawn: "+err.Error())
		}
	}
}

// trim takes from an area what would make the data's rectangle wider or higher than its shape. What is over stays free to
// the right and below.
func (p *panel) trim(area draw.Canvas) draw.Canvas {
	if p.shape <= 0 {
		return area
	}
	d, ok := dataArea(p.plot, area)
	if !ok {
		return area
	}
	w, h := d.Size().X, d.Size().Y
	if p.scale != nil {
		w -= barRoom
	}
	switch {
	case w <= 0 || h <= 0:
	case float64(w/h) > p.shape:
		area.Max.X -= w - h*vg.Length(p.shape)
	default:
		area.Min.Y += h - w/vg.Length(p.shape)
	}
	return area
}

// drawScale draws the bar of a panel along the right of its area, as high as the data.
func (f *Figure) drawScale(c draw.Canvas, p *panel, area draw.Canvas) {
	d, ok := dataArea(p.plot, area)
	if !ok || area.Size().X < 2*barRoom {
		return
	}
	bar := vg.Rectangle{Min: vg.Point{X: area.Max.X - barRoom + 9, Y: d.Min.Y}, Max: vg.Point{X: area.Max.X - barRoom + 9 + barWidth, Y: d.Max.Y}}
	c.DrawImage(bar, p.scale.colors.bar())
	sty := f.theme.style(smallSize, f.theme.quiet, false)
	sty.YAlign = draw.YCenter
	b := p.scale.bounds
	var marks plot.Ticker = steps{n: min(max(int(d.Size().Y/26), 2), 5)}
	if p.scale.ticks != nil {
		marks = p.scale.ticks
	}
	for _, tick := range marks.Ticks(b.lo, b.hi) {
		share := vg.Length(b.share(tick.Value))
		c.FillText(sty, vg.Point{X: bar.Max.X + 4, Y: bar.Min.Y + share*(bar.Max.Y-bar.Min.Y)}, tick.Label)
	}
}

// drawPlot draws a plot unless gonum/plot panics.
func drawPlot(p *plot.Plot, c draw.Canvas) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	if c.Size().X < 10 || c.Size().Y < 10 {
		return fmt.Errorf("the figure is too small; give it a larger Size")
	}
	p.Draw(c)
	return nil
}

// inset is how far the axis and its labels push the data to the right.
func inset(p *plot.Plot, c draw.Canvas) vg.Length {
	d, ok := dataArea(p, c)
	if !ok {
		return 0
	}
	return min(d.Min.X-c.Min.X, c.Size().X)
}

// dataArea is where a plot on c draws its data, unless gonum/plot refuses the plot.
func dataArea(p *plot.Plot, c draw.Canvas) (d draw.Canvas, ok bool) {
	if p == nil {
		return d, false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	d = p.DataCanvas(c)
	left := float64(d.Min.X - c.Min.X)
	return d, left >= 0 && !math.IsInf(left, 1)
}

// card fills c with a rounded rectangle and its hairline.
func (f *Figure) card(c draw.Canvas) {
	r := c.Rectangle
	half := vg.Length(0.375)
	r.Min.X, r.Min.Y, r.Max.X, r.Max.Y = r.Min.X+half, r.Min.Y+half, r.Max.X-half, r.Max.Y-half
	p := rounded(r, corner)
	c.SetColor(f.theme.card)
	c.Fill(p)
	c.SetLineStyle(draw.LineStyle{Color: f.theme.border, Width: vg.Length(0.75)})
	c.Stroke(p)
}

// rounded is a rectangle with round corners.
func rounded(r vg.Rectangle, corner vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: r.Min.X + corner, Y: r.Min.Y})
	p.Line(vg.Point{X: r.Max.X - corner, Y: r.Min.Y})
	p.Arc(vg.Point{X: r.Max.X - corner, Y: r.Min.Y + corner}, corner, -math.Pi/2, math.Pi/2)
	p.Line(vg.Point{X: r.Max.X, Y: r.Max.Y - corner})
	p.Arc(vg.Point{X: r.Max.X - corner, Y: r.Max.Y - corner}, corner, 0, math.Pi/2)
	p.Line(vg.Point{X: r.Min.X + corner, Y: r.Max.Y})
	p.Arc(vg.Point{X: r.Min.X + corner, Y: r.Max.Y - corner}, corner, math.Pi/2, math.Pi/2)
	p.Line(vg.Point{X: r.Min.X, Y: r.Min.Y + corner})
	p.Arc(vg.Point{X: r.Min.X + corner, Y: r.Min.Y + corner}, corner, math.Pi, math.Pi/2)
	p.Close()
	return p
}

// say writes a sentence where a plot would be.
func (f *Figure) say(c draw.Canvas, sentence string) {
	sty := f.theme.style(nameSize, f.theme.warn, false)
	lines := wrap(sty, sentence, c.Size().X)
	step := sty.Height("x") + 2
	at := vg.Point{X: c.Min.X, Y: c.Center().Y + step*vg.Length(len(lines))/2}
	for _, line := range lines {
		c.FillText(top(sty), at, line)
		at.Y -= step
	}
}

// headLines gives the lines above a panel's plot: its captions, its warnings, and its keys where they do not stand
// beside the title.
func (f *Figure) headLines(p *panel, w vg.Length) (captions, warnings []string, keys [][]key) {
	quiet := f.theme.style(smallSize, f.theme.quiet, false)
	if p.caption != "" {
		captions = wrap(quiet, p.caption, w)
	}
	if p.warning != "" && p.plot != nil {
		warnings = wrap(quiet, p.warning, w)
	}
	if !f.keysBeside(p, w) {
		keys = f.wrapKeys(p.keys, w)
	}
	return captions, warnings, keys
}

// keysBeside reports whether the keys have room to the right of the title.
func (f *Figure) keysBeside(p *panel, w vg.Length) bool {
	name := f.theme.style(nameSize, f.theme.text, true)
	return name.Width(p.title)+16+f.keysWidth(p.keys) <= w
}

func (f *Figure) headHeight(p *panel, w vg.Length) vg.Length {
	captions, warnings, keys := f.headLines(p, w)
	small := f.theme.style(smallSize, f.theme.quiet, false).Height("x") + 1.5
	h := small * vg.Length(len(captions)+len(warnings)+len(keys))
	if p.title != "" {
		h += f.theme.style(nameSize, f.theme.text, true).Height("x") + 2
	}
	return h + 5
}

func (f *Figure) head(c draw.Canvas, p *panel) {
	name := f.theme.style(nameSize, f.theme.text, true)
	if p.mistake {
		name.Color = f.theme.warn
	}
	captions, warnings, keys := f.headLines(p, c.Size().X)
	at := vg.Point{X: c.Min.X, Y: c.Max.Y}
	c.FillText(top(name), at, fit(name, p.title, c.Size().X))
	if len(keys) == 0 {
		f.drawKeys(c, p.keys, vg.Point{X: c.Max.X - f.keysWidth(p.keys), Y: at.Y - 1.3})
	}
	if p.title != "" {
		at.Y -= name.Height("x") + 2
	}
	small := f.theme.style(smallSize, f.theme.quiet, false)
	step := small.Height("x") + 1.5
	for _, line := range keys {
		f.drawKeys(c, line, at)
		at.Y -= step
	}
	for _, line := range captions {
		c.FillText(top(small), at, line)
		at.Y -= step
	}
	small.Color = f.theme.warn
	for _, line := range warnings {
		c.FillText(top(small), at, line)
		at.Y -= step
	}
}

// symbol is how wide the line or the mark of a key is.
func (k key) symbol() vg.Length {
	if k.mark.Shape != nil {
		return markWidth
	}
	return keyWidth
}

func (f *Figure) keysWidth(keys []key) vg.Length {
	sty := f.theme.style(smallSize, f.theme.quiet, false)
	var w vg.Length
	for i, k := range keys {
		if i > 0 {
			w += keyGap
		}
		w += k.symbol() + 4 + sty.Width(k.name)
	}
	return w
}

// wrapKeys breaks keys into lines no wider than w.
func (f *Figure) wrapKeys(keys []key, w vg.Length) [][]key {
	var lines [][]key
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && f.keysWidth(keys[:n+1]) <= w {
			n++
		}
		lines = append(lines, keys[:n])
		keys = keys[n:]
	}
	return lines
}

func (f *Figure) drawKeys(c draw.Canvas, keys []key, at vg.Point) {
	sty := f.theme.style(smallSize, f.theme.quiet, false)
	mid := at.Y - sty.Height("x")*0.55
	for _, k := range keys {
		symbol := k.symbol()
		k.name = fit(sty, k.name, c.Max.X-at.X-symbol-4)
		if k.mark.Shape != nil {
			c.DrawGlyphNoClip(k.mark, vg.Point{X: at.X + symbol/2, Y: mid})
		} else {
			c.StrokeLine2(k.line, at.X, mid, at.X+symbol, mid)
		}
		c.FillText(top(sty), vg.Point{X: at.X + symbol + 4, Y: at.Y}, k.name)
		at.X += symbol + 4 + sty.Width(k.name) + keyGap
	}
}

// newPlot returns an empty plot in the theme: a light grid across, a line at the bottom and no box.
func (t Theme) newPlot() *plot.Plot {
	p := t.blank()
	p.Add(grid{draw.LineStyle{Color: t.grid, Width: vg.Length(0.75)}})
	return p
}

// blank is a plot without a grid, for what has no numbers along its left.
func (t Theme) blank() *plot.Plot {
	p := plot.New()
	p.TextHandler, p.Legend.TextStyle.Handler = measured, measured
	p.BackgroundColor = nil // the card is the ground
	p.Title.TextStyle = t.style(nameSize, t.text, true)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Legend.TextStyle = t.style(smallSize, t.quiet, false)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		set := func(sty *text.Style) {
			sty.Color = t.quiet
			sty.Font = sans(smallSize, false)
			sty.Handler = measured
		}
		set(&a.Label.TextStyle)
		set(&a.Tick.Label)
		a.LineStyle = draw.LineStyle{Color: t.axis, Width: vg.Length(0.75)}
		a.Tick.LineStyle = draw.LineStyle{Color: t.axis, Width: vg.Length(0.75)}
		a.Tick.Length = 3
		a.Padding = 0
		a.Label.Padding = 2
	}
	p.Y.LineStyle.Width = 0
	p.Y.Tick.LineStyle.Width = 0
	p.Y.Tick.Length = 0
	p.Y.Padding = 2
	return p
}

// grid draws a line across at each tick, but none so close to the axis that the two would look like a blurred one.
type grid struct{ draw.LineStyle }

// Plot draws the lines, as plot.Plotter wants it.
func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(tick.Value); !tick.IsMinor() && at > c.Min.Y+3 && at <= c.Max.Y {
			c.StrokeLine2(g.LineStyle, c.Min.X, at, c.Max.X, at)
		}
	}
}

func (t Theme) style(size vg.Length, c color.Color, bold bool) text.Style {
	return text.Style{Color: c, Font: sans(size, bold), Handler: measured}
}

func sans(size vg.Length, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = 3 // golang.org/x/image/font.WeightBold, a module that we do not require ourselves
	}
	return f
}

// top hangs text from its point instead of standing it there.
func top(s text.Style) text.Style {
	s.YAlign = draw.YTop
	return s
}

// fit cuts a text with an ellipsis where it would be wider than w.
func fit(sty text.Style, s string, w vg.Length) string {
	s = strings.Join(strings.Fields(s), " ") // a line break would fall onto what is below
	if sty.Width(s) <= w {
		return s
	}
	runes := []rune(s)
	if sty.Width("…") > w {
		return ""
	}
	for len(runes) > 0 && sty.Width(string(runes)+"…") > w {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// wrap breaks a text at spaces into lines no wider than w, three at most.
func wrap(sty text.Style, s string, w vg.Length) []string {
	var lines []string
	words := strings.Fields(s)
	for len(words) > 0 {
		n := 1
		for n < len(words) && sty.Width(strings.Join(words[:n+1], " ")) <= w {
			n++
		}
		if len(lines) == 2 {
			n = len(words)
		}
		lines = append(lines, fit(sty, strings.Join(words[:n], " "), w))
		words = words[n:]
	}
	return lines
}
