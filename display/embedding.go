package display

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
)

// Embedding draws vectors, a row for each example, by their first two principal components, in the colours of their labels, which may be nil.
// The axes say which share of the variance lies along them; what the picture does not show is the rest. [TSNE] draws which vectors are
// near each other instead.
func Embedding[T Float](vectors [][]T, labels []int, options ...Option) *Figure {
	v, problem := vectorsOf(vectors, labels)
	if problem != "" {
		return note(problem, options)
	}
	pl, ok := newPlane(v.rows)
	if len(v.rows) < 3 || v.width < 2 {
		return note(fmt.Sprintf("nothing to draw: %s of %s that are numbers; two components need three vectors of two values at least",
			count(len(v.rows), "vector"), count(v.width, "value")), options)
	}
	if !ok {
		return note("nothing to draw: all vectors are equal", options)
	}
	f := v.figure(pl.at, 560, 460, options)
	p := f.panels[0]
	p.title = "embedding"
	p.caption = fmt.Sprintf("%s of %d values by principal components", count(len(v.rows), "vector"), v.width)
	p.plot.X.Label.Text = fmt.Sprintf("first component (%.1f %% of the variance)", 100*pl.shares[0])
	p.plot.Y.Label.Text = fmt.Sprintf("second component (%.1f %%)", 100*pl.shares[1])
	f.about = fmt.Sprintf("embedding: %s, %.1f %% of the variance", p.caption, 100*(pl.shares[0]+pl.shares[1]))
	return f
}

// A cloud is vectors to be seen in two dimensions, those of numbers only.
type cloud struct {
	rows   [][]float64
	labels []int // nil for none
	width  int
	lost   int // vectors that have been left out
}

// vectorsOf checks vectors and their labels. It says what keeps them from being drawn, "" for nothing.
func vectorsOf[T Float](vectors [][]T, labels []int) (v cloud, problem string) {
	if labels != nil {
		if problem := paired("vectors", len(vectors), "labels", len(labels)); problem != "" {
			return v, problem
		}
	}
	all := wide(vectors)
	if problem := rectangular("the table of vectors", all); problem != "" {
		return v, problem
	}
	v.width = len(all[0])
	for i, row := range all {
		if countBad(row).any() {
			v.lost++
			continue
		}
		v.rows = append(v.rows, row)
		if labels != nil {
			v.labels = append(v.labels, labels[i])
		}
	}
	return v, ""
}

// figure draws the vectors as marks at places in the plane, on a card of a natural size.
func (v cloud) figure(at [][2]float64, width, height int, options []Option) *Figure {
	f := &Figure{columns: 1, settings: resolve(width, height, options)}
	x, y := newSpan(), newSpan()
	xys := make(plotter.XYs, len(at))
	for i, p := range at {
		xys[i] = plotter.XY{X: p[0], Y: p[1]}
		x.include(p[:1])
		y.include(p[1:])
	}
	pl := f.theme.newPlot()
	pl.X.Min, pl.X.Max = x.widened(0.05)
	pl.Y.Min, pl.Y.Max = y.widened(0.05)
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 7}, steps{n: 6}
	p := &panel{plot: pl, keys: f.addClasses(pl, xys, v.labels)}
	if v.lost > 0 {
		p.warning = "left out: " + count(v.lost, "vector") + " with values that are no numbers"
	}
	f.add(p, len(at))
	return f
}
