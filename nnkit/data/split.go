package data

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Split deals rows and their truth at random into two parts, with the given share of the rows, between 0 and 1, in the
// first. The rows themselves are not copied. The same seed deals the same way.
//
//	xTrain, xTest, yTrain, yTest, err := data.Split(x, y, 0.8, 1)
//
// It is an error when x and y differ in length, and when a part would be empty.
func Split[X, Y any](x []X, y []Y, share float64, seed int) (xTrain, xTest []X, yTrain, yTest []Y, err error) {
	if len(x) != len(y) {
		return nil, nil, nil, nil, fmt.Errorf("Split: x has %d rows and y %d; they must agree", len(x), len(y))
	}
	first, second, err := deal(len(x), share, seed)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	return take(x, first), take(x, second), take(y, first), take(y, second), nil
}

func take[T any](all []T, rows []int) []T {
	taken := make([]T, len(rows))
	for i, from := range rows {
		taken[i] = all[from]
	}
	return taken
}

// deal deals the numbers 0 to n-1.
func deal(n int, share float64, seed int) (first, second []int, err error) {
	if err := checkShare("Split", share); err != nil {
		return nil, nil, err
	}
	at := portion(n, share)
	if at == 0 || at == n {
		return nil, nil, fmt.Errorf("Split: %v of %d rows leaves %d and %d: both parts need at least one", share, n, at, n-at)
	}
	order := shuffled(n, seed, splitPlain)
	return order[:at], order[at:], nil
}

func checkShare(caller string, share float64) error {
	if !(share > 0 && share < 1) {
		return fmt.Errorf("%s: the share %v must be above 0 and below 1: 0.8 keeps four fifths of the rows for training", caller, share)
	}
	return nil
}

// portion is a little more than the share, so that 0.7 of 10 rows are 7.
func portion(n int, share float64) int { return int(math.Floor(float64(n)*share + 1e-9)) }

// Ways of dealing, which have streams of their own. Those of classes follow them.
const (
	splitPlain = iota
	splitFolds
	splitClasses
)

// shuffled returns 0 to n-1 in random order.
func shuffled(n, seed, way int) []int {
	order := make([]int32, n)
	random.Stream{Seed: uint64(int64(seed)), Purpose: random.Split, Index: uint32(way)}.Permutation(order)
	rows := make([]int, n)
	for i, v := range order {
		rows[i] = int(v)
	}
	return rows
}

// Rows are examples that can be dealt: a [*Dataset], [*Examples], or a type of one's own.
type Rows[T any] interface {
	Len() int
	Labels() []float64 // the truth of each row
	Take(rows []int) T // the rows of these numbers
}

func splitRows[T Rows[T]](d T, share float64, seed int) (train, test T, err error) {
	first, second, err := deal(d.Len(), share, seed)
	if err != nil {
		return train, test, err
	}
	return d.Take(first), d.Take(second), nil
}

// StratifiedSplit deals as Split does, each class by itself, so that both parts have the same mixture of classes. It is
// meant for rare classes, which a plain split may leave out.
//
//	train, test, err := data.StratifiedSplit(flowers, 0.8, 1)
//
// It is an error when a label is NaN, and when a class has so few rows that one part would have none.
func StratifiedSplit[T Rows[T]](d T, share float64, seed int) (train, test T, err error) {
	if err := checkShare("StratifiedSplit", share); err != nil {
		return train, test, err
	}
	classes, err := rowsByClass("StratifiedSplit", d.Labels(), 2)
	if err != nil {
		return train, test, err
	}
	var first, second []int
	for i, rows := range classes {
		at := min(max(1, portion(len(rows), share)), len(rows)-1)
		rows = take(rows, shuffled(len(rows), seed, splitClasses+i))
		first, second = append(first, rows[:at]...), append(second, rows[at:]...)
	}
	// The classes come one after the other; training wants them mixed.
	first, second = take(first, shuffled(len(first), seed, splitPlain)), take(second, shuffled(len(second), seed, splitFolds))
	return d.Take(first), d.Take(second), nil
}

// rowsByClass returns the rows of each label, in the order in which the labels first appear.
func rowsByClass(caller string, labels []float64, least int) ([][]int, error) {
	place := map[float64]int{}
	var classes [][]int
	for i, label := range labels {
		if math.IsNaN(label) {
			return nil, fmt.Errorf("%s: the label of row %d (counted from 0) is NaN: leave the row out", caller, i)
		}
		at, seen := place[label]
		if !seen {
			at = len(classes)
			place[label] = at
			classes = append(classes, nil)
		}
		classes[at] = append(classes[at], i)
	}
	if len(classes) == 0 {
		return nil, fmt.Errorf("%s: there are no labels to deal by", caller)
	}
	for _, rows := range classes {
		if len(rows) < least {
			return nil, fmt.Errorf("%s: the class %v has %d of %d rows, and each part needs one (%d parts): deal without classes, or "+
				"leave the class out", caller, labels[rows[0]], len(rows), len(labels), least)
		}
	}
	return classes, nil
}
