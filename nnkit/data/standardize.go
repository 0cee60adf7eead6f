package data

import "math"

// Standardizer brings every column to mean 0 and standard deviation 1, as measured on the rows it was made from: the
// scale on which networks learn well. Make it from the training rows and apply it to all others, so that nothing of the
// test rows leaks into training.
type Standardizer struct {
	Mean      []float64 // of each column
	Deviation []float64 // the standard deviation (of the population) of each column; 1 for a constant column
}

// Standardize measures the columns of x, as scikit-learn's StandardScaler does.
//
// It is an error when x is empty, when its rows differ in length, and when a value is NaN or infinite.
func Standardize(x [][]float64) (*Standardizer, error) {
	width, err := checkTable("Standardize", x, false)
	if err != nil {
		return nil, err
	}
	s := &Standardizer{make([]float64, width), make([]float64, width)}
	for _, row := range x {
		for j, v := range row {
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
	return scaled("standardized", x, s.Mean, s.Deviation)
}

// ApplyRow does the same with one row: model.Predict wants a new example on the scale of the training rows.
func (s *Standardizer) ApplyRow(row []float64) ([]float64, error) {
	return applyRow(s, "standardized", row, len(s.Mean))
}

// Outputs keeps the columns' names.
func (s *Standardizer) Outputs(in []Feature) []Feature { return withoutUnits(in) }
