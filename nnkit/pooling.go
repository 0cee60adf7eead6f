package nnkit

import "fmt"

// MaxPooling2D makes a layer that keeps the largest number of each window of size×size, channel by channel. Windows lie
// next to each other unless [Strides] says otherwise. Options are [Name], [Strides] and a [Padding].
func MaxPooling2D(size int, options ...PoolOption) Layer {
	return newPool("MaxPooling2D", "max_pooling2d", [2]int{size, size}, false, true, options)
}

// AveragePooling2D makes a layer that takes the mean of each window of size×size, of what of it lies in the image, channel by
// channel. Options are those of [MaxPooling2D].
func AveragePooling2D(size int, options ...PoolOption) Layer {
	return newPool("AveragePooling2D", "average_pooling2d", [2]int{size, size}, false, false, options)
}

// MaxPooling1D is [MaxPooling2D] for sequences of shape (steps, channels).
func MaxPooling1D(size int, options ...PoolOption) Layer {
	return newPool("MaxPooling1D", "max_pooling1d", [2]int{1, size}, true, true, options)
}

// AveragePooling1D is [AveragePooling2D] for sequences of shape (steps, channels).
func AveragePooling1D(size int, options ...PoolOption) Layer {
	return newPool("AveragePooling1D", "average_pooling1d", [2]int{1, size}, true, false, options)
}

// PoolOption is an argument of a pooling layer behind the size.
type PoolOption interface {
	option
	poolOption()
}

type poolLayer struct {
	BaseLayer
	pooling  Pooling
	sequence bool
	largest  bool // else the mean
}

func newPool(name, kind string, size [2]int, sequence, largest bool, options []PoolOption) Layer {
	l := &poolLayer{sequence: sequence, largest: largest}
	l.layer.kind = kind
	var s layerSettings
	call := fmt.Sprintf("%s(%d, …)", name, size[1])
	applyOptions(&s, call, options)
	if sequence && s.conv.Strides[1] > 0 {
		s.conv.Strides[0] = 1
	}
	switch {
	case s.err != nil:
	case size[1] < 1:
		s.err = fmt.Errorf("%s: the size of the window must be at least 1", call)
	case s.conv.Padding == CausalPadding:
		s.err = fmt.Errorf("%s: CausalPadding is for convolutions", call)
	}
	s.give(&l.layer)
	l.pooling = Pooling{Size: size, Strides: s.conv.Strides, Padding: s.conv.Padding}
	return l
}

func (x *Tensor) pooled(p Pooling, largest bool) *Tensor {
	if largest {
		return x.MaxPool2D(p)
	}
	return x.AveragePool2D(p)
}

// Build checks the shape.
func (l *poolLayer) Build(input []int) error { return checkImage(input, l.sequence) }

func checkImage(input []int, sequence bool) error {
	want, shape := 3, "(height, width, channels)"
	if sequence {
		want, shape = 2, "(steps, channels)"
	}
	if len(input) != want {
		return fmt.Errorf("gets rows of shape %s and wants %s%s", shapeText(input), shape, channelHint(input, want))
	}
	return nil
}

// Forward pools.
func (l *poolLayer) Forward(x *Tensor) *Tensor {
	if !l.sequence {
		return x.pooled(l.pooling, l.largest)
	}
	y := x.Reshape(x.shape[0], 1, x.shape[1], x.shape[2]).pooled(l.pooling, l.largest)
	return y.Reshape(y.shape[0], y.shape[2], y.shape[3])
}

// GlobalMaxPooling2D makes a layer that keeps the largest number of each channel of an image: (channels).
func GlobalMaxPooling2D(options ...LayerOption) Layer {
	return newGlobalPool("GlobalMaxPooling2D", "global_max_pooling2d", false, true, options)
}

// GlobalAveragePooling2D makes a layer that takes the mean of each channel of an image: (channels).
func GlobalAveragePooling2D(options ...LayerOption) Layer {
	return newGlobalPool("GlobalAveragePooling2D", "global_average_pooling2d", false, false, options)
}

// GlobalMaxPooling1D makes a layer that keeps the largest number of each channel of a sequence: (channels).
func GlobalMaxPooling1D(options ...LayerOption) Layer {
	return newGlobalPool("GlobalMaxPooling1D", "global_max_pooling1d", true, true, options)
}

// GlobalAveragePooling1D makes a layer that takes the mean of each channel of a sequence over its steps: (channels).
func GlobalAveragePooling1D(options ...LayerOption) Layer {
	return newGlobalPool("GlobalAveragePooling1D", "global_average_pooling1d", true, false, options)
}

// LayerOption is an argument of every layer that takes options: [Name].
type LayerOption interface {
	option
	layerOption()
}

type globalPoolLayer struct {
	BaseLayer
	sequence bool
	largest  bool // else the mean
}

func newGlobalPool(name, kind string, sequence, largest bool, options []LayerOption) Layer {
	l := &globalPoolLayer{sequence: sequence, largest: largest}
	l.layer.give(kind, name+"(…)", options)
	return l
}

// give names a layer that has no other options; call is how it is made.
func (c *layerCore) give(kind, call string, options []LayerOption) {
	c.kind = kind
	var s layerSettings
	applyOptions(&s, call, options)
	s.give(c)
}

// Build checks the shape.
func (l *globalPoolLayer) Build(input []int) error { return checkImage(input, l.sequence) }

// Forward pools.
func (l *globalPoolLayer) Forward(x *Tensor) *Tensor {
	if mask := x.stepMask(); l.sequence && mask != nil {
		if !l.largest {
			return x.maskedMean(mask)
		}
		x = x.pick("GlobalMaxPooling1D", x.shape[1], mask, filledUp)
	}
	if l.sequence {
		x = x.Reshape(x.shape[0], 1, x.shape[1], x.shape[2])
	}
	y := x.pooled(Pooling{Size: [2]int{x.shape[1], x.shape[2]}}, l.largest)
	return y.Reshape(y.shape[0], y.shape[3])
}

// Flatten makes a layer that lays a row's numbers next to each other: images to plain numbers, before a [Dense].
func Flatten(options ...LayerOption) Layer {
	l := &lambdaLayer{f: (*Tensor).Flatten}
	l.layer.give("flatten", "Flatten(…)", options)
	return l
}

// Reshape makes a layer that lays each row out in another shape. One size may be -1: it becomes what the others leave.
func Reshape(shape ...int) Layer {
	l := &lambdaLayer{f: func(x *Tensor) *Tensor { return x.reshapeRows(shape) }}
	l.layer.give("reshape", "Reshape"+callText(shape), nil)
	return l
}

func (x *Tensor) reshapeRows(shape []int) *Tensor {
	var room [6]int
	return x.Reshape(append(append(room[:0], x.shape[0]), shape...)...)
}
