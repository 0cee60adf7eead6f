package nnkit

import (
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// clipping is what is done to gradients that are too large; nil where an option was not given.
type clipping struct{ value, norm, globalNorm *float64 }

func (c *clipping) settings() (list []setting) {
	for _, s := range []struct {
		name  string
		value *float64
	}{{"ClipValue", c.value}, {"ClipNorm", c.norm}, {"GlobalClipNorm", c.globalNorm}} {
		if s.value != nil {
			list = append(list, setting{s.name, *s.value, positive})
		}
	}
	return list
}

// ClipOption is the result of [ClipValue], [ClipNorm] or [GlobalClipNorm], of which an optimizer takes one.
type ClipOption struct {
	forOptimizers
	clipping
}

// ClipValue cuts every number of a gradient at ±most.
func ClipValue(most float64) ClipOption { return ClipOption{clipping: clipping{value: &most}} }

// ClipNorm shortens the gradient of each parameter to a norm, √Σg², of at most so much.
func ClipNorm(most float64) ClipOption { return ClipOption{clipping: clipping{norm: &most}} }

// GlobalClipNorm shortens the gradient of all parameters together to a norm of at most so much, which keeps its direction.
// R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, ICML 2013.
func GlobalClipNorm(most float64) ClipOption {
	return ClipOption{clipping: clipping{globalNorm: &most}}
}

func (o ClipOption) setOptimizer(s *optimizer) {
	c := &s.clip
	switch {
	case o.value != nil:
		c.value = o.value
	case o.norm != nil:
		c.norm = o.norm
	default:
		c.globalNorm = o.globalNorm
	}
}

// clipper is clipping at work.
type clipper struct{ squares simd.SquaredNorm }

func (c *clipper) clip(by *clipping, m *Model) {
	switch {
	case by.value != nil:
		most := float32(*by.value)
		simd.Clip(m.gradients, m.gradients, -most, most)
	case by.norm != nil:
		for _, p := range m.parameters {
			c.shorten(p.gradient, *by.norm)
		}
	case by.globalNorm != nil:
		c.shorten(m.gradients, *by.globalNorm)
	}
}

// shorten makes the norm of g at most so much.
func (c *clipper) shorten(g []float32, most float64) {
	c.squares.X = g
	if n := c.squares.Blocks(); len(c.squares.Partials) < n {
		c.squares.Partials = make([]float64, n)
	}
	compute(&c.squares)
	if norm := math.Sqrt(c.squares.Sum()); norm > most {
		simd.Scale(g, g, float32(most/norm))
	}
}
