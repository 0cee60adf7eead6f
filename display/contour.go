package display

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// gridded is a function of two numbers by its values at the nodes of a grid, row by row from below.
type gridded struct {
	x, y   span
	values [][]float64
}

func newGridded(x, y span, across, down int) *gridded {
	return &gridded{x, y, make2D(down, across)}
}

func make2D(rows, columns int) [][]float64 {
	all := make([][]float64, rows)
	for i := range all {
		all[i] = make([]float64, columns)
	}
	return all
}

// node returns where a value is of.
func (g *gridded) node(i, j int) (x, y float64) {
	return g.x.lo + (g.x.hi-g.x.lo)*float64(i)/float64(len(g.values[0])-1), g.y.lo + (g.y.hi-g.y.lo)*float64(j)/float64(len(g.values)-1)
}

// levels are the values between bands of colour, in rising order.
type levels struct {
	at          []float64
	logarithmic bool
}

// mostLevels is how many levels the eye can count down a slope.
const mostLevels = 14

// levelsOf chooses levels for values, powers of round numbers where all are above zero and they span more than a factor of ten: of the highest and the lowest hundredth there is one band each, so that a corner where the loss runs
// away does not take the levels from where paths go.
func levelsOf(values [][]float64) levels {
	var all []float64
	for _, row := range values {
		for _, v := range row {
			if finite(v) {
				all = append(all, v)
			}
		}
	}
	slices.Sort(all)
	lo, hi := quantile(all, 0.01), quantile(all, 0.99)
	if lo > 0 && hi/lo > 10 {
		decades := math.Log10(hi) - math.Log10(lo)
		for _, multiples := range [][]float64{{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8}, {1, 1.5, 2, 3, 5, 7}, {1, 2, 5}, {1, 3}, {1}} {
			if decades*float64(len(multiples)) > mostLevels {
				continue
			}
			var at []float64
			for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
				for _, m := range multiples {
					if v := m * math.Pow(10, e); v > lo && v < hi {
						at = append(at, v)
					}
				}
			}
			return levels{at, true}
		}
		return levels{everyDecades(lo, hi), true}
	}
	if hi-lo <= 1e-12*math.Max(math.Abs(lo), math.Abs(hi)) {
		return levels{}
	}
	// Distances grow as those of the rings in a bowl do that is a square at its bottom: so the lowest stretch, where paths end, is not all one band.
	var at []float64
	const rings = 12
	for k := 1.0; k < rings; k++ {
		step := roundStep((hi - lo) * 2 * k / (rings * rings) / 4)
		v := math.Round((lo+(hi-lo)*k*k/(rings*rings))/step) * step
		if v > lo && (len(at) == 0 || v > at[len(at)-1]) {
			at = append(at, v)
		}
	}
	return levels{at: at}
}

// everyDecades are powers of ten that are too many to have each.
func everyDecades(lo, hi float64) (at []float64) {
	every := math.Max(roundStep((math.Log10(hi)-math.Log10(lo))/mostLevels), 1)
	for e := (math.Floor(math.Log10(lo)/every) + 1) * every; e < math.Log10(hi); e += every {
		at = append(at, math.Pow(10, e))
	}
	return at
}

// index is the number of levels below a value, and how far it has come to the next.
func (l levels) index(v float64) float64 {
	n := len(l.at)
	switch {
	case n == 0, math.IsNaN(v):
		return v - v // one band; what is no number stays that
	case v < l.at[0]:
		if n == 1 {
			return -0.5
		}
		return math.Max((v-l.at[0])/(l.at[1]-l.at[0]), -1)
	case v >= l.at[n-1]:
		if n == 1 {
			return 0.5
		}
		return float64(n-1) + math.Min((v-l.at[n-1])/(l.at[n-1]-l.at[n-2]), 0.999)
	}
	i, exact := slices.BinarySearch(l.at, v)
	if !exact {
		i--
	}
	return float64(i) + (v-l.at[i])/(l.at[i+1]-l.at[i])
}

// scale is the bar that tells the levels.
func (l levels) scale(colors ramp) *scale {
	if len(l.at) == 0 {
		return nil
	}
	return &scale{bounds: span{0, float64(len(colors))}, colors: colors, ticks: l}
}

// Ticks tells of some levels where they stand in the bar, so many that they do not crowd.
func (l levels) Ticks(_, _ float64) []plot.Tick {
	var ticks []plot.Tick
	every := (len(l.at) + 10) / 11
	for i, v := range l.at {
		if i%every != 0 {
			continue
		}
		ticks = append(ticks, plot.Tick{Value: float64(i + 1), Label: l.label(v)})
	}
	return ticks
}

// label writes a level, which is a round number.
func (l levels) label(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e-3 && a < 1e5:
		digits := 3 - int(math.Floor(math.Log10(a))) // four that count
		s := strconv.FormatFloat(v, 'f', max(digits, 0), 64)
		if strings.Contains(s, ".") {
			s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
		}
		return s
	case v == 0:
		return "0"
	case v < 0:
		return "-" + power(a)
	default:
		return power(a)
	}
}

// bands are the colours between levels: those of numbers, but none so strong that a path would not stand out from it.
func (t Theme) bands(n int) ramp {
	r := make(ramp, n)
	for i := range r {
		share := 0.0
		if n > 1 {
			share = float64(i) / float64(n-1)
		}
		r[i] = t.tint(t.sequential.at(0.04+0.66*share), 0.85)
	}
	return r
}

// contours fills the rectangle of the data with bands of colour, and draws a thin line at each level.
type contours struct {
	*gridded
	levels
	colors ramp
	theme  Theme
}

// fineContours is how many pixels the picture has to a point of the page, two for each CSS pixel, and mostContours how many there are of them on a
// side.
const (
	fineContours = 2 * cssDPI / 72.0
	mostContours = 2400
)

// Plot draws the bands, as plot.Plotter wants it.
func (m contours) Plot(c draw.Canvas, _ *plot.Plot) {
	fine := min(fineContours, mostContours/max(float64(c.Size().X), float64(c.Size().Y), 1))
	w, h := int(float64(c.Size().X)*fine), int(float64(c.Size().Y)*fine)
	if w < 1 || h < 1 {
		return
	}
	c.DrawImage(vg.Rectangle{Min: c.Min, Max: c.Max}, m.image(w, h))
}

// lineShades is how many shades a line has where it covers part of a pixel.
const lineShades = 8

// palette is the shades of each band, the last the strongest part of a line, and behind them the colour of what is no number. Few colours
// make small files.
func (m contours) palette() color.Palette {
	var p color.Palette
	for _, band := range m.colors {
		for shade := range lineShades {
			p = append(p, toOKLab(band).mix(toOKLab(m.theme.quiet), 0.45*float64(shade)/(lineShades-1)).color())
		}
	}
	return append(p, m.theme.axis)
}

func (m contours) image(w, h int) image.Image {
	const thin = 0.8 // half the width of a line in pixels
	smooth := m.smooth()
	img := image.NewPaletted(image.Rect(0, 0, w, h), m.palette())
	above := make([]float64, w+1) // the row before: how many levels lie below each pixel
	row := make([]float64, w+1)
	for y := range h {
		above, row = row, above
		smooth.row(row, 1-(float64(y)+0.5)/float64(h))
		for x, v := range row {
			row[x] = smooth.levels.index(v)
		}
		for x, v := range row[:w] {
			if math.IsNaN(v) {
				img.SetColorIndex(x, y, uint8(len(img.Palette)-1))
				continue
			}
			band := min(max(int(math.Floor(v))+1, 0), len(m.colors)-1)
			shade := 0
			// The nearest level, and how many pixels it is away by the slope here.
			nearest := math.Round(v)
			if y > 0 && nearest >= 0 && int(nearest) < len(m.levels.at) {
				slope := math.Hypot(row[x+1]-v, v-above[x])
				if away := math.Abs(v-nearest) / slope; away < thin {
					shade = int(math.Round((1 - away/thin) * (lineShades - 1)))
				}
			}
			img.SetColorIndex(x, y, uint8(band*lineShades+shade))
		}
	}
	return img
}

// smoothed is a grid of which values between nodes can be asked for, and the levels, both on the scale where the grid bends least.
type smoothed struct {
	values [][]float64 // with a margin of one node, which goes on as the grid does at its edge
	levels levels
	cubic  bool // whether all values are numbers
	line   []float64
}

func (m contours) smooth() smoothed {
	rows, columns := len(m.values), len(m.values[0])
	s := smoothed{values: make2D(rows+2, columns+2), levels: m.levels, cubic: true, line: make([]float64, columns+2)}
	if m.logarithmic {
		s.levels.at = slices.Clone(m.levels.at)
		for i, v := range s.levels.at {
			s.levels.at[i] = math.Log(v)
		}
	}
	for j, values := range m.values {
		row := s.values[j+1]
		for i, v := range values {
			if m.logarithmic {
				v = math.Log(math.Max(v, math.SmallestNonzeroFloat64))
			}
			row[i+1] = v
			s.cubic = s.cubic && finite(v)
		}
		row[0], row[columns+1] = 2*row[1]-row[2], 2*row[columns]-row[columns-1]
	}
	for i := range columns + 2 {
		s.values[0][i] = 2*s.values[1][i] - s.values[2][i]
		s.values[rows+1][i] = 2*s.values[rows][i] - s.values[rows-1][i]
	}
	return s
}

// row fills pixels with the values at a share of the way up, by Catmull and Rom's splines; where there are values that are no numbers, by
// straight lines, so that these stay among themselves.
func (s smoothed) row(pixels []float64, up float64) {
	weights := catmullRom
	if !s.cubic {
		weights = straightWay
	}
	nodes := len(s.values) - 2
	up *= float64(nodes - 1)
	j := min(int(up), nodes-2)
	clear(s.line)
	for b, w := range weights(up - float64(j)) {
		if w == 0 { // times a value that is no number is none
			continue
		}
		for i, v := range s.values[j+b] {
			s.line[i] += w * v
		}
	}
	nodes = len(s.line) - 2
	for x := range pixels {
		at := min((float64(x)+0.5)/float64(len(pixels)-1), 1) * float64(nodes-1)
		i := min(int(at), nodes-2)
		v := 0.0
		for a, w := range weights(at - float64(i)) {
			if w != 0 {
				v += w * s.line[i+a]
			}
		}
		pixels[x] = v
	}
}

// straightWay are the weights of four values of which the middle two count.
func straightWay(f float64) [4]float64 { return [4]float64{0, 1 - f, f, 0} }

// catmullRom are the weights of four values at distances of one, for a place between the middle two.
func catmullRom(f float64) [4]float64 {
	return [4]float64{
		((-0.5*f+1)*f - 0.5) * f,
		(1.5*f-2.5)*f*f + 1,
		((-1.5*f+2)*f + 0.5) * f,
		(0.5*f - 0.5) * f * f,
	}
}
