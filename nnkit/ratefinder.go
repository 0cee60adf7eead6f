package nnkit

import (
	"context"
	"fmt"
	"html"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// FindLearningRate looks for a good learning rate: it trains for a while and raises the rate from batch to batch, each time
// by the same factor, until the loss runs away. Then weights, states and optimizer are put back as they were. The optimizer is that of
// [Model.Compile], whatever its rate; x and y are as for [Model.Fit]. L. N. Smith, Cyclical learning rates for
// training neural networks, WACV 2017.
//
//	rates, err := model.FindLearningRate(x, y)
//	fmt.Println(rates.Suggestion())
//
// Options are [FromRate], [ToRate], [RateSteps] and [RateBatchSize].
func (m *Model) FindLearningRate(x, y any, options ...RateTestOption) (*RateTest, error) {
	const caller = "FindLearningRate"
	if err := m.isCompiled(caller); err != nil {
		return nil, err
	}
	if !m.fitting.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("%s: the model is being trained already: wait for that to end", caller)
	}
	defer m.fitting.Store(false)
	s := rateTestSettings{from: 1e-7, to: 10, steps: 100, batch: 32}
	for _, o := range options {
		o(&s)
	}
	switch {
	case !(s.from > 0 && s.to > s.from) || math.IsInf(s.to, 1):
		return nil, fmt.Errorf("%s: FromRate(%v), ToRate(%v): the first must be above 0 and below the second", caller, s.from, s.to)
	case s.steps < 10:
		return nil, fmt.Errorf("%s: RateSteps(%d): it must be at least 10", caller, s.steps)
	case s.batch < 1:
		return nil, fmt.Errorf("%s: RateBatchSize(%d): it must be at least 1", caller, s.batch)
	}
	train, err := m.convert(caller, "x", "y", x, y)
	if err != nil {
		return nil, err
	}
	m.draw()
	return m.testRates(&s, &train)
}

type rateTestSettings struct {
	from, to     float64
	steps, batch int
}

// RateTestOption is an option of [Model.FindLearningRate].
type RateTestOption func(s *rateTestSettings)

// FromRate is the learning rate to begin with; 1e-7 by default.
func FromRate(rate float64) RateTestOption { return func(s *rateTestSettings) { s.from = rate } }

// ToRate is the learning rate to end with; 10 by default.
func ToRate(rate float64) RateTestOption { return func(s *rateTestSettings) { s.to = rate } }

// RateSteps is how many batches are trained on; 100 by default.
func RateSteps(batches int) RateTestOption { return func(s *rateTestSettings) { s.steps = batches } }

// RateBatchSize is the batch size to test for, 32 by default: it should be that of the training.
func RateBatchSize(rows int) RateTestOption { return func(s *rateTestSettings) { s.batch = rows } }

// testRates is the test itself.
func (m *Model) testRates(s *rateTestSettings, train *rows) (*RateTest, error) {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt)
	defer release()
	weights, gradients, step, epochs, batches := slices.Clone(m.weights), slices.Clone(m.gradients), m.step, m.epochs, m.batches
	states := make([][]float32, len(m.states))
	for i, p := range m.states {
		states[i] = slices.Clone(p.Data())
	}
	defer func() {
		copy(m.weights, weights)
		copy(m.gradients, gradients)
		m.step, m.epochs, m.batches = step, epochs, batches
		for i, p := range m.states {
			copy(p.Data(), states[i])
		}
	}()
	m.step = m.compiled.optimizer.start(len(m.weights))
	m.step.schedule = Schedule{}
	if err := m.step.arrange(m.parameters); err != nil {
		return nil, fmt.Errorf("FindLearningRate: %w", err)
	}

	r := &RateTest{epochs: epochs}
	f := newFit(ctx, m, &fitSettings{batch: new(min(s.batch, train.n)), shuffle: true}, train, &rows{})
	factor := simd.Exp64(simd.Log64(s.to/s.from) / float64(s.steps-1))
	rate, mean, share, best := s.from, 0.0, 1.0, math.Inf(1)
	for lo := train.n; len(r.rates) < s.steps; lo += f.trainer.batch.n {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("FindLearningRate: %w", ErrInterrupted)
		}
		if lo >= train.n {
			lo = 0
			f.shuffle()
			m.epochs++
		}
		order := f.order[lo:min(lo+f.trainer.batch.n, train.n)]
		f.trainer.gather(train, order, 0)
		loss, err := f.trainer.step(len(order))
		if err != nil {
			return nil, fmt.Errorf("FindLearningRate: %w", err)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			break
		}
		const keep = 0.9
		mean = float64(keep*mean) + float64((1-keep)*loss)
		share = float64(share * keep)
		smooth := mean / (1 - share)
		r.rates, r.losses = append(r.rates, rate), append(r.losses, smooth)
		best = min(best, smooth)
		if smooth > 4*best && len(r.rates) > 10 {
			break
		}
		m.step.rate = rate
		if err := m.step.step(m, len(order)); err != nil {
			return nil, fmt.Errorf("FindLearningRate: %w", err)
		}
		rate *= factor
	}
	if len(r.rates) < 3 {
		return nil, fmt.Errorf("FindLearningRate: the loss is no longer a number at a rate of %v already: begin with a smaller one, FromRate(%v), "+
			"or standardize the features", rate, s.from/1000)
	}
	return r, nil
}

// RateTest is what [Model.FindLearningRate] has seen: the loss over the learning rate. As the last expression of a notebook cell it shows
// itself: as a curve when package display is imported, else in words.
type RateTest struct {
	rates, losses []float64
	epochs        int // that the model had been trained for before
}

// Rates returns the learning rates in rising order. It is a copy.
func (r *RateTest) Rates() []float64 { return slices.Clone(r.rates) }

// Losses returns the loss at each rate, smoothed by an exponential moving average of momentum 0.9. It is a copy.
func (r *RateTest) Losses() []float64 { return slices.Clone(r.losses) }

// Suggestion returns a rate to train with, by the rule of [SuggestRate], and 0 where there is none.
func (r *RateTest) Suggestion() float64 {
	rate, _ := SuggestRate(r.rates, r.losses)
	return rate
}

// Reservation says in a sentence why the suggestion is to be taken with care, and is empty where it is not: a model that has been
// trained already falls no further at rates that a fresh one would learn with.
func (r *RateTest) Reservation() string {
	if r.epochs == 0 {
		return ""
	}
	return fmt.Sprintf("the model had been trained for %s: this is a rate to go on with; for one to begin with, test a fresh model, or Reset this one",
		countOf(r.epochs, "epoch", "epochs"))
}

// SuggestRate returns the rate at which a loss falls most steeply, over the logarithm of the rate, in a learning-rate range test:
// by straight lines of least squares through a twentieth of the losses to each side, at rates up to a tenth of that with the lowest loss,
// near which a training is about to run away. The rates grow, and the losses are smoothed and finite. It reports false where the loss
// falls nowhere, or the series are no range test.
func SuggestRate(rates, losses []float64) (rate float64, ok bool) {
	if len(rates) != len(losses) || len(rates) < 3 || !(rates[0] > 0) {
		return 0, false
	}
	lowest := rates[slices.Index(losses, slices.Min(losses))]
	logs := make([]float64, len(rates))
	for i, r := range rates {
		logs[i] = simd.Log64(r)
	}
	half := max(len(rates)/20, 1)
	steepest := 0.0
	for i := half; i+half < len(rates) && rates[i] <= lowest/10; i++ {
		if s := slope(logs[i-half:i+half+1], losses[i-half:i+half+1]); s < steepest {
			rate, ok, steepest = rates[i], true, s
		}
	}
	return rate, ok
}

// slope is that of the straight line with the least squares.
func slope(x, y []float64) float64 {
	var mx, my, xy, xx float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(x))
	}
	for i := range x {
		xy += float64((x[i] - mx) * (y[i] - my))
		xx += float64((x[i] - mx) * (x[i] - mx))
	}
	return xy / xx
}

// String tells the suggestion and what was seen.
func (r *RateTest) String() string {
	said := "no learning rate suggested, since the loss falls nowhere for several rates on end"
	if rate := r.Suggestion(); rate > 0 {
		said = fmt.Sprintf("learning rate %.2g suggested", rate)
	}
	lowest := slices.Index(r.losses, slices.Min(r.losses))
	said += fmt.Sprintf(": from %.2g to %.2g the loss was lowest, %s, at %.2g", r.rates[0], r.rates[len(r.rates)-1], scoreText(r.losses[lowest]), r.rates[lowest])
	if but := r.Reservation(); but != "" {
		said += "; " + but
	}
	return said
}

// HTML tells the same for a notebook.
func (r *RateTest) HTML() string {
	return "<p>" + html.EscapeString(strings.ToUpper(r.String()[:1])+r.String()[1:]) + "</p>"
}

// MIMEBundle returns the test as a notebook shows it, keyed by MIME type: in words, with the picture of the registered view.
func (r *RateTest) MIMEBundle() map[string]any {
	bundle := map[string]any{"text/plain": r.String()}
	if !rateTestView.add(bundle, r) {
		bundle["text/html"] = r.HTML()
	}
	return bundle
}

var rateTestView view[*RateTest]

// RegisterRateTestView sets how a [RateTest] shows itself in a notebook, as [RegisterHistoryView] does for a History.
func RegisterRateTestView(view func(*RateTest) map[string]any) { rateTestView.register(view) }
