package data

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit"
)

// OneHotEncoder makes of each column of categories a column for each category, 1 where it is the row's and 0 elsewhere:
// the number of a category says nothing about its size. Columns of numbers stay.
type OneHotEncoder struct {
	Features []Feature // the columns that it was made from
}

// OneHotFeatures makes an encoder for rows with these columns: those with Classes are expanded. There is nothing to
// learn from the rows, since a [Dataset] knows its categories.
//
//	train, err = train.Apply(data.OneHotFeatures(train.Features))
func OneHotFeatures(features []Feature) *OneHotEncoder { return &OneHotEncoder{features} }

// Apply returns the rows with the columns of categories expanded; x is left as it is. A missing category, NaN, is 0 in
// all of its columns. It is an error when a row has another width and when there is no category of a number.
func (e *OneHotEncoder) Apply(x [][]float64) ([][]float64, error) {
	width := 0
	for _, f := range e.Features {
		width += max(1, len(f.Classes))
	}
	return apply("described", x, len(e.Features), func(row []float64) ([]float64, error) {
		out := make([]float64, 0, width)
		for j, v := range row {
			classes := len(e.Features[j].Classes)
			if classes == 0 {
				out = append(out, v)
				continue
			}
			at := len(out)
			out = out[:at+classes]
			if math.IsNaN(v) {
				continue
			}
			if !isClass(v, classes) {
				return nil, fmt.Errorf("column %q is %v, but its %d categories are numbered 0 to %d", e.Features[j].Name, v, classes, classes-1)
			}
			out[at+int(v)] = 1
		}
		return out, nil
	})
}

// ApplyRow does the same with one row.
func (e *OneHotEncoder) ApplyRow(row []float64) ([]float64, error) {
	return applyRow(e, "described", row, len(e.Features))
}

// Outputs names the column of a category "feature=category".
func (e *OneHotEncoder) Outputs(in []Feature) []Feature {
	var out []Feature
	for _, f := range in {
		if len(f.Classes) == 0 {
			out = append(out, f)
		}
		for _, class := range f.Classes {
			out = append(out, Feature{Name: f.Name + "=" + class, About: f.About})
		}
	}
	return out
}

func isClass(v float64, classes int) bool {
	return v >= 0 && v < float64(classes) && v == math.Floor(v)
}

// OneHot makes a row of each label: 1 at the label's place and 0 elsewhere, as Keras' to_categorical does. The labels
// are any vector that nnkit.TensorOf takes; the result has the shape (labels, classes).
//
// It is an error when a label is not a whole number between 0 and classes-1.
func OneHot(labels any, classes int) (*nnkit.Tensor, error) {
	if classes < 1 {
		return nil, fmt.Errorf("OneHot: %d classes: there must be at least one", classes)
	}
	t, err := nnkit.TensorOf(labels)
	if err != nil {
		return nil, fmt.Errorf("OneHot: %w", err)
	}
	if shape := t.Shape(); len(shape) > 2 || len(shape) == 2 && shape[1] != 1 {
		return nil, fmt.Errorf("OneHot: the labels have the shape %v, and must be a vector or a single column", shape)
	}
	if t.Len() > math.MaxInt/4/classes {
		return nil, fmt.Errorf("OneHot: %d labels of %d classes are more than memory can hold", t.Len(), classes)
	}
	out := make([]float32, t.Len()*classes)
	for i, v := range t.Data() {
		if !isClass(float64(v), classes) {
			return nil, fmt.Errorf("OneHot: label %d (counted from 0) is %v, but %d classes are numbered 0 to %d", i, v, classes, classes-1)
		}
		out[i*classes+int(v)] = 1
	}
	return nnkit.NewTensor(out, t.Len(), classes)
}
