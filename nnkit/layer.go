package nnkit

import (
	"fmt"
	"strings"
)

// Layer is one step of a network. [Dense] and [Input] make layers, and [Sequential] takes them. A layer belongs to one
// model, which names it and gives it its parameters.
type Layer interface {
	core() *layerCore
	// build fixes the shapes for an input of the given shape and returns the parameters, without memory yet.
	build(input []int) (output []int, parameters []*Parameter, err error)
	// draw fills the parameters with their first values; first is the place of the layer's first parameter in the model.
	draw(seed, first int)
	// newPass returns working memory for batches of up to rows rows.
	newPass(rows int, p purpose) pass
	describe() string
}

// layerCore is what all layers have.
type layerCore struct {
	kind       string // "dense"
	name       string
	owner      *Model
	err        error // what was wrong with the arguments
	input      []int // the shape of one row; nil until built
	output     []int
	parameters []*Parameter
}

// purpose says what a pass is for, so that it keeps only the memory it needs.
type purpose struct {
	backward bool // gradients of the parameters are wanted
	input    bool // so is the gradient of the input
	gated    bool // the input is the value of a ReLU, and its gradient is that of the sums before the ReLU
	sums     bool // the weighted sums are kept beside the activations, for a loss that is computed from them
}

// pass runs one layer forwards and backwards in memory of its own, without allocating.
type pass interface {
	forward(x []float32, rows int) (y []float32)
	// sums returns the weighted sums of the last forward pass.
	sums() []float32
	// backward takes the gradient dy of the output, or with bySums of the weighted sums, and may overwrite it. It leaves
	// the parameters' gradients behind and returns the input's, nil if it was not wanted.
	backward(x, dy []float32, rows int, bySums bool) (dx []float32)
}

// LayerInfo describes a layer of a model. [Model.Layers] returns one for each.
type LayerInfo struct {
	Index       int          // counted from 1, as messages do
	Name        string       // "dense_1", or as given by [Name]
	Kind        string       // "dense"
	Activation  string       // "relu"; "linear" for none
	InputShape  []int        // of one row; nil while the width of the data is not known
	OutputShape []int        // of one row
	Parameters  []*Parameter // empty while the width of the data is not known
}

// NameOption is the result of [Name].
type NameOption struct{ name string }

// Name names a layer, for summaries and messages and as the first part of its parameters' names. Without it the layers
// of a kind are numbered: dense_1, dense_2.
func Name(name string) NameOption { return NameOption{name} }

func (o NameOption) denseOption(d *denseLayer) {
	if o.name == "" || strings.ContainsAny(o.name, "/\n") {
		d.err = fmt.Errorf("Name(%q): a layer's name must not be empty nor contain a slash or a line break", o.name)
		return
	}
	d.name = o.name
}

// Input gives the number of features in advance, as the first layer of a [Sequential]. It is seldom needed, since the
// data tell it: use it to look at a model's weights or its size before there are data.
func Input(features int) Layer {
	l := &inputLayer{features: features}
	l.kind = "input"
	if features < 1 {
		l.err = fmt.Errorf("Input(%d): the number of features must be at least 1", features)
	}
	return l
}

type inputLayer struct {
	layerCore
	features int
}

func (l *inputLayer) core() *layerCore { return &l.layerCore }

func (l *inputLayer) build(input []int) ([]int, []*Parameter, error) { return input, nil, nil }

func (l *inputLayer) draw(int, int) {}

func (l *inputLayer) newPass(int, purpose) pass { return nil }

func (l *inputLayer) describe() string { return "" }

// where names a layer in a message: the first one is layer 1.
func (c *layerCore) where(index int) string {
	return fmt.Sprintf("%s layer %q (layer %d)", c.kind, c.name, index+1)
}
