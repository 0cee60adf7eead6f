package data

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func ExampleNew() {
	houses, err := New(mat.NewDense(2, 2, []float64{80, 3, 120, 5}), []int{200, 340}, "area", "rooms")
	fmt.Println(houses, err)
	// Output:
	// Dataset: 2 rows, 2 features
	//   area  rooms  target
	//     80      3     200
	//    120      5     340 <nil>
}

func ExampleCollect() {
	squares := func(yield func([]float64, float64) bool) {
		for i := range 3 {
			x := float64(i)
			if !yield([]float64{x}, x*x) {
				return
			}
		}
	}
	d, err := Collect(squares, "x")
	fmt.Println(d.X, d.Y, err)
	// Output: [[0] [1] [2]] [0 1 4] <nil>
}

func TestNew(t *testing.T) {
	big := 1<<24 + 1.0 // which a float32 does not have
	for name, x := range map[string]any{
		"slices": [][]float64{{big}, {math.NaN()}},
		"gonum":  mat.NewVecDense(2, []float64{big, math.NaN()}),
	} {
		d := must(New(x, []float64{1, 2}))(t)
		if d.X[0][0] != big || !math.IsNaN(d.X[1][0]) || !slices.Equal(d.Y, []float64{1, 2}) {
			t.Errorf("%s: %v %v", name, d.X, d.Y)
		}
	}
	if d := must(New([]int{5, 6}, []bool{true, false}))(t); fmt.Sprint(d.X, d.Y) != "[[5] [6]] [1 0]" {
		t.Errorf("%v %v", d.X, d.Y)
	}
	e := must(NewExamples([][][]float64{{{1, 2}}, {{3, 4}}}, []int{0, 1}, "a", "b"))(t)
	if e.Class(1) != "b" || e.String() != "Examples: 2 rows of 1×2, 2 classes: a, b" {
		t.Errorf("%v", e)
	}
	var ragged iter.Seq2[[]float64, float64] = func(yield func([]float64, float64) bool) {
		_ = yield([]float64{1}, 1) && yield([]float64{1, 2}, 1)
	}
	checkFailures(t, []failure{
		{second(New([][]float64{{1}}, []float64{1, 2})), "New: x has 1 rows and y 2"},
		{second(New([][]float64{}, []float64{})), "x is empty"},
		{second(New([][]float64{{1}, {1, 2}}, []float64{1, 2})), "row 1 has 2 numbers and row 0 has 1"},
		{second(New([][]float64{{1}}, []float64{1}, "a", "b")), "there are 2 names for 1 columns"},
		{second(New("x", []float64{1})), "New: x: TensorOf: the data is a string"},
		{second(New([][]float64{{1}}, [][]float64{{1, 2}})), "y has 2 numbers a row"},
		{second(New([][][]float64{{{1}}}, []float64{1})), "x has the shape [1 1 1], and a table has two dimensions"},
		{second(Collect(ragged)), "Collect: row 1 has 2 numbers"},
		{second(NewExamples([]int{1}, []int{1, 2})), "NewExamples: x has 1 rows and y 2"},
	})
}
