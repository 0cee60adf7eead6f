package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// PositionalEncoding makes a layer that adds to each step of a sequence, (steps, features), sines and cosines of its place
// in wavelengths from 2π to 20000π, by which attention can tell steps apart. A. Vaswani et al., Attention is all you need,
// NeurIPS 2017.
func PositionalEncoding(options ...LayerOption) Layer {
	l := &positionLayer{}
	l.layer.give("positional_encoding", "PositionalEncoding(…)", options)
	return l
}

type positionLayer struct {
	BaseLayer
	codes *Tensor // (steps, features)
}

// Build works out the codes.
func (l *positionLayer) Build(input []int) error {
	if len(input) != 2 {
		return fmt.Errorf("gets rows of shape %s and wants sequences of shape (steps, features)", shapeText(input))
	}
	steps, features := input[0], input[1]
	l.codes = zeros(input)
	for i := 0; i < features; i += 2 {
		// Each step turns by the same angle. Package math need not have the same bits on every machine.
		rate := simd.Exp64(-math.Ln10 * 4 * float64(i) / float64(features))
		sin1, cos1 := sincos(rate)
		sin, cos := 0.0, 1.0
		for t := range steps {
			l.codes.data[t*features+i] = float32(sin)
			if i+1 < features {
				l.codes.data[t*features+i+1] = float32(cos)
			}
			sin, cos = float64(sin*cos1)+float64(cos*sin1), float64(cos*cos1)-float64(sin*sin1)
		}
	}
	return nil
}

// sincos returns the sine and cosine of an angle from 0 to 1, by their series.
func sincos(x float64) (sin, cos float64) {
	square := float64(x * x)
	sin, cos = 1, 1
	for n := 20.0; n > 0; n -= 2 { // Horner's scheme
		sin = 1 - float64(square/(n*(n+1))*sin)
		cos = 1 - float64(square/(n*(n-1))*cos)
	}
	return float64(x * sin), cos
}

// Forward adds the codes.
func (l *positionLayer) Forward(x *Tensor) *Tensor { return x.Add(l.codes) }

// PositionEmbedding makes a layer that adds to each step of a sequence, (steps, features), a trained vector for its place.
func PositionEmbedding(options ...LayerOption) Layer {
	l := &learntPositionLayer{}
	l.layer.give("position_embedding", "PositionEmbedding(…)", options)
	return l
}

type learntPositionLayer struct {
	BaseLayer
	vectors *Parameter
}

// Build makes the vectors.
func (l *learntPositionLayer) Build(input []int) error {
	if len(input) != 2 {
		return fmt.Errorf("gets rows of shape %s and wants sequences of shape (steps, features)", shapeText(input))
	}
	l.vectors = l.AddParameter("embeddings", RandomUniform(-0.05, 0.05), input...)
	return nil
}

// Forward adds the vectors.
func (l *learntPositionLayer) Forward(x *Tensor) *Tensor { return x.Add(l.vectors.Tensor()) }

// PReLU makes a layer that is x above 0 and slope·x below, with a trained slope, which begins as 0.25, for each place of the
// last dimension. K. He et al., Delving deep into rectifiers, ICCV 2015.
func PReLU(options ...LayerOption) Layer {
	l := &preluLayer{}
	l.layer.give("prelu", "PReLU(…)", options)
	return l
}

type preluLayer struct {
	BaseLayer
	slope *Parameter
}

// Build makes the slopes.
func (l *preluLayer) Build(input []int) error {
	l.slope = l.AddParameter("alpha", constant{"0.25", 0.25}, input[len(input)-1])
	return nil
}

// Forward is max(x, 0) + slope·min(x, 0).
func (l *preluLayer) Forward(x *Tensor) *Tensor {
	return x.ReLU().Sub(x.Neg().ReLU().Mul(l.slope.Tensor()))
}
