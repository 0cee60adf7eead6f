package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func ExampleMinMax() {
	scale, err := MinMax([][]float64{{1, 100}, {3, 300}})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := scale.Apply([][]float64{{1, 100}, {2, 200}, {5, 300}})
	fmt.Println(x, err)
	// Output: [[0 0] [0.5 0.5] [2 1]] <nil>
}

func ExampleImpute() {
	nan := math.NaN()
	x := [][]float64{{1, 7}, {nan, 7}, {2, nan}, {9, 8}}
	for _, strategy := range []Strategy{Mean, Median, MostFrequent} {
		fill, err := Impute(x, strategy)
		if err != nil {
			fmt.Println(err)
			return
		}
		row, err := fill.ApplyRow([]float64{nan, 5})
		fmt.Println(fill.Values, row, err)
	}
	// Output:
	// [4 7.333333333333333] [4 5] <nil>
	// [2 7] [2 5] <nil>
	// [1 7] [1 5] <nil>
}

func ExampleOneHot() {
	x, err := OneHot([]int{2, 0}, 3)
	fmt.Println(x, err)
	// Output:
	// Tensor (2, 3)
	//   0  0  1
	//   1  0  0 <nil>
}

func ExampleNormalize() {
	norm, err := Normalize([][]float64{{1, 10}, {3, 30}})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := norm.Apply([][]float64{{1, 10}, {2, 40}})
	fmt.Println(x, err)
	// Output:
	// Tensor (2, 2)
	//   -1  -1
	//    0   2 <nil>
}

func TestTransformErrors(t *testing.T) {
	nan := math.NaN()
	x := [][]float64{{1, 2}, {3, 4}}
	scale := must(MinMax(x))(t)
	fill := must(Impute(x, Mean))(t)
	hot := OneHotFeatures([]Feature{{Name: "port", Classes: []string{"C", "S"}}, {Name: "age"}})
	if row := must(hot.ApplyRow([]float64{nan, 3}))(t); !slices.Equal(row, []float64{0, 0, 3}) {
		t.Errorf("a missing category is %v", row)
	}
	norm := must(Normalize(x))(t)
	checkFailures(t, []failure{
		{second(MinMax(nil)), "MinMax: there are no numbers to measure"},
		{second(MinMax([][]float64{{1, nan}})), "MinMax: row 0, column 1 (both counted from 0) is NaN"},
		{second(Impute([][]float64{{1, nan}}, Mean)), "column 1 (counted from 0) has no value in any of 1 rows"},
		{second(Impute([][]float64{{math.Inf(1)}}, Mean)), "is +Inf"},
		{second(Impute(x, 7)), "there is no strategy 7"},
		{second(scale.Apply([][]float64{{1}})), "row 0 has 1 numbers, but the rows that were measured have 2"},
		{second(scale.ApplyRow([]float64{1})), "the row has 1 numbers"},
		{second(fill.Apply([][]float64{{1}})), "row 0 has 1 numbers"},
		{second(hot.Apply([][]float64{{1, 2}, {2, 2}})), `row 1, column "port" is 2, but its 2 categories are numbered 0 to 1`},
		{second(hot.ApplyRow([]float64{0.5, 2})), `column "port" is 0.5`},
		{second(OneHot([]int{0, 3}, 3)), "label 1 (counted from 0) is 3, but 3 classes are numbered 0 to 2"},
		{second(OneHot([]float64{0.5}, 3)), "label 0 (counted from 0) is 0.5"},
		{second(OneHot(x, 3)), "the labels have the shape [2 2]"},
		{second(OneHot([]int{0}, 0)), "there must be at least one"},
		{second(Normalize([]int{1})), "must have rows of channels"},
		{second(norm.Apply([][]float64{{1}})), "had 2 channels"},
	})
	// A table that nobody has described can be shown, and transformed.
	d := must((&Dataset{Name: "bare", X: x, Y: []float64{0, 1}}).Apply(scale))(t)
	if !strings.Contains(d.String(), "bare: 2 rows, 2 features") {
		t.Errorf("%v", d)
	}
}
