package data

import (
	"fmt"
	"iter"

	"github.com/seed5607215b/nnkit/nnkit"
)

// New makes a table of Go values: x has a row for each example, as [][]float64, a gonum matrix or whatever else
// nnkit.TensorOf takes with one or two dimensions, and y the truth for each row. [][]float64 and []float64 are shared,
// all else is copied; missing values may be NaN in those two and in gonum's matrices. The features have the names, or
// none if there are none.
//
//	d, err := data.New(x, y, "age", "weight")
//
// It is an error when x and y, or the names and the columns, do not agree in number.
func New(x, y any, names ...string) (*Dataset, error) {
	rows, err := table("x", x)
	if err != nil {
		return nil, fmt.Errorf("New: %w", err)
	}
	truth, ok := y.([]float64)
	if !ok {
		columns, err := table("y", y)
		if err != nil {
			return nil, fmt.Errorf("New: %w", err)
		}
		for _, row := range columns {
			if len(row) != 1 {
				return nil, fmt.Errorf("New: y has %d numbers a row, and must have one", len(row))
			}
			truth = append(truth, row[0])
		}
	}
	return described(rows, truth, names, "New")
}

// Collect makes a table of an iterator's rows, each with its truth: what comes from a database, a stream or a function
// need not be gathered before. It is an error when the rows, or the names and the columns, do not agree in number.
func Collect(rows iter.Seq2[[]float64, float64], names ...string) (*Dataset, error) {
	var x [][]float64
	var y []float64
	for row, truth := range rows {
		x, y = append(x, append([]float64(nil), row...)), append(y, truth)
	}
	return described(x, y, names, "Collect")
}

func described(x [][]float64, y []float64, names []string, call string) (*Dataset, error) {
	if len(x) == 0 || len(x[0]) == 0 {
		return nil, fmt.Errorf("%s: x is empty: there must be at least one row with at least one number", call)
	}
	if len(x) != len(y) {
		return nil, fmt.Errorf("%s: x has %d rows and y %d; they must agree", call, len(x), len(y))
	}
	for i, row := range x {
		if len(row) != len(x[0]) {
			return nil, fmt.Errorf("%s: row %d has %d numbers and row 0 has %d: all rows must have the same length", call, i, len(row), len(x[0]))
		}
	}
	if len(names) != 0 && len(names) != len(x[0]) {
		return nil, fmt.Errorf("%s: there are %d names for %d columns", call, len(names), len(x[0]))
	}
	d := &Dataset{Name: "Dataset", Target: Feature{Name: "target"}, X: x, Y: y}
	for _, name := range names {
		d.Features = append(d.Features, Feature{Name: name})
	}
	return d, nil
}

// table makes rows of float64, without going through float32 where that would lose something.
func table(argument string, values any) ([][]float64, error) {
	switch v := values.(type) {
	case [][]float64:
		return v, nil
	case interface { // gonum's matrices
		Dims() (r, c int)
		At(i, j int) float64
	}:
		n, width := v.Dims()
		rows := make([][]float64, n)
		for i := range rows {
			rows[i] = make([]float64, width)
			for j := range width {
				rows[i][j] = v.At(i, j)
			}
		}
		return rows, nil
	}
	t, err := nnkit.TensorOf(values)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", argument, err)
	}
	if shape := t.Shape(); len(shape) > 2 {
		return nil, fmt.Errorf("%s has the shape %v, and a table has two dimensions: NewExamples takes more", argument, shape)
	}
	rows := make([][]float64, 0, t.Len())
	for _, row := range t.Rows() {
		wide := make([]float64, len(row))
		for j, v := range row {
			wide[j] = float64(v)
		}
		rows = append(rows, wide)
	}
	return rows, nil
}

// NewExamples makes examples of whatever nnkit.TensorOf takes, of any shape: x has a row for each example, and y its
// class. Tensors are shared, all else is copied. It is an error when x and y differ in the number of rows.
func NewExamples(x, y any, classes ...string) (*Examples, error) {
	xt, err := nnkit.TensorOf(x)
	if err != nil {
		return nil, fmt.Errorf("NewExamples: x: %w", err)
	}
	yt, err := nnkit.TensorOf(y)
	if err != nil {
		return nil, fmt.Errorf("NewExamples: y: %w", err)
	}
	if n, m := xt.Shape()[0], yt.Shape()[0]; n != m {
		return nil, fmt.Errorf("NewExamples: x has %d rows and y %d; they must agree", n, m)
	}
	return &Examples{Name: "Examples", X: xt, Y: yt, Classes: classes}, nil
}
