package nnkit

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/onnx"
	"github.com/seed5607215b/nnkit/nnkit/internal/safetensors"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// ExportONNX writes the model to a file in the format ONNX, operators of version 17, from which other programs predict: in
// a browser or on a phone, say. The input is named "input" and the output "output", several as here; they have any number of
// rows, shaped as here, images with the channels last. What only training does, dropout and the like, is left out. The numbers of an
// [Embedding]'s input are floats there, too.
//
// Layers of one's own and activations of [ActivationFunc] are not known to ONNX: the error names them.
func (m *Model) ExportONNX(path string) error {
	if err := m.hasWeights("ExportONNX"); err != nil {
		return err
	}
	data, err := m.onnx()
	if err == nil {
		err = safetensors.Replace(path, data)
	}
	if err != nil {
		return fmt.Errorf("ExportONNX: %w", err)
	}
	return nil
}

func (m *Model) onnx() ([]byte, error) {
	var e exporter
	inputs, names := make([]string, len(m.inputs)), []string{"output"}
	for i, in := range m.inputs {
		name := "input"
		if len(m.inputs) > 1 {
			name = in.name
		}
		inputs[i] = e.Input(name, in.shape...)
	}
	if len(m.outputs) > 1 {
		names = m.outputNames()
	}
	outputs, err := e.model(m, inputs)
	if err != nil {
		return nil, err
	}
	for i, x := range outputs {
		e.Output(names[i], x, m.shapes[m.outputs[i]]...)
	}
	text, err := m.source()
	if err != nil {
		text = "" // it is a description only
	}
	return e.Model("model", text), nil
}

// exporter writes layers as ONNX's operators.
type exporter struct{ onnx.Graph }

func (e *exporter) op(operator string, inputs ...string) string { return e.Node(operator, inputs) }

// parameter is a constant of a parameter's numbers; "" for none.
func (e *exporter) parameter(p *Parameter) string {
	if p == nil {
		return ""
	}
	return e.tensor(p.Tensor(), p.name)
}

func (e *exporter) tensor(x *Tensor, name string) string {
	return e.Floats(name, x.shape, x.data)
}

func (e *exporter) transpose(x string, order ...int) string {
	return e.Node("Transpose", []string{x}, onnx.Ints("perm", order...))
}

// reshape lays x out anew; 0 keeps a size.
func (e *exporter) reshape(x string, shape ...int) string {
	return e.op("Reshape", x, e.Ints(shape...))
}

func (e *exporter) chain(layers []Layer, x string) (_ string, err error) {
	for i, l := range layers {
		if x, err = e.layer(l, x); err != nil {
			return "", fmt.Errorf("%s: %w", l.core().where(i), err)
		}
	}
	return x, nil
}

// model writes a model's layers and returns its outputs.
func (e *exporter) model(m *Model, inputs []string) ([]string, error) {
	values := make([]string, len(m.last))
	copy(values, inputs)
	for _, c := range m.calls {
		in := make([]string, len(c.from))
		for i, v := range c.from {
			in[i] = values[v]
		}
		out, err := e.call(c.layer, in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.layer.core().where(c.at), err)
		}
		copy(values[c.to:], out)
	}
	outputs := make([]string, len(m.outputs))
	for i, v := range m.outputs {
		outputs[i] = values[v]
	}
	return outputs, nil
}

// call writes a layer that may have several inputs.
func (e *exporter) call(l Layer, inputs []string) ([]string, error) {
	switch l := l.(type) {
	case *Model:
		return e.model(l, inputs)
	case *mergeLayer:
		e.Scope(l.layer.name)
		y, err := e.merge(l, inputs)
		return []string{y}, err
	}
	y, err := e.layer(l, inputs[0])
	return []string{y}, err
}

func (e *exporter) merge(l *mergeLayer, inputs []string) (string, error) {
	switch l.merge {
	case ownMerge:
		return "", errors.New("ONNX does not know the function of a Merge: write what it does with Add, Multiply and their kin")
	case concatenation:
		return e.Node("Concat", inputs, onnx.Int("axis", -1)), nil
	}
	operator := [...]string{
		addition: "Add", averageOf: "Add", subtraction: "Sub", multiplication: "Mul", largestOf: "Max", smallestOf: "Min",
	}[l.merge]
	y := inputs[0]
	for _, x := range inputs[1:] {
		y = e.op(operator, y, x)
	}
	if l.merge == averageOf {
		y = e.op("Mul", y, e.Number(1/float64(len(inputs))))
	}
	return y, nil
}

func (e *exporter) layer(l Layer, x string) (string, error) {
	y, err := e.sums(l, x)
	if c := l.core(); err == nil && c.activation != nil {
		if _, inside := l.(*recurrentLayer); !inside {
			return e.activate(c.activation, y)
		}
	}
	return y, err
}

// sums is a layer before its activation.
func (e *exporter) sums(l Layer, x string) (string, error) {
	c := l.core()
	e.Scope(c.name)
	switch l := l.(type) {
	case *denseLayer:
		return e.product(x, l.kernel, l.bias), nil
	case *convLayer:
		return e.convolution(l, x), nil
	case *convTransposeLayer:
		return e.convTranspose(l, x), nil
	case *poolLayer:
		return e.pool(l, x), nil
	case *globalPoolLayer:
		axes := []int{1, 2}
		if l.sequence {
			axes = axes[:1]
		}
		operator := "ReduceMean"
		if l.largest {
			operator = "ReduceMax"
		}
		return e.Node(operator, []string{x}, onnx.Ints("axes", axes...), onnx.Int("keepdims", 0)), nil
	case *recurrentLayer:
		return e.recurrent(l, x), nil
	case *bidirectionalLayer:
		both := []string{e.recurrent(l.forward, x), e.recurrent(l.backward, x)}
		return e.Node("Concat", both, onnx.Int("axis", -1)), nil
	case *layerNormLayer:
		if !l.rms {
			return e.normalize(x, l.gamma, l.beta, l.epsilon), nil
		}
		square := e.Node("ReduceMean", []string{e.op("Mul", x, x)}, onnx.Ints("axes", -1), onnx.Int("keepdims", 1))
		return e.op("Mul", e.op("Div", x, e.root(square, l.epsilon)), e.parameter(l.gamma)), nil
	case *batchNormLayer:
		scale, offset := zeros(l.gamma.leaf.shape), zeros(l.gamma.leaf.shape)
		for i, v := range l.movingVariance.Data() {
			s := float64(l.gamma.Data()[i]) / math.Sqrt(float64(v)+l.epsilon)
			scale.data[i] = float32(s)
			offset.data[i] = float32(float64(l.beta.Data()[i]) - float64(l.movingMean.Data()[i])*s)
		}
		return e.op("Add", e.op("Mul", x, e.tensor(scale, c.name+"/scale")), e.tensor(offset, c.name+"/offset")), nil
	case *groupNormLayer:
		return e.groupNorm(l, x), nil
	case *embeddingLayer:
		if l.maskZero {
			return "", errors.New(noMasks)
		}
		index := e.Node("Cast", []string{x}, onnx.Int("to", 7)) // to int64
		return e.op("Gather", e.parameter(l.table), index), nil
	case *positionLayer:
		return e.op("Add", x, e.tensor(l.codes, c.name+"/codes")), nil
	case *learntPositionLayer:
		return e.op("Add", x, e.parameter(l.vectors)), nil
	case *preluLayer:
		return e.op("PRelu", x, e.parameter(l.slope)), nil
	case *attentionLayer:
		return e.attention(l, x, c.input[0]), nil
	case *encoderLayer:
		x = e.normalize(e.op("Add", x, e.attention(&l.attention, x, c.input[0])), l.gamma[0], l.beta[0], encoderEpsilon)
		h := e.product(e.op("Relu", e.product(x, l.up, l.upBias)), l.down, l.downBias)
		return e.normalize(e.op("Add", x, h), l.gamma[1], l.beta[1], encoderEpsilon), nil
	case *residualLayer:
		y, err := e.chain(l.layers, x)
		return e.op("Add", x, y), err
	case *Model:
		y, err := e.model(l, []string{x})
		if err != nil {
			return "", err
		}
		return y[0], nil
	case *maskingLayer:
		return "", errors.New(noMasks)
	case *dropoutLayer, *noiseLayer:
		return x, nil
	case *lambdaLayer:
		switch c.kind {
		case "flatten", "reshape":
			return e.reshape(x, append([]int{0}, c.output...)...), nil
		case "activation":
			return x, nil
		}
	}
	return "", errors.New("ONNX does not know this kind of layer: leave it out, or write what it does with layers of nnkit")
}

const noMasks = "ONNX has no masks: make a model without Masking and MaskZero for sequences of one length, and load the weights"

func (e *exporter) product(x string, kernel, bias *Parameter) string {
	y := e.op("MatMul", x, e.parameter(kernel))
	if bias == nil {
		return y
	}
	return e.op("Add", y, e.parameter(bias))
}

func (e *exporter) activate(a Activation, x string) (string, error) {
	switch a {
	case Linear:
		return x, nil
	case ReLU:
		return e.op("Relu", x), nil
	case Sigmoid, Tanh, Softplus, Softsign, HardSwish:
		return e.op(map[Activation]string{
			Sigmoid: "Sigmoid", Tanh: "Tanh", Softplus: "Softplus", Softsign: "Softsign", HardSwish: "HardSwish",
		}[a], x), nil
	case Softmax:
		return e.Node("Softmax", []string{x}, onnx.Int("axis", -1)), nil
	case LogSoftmax:
		return e.Node("LogSoftmax", []string{x}, onnx.Int("axis", -1)), nil
	case ELU:
		return e.Node("Elu", []string{x}, onnx.Float("alpha", 1)), nil
	case SELU:
		return e.Node("Selu", []string{x}, onnx.Float("alpha", simd.SELUAlpha/simd.SELUScale), onnx.Float("gamma", simd.SELUScale)), nil
	case HardSigmoid:
		return e.Node("HardSigmoid", []string{x}, onnx.Float("alpha", 1.0/6), onnx.Float("beta", 0.5)), nil
	case SiLU:
		return e.op("Mul", x, e.op("Sigmoid", x)), nil
	case Mish:
		return e.op("Mul", x, e.op("Tanh", e.op("Softplus", x))), nil
	case GELU:
		f := e.op("Erf", e.op("Mul", x, e.Number(math.Sqrt2/2)))
		return e.op("Mul", e.op("Mul", x, e.Number(0.5)), e.op("Add", f, e.Number(1))), nil
	case TanhGELU:
		cube := e.op("Mul", e.op("Mul", x, e.op("Mul", x, x)), e.Number(0.044715))
		f := e.op("Tanh", e.op("Mul", e.op("Add", x, cube), e.Number(math.Sqrt(2/math.Pi))))
		return e.op("Mul", e.op("Mul", x, e.Number(0.5)), e.op("Add", f, e.Number(1))), nil
	}
	if a, ok := a.(leakyReLU); ok {
		return e.Node("LeakyRelu", []string{x}, onnx.Float("alpha", a.slope)), nil
	}
	return "", fmt.Errorf("ONNX does not know the activation %s: use one of nnkit", a)
}

// channelsFirst and channelsLast bring an image, or a sequence, into ONNX's order and back.
func (e *exporter) channelsFirst(x string, sequence bool) string {
	if sequence {
		return e.transpose(x, 0, 2, 1)
	}
	return e.transpose(x, 0, 3, 1, 2)
}

func (e *exporter) channelsLast(x string, sequence bool) string {
	if sequence {
		return e.transpose(x, 0, 2, 1)
	}
	return e.transpose(x, 0, 2, 3, 1)
}

// window describes how something moves over an image, or a sequence: its size, strides, dilation and padding.
func window(sequence bool, size, strides, dilation [2]int, sides [2]side) []onnx.Attribute {
	from := 0
	if sequence {
		from = 1
	}
	var stride, rate, pads []int
	for i := from; i < 2; i++ {
		stride, rate, pads = append(stride, max(1, strides[i])), append(rate, max(1, dilation[i])), append(pads, sides[i].before)
	}
	for i := from; i < 2; i++ {
		pads = append(pads, sides[i].after)
	}
	list := []onnx.Attribute{onnx.Ints("kernel_shape", size[from:]...), onnx.Ints("strides", stride...), onnx.Ints("pads", pads...)}
	if dilation != [2]int{} {
		list = append(list, onnx.Ints("dilations", rate...))
	}
	return list
}

// image is the height and width that a layer sees.
func (c *layerCore) image() [2]int {
	if len(c.input) == 2 {
		return [2]int{1, c.input[0]}
	}
	return [2]int{c.input[0], c.input[1]}
}

func (e *exporter) convolution(l *convLayer, x string) string {
	s, kernel := &l.settings, l.kernel.Tensor()
	var size [2]int
	if l.sequence {
		size = [2]int{1, kernel.shape[0]}
		kernel = kernel.Transpose(0, 2)
	} else {
		size = [2]int{kernel.shape[0], kernel.shape[1]}
		kernel = kernel.Transpose(0, 3).Transpose(1, 2).Transpose(2, 3)
	}
	var sides [2]side
	for i, n := range l.layer.image() {
		sides[i] = s.conv.side(i, n, size[i])
	}
	inputs := []string{e.channelsFirst(x, l.sequence), e.tensor(kernel.Clone(), l.kernel.name)}
	if l.bias != nil {
		inputs = append(inputs, e.parameter(l.bias))
	}
	settings := append(window(l.sequence, size, s.conv.Strides, s.conv.Dilation, sides), onnx.Int("group", max(1, s.conv.Groups)))
	return e.channelsLast(e.Node("Conv", inputs, settings...), l.sequence)
}

func (e *exporter) convTranspose(l *convTransposeLayer, x string) string {
	s, kernel := &l.settings, l.kernel.Tensor()
	var sides [2]side
	var rest []int
	for i, n := range l.layer.image() {
		out, stride := l.layer.output[i], max(1, s.conv.Strides[i])
		sides[i] = s.conv.side(i, out, s.size[i])
		rest = append(rest, out-(stride*(n-1)+s.size[i]-sides[i].before-sides[i].after))
	}
	inputs := []string{e.channelsFirst(x, false), e.tensor(kernel.Transpose(0, 3).Transpose(1, 2).Transpose(2, 3), l.kernel.name)}
	if l.bias != nil {
		inputs = append(inputs, e.parameter(l.bias))
	}
	settings := append(window(false, s.size, s.conv.Strides, s.conv.Dilation, sides), onnx.Ints("output_padding", rest...))
	return e.channelsLast(e.Node("ConvTranspose", inputs, settings...), false)
}

func (e *exporter) pool(l *poolLayer, x string) string {
	p := l.pooling
	var sides [2]side
	for i, n := range l.layer.image() {
		if p.Strides[i] == 0 {
			p.Strides[i] = p.Size[i]
		}
		sides[i] = p.Padding.side(n, p.Size[i], p.Strides[i])
	}
	operator := "AveragePool" // of what is in the image, which is its default
	if l.largest {
		operator = "MaxPool"
	}
	y := e.Node(operator, []string{e.channelsFirst(x, l.sequence)}, window(l.sequence, p.Size, p.Strides, [2]int{}, sides)...)
	return e.channelsLast(y, l.sequence)
}

// root is √(x + epsilon).
func (e *exporter) root(x string, epsilon float64) string {
	return e.op("Sqrt", e.op("Add", x, e.Number(epsilon)))
}

func (e *exporter) normalize(x string, gamma, beta *Parameter, epsilon float64) string {
	return e.Node("LayerNormalization", []string{x, e.parameter(gamma), e.parameter(beta)}, onnx.Int("axis", -1), onnx.Float("epsilon", epsilon))
}

func (e *exporter) groupNorm(l *groupNormLayer, x string) string {
	shape := l.layer.input
	channels := shape[len(shape)-1]
	mean := func(x string) string {
		return e.Node("ReduceMean", []string{x}, onnx.Ints("axes", 1, 3), onnx.Int("keepdims", 1))
	}
	y := e.reshape(x, 0, sizeOf(shape)/channels, l.groups, channels/l.groups)
	y = e.op("Sub", y, mean(y))
	y = e.op("Div", y, e.root(mean(e.op("Mul", y, y)), l.epsilon))
	y = e.reshape(y, append([]int{0}, shape...)...)
	return e.op("Add", e.op("Mul", y, e.parameter(l.gamma)), e.parameter(l.beta))
}

func (e *exporter) recurrent(l *recurrentLayer, x string) string {
	units, columns := l.units, l.cell.Gates()*l.units
	order := func(x *Tensor) *Tensor { return x }
	operator := "RNN"
	settings := []onnx.Attribute{onnx.Int("hidden_size", units)}
	switch l.cell {
	case simd.LSTMCell: // input, output, forget, cell, where ours are input, forget, cell, output
		operator = "LSTM"
		order = func(x *Tensor) *Tensor {
			return Concat(0, x.Slice(0, units), x.Slice(3*units, 4*units), x.Slice(units, 3*units))
		}
	case simd.GRUCell:
		operator = "GRU"
		settings = append(settings, onnx.Int("linear_before_reset", 1))
	case simd.ReLUCell:
		settings = append(settings, onnx.Texts("activations", "Relu"))
	}
	if l.settings.backwards {
		settings = append(settings, onnx.Text("direction", "reverse"))
	}
	// One direction, in the first dimension of all of them.
	weights := func(p *Parameter) string {
		w := order(p.Tensor().Clone().Transpose(0, 1))
		return e.tensor(w.Reshape(1, columns, w.shape[1]), p.name)
	}
	inputs := []string{e.transpose(x, 1, 0, 2), weights(l.kernel), weights(l.recurrent)}
	if l.bias != nil {
		both := zeros([]int{2, columns})
		copy(both.data, l.bias.Data())
		for i := range 2 {
			copy(both.data[i*columns:], order(&Tensor{shape: []int{columns}, data: both.data[i*columns : (i+1)*columns]}).Clone().data)
		}
		inputs = append(inputs, e.tensor(both.Reshape(1, 2*columns), l.bias.name))
	}
	out := e.Nodes(operator, 2, inputs, settings...)
	if !l.settings.sequences {
		return e.op("Squeeze", out[1], e.Ints(0))
	}
	return e.transpose(e.op("Squeeze", out[0], e.Ints(1)), 1, 0, 2)
}

func (e *exporter) attention(l *attentionLayer, x string, steps int) string {
	width := l.heads * l.size
	parts := e.Nodes("Split", 3, []string{e.product(x, l.kernel, l.bias), e.Ints(width, width, width)}, onnx.Int("axis", -1))
	heads := func(i int, order ...int) string {
		return e.transpose(e.reshape(parts[i], 0, 0, l.heads, l.size), order...)
	}
	scores := e.op("Mul", e.op("MatMul", heads(0, 0, 2, 1, 3), heads(1, 0, 2, 3, 1)), e.Number(1/math.Sqrt(float64(l.size))))
	if l.settings.causal {
		mask := zeros([]int{steps, steps})
		for i := range steps {
			fill(mask.data[i*steps+i+1:(i+1)*steps], -1e30)
		}
		scores = e.op("Add", scores, e.tensor(mask, l.layer.name+"/mask"))
	}
	seen := e.op("MatMul", e.Node("Softmax", []string{scores}, onnx.Int("axis", -1)), heads(2, 0, 2, 1, 3))
	return e.product(e.reshape(e.transpose(seen, 0, 2, 1, 3), 0, 0, width), l.output, l.lastBias)
}
