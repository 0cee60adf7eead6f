package nnkit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Fit trains the model: it goes through the rows of x in batches, compares the outputs with y and changes the weights by
// the optimizer's rule. The history holds loss and metrics of every completed epoch. x has a row for each example and y
// the truth for each row; [TensorOf] says which Go values they may be, and a plain vector as x is a column of one
// feature. What y must hold depends on the loss.
//
// Options are [Epochs], [BatchSize], [FullBatch], [ValidationSplit], [ValidationData], [ClassWeight], [SampleWeight],
// [Shuffle], [Seed], [Context], [Callbacks], [Verbose], and every [Callback] that embeds [BaseCallback]. Unless a callback shows the progress, Fit
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
	if err := m.compiled("Fit"); err != nil {
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
		m.step = m.optimizer.start(len(m.weights))
	}
	if err := m.step.arrange(m.parameters); err != nil {
		return nil, fmt.Errorf("Fit: %w", err)
	}

	ctx, release := signal.NotifyContext(s.ctx, os.Interrupt)
	defer release()
	f := newFit(ctx, m, s, train, validation)
	if err = f.resume(); err != nil {
		return nil, fmt.Errorf("Fit: %w", err)
	}
	err = f.run()
	h := f.state.History
	h.Duration, h.stopped = f.state.Elapsed(), f.state.reason
	if err == nil {
		return h, nil
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
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
			o.set(&s.weighting)
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

// rows are examples with their truth, or without.
type rows struct {
	n, width, truth int
	truthShape      []int // of one row's
	x, y            []float32
	weights         []float32 // of the places in the loss; nil for 1
	weighted        int       // places of a row that have a weight
}

func (r rows) slice(lo, hi int) rows {
	r.n, r.x, r.y = hi-lo, r.x[lo*r.width:hi*r.width], r.y[lo*r.truth:hi*r.truth]
	if r.weights != nil {
		r.weights = r.weights[lo*r.weighted : hi*r.weighted]
	}
	return r
}

// prepare converts and checks all data.
func (m *Model) prepare(x, y any, s *fitSettings) (train, validation rows, err error) {
	if train, err = m.convert("Fit", "x", "y", x, y); err != nil {
		return train, validation, err
	}
	if err := m.weigh("Fit", &train, s.weighting.ofSamples()); err != nil {
		return train, validation, err
	}
	all := train.n
	switch {
	case s.valGiven:
		if validation, err = m.convert("Fit", "ValidationData's x", "ValidationData's y", s.valX, s.valY); err != nil {
			return train, validation, err
		}
	case s.split != nil && *s.split != 0:
		if !(*s.split > 0 && *s.split < 1) {
			return train, validation, fmt.Errorf("Fit: ValidationSplit(%v): it must be at least 0 and below 1, 0.2 for a fifth "+
				"of the rows", *s.split)
		}
		// A little more, so that 0.9 of 10 rows are 9: 1-0.9 is less than 0.1.
		at := int(math.Floor(float64(all)*(1-*s.split) + 1e-9))
		if at == 0 || at == all {
			return train, validation, fmt.Errorf("Fit: ValidationSplit(%v) of %d %s leaves %d to train on and %d to validate by: "+
				"both need at least one", *s.split, all, plural(all, "row"), at, all-at)
		}
		train, validation = train.slice(0, at), train.slice(at, all)
	}
	if err := m.weigh("Fit", &train, s.weighting.ofClasses()); err != nil {
		return train, validation, err
	}
	if s.batch != nil && *s.batch > train.n {
		return train, validation, fmt.Errorf("Fit: BatchSize(%d) is more than the %d training %s: write FullBatch(), or a smaller "+
			"number", *s.batch, train.n, plural(train.n, "row"))
	}
	return train, validation, nil
}

// convert turns x and y into rows that fit the model.
func (m *Model) convert(caller, xName, yName string, x, y any) (rows, error) {
	xt, err := tensorOf(caller, xName, x)
	if err != nil {
		return rows{}, err
	}
	yt, err := tensorOf(caller, yName, y)
	if err != nil {
		return rows{}, err
	}
	n, width := xt.rows()
	ny, truth := yt.rows()
	if n != ny {
		return rows{}, fmt.Errorf("%s: %s has %d %s and %s %d; they must agree", caller, xName, n, plural(n, "row"), yName, ny)
	}
	if len(xt.shape) == 1 {
		xt = &Tensor{shape: []int{n, 1}, data: xt.data}
	}
	if m.input == nil {
		if err := m.build(xt.shape[1:]); err != nil {
			return rows{}, fmt.Errorf("%s: %w", caller, err)
		}
	}
	if len(yt.shape) == 1 {
		yt = &Tensor{shape: []int{ny, 1}, data: yt.data}
	}
	if err := m.fits(caller, xName, xt); err != nil {
		return rows{}, err
	}
	o := m.output()
	o.counting = m.loss.counts(o.width, truth/max(1, o.places()))
	if err := m.loss.checkTruth(yName, yt, o); err != nil {
		return rows{}, fmt.Errorf("%s: %w", caller, err)
	}
	for _, metric := range m.metrics {
		if err := metric.suits(o); err != nil { // whose width may not have been known before
			return rows{}, fmt.Errorf("%s: metric %s: %w", caller, metric, err)
		}
		if err := metric.checkTruth(yName, yt, o); err != nil {
			return rows{}, fmt.Errorf("%s: metric %s: %w", caller, metric, err)
		}
	}
	return rows{n: n, width: width, truth: truth, truthShape: yt.shape[1:], x: xt.data, y: yt.data}, nil
}

// fits says whether rows of x can go into the model. Sizes of 1 need not be written: rows of 28×28 are images of one
// channel.
func (m *Model) fits(caller, name string, x *Tensor) error {
	if len(x.shape) > 0 && slices.Equal(x.shape[1:], m.input) {
		return nil
	}
	_, width := x.rows()
	switch first := m.layers[0].core().where(0); {
	case slices.Equal(withoutOnes(x.shape[min(1, len(x.shape)):]), withoutOnes(m.input)):
		return nil
	case len(m.input) == 1 && len(x.shape) <= 2:
		return fmt.Errorf("%s: %s has the shape %s, but %s wants %d %s a row: give each row %d %s, or make a new "+
			"model for rows of %d", caller, name, shapeText(x.shape), first, m.input[0],
			plural(m.input[0], "number"), m.input[0], plural(m.input[0], "number"), width)
	case width == sizeOf(m.input):
		return fmt.Errorf("%s: %s has the shape %s, but %s wants rows of shape %s: they have as many numbers, so that "+
			"Reshape(-1, %s) makes one of the other", caller, name, shapeText(x.shape), first, shapeText(m.input), strings.Trim(callText(m.input), "()"))
	default:
		return fmt.Errorf("%s: %s has the shape %s, but %s wants rows of shape %s: give it such rows, or make a new model",
			caller, name, shapeText(x.shape), first, shapeText(m.input))
	}
}

func withoutOnes(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(d int) bool { return d == 1 })
}

// output describes what the last layer puts out.
func (m *Model) output() output {
	at := len(m.layers) - 1
	c := m.layers[at].core()
	o := output{where: c.where(at), activation: c.activation}
	if o.shape = c.output; c.output != nil {
		o.width = 1
		if n := len(c.output); n > 0 {
			o.width = c.output[n-1]
		}
	}
	return o
}

func (m *Model) compiled(caller string) error {
	switch {
	case m.err != nil:
		return m.err
	case m.layer.owner != nil && caller != "Evaluate":
		return fmt.Errorf("%s: the model is part of another one, as its layer %q: train that one", caller, m.layer.name)
	case m.loss == nil:
		return fmt.Errorf("%s: the model is not compiled: write model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, "+
			"nnkit.Accuracy) before, or another optimizer, loss and metrics", caller)
	}
	return nil
}

// fit is one call of Fit.
type fit struct {
	m          *Model
	s          *fitSettings
	train      rows
	validation rows
	trainer    *trainer
	order      []int32
	names      []string // of all scores; those of training come first
	state      Training
	print      bool
}

func newFit(ctx context.Context, m *Model, s *fitSettings, train, validation rows) *fit {
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
	f.names = []string{"loss"}
	maximum := map[string]bool{}
	for _, metric := range m.metrics {
		f.names = append(f.names, metric.String())
		maximum[metric.String()], maximum["val_"+metric.String()] = metric.larger(), metric.larger()
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
	err := t.err
	if err == nil {
		err = t.ctx.Err()
	}
	for t.Epoch < t.Epochs && err == nil && !t.stopped {
		t.Epoch++
		err = f.epoch()
	}
	f.m.step.average.show(f.m.weights)
	for _, c := range f.s.callbacks {
		c.TrainEnd(t)
	}
	if err == nil {
		err = t.err
	}
	return err
}

// seeTraining lets the scores show the training rows' numbers only.
func (f *fit) seeTraining() { f.state.Scores.names = f.names[:1+len(f.m.metrics)] }

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
	f.trainer.reset()
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
		if t.err != nil {
			return t.err
		}
		if err := t.ctx.Err(); err != nil {
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
		if err := f.trainer.validate(t.ctx, f.validation, t.Scores.values[1+len(f.m.metrics):]); err != nil {
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
	return t.err
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
	f.trainer.gather(f.train, order)
	loss, err := f.trainer.step(len(order))
	if err != nil {
		return err
	}
	t.BatchLoss = loss
	if math.IsNaN(t.BatchLoss) || math.IsInf(t.BatchLoss, 0) {
		return f.ranAway(fmt.Sprintf("the loss is no longer a number (%v)", t.BatchLoss), f.trainer.notFinite(len(order)))
	}
	if err := t.step.step(f.m, len(order)); err != nil {
		return err
	}
	f.trainer.scores(t.Scores.values, t.Batch == t.Batches)
	return nil
}

// ranAway is the error of a training whose numbers are no longer finite.
func (f *fit) ranAway(what, where string) error {
	t := &f.state
	return fmt.Errorf("%s in epoch %d, batch %d: %s; use a smaller learning rate (it is %v), clip the gradients "+
		"(nnkit.GlobalClipNorm), or standardize the features", what, t.Epoch, t.Batch, where, t.LearningRate())
}
