package nnkit

import "fmt"

// Conv2D makes a convolutional layer for images of shape (height, width, channels): filters kernels of size×size, and an
// activation. Its kernel has the shape (size, size, channels, filters), as in Keras.
//
// Options are an [Activation], those of [Dense], [KernelSize], [Strides], [DilationRate], [Groups] and a [Padding],
// [ValidPadding] by default.
//
//	nnkit.Conv2D(32, 3, nnkit.ReLU, nnkit.SamePadding)
func Conv2D(filters, size int, options ...ConvOption) Layer {
	l := &convLayer{filters: filters}
	call := fmt.Sprintf("Conv2D(%d, %d, …)", filters, size)
	l.layer.kind = "conv2d"
	l.settings = layerSettings{activation: Linear, initializer: GlorotUniform, useBias: true, size: [2]int{size, size}}
	applyOptions(&l.settings, call, options)
	l.settings.checkConvolution(call, filters)
	if l.settings.err == nil && l.settings.conv.Padding == CausalPadding {
		l.settings.err = fmt.Errorf("%s: CausalPadding is for sequences, Conv1D", call)
	}
	l.settings.give(&l.layer)
	return l
}

// Conv1D makes a convolutional layer for sequences of shape (steps, channels): as [Conv2D], with kernels of size steps.
// With [CausalPadding] a step sees itself and those before it.
func Conv1D(filters, size int, options ...ConvOption) Layer {
	l := &convLayer{filters: filters, sequence: true}
	call := fmt.Sprintf("Conv1D(%d, %d, …)", filters, size)
	l.layer.kind = "conv1d"
	l.settings = layerSettings{activation: Linear, initializer: GlorotUniform, useBias: true, size: [2]int{1, size}}
	applyOptions(&l.settings, call, options)
	l.settings.alongSequence()
	l.settings.checkConvolution(call, filters)
	l.settings.give(&l.layer)
	return l
}

// ConvOption is an argument of [Conv2D] or [Conv1D] behind the size.
type ConvOption interface {
	option
	convOption()
}

// alongSequence has strides and dilation, of which one number is given, act across: a sequence is an image of height 1.
func (s *layerSettings) alongSequence() {
	s.conv.Strides[0], s.conv.Dilation[0] = 0, 0
}

func (s *layerSettings) checkConvolution(call string, filters int) {
	switch {
	case s.err != nil:
	case filters < 1:
		s.err = fmt.Errorf("%s: the number of filters must be at least 1", call)
	case s.size[0] < 1 || s.size[1] < 1:
		s.err = fmt.Errorf("%s: the size of the kernel must be at least 1", call)
	case filters%max(1, s.conv.Groups) != 0:
		s.err = fmt.Errorf("%s: Groups(%d): the number of filters must be a multiple of it", call, s.conv.Groups)
	}
}

type convLayer struct {
	BaseLayer
	settings     layerSettings
	filters      int
	sequence     bool
	kernel, bias *Parameter
}

// Build makes kernel and bias.
func (l *convLayer) Build(input []int) error {
	s := &l.settings
	if err := checkImage(input, l.sequence); err != nil {
		return err
	}
	channels, groups := input[len(input)-1], max(1, s.conv.Groups)
	if channels%groups != 0 {
		return fmt.Errorf("cannot cut %d channels into %d groups: they must be a multiple of it", channels, groups)
	}
	if l.sequence {
		l.kernel, l.bias = s.parameters(&l.layer, s.size[1], channels/groups, l.filters)
	} else {
		l.kernel, l.bias = s.parameters(&l.layer, s.size[0], s.size[1], channels/groups, l.filters)
	}
	return nil
}

// channelHint tells what to write where only the dimension of a single channel is missing, or all but one are.
func channelHint(input []int, want int) string {
	if len(input) == want-1 {
		return ": for a single channel begin with nnkit.Input" + callText(append(append([]int(nil), input...), 1))
	}
	if len(input) == 1 && want == 3 {
		return fmt.Sprintf(": of %d numbers Reshape(height, width, channels) makes an image", input[0])
	}
	return ""
}

// Forward convolves, and applies the activation.
func (l *convLayer) Forward(x *Tensor) *Tensor {
	relu := l.layer.activation == ReLU
	operation := "Conv2D"
	if l.sequence {
		operation = "Conv1D"
	}
	y := convolve(operation, x, l.kernel.Tensor(), l.bias.tensor(), l.settings.conv, l.sequence, relu)
	if relu {
		return y
	}
	return l.layer.activation.apply(y)
}

// Padding says what a convolution or a pooling takes for what is outside of the image.
type Padding int

// The paddings.
const (
	// ValidPadding keeps the kernel inside of the image: the result is smaller.
	ValidPadding Padding = iota
	// SamePadding puts zeros around the image, so that with strides of 1 the result has its size; of an odd number of them
	// the end gets one more.
	SamePadding
	// CausalPadding puts zeros before a sequence: no step sees a later one.
	CausalPadding
)

func (p Padding) convOption()          {}
func (p Padding) poolOption()          {}
func (p Padding) set(s *layerSettings) { s.conv.Padding = p }

// String returns Keras' name: "valid", "same" or "causal".
func (p Padding) String() string {
	switch p {
	case ValidPadding:
		return "valid"
	case SamePadding:
		return "same"
	case CausalPadding:
		return "causal"
	}
	return fmt.Sprintf("Padding(%d)", int(p))
}

// KernelSizeOption is the result of [KernelSize].
type KernelSizeOption struct {
	forConvolutions
	height, width int
}

// KernelSize sets height and width of a kernel that is not square.
func KernelSize(height, width int) KernelSizeOption {
	return KernelSizeOption{height: height, width: width}
}

func (o KernelSizeOption) set(s *layerSettings) { s.size = [2]int{o.height, o.width} }

// StridesOption is the result of [Strides].
type StridesOption struct {
	forWindows
	strides []int
}

// Strides sets how far a kernel or a window moves: one number, or one for down and one for across. A convolution moves by
// 1 if nothing is said, a pooling by the size of its window.
func Strides(strides ...int) StridesOption { return StridesOption{strides: strides} }

func (o StridesOption) set(s *layerSettings) { s.conv.Strides, s.err = pair("Strides", o.strides) }

// DilationRateOption is the result of [DilationRate].
type DilationRateOption struct {
	forConvolutions
	rates []int
}

// DilationRate sets how far the taps of a kernel are apart: one number, or one for down and one for across; 1 by default.
func DilationRate(rates ...int) DilationRateOption { return DilationRateOption{rates: rates} }

func (o DilationRateOption) set(s *layerSettings) {
	s.conv.Dilation, s.err = pair("DilationRate", o.rates)
}

// GroupsOption is the result of [Groups].
type GroupsOption struct {
	forConvolutions
	groups int
}

// Groups cuts the channels into so many groups, each convolved by its share of the filters; 1 by default. With as many
// groups as channels it is Keras' depthwise convolution.
func Groups(n int) GroupsOption { return GroupsOption{groups: n} }

func (o GroupsOption) set(s *layerSettings) {
	if o.groups < 1 {
		s.err = fmt.Errorf("Groups(%d): it must be at least 1", o.groups)
	}
	s.conv.Groups = o.groups
}

// pair reads one or two numbers of at least 1.
func pair(name string, numbers []int) (p [2]int, err error) {
	if len(numbers) < 1 || len(numbers) > 2 {
		return p, fmt.Errorf("%s%s: give one number, or two for down and across", name, callText(numbers))
	}
	for i := range p {
		if p[i] = numbers[min(i, len(numbers)-1)]; p[i] < 1 {
			return p, fmt.Errorf("%s%s: it must be at least 1", name, callText(numbers))
		}
		if p[i] > mostInput {
			return p, fmt.Errorf("%s%s: it must be at most %d", name, callText(numbers), mostInput)
		}
	}
	return p, nil
}
