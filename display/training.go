package display

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/nnkit"
)

// A History and a RateTest that end a cell show their curves once this package is imported.
func init() {
	nnkit.RegisterHistoryView(func(h *nnkit.History) map[string]any {
		if h.Epochs() == 0 {
			return nil // the table says that there is nothing
		}
		return beside(Curve(h))
	})
	nnkit.RegisterRateTestView(func(r *nnkit.RateTest) map[string]any {
		return beside(RateTest(r))
	})
}

// beside is what a figure adds to a value that says the numbers itself.
func beside(figure *Figure) map[string]any {
	view := figure.MIMEBundle()
	delete(view, "text/plain")
	if view["image/svg+xml"] == nil {
		view["text/html"] = figure.HTML() // which says how large a PNG is meant
	}
	return view
}

// Runs compares trainings that a run log tells of, as [Compare] does: each under the parameters in which it differs from the
// others, and otherwise under its number.
//
//	runs := nnkit.ReadRuns("runs.jsonl")
//	display.Runs(runs)
func Runs(runs []nnkit.Run, options ...Option) *Figure {
	settings := make([]runSettings, len(runs))
	for i, r := range runs {
		settings[i] = runSettings{given: map[string]string{}, other: map[string]string{
			"optimizer": r.Optimizer, "batch_size": fmt.Sprint(r.BatchSize), "loss": r.Loss, "seed": fmt.Sprint(r.Seed),
		}}
		for name, value := range r.Parameters {
			settings[i].given[name] = fmt.Sprint(value)
		}
	}
	named := make([]Run, len(runs))
	for i, name := range tellApart(settings) {
		named[i] = Run{Name: name, History: runs[i]}
	}
	return Compare(named, options...)
}

// WeightWatch is what [Watch] returns, for the arguments of Fit.
type WeightWatch struct {
	nnkit.BaseCallback
	before    [][]float32 // the parameters before the last step of an epoch
	ratios    ordered
	weights   []Sample
	gradients []Sample
}

var (
	_ nnkit.Callback  = (*WeightWatch)(nil)
	_ nnkit.FitOption = (*WeightWatch)(nil)
)

// Watch keeps of each epoch how the weights and the gradients of its last step are distributed, and by how much that step changed the
// weights, for pictures after the run:
//
//	watch := display.Watch()
//	history, err := model.Fit(x, y, watch)
//	watch.Ridges()
//
// Of a parameter it keeps 2,000 values at even distances, which a run of 100 epochs pays with 3.2 MB for each parameter. A second
// Fit goes on where the first ended.
func Watch() *WeightWatch { return &WeightWatch{ratios: ordered{Metrics: Metrics{}}} }

// mostKept is how many values of a parameter a watch keeps for each epoch.
const mostKept = 2000

// BatchBegin copies the parameters before an epoch's last step.
func (w *WeightWatch) BatchBegin(t *nnkit.Training) {
	if t.Batch != t.Batches {
		return
	}
	parameters := t.Model.Parameters()
	if len(w.before) != len(parameters) {
		w.before = make([][]float32, len(parameters))
	}
	for i, p := range parameters {
		w.before[i] = append(w.before[i][:0], p.Data()...)
	}
}

// EpochEnd measures the step and keeps the values.
func (w *WeightWatch) EpochEnd(t *nnkit.Training) {
	for i, p := range t.Model.Parameters() {
		if i >= len(w.before) || len(w.before[i]) != p.Len() {
			return // an epoch without a last step
		}
		var step, size float64
		values := p.Data()
		for j, v := range values {
			before := float64(w.before[i][j])
			step += (float64(v) - before) * (float64(v) - before)
			size += before * before
		}
		name := p.Name()
		if _, known := w.ratios.Metrics[name]; !known {
			w.ratios.names = append(w.ratios.names, name)
		}
		w.ratios.Metrics[name] = append(w.ratios.Metrics[name], math.Sqrt(step/size))
		sample := Sample{Group: strings.ReplaceAll(name, "/", " "), Name: fmt.Sprintf("epoch %d", len(w.ratios.Metrics[name]))}
		sample.Values = thinned(values)
		w.weights = append(w.weights, sample)
		sample.Values = thinned(p.Gradient())
		w.gradients = append(w.gradients, sample)
	}
}

// thinned copies values at even distances, mostKept at most.
func thinned(values []float32) []float64 {
	every := (len(values) + mostKept - 1) / mostKept
	kept := make([]float64, 0, mostKept)
	for i := 0; i < len(values); i += every {
		kept = append(kept, float64(values[i]))
	}
	return kept
}

// Ridges draws how the values of each parameter went from epoch to epoch, as the function [Ridges] does.
func (w *WeightWatch) Ridges(options ...Option) *Figure { return Ridges(w.weights, options...) }

// GradientRidges draws how the gradients of each parameter went from epoch to epoch, as the function [Ridges] does.
func (w *WeightWatch) GradientRidges(options ...Option) *Figure {
	return Ridges(w.gradients, options...)
}

// UpdateRatios draws the last step of each epoch against the size of the weights, as the function [UpdateRatios] does. A bias
// has no ratio while it is still zero.
func (w *WeightWatch) UpdateRatios(options ...Option) *Figure {
	return UpdateRatios(w.ratios, options...)
}

// LiveCallback is what [Live] returns, for the arguments of Fit.
type LiveCallback struct {
	nnkit.BaseCallback
	run  *run
	read func(set func(name string, value float64))
}

var (
	_ nnkit.Progress  = (*LiveCallback)(nil)
	_ nnkit.FitOption = (*LiveCallback)(nil)
)

// Live shows a training run while it goes on, in one place that updates itself at most four times a second: a bar,
// epoch and batch, the time gone and left, the scores, and the curve as it grows.
//
//	history, err := model.Fit(x, y, nnkit.Epochs(10), display.Live())
//
// When the run ends or is interrupted its last picture stays. Outside a notebook it prints lines at the ends of epochs, at most four a
// second, or in a terminal rewrites one line.
func Live(options ...Option) *LiveCallback { return &LiveCallback{run: newRun(options)} }

// ShowsProgress tells Fit that it need not print lines of its own.
func (l *LiveCallback) ShowsProgress() {}

// TrainBegin makes the first picture.
func (l *LiveCallback) TrainBegin(t *nnkit.Training) {
	l.read = func(set func(string, float64)) {
		for name, value := range t.Scores.All() {
			set(name, value)
		}
	}
	l.run.begin(t.Epochs, t.Batches)
}

// BatchEnd makes a picture when one is due.
func (l *LiveCallback) BatchEnd(t *nnkit.Training) { l.run.step(t.Epoch, t.Batch, l.read) }

// EpochEnd adds a point to the curve.
func (l *LiveCallback) EpochEnd(t *nnkit.Training) { l.run.epochEnd(t.Epoch, l.read) }

// TrainEnd makes the picture that stays.
func (l *LiveCallback) TrainEnd(t *nnkit.Training) {
	outcome := ""
	switch {
	case t.Context().Err() != nil:
		outcome = "interrupted"
	case t.Batch > 0 && !finite(t.BatchLoss):
		outcome = "stopped, the loss is no longer a number"
	case t.History.Epochs() < t.Epochs:
		outcome = "stopped"
	}
	l.run.end(outcome)
}

// Interaction is what [Interact] returns. Given to Fit, it draws during the training.
type Interaction struct {
	nnkit.BaseCallback
	*interaction
}

var (
	_ nnkit.Callback  = (*Interaction)(nil)
	_ nnkit.FitOption = (*Interaction)(nil)
)

// Interact shows controls and a figure below them, which is drawn again by the function whenever one of the controls has moved: also while
// later cells run, and as long as the kernel's program lives.
//
//	smooth := display.Slider("smoothing", 0, 0.99, 0.6)
//	display.Interact(func() *display.Figure { return display.Curve(history, display.Smooth(smooth.Value())) }, smooth)
//
// The function is called in a goroutine of its own, so it must not use what a cell changes meanwhile: a model that is being trained, for one.
// Given to Fit, the interaction draws in the training instead, between two batches, where all is at rest: after a move, at the end of an
// epoch (four times a second at most), and when the training is over.
//
//	view := display.Interact(boundary, noise)
//	model.Fit(x, y, nnkit.Epochs(200), view)
//
// In a page that is loaded again, in this browser or another one, the controls go on while the kernel lives and the notebook is trusted. Where nobody
// can move anything, in a saved notebook or a headless run, words stand in their place; outside a notebook the figure prints its line. In GoNB,
// where the program ends with its cell, so do the controls.
func Interact(draw func() *Figure, controls ...Control) *Interaction {
	i := &Interaction{interaction: newInteraction(draw, controls)}
	i.start()
	return i
}

// MIMEBundle keeps an Interaction that ends a cell from being shown once more.
func (i *Interaction) MIMEBundle() map[string]any { return map[string]any{"text/plain": ""} }

// TrainBegin lets the training draw from now on.
func (i *Interaction) TrainBegin(*nnkit.Training) { i.redraw(true) }

// BatchEnd draws when a control has moved.
func (i *Interaction) BatchEnd(*nnkit.Training) {
	if i.due.Load() {
		i.redraw(true)
	}
}

// EpochEnd draws what has changed.
func (i *Interaction) EpochEnd(*nnkit.Training) {
	if time.Since(i.shown) >= updateEvery {
		i.redraw(true)
	}
}

// TrainEnd draws once more, and no longer.
func (i *Interaction) TrainEnd(*nnkit.Training) { i.redraw(false) }
