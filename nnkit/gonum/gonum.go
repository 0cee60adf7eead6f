// Package gonum converts between nnkit's tensors and gonum's matrices. The other direction needs no package: whatever
// takes data takes a gonum matrix, a vector or a blas32.General. It stands by itself so that a program that does not use
// gonum need not link it.
package gonum

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"

	"github.com/seed5607215b/nnkit/nnkit"
)

// Dense copies a tensor of one or two dimensions to a matrix of float64; a vector becomes a column. It is an error when
// there are more dimensions or no numbers, which a mat.Dense cannot hold.
func Dense(t *nnkit.Tensor) (*mat.Dense, error) {
	g, err := General(t)
	if err != nil {
		return nil, err
	}
	if g.Rows == 0 || g.Cols == 0 {
		return nil, fmt.Errorf("gonum.Dense: the tensor has the shape %v and no numbers, and a mat.Dense must have some", t.Shape())
	}
	data := make([]float64, len(g.Data))
	for i, v := range g.Data {
		data[i] = float64(v)
	}
	return mat.NewDense(g.Rows, g.Cols, data), nil
}

// General is a view of a tensor of one or two dimensions, for gonum's float32 routines: both share their numbers. A
// vector becomes a column. It is an error when there are more dimensions; Reshape the tensor then.
func General(t *nnkit.Tensor) (blas32.General, error) {
	shape := t.Shape()
	switch len(shape) {
	case 1:
		return blas32.General{Rows: shape[0], Cols: 1, Stride: 1, Data: t.Data()}, nil
	case 2:
		return blas32.General{Rows: shape[0], Cols: shape[1], Stride: max(1, shape[1]), Data: t.Data()}, nil
	default:
		return blas32.General{}, fmt.Errorf("gonum: the tensor has the shape %v, and a matrix has two dimensions: "+
			"Reshape it first", shape)
	}
}

// Tensor is a view of a matrix of float32 whose rows lie next to each other (Stride equal to Cols): both share their
// numbers. With another stride the numbers are copied.
func Tensor(g blas32.General) (*nnkit.Tensor, error) {
	if g.Rows > 0 && g.Cols > 0 && (g.Stride < g.Cols || len(g.Data) < (g.Rows-1)*g.Stride+g.Cols) || g.Rows < 0 || g.Cols < 0 {
		return nil, fmt.Errorf("gonum.Tensor: the matrix has %d×%d numbers in rows %d apart, but %d numbers of data",
			g.Rows, g.Cols, g.Stride, len(g.Data))
	}
	if g.Stride == g.Cols {
		return nnkit.NewTensor(g.Data[:g.Rows*g.Cols], g.Rows, g.Cols)
	}
	data := make([]float32, 0, g.Rows*g.Cols)
	for i := range g.Rows {
		data = append(data, g.Data[i*g.Stride:][:g.Cols]...)
	}
	return nnkit.NewTensor(data, g.Rows, g.Cols)
}
