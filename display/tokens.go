package display

import (
	"fmt"
	"html"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostTokens is how many tokens can be read in one picture.
const mostTokens = 1500

// Sizes of a text's tokens, in points.
const (
	tokenSize   = vg.Length(10)
	tokenPad    = vg.Length(2.6) // beside the letters
	tokenGap    = vg.Length(1.6) // between tokens
	tokenHeight = vg.Length(14.5)
	tokenLine   = vg.Length(17.5) // from line to line
)

// Tokens draws a text, each of its tokens (words, parts of words, characters) on a ground that tells its weight: how much it speaks for a
// class, or how much attention it gets. Weights of both signs go from blue for negative to orange for positive, others from the card's colour to
// the highest. The text is wrapped into lines as wide as the figure, and ends a line after a token "\n".
//
//	display.Tokens([]string{"a", "wonderful", "film"}, []float64{0.01, 0.82, 0.1})
//
// [Figure.HTML] is text that can be selected. PNG and PDF have Latin, Greek and Cyrillic letters only; other scripts need SVG or
// HTML, in which the reader's machine provides the letters.
func Tokens[T Float](tokens []string, weights []T, options ...Option) *Figure {
	if problem := paired("tokens", len(tokens), "weights", len(weights)); problem != "" {
		return note(problem, options)
	}
	values := wide([][]T{weights})[0]
	all := newSpan()
	all.include(values)
	width := resolve(680, 0, options).width
	lines := wrapTokens(tokens[:min(len(tokens), mostTokens)], values, pixels(width-2*edge))
	const head = 26 + 2*edge
	tall := int(math.Ceil(float64(tokenLine) * cssDPI / 72 * float64(len(lines))))
	f := &Figure{columns: 1, settings: titled(680, head+tall, options)}
	t := f.theme

	colors, bounds, unit := t.sequential, span{min(all.lo, 0), all.hi}, ""
	switch {
	case all.empty():
		bounds, unit = span{0, 1}, "no weight is a number"
	case all.lo < 0:
		colors, bounds = t.diverging, all.around()
		unit = fmt.Sprintf("Blue is negative, orange positive, up to ±%s.", short(bounds.hi))
	case all.hi > 0:
		unit = fmt.Sprintf("From 0, like the card, to %s.", short(all.hi))
	default:
		bounds, unit = span{0, 1}, "All weights are 0."
	}
	said := []string{unit}
	if c := countBad(values); c.any() && !all.empty() {
		said = append(said, "Grey: "+c.String()+".")
	}
	room := f.height - head
	if f.title != "" {
		room -= titleRoom
	}
	lines = lines[:min(len(lines), max(int(pixels(room)/tokenLine+0.01), 1))]
	shown := 0
	for _, line := range lines {
		shown += len(line.tokens)
	}
	if all := len(tokens) - breaks(tokens); shown < all {
		said = append(said, fmt.Sprintf("The first %d of %d tokens.", shown, all))
	}
	f.note = strings.Join(said, " ")
	color := t.colorsOf(colors, bounds)
	pl := t.blank()
	pl.HideAxes()
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = 0, 1, 0, 1
	pl.X.Padding, pl.Y.Padding = 0, 0
	pl.Add(shadedText{lines, color, t})
	f.add(&panel{plot: pl}, shown)
	f.page = tokenPage(f, lines, color)
	f.about = strongest(tokens, values)
	return f
}

// strongest names the tokens with the largest weights.
func strongest(tokens []string, weights []float64) string {
	about := count(len(tokens), "token")
	most, least := -1, -1
	for i, w := range weights {
		if !finite(w) {
			continue
		}
		if most < 0 || w > weights[most] {
			most = i
		}
		if least < 0 || w < weights[least] {
			least = i
		}
	}
	if most < 0 {
		return about + ", no weight is a number"
	}
	about += fmt.Sprintf(", the highest weight is that of %q, %s", tokens[most], short(weights[most]))
	if weights[least] < 0 {
		about += fmt.Sprintf(", the lowest that of %q, %s", tokens[least], short(weights[least]))
	}
	return about
}

// token is one at its place in a line.
type token struct {
	text   string
	weight float64
	x      vg.Length // of its left edge
	width  vg.Length
}

// textLine is a line of tokens, and whether the text asks for its end.
type textLine struct {
	tokens []token
	broken bool
}

// breaks counts the tokens that end a line.
func breaks(tokens []string) int {
	n := 0
	for _, s := range tokens {
		if s == "\n" {
			n++
		}
	}
	return n
}

// wrapTokens puts tokens into lines no wider than w.
func wrapTokens(tokens []string, weights []float64, w vg.Length) []textLine {
	sty := Light.style(tokenSize, Light.text, false)
	var lines []textLine
	var line textLine
	x := vg.Length(0)
	end := func(broken bool) {
		line.broken = broken
		lines, line, x = append(lines, line), textLine{}, 0
	}
	for i, s := range tokens {
		if s == "\n" {
			end(true)
			continue
		}
		s = fit(sty, s, w-2*tokenPad)
		t := token{text: s, weight: weights[i], width: sty.Width(s) + 2*tokenPad}
		if x > 0 && x+t.width > w {
			end(false)
		}
		t.x = x
		x += t.width + tokenGap
		line.tokens = append(line.tokens, t)
	}
	if len(line.tokens) > 0 {
		end(false)
	}
	return lines
}

// shadedText draws lines of tokens from the top.
type shadedText struct {
	lines []textLine
	color func(weight float64) color.RGBA
	theme Theme
}

// Plot draws the text, as plot.Plotter wants it.
func (s shadedText) Plot(c draw.Canvas, _ *plot.Plot) {
	sty := s.theme.style(tokenSize, s.theme.text, false)
	sty.YAlign = draw.YCenter
	for i, line := range s.lines {
		mid := c.Max.Y - tokenLine*(vg.Length(i)+0.5)
		if mid-tokenHeight/2 < c.Min.Y-1 {
			return
		}
		for _, t := range line.tokens {
			ground := s.color(t.weight)
			c.SetColor(ground)
			c.Fill(rounded(vg.Rectangle{
				Min: vg.Point{X: c.Min.X + t.x, Y: mid - tokenHeight/2}, Max: vg.Point{X: c.Min.X + t.x + t.width, Y: mid + tokenHeight/2},
			}, 2.2))
			sty.Color = inkOn(ground)
			c.FillText(sty, vg.Point{X: c.Min.X + t.x + tokenPad, Y: mid}, t.text)
		}
	}
}

// tokenPage is the figure as a part of a web page, wrapped to the width it has there. It keeps to what JupyterLab leaves of a style in a
// notebook that it does not trust.
func tokenPage(f *Figure, lines []textLine, color func(weight float64) color.RGBA) string {
	t := f.theme
	var b strings.Builder
	b.WriteString(f.openCard("13.5px/1.75"))
	fmt.Fprintf(&b, `<div style="font-size:11px;color:%s;margin-bottom:4px">%s</div>`, css(t.quiet), html.EscapeString(f.note))
	b.WriteString(`<div>`)
	for _, line := range lines {
		for _, k := range line.tokens {
			ground := color(k.weight)
			fmt.Fprintf(&b, `<span title="%s" style="background:%s;color:%s;border-radius:3px;padding:2px 3px;margin-right:2px">%s</span> `,
				short(k.weight), css(ground), css(inkOn(ground)), html.EscapeString(k.text))
		}
		if line.broken {
			b.WriteString("<br>")
		}
	}
	b.WriteString(`</div></div>`)
	return b.String()
}
