package nnkit

import "fmt"

// Activation is the function that a layer applies to its weighted sums: [ReLU], [Sigmoid], [Tanh], [Softmax] and others
// below, or one of your own by [ActivationFunc]. It is given as an option: Dense(10, nnkit.ReLU).
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

// More of them, all as Keras has them.
var (
	// GELU is x·Φ(x), Φ being the normal distribution function: the exact form. D. Hendrycks and K. Gimpel, Gaussian error
	// linear units, 2016.
	GELU Activation = &smooth{name: "gelu", f: (*Tensor).GELU}
	// TanhGELU is its approximation by a hyperbolic tangent, what older models were trained with.
	TanhGELU Activation = &smooth{name: "gelu_tanh", f: (*Tensor).TanhGELU}
	// SiLU is x·sigmoid(x), also called swish. S. Elfwing et al., Sigmoid-weighted linear units, Neural Networks 107, 2018.
	SiLU Activation = &smooth{name: "silu", f: (*Tensor).SiLU}
	// ELU is x above 0 and exp(x) - 1 below. D.-A. Clevert et al., Fast and accurate deep network learning by exponential
	// linear units, ICLR 2016.
	ELU Activation = &smooth{name: "elu", f: func(x *Tensor) *Tensor { return x.ELU(1) }}
	// SELU is ELU scaled so that a deep network's values keep mean and variance. G. Klambauer et al., Self-normalizing
	// neural networks, NeurIPS 2017.
	SELU Activation = &smooth{name: "selu", f: (*Tensor).SELU}
	// LeakyReLU is x above 0 and 0.3·x below, Keras' slope for the activation layer; LeakyReLUSlope has others.
	LeakyReLU = LeakyReLUSlope(0.3)
	// Softplus is log(1+exp(x)), a smooth ReLU.
	Softplus Activation = &smooth{name: "softplus", f: (*Tensor).Softplus}
	// Softsign is x/(1+|x|).
	Softsign Activation = &smooth{name: "softsign", f: (*Tensor).Softsign}
	// Mish is x·tanh(softplus(x)). D. Misra, Mish: a self regularized non-monotonic activation function, BMVC 2020.
	Mish Activation = &smooth{name: "mish", f: (*Tensor).Mish}
	// HardSigmoid is (x+3)/6 between 0 and 1.
	HardSigmoid Activation = &smooth{name: "hard_sigmoid", f: (*Tensor).HardSigmoid}
	// HardSwish is x·HardSigmoid(x). A. Howard et al., Searching for MobileNetV3, ICCV 2019.
	HardSwish Activation = &smooth{name: "hard_swish", f: (*Tensor).HardSwish}
	// LogSoftmax is the logarithm of Softmax.
	LogSoftmax Activation = &smooth{name: "log_softmax", f: (*Tensor).LogSoftmax}
)

// LeakyReLUSlope is x above 0 and slope·x below. A. L. Maas et al., Rectifier nonlinearities improve neural network
// acoustic models, ICML 2013.
func LeakyReLUSlope(slope float64) Activation {
	return leakyReLU{slope: slope}
}

// ActivationFunc makes an activation of a function written with the operations of [Tensor], under a name.
func ActivationFunc(name string, f func(x *Tensor) *Tensor) Activation {
	return &smooth{name: name, f: f, own: true}
}

// ActivationLayer makes a layer that does nothing but apply an activation.
func ActivationLayer(a Activation, options ...LayerOption) Layer {
	l := &lambdaLayer{}
	l.layer.give("activation", "ActivationLayer(…)", options)
	if a == nil {
		l.layer.err = fmt.Errorf("ActivationLayer(nil): name one, nnkit.ReLU for example")
		return l
	}
	l.layer.activation, l.layer.made.activation, l.f = a, a, a.apply
	return l
}

// smooth is an activation that is a function of tensors and no more.
type smooth struct {
	name string
	f    func(x *Tensor) *Tensor
	own  bool // a user's
}

func (*smooth) denseOption()              {}
func (*smooth) convOption()               {}
func (*smooth) rnnOption()                {}
func (a *smooth) String() string          { return a.name }
func (a *smooth) apply(x *Tensor) *Tensor { return a.f(x) }
func (a *smooth) set(s *layerSettings) {
	if s.activation = a; a.f == nil {
		s.err = fmt.Errorf("ActivationFunc(%q, nil): the function is missing", a.name)
	}
}

type (
	linearActivation struct{ forActivated }
	relu             struct{ forActivated }
	sigmoid          struct{ forActivated }
	tanh             struct{ forActivated }
	softmax          struct{ forActivated }
	leakyReLU        struct {
		forActivated
		slope float64
	}
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
func (a leakyReLU) String() string               { return fmt.Sprintf("leaky_relu(%v)", a.slope) }
func (a leakyReLU) source() string               { return fmt.Sprintf("LeakyReLUSlope(%v)", a.slope) }
func (a leakyReLU) apply(x *Tensor) *Tensor      { return x.LeakyReLU(a.slope) }
func (a leakyReLU) set(s *layerSettings)         { s.activation = a }
