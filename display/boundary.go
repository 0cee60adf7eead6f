package display

import (
	"fmt"
	"image"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Boundary draws what a classifier of two features says all over the plane, each region in the colour of its class and paler where the scores are
// less certain, with the points it should separate. Predict is asked once for many rows of two values; it returns a row of scores for each, as
// [ROC] takes them.
//
//	display.Boundary(points, labels, func(x [][]float64) ([][]float32, error) {
//		y, err := model.Predict(x)
//		if err != nil {
//			return nil, err
//		}
//		return y.Rows(), nil
//	})
func Boundary[T Float](points [][]float64, labels []int, predict func(x [][]float64) ([][]T, error), options ...Option) *Figure {
	if problem := paired("points", len(points), "labels", len(labels)); problem != "" {
		return note(problem, options)
	}
	x, y := newSpan(), newSpan()
	var xys plotter.XYs
	var kept []int
	for i, p := range points {
		if len(p) != 2 {
			return note(fmt.Sprintf("nothing to draw: point %d has %s; a boundary is drawn over two", i, count(len(p), "feature")), options)
		}
		if labels[i] < 0 {
			return note(fmt.Sprintf("nothing to draw: the label of point %d is %d; labels count from 0", i, labels[i]), options)
		}
		if !finite(p[0]) || !finite(p[1]) {
			continue
		}
		x.include(p[:1])
		y.include(p[1:])
		xys = append(xys, plotter.XY{X: p[0], Y: p[1]})
		kept = append(kept, labels[i])
	}
	if len(xys) == 0 {
		return note("nothing to draw: no point has two numbers", options)
	}
	f := &Figure{columns: 1, settings: resolve(520, 480, options)}
	t := f.theme
	pl := t.newPlot()
	pl.X.Min, pl.X.Max = x.widened(0.08)
	pl.Y.Min, pl.Y.Max = y.widened(0.08)
	f.nameAxes(pl, f.theme.word("first feature"), f.theme.word("second feature"))
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 7}, steps{n: 6}

	const across, down = 160, 140
	grid := make([][]float64, 0, across*down)
	for j := range down {
		for i := range across {
			grid = append(grid, []float64{
				pl.X.Min + (pl.X.Max-pl.X.Min)*(float64(i)+0.5)/across,
				pl.Y.Max - (pl.Y.Max-pl.Y.Min)*(float64(j)+0.5)/down,
			})
		}
	}
	scores, err := predict(grid)
	if err != nil {
		return note("nothing to draw: the prediction failed: "+err.Error(), options)
	}
	if len(scores) != len(grid) {
		return note(fmt.Sprintf("nothing to draw: the prediction has %s for %d points; it must have one each", count(len(scores), "row"), len(grid)), options)
	}
	// Colours go by the place of a class among those that the points have, as those of the points do.
	place := map[int]int{}
	for i, c := range distinct(kept) {
		place[c] = i
	}
	predicted := Predicted(scores)
	img := image.NewRGBA(image.Rect(0, 0, across, down))
	for i, label := range predicted {
		c := t.axis
		if at, ok := place[label]; ok && at < len(t.hues) {
			c = t.hue(at).fill
		}
		img.SetRGBA(i%across, i/across, t.tint(c, 0.12+0.33*certainty(scores[i])))
	}
	pl.Add(backdrop{img})
	keys := f.addClasses(pl, xys, kept)
	ask, err := predict(points)
	p := &panel{plot: pl, title: f.theme.word("decision boundary"), keys: keys}
	if err == nil && len(ask) == len(points) {
		right := 0
		for i, label := range Predicted(ask) {
			if label == labels[i] {
				right++
			}
		}
		p.caption = f.theme.say("%d of %d points on the right side, %s", right, len(points), percent(right, len(points)))
	}
	if lost := len(points) - len(xys); lost > 0 {
		p.warning = "left out: " + count(lost, "point") + " without two numbers"
	}
	f.add(p, len(xys)+1)
	f.about = fmt.Sprintf("decision boundary among %s of %s; %s", count(len(xys), "point"), plural(len(place), "class", "classes"), p.caption)
	return f
}

// certainty is how far the highest score lies above what guessing would give, from 0 to 1.
func certainty[T Float](row []T) float64 {
	if len(row) == 1 {
		return math.Min(1, 2*math.Abs(float64(row[0])-0.5))
	}
	most := math.Inf(-1)
	for _, v := range row {
		most = math.Max(most, float64(v))
	}
	guess := 1 / float64(len(row))
	return min(max((most-guess)/(1-guess), 0), 1)
}

// widened adds a share of the span on both sides.
func (s span) widened(share float64) (lo, hi float64) {
	pad := (s.hi - s.lo) * share
	if pad == 0 {
		pad = max(math.Abs(s.hi)*0.1, 1)
	}
	return s.lo - pad, s.hi + pad
}

// backdrop fills the rectangle of the data with an image.
type backdrop struct{ image.Image }

// Plot draws the image, as plot.Plotter wants it.
func (b backdrop) Plot(c draw.Canvas, _ *plot.Plot) {
	c.DrawImage(vg.Rectangle{Min: c.Min, Max: c.Max}, b.Image)
}
