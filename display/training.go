package display

import (
	"fmt"
	"math"
	"slices"
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
			samples = append(samples, Sample{Group: group, Name: name, Values: wide([][]float32{values(p)})[0]})
		}
	}
	if len(samples) == 0 {
		return note("the model has no weights yet: the first Fit, Predict or Evaluate makes them", options)
	}
	return Histograms(samples, options...)
}

// Model draws the layers of a model as [Architecture] does.
func Model(model *nnkit.Model, options ...Option) *Figure {
	if model == nil {
		return note("nothing to draw: there is no model", options)
	}
	var layers []Layer
	for _, info := range model.Layers() {
		l := Layer{Name: info.Name, Kind: readable(info.Kind), Shape: info.OutputShape, Inputs: info.Inputs}
		if info.Kind == "input" {
			l.Inputs = []string{}
		}
		if info.Activation != "" && info.Activation != "linear" {
			l.Kind += ", " + info.Activation
		}
		for _, p := range info.Parameters {
			l.Parameters += p.Len()
		}
		layers = append(layers, l)
	}
	return Architecture(layers, options...)
}

// ConfusionMatrix draws what [nnkit.ConfusionMatrix] has counted, as [Confusion] does, with its names of the classes unless the options
// have others.
func ConfusionMatrix(matrix *nnkit.Confusion, options ...Option) *Figure {
	if matrix == nil {
		return note("nothing to draw: there is no confusion matrix", options)
	}
	var truth, predicted []int
	for t, row := range matrix.Counts() {
		for p, n := range row {
			truth = append(truth, slices.Repeat([]int{t}, n)...)
			predicted = append(predicted, slices.Repeat([]int{p}, n)...)
		}
	}
	return Confusion(truth, predicted, append([]Option{Classes(matrix.Names()...)}, options...)...)
}

// WeightWatch is what [Watch] returns, for the arguments of Fit.
type WeightWatch struct {
	nnkit.BaseCallback
	before  [][]float32 // the parameters before the last step of an epoch
	ratios  ordered
	samples []Sample
}

var (
	_ nnkit.Callback  = (*WeightWatch)(nil)
	_ nnkit.FitOption = (*WeightWatch)(nil)
)

// Watch keeps of each epoch how the weights are distributed and by how much its last step changed them, for pictures after the run:
//
//	watch := display.Watch()
//	history, err := model.Fit(x, y, watch)
//	watch.Ridges()
//
// Of a parameter it keeps 2,000 values at even distances, which a run of 100 epochs pays with 1.6 MB for each parameter. A second
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
		every := (len(values) + mostKept - 1) / mostKept
		kept := make([]float64, 0, len(values)/every+1)
		for j := 0; j < len(values); j += every {
			kept = append(kept, float64(values[j]))
		}
		w.samples = append(w.samples, Sample{
			Group: strings.ReplaceAll(name, "/", " "), Name: fmt.Sprintf("epoch %d", len(w.ratios.Metrics[name])), Values: kept,
		})
	}
}

// Ridges draws how the values of each parameter went from epoch to epoch, as the function [Ridges] does.
func (w *WeightWatch) Ridges(options ...Option) *Figure { return Ridges(w.samples, options...) }

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
