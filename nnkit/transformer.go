package nnkit

import "fmt"

// TransformerEncoder makes a layer of the encoder of A. Vaswani et al., Attention is all you need, NeurIPS 2017, for
// sequences of shape (steps, features), which it keeps: attention of so many heads, and two dense layers, the first of
// feedForward units with ReLU, each added to its input and normalized. The features must be a multiple of the heads.
// Options are those of [MultiHeadAttention]; normalization has an epsilon of 0.00001, as in PyTorch.
func TransformerEncoder(heads, feedForward int, options ...AttentionOption) Layer {
	l := &encoderLayer{feedForward: feedForward, attention: attentionLayer{heads: heads, size: 1}}
	call := fmt.Sprintf("TransformerEncoder(%d, %d, …)", heads, feedForward)
	l.layer.kind = "transformer_encoder"
	l.attention.configure(call, options)
	if l.attention.layer.err == nil && feedForward < 1 {
		l.attention.layer.err = fmt.Errorf("%s: the units must be at least 1", call)
	}
	l.layer.name, l.layer.err, l.layer.made = l.attention.layer.name, l.attention.layer.err, l.attention.layer.made
	return l
}

type encoderLayer struct {
	BaseLayer
	attention                  attentionLayer
	feedForward                int
	up, upBias, down, downBias *Parameter
	gamma, beta                [2]*Parameter
}

const encoderEpsilon = 1e-5

// Build makes the parameters.
func (l *encoderLayer) Build(input []int) error {
	if len(input) != 2 || input[1]%l.attention.heads != 0 {
		return fmt.Errorf("gets rows of shape %s and wants sequences of shape (steps, features), the features a multiple of its %d heads",
			shapeText(input), l.attention.heads)
	}
	features := input[1]
	a := &l.attention
	a.size, a.layer.name, a.layer.parameters = features/a.heads, l.layer.name+"/attention", nil
	if err := a.Build(input); err != nil {
		return err
	}
	l.layer.parameters = append(l.layer.parameters, a.layer.parameters...)
	norm := func(i int) {
		l.gamma[i] = l.AddParameter(fmt.Sprintf("norm_%d/gamma", i+1), Ones, features)
		l.beta[i] = l.AddParameter(fmt.Sprintf("norm_%d/beta", i+1), Zeros, features)
	}
	norm(0)
	s := a.settings
	l.up = l.AddParameter("dense_1/kernel", s.initializer, features, l.feedForward)
	l.upBias = l.AddParameter("dense_1/bias", Zeros, l.feedForward)
	l.down = l.AddParameter("dense_2/kernel", s.initializer, l.feedForward, features)
	l.downBias = l.AddParameter("dense_2/bias", Zeros, features)
	norm(1)
	return nil
}

// Forward encodes.
func (l *encoderLayer) Forward(x *Tensor) *Tensor {
	x = l.normalize(0, x, l.attention.Forward(x))
	h := linear("TransformerEncoder", x, l.up.Tensor(), l.upBias.Tensor(), true)
	return l.normalize(1, x, linear("TransformerEncoder", h, l.down.Tensor(), l.downBias.Tensor(), false))
}

func (l *encoderLayer) normalize(i int, x, residual *Tensor) *Tensor {
	return normalizeRows("TransformerEncoder", x, residual, l.gamma[i].Tensor(), l.beta[i].Tensor(), rowNorm{epsilon: encoderEpsilon, spent: true})
}
