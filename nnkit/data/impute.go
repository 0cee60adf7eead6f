package data

import (
	"fmt"
	"math"
	"slices"
)

// Strategy is what an [Imputer] puts where a value is missing; the names are those of scikit-learn's SimpleImputer.
type Strategy int

// The strategies. A column of categories, or of texts, wants MostFrequent.
const (
	Mean         Strategy = iota // the mean of the values that are there
	Median                       // the middle one
	MostFrequent                 // the one that occurs most often; the least of several
)

// Imputer fills what is missing, NaN, with one value for each column.
type Imputer struct {
	Values []float64 // what is put into each column
}

// Impute learns from the values of x that are there.
//
//	fill, err := data.Impute(train.X, data.Median)
//	train, err = train.Apply(fill)
//
// It is an error when x is empty, when its rows differ in length, when a value is infinite, and when a column has no
// value at all.
func Impute(x [][]float64, strategy Strategy) (*Imputer, error) {
	width, err := checkTable("Impute", x, true)
	if err != nil {
		return nil, err
	}
	if strategy < Mean || strategy > MostFrequent {
		return nil, fmt.Errorf("Impute: there is no strategy %d: use Mean, Median or MostFrequent", strategy)
	}
	imputer := &Imputer{make([]float64, width)}
	for j := range width {
		var there []float64
		for _, row := range x {
			if !math.IsNaN(row[j]) {
				there = append(there, row[j])
			}
		}
		if len(there) == 0 {
			return nil, fmt.Errorf("Impute: column %d (counted from 0) has no value in any of %d rows, so that there is nothing to "+
				"learn: leave the column out", j, len(x))
		}
		imputer.Values[j] = strategy.of(there)
	}
	return imputer, nil
}

func (s Strategy) of(values []float64) float64 {
	if s == Mean {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		return sum / float64(len(values))
	}
	slices.Sort(values)
	if s == Median {
		n := len(values)
		return (values[(n-1)/2] + values[n/2]) / 2
	}
	best, most, run := values[0], 0, 0
	for i, v := range values {
		if i > 0 && v != values[i-1] {
			run = 0
		}
		if run++; run > most {
			best, most = v, run
		}
	}
	return best
}

// Apply returns the rows with every NaN replaced; x is left as it is. A row of another width is an error.
func (m *Imputer) Apply(x [][]float64) ([][]float64, error) {
	return apply("learnt from", x, len(m.Values), func(row []float64) ([]float64, error) {
		out := slices.Clone(row)
		for j, v := range out {
			if math.IsNaN(v) {
				out[j] = m.Values[j]
			}
		}
		return out, nil
	})
}

// ApplyRow does the same with one row.
func (m *Imputer) ApplyRow(row []float64) ([]float64, error) {
	return applyRow(m, "learnt from", row, len(m.Values))
}

// Outputs keeps the columns as they are.
func (m *Imputer) Outputs(in []Feature) []Feature { return slices.Clone(in) }
