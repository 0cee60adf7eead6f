package nnkit

import (
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestTensorOf(t *testing.T) {
	type row [2]int8
	own := &Tensor{shape: []int{1}, data: []float32{1}}
	for _, test := range []struct {
		in    any
		shape []int
		data  []float32
	}{
		{[][]float64{{1, 2}, {3, 4}}, []int{2, 2}, []float32{1, 2, 3, 4}},
		{[][]float32{{1, 2, 3}}, []int{1, 3}, []float32{1, 2, 3}},
		{[][]int{{1}, {2}}, []int{2, 1}, []float32{1, 2}},
		{[]float64{0.1, 2}, []int{2}, []float32{0.1, 2}},
		{[]float32{1}, []int{1}, []float32{1}},
		{[]int{5, -1}, []int{2}, []float32{5, -1}},
		{[]uint8{200}, []int{1}, []float32{200}},
		{[]bool{true, false}, []int{2}, []float32{1, 0}},
		{[]row{{1, 2}, {3, 4}}, []int{2, 2}, []float32{1, 2, 3, 4}},
		{[][][]float64{{{1}, {2}}, {{3}, {4}}}, []int{2, 2, 1}, []float32{1, 2, 3, 4}},
		{mat.NewDense(2, 2, []float64{1, 2, 3, 4}).T(), []int{2, 2}, []float32{1, 3, 2, 4}},
		{mat.NewVecDense(2, []float64{1, 2}), []int{2, 1}, []float32{1, 2}},
		{own, []int{1}, []float32{1}},
		{*own, []int{1}, []float32{1}},
	} {
		got, err := TensorOf(test.in)
		if err != nil {
			t.Errorf("%T: %v", test.in, err)
			continue
		}
		if !slices.Equal(got.Shape(), test.shape) || !slices.Equal(got.Data(), test.data) {
			t.Errorf("%T becomes %v %v, want %v %v", test.in, got.Shape(), got.Data(), test.shape, test.data)
		}
	}
	if same, err := TensorOf(own); same != own || err != nil {
		t.Error("a tensor is copied")
	}
	data := []float32{1}
	if x, err := TensorOf(data); err != nil || &x.Data()[0] == &data[0] {
		t.Error("a slice is not copied", err)
	}
	var noMatrix *mat.Dense
	var noTensor *Tensor
	for _, test := range []struct {
		in   any
		want string
	}{
		{noMatrix, "the data is a nil *mat.Dense"},
		{noTensor, "the data is a nil *Tensor"},
		{[][][]int{{{1}}, {{1, 2}}}, "part [1 0] of the data has 2 entries and its first neighbour has 1"},
		{[][]int{{}}, "the data is empty"},
		{map[string]int{}, "the data is a map[string]int, which holds no rows of numbers"},
		{7, "the data is a int, which holds no rows of numbers"},
	} {
		if _, err := TensorOf(test.in); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%T: the error is %v, want %q in it", test.in, err, test.want)
		}
	}
}

func TestNewTensor(t *testing.T) {
	data := []float32{1, 2, 3, 4, 5, 6}
	x, err := NewTensor(data, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	data[5] = 9
	if x.At(1, 2) != 9 || x.Len() != 6 || len(x.Rows()) != 2 || x.Rows()[1][2] != 9 {
		t.Errorf("the tensor is %v", x)
	}
	if v, err := NewTensor(data); err != nil || v.At(5) != 9 {
		t.Errorf("a vector is %v, %v", v, err)
	}
	for _, shape := range [][]int{{2, 2}, {-2, -3}, {1 << 40, 1 << 40}} {
		if _, err := NewTensor(data, shape...); err == nil {
			t.Errorf("the shape %v is accepted for 6 numbers", shape)
		}
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "index 3 of dimension 1 is outside the shape (2, 3)") {
			t.Errorf("At out of range panics with %v", r)
		}
	}()
	x.At(0, 3)
}

func TestLargeTensorIsShortened(t *testing.T) {
	x, err := NewTensor(make([]float32, 1_000_000), 1000, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if s := x.String(); len(s) > 2000 || strings.Count(s, "\n") > 20 {
		t.Errorf("a large tensor prints %d bytes", len(s))
	}
}
