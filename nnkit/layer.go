package nnkit

import (
	"errors"
	"fmt"
	"strings"
)

// Layer is one step of a network. [Dense], [Input] and their kin make layers, and [Sequential] and [Symbol.To] take them. A layer
// belongs to one model, which names it.
//
// A layer of one's own is a type that embeds [BaseLayer] and has a Forward, written with the operations of [Tensor];
// its gradients come by themselves. If it has parameters it makes them in a method Build (see [Builder]):
//
//	type gain struct {
//		nnkit.BaseLayer
//		factor *nnkit.Parameter
//	}
//
//	func (g *gain) Build(input []int) error {
//		g.factor = g.AddParameter("factor", nnkit.Ones, input...)
//		return nil
//	}
//
//	func (g *gain) Forward(x *nnkit.Tensor) *nnkit.Tensor { return x.Mul(g.factor.Tensor()) }
//
//	model := nnkit.Sequential(&gain{}, nnkit.Dense(1))
type Layer interface {
	// Forward computes the output for a batch: the first dimension of x, and of the result, counts the rows. A model calls
	// it once with a row of zeros, to learn the shape of the output.
	Forward(x *Tensor) *Tensor

	core() *layerCore
}

// Builder is a [Layer] that has something to prepare, its parameters above all, when it knows the shape of one row of its
// input. Build is called once, before the first Forward.
type Builder interface{ Build(input []int) error }

// BaseLayer makes a type that embeds it and has a Forward a [Layer].
type BaseLayer struct{ layer layerCore }

func (b *BaseLayer) core() *layerCore { return &b.layer }

// AddParameter makes a parameter of the layer, to be trained with the model: name is "kernel" for example, and the
// initializer draws its first values. Call it in Build.
func (b *BaseLayer) AddParameter(name string, i Initializer, shape ...int) *Parameter {
	return b.layer.add(name, i, shape...)
}

// AddState makes an array that the layer keeps beside its parameters and that is not trained, such as a moving average. Call it in
// Build.
func (b *BaseLayer) AddState(name string, i Initializer, shape ...int) *Parameter {
	b.layer.check(name, shape)
	p := newParameter(b.layer.name+"/"+name, i, shape...)
	p.leaf.wanted = false
	b.layer.states = append(b.layer.states, p)
	return p
}

// layerCore is what all layers have.
type layerCore struct {
	kind       string // "dense"
	name       string
	inner      string // its name within another layer
	owner      *Model
	err        error // what was wrong with the arguments
	input      []int // the shape of one row; nil until built
	output     []int
	activation Activation // what its output is the value of; nil for what we do not know
	parameters []*Parameter
	states     []*Parameter
	// What its options say.
	rules       parameterRules
	regularizer Regularizer // of its output
	frozen      bool
	made        layerSettings // as the constructor was called; without a call for a user's own
	room        int           // how many numbers a parameter may have; 0 for any
}

func (c *layerCore) add(name string, i Initializer, shape ...int) *Parameter {
	if err := fitsShape(i, shape); err != nil {
		fail(name, "%v", err)
	}
	c.check(name, shape)
	p := newParameter(c.name+"/"+name, i, shape...)
	c.parameters = append(c.parameters, p)
	return p
}

// check refuses a parameter of which a file that is being read cannot hold the numbers.
func (c *layerCore) check(name string, shape []int) {
	if c.room == 0 {
		return
	}
	size := 1
	for _, d := range shape {
		if size *= max(d, 1); size > c.room {
			fail("Load", "%s/%s would have the shape %s, more numbers than there are in the file", c.name, name, shapeText(shape))
		}
	}
}

// build lets a layer prepare itself for rows of the given shape, and finds the shape of its output.
func build(l Layer, input []int) (err error) {
	c := l.core()
	defer caught(&err)
	c.input = append([]int(nil), input...)
	if b, ok := l.(Builder); ok {
		if err := b.Build(input); err != nil {
			return err
		}
	}
	c.govern()
	c.output, err = tryForward(l, input)
	return err
}

// tryForward finds the shape of a layer's output.
func tryForward(l Layer, input []int) (output []int, err error) {
	defer caught(&err)
	return rowShape(l.Forward(l.core().trialRows(input)[0]))
}

// trialRows are a row of zeros for each input, to find the shape of the output by. Where a file that is being read tells what the
// layer is, they are on a tape that refuses a row that is too large.
func (c *layerCore) trialRows(shapes ...[]int) []*Tensor {
	t := &Tape{}
	t.memory.most = mostInput
	rows := make([]*Tensor, len(shapes))
	for i, shape := range shapes {
		if rows[i] = zeros(append([]int{1}, shape...)); c.room > 0 {
			rows[i] = t.Constant(rows[i])
		}
	}
	return rows
}

// rowShape is the shape of a row of what a layer has made of one.
func rowShape(y *Tensor) ([]int, error) {
	switch {
	case y == nil:
		return nil, errors.New("has returned nil from Forward")
	case len(y.shape) == 0 || y.shape[0] != 1:
		return nil, fmt.Errorf("has made the shape %s of one row: the first dimension must go on counting the rows", shapeText(y.shape))
	}
	return append([]int{}, y.shape[1:]...), nil
}

// caught makes an error of an operation's panic.
func caught(err *error) {
	switch e := recover().(type) {
	case nil:
	case *OperationError:
		*err = e
	default:
		panic(e)
	}
}

// LayerInfo describes a layer of a model. [Model.Layers] returns one for each.
type LayerInfo struct {
	Index       int          // counted from 1, as messages do; 0 for an input of a [Functional] model
	Name        string       // "dense_1", or as given by [Name]
	Kind        string       // "dense"
	Activation  string       // "relu"; "linear" for none, "" where a layer has no such thing
	InputShape  []int        // of one row; nil while the width of the data is not known
	OutputShape []int        // of one row
	Inputs      []string     // names of the layers and inputs that it reads, in all its calls; nil for a first layer
	Parameters  []*Parameter // empty while the width of the data is not known
}

// callText writes numbers as arguments: (28, 28, 1).
func callText(numbers []int) string {
	s := fmt.Sprint(numbers)
	return "(" + strings.ReplaceAll(s[1:len(s)-1], " ", ", ") + ")"
}

// Lambda makes a layer of a function without parameters, written with the operations of [Tensor]:
//
//	nnkit.Lambda("swish", func(x *nnkit.Tensor) *nnkit.Tensor { return x.Mul(x.Sigmoid()) })
func Lambda(name string, f func(x *Tensor) *Tensor) Layer {
	l := &lambdaLayer{f: f}
	l.layer.kind = "lambda"
	var s layerSettings
	Name(name).set(&s)
	s.give(&l.layer)
	l.layer.made = layerSettings{}
	if f == nil {
		l.layer.err = fmt.Errorf("Lambda(%q, nil): the function is missing", name)
	}
	return l
}

type lambdaLayer struct {
	BaseLayer
	f func(x *Tensor) *Tensor
}

// Forward calls the function.
func (l *lambdaLayer) Forward(x *Tensor) *Tensor { return l.f(x) }

func (c *layerCore) activationText() string {
	if c.activation == nil {
		return ""
	}
	return c.activation.String()
}

// where names a layer in a message: the first one is layer 1.
func (c *layerCore) where(index int) string {
	return fmt.Sprintf("%s layer %q (layer %d)", c.kind, c.name, index+1)
}
