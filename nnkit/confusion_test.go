package nnkit

import (
	"fmt"
	"strings"
	"testing"
)

func TestConfusionMatrix(t *testing.T) {
	outputs := [][]float64{{0.7, 0.2, 0.1}, {0.1, 0.8, 0.1}, {0.1, 0.5, 0.4}, {0.2, 0.3, 0.5}}
	truth := []int{0, 1, 2, 2}
	byOutput := must(ConfusionMatrix(outputs, truth))(t)
	for name, c := range map[string]*Confusion{
		"one-hot rows":  must(ConfusionMatrix(outputs, oneHot([]float64{0, 1, 2, 2}, 3)))(t),
		"class numbers": must(ConfusionMatrix([]int{0, 1, 1, 2}, truth))(t),
		"columns":       must(ConfusionMatrix([][]int{{0}, {1}, {1}, {2}}, [][]int{{0}, {1}, {2}, {2}}))(t),
	} {
		if c.String() != byOutput.String() {
			t.Errorf("%s give\n%v\nwant\n%v", name, c, byOutput)
		}
	}
	c := byOutput
	if c.Classes() != 3 || c.Total() != 4 || c.Accuracy() != 0.75 || c.Support(2) != 2 || c.Precision(1) != 0.5 || c.Recall(2) != 0.5 ||
		c.F1(1) != 2.0/3 || c.Count(2, 1) != 1 || c.Counts()[2][2] != 1 || c.Names()[2] != "2" {
		t.Errorf("the matrix is\n%v", c)
	}
	if c.Count(3, 0) != 0 || c.Recall(-1) != 0 {
		t.Error("a class that there is not has counts")
	}
	answers := must(ConfusionMatrix([]float64{0.2, 0.9, 0.6}, []int{0, 1, 0}, "well", "<ill>"))(t)
	if answers.Count(0, 1) != 1 || answers.Accuracy() != 2.0/3 || !strings.Contains(answers.HTML(), "<th>&lt;ill&gt;</th>") {
		t.Errorf("the matrix is\n%v\n%s", answers, answers.HTML())
	}
	one := must(ConfusionMatrix([]float64{0.2, 0.3}, []int{0, 0}))(t)
	if one.Classes() != 2 || one.Recall(1) != 0 || one.Precision(1) != 0 {
		t.Errorf("the matrix of one class is\n%v", one)
	}
	many := make([]int, 100)
	for i := range many {
		many[i] = i
	}
	if s := must(ConfusionMatrix(many, many))(t).String(); !strings.Contains(s, "the first 24 of 100 classes are shown") {
		t.Errorf("the matrix of many classes is\n%v", s)
	}
	steps := [][][]float64{{{0.9, 0.1}, {0.2, 0.8}, {0.6, 0.4}}, {{0, 1}, {0, 1}, {0, 1}}}
	sequences := must(ConfusionMatrix(steps, [][]int{{0, 1, 1}, {1, 1, 0}}))(t)
	if sequences.Count(1, 1) != 3 || sequences.Count(1, 0) != 1 || sequences.Count(0, 1) != 1 || sequences.Total() != 6 {
		t.Errorf("the matrix of sequences is\n%v", sequences)
	}
	var none *Confusion
	if none.String() != "<nil>" || none.HTML() != "&lt;nil&gt;" {
		t.Error("nil is not shown as nil")
	}
}

func TestConfusionMatrixErrors(t *testing.T) {
	outputs := [][]float64{{0.7, 0.3}, {0.1, 0.9}}
	try := func(p, y any, names ...string) error {
		c, err := ConfusionMatrix(p, y, names...)
		if (c == nil) != (err != nil) {
			t.Errorf("the matrix is %v and the error %v", c, err)
		}
		return err
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{try(nil, []int{0}), "ConfusionMatrix: predictions is nil"},
		{try([]int{}, []int{0}), "ConfusionMatrix: predictions is empty"},
		{try(outputs, []int{0, 1, 1}), "ConfusionMatrix: predictions have the shape (2, 2) and the truth (3): it must be (2) for class numbers, or the same for one-hot rows"},
		{try(outputs, []int{0, 2}), "ConfusionMatrix: truth holds class 2, but predictions have the classes 0 to 1"},
		{try(outputs, []float64{0, 0.5}), "ConfusionMatrix: truth: 0.5 at row 1 is neither a class number (a whole number from 0 on) nor a probability"},
		{try(outputs, []int{0, -1}), "ConfusionMatrix: truth: -1 at row 1"},
		{try([]float64{1.5, 0}, []int{0, 1}), "ConfusionMatrix: predictions: 1.5 at row 0"},
		{try([]int{1, 1_000_000}, []int{0, 1}), "ConfusionMatrix: class numbers go up to 1000000: at most 4096 classes are compared"},
		{try(outputs, []int{0, 1}, "a"), "ConfusionMatrix: 1 name given for 2 classes: give one for each"},
	} {
		expectError(t, test.err, test.want)
	}
}

func ExampleConfusion_Recall() {
	matrix, err := ConfusionMatrix([]float64{0.9, 0.2, 0.7, 0.4}, []int{1, 0, 0, 1})
	fmt.Println(matrix.Recall(1), matrix.Precision(1), matrix.Accuracy(), err)
	// Output: 0.5 0.5 0.5 <nil>
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ExampleConfusionMatrix() {
	predictions := []int{0, 0, 1, 2, 2, 1}
	truth := []int{0, 0, 1, 1, 2, 2}
	matrix, err := ConfusionMatrix(predictions, truth, "setosa", "versicolor", "virginica")
	fmt.Println(err)
	fmt.Println(matrix)
	// Output:
	// <nil>
	// true \ predicted  setosa  versicolor  virginica  recall
	// setosa                 2           0          0   1.000
	// versicolor             0           1          1   0.500
	// virginica              0           1          1   0.500
	// precision          1.000       0.500      0.500
	// accuracy 0.6667 of 6
}
