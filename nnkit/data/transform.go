package data

import (
	"fmt"
	"math"
	"slices"
)

// Transform is what was learnt from the training rows and is applied to all others, so that nothing of the test rows
// leaks into training: a [Standardizer], a [MinMaxScaler], an [Imputer], a [OneHotEncoder].
type Transform interface {
	// Apply returns transformed rows; x is left as it is.
	Apply(x [][]float64) ([][]float64, error)
	// Outputs describes the columns that Apply returns when in describes those that it is given.
	Outputs(in []Feature) []Feature
}

// checkTable returns the width of the rows. Missing values, NaN, pass only where they are wanted.
func checkTable(caller string, x [][]float64, missing bool) (width int, err error) {
	if len(x) == 0 || len(x[0]) == 0 {
		return 0, fmt.Errorf("%s: there are no numbers to measure: x is empty", caller)
	}
	width = len(x[0])
	for i, row := range x {
		if len(row) != width {
			return 0, fmt.Errorf("%s: row %d has %d numbers and row 0 has %d: all rows must have the same length",
				caller, i, len(row), width)
		}
		for j, v := range row {
			switch {
			case math.IsInf(v, 0), math.IsNaN(v) && !missing:
				return 0, fmt.Errorf("%s: row %d, column %d (both counted from 0) is %v: remove the row or put a number "+
					"there; Impute fills what is missing, NaN", caller, i, j, v)
			}
		}
	}
	return width, nil
}

// apply makes a row of each row of x, which must have the width of those that were learnt from.
func apply(learnt string, x [][]float64, width int, f func(row []float64) ([]float64, error)) ([][]float64, error) {
	applied := make([][]float64, len(x))
	for i, row := range x {
		if len(row) != width {
			return nil, fmt.Errorf("Apply: row %d has %d numbers, but the rows that were %s have %d", i, len(row), learnt, width)
		}
		var err error
		if applied[i], err = f(row); err != nil {
			return nil, fmt.Errorf("Apply: row %d, %w", i, err)
		}
	}
	return applied, nil
}

// applyRow applies a transform to one row.
func applyRow(t Transform, learnt string, row []float64, width int) ([]float64, error) {
	if len(row) != width {
		return nil, fmt.Errorf("ApplyRow: the row has %d numbers, but the rows that were %s have %d", len(row), learnt, width)
	}
	applied, err := t.Apply([][]float64{row})
	if err != nil {
		return nil, err
	}
	return applied[0], nil
}

// scaled is (x - low) / range for each column.
func scaled(learnt string, x [][]float64, low, span []float64) ([][]float64, error) {
	return apply(learnt, x, len(low), func(row []float64) ([]float64, error) {
		out := make([]float64, len(row))
		for j, v := range row {
			out[j] = (v - low[j]) / span[j]
		}
		return out, nil
	})
}

// withoutUnits describes columns whose numbers are no longer in their units.
func withoutUnits(in []Feature) []Feature {
	out := slices.Clone(in)
	for i := range out {
		out[i].Unit, out[i].Classes = "", nil
	}
	return out
}
