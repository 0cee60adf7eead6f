package display

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/plotter"

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

// DecisionBoundary draws what a model of two features says all over the plane, as [Boundary] does. Labels are the classes of the points, whole
// numbers from 0 on, as a Dataset's Y holds them.
//
//	display.DecisionBoundary(model, moons.X, moons.Y)
func DecisionBoundary[L int | float64](model *nnkit.Model, points [][]float64, labels []L, options ...Option) *Figure {
	if model == nil {
		return note("nothing to draw: there is no model", options)
	}
	classes := make([]int, len(labels))
	for i, l := range labels {
		classes[i] = int(l)
		if L(classes[i]) != l {
			return note(fmt.Sprintf("nothing to draw: the label of point %d is %v; labels are whole numbers from 0 on", i, l), options)
		}
	}
	return Boundary(points, classes, func(x [][]float64) ([][]float32, error) {
		y, err := model.Predict(x)
		if err != nil {
			return nil, err
		}
		return y.Rows(), nil
	}, options...)
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

// RateTest draws what [nnkit.Model.FindLearningRate] has seen, with the rate that it suggests marked. As the last expression of a cell a
// RateTest shows itself so.
//
//	rates, err := model.FindLearningRate(x, y)
//	display.RateTest(rates)
func RateTest(test *nnkit.RateTest, options ...Option) *Figure {
	if test == nil || len(test.Rates()) == 0 {
		return note("nothing to draw: there is no learning-rate test", options)
	}
	losses := test.Losses()
	smooth := make(plotter.XYs, len(losses))
	for i, rate := range test.Rates() {
		smooth[i] = plotter.XY{X: rate, Y: losses[i]}
	}
	f := rangeFigure(nil, smooth, test.Suggestion(), test.Suggestion() > 0, options)
	f.panels[0].warning = test.Reservation()
	return f
}

// SuggestRate returns the learning rate that [RangeTest] marks for losses as they were measured: what [nnkit.SuggestRate] finds in them when
// they are smoothed, without those that are no numbers. It reports false where there is none.
func SuggestRate(rates, losses []float64) (rate float64, ok bool) {
	if len(rates) != len(losses) {
		return 0, false
	}
	var kept []float64
	for i, r := range rates {
		if finite(losses[i]) {
			kept = append(kept, r)
		}
	}
	return nnkit.SuggestRate(kept, smoothLosses(losses))
}

// DeadReLUs draws which share of the units of each layer with the activation ReLU is active for none of the rows of x, as [DeadUnits]
// does: such units learn no longer. Of a convolution a channel is a unit, active where it is so at any place.
func DeadReLUs(model *nnkit.Model, x any, options ...Option) *Figure {
	if model == nil {
		return note("nothing to draw: there is no model", options)
	}
	var layers []silence
	examples := 0
	for _, info := range model.Layers() {
		if info.Activation != "relu" {
			continue
		}
		y, err := nnkit.Activations(model, x, info.Name)
		if err != nil {
			return note("nothing to draw: "+err.Error(), options)
		}
		shape := y.Shape()
		units := shape[len(shape)-1]
		examples = shape[0]
		s := silence{info.Name, make([]bool, units)}
		for outputs := range slices.Chunk(y.Data(), units) {
			hear(&s, outputs)
		}
		layers = append(layers, s)
	}
	if len(layers) == 0 {
		return note("nothing to draw: no layer has the activation ReLU", options)
	}
	return deadFigure(layers, examples, options)
}

// LayerFilters draws the filters of a two-dimensional convolution of a model, given by its name, as [Filters] does. Where there are several
// channels, each filter has a picture for each: "2 · 0" is filter 2 on channel 0.
func LayerFilters(model *nnkit.Model, layer string, options ...Option) *Figure {
	if model == nil {
		return note("nothing to draw: there is no model", options)
	}
	var names []string
	for _, info := range model.Layers() {
		for _, p := range info.Parameters {
			shape := p.Shape()
			if info.Kind != "conv2d" || len(shape) != 4 {
				continue
			}
			if info.Name != layer {
				names = append(names, fmt.Sprintf("%q", info.Name))
				break
			}
			in, out := shape[2], shape[3]
			all, err := Channels(p.Data(), shape[0], shape[1], in*out)
			if err != nil {
				return note("nothing to draw: "+err.Error(), options)
			}
			filters := make([]Map, 0, in*out)
			for f := range out {
				for c := range in {
					m := Map{Name: strconv.Itoa(f), Values: all[c*out+f].Values}
					if in > 1 {
						m.Name = fmt.Sprintf("%d · %d", f, c)
					}
					filters = append(filters, m)
				}
			}
			return Filters(filters, options...)
		}
	}
	problem := fmt.Sprintf("nothing to draw: there is no two-dimensional convolution %q", layer)
	if len(names) > 0 {
		problem += ", but " + list(names)
	}
	return note(problem, options)
}

// LayerActivations draws what the channels of a layer of a model, given by its name, answer to an image, the first of x, as [Activations] does.
func LayerActivations(model *nnkit.Model, x any, layer string, options ...Option) *Figure {
	if model == nil {
		return note("nothing to draw: there is no model", options)
	}
	y, err := nnkit.Activations(model, x, layer)
	if err != nil {
		return note("nothing to draw: "+err.Error(), options)
	}
	shape := y.Shape()
	if len(shape) != 4 || shape[0] == 0 {
		return note(fmt.Sprintf("nothing to draw: layer %q puts out %s for each of %s; maps have height, width and channels",
			layer, shapeText(shape[1:]), count(shape[0], "row")), options)
	}
	maps, err := Channels(y.Data()[:y.Len()/shape[0]], shape[1], shape[2], shape[3])
	if err != nil {
		return note("nothing to draw: "+err.Error(), options)
	}
	return Activations(maps, options...)
}
