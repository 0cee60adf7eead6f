package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// Activation is the function that a layer applies to its weighted sums: [ReLU], [Sigmoid], [Tanh], [Softmax] or
// [Linear]. It is given as an option: Dense(10, nnkit.ReLU).
type Activation interface {
	DenseOption
	// String returns the name, "relu" for example.
	String() string

	// apply sets y to the function's values at rows of weighted sums z; y may be z.
	apply(y, z []float32, rows, width int)
	// chain replaces dy, the gradient with respect to the values y, by that with respect to the weighted sums.
	chain(dy, y []float32, rows, width int)
}

// The activations.
var (
	// Linear is the identity, and what a layer does when none is given: the output of a regression.
	Linear Activation = linear{}
	// ReLU is max(0, x), the usual choice inside a network; its gradient at 0 is 0. V. Nair and G. E. Hinton,
	// Rectified linear units improve restricted Boltzmann machines, ICML 2010.
	ReLU Activation = relu{}
	// Sigmoid is 1/(1+exp(-x)), between 0 and 1: the probability of "yes" at the output of a network that answers
	// yes or no, with [BinaryCrossEntropy].
	Sigmoid Activation = sigmoid{}
	// Tanh is the hyperbolic tangent, between -1 and 1.
	Tanh Activation = tanh{}
	// Softmax is exp(x_i)/Σexp(x_j) over a row: the probabilities of classes at the output of a network, with
	// [CategoricalCrossEntropy] or [SparseCategoricalCrossEntropy].
	Softmax Activation = softmax{}
)

type linear struct{}

func (linear) String() string                       { return "linear" }
func (a linear) denseOption(d *denseLayer)          { d.activation = a }
func (linear) apply([]float32, []float32, int, int) {}
func (linear) chain([]float32, []float32, int, int) {}
func (relu) String() string                         { return "relu" }
func (a relu) denseOption(d *denseLayer)            { d.activation = a }
func (relu) apply(y, z []float32, _, _ int)         { simd.ReLU(y, z) }
func (relu) chain(dy, y []float32, _, _ int)        { simd.ReLUGradient(dy, y) }
func (sigmoid) String() string                      { return "sigmoid" }
func (a sigmoid) denseOption(d *denseLayer)         { d.activation = a }
func (sigmoid) apply(y, z []float32, _, _ int)      { simd.Sigmoid(y, z) }
func (sigmoid) chain(dy, y []float32, _, _ int)     { simd.SigmoidGradient(dy, y) }
func (tanh) String() string                         { return "tanh" }
func (a tanh) denseOption(d *denseLayer)            { d.activation = a }
func (tanh) apply(y, z []float32, _, _ int)         { simd.Tanh(y, z) }
func (tanh) chain(dy, y []float32, _, _ int)        { simd.TanhGradient(dy, y) }
func (softmax) String() string                      { return "softmax" }
func (a softmax) denseOption(d *denseLayer)         { d.activation = a }
func (softmax) apply(y, z []float32, rows, n int)   { simd.Softmax(y, z, rows, n) }
func (softmax) chain(dy, y []float32, rows, n int)  { simd.SoftmaxGradient(dy, y, rows, n) }

type (
	relu    struct{}
	sigmoid struct{}
	tanh    struct{}
	softmax struct{}
)
