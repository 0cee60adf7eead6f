package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Saliency returns how much each number of x moves one output of the model, which is numbered from 0: the absolute
// gradient, for each row, in the shape of x. Outputs of a softmax or a sigmoid are taken before it, where they do not
// saturate. K. Simonyan et al., Deep inside convolutional networks, 2013.
func Saliency(m *Model, x any, output int) (*Tensor, error) {
	g, err := m.inputGradient("Saliency", x, output)
	if err != nil {
		return nil, err
	}
	simd.Abs(g.data, g.data)
	return g, nil
}

// InputGradient returns the gradient of one output of the model, which is numbered from 0, with respect to x, for each
// row, in the shape of x. Outputs of a softmax or a sigmoid are taken before it.
func InputGradient(m *Model, x any, output int) (*Tensor, error) {
	return m.inputGradient("InputGradient", x, output)
}

func (m *Model) inputGradient(caller string, x any, output int) (*Tensor, error) {
	in, err := m.explained(caller, x)
	if err != nil {
		return nil, err
	}
	g := zeros(in.shape)
	err = m.differentiate(caller, in, output, 0, func(lo int, x, _ *node) {
		copy(g.data[lo*len(x.data)/max(1, x.shape[0]):], x.gradient())
	})
	return g, err
}

// IntegratedGradients returns what each number of x contributes to one output of the model, compared with a baseline of
// zeros: the gradient's mean along the straight way from the baseline, in steps, times the number. For each row they add up to the
// change of the output, up to the error of the steps; 50 are a good number. M. Sundararajan et al., Axiomatic attribution
// for deep networks, ICML 2017.
func IntegratedGradients(m *Model, x any, output, steps int) (*Tensor, error) {
	const caller = "IntegratedGradients"
	if steps < 1 {
		return nil, fmt.Errorf("%s: %d steps: there must be at least 1", caller, steps)
	}
	in, err := m.explained(caller, x)
	if err != nil {
		return nil, err
	}
	sum, at := zeros(in.shape), zeros(in.shape)
	for s := range steps {
		simd.Scale(at.data, in.data, float32((float64(s)+0.5)/float64(steps)))
		err := m.differentiate(caller, at, output, 0, func(lo int, x, _ *node) {
			part := sum.data[lo*len(x.data)/max(1, x.shape[0]):][:len(x.data)]
			simd.Add(part, part, x.gradient())
		})
		if err != nil {
			return nil, err
		}
	}
	simd.Scale(sum.data, sum.data, 1/float32(steps))
	simd.Multiply(sum.data, sum.data, in.data)
	return sum, nil
}

// GradCAM returns where in an image a convolutional layer, given by its name, sees what speaks for one output of the
// model: for each row a map of the layer's height and width, at least 0, its channels weighted by the means of their
// gradients. R. R. Selvaraju et al., Grad-CAM, ICCV 2017.
func GradCAM(m *Model, x any, layer string, output int) (*Tensor, error) {
	const caller = "GradCAM"
	in, err := m.explained(caller, x)
	if err != nil {
		return nil, err
	}
	at, err := m.layerNamed(caller, layer)
	if err != nil {
		return nil, err
	}
	shape := m.shapes[at]
	if len(shape) != 3 {
		return nil, fmt.Errorf("%s: layer %q puts out rows of shape %s, and images of shape (height, width, channels) are needed: "+
			"name a convolutional layer", caller, layer, shapeText(shape))
	}
	places, channels := shape[0]*shape[1], shape[2]
	maps := zeros([]int{in.shape[0], shape[0], shape[1]})
	weight := make([]float32, channels)
	err = m.differentiate(caller, in, output, at, func(lo int, _, y *node) {
		g := y.gradient()
		for r := range y.shape[0] {
			from := r * places * channels
			simd.ColumnSums(weight, g[from:from+places*channels], places, channels)
			simd.Scale(weight, weight, 1/float32(places))
			for p := range places {
				v := float32(simd.Dot(weight, y.data[from+p*channels:][:channels]))
				maps.data[(lo+r)*places+p] = max(v, 0)
			}
		}
	})
	return maps, err
}

// Activations returns what a layer, given by its name, puts out for rows of x.
func Activations(m *Model, x any, layer string) (*Tensor, error) {
	const caller = "Activations"
	in, err := m.explained(caller, x)
	if err != nil {
		return nil, err
	}
	at, err := m.layerNamed(caller, layer)
	if err != nil {
		return nil, err
	}
	y := zeros(append([]int{in.shape[0]}, m.shapes[at]...))
	_, width := y.rows()
	err = m.upTo(caller, in, m.makerAt(at)+1, func(lo int, values *stack) {
		copy(y.data[lo*width:], values.at[at].data)
	})
	return y, err
}

// upTo goes forwards through the first calls of layers, some rows at a time, and shows the values, the rows from lo on.
func (m *Model) upTo(caller string, x *Tensor, calls int, see func(lo int, values *stack)) error {
	n, width := x.rows()
	w := network{m: m}
	given := rows{n: n, x: []columns{{width, x.data}}}
	step := m.inferenceRows()
	for lo := 0; lo < n; lo += step {
		w.enter(&given, lo, min(lo+step, n))
		if err := m.through(&w.tape, 0, calls); err != nil {
			return fmt.Errorf("%s: %w", caller, err)
		}
		see(lo, &w.tape.values)
	}
	return nil
}

// Occlusion returns how much one output of the model falls when a square of an image is covered by zeros: for each row a
// map of the image's height and width, each place with the mean of the squares of the given size, next to each other, that
// cover it. Outputs of a softmax or a sigmoid are taken as they are. M. D. Zeiler and R. Fergus, Visualizing and
// understanding convolutional networks, ECCV 2014.
func Occlusion(m *Model, x any, output, size int) (*Tensor, error) {
	const caller = "Occlusion"
	in, err := m.explained(caller, x)
	if err != nil {
		return nil, err
	}
	if len(in.shape) != 4 {
		return nil, fmt.Errorf("%s: x has the shape %s: rows of images, (height, width, channels), are needed", caller, shapeText(in.shape))
	}
	if size < 1 {
		return nil, fmt.Errorf("%s: the size %d must be at least 1", caller, size)
	}
	whole, err := m.Predict(in)
	if err != nil {
		return nil, err
	}
	if err := m.checkOutput(caller, output, whole.shape); err != nil {
		return nil, err
	}
	rows, height, width, channels := in.shape[0], in.shape[1], in.shape[2], in.shape[3]
	_, outputs := whole.rows()
	maps, covered := zeros([]int{rows, height, width}), in.Clone()
	for top := 0; top < height; top += size {
		for left := 0; left < width; left += size {
			copy(covered.data, in.data)
			each := func(visit func(r, place int)) {
				for r := range rows {
					for y := top; y < min(top+size, height); y++ {
						for x := left; x < min(left+size, width); x++ {
							visit(r, (r*height+y)*width+x)
						}
					}
				}
			}
			each(func(_, place int) { clear(covered.data[place*channels:][:channels]) })
			p, err := m.Predict(covered)
			if err != nil {
				return nil, err
			}
			each(func(r, place int) { maps.data[place] = whole.data[r*outputs+output] - p.data[r*outputs+output] })
		}
	}
	return maps, nil
}

// PermutationImportance returns how much the loss of the model rises, on average, when a feature's values are shuffled
// among the rows, for each feature: those of which the model makes no use have 0. It shuffles so many times, by a seed, and the
// model must be compiled. L. Breiman, Random forests, Machine Learning 45, 2001.
func PermutationImportance(m *Model, x, y any, repeats, seed int) ([]float64, error) {
	const caller = "PermutationImportance"
	if repeats < 1 {
		return nil, fmt.Errorf("%s: %d repeats: there must be at least 1", caller, repeats)
	}
	if err := m.isCompiled(caller); err != nil {
		return nil, err
	}
	in, err := m.explained(caller, x)
	if err != nil {
		return nil, err
	}
	before, err := m.Evaluate(in, y)
	if err != nil {
		return nil, err
	}
	n, width := in.rows()
	shuffled, order := in.Clone(), make([]int32, n)
	importance := make([]float64, width)
	for feature := range importance {
		for r := range repeats {
			random.Stream{Seed: uint64(int64(seed)), Purpose: random.Shuffle, Index: uint32(feature*repeats + r)}.Permutation(order)
			for i, from := range order {
				shuffled.data[i*width+feature] = in.data[int(from)*width+feature]
			}
			after, err := m.Evaluate(shuffled, y)
			if err != nil {
				return nil, err
			}
			importance[feature] += (after.Value("loss") - before.Value("loss")) / float64(repeats)
		}
		for i := range n {
			shuffled.data[i*width+feature] = in.data[i*width+feature]
		}
	}
	return importance, nil
}

// explained converts what a model is to be explained for.
func (m *Model) explained(caller string, x any) (*Tensor, error) {
	if err := m.problem(caller); err != nil {
		return nil, err
	}
	if err := m.ready(caller); err != nil {
		return nil, err
	}
	if len(m.inputs) > 1 || len(m.outputs) > 1 {
		return nil, fmt.Errorf("%s: it explains models of one input and one output, and this one has %s and %s", caller,
			countOf(len(m.inputs), "input", "inputs"), countOf(len(m.outputs), "output", "outputs"))
	}
	t, err := tensorOf(caller, "x", x)
	if err != nil {
		return nil, err
	}
	t = m.oneRow(t, 0)
	if err := m.fits(caller, "x", t, 0); err != nil {
		return nil, err
	}
	n, _ := t.rows()
	return &Tensor{shape: append([]int{n}, m.inputs[0].shape...), data: t.data}, nil
}

// layerNamed returns the value that a layer puts out, in its first call if it is shared.
func (m *Model) layerNamed(caller, name string) (value int, err error) {
	for _, c := range m.calls {
		if c.layer.core().name == name {
			return c.to, nil
		}
	}
	return 0, fmt.Errorf("%s: there is no layer %q: see the model's summary for their names", caller, name)
}

func (m *Model) checkOutput(caller string, output int, shape []int) error {
	if outputs := sizeOf(shape[1:]); output < 0 || output >= outputs {
		return fmt.Errorf("%s: there is no output %d: the model has the outputs 0 to %d", caller, output, outputs-1)
	}
	return nil
}

// differentiate goes forwards and backwards from one output, some rows at a time, and shows the nodes of the input and of a
// value, with their gradients.
func (m *Model) differentiate(caller string, x *Tensor, output, value int, see func(lo int, x, y *node)) error {
	t := NewTape()
	n, width := x.rows()
	step := m.inferenceRows()
	between := 0
	if value >= len(m.inputs) {
		between = m.makerAt(value) + 1
	}
	for lo := 0; lo < n; lo += step {
		hi := min(lo+step, n)
		t.Reset()
		s := t.stack()
		s.push(len(m.last))
		in := t.Watch(&Tensor{shape: append([]int{hi - lo}, m.inputs[0].shape...), data: x.data[lo*width : hi*width]})
		s.at[0] = in
		if err := m.through(t, 0, between); err != nil {
			return fmt.Errorf("%s: %w", caller, err)
		}
		s.at[value] = t.Watch(s.at[value])
		inside := s.at[value]
		if err := m.through(t, between, len(m.calls)); err != nil {
			return fmt.Errorf("%s: %w", caller, err)
		}
		out := s.at[m.outputs[0]]
		if err := m.checkOutput(caller, output, out.shape); err != nil {
			return err
		}
		from := out.node
		if z, a := sums(out); a != nil {
			from = z
		}
		if !from.wanted {
			return fmt.Errorf("%s: the output does not depend on x", caller)
		}
		t.begin()
		g := t.part(from)
		clear(g.data)
		outputs := len(out.data) / (hi - lo)
		for r := range hi - lo {
			g.data[r*outputs+output] = 1
		}
		t.contribute(g)
		t.backward(from)
		for _, n := range []*node{in.node, inside.node} {
			if n.slope == nil {
				n.slope = t.memory.take(len(n.data))
				clear(n.slope.data)
			}
		}
		see(lo, in.node, inside.node)
	}
	return nil
}
