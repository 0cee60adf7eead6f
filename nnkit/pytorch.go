package nnkit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// FromPyTorch reads the state_dict of a PyTorch model, as safetensors.torch.save_file writes it, into a model of the same
// layers: weights of Linear and convolutions are turned round, the gates of a GRU put in order, the two biases of an LSTM
// added, and where images are flattened the rows of the next kernel follow the change from channels first to channels last.
//
// The modules are named in the order of the model's layers with parameters: FromPyTorch("conv1", "conv2", "fc"). An LSTM
// of several layers is named once for each. Without names a module goes into the layer of its name, or if all are numbers,
// as in PyTorch's Sequential, they go into the layers in their order.
//
//	err := model.LoadWeights("mnist.safetensors", nnkit.FromPyTorch())
func FromPyTorch(modules ...string) LoadOption { return pyTorch(modules) }

type pyTorch []string

func (modules pyTorch) load(l *loading, m *Model) error {
	leaves := m.leaves()
	for i := range leaves {
		if leaves[i].unknown {
			return fmt.Errorf("FromPyTorch does not know the layer %q: load without it, and set what its Parameters hold", leaves[i].name)
		}
	}
	names, err := modules.resolve(l, leaves)
	if err != nil {
		return err
	}
	count := map[string]int{}
	for i, leaf := range leaves {
		t := torchModule{loading: l, name: names[i], index: count[names[i]]}
		count[names[i]]++
		t.layer(leaf)
		if t.err != nil {
			return t.err
		}
	}
	for name := range l.file { // a count that nothing here needs
		if strings.HasSuffix(name, ".num_batches_tracked") {
			l.used[name] = true
		}
	}
	return nil
}

// resolve finds the module of each layer.
func (modules pyTorch) resolve(l *loading, leaves []leaf) ([]string, error) {
	if len(modules) > 0 {
		if len(modules) != len(leaves) {
			return nil, fmt.Errorf("FromPyTorch names %d %s, but the model has %d %s with parameters: name one for each, in order",
				len(modules), plural(len(modules), "module"), len(leaves), plural(len(leaves), "layer"))
		}
		return modules, nil
	}
	has := func(module string) bool {
		return slices.ContainsFunc(l.order, func(name string) bool { return strings.HasPrefix(name, module+".") })
	}
	var same []string
	for _, leaf := range leaves {
		if module := strings.ReplaceAll(leaf.name, "/", "."); has(module) {
			same = append(same, module)
		}
	}
	if len(same) == len(leaves) {
		return same, nil
	}
	var tops []string
	numbers := true
	for _, name := range l.order {
		top, _, _ := strings.Cut(name, ".")
		if !slices.Contains(tops, top) {
			tops = append(tops, top)
			_, err := strconv.Atoi(top)
			numbers = numbers && err == nil
		}
	}
	if !numbers || len(tops) != len(leaves) {
		return nil, fmt.Errorf("the file has the modules %s, and the model the layers %s: name their modules in this order as arguments of FromPyTorch",
			several(tops), several(namesOf(leaves)))
	}
	slices.SortFunc(tops, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return tops, nil
}

// leaf is a layer that has parameters itself.
type leaf struct {
	layer   Layer
	name    string
	image   []int // the shape of which PyTorch flattens the channels first, before this layer; else nil
	unknown bool
}

func namesOf(leaves []leaf) []string {
	names := make([]string, len(leaves))
	for i, l := range leaves {
		names[i] = l.name
	}
	return names
}

// outer is a layer that is made of others.
type outer interface{ inner() []Layer }

// leaves lists the layers with parameters.
func (m *Model) leaves() (list []leaf) {
	var image []int
	channels := false // a convolution or a pooling came last, so that PyTorch has the channels first
	var walk func(layers []Layer)
	walk = func(layers []Layer) {
		for _, l := range layers {
			c := l.core()
			known := true
			switch l := l.(type) {
			case *bidirectionalLayer:
				channels = false
			case outer:
				walk(l.inner())
				continue
			case *convLayer, *convTransposeLayer, *poolLayer:
				channels = true
			case *recurrentLayer, *embeddingLayer, *attentionLayer, *encoderLayer:
				channels = false
			case *lambdaLayer:
				if c.kind == "flatten" && (len(c.input) == 3 || len(c.input) == 2 && channels) {
					image = c.input
				}
			case *denseLayer, *layerNormLayer, *batchNormLayer, *groupNormLayer, *preluLayer:
			default:
				known = false
			}
			if len(c.parameters) == 0 {
				continue
			}
			list = append(list, leaf{layer: l, name: c.name, image: image, unknown: !known})
			if _, ok := l.(*denseLayer); ok {
				image = nil
			}
		}
	}
	walk(m.layers)
	return list
}

// torchModule is a module on its way into a layer.
type torchModule struct {
	*loading
	name  string
	index int // of the layer in a module of several
	err   error
}

// set takes a tensor of the module, of the given shape, into a parameter, which may be nil; to lays it out as ours.
func (t *torchModule) set(p *Parameter, name string, shape []int, to func(*Tensor) *Tensor) {
	if p == nil || t.err != nil {
		return
	}
	x, err := t.take(t.name+"."+name, shape...)
	if t.err = err; x != nil {
		t.values[p] = to(x).data
	}
}

func asItIs(x *Tensor) *Tensor   { return x }
func turned(x *Tensor) *Tensor   { return x.Transpose(0, 1) }
func reversed(x *Tensor) *Tensor { return x.Transpose(0, 2) }

// channelsLast makes (out, in, height, width) a kernel of ours.
func channelsLast(x *Tensor) *Tensor { return x.Transpose(0, 2).Transpose(1, 3).Transpose(2, 3) }

func (t *torchModule) plain(p *Parameter, name string) {
	if p != nil {
		t.set(p, name, p.leaf.shape, asItIs)
	}
}

func (t *torchModule) linear(kernel, bias *Parameter, name, biasName string) {
	in, out := kernel.leaf.shape[0], kernel.leaf.shape[1]
	t.set(kernel, name, []int{out, in}, turned)
	t.plain(bias, biasName)
}

func (t *torchModule) layer(leaf leaf) {
	switch l := leaf.layer.(type) {
	case *denseLayer:
		t.linear(l.kernel, l.bias, "weight", "bias")
		if k := t.values[l.kernel]; k != nil && leaf.image != nil && sizeOf(leaf.image) == l.kernel.leaf.shape[0] {
			t.values[l.kernel] = flattened(leaf.image, k)
		}
	case *convLayer:
		s := l.kernel.leaf.shape
		if l.sequence {
			t.set(l.kernel, "weight", []int{s[2], s[1], s[0]}, reversed)
		} else {
			t.set(l.kernel, "weight", []int{s[3], s[2], s[0], s[1]}, channelsLast)
		}
		t.plain(l.bias, "bias")
	case *convTransposeLayer:
		s := l.kernel.leaf.shape
		t.set(l.kernel, "weight", []int{s[3], s[2], s[0], s[1]}, channelsLast)
		t.plain(l.bias, "bias")
	case *recurrentLayer:
		t.recurrent(l, "")
	case *bidirectionalLayer:
		t.recurrent(l.forward, "")
		t.recurrent(l.backward, "_reverse")
	case *layerNormLayer:
		t.plain(l.gamma, "weight")
		t.plain(l.beta, "bias")
	case *batchNormLayer:
		t.plain(l.gamma, "weight")
		t.plain(l.beta, "bias")
		t.plain(l.movingMean, "running_mean")
		t.plain(l.movingVariance, "running_var")
	case *groupNormLayer:
		t.plain(l.gamma, "weight")
		t.plain(l.beta, "bias")
	case *preluLayer:
		t.plain(l.slope, "weight")
	case *embeddingLayer:
		t.plain(l.table, "weight")
	case *attentionLayer:
		t.attention(l, "")
	case *encoderLayer:
		t.attention(&l.attention, "self_attn.")
		t.linear(l.up, l.upBias, "linear1.weight", "linear1.bias")
		t.linear(l.down, l.downBias, "linear2.weight", "linear2.bias")
		for i := range l.gamma {
			t.plain(l.gamma[i], fmt.Sprintf("norm%d.weight", i+1))
			t.plain(l.beta[i], fmt.Sprintf("norm%d.bias", i+1))
		}
	}
}

// flattened moves the rows of a kernel behind a flattened image, or sequence, from the order of channels first to ours.
func flattened(image []int, kernel []float32) []float32 {
	places, channels := sizeOf(image[:len(image)-1]), image[len(image)-1]
	x := &Tensor{shape: []int{channels, places, len(kernel) / (channels * places)}, data: kernel}
	return x.Transpose(0, 1).data
}

func (t *torchModule) attention(l *attentionLayer, prefix string) {
	t.linear(l.kernel, l.bias, prefix+"in_proj_weight", prefix+"in_proj_bias")
	t.linear(l.output, l.lastBias, prefix+"out_proj.weight", prefix+"out_proj.bias")
}

func (t *torchModule) recurrent(l *recurrentLayer, suffix string) {
	units, columns := l.units, l.kernel.leaf.shape[1]
	order := func(x *Tensor) *Tensor { return x }
	if l.cell == simd.GRUCell { // PyTorch has reset before update
		order = func(x *Tensor) *Tensor {
			return Concat(0, x.Slice(units, 2*units), x.Slice(0, units), x.Slice(2*units, 3*units))
		}
	}
	columnsOf := func(x *Tensor) *Tensor { return turned(order(x)) }
	suffix = fmt.Sprintf("_l%d%s", t.index, suffix)
	t.set(l.kernel, "weight_ih"+suffix, []int{columns, l.kernel.leaf.shape[0]}, columnsOf)
	t.set(l.recurrent, "weight_hh"+suffix, []int{columns, units}, columnsOf)
	if l.bias == nil || t.err != nil {
		return
	}
	inputs, err := t.take(t.name+".bias_ih"+suffix, columns)
	if err == nil {
		var state *Tensor
		if state, err = t.take(t.name+".bias_hh"+suffix, columns); inputs != nil && state != nil {
			if l.cell == simd.GRUCell {
				t.values[l.bias] = Concat(0, order(inputs), order(state)).data
			} else {
				t.values[l.bias] = inputs.Add(state).data
			}
		}
	}
	t.err = err
}
