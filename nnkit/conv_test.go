package nnkit

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Shapes and numbers of parameters, as Keras' summary has them.
func TestImageLayers(t *testing.T) {
	for _, test := range []struct {
		layer      Layer
		input      []int
		output     []int
		parameters int
	}{
		{Conv2D(32, 3, ReLU), []int{28, 28, 1}, []int{26, 26, 32}, 320},
		{Conv2D(32, 3, SamePadding, Strides(2)), []int{28, 27, 3}, []int{14, 14, 32}, 896},
		{Conv2D(6, 5, KernelSize(3, 1), UseBias(false)), []int{10, 10, 4}, []int{8, 10, 6}, 72},
		{Conv2D(8, 3, Groups(4), DilationRate(2, 1)), []int{10, 10, 4}, []int{6, 8, 8}, 80},
		{Conv2D(4, 1, Strides(2, 3)), []int{10, 10, 4}, []int{5, 4, 4}, 20},
		{Conv1D(16, 3, CausalPadding, DilationRate(4)), []int{50, 8}, []int{50, 16}, 400},
		{Conv1D(16, 3, Strides(2)), []int{50, 8}, []int{24, 16}, 400},
		{MaxPooling2D(2), []int{28, 27, 6}, []int{14, 13, 6}, 0},
		{MaxPooling2D(3, Strides(2), SamePadding), []int{28, 27, 6}, []int{14, 14, 6}, 0},
		{AveragePooling2D(2), []int{4, 4, 1}, []int{2, 2, 1}, 0},
		{MaxPooling1D(3), []int{10, 2}, []int{3, 2}, 0},
		{AveragePooling1D(3, Strides(1)), []int{10, 2}, []int{8, 2}, 0},
		{GlobalAveragePooling2D(), []int{7, 5, 9}, []int{9}, 0},
		{GlobalMaxPooling2D(), []int{7, 5, 9}, []int{9}, 0},
		{GlobalMaxPooling1D(), []int{7, 9}, []int{9}, 0},
		{GlobalAveragePooling1D(), []int{7, 9}, []int{9}, 0},
		{Flatten(), []int{7, 5, 9}, []int{315}, 0},
		{Reshape(-1, 3), []int{7, 6}, []int{14, 3}, 0},
	} {
		m := Sequential(Input(test.input...), test.layer)
		if m.err != nil {
			t.Error(m.err)
			continue
		}
		l := m.Layers()[0]
		n := 0
		for _, p := range l.Parameters {
			n += p.Len()
		}
		if !slices.Equal(l.OutputShape, test.output) || n != test.parameters {
			t.Errorf("%s of %v: the output is %v with %d parameters, want %v with %d", l.Kind, test.input, l.OutputShape, n, test.output, test.parameters)
		}
	}
}

func TestImageLayerErrors(t *testing.T) {
	for _, test := range []struct {
		layers []Layer
		want   string
	}{
		{[]Layer{Conv2D(0, 3)}, "Sequential: layer 1: Conv2D(0, 3, …): the number of filters must be at least 1"},
		{[]Layer{Conv2D(3, 0)}, "Conv2D(3, 0, …): the size of the kernel must be at least 1"},
		{[]Layer{Conv2D(3, 3, nil)}, "Conv2D(3, 3, …): option 1 is nil"},
		{[]Layer{Conv2D(3, 3, Groups(2))}, "Conv2D(3, 3, …): Groups(2): the number of filters must be a multiple of it"},
		{[]Layer{Conv2D(3, 3, Groups(0))}, "Groups(0): it must be at least 1"},
		{[]Layer{Conv2D(3, 3, Strides(1, 2, 3))}, "Strides(1, 2, 3): give one number, or two for down and across"},
		{[]Layer{Conv2D(3, 3, Strides(0))}, "Strides(0): it must be at least 1"},
		{[]Layer{Conv2D(3, 3, CausalPadding)}, "Conv2D(3, 3, …): CausalPadding is for sequences, Conv1D"},
		{[]Layer{MaxPooling2D(0)}, "MaxPooling2D(0, …): the size of the window must be at least 1"},
		{[]Layer{MaxPooling2D(2, CausalPadding)}, "MaxPooling2D(2, …): CausalPadding is for convolutions"},
		{
			[]Layer{Input(28, 28), Conv2D(3, 3)},
			`conv2d layer "conv2d_1" (layer 1): gets rows of shape (28, 28) and wants (height, width, channels): for a single channel begin with nnkit.Input(28, 28, 1)`,
		},
		{
			[]Layer{Input(4, 4, 1), Conv2D(3, 5)},
			`conv2d layer "conv2d_1" (layer 1): Conv2D: a kernel of shape (5, 5, 1, 3) does not fit into x of shape (1, 4, 4, 1): use a smaller one, or SamePadding`,
		},
		{
			[]Layer{Input(4, 4, 3), Conv2D(4, 3, Groups(2))},
			`conv2d layer "conv2d_1" (layer 1): cannot cut 3 channels into 2 groups: they must be a multiple of it`,
		},
		{
			[]Layer{Input(4, 1, 3), MaxPooling2D(2)},
			`max_pooling2d layer "max_pooling2d_1" (layer 1): MaxPool2D: a window of 2×2 does not fit into images of 4×1: use a smaller one, or SamePadding`,
		},
		{[]Layer{Input(10), Reshape(3, -1)}, `reshape layer "reshape_1" (layer 1): Reshape: 10 numbers of shape (1, 10) cannot be laid out as (1, 3, -1)`},
	} {
		err := Sequential(test.layers...).Compile(Adam(), MeanSquaredError)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", err, test.want)
		}
	}
}

// stripes are images of 12×12 with lines in one of three directions, and some noise.
func stripes(n int) (x *Tensor, y []int) {
	const size = 12
	x = zeros([]int{n, size, size, 1})
	s := random.Stream{Seed: 31}
	for i := range n {
		class, phase := s.Int(2*i, 3), s.Int(2*i+1, 4)
		y = append(y, class)
		for r := range size {
			for c := range size {
				at := []int{r, c, r + c}[class]
				v := random.Stream{Seed: 32, Index: uint32(i)}.Normal(r*size + c)
				if (at+phase)%4 < 2 {
					v += 1.5
				}
				x.data[(i*size+r)*size+c] = float32(v)
			}
		}
	}
	return x, y
}

// A small convolutional network learns which way lines run, which a look at single pixels cannot tell.
func TestConvolutionLearns(t *testing.T) {
	x, y := stripes(300)
	m := Sequential(Conv2D(8, 3, ReLU, SamePadding), MaxPooling2D(2), Conv2D(8, 3, ReLU), GlobalAveragePooling2D(), Dense(3, Softmax))
	h := train(t, m, SparseCategoricalCrossEntropy, x, y, Epochs(15), ValidationSplit(0.3))
	if got := h.Last("val_accuracy"); got < 0.95 {
		t.Errorf("the accuracy is %v", got)
	}
}

func TestConvolutionAllocatesNothing(t *testing.T) {
	x, y := stripes(24)
	m := Sequential(Conv2D(8, 3, ReLU, SamePadding), MaxPooling2D(2), Conv2D(8, 3, Tanh), AveragePooling2D(2), Flatten(), Dense(3, Softmax))
	f := fitOf(t, m, 24, Adam(), SparseCategoricalCrossEntropy, x, y)
	if n := testing.AllocsPerRun(5, func() {
		if err := f.batch(f.order); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}
