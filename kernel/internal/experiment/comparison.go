package experiment

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

//go:embed comparison.html
var comparisonHTML string

var comparison = template.Must(template.New("comparison").Parse(comparisonHTML))

// WriteComparisonFile writes a page that compares the trials of a sweep: a table, the
// best first by a metric (as [DefaultMetric] has it, if it is ""), and the curves of
// all metrics. The trials' files are beside the page. It returns the metric; the
// trials are sorted then.
func WriteComparisonFile(name, title string, trials []Trial, metric string) (string, error) {
	if metric == "" {
		metric = DefaultMetric(trials)
	} else if names := Metrics(trials); !slices.Contains(names, metric) && len(names) > 0 {
		return "", fmt.Errorf("sort by %s: there is no such metric, but %s", metric, strings.Join(names, ", "))
	}
	Sort(trials, metric)
	var b strings.Builder
	if err := comparison.Execute(&b, newComparison(title, trials, metric)); err != nil {
		return "", fmt.Errorf("write comparison: %w", err)
	}
	if err := replaceFile(name, []byte(b.String())); err != nil {
		return "", fmt.Errorf("write comparison: %w", err)
	}
	return metric, nil
}

// A comparisonPage is what the template shows.
type comparisonPage struct {
	Title      string
	Metric     string // "" for none
	More       bool   // is better
	Parameters []string
	Metrics    []string
	Rows       []comparisonRow
	Failed     int
	Charts     []chart
	Drawn      int // runs that have a colour
	Missing    int // those that have none
}

// Hues are the numbers of the colours.
func (*comparisonPage) Hues() []int {
	var numbers []int
	for i := range hues {
		numbers = append(numbers, i+1)
	}
	return numbers
}

type comparisonRow struct {
	Rank     int
	Colour   int // from 1; 0 for none
	Name     string
	Settings []string
	Values   []comparisonValue
	Seconds  string
	Failure  string
	Fits     int // how many trainings there were
}

type comparisonValue struct {
	Text string
	Best bool
}

// hues is how many runs get a colour of their own: as many as can be told apart.
const hues = 8

func newComparison(title string, trials []Trial, metric string) *comparisonPage {
	c := &comparisonPage{Title: title, Metric: metric, More: more(trials, metric), Metrics: Metrics(trials)}
	for _, s := range trials[0].Settings {
		c.Parameters = append(c.Parameters, s.Name)
	}
	best := map[string]float64{}
	for _, name := range c.Metrics {
		best[name] = math.NaN()
		for _, t := range trials {
			v := t.Value(name)
			if t.Failure == "" && !math.IsNaN(v) && (math.IsNaN(best[name]) || (v > best[name]) == more(trials, name) && v != best[name]) {
				best[name] = v
			}
		}
	}
	for i, t := range trials {
		row := comparisonRow{Rank: i + 1, Name: t.Name, Seconds: fmt.Sprintf("%.1f", t.Elapsed.Seconds()), Failure: t.Failure, Fits: len(t.Trainings)}
		for _, s := range t.Settings {
			row.Settings = append(row.Settings, s.Value)
		}
		for _, name := range c.Metrics {
			v := t.Value(name)
			row.Values = append(row.Values, comparisonValue{Number(v), t.Failure == "" && v == best[name]})
		}
		if t.Failure != "" {
			c.Failed++
		}
		switch {
		case len(t.Trainings) == 0:
		case c.Drawn == hues:
			c.Missing++
		default:
			c.Drawn++
			row.Colour = c.Drawn
		}
		c.Rows = append(c.Rows, row)
	}
	for _, name := range c.Metrics {
		if ch, ok := newChart(name, trials); ok {
			c.Charts = append(c.Charts, ch)
		}
	}
	return c
}

// Number writes a value with four digits that count; nothing for NaN.
func Number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// A chart is the curves of one metric, in a frame of chartWidth by chartHeight.
type chart struct {
	Metric string
	Lines  []chartLine
	Y      []chartTick
	X      []chartTick
	About  string // for those who do not see it
}

type chartLine struct {
	Colour int
	Name   string
	Points string // of an SVG polyline
	Dot    bool   // it is one point
	X, Y   string // the last point
}

type chartTick struct {
	At    string
	Label string
}

// The frame of a chart, and the room for its labels.
const (
	chartWidth  = 420.0
	chartHeight = 240.0
	chartLeft   = 52.0
	chartRight  = 10.0
	chartTop    = 10.0
	chartBottom = 26.0
)

func newChart(metric string, trials []Trial) (chart, bool) {
	ch := chart{Metric: metric}
	low, high, epochs := math.Inf(1), math.Inf(-1), 1
	for _, t := range trials {
		if n := len(t.Trainings); n > 0 {
			values := t.Trainings[n-1].Metrics[metric]
			epochs = max(epochs, len(values))
			for _, v := range values {
				if v != nil && !math.IsInf(*v, 0) {
					low, high = min(low, *v), max(high, *v)
				}
			}
		}
	}
	if low > high {
		return ch, false
	}
	ch.About = fmt.Sprintf("%s over %d epochs, from %s to %s", metric, epochs, Number(low), Number(high))
	ticks := niceTicks(low, high)
	low, high = min(low, ticks[0]), max(high, ticks[len(ticks)-1])
	if low == high {
		low, high = low-1, high+1
	}
	x := func(epoch int) float64 {
		if epochs == 1 {
			return (chartLeft + chartWidth - chartRight) / 2
		}
		return chartLeft + float64(epoch)/float64(epochs-1)*(chartWidth-chartLeft-chartRight)
	}
	y := func(v float64) float64 {
		return chartHeight - chartBottom - (v-low)/(high-low)*(chartHeight-chartTop-chartBottom)
	}
	at := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	for _, v := range ticks {
		ch.Y = append(ch.Y, chartTick{at(y(v)), Number(v)})
	}
	for _, e := range slices.Compact([]int{1, (epochs + 1) / 2, epochs}) {
		ch.X = append(ch.X, chartTick{at(x(e - 1)), strconv.Itoa(e)})
	}
	colour := 0
	for _, t := range trials {
		n := len(t.Trainings)
		if n == 0 {
			continue
		}
		if colour++; colour > hues {
			break
		}
		var points []string
		line := chartLine{Colour: colour, Name: t.String()}
		for e, v := range t.Trainings[n-1].Metrics[metric] {
			if v != nil && !math.IsInf(*v, 0) {
				line.X, line.Y = at(x(e)), at(y(*v))
				points = append(points, line.X+","+line.Y)
			}
		}
		if line.Dot = len(points) == 1; len(points) > 0 {
			line.Points = strings.Join(points, " ")
			ch.Lines = append(ch.Lines, line)
		}
	}
	slices.SortStableFunc(ch.Lines, func(a, b chartLine) int { return cmp.Compare(b.Colour, a.Colour) }) // the best on top
	return ch, true
}

// niceTicks returns a few round numbers from low to high.
func niceTicks(low, high float64) []float64 {
	if low == high {
		return []float64{low}
	}
	rough := (high - low) / 4
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := unit
	for _, s := range []float64{2, 5, 10} {
		if step < rough {
			step = s * unit
		}
	}
	var ticks []float64
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		ticks = append(ticks, i*step)
	}
	if len(ticks) == 0 {
		return []float64{low, high}
	}
	return ticks
}
