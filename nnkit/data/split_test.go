package data

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestFolds(t *testing.T) {
	d := &Dataset{}
	for i := range 23 {
		d.X, d.Y = append(d.X, []float64{float64(i)}), append(d.Y, float64(min(i/10, 1)))
	}
	for name, deal := range map[string]func() ([]Fold[*Dataset], error){
		"KFold":           func() ([]Fold[*Dataset], error) { return KFold(d, 4, 1) },
		"StratifiedKFold": func() ([]Fold[*Dataset], error) { return StratifiedKFold(d, 4, 1) },
	} {
		folds := must(deal())(t)
		seen := map[float64]int{}
		for i, f := range folds {
			if n := f.Test.Len(); n != 5 && n != 6 || f.Train.Len()+n != 23 {
				t.Errorf("%s: fold %d has %d and %d rows", name, i, f.Train.Len(), n)
			}
			for _, row := range f.Test.X {
				seen[row[0]]++
				if slices.ContainsFunc(f.Train.X, func(other []float64) bool { return other[0] == row[0] }) {
					t.Errorf("%s: fold %d has row %v twice", name, i, row)
				}
			}
			if ones := sum(f.Test.Y); name == "StratifiedKFold" && (ones < 3 || ones > 4) {
				t.Errorf("%s: fold %d has %v of 13 rows of class 1", name, i, ones)
			}
		}
		if len(seen) != 23 || len(folds) != 4 {
			t.Errorf("%s: %d of 23 rows are tests of %d folds", name, len(seen), len(folds))
		}
		if fmt.Sprint(must(deal())(t)[2].Test.X) != fmt.Sprint(folds[2].Test.X) {
			t.Errorf("%s: the same seed deals differently", name)
		}
	}
	train, test, err := StratifiedSplit(d, 0.7, 1)
	if err != nil || sum(train.Y) != 9 || train.Len() != 16 || sum(test.Y) != 4 || test.Len() != 7 {
		t.Errorf("StratifiedSplit: %v of %d and %v of %d rows, %v", sum(train.Y), train.Len(), sum(test.Y), test.Len(), err)
	}
	if slices.IsSorted(train.Y) {
		t.Error("the classes of the training rows come one after the other")
	}
	rare := &Dataset{X: d.X[:3], Y: []float64{0, 0, 1}}
	checkFailures(t, []failure{
		{second(KFold(d, 1, 1)), "KFold: 1 folds of 23 rows"},
		{second(KFold(d, 24, 1)), "KFold: 24 folds of 23 rows"},
		{second(StratifiedKFold(rare, 2, 1)), "the class 1 has 1 of 3 rows"},
		{third(StratifiedSplit(rare, 0.5, 1)), "the class 1 has 1 of 3 rows"},
		{third(StratifiedSplit(d, 1, 1)), "the share 1 must be above 0 and below 1"},
		{third(StratifiedSplit(&Dataset{X: d.X[:1], Y: []float64{math.NaN()}}, 0.5, 1)), "the label of row 0 (counted from 0) is NaN"},
		{third(d.Split(2, 1)), "Split: the share 2 must be above 0 and below 1"},
		{third((&Dataset{}).Split(0.5, 1)), "leaves 0 and 0"},
	})
}
