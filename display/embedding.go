package display

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/plotter"
)

// Embedding draws vectors, a row for each example, by their first two principal components, in the colours of their labels, which may be nil.
// The axes say which share of the variance lies along them; what the picture does not show is the rest.
func Embedding[T Float](vectors [][]T, labels []int, options ...Option) *Figure {
	if labels != nil {
		if problem := paired("vectors", len(vectors), "labels", len(labels)); problem != "" {
			return note(problem, options)
		}
	}
	all := wide(vectors)
	if problem := rectangular("the table of vectors", all); problem != "" {
		return note(problem, options)
	}
	width := len(all[0])
	var data []float64
	var kept []int
	for i, row := range all {
		if countBad(row).any() {
			continue
		}
		data = append(data, row...)
		if labels != nil {
			kept = append(kept, labels[i])
		}
	}
	n := len(data) / width
	if n < 3 || width < 2 {
		return note(fmt.Sprintf("nothing to draw: %s of %s that are numbers; two components need three vectors of two values at least",
			count(n, "vector"), count(width, "value")), options)
	}
	m := mat.NewDense(n, width, data)
	var pc stat.PC
	if !pc.PrincipalComponents(m, nil) {
		return note("nothing to draw: the principal components could not be found", options)
	}
	vars := pc.VarsTo(nil)
	total := 0.0
	for _, v := range vars {
		total += v
	}
	if total == 0 {
		return note("nothing to draw: all vectors are equal", options)
	}
	var axes mat.Dense
	pc.VectorsTo(&axes)
	// A component has no sign of its own: the largest entry is made positive, so that the same vectors give the same picture.
	first := axes.Slice(0, width, 0, 2).(*mat.Dense)
	for c := range 2 {
		big := 0
		for r := range width {
			if math.Abs(first.At(r, c)) > math.Abs(first.At(big, c))+1e-9 {
				big = r
			}
		}
		if first.At(big, c) < 0 {
			for r := range width {
				first.Set(r, c, -first.At(r, c))
			}
		}
	}
	var flat mat.Dense
	flat.Mul(m, first)
	means := make([]float64, 2)
	for c := range 2 {
		means[c] = stat.Mean(mat.Col(nil, c, &flat), nil)
	}
	x, y := newSpan(), newSpan()
	xys := make(plotter.XYs, n)
	for i := range xys {
		xys[i] = plotter.XY{X: flat.At(i, 0) - means[0], Y: flat.At(i, 1) - means[1]}
		x.include([]float64{xys[i].X})
		y.include([]float64{xys[i].Y})
	}
	f := &Figure{columns: 1, settings: resolve(560, 460, options)}
	pl := f.theme.newPlot()
	pl.X.Min, pl.X.Max = x.widened(0.05)
	pl.Y.Min, pl.Y.Max = y.widened(0.05)
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 7}, steps{n: 6}
	pl.X.Label.Text = fmt.Sprintf("first component (%.1f %% of the variance)", 100*vars[0]/total)
	pl.Y.Label.Text = fmt.Sprintf("second component (%.1f %%)", 100*vars[1]/total)
	p := &panel{title: "embedding", plot: pl, caption: fmt.Sprintf("%s of %d values by principal components", count(n, "vector"), width)}
	p.keys = f.addClasses(pl, xys, kept)
	if lost := len(all) - n; lost > 0 {
		p.warning = "left out: " + count(lost, "vector") + " with values that are no numbers"
	}
	f.add(p, n)
	f.about = fmt.Sprintf("embedding: %s, %.1f %% of the variance", p.caption, 100*(vars[0]+vars[1])/total)
	return f
}
