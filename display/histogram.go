package display

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sample is a named set of values to draw the distribution of. Samples of the same Group, the parameters of one
// layer say, stand in one column.
type Sample struct {
	Group, Name string
	Values      []float64
}

// name is the heading of a sample's panel.
func (s Sample) name() string {
	switch {
	case s.Group == "":
		return s.Name
	case s.Name == "":
		return s.Group
	default:
		return s.Group + " " + s.Name
	}
}

// Histograms draws the distribution of each sample in a panel of its own, with the number of values, their mean and
// their standard deviation. A line marks zero. NaN and infinite values are left out of the bars, counted and named.
func Histograms(samples []Sample, options ...Option) *Figure {
	if len(samples) == 0 {
		return note("nothing to draw: there are no values", options)
	}
	f := &Figure{}
	grid, columns := arrange(samples)
	rows := (len(grid) + columns - 1) / columns
	f.columns = columns
	f.settings = resolve([]int{0, 420, 700, 760, 760}[columns], 46+168*rows, options)
	f.note = f.theme.word("Bars count values; the dotted line marks zero.")
	var about []string
	for i, s := range grid {
		if s == nil { // a layer with fewer parameters than its neighbours
			f.panels = append(f.panels, &panel{})
			continue
		}
		p, bars := f.theme.histogram(*s, f.theme.hue(0), f.width/columns, f.height/rows)
		f.panels = append(f.panels, p)
		f.points += bars
		if i < 12 {
			about = append(about, strings.TrimSuffix(s.name()+": "+strings.Trim(p.caption+", "+p.warning, ", "), ": "))
		}
	}
	if len(samples) > len(about) {
		about = append(about, fmt.Sprintf("and %d more", len(samples)-len(about)))
	}
	f.about = "histograms of " + count(len(samples), "set") + " of values: " + strings.Join(about, "; ")
	return f
}

// arrange puts groups side by side, at most four to a band, as even as the bands can be, and the members of a group
// below each other. A lone group lies on its side. Empty places are nil.
func arrange(samples []Sample) (grid []*Sample, columns int) {
	var groups [][]*Sample
	index := map[string]int{}
	for i := range samples {
		s := &samples[i]
		g, ok := index[s.Group]
		if !ok || s.Group == "" {
			g = len(groups)
			index[s.Group] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], s)
	}
	if len(groups) == 1 {
		lone := groups[0]
		groups = nil
		for _, s := range lone {
			groups = append(groups, []*Sample{s})
		}
	}
	const most = 4
	bands := (len(groups) + most - 1) / most
	columns = (len(groups) + bands - 1) / bands
	for start := 0; start < len(groups); start += columns {
		band := groups[start:min(start+columns, len(groups))]
		deepest := 0
		for _, g := range band {
			deepest = max(deepest, len(g))
		}
		for row := range deepest {
			for col := range columns {
				if col < len(band) && row < len(band[col]) {
					grid = append(grid, band[col][row])
				} else {
					grid = append(grid, nil)
				}
			}
		}
	}
	return grid, columns
}

// histogram draws one sample in a panel of about w by h pixels. It returns the number of bars with it.
func (t Theme) histogram(s Sample, colors hue, w, h int) (*panel, int) {
	p := &panel{title: s.name()}
	values := make([]float64, 0, len(s.Values))
	for _, v := range s.Values {
		if finite(v) {
			values = append(values, v)
		}
	}
	if c := countBad(s.Values); c.any() {
		p.warning = "left out: " + c.String()
	}
	if len(values) == 0 {
		switch {
		case len(s.Values) == 0:
			p.warning = "no values"
		default:
			p.warning = "no finite value to draw; " + p.warning
		}
		return p, 0
	}
	slices.Sort(values)
	mean, sd := moments(values)
	if math.Abs(mean) < 1e-9*sd {
		mean = 0 // what is left of a sum that cancels
	}
	constant := values[0] == values[len(values)-1]
	switch {
	case len(values) == 1:
		p.caption = t.say("one value, %s", short(mean))
	case constant:
		p.caption = t.say("n %d, all %s", len(values), short(values[0]))
	default:
		p.caption = t.say("n %d, mean %s ± %s", len(values), short(mean), short(sd))
	}

	bars := bin(values)
	pl := t.newPlot()
	tallest := 0.0
	for _, b := range bars {
		tallest = math.Max(tallest, b.Weight)
	}
	pl.Add(&plotter.Histogram{
		Bins: bars, Width: bars[0].Max - bars[0].Min, FillColor: colors.fill,
		LineStyle: draw.LineStyle{Color: t.card, Width: vg.Length(0.5)},
	})
	pl.X.Min, pl.X.Max = bars[0].Min, bars[len(bars)-1].Max
	pad := (pl.X.Max - pl.X.Min) * 0.02
	if len(bars) == 1 {
		pad = (pl.X.Max - pl.X.Min) * 6 // a bar, not a wall
	}
	pl.X.Min, pl.X.Max = pl.X.Min-pad, pl.X.Max+pad
	pl.Y.Min, pl.Y.Max = 0, tallest*1.04
	pl.X.Tick.Marker = steps{n: min(max((w-50)/44, 2), 6)}
	pl.Y.Tick.Marker = whole{n: min(max((h-80)/24, 1), 4)}
	if pl.X.Min < 0 && pl.X.Max > 0 {
		pl.Add(zeroLine{draw.LineStyle{Color: t.text, Width: vg.Length(0.75), Dashes: []vg.Length{1, 2}}})
	}
	p.plot = pl
	return p, len(bars)
}

// zeroLine is the upright line at zero.
type zeroLine struct{ draw.LineStyle }

// Plot draws the line, as plot.Plotter wants it.
func (z zeroLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	if at := x(0); c.ContainsX(at) {
		c.StrokeLine2(z.LineStyle, at, c.Min.Y, at, c.Max.Y)
	}
}

const mostBins = 60

// bin counts sorted, finite values in bars of equal width. The width is Freedman and Diaconis' (1981), twice the
// distance between the quartiles over the cube root of n; where the quartiles coincide, Scott's (1979), 3.49 standard
// deviations over the cube root of n. There are never fewer bars than Sturges' (1926) rule asks for, log2 n + 1, since the
// others are coarse for few values. Equal values make one bar.
func bin(values []float64) []plotter.HistogramBin {
	n := len(values)
	lo, hi := values[0], values[n-1]
	if lo == hi || (hi-lo) < 1e-12*math.Max(math.Abs(lo), math.Abs(hi)) {
		half := math.Max(math.Abs(lo)*0.04, 0.004)
		return []plotter.HistogramBin{{Min: lo - half, Max: lo + half, Weight: float64(n)}}
	}
	width := 2 * (quantile(values, 0.75) - quantile(values, 0.25)) / math.Cbrt(float64(n))
	if width <= 0 {
		_, sd := moments(values)
		width = 3.49 * sd / math.Cbrt(float64(n))
	}
	k := int(math.Ceil(math.Min((hi-lo)/width, mostBins)))
	k = min(max(k, int(math.Ceil(math.Log2(float64(n))))+1), mostBins)
	bins := make([]plotter.HistogramBin, k)
	// Halves first, so that a range as wide as float64 has a width.
	step := hi/float64(k) - lo/float64(k)
	for i := range bins {
		bins[i].Min, bins[i].Max = lo+float64(i)*step, lo+float64(i+1)*step
	}
	bins[k-1].Max = hi
	for _, v := range values {
		i := int((v - lo) / step)
		bins[min(max(i, 0), k-1)].Weight++
	}
	return bins
}

// quantile interpolates in sorted values.
func quantile(values []float64, p float64) float64 {
	at := p * float64(len(values)-1)
	i := int(at)
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	share := at - float64(i)
	return values[i]*(1-share) + values[i+1]*share
}

// moments returns mean and standard deviation, by Welford's recurrence.
func moments(values []float64) (mean, sd float64) {
	var sum float64
	for i, v := range values {
		d := v - mean
		mean += d / float64(i+1)
		sum += d * (v - mean)
	}
	return mean, math.Sqrt(sum / float64(len(values)))
}

// short writes a value with three digits, which is what a caption needs.
func short(v float64) string {
	s := fmt.Sprintf("%.3g", v)
	if s == "-0" {
		return "0"
	}
	return s
}
