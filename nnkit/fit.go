package nnkit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Fit trains the model: it goes through the rows of x in batches, compares the outputs with y and changes the weights by
// the optimizer's rule. The history holds loss and metrics of every completed epoch. x has a row for each example and y
// the truth for each row; [TensorOf] says which Go values they may be, and a plain vector as x is a column of one
// feature. What y must hold depends on the loss. For a model of several inputs or outputs see [Functional].
//
// Options are [Epochs], [BatchSize], [FullBatch], [ValidationSplit], [ValidationData], [ClassWeight], [SampleWeight],
// [Shuffle], [Seed], [Context], [Callbacks], [Verbose], [Shards], [Distribute], and every [Callback] that embeds [BaseCallback]. Unless a callback shows the progress, Fit
// prints a line for each epoch.
//
// Fit again goes on from the present weights, with what the optimizer remembers and the count of epochs: two times ten
// epochs are, to the bit, one time twenty.
//
// A training that ends early, because the context is done, the process got an interrupt (SIGINT, what a notebook's stop
// button sends), a callback failed or the loss is no longer a number, returns the history so far together with the
// error, and the weights stay as they are then. After an interrupt the error wraps [ErrInterrupted]. All that can be
// checked is checked before training starts; then the history is nil.
func (m *Model) Fit(x, y any, options ...FitOption) (*History, error) {
	if err := m.isCompiled("Fit"); err != nil {
		return nil, err
	}
	if !m.fitting.CompareAndSwap(false, true) {
		return nil, errors.New("Fit: the model is being trained already: wait for that Fit to return")
	}
	defer m.fitting.Store(false)

	s, err := readOptions(options)
	if err != nil {
		return nil, err
	}
	train, validation, err := m.prepare(x, y, s)
	if err != nil {
		return nil, err
	}
	if s.seed != nil {
		m.seed = *s.seed
	}
	m.draw()
	if m.step == nil {
		m.step = m.compiled.optimizer.start(len(m.weights))
	}
	if err := m.step.arrange(m.parameters); err != nil {
		return nil, fmt.Errorf("Fit: %w", err)
	}

	ctx, release := signal.NotifyContext(s.ctx, os.Interrupt)
	defer release()
	f := newFit(ctx, m, s, &train, &validation)
	if err = f.resume(); err == nil {
		err = f.share()
	}
	if err != nil {
		return nil, fmt.Errorf("Fit: %w", err)
	}
	defer f.sharding.close()
	defer m.forgetTurned()
	err = f.run()
	h := f.state.History
	h.Duration, h.stopped = f.state.Elapsed(), f.state.reason
	if err == nil {
		return h, nil
	}
	if f.interrupted || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		reason := ErrInterrupted
		if s.ctx.Err() != nil {
			reason = context.Cause(s.ctx)
		}
		err = fmt.Errorf("%w in epoch %d of %d: the weights and the history so far are kept, and Fit again goes on from them",
			reason, h.epochs+1, s.epochs)
	}
	return h, fmt.Errorf("Fit: %w", err)
}

// ErrInterrupted is wrapped by the error of a Fit that the process's interrupt signal has ended.
var ErrInterrupted = errors.New("interrupted")

func readOptions(options []FitOption) (*fitSettings, error) {
	s := &fitSettings{epochs: 1, shuffle: true, ctx: context.Background()}
	for i, o := range options {
		switch o := o.(type) {
		case nil:
			return nil, fmt.Errorf("Fit: option %d is nil", i+1)
		case fitFunc:
			o(s)
		case WeightOption:
			s.weightings = append(s.weightings, o.weighting)
		case Callback:
			s.callbacks = append(s.callbacks, o)
		default:
			return nil, fmt.Errorf("Fit: option %d is a %T, which embeds BaseCallback but is no Callback: give a pointer to it, "+
				"and check its methods' names and arguments", i+1, o)
		}
	}
	for i, c := range s.callbacks {
		if c == nil {
			return nil, fmt.Errorf("Fit: callback %d is nil", i+1)
		}
	}
	if s.err != nil {
		return nil, fmt.Errorf("Fit: %w", s.err)
	}
	if path := os.Getenv(runLogVariable); path != "" {
		s.callbacks = append(s.callbacks, RunLog(path))
	}
	if s.ctx == nil {
		return nil, errors.New("Fit: Context(nil): leave the option out, or give context.Background()")
	}
	if s.epochs < 1 {
		return nil, fmt.Errorf("Fit: Epochs(%d): it must be at least 1", s.epochs)
	}
	if s.batch != nil && *s.batch < 1 && *s.batch != fullBatch {
		return nil, fmt.Errorf("Fit: BatchSize(%d): it must be at least 1; for all rows write FullBatch()", *s.batch)
	}
	if s.split != nil && s.valGiven {
		return nil, errors.New("Fit: ValidationSplit and ValidationData are both given: choose one")
	}
	return s, nil
}

// fit is one call of Fit.
type fit struct {
	m          *Model
	s          *fitSettings
	train      *rows
	validation *rows
	trainer    *trainer
	order      []int32
	names      []string // of all scores; those of training come first
	own        int      // how many are of training
	state      Training
	print      bool
	crew       *crew
	sharding   *sharding // nil for steps that are not cut into shards
	// interrupted says that the ranks have agreed to end, since one was interrupted.
	interrupted bool
	wishes      []float64 // as they are sent
}

func newFit(ctx context.Context, m *Model, s *fitSettings, train, validation *rows) *fit {
	batch := min(32, train.n)
	if s.batch != nil {
		batch = *s.batch
		if batch == fullBatch {
			batch = train.n
		}
	}
	f := &fit{m: m, s: s, train: train, validation: validation, trainer: newTrainer(m, batch, train)}
	f.order = make([]int32, train.n)
	for i := range f.order {
		f.order[i] = int32(i)
	}
	f.names = scoreNames(m.targets)
	f.own = len(f.names)
	maximum := map[string]bool{}
	for i := range m.targets {
		for _, metric := range m.targets[i].metrics {
			name := m.targets[i].score(metric.String())
			maximum[name], maximum["val_"+name] = metric.larger(), metric.larger()
		}
	}
	if validation.n > 0 {
		for _, name := range f.names {
			f.names = append(f.names, "val_"+name)
		}
	}
	f.state = Training{
		Model:          m,
		History:        newHistory(m, f.names, maximum, m.seed),
		Epochs:         s.epochs,
		Batches:        (train.n + batch - 1) / batch,
		Rows:           train.n,
		ValidationRows: validation.n,
		Scores:         Scores{values: make([]float64, len(f.names))},
		BatchLoss:      math.NaN(),
		ctx:            ctx,
		started:        time.Now(),
		step:           m.step,
		batchSize:      batch,
	}
	f.print = true
	for _, c := range s.callbacks {
		if _, shows := c.(Progress); shows {
			f.print = false
		}
	}
	if s.verbose != nil {
		f.print = *s.verbose > 0
	}
	return f
}

func (f *fit) run() error {
	t := &f.state
	f.seeTraining()
	for _, c := range f.s.callbacks {
		c.TrainBegin(t)
	}
	err := f.agree()
	if err == nil {
		err = f.ended()
	}
	for t.Epoch < t.Epochs && err == nil && !t.stopped {
		t.Epoch++
		err = f.epoch()
	}
	f.m.step.average.show(f.m.weights)
	t.Fail(err)
	for _, c := range f.s.callbacks {
		c.TrainEnd(t)
	}
	return t.err
}

// seeTraining lets the scores show the training rows' numbers only.
func (f *fit) seeTraining() { f.state.Scores.names = f.names[:f.own] }

func (f *fit) epoch() error {
	t := &f.state
	began := time.Now()
	f.seeTraining()
	t.Batch = 0
	for _, c := range f.s.callbacks {
		c.EpochBegin(t)
	}
	f.m.step.average.hide(f.m.weights)
	if err := f.m.step.arrange(f.m.parameters); err != nil {
		return err
	}
	f.shuffle()
	f.trainer.grading.reset()
	for lo := 0; lo < f.train.n; lo += f.trainer.batch.n {
		t.Batch++
		for _, c := range f.s.callbacks {
			c.BatchBegin(t)
		}
		if err := f.batch(f.order[lo:min(lo+f.trainer.batch.n, f.train.n)]); err != nil {
			return err
		}
		for _, c := range f.s.callbacks {
			c.BatchEnd(t)
		}
		if err := f.agree(); err != nil {
			return err
		}
		if err := f.ended(); err != nil {
			return err
		}
		if t.stopped && t.Batch < t.Batches {
			return nil // the epoch is not complete
		}
	}
	if where := f.m.badWeights(); where != "" {
		return f.ranAway("a weight is no longer a number", where)
	}
	f.m.step.average.show(f.m.weights)
	if f.validation.n > 0 {
		t.Scores.names = f.names
		if err := f.validate(t.Scores.values[f.own:]); err != nil {
			return err
		}
	}
	f.m.epochs++
	t.History.add(&t.Scores, t.LearningRate())
	for _, c := range f.s.callbacks {
		c.EpochEnd(t)
	}
	if f.print {
		digits := len(fmt.Sprint(t.Epochs))
		took := ""
		if d := time.Since(began); d >= time.Second { // below, it would only make two runs' outputs differ
			took = fmt.Sprintf(" · %.1f s", d.Seconds())
		}
		fmt.Fprintf(os.Stdout, "epoch %*d/%d · %s%s\n", digits, t.Epoch, t.Epochs, t.Scores.String(), took)
	}
	if err := f.agree(); err != nil {
		return err
	}
	return f.sameWeights()
}

// shuffle puts the rows into the order of the present epoch.
func (f *fit) shuffle() {
	if f.s.shuffle {
		random.Stream{Seed: uint64(int64(f.m.seed)), Purpose: random.Shuffle, Index: uint32(f.m.epochs)}.Permutation(f.order)
	}
}

// batch takes one step. It does not allocate.
func (f *fit) batch(order []int32) error {
	t := &f.state
	loss, err := f.step(order)
	if err != nil {
		return err
	}
	t.BatchLoss = loss
	if math.IsNaN(t.BatchLoss) || math.IsInf(t.BatchLoss, 0) {
		f.trainer.gather(f.train, order, 0)
		return f.ranAway(fmt.Sprintf("the loss is no longer a number (%v)", t.BatchLoss), f.trainer.notFinite(len(order)))
	}
	if err := t.step.step(f.m, len(order)); err != nil {
		return err
	}
	f.trainer.grading.scores(t.Scores.values, t.Batch == t.Batches)
	return nil
}

// step takes a batch's rows forwards and backwards. It returns their mean loss, and leaves the gradients behind.
func (f *fit) step(order []int32) (float64, error) {
	if s := f.sharding; s != nil {
		lo, hi := s.rows(len(order))
		f.trainer.gather(f.train, order[lo:hi], lo)
		return s.step(&f.trainer.grading, len(order))
	}
	f.trainer.gather(f.train, order, 0)
	return f.trainer.step(len(order))
}

// validate judges the validation rows, and uses up the trainer's grading.
func (f *fit) validate(values []float64) error {
	t := f.trainer
	if s := f.sharding; s != nil {
		return s.evaluate(&t.quiet, f.validation, t.batch.n, &t.grading, values)
	}
	return t.quiet.evaluate(f.state.ctx, f.validation, t.batch.n, &t.grading, values)
}

// ranAway is the error of a training whose numbers are no longer finite.
func (f *fit) ranAway(what, where string) error {
	t := &f.state
	return fmt.Errorf("%s in epoch %d, batch %d: %s; use a smaller learning rate (it is %v), clip the gradients "+
		"(nnkit.GlobalClipNorm), or standardize the features", what, t.Epoch, t.Batch, where, t.LearningRate())
}
