package nnkit

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Tensor is an array of float32 numbers with a shape, stored row after row (the last index runs fastest). [TensorOf]
// makes one from ordinary Go values, and [Model.Predict] returns one. A model takes a tensor wherever it takes data.
//
// Its methods compute: a result is a new tensor whose values can be looked at at once. What does not fit together
// panics with an [*OperationError]. On a [Tape] operations are noted, so that gradients can be had.
type Tensor struct {
	shape []int
	data  []float32
	node  *node // on a tape; nil for a tensor by itself
}

// NewTensor lays a shape over data without copying: the tensor and the slice share their numbers. Without a shape it
// is a vector.
//
// It is an error when a size is negative or the sizes' product differs from len(data).
func NewTensor(data []float32, shape ...int) (*Tensor, error) {
	if len(shape) == 0 {
		shape = []int{len(data)}
	}
	n := 1
	for _, d := range shape {
		if d < 0 {
			return nil, fmt.Errorf("NewTensor: the shape %s has a negative size", shapeText(shape))
		}
		if d > 0 && n > math.MaxInt/d {
			return nil, fmt.Errorf("NewTensor: the shape %s has more values than memory can hold", shapeText(shape))
		}
		n *= d
	}
	if n != len(data) {
		return nil, fmt.Errorf("NewTensor: the shape %s holds %d values, but data has %d", shapeText(shape), n, len(data))
	}
	return &Tensor{shape: append([]int(nil), shape...), data: data}, nil
}

// TensorOf converts Go values to a tensor, and is what [Model.Fit], [Model.Evaluate] and [Model.Predict] do with the
// data they are given. It takes
//
//   - a slice or array of any number type or of bool (true is 1), nested to any depth: [][]float64 becomes a matrix
//     with a row for each inner slice, []int a vector of labels;
//   - a matrix or vector of gonum, or anything else with the methods Dims() (rows, columns int) and
//     At(row, column int) float64;
//   - a matrix of gonum's float32 routines, blas32.General, or another struct with its fields Rows, Cols, Stride and Data;
//   - a *Tensor, which is returned as it is. Everything else is copied.
//
// Numbers are rounded to float32. It is an error when inner slices differ in length, when there is nothing in them,
// and when a value is NaN or infinite (also when it is too large for a float32); the message names its row and column.
func TensorOf(values any) (*Tensor, error) { return tensorOf("TensorOf", "the data", values) }

// Shape returns the sizes of the tensor's dimensions: [rows columns] for a matrix. It is a copy.
func (t *Tensor) Shape() []int { return append([]int(nil), t.shape...) }

// Len returns the number of values.
func (t *Tensor) Len() int { return len(t.data) }

// Data returns the values row after row. It is a view: writing to it changes the tensor.
func (t *Tensor) Data() []float32 { return t.data }

// At returns the value at an index, one number for each dimension, counted from 0: At(row, column) for a matrix. Like
// the index of a slice it panics when out of range.
func (t *Tensor) At(index ...int) float32 {
	if len(index) != len(t.shape) {
		panic(fmt.Sprintf("nnkit: Tensor.At got %d indices for the shape %s", len(index), shapeText(t.shape)))
	}
	at := 0
	for i, v := range index {
		if v < 0 || v >= t.shape[i] {
			panic(fmt.Sprintf("nnkit: Tensor.At: index %d of dimension %d is outside the shape %s", v, i, shapeText(t.shape)))
		}
		at = at*t.shape[i] + v
	}
	return t.data[at]
}

// Rows returns a view of each row, whatever the number of dimensions behind the first: for p := range p.Rows() runs
// over the predictions.
func (t *Tensor) Rows() [][]float32 {
	n, width := t.rows()
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = t.data[i*width : (i+1)*width : (i+1)*width]
	}
	return rows
}

// rows returns the first dimension and the number of values behind each of its indices.
func (t *Tensor) rows() (n, width int) {
	if len(t.shape) == 0 {
		return 1, 1
	}
	width = 1
	for _, d := range t.shape[1:] {
		width *= d
	}
	return t.shape[0], width
}

// At most this much of a tensor is printed.
const printedRows, printedColumns = 12, 12

// String shows the shape and the values, a line for each row, with the middle of a large tensor left out.
func (t *Tensor) String() string {
	if t == nil {
		return "<nil>"
	}
	n, width := t.rows()
	var b strings.Builder
	fmt.Fprintf(&b, "Tensor %s\n", shapeText(t.shape))
	if len(t.shape) < 2 { // a vector is one line
		n, width = 1, len(t.data)
	}
	cells := make([][]string, 0, min(n, printedRows+1))
	for i := range n {
		if n > printedRows && i == printedRows/2 {
			cells = append(cells, nil)
		}
		if n > printedRows && i >= printedRows/2 && i < n-printedRows/2 {
			continue
		}
		var line []string
		for j := range width {
			if width > printedColumns && j >= printedColumns/2 && j < width-printedColumns/2 {
				if j == printedColumns/2 {
					line = append(line, "…")
				}
				continue
			}
			line = append(line, numberText(float64(t.data[i*width+j])))
		}
		cells = append(cells, line)
	}
	widest := 0
	for _, line := range cells {
		for _, c := range line {
			widest = max(widest, len([]rune(c)))
		}
	}
	for _, line := range cells {
		if line == nil {
			b.WriteString("  …\n")
			continue
		}
		for _, c := range line {
			b.WriteString("  ")
			b.WriteString(strings.Repeat(" ", widest-len([]rune(c))))
			b.WriteString(c)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// numberText gives five digits: enough to judge by, few enough to line up.
func numberText(v float64) string { return strconv.FormatFloat(v, 'g', 5, 64) }

func shapeText(shape []int) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = strconv.Itoa(d)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// matrix is what gonum's matrices and vectors have in common; naming it here spares importing gonum.
type matrix interface {
	Dims() (r, c int)
	At(i, j int) float64
}

// tensorOf converts values. The caller's name and the argument's ("x", "y") go into the errors.
func tensorOf(caller, argument string, values any) (*Tensor, error) {
	var t *Tensor
	switch v := values.(type) {
	case nil:
		return nil, fmt.Errorf("%s: %s is nil: give it numbers, as [][]float64 for example", caller, argument)
	case *Tensor:
		if v == nil {
			return nil, fmt.Errorf("%s: %s is a nil *Tensor: the call that made it must have failed", caller, argument)
		}
		t = v
	case Tensor:
		t = &v
	case []float32:
		t = &Tensor{shape: []int{len(v)}, data: append([]float32(nil), v...)}
	case []float64:
		t = &Tensor{shape: []int{len(v)}, data: appendNarrow(make([]float32, 0, len(v)), v)}
	case []int:
		t = &Tensor{shape: []int{len(v)}, data: make([]float32, len(v))}
		for i, n := range v {
			t.data[i] = float32(n)
		}
	case [][]float64:
		if err := checkRagged(caller, argument, v); err != nil {
			return nil, err
		}
		if len(v) > 0 {
			t = &Tensor{shape: []int{len(v), len(v[0])}, data: make([]float32, 0, len(v)*len(v[0]))}
			for _, row := range v {
				t.data = appendNarrow(t.data, row)
			}
		}
	case [][]float32:
		if err := checkRagged(caller, argument, v); err != nil {
			return nil, err
		}
		if len(v) > 0 {
			t = &Tensor{shape: []int{len(v), len(v[0])}, data: make([]float32, 0, len(v)*len(v[0]))}
			for _, row := range v {
				t.data = append(t.data, row...)
			}
		}
	case matrix:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
			return nil, fmt.Errorf("%s: %s is a nil %T", caller, argument, v)
		}
		rows, columns := v.Dims()
		t = &Tensor{shape: []int{rows, columns}, data: make([]float32, 0, rows*columns)}
		for i := range rows {
			for j := range columns {
				t.data = append(t.data, float32(v.At(i, j)))
			}
		}
	default:
		var err error
		if t, err = reflectTensor(caller, argument, values); err != nil {
			return nil, err
		}
	}
	if t == nil || len(t.data) == 0 {
		return nil, fmt.Errorf("%s: %s is empty: there must be at least one row with at least one number", caller, argument)
	}
	if err := checkFinite(caller, argument, t); err != nil {
		return nil, err
	}
	return t, nil
}

func appendNarrow(dst []float32, src []float64) []float32 {
	for _, v := range src {
		dst = append(dst, float32(v))
	}
	return dst
}

func checkRagged[T any](caller, argument string, rows [][]T) error {
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return fmt.Errorf("%s: row %d of %s has %d %s and row 0 has %d: all rows must have the same length",
				caller, i, argument, len(row), plural(len(row), "number"), len(rows[0]))
		}
	}
	return nil
}

func checkFinite(caller, argument string, t *Tensor) error {
	for i, v := range t.data {
		if v-v == 0 { // false for NaN and for both infinities
			continue
		}
		_, width := t.rows()
		where := fmt.Sprintf("row %d (counted from 0)", i/width)
		if width > 1 {
			where = fmt.Sprintf("row %d, column %d (both counted from 0)", i/width, i%width)
		}
		word := "NaN (not a number)"
		if v == v {
			word = "infinite (or too large for a float32)"
		}
		return fmt.Errorf("%s: %s is %s at %s: remove the row or put a number there",
			caller, argument, word, where)
	}
	return nil
}

// reflectTensor takes slices and arrays of every other number type and depth.
func reflectTensor(caller, argument string, values any) (*Tensor, error) {
	v := reflect.ValueOf(values)
	if v.Kind() == reflect.Struct {
		if t, ok := generalTensor(v); ok {
			return t, nil
		}
	}
	var shape []int
	depth := v
	for depth.Kind() == reflect.Slice || depth.Kind() == reflect.Array {
		shape = append(shape, depth.Len())
		if depth.Len() == 0 {
			return nil, nil
		}
		depth = depth.Index(0)
	}
	if len(shape) == 0 || !isNumber(depth.Kind()) {
		return nil, fmt.Errorf("%s: %s is a %T, which holds no rows of numbers: use [][]float64, []float64, []int, "+
			"a gonum matrix or a *nnkit.Tensor", caller, argument, values)
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	t := &Tensor{shape: shape, data: make([]float32, 0, n)}
	var walk func(v reflect.Value, dim int, at []int) error
	walk = func(v reflect.Value, dim int, at []int) error {
		if dim == len(shape) {
			t.data = append(t.data, number(v))
			return nil
		}
		if v.Len() != shape[dim] {
			return fmt.Errorf("%s: part %v of %s has %d entries and its first neighbour has %d: all must have the same length",
				caller, at, argument, v.Len(), shape[dim])
		}
		for i := range v.Len() {
			if err := walk(v.Index(i), dim+1, append(at, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(v, 0, nil); err != nil {
		return nil, err
	}
	return t, nil
}

// generalTensor copies a blas32.General, which is told by its fields: naming it would import gonum.
func generalTensor(v reflect.Value) (*Tensor, bool) {
	rows, columns, stride := v.FieldByName("Rows"), v.FieldByName("Cols"), v.FieldByName("Stride")
	if !rows.IsValid() || !columns.IsValid() || !stride.IsValid() || !rows.CanInt() || !columns.CanInt() || !stride.CanInt() {
		return nil, false
	}
	field := v.FieldByName("Data")
	if !field.IsValid() || !field.CanInterface() {
		return nil, false
	}
	data, ok := field.Interface().([]float32)
	n, width, step := int(rows.Int()), int(columns.Int()), int(stride.Int())
	if !ok || n < 1 || width < 1 || step < width || (len(data)-width)/step < n-1 {
		return nil, false
	}
	t := &Tensor{shape: []int{n, width}, data: make([]float32, 0, n*width)}
	for i := range n {
		t.data = append(t.data, data[i*step:][:width]...)
	}
	return t, true
}

func isNumber(k reflect.Kind) bool {
	return k == reflect.Bool || k >= reflect.Int && k <= reflect.Uint64 || k == reflect.Float32 || k == reflect.Float64
}

func number(v reflect.Value) float32 {
	switch {
	case v.CanInt():
		return float32(v.Int())
	case v.CanUint():
		return float32(v.Uint())
	case v.CanFloat():
		return float32(v.Float())
	case v.Bool():
		return 1
	default:
		return 0
	}
}
