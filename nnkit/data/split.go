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
	if !(share > 0 && share < 1) {
		return nil, nil, nil, nil, fmt.Errorf("Split: the share %v must be above 0 and below 1: 0.8 keeps four fifths of the rows "+
			"for training", share)
	}
	at := int(math.Floor(float64(len(x))*share + 1e-9)) // a little more, so that 0.7 of 10 rows are 7
	if at == 0 || at == len(x) {
		return nil, nil, nil, nil, fmt.Errorf("Split: %v of %d rows leaves %d and %d: both parts need at least one",
			share, len(x), at, len(x)-at)
	}
	order := make([]int32, len(x))
	random.Stream{Seed: uint64(int64(seed)), Purpose: random.Split}.Permutation(order)
	for i, from := range order {
		if i < at {
			xTrain, yTrain = append(xTrain, x[from]), append(yTrain, y[from])
		} else {
			xTest, yTest = append(xTest, x[from]), append(yTest, y[from])
		}
	}
	return xTrain, xTest, yTrain, yTest, nil
}
