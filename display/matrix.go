package display

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// cells draws a matrix, its first row on top: cell (i, j) lies around x = j and y = -i.
type cells struct {
	values [][]float64
	color  func(v float64) color.RGBA
	label  func(i, j int) string // what stands in a cell; nil for nothing
	style  text.Style            // of the labels, whose colour follows the cell's
}

// manyCells is where a matrix is drawn as an image, and its cells get no gaps.
const manyCells = 1024

func (m cells) size() (rows, columns int) { return len(m.values), len(m.values[0]) }

// Plot draws the cells, as plot.Plotter wants it.
func (m cells) Plot(c draw.Canvas, p *plot.Plot) {
	rows, columns := m.size()
	x, y := p.Transforms(&c)
	if rows*columns > manyCells {
		c.DrawImage(vg.Rectangle{
			Min: vg.Point{X: x(-0.5), Y: y(0.5 - float64(rows))}, Max: vg.Point{X: x(float64(columns) - 0.5), Y: y(0.5)},
		}, m.image(600))
		return
	}
	w, h := x(1)-x(0), y(0)-y(-1)
	gap := min(vg.Length(0.75), w/12, h/12)
	for i, row := range m.values {
		for j, v := range row {
			at := vg.Point{X: x(float64(j)), Y: y(float64(-i))}
			ground := m.color(v)
			c.SetColor(ground)
			c.Fill(vg.Rectangle{
				Min: vg.Point{X: at.X - w/2 + gap/2, Y: at.Y - h/2 + gap/2}, Max: vg.Point{X: at.X + w/2 - gap/2, Y: at.Y + h/2 - gap/2},
			}.Path())
			if m.label == nil {
				continue
			}
			sty := m.style
			sty.Color, sty.XAlign, sty.YAlign = inkOn(ground), draw.XCenter, draw.YCenter
			if s := m.label(i, j); sty.Width(s) <= w-2 && sty.Height(s) <= h-1 {
				c.FillText(sty, at, s)
			}
		}
	}
}

// image is the matrix as a picture, each cell a square of pixels, so that a viewer that smooths does not blur them: each side
// has fine pixels at least.
func (m cells) image(fine int) image.Image {
	rows, columns := m.size()
	kx, ky := max(1, (fine+columns-1)/columns), max(1, (fine+rows-1)/rows)
	img := image.NewRGBA(image.Rect(0, 0, columns*kx, rows*ky))
	for i, row := range m.values {
		for j, v := range row {
			c := m.color(v)
			for y := i * ky; y < (i+1)*ky; y++ {
				for x := j * kx; x < (j+1)*kx; x++ {
					img.SetRGBA(x, y, c)
				}
			}
		}
	}
	return img
}

// bare returns a plot without axes, as wide as columns and as high as rows cells.
func (t Theme) bare(rows, columns int) *plot.Plot {
	pl := t.blank()
	pl.HideAxes()
	pl.X.Min, pl.X.Max = -0.5, float64(columns)-0.5
	pl.Y.Min, pl.Y.Max = 0.5-float64(rows), 0.5
	return pl
}

// longestName is how much room the name of a row or column may take.
const longestName = vg.Length(84)

// names cuts names to the room they have and measures the widest.
func (t Theme) names(names []string) (short []string, widest vg.Length) {
	small := t.style(smallSize, t.quiet, false)
	for _, name := range names {
		name = fit(small, name, longestName)
		short, widest = append(short, name), max(widest, small.Width(name))
	}
	return short, widest
}

// uprightNames reports whether the names of columns have to stand upright over cells of so many pixels.
func (t Theme) uprightNames(names []string, cell float64) bool {
	_, widest := t.names(names)
	return float64(widest)+3 > cell*72/cssDPI
}

// matrixSize is how many pixels a panel wants for cells of a size, the names and labels along their sides, its head, and a scale.
func (t Theme) matrixSize(rowNames, columnNames []string, cell float64) (w, h int) {
	_, left := t.names(rowNames)
	_, below := t.names(columnNames)
	if !t.uprightNames(columnNames, cell) {
		below = 10
	}
	w = int(cell*float64(len(columnNames)) + float64(left+26+barRoom)*cssDPI/72)
	h = int(cell*float64(len(rowNames)) + float64(below+20+27)*cssDPI/72)
	return w, h
}

// matrix returns a plot of cells with names along both sides, in a panel of about w by h pixels.
func (t Theme) matrix(m cells, rowNames, columnNames []string, w, h int) *plot.Plot {
	rows, columns := m.size()
	pl := t.bare(rows, columns)
	small := t.style(smallSize, t.quiet, false)
	pl.X.Tick.Label, pl.Y.Tick.Label = small, small
	pl.X.Tick.Label.XAlign, pl.X.Tick.Label.YAlign = draw.XCenter, draw.YTop
	pl.Y.Tick.Label.XAlign, pl.Y.Tick.Label.YAlign = draw.XRight, draw.YCenter
	line := small.Height("x") + 1
	down, left := t.names(rowNames)
	across, below := t.names(columnNames)
	cell := float64(w-int((left+26+barRoom)*cssDPI/72)) / float64(columns)
	every := 1
	if t.uprightNames(across, cell) {
		pl.X.Tick.Label.Rotation = math.Pi / 2
		pl.X.Tick.Label.XAlign, pl.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
		for i := range across {
			across[i] += "\u00a0\u00a0" // keeps its end off the cells
		}
		every = stride(line, vg.Length(cell*72/cssDPI))
		below = min(below, 10)
	}
	tall := vg.Length(h)*72/cssDPI - below - 54
	pl.X.Tick.Marker = named{names: across, every: every}
	pl.Y.Tick.Marker = named{names: down, down: true, every: stride(line, tall/vg.Length(rows))}
	pl.Add(m)
	return pl
}

// stride says of how many names one has room.
func stride(needed, room vg.Length) int {
	if room <= 0 {
		return 1
	}
	return max(1, int(math.Ceil(float64(needed/room))))
}

// colorsOf returns the colours of values between bounds; what is not finite has the colour of a grid line.
func (t Theme) colorsOf(r ramp, bounds span) func(v float64) color.RGBA {
	return func(v float64) color.RGBA {
		if !finite(v) {
			return t.axis
		}
		return r.at(bounds.share(v))
	}
}

// around widens a span to lie even about zero, as signed colours need.
func (s span) around() span {
	if s.empty() {
		return span{-1, 1}
	}
	most := math.Max(math.Abs(s.lo), math.Abs(s.hi))
	if most == 0 {
		most = 1
	}
	return span{-most, most}
}

// rectangular says what keeps rows from being a matrix, "" for nothing.
func rectangular(what string, rows [][]float64) string {
	switch {
	case len(rows) == 0:
		return "nothing to draw: " + what + " has no rows"
	case len(rows[0]) == 0:
		return "nothing to draw: " + what + " has rows without values"
	}
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return fmt.Sprintf("nothing to draw: row %d of %s has %s, row 0 has %d; all rows need as many", i, what, count(len(row), "value"), len(rows[0]))
		}
	}
	return ""
}

// numbersFrom0 names n places by their numbers.
func numbersFrom0(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}
