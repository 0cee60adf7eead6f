package data

import "fmt"

// Fold is one way of dealing the rows of a cross-validation: Test has its share of the rows, Train all others.
type Fold[T any] struct{ Train, Test T }

// KFold deals the rows at random into k parts of nearly the same size, each of which is the test of one fold: k models,
// each trained on the others' rows, are judged by all rows.
//
//	folds, err := data.KFold(patients, 5, 1)
//	for i, fold := range folds { … fold.Train.X, fold.Test.X … }
//
// The rows are not copied where T's Take does not. It is an error when k is below 2 or above the number of rows.
func KFold[T Rows[T]](d T, k, seed int) ([]Fold[T], error) {
	if err := checkFolds("KFold", d.Len(), k); err != nil {
		return nil, err
	}
	part := make([]int, d.Len())
	for i, row := range shuffled(d.Len(), seed, splitFolds) {
		part[row] = i % k
	}
	return folds(d, part, k), nil
}

// StratifiedKFold deals as [KFold] does, each class by itself, so that all folds have the same mixture of classes. A
// class of fewer than k rows is an error.
func StratifiedKFold[T Rows[T]](d T, k, seed int) ([]Fold[T], error) {
	if err := checkFolds("StratifiedKFold", d.Len(), k); err != nil {
		return nil, err
	}
	classes, err := rowsByClass("StratifiedKFold", d.Labels(), k)
	if err != nil {
		return nil, err
	}
	part := make([]int, d.Len())
	next := 0 // what is left over by one class goes to other parts than that of the last one
	for c, rows := range classes {
		for _, i := range shuffled(len(rows), seed, splitClasses+c) {
			part[rows[i]] = next % k
			next++
		}
	}
	return folds(d, part, k), nil
}

func checkFolds(caller string, n, k int) error {
	if k < 2 || k > n {
		return fmt.Errorf("%s: %d folds of %d rows: there must be at least 2 and at most as many as rows", caller, k, n)
	}
	return nil
}

// folds takes part i of the rows as the test of fold i.
func folds[T Rows[T]](d T, part []int, k int) []Fold[T] {
	all := make([]Fold[T], k)
	for i := range all {
		var train, test []int
		for row, p := range part {
			if p == i {
				test = append(test, row)
			} else {
				train = append(train, row)
			}
		}
		all[i] = Fold[T]{d.Take(train), d.Take(test)}
	}
	return all
}
