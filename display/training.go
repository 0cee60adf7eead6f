package display

import (
	"strings"

	"github.com/seed5607215b/nnkit/nnkit"
)

// A History that ends a cell shows its curves beside its table once this package is imported.
func init() {
	nnkit.RegisterHistoryView(func(h *nnkit.History) map[string]any {
		if h.Epochs() == 0 {
			return nil // the table says that there is nothing
		}
		figure := Curve(h)
		view := figure.MIMEBundle()
		delete(view, "text/plain") // the table has the numbers
		if view["image/svg+xml"] == nil {
			view["text/html"] = figure.HTML() // which says how large a PNG is meant
		}
		return view
	})
}

// Weights draws a histogram of every parameter of a model: one column for each layer, its kernel above its bias.
func Weights(model *nnkit.Model, options ...Option) *Figure {
	return parameters(model, (*nnkit.Parameter).Data, options)
}

// Gradients draws a histogram of every parameter's gradient as the last training batch left it.
func Gradients(model *nnkit.Model, options ...Option) *Figure {
	return parameters(model, (*nnkit.Parameter).Gradient, options)
}

func parameters(model *nnkit.Model, values func(*nnkit.Parameter) []float32, options []Option) *Figure {
	var samples []Sample
	if model != nil {
		for _, p := range model.Parameters() {
			group, name, _ := strings.Cut(p.Name(), "/")
			samples = append(samples, Sample{Group: group, Name: name, Values: widen(values(p))})
		}
	}
	if len(samples) == 0 {
		return note("the model has no weights yet: the first Fit, Predict or Evaluate makes them", options)
	}
	return Histograms(samples, options...)
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i := range v {
		w[i] = float64(v[i])
	}
	return w
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
// When the run ends or is interrupted its last picture stays. Outside a notebook it prints a line for each epoch
// instead, or in a terminal rewrites one line.
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
