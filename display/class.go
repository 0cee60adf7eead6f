package display

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Float is the type of numbers in rows: nnkit's are float32.
type Float interface{ ~float32 | ~float64 }

// Predicted turns scores, a row for each example, into labels: the column with the highest score, the first of equals; in
// rows of one column, which hold the probability of class 1, whether that is above 0.5, as nnkit counts its metrics. A row without a number gives -1.
//
//	display.Confusion(truth, display.Predicted(probabilities.Rows()))
func Predicted[T Float](scores [][]T) []int {
	labels := make([]int, len(scores))
	for i, row := range scores {
		labels[i] = -1
		if len(row) == 1 && row[0] == row[0] {
			labels[i] = 0
			if row[0] > 0.5 {
				labels[i] = 1
			}
			continue
		}
		for j, v := range row {
			if v == v && (labels[i] < 0 || v > row[labels[i]]) {
				labels[i] = j
			}
		}
	}
	return labels
}

// wide copies rows as float64.
func wide[T Float](rows [][]T) [][]float64 {
	out := make([][]float64, len(rows))
	for i, row := range rows {
		out[i] = make([]float64, len(row))
		for j, v := range row {
			out[i][j] = float64(v)
		}
	}
	return out
}

// className is how a figure calls a class.
func (s settings) className(label int) string {
	if label >= 0 && label < len(s.classes) && s.classes[label] != "" {
		return s.classes[label]
	}
	return strconv.Itoa(label)
}

// distinct returns the classes that occur, in order.
func distinct(labels ...[]int) []int {
	all := slices.Concat(labels...)
	slices.Sort(all)
	return slices.Compact(all)
}

// paired says what keeps two series from belonging together row by row, "" for nothing.
func paired(what string, n int, other string, m int) string {
	switch {
	case n == 0 && m == 0:
		return fmt.Sprintf("nothing to draw: there are no %s and no %s", what, other)
	case n != m:
		return fmt.Sprintf("nothing to draw: %d %s stand against %d %s; there must be one for each row", n, what, m, other)
	}
	return ""
}

// glyphs are the shapes of classes: beside the colour, so that neither alone must tell them apart.
var glyphs = []draw.GlyphDrawer{disc{}, square{}, triangle{1}, diamond{}, triangle{-1}}

// classMark is the mark of the i-th class.
func (t Theme) classMark(i int, radius vg.Length) draw.GlyphStyle {
	return draw.GlyphStyle{Color: t.hue(i).strong, Radius: radius, Shape: glyphs[i%len(glyphs)]}
}

// Solid marks, of about one area.
type (
	disc     struct{}
	square   struct{}
	diamond  struct{}
	triangle struct{ up vg.Length } // 1 or -1
)

func (disc) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	var p vg.Path
	p.Move(vg.Point{X: at.X + sty.Radius, Y: at.Y})
	p.Arc(at, sty.Radius, 0, 2*math.Pi)
	p.Close()
	c.Fill(p)
}

func (square) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	r := sty.Radius * 0.89
	fillPolygon(c, at, vg.Point{X: -r, Y: -r}, vg.Point{X: r, Y: -r}, vg.Point{X: r, Y: r}, vg.Point{X: -r, Y: r})
}

func (diamond) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	r := sty.Radius * 1.25
	fillPolygon(c, at, vg.Point{X: -r}, vg.Point{Y: -r}, vg.Point{X: r}, vg.Point{Y: r})
}

func (t triangle) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	r := sty.Radius * 1.35
	fillPolygon(c, at, vg.Point{X: -r * 0.87, Y: -r * 0.5 * t.up}, vg.Point{X: r * 0.87, Y: -r * 0.5 * t.up}, vg.Point{Y: r * t.up})
}

func fillPolygon(c *draw.Canvas, at vg.Point, corners ...vg.Point) {
	var p vg.Path
	p.Move(at.Add(corners[0]))
	for _, corner := range corners[1:] {
		p.Line(at.Add(corner))
	}
	p.Close()
	c.Fill(p)
}
