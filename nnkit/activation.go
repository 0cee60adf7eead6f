package nnkit

// Activation is the function that a layer applies to its weighted sums: [ReLU], [Sigmoid], [Tanh], [Softmax] or
// [Linear]. It is given as an option: Dense(10, nnkit.ReLU).
type Activation interface {
	DenseOption
	ConvOption
	RNNOption
	// String returns the name, "relu" for example.
	String() string

	apply(x *Tensor) *Tensor
}

// The activations.
var (
	// Linear is the identity, and what a layer does when none is given: the output of a regression.
	Linear Activation = linearActivation{}
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

type (
	linearActivation struct{ forActivated }
	relu             struct{ forActivated }
	sigmoid          struct{ forActivated }
	tanh             struct{ forActivated }
	softmax          struct{ forActivated }
)

// forActivated marks what layers with an activation take.
type forActivated struct {
	forDenses
	forConvolutions
}

func (forActivated) rnnOption() {}

func (linearActivation) String() string          { return "linear" }
func (linearActivation) apply(x *Tensor) *Tensor { return x }
func (a linearActivation) set(s *layerSettings)  { s.activation = a }
func (relu) String() string                      { return "relu" }
func (relu) apply(x *Tensor) *Tensor             { return x.ReLU() }
func (a relu) set(s *layerSettings)              { s.activation = a }
func (sigmoid) String() string                   { return "sigmoid" }
func (sigmoid) apply(x *Tensor) *Tensor          { return x.Sigmoid() }
func (a sigmoid) set(s *layerSettings)           { s.activation = a }
func (tanh) String() string                      { return "tanh" }
func (tanh) apply(x *Tensor) *Tensor             { return x.Tanh() }
func (a tanh) set(s *layerSettings)              { s.activation = a }
func (softmax) String() string                   { return "softmax" }
func (softmax) apply(x *Tensor) *Tensor          { return x.Softmax() }
func (a softmax) set(s *layerSettings)           { s.activation = a }
