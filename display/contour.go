package display

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

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

// levelsOf chooses levels for values: of the highest and the lowest hundredth there is one band each, so that a corner where the loss runs
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
	step := roundStep((hi - lo) / mostLevels)
	if step <= 0 || hi-lo <= 1e-12*math.Max(math.Abs(lo), math.Abs(hi)) {
		return levels{}
	}
	var at []float64
	for i := math.Floor(lo/step) + 1; i*step < hi; i++ {
		at = append(at, i*step)
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
	every := (len(l.at) + 9) / 10
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
		return strconv.FormatFloat(v, 'f', -1, 64)
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
	values [][]float64
	levels levels
	cubic  bool // whether all values are numbers
	line   []float64
}

func (m contours) smooth() smoothed {
	s := smoothed{values: m.values, levels: m.levels, cubic: true, line: make([]float64, len(m.values[0]))}
	if m.logarithmic {
		s.values = make2D(len(m.values), len(m.values[0]))
		s.levels.at = slices.Clone(m.levels.at)
		for i, v := range s.levels.at {
			s.levels.at[i] = math.Log(v)
		}
	}
	for j, row := range m.values {
		for i, v := range row {
			if m.logarithmic {
				v = math.Log(math.Max(v, math.SmallestNonzeroFloat64))
				s.values[j][i] = v
			}
			s.cubic = s.cubic && finite(v)
		}
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
	m := len(s.values)
	up *= float64(m - 1)
	j := min(int(up), m-2)
	clear(s.line)
	for b, w := range weights(up - float64(j)) {
		if w == 0 { // times a value that is no number is none
			continue
		}
		for i, v := range s.values[min(max(j+b-1, 0), m-1)] {
			s.line[i] += w * v
		}
	}
	n := len(s.line)
	for x := range pixels {
		at := min((float64(x)+0.5)/float64(len(pixels)-1), 1) * float64(n-1)
		i := min(int(at), n-2)
		v := 0.0
		for a, w := range weights(at - float64(i)) {
			if w != 0 {
				v += w * s.line[min(max(i+a-1, 0), n-1)]
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
