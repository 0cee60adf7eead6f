package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// LSTM makes a layer of long short-term memory for sequences of shape (steps, features). Its output is that of the last
// step, (units), or with [ReturnSequences] those of all steps, (steps, units). Kernels are laid out as in Keras, gates in
// the order input, forget, cell, output; the recurrent kernel begins orthogonal, and the forget gate's bias as 1. S.
// Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997.
//
// Options are those of [Dense] but for the activation, [RecurrentInitializer], [RecurrentRegularizer],
// [RecurrentConstraint], [ReturnSequences] and [GoBackwards].
func LSTM(units int, options ...RecurrentOption) Layer {
	return newRecurrent("LSTM", "lstm", simd.LSTMCell, units, options)
}

// GRU makes a layer of gated recurrent units, as [LSTM] with its options. The reset gate is applied after the product
// with the state, which is Keras' default and what PyTorch does; the bias has two rows, of the inputs and of the state.
// K. Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014.
func GRU(units int, options ...RecurrentOption) Layer {
	return newRecurrent("GRU", "gru", simd.GRUCell, units, options)
}

// SimpleRNN makes the plainest recurrent layer, h = tanh(x·kernel + h·recurrent + bias), as [LSTM] with its options;
// [ReLU] as an option takes the place of tanh.
func SimpleRNN(units int, options ...RNNOption) Layer {
	return newRecurrent("SimpleRNN", "simple_rnn", simd.TanhCell, units, options)
}

// RecurrentOption is an argument of [LSTM] or [GRU] behind the number of units.
type RecurrentOption interface {
	option
	recurrentOption()
}

// RNNOption is an argument of [SimpleRNN] behind the number of units: a [RecurrentOption], or [Tanh] or [ReLU].
type RNNOption interface {
	option
	rnnOption()
}

func (forRecurrents) recurrentOption() {}
func (forRecurrents) rnnOption()       {}

// SequencesOption is the result of [ReturnSequences].
type SequencesOption struct{ forRecurrents }

// ReturnSequences has a recurrent layer put out all its steps, for another such layer behind it.
func ReturnSequences() SequencesOption { return SequencesOption{} }

func (SequencesOption) set(s *layerSettings) { s.sequences = true }

// BackwardsOption is the result of [GoBackwards].
type BackwardsOption struct{ forRecurrents }

// GoBackwards has a recurrent layer go from the last step to the first. With [ReturnSequences] a step's output stands
// where its input does.
func GoBackwards() BackwardsOption { return BackwardsOption{} }

func (BackwardsOption) set(s *layerSettings) { s.backwards = true }

type recurrentLayer struct {
	BaseLayer
	settings                layerSettings
	operation               string
	cell                    simd.Cell
	units                   int
	kernel, recurrent, bias *Parameter
}

func newRecurrent[O option](name, kind string, cell simd.Cell, units int, options []O) Layer {
	l := &recurrentLayer{operation: name, cell: cell, units: units}
	call := fmt.Sprintf("%s(%d, …)", name, units)
	l.layer.kind = kind
	l.settings = layerSettings{activation: Tanh, initializer: GlorotUniform, useBias: true}
	applyOptions(&l.settings, call, options)
	switch a := l.settings.activation; {
	case l.settings.err != nil:
	case a == ReLU:
		l.cell = simd.ReLUCell
	case a != Tanh:
		l.settings.err = fmt.Errorf("%s: the activation must be Tanh, which it is by itself, or ReLU, not %v", call, a)
	}
	if units < 1 && l.settings.err == nil {
		l.settings.err = fmt.Errorf("%s: the number of units must be at least 1", call)
	}
	l.settings.give(&l.layer)
	return l
}

// Build makes kernels and bias.
func (l *recurrentLayer) Build(input []int) error {
	if len(input) != 2 {
		return fmt.Errorf("gets rows of shape %s and wants sequences of shape (steps, features)%s", shapeText(input), sequenceHint(input))
	}
	s := &l.settings
	columns := l.cell.Gates() * l.units
	l.kernel = l.AddParameter("kernel", s.initializer, input[1], columns)
	l.recurrent = l.AddParameter("recurrent_kernel", s.recurrentRules.or(Orthogonal), l.units, columns)
	switch {
	case !s.useBias:
	case l.cell == simd.GRUCell:
		l.bias = l.AddParameter("bias", s.biasRules.or(Zeros), 2, columns)
	case l.cell == simd.LSTMCell:
		l.bias = l.AddParameter("bias", forgetOne{l.units, s.biasRules.or(Zeros)}, columns)
	default:
		l.bias = l.AddParameter("bias", s.biasRules.or(Zeros), columns)
	}
	return nil
}

func sequenceHint(input []int) string {
	if len(input) == 1 {
		return fmt.Sprintf(": %d steps of one feature are Reshape(%d, 1); an LSTM behind another one wants ReturnSequences in that", input[0], input[0])
	}
	return ""
}

// Forward goes through the steps. Those that a mask leaves out are put behind the others for it.
func (l *recurrentLayer) Forward(x *Tensor) *Tensor {
	s := &l.settings
	mask := x.stepMask()
	if mask == nil {
		return recur(l.operation, l.cell, x, l.kernel.Tensor(), l.recurrent.Tensor(), l.bias.tensor(), s.sequences, s.backwards)
	}
	pack, unpack, last := packed, unpacked, lastPacked
	if s.backwards {
		pack, unpack, last = packedAtEnd, unpackedFromEnd, firstPackedAtEnd
	}
	steps := x.shape[1]
	y := recur(l.operation, l.cell, x.pick(l.operation, steps, mask, pack), l.kernel.Tensor(), l.recurrent.Tensor(), l.bias.tensor(), true, s.backwards)
	if s.sequences {
		return y.pick(l.operation, steps, mask, unpack)
	}
	return y.pick(l.operation, 1, mask, last).Reshape(x.shape[0], l.units)
}

// Bidirectional makes a layer that goes through sequences in both directions by two recurrent layers, the second of which
// must have [GoBackwards], and puts their outputs next to each other:
//
//	nnkit.Bidirectional(nnkit.LSTM(32), nnkit.LSTM(32, nnkit.GoBackwards()))
func Bidirectional(forward, backward Layer, options ...LayerOption) Layer {
	l := &bidirectionalLayer{}
	l.layer.give("bidirectional", "Bidirectional(…)", options)
	f, ok := forward.(*recurrentLayer)
	b, also := backward.(*recurrentLayer)
	switch {
	case l.layer.err != nil:
	case !ok || !also:
		l.layer.err = fmt.Errorf("Bidirectional: both layers must be recurrent, LSTM(32) and LSTM(32, nnkit.GoBackwards()) for example")
	case f.layer.err != nil:
		l.layer.err = f.layer.err
	case b.layer.err != nil:
		l.layer.err = b.layer.err
	case f.settings.backwards || !b.settings.backwards:
		l.layer.err = fmt.Errorf("Bidirectional: the second layer, and only that, must go backwards: give it nnkit.GoBackwards()")
	case f.settings.sequences != b.settings.sequences:
		l.layer.err = fmt.Errorf("Bidirectional: ReturnSequences must be given to both layers or to none")
	}
	l.forward, l.backward = f, b
	return l
}

type bidirectionalLayer struct {
	BaseLayer
	forward, backward *recurrentLayer
}

func (l *bidirectionalLayer) inner() []Layer { return []Layer{l.forward, l.backward} }

// Build builds both layers.
func (l *bidirectionalLayer) Build(input []int) error {
	for _, part := range []struct {
		name string
		*recurrentLayer
	}{{"forward", l.forward}, {"backward", l.backward}} {
		c := part.core()
		c.name, c.parameters = l.layer.name+"/"+part.name, nil
		if err := part.Build(input); err != nil {
			return err
		}
		c.govern()
		l.layer.parameters = append(l.layer.parameters, c.parameters...)
	}
	return nil
}

// Forward goes both ways.
func (l *bidirectionalLayer) Forward(x *Tensor) *Tensor {
	both := [...]*Tensor{forwardWithin(l.forward, x), forwardWithin(l.backward, x)}
	return Concat(-1, both[:]...)
}

// forgetOne is how an LSTM's bias begins: the forget gate lets everything through. R. Jozefowicz, W. Zaremba and
// I. Sutskever, An empirical exploration of recurrent network architectures, ICML 2015.
type forgetOne struct {
	units  int
	others Initializer
}
