package nnkit

import (
	"context"
	"errors"
)

// FitOption is an argument of [Model.Fit] behind the data. A [Callback] that embeds [BaseCallback] is one too.
type FitOption interface{ fitOption() }

type fitFunc func(*fitSettings)

func (fitFunc) fitOption() {}

// fitSettings is what the options have asked for; a pointer is nil where an option was not given.
type fitSettings struct {
	epochs     int
	batch      *int
	split      *float64
	valX, valY any
	valGiven   bool
	shuffle    bool
	seed       *int
	ctx        context.Context
	callbacks  []Callback
	verbose    *int
	err        error
	weightings weightings
	valWeights weightings
	shards     int   // 0 for none
	ranks      Ranks // nil for this process alone
}

// Epochs sets how often Fit goes through the training rows; 1 by default, as in Keras.
func Epochs(n int) FitOption { return fitFunc(func(s *fitSettings) { s.epochs = n }) }

// BatchSize sets after how many rows the weights are changed; 32 by default, or all rows when there are fewer. The last
// batch of an epoch holds what is left.
func BatchSize(rows int) FitOption { return fitFunc(func(s *fitSettings) { s.batch = &rows }) }

// FullBatch makes one batch of all training rows: gradient descent as it stands in textbooks.
func FullBatch() FitOption {
	return fitFunc(func(s *fitSettings) { all := fullBatch; s.batch = &all })
}

const fullBatch = -1

// ValidationSplit keeps a fraction of the rows, the last ones as in Keras, out of training and judges every epoch by
// them. They are taken before shuffling: shuffle sorted data before, with data.Split for example.
func ValidationSplit(fraction float64) FitOption {
	return fitFunc(func(s *fitSettings) { s.split = &fraction })
}

// ValidationData judges every epoch by rows of their own, given as x and y are given to Fit. [SampleWeight] and [ClassWeight]
// behind them weigh their loss. It excludes [ValidationSplit].
func ValidationData(x, y any, weights ...EvaluateOption) FitOption {
	return fitFunc(func(s *fitSettings) {
		s.valX, s.valY, s.valGiven = x, y, true
		for _, w := range weights {
			if w == nil {
				s.err = errors.New("ValidationData: a weight is nil")
				return
			}
			s.valWeights = append(s.valWeights, w.weights())
		}
	})
}

// Shuffle says whether the training rows get a new order in each epoch; true by default. The order depends on the seed
// and on the number of epochs the model has been trained before, on nothing else.
func Shuffle(on bool) FitOption { return fitFunc(func(s *fitSettings) { s.shuffle = on }) }

// DefaultSeed is the seed of a model that was given none.
const DefaultSeed = 0

// Seed sets the model's seed, [DefaultSeed] before. All that is random follows from it: the order of the rows, and the
// initial weights if they are not drawn yet. They are drawn by the first Fit, or with [Input] by whatever looks at them
// first; [Model.Reset] draws them anew.
func Seed(seed int) FitOption { return fitFunc(func(s *fitSettings) { s.seed = &seed }) }

// Context ends the training after the present batch when ctx is done. Fit then returns the history so far and an error
// that wraps ctx's cause.
func Context(ctx context.Context) FitOption { return fitFunc(func(s *fitSettings) { s.ctx = ctx }) }

// Callbacks adds callbacks, which are told of events in the order given.
func Callbacks(callbacks ...Callback) FitOption {
	return fitFunc(func(s *fitSettings) { s.callbacks = append(s.callbacks, callbacks...) })
}

// Verbose says how much Fit prints to standard output: 0 nothing, 1 a line for each epoch. The default is 1, or 0 when a
// [Progress] callback shows the training.
func Verbose(level int) FitOption { return fitFunc(func(s *fitSettings) { s.verbose = &level }) }
