package nnkit

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Dropout makes a layer that in training sets a share of the numbers to 0 and divides the others by what is left, so that
// their sum stays about the same; predictions pass through. Which are dropped is a function of the model's seed, the step
// and the place alone. N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15,
// 2014. The rate is from 0 to below 1.
func Dropout(rate float64, options ...LayerOption) Layer {
	l := &dropoutLayer{rate: rate}
	l.layer.give("dropout", fmt.Sprintf("Dropout(%v, …)", rate), options)
	if !(rate >= 0 && rate < 1) {
		l.layer.err = fmt.Errorf("Dropout(%v): the rate must be at least 0 and below 1", rate)
	}
	return l
}

type dropoutLayer struct {
	BaseLayer
	rate float64
}

// Forward drops.
func (l *dropoutLayer) Forward(x *Tensor) *Tensor { return x.Dropout(l.rate) }

// GaussianNoise makes a layer that in training adds normally distributed noise of a standard deviation; predictions pass
// through.
func GaussianNoise(deviation float64, options ...LayerOption) Layer {
	l := &noiseLayer{deviation: deviation}
	l.layer.give("gaussian_noise", fmt.Sprintf("GaussianNoise(%v, …)", deviation), options)
	if !(deviation >= 0) {
		l.layer.err = fmt.Errorf("GaussianNoise(%v): the standard deviation must be at least 0", deviation)
	}
	return l
}

type noiseLayer struct {
	BaseLayer
	deviation float64
}

// Forward adds noise.
func (l *noiseLayer) Forward(x *Tensor) *Tensor {
	t := x.trainingTape()
	if t == nil || l.deviation == 0 {
		return x
	}
	noise := t.constant(x.shape...)
	s, at := t.draw(len(noise.data))
	simd.FillNormal(noise.data, s, at, 0, float32(l.deviation))
	return x.Add(&noise.Tensor)
}

// trainingTape returns the tape of a tensor if it is one of a training.
func (x *Tensor) trainingTape() *Tape {
	if x.node == nil || x.node.tape == nil || !x.node.tape.training {
		return nil
	}
	return x.node.tape
}

// Dropout sets a share of the numbers to 0 and divides the others by what is left, if x is on the tape of a training; else
// it is x.
func (x *Tensor) Dropout(rate float64) *Tensor {
	t := x.trainingTape()
	if t == nil || rate == 0 {
		return x
	}
	if !(rate > 0 && rate < 1) {
		fail("Dropout", "the rate is %v: it must be at least 0 and below 1", rate)
	}
	n := next("Dropout", x, nil, nil)
	n.make(x.shape...)
	o := noted[dropped](n)
	o.x, o.rate = x.node, float32(rate)
	o.stream, o.at = t.draw(len(n.data))
	o.drop(n.data, x.data)
	return n.done()
}

type dropped struct {
	x        *node
	rate     float32
	stream   random.Stream
	at       uint64
	dst, src []float32
}

// drop drops the same numbers whenever it is called, on several cores where there are many.
func (o *dropped) drop(dst, src []float32) {
	o.dst, o.src = dst, src
	parallel.Run((len(dst)+spreadBlock-1)/spreadBlock, o)
}

// Block implements parallel.Task.
func (o *dropped) Block(i int) {
	lo, hi := i*spreadBlock, min(len(o.dst), (i+1)*spreadBlock)
	simd.Dropout(o.dst[lo:hi], o.src[lo:hi], o.stream, o.at+uint64(lo), o.rate)
}

func (o *dropped) backward(t *Tape, n *node) {
	o.drop(n.gradient(), n.gradient())
	t.hand(n, o.x)
}

// draw reserves so many numbers of the step's noise: those that the portion's rows would have in the whole batch.
func (t *Tape) draw(n int) (s random.Stream, at uint64) {
	all := n
	if p := t.portion; p.rows > 0 {
		all = n / p.rows * p.batch
		at = uint64(n / p.rows * p.from)
	}
	at += t.drawn
	t.drawn += (uint64(all) + 63) &^ 63 // whole groups, which are drawn faster
	return t.noise, at
}

// constant puts memory for numbers without a gradient on the tape.
func (t *Tape) constant(shape ...int) *node {
	n := t.node()
	n.make(shape...)
	if n.operation != nil {
		n.operation = nil
	}
	return n
}
