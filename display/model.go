package display

import (
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit"
)

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
