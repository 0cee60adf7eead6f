package gonum

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"

	"github.com/seed5607215b/nnkit/nnkit"
)

func tensor(t *testing.T, n int, shape ...int) *nnkit.Tensor {
	t.Helper()
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i) + 0.5
	}
	x, err := nnkit.NewTensor(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// There and back nothing changes, and what is said to be a view is one.
func TestRoundTrip(t *testing.T) {
	x := tensor(t, 6, 2, 3)
	d, err := Dense(x)
	if err != nil {
		t.Fatal(err)
	}
	if d.At(1, 2) != 5.5 || d.At(0, 1) != 1.5 {
		t.Errorf("the matrix is %v", mat.Formatted(d))
	}
	back, err := nnkit.TensorOf(d)
	if err != nil || !slices.Equal(back.Data(), x.Data()) || !slices.Equal(back.Shape(), x.Shape()) {
		t.Errorf("back it is %v (%v)", back, err)
	}
	g, err := General(x)
	if err != nil {
		t.Fatal(err)
	}
	g.Data[4] = 9
	if x.At(1, 1) != 9 {
		t.Error("General has copied")
	}
	y, err := Tensor(g)
	if err != nil {
		t.Fatal(err)
	}
	y.Data()[0] = 7
	if x.At(0, 0) != 7 {
		t.Error("Tensor has copied")
	}
	v, err := General(tensor(t, 4, 4))
	if err != nil || v.Rows != 4 || v.Cols != 1 {
		t.Errorf("a vector became %v (%v)", v, err)
	}
	// A part of a wider matrix is copied, by Tensor and by TensorOf.
	part := blas32.General{Rows: 2, Cols: 2, Stride: 3, Data: []float32{1, 2, 3, 4, 5}}
	for _, convert := range []func() (*nnkit.Tensor, error){
		func() (*nnkit.Tensor, error) { return Tensor(part) },
		func() (*nnkit.Tensor, error) { return nnkit.TensorOf(part) },
	} {
		p, err := convert()
		if err != nil || !slices.Equal(p.Data(), []float32{1, 2, 4, 5}) {
			t.Errorf("the part is %v (%v)", p, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		run  func() error
		want string
	}{
		{func() error { _, err := Dense(tensor(t, 8, 2, 2, 2)); return err }, "gonum: the tensor has the shape [2 2 2], and a matrix has two dimensions: Reshape it first"},
		{func() error { _, err := Dense(tensor(t, 0, 0, 3)); return err }, "gonum.Dense: the tensor has the shape [0 3] and no numbers"},
		{func() error {
			_, err := Tensor(blas32.General{Rows: 2, Cols: 2, Stride: 2, Data: make([]float32, 3)})
			return err
		}, "gonum.Tensor: the matrix has 2×2 numbers in rows 2 apart, but 3 numbers of data"},
		{func() error {
			_, err := nnkit.TensorOf(blas32.General{Rows: 2, Cols: 2, Stride: 2, Data: make([]float32, 3)})
			return err
		}, "TensorOf: the data is a blas32.General, which holds no rows of numbers"},
	} {
		if err := test.run(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", err, test.want)
		}
	}
}

// gonum's float32 product, on views of tensors, is the tensors' own up to rounding.
func ExampleGeneral() {
	a, _ := nnkit.TensorOf([][]float64{{1, 2}, {3, 4}})
	b, _ := nnkit.TensorOf([][]float64{{5}, {6}})
	c, _ := nnkit.NewTensor(make([]float32, 2), 2, 1)
	ga, _ := General(a)
	gb, _ := General(b)
	gc, _ := General(c)
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, ga, gb, 0, gc)
	fmt.Println(c.Data(), math.Abs(float64(c.At(0, 0)-a.MatMul(b).At(0, 0))) < 1e-6)
	// Output: [17 39] true
}
