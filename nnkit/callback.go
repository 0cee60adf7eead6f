package nnkit

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Callback is told of the events of a [Model.Fit], each in the goroutine of Fit, which waits until it returns. Embed
// [BaseCallback] and write only the events you need; the callback is then itself an option of Fit:
//
//	type patience struct {
//		nnkit.BaseCallback
//		best float64
//	}
//
//	func (p *patience) EpochEnd(t *nnkit.Training) {
//		loss := t.Scores.Value("val_loss")
//		if t.Epoch > 1 && loss > p.best {
//			t.Stop("val_loss rises again")
//		}
//		p.best = loss
//	}
//
//	history, err := model.Fit(x, y, nnkit.ValidationSplit(0.2), &patience{})
//
// TrainEnd is also called when Fit ends early: by Stop, by Fail, by an interrupt or by a loss that is no longer a number.
type Callback interface {
	TrainBegin(t *Training)
	EpochBegin(t *Training)
	BatchBegin(t *Training)
	BatchEnd(t *Training)
	EpochEnd(t *Training)
	TrainEnd(t *Training)
}

// BaseCallback ignores every event. It is made to be embedded in a [Callback], which it makes a [FitOption].
type BaseCallback struct{}

// TrainBegin is called once, when the data is checked and before the first batch.
func (BaseCallback) TrainBegin(*Training) {}

// EpochBegin is called before an epoch's first batch.
func (BaseCallback) EpochBegin(*Training) {}

// BatchBegin is called before a batch goes through the network.
func (BaseCallback) BatchBegin(*Training) {}

// BatchEnd is called after a batch's optimizer step.
func (BaseCallback) BatchEnd(*Training) {}

// EpochEnd is called when an epoch is complete, its validation scores are known and History holds it.
func (BaseCallback) EpochEnd(*Training) {}

// TrainEnd is called once, last.
func (BaseCallback) TrainEnd(*Training) {}

func (BaseCallback) fitOption() {}

// Progress is a [Callback] that shows the training by itself, as a live curve does. With one among its callbacks Fit
// prints no lines of its own, unless [Verbose] asks for them.
type Progress interface {
	Callback
	ShowsProgress()
}

// OnEpochEnd calls a function at the end of every epoch: a [Callback] in one line.
//
//	model.Fit(x, y, nnkit.OnEpochEnd(func(t *nnkit.Training) { fmt.Println(t.Epoch, t.Scores) }))
func OnEpochEnd(f func(t *Training)) FitOption { return &funcCallback{epochEnd: f} }

// OnBatchEnd calls a function at the end of every batch.
func OnBatchEnd(f func(t *Training)) FitOption { return &funcCallback{batchEnd: f} }

type funcCallback struct {
	BaseCallback
	epochEnd, batchEnd func(*Training)
}

func (c *funcCallback) EpochEnd(t *Training) {
	if c.epochEnd != nil {
		c.epochEnd(t)
	}
}

func (c *funcCallback) BatchEnd(t *Training) {
	if c.batchEnd != nil {
		c.batchEnd(t)
	}
}

// Training is a running [Model.Fit] as its callbacks see it. One value lives through the whole of it and its fields
// move on: copy what is to be kept.
type Training struct {
	Model   *Model
	History *History // the epochs completed so far in this Fit

	Epoch, Epochs  int // the present epoch, counted from 1, and how many were asked for
	Batch, Batches int // the present batch in its epoch, counted from 1, and how many an epoch has

	Rows           int // rows trained on
	ValidationRows int // rows validated on, 0 for none

	// Scores are exact means over the rows seen in this epoch so far; from EpochEnd on they include the "val_" names.
	Scores Scores

	// BatchLoss is the mean loss of the batch that has just ended, before its optimizer step.
	BatchLoss float64

	ctx       context.Context
	started   time.Time
	step      *stepper
	batchSize int
	stopped   bool
	reason    string
	err       error
	rank      int
}

// Rank returns which of several processes this one is that train together (see [Distribute]): 0 for the one that prints, draws and
// saves, and where there is one.
func (t *Training) Rank() int { return t.rank }

// Err returns what has made the training fail, for TrainEnd: what Fit will return, nil for nothing.
func (t *Training) Err() error { return t.err }

// Stop ends the training after the present batch. Fit then returns no error, and [History.Stopped] the reason.
func (t *Training) Stop(reason string) {
	if !t.stopped {
		t.stopped, t.reason = true, reason
	}
}

// Fail ends the training after the present batch with an error, which Fit returns beside the history so far.
func (t *Training) Fail(err error) {
	if err != nil && t.err == nil {
		t.err = err
	}
}

// Elapsed returns the time since training began.
func (t *Training) Elapsed() time.Duration { return time.Since(t.started) }

// Context returns the context of this Fit; it is done when Fit was cancelled or interrupted.
func (t *Training) Context() context.Context { return t.ctx }

// LearningRate returns the optimizer's learning rate: of the last batch, or as it was set since.
func (t *Training) LearningRate() float64 { return t.step.rate }

// SetLearningRate changes the optimizer's learning rate from the next batch on; it stays for later calls of Fit. A rate
// that is not above zero ends the training with an error, and so does one where the rate follows a [Schedule].
func (t *Training) SetLearningRate(rate float64) {
	if !(rate > 0) || math.IsInf(rate, 1) {
		t.Fail(fmt.Errorf("SetLearningRate: the learning rate %v must be a number above 0", rate))
		return
	}
	if !t.step.schedule.constant() {
		t.Fail(fmt.Errorf("SetLearningRate: the learning rate follows %s: give the optimizer a number, or leave the rate to the schedule", t.step.schedule))
		return
	}
	t.step.rate = rate
}
