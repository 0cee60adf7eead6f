package data

// MinMaxScaler brings every column to the range 0 to 1 of the rows it was made from; other rows may lie beyond.
type MinMaxScaler struct {
	Min   []float64 // the least of each column
	Range []float64 // the largest less the least; 1 for a constant column
}

// MinMax measures the columns of x, as scikit-learn's MinMaxScaler does.
//
// It is an error when x is empty, when its rows differ in length, and when a value is NaN or infinite.
func MinMax(x [][]float64) (*MinMaxScaler, error) {
	width, err := checkTable("MinMax", x, false)
	if err != nil {
		return nil, err
	}
	s := &MinMaxScaler{make([]float64, width), make([]float64, width)}
	for j := range width {
		least, most := x[0][j], x[0][j]
		for _, row := range x {
			least, most = min(least, row[j]), max(most, row[j])
		}
		s.Min[j], s.Range[j] = least, most-least
		if s.Range[j] == 0 {
			s.Range[j] = 1
		}
	}
	return s, nil
}

// Apply returns (x - Min) / Range for each row; x is left as it is. A row of another width is an error.
func (s *MinMaxScaler) Apply(x [][]float64) ([][]float64, error) {
	return scaled("measured", x, s.Min, s.Range)
}

// ApplyRow does the same with one row.
func (s *MinMaxScaler) ApplyRow(row []float64) ([]float64, error) {
	return applyRow(s, "measured", row, len(s.Min))
}

// Outputs keeps the columns' names.
func (s *MinMaxScaler) Outputs(in []Feature) []Feature { return withoutUnits(in) }
