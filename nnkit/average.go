package nnkit

import (
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// averaging says whether weights are averaged.
type averaging struct {
	on       bool
	momentum float64
}

// AverageOption is the result of [MovingAverage].
type AverageOption struct {
	forOptimizers
	momentum float64
}

// MovingAverage keeps an exponential moving average of the weights beside them: average = momentum·average +
// (1-momentum)·weights after each step, the first being the weights themselves. Keras calls it use_ema and has a momentum of
// 0.99. Training goes on with the weights; the validation and the callbacks at an epoch's end see the averages, and Fit
// leaves them in the model. The next Fit goes on from the weights as they were, unless somebody has changed what Fit left.
// B. T. Polyak and A. B. Juditsky, Acceleration of stochastic approximation by averaging, 1992.
func MovingAverage(momentum float64) AverageOption { return AverageOption{momentum: momentum} }

func (o AverageOption) setOptimizer(s *optimizer) { s.average = averaging{true, o.momentum} }

// movingAverage is a moving average of weights.
type movingAverage struct {
	averaging
	mean  []float32 // nil before the first step
	other []float32 // the weights, while the averages are in their place
	shown bool
}

// add takes in the weights after a step.
func (a *movingAverage) add(w []float32) {
	switch {
	case !a.on:
	case a.mean == nil:
		a.mean, a.other = slices.Clone(w), make([]float32, len(w))
	default:
		simd.Average(a.mean, w, float32(1-a.momentum))
	}
}

// show puts the averages in the place of the weights.
func (a *movingAverage) show(w []float32) {
	if a.mean != nil && !a.shown {
		copy(a.other, w)
		copy(w, a.mean)
		a.shown = true
	}
}

// hide puts the weights back, unless somebody has changed what stands in their place: that is trained on then, and the
// average begins anew.
func (a *movingAverage) hide(w []float32) {
	if !a.shown {
		return
	}
	a.shown = false
	if slices.Equal(w, a.mean) {
		copy(w, a.other)
		return
	}
	a.mean = nil
}
