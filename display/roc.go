package display

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ROC draws the receiver operating characteristic: the share of positives found against the share of negatives taken for
// positive, for every threshold, with the area under it (AUC). Scores hold a row for each example: one column for the score of class 1
// against class 0, or a column for each class, of which each is then drawn against the rest.
func ROC[T Float](truth []int, scores [][]T, options ...Option) *Figure {
	return thresholds(truth, wide(scores), options, roc)
}

// PrecisionRecall draws the precision, the share of true ones among those called positive, against the recall, the share of positives
// found, for every threshold, with the average precision (AP): the sum of precisions weighted by the steps of recall. The
// dotted line is the precision of guessing. Scores are those of [ROC]. Of rare classes it tells more than ROC does.
func PrecisionRecall[T Float](truth []int, scores [][]T, options ...Option) *Figure {
	return thresholds(truth, wide(scores), options, precisionRecall)
}

// A trade is a kind of curve over all thresholds.
type trade struct {
	title, x, y, area string
	curve             func(hits []hit, positives int) (plotter.XYs, float64)
}

var (
	roc             = trade{"ROC", "false positive rate", "true positive rate", "AUC", rocCurve}
	precisionRecall = trade{"precision and recall", "recall", "precision", "AP", precisionCurve}
)

// A hit is the number of true and of false positives at one threshold.
type hit struct{ right, wrong int }

// countHits counts them, from the highest threshold to the lowest; equal scores fall together.
func countHits(score []float64, positive []bool) []hit {
	order := make([]int, len(score))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
	all := []hit{{}}
	var h hit
	for i, at := range order {
		if positive[at] {
			h.right++
		} else {
			h.wrong++
		}
		if i+1 == len(order) || score[order[i+1]] != score[at] {
			all = append(all, h)
		}
	}
	return all
}

// rocCurve also returns the area by trapezoids, which counts equal scores half.
func rocCurve(hits []hit, positives int) (xys plotter.XYs, area float64) {
	last := hits[len(hits)-1]
	for i, h := range hits {
		xy := plotter.XY{X: float64(h.wrong) / float64(last.wrong), Y: float64(h.right) / float64(positives)}
		if i > 0 {
			area += (xy.X - xys[i-1].X) * (xy.Y + xys[i-1].Y) / 2
		}
		xys = append(xys, xy)
	}
	return xys, area
}

func precisionCurve(hits []hit, positives int) (xys plotter.XYs, area float64) {
	for i, h := range hits[1:] {
		xy := plotter.XY{X: float64(h.right) / float64(positives), Y: float64(h.right) / float64(h.right+h.wrong)}
		if i == 0 {
			xys = append(xys, plotter.XY{X: 0, Y: xy.Y})
		}
		area += (xy.X - xys[len(xys)-1].X) * xy.Y
		xys = append(xys, xy)
	}
	return xys, area
}

func thresholds(truth []int, scores [][]float64, options []Option, kind trade) *Figure {
	if problem := paired("truths", len(truth), "rows of scores", len(scores)); problem != "" {
		return note(problem, options)
	}
	if problem := rectangular("the scores", scores); problem != "" {
		return note(problem, options)
	}
	width := len(scores[0])
	for i, label := range truth {
		if label < 0 || label >= max(width, 2) {
			return note(fmt.Sprintf("nothing to draw: the truth of row %d is class %d, but the scores are of classes 0 to %d", i, label, max(width, 2)-1), options)
		}
	}
	f := &Figure{columns: 1, settings: resolve(440, 470, options)}
	t := f.theme

	type line struct {
		class, positives, examples int
		xys                        plotter.XYs
		area                       float64
	}
	var lines []line
	var missing []string
	classes := distinct(truth)
	if width <= 2 {
		classes = []int{1}
	}
	lost := 0
	for _, class := range classes {
		column := class
		if width == 1 {
			column = 0
		}
		var score []float64
		var positive []bool
		n := 0
		for i, row := range scores {
			if math.IsNaN(row[column]) {
				lost++
				continue
			}
			score = append(score, row[column])
			positive = append(positive, truth[i] == class)
			if truth[i] == class {
				n++
			}
		}
		if n == 0 || n == len(score) {
			missing = append(missing, f.className(class))
			continue
		}
		xys, area := kind.curve(countHits(score, positive), n)
		lines = append(lines, line{class, n, len(score), xys, area})
	}
	p := &panel{title: kind.title, shape: 1}
	if len(lines) == 0 {
		return note("nothing to draw: the "+kind.title+" curve needs positive and negative examples with a score, and there is one kind only", options)
	}
	var warnings []string
	if lost > 0 {
		warnings = append(warnings, fmt.Sprintf("left out: %d NaN", lost))
	}
	if len(missing) > 0 {
		warnings = append(warnings, "without positives or without negatives: "+list(missing))
	}
	mean := 0.0
	for _, l := range lines {
		mean += l.area / float64(len(lines))
	}
	drawn := lines
	if most := len(t.hues); len(lines) > most {
		drawn = slices.Clone(lines)
		slices.SortStableFunc(drawn, func(a, b line) int { return cmp.Compare(a.area, b.area) })
		drawn = drawn[:most]
		warnings = append(warnings, fmt.Sprintf("%d of %d classes, those with the smallest area", most, len(lines)))
	}
	p.warning = joinNonEmpty(warnings)

	pl := t.unitPlot(kind.x, kind.y)
	guess := plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}
	if kind.area == "AP" {
		base := float64(lines[0].positives) / float64(lines[0].examples)
		guess = plotter.XYs{{X: 0, Y: base}, {X: 1, Y: base}}
	}
	if kind.area != "AP" || len(lines) == 1 {
		pl.Add(&plotter.Line{XYs: guess, LineStyle: t.dotted()})
	}
	if len(lines) == 1 {
		p.caption = fmt.Sprintf("%s %.4f; %d of %d examples positive", kind.area, lines[0].area, lines[0].positives, lines[0].examples)
	} else {
		p.caption = fmt.Sprintf("mean %s %.4f; each class against the rest", kind.area, mean)
	}
	points := 0
	for i := len(drawn) - 1; i >= 0; i-- {
		style := draw.LineStyle{Color: t.hue(i).strong, Width: vg.Length(1.5)}
		xys := thin(drawn[i].xys, 300)
		points += len(xys)
		pl.Add(&plotter.Line{XYs: xys, LineStyle: style})
	}
	if len(lines) > 1 {
		for i, l := range drawn {
			p.keys = append(p.keys, key{
				name: fmt.Sprintf("%s %.3f", f.className(l.class), l.area),
				line: draw.LineStyle{Color: t.hue(i).strong, Width: vg.Length(1.5)},
			})
		}
	}
	p.plot = pl
	f.add(p, points)
	f.about = kind.title + ": " + p.caption
	return f
}

// unitPlot returns a plot of shares against shares.
func (t Theme) unitPlot(x, y string) *plot.Plot {
	pl := t.newPlot()
	pl.X.Label.Text, pl.Y.Label.Text = x, y
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = 0, 1, 0, 1
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 5}, steps{n: 5}
	return pl
}

// dotted is the line of what is compared with: guessing, a perfect answer.
func (t Theme) dotted() draw.LineStyle {
	return draw.LineStyle{Color: t.quiet, Width: vg.Length(0.75), Dashes: []vg.Length{1.5, 2.5}}
}

// thin leaves out points of a curve in the unit square that lie closer to the last one kept than a share 1/n of its side.
func thin(xys plotter.XYs, n int) plotter.XYs {
	out := plotter.XYs{xys[0]}
	for i, xy := range xys[1:] {
		last := out[len(out)-1]
		if math.Abs(xy.X-last.X)+math.Abs(xy.Y-last.Y) >= 1/float64(n) || i == len(xys)-2 {
			out = append(out, xy)
		}
	}
	return out
}
