package display

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// mostFeatures is how many columns of a table are drawn.
const mostFeatures = 24

// Features draws the distribution of each column of a table, a row for each example, as [Histograms] does. Names may be nil. Of
// more than 24 columns it draws the first.
func Features[T Float](names []string, rows [][]T, options ...Option) *Figure {
	table := wide(rows)
	if problem := rectangular("the table", table); problem != "" {
		return note(problem, options)
	}
	names = columnNames(names, len(table[0]))
	var samples []Sample
	for j, name := range names[:min(len(names), mostFeatures)] {
		samples = append(samples, Sample{Name: name, Values: column(table, j)})
	}
	f := Histograms(samples, options...)
	if len(names) > mostFeatures {
		f.note = joinNonEmpty([]string{f.note, fmt.Sprintf("The first %d of %d features.", mostFeatures, len(names))})
	}
	return f
}

// columnNames names n columns, those without a name by their number.
func columnNames(names []string, n int) []string {
	out := numbersFrom0(n)
	for i := range out {
		if i < len(names) && names[i] != "" {
			out[i] = names[i]
		}
	}
	return out
}

func column(rows [][]float64, j int) []float64 {
	out := make([]float64, len(rows))
	for i, row := range rows {
		out[i] = row[j]
	}
	return out
}

// Correlation draws Pearson's correlation of every two columns of a table, a row for each example: blue where one falls as the
// other rises, orange where both rise. Names may be nil. Rows without a number in one of the two columns are left out of their
// correlation. Where a column does not vary there is none, and the cell is grey.
func Correlation[T Float](names []string, rows [][]T, options ...Option) *Figure {
	table := wide(rows)
	if problem := rectangular("the table", table); problem != "" {
		return note(problem, options)
	}
	n := len(table[0])
	names = columnNames(names, n)
	values := make([][]float64, n)
	for i := range values {
		values[i] = make([]float64, n)
	}
	strongest, a, b := 0.0, -1, -1
	constant := 0
	for i := range n {
		for j := range i + 1 {
			r := pearson(table, i, j)
			values[i][j], values[j][i] = r, r
			if i != j && math.Abs(r) > math.Abs(strongest) {
				strongest, a, b = r, i, j
			}
		}
		if !finite(values[i][i]) {
			constant++
		}
	}
	t := resolve(0, 0, options).theme
	w, h := t.matrixSize(names, names, max(min(600/float64(n), 44), 12))
	f := &Figure{columns: 1, settings: titled(max(w+2*edge, 320), h+2*edge, options)}
	bounds := span{-1, 1}
	m := cells{values: values, color: t.colorsOf(t.diverging, bounds), style: t.style(smallSize, t.text, false)}
	if n <= 14 {
		m.label = func(i, j int) string {
			if !finite(values[i][j]) {
				return "–"
			}
			return signed(values[i][j])
		}
	}
	p := &panel{
		title: "correlation", shape: 1, scale: &scale{bounds: bounds, colors: t.diverging},
		plot: t.matrix(m, names, names, f.width-2*edge, f.height-2*edge),
	}
	if a >= 0 {
		p.caption = fmt.Sprintf("strongest: %s and %s, %s", names[b], names[a], signed(strongest))
	}
	if constant > 0 {
		p.warning = count(constant, "column") + " without variation: grey"
	}
	f.add(p, min(n*n, manyCells))
	f.about = fmt.Sprintf("correlation of %s over %s; %s", count(n, "feature"), count(len(rows), "row"), p.caption)
	return f
}

// pearson is the correlation of two columns over the rows in which both are finite, NaN where one is constant.
func pearson(rows [][]float64, i, j int) float64 {
	var x, y []float64
	for _, row := range rows {
		if finite(row[i]) && finite(row[j]) {
			x, y = append(x, row[i]), append(y, row[j])
		}
	}
	if len(x) < 2 || constantSeries(x) || constantSeries(y) {
		return math.NaN()
	}
	return stat.Correlation(x, y, nil)
}

func constantSeries(values []float64) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}

// signed writes a correlation with a true minus.
func signed(v float64) string {
	s := fmt.Sprintf("%.2f", math.Abs(v))
	if v < 0 && s != "0.00" {
		return "−" + s
	}
	return s
}
