package data

import (
	"fmt"
	"math"
)

// Standardizer brings every column to mean 0 and standard deviation 1, as measured on the rows it was made from: the
// scale on which networks learn well. Make it from the training rows and apply it to all others, so that nothing of the
// test rows leaks into training.
type Standardizer struct {
	Mean      []float64 // of each column
	Deviation []float64 // the standard deviation (of the population) of each column; 1 for a constant column
}

// Standardize measures the columns of x.
//
// It is an error when x is empty, when its rows differ in length, and when a value is NaN or infinite.
func Standardize(x [][]float64) (*Standardizer, error) {
	if len(x) == 0 || len(x[0]) == 0 {
		return nil, fmt.Errorf("Standardize: there are no numbers to measure: x is empty")
	}
	width := len(x[0])
	s := &Standardizer{make([]float64, width), make([]float64, width)}
	for i, row := range x {
		if len(row) != width {
			return nil, fmt.Errorf("Standardize: row %d has %d numbers and row 0 has %d: all rows must have the same length",
				i, len(row), width)
		}
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("Standardize: row %d, column %d (both counted from 0) is %v: remove the row or put a number "+
					"there", i, j, v)
			}
			s.Mean[j] += v
		}
	}
	n := float64(len(x))
	for j := range s.Mean {
		s.Mean[j] /= n
	}
	for _, row := range x {
		for j, v := range row {
			d := v - s.Mean[j]
			s.Deviation[j] += float64(d * d) // the conversion forbids a fused multiply-add
		}
	}
	for j := range s.Deviation {
		s.Deviation[j] = math.Sqrt(s.Deviation[j] / n)
		if s.Deviation[j] == 0 {
			s.Deviation[j] = 1
		}
	}
	return s, nil
}

// Apply returns (x - Mean) / Deviation for each row; x is left as it is. A row of another width is an error.
func (s *Standardizer) Apply(x [][]float64) ([][]float64, error) {
	scaled := make([][]float64, len(x))
	for i, row := range x {
		if len(row) != len(s.Mean) {
			return nil, fmt.Errorf("Apply: row %d has %d numbers, but the rows that were standardized have %d", i, len(row), len(s.Mean))
		}
		scaled[i] = make([]float64, len(row))
		for j, v := range row {
			scaled[i][j] = (v - s.Mean[j]) / s.Deviation[j]
		}
	}
	return scaled, nil
}

// ApplyRow does the same with one row: model.Predict wants a new example on the scale of the training rows.
func (s *Standardizer) ApplyRow(row []float64) ([]float64, error) {
	scaled, err := s.Apply([][]float64{row})
	if err != nil {
		return nil, fmt.Errorf("ApplyRow: the row has %d numbers, but the rows that were standardized have %d", len(row), len(s.Mean))
	}
	return scaled[0], nil
}
