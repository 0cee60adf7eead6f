package nnkit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Add is the sum of symbols. Their rows must have the same shape, or one is stretched to the other as in [Tensor.Add]; so it
// is for [Subtract] and the others.
//
//	h := x.To(nnkit.Dense(64, nnkit.ReLU), nnkit.Dense(16))
//	y := nnkit.Add(x, h).To(nnkit.ActivationLayer(nnkit.ReLU))
func Add(symbols ...*Symbol) *Symbol { return newMerge(addition).join("Add", symbols) }

// Subtract is a - b.
func Subtract(a, b *Symbol) *Symbol {
	return newMerge(subtraction).join("Subtract", []*Symbol{a, b})
}

// Multiply is the product of symbols, number by number.
func Multiply(symbols ...*Symbol) *Symbol {
	return newMerge(multiplication).join("Multiply", symbols)
}

// Average is the mean of symbols.
func Average(symbols ...*Symbol) *Symbol { return newMerge(averageOf).join("Average", symbols) }

// Maximum is the largest of symbols, number by number.
func Maximum(symbols ...*Symbol) *Symbol { return newMerge(largestOf).join("Maximum", symbols) }

// Minimum is the smallest of symbols, number by number.
func Minimum(symbols ...*Symbol) *Symbol { return newMerge(smallestOf).join("Minimum", symbols) }

// Concatenate puts symbols next to each other along the last dimension: the channels of images, the features of vectors. The
// other sizes of their rows must be equal.
func Concatenate(symbols ...*Symbol) *Symbol {
	return newMerge(concatenation).join("Concatenate", symbols)
}

// Merge joins symbols by a function without parameters, written with the operations of [Tensor], as [Lambda] does for one:
//
//	nnkit.Merge("distance", func(x ...*nnkit.Tensor) *nnkit.Tensor { return x[0].Sub(x[1]).Abs() }, a, b)
//
// Each tensor, and the result, has a row for each example.
func Merge(name string, f func(x ...*Tensor) *Tensor, symbols ...*Symbol) *Symbol {
	l := &mergeLayer{f: f}
	l.layer.kind, l.layer.name = "merge", name
	if f == nil {
		l.layer.err = fmt.Errorf("Merge(%q, nil, …): the function is missing", name)
	}
	return l.join("Merge", symbols)
}

// mergeKind is a merge that files know.
type mergeKind int

const (
	ownMerge mergeKind = iota // a user's function
	addition
	subtraction
	multiplication
	averageOf
	largestOf
	smallestOf
	concatenation
)

var mergeNames = [...]string{
	addition: "Add", subtraction: "Subtract", multiplication: "Multiply", averageOf: "Average", largestOf: "Maximum", smallestOf: "Minimum",
	concatenation: "Concatenate",
}

// mergeLayer is a layer of several inputs.
type mergeLayer struct {
	BaseLayer
	merge mergeKind
	f     func(x ...*Tensor) *Tensor // of an own one
}

func newMerge(kind mergeKind) *mergeLayer {
	l := &mergeLayer{merge: kind}
	name := mergeNames[kind]
	l.layer.give(lowered(name), name+"()", nil)
	return l
}

// lowered is a name of one word in lower case, as kinds are.
func lowered(name string) string { return string(name[0]+'a'-'A') + name[1:] }

// join applies the layer.
func (l *mergeLayer) join(call string, symbols []*Symbol) *Symbol {
	s := apply(l, symbols...)
	switch {
	case s.err != nil:
	case l.layer.err != nil:
		s.err = l.layer.err
	case slices.Contains(symbols, nil):
		s.err = fmt.Errorf("%s: symbol %d is nil", call, slices.Index(symbols, nil)+1)
	case len(symbols) < 2 && l.merge != ownMerge, len(symbols) < 1:
		s.err = fmt.Errorf("%s: it joins several symbols and is given %d", call, len(symbols))
	}
	return s
}

// Forward is what the layer makes of one input.
func (l *mergeLayer) Forward(x *Tensor) *Tensor { return l.of([]*Tensor{x}) }

func (l *mergeLayer) outputCount() int { return 1 }

// buildAll finds the shape by trying.
func (l *mergeLayer) buildAll(inputs [][]int) (outputs [][]int, err error) {
	defer caught(&err)
	for _, shape := range inputs {
		if l.merge == concatenation && len(shape) != len(inputs[0]) {
			return nil, fmt.Errorf("gets rows of shapes %s: all must have as many dimensions: bring them there by Flatten or Reshape", shapesText(inputs))
		}
	}
	output, err := rowShape(l.of(l.layer.trialRows(inputs...)))
	if err != nil {
		return nil, err
	}
	l.layer.input, l.layer.output = slices.Clone(inputs[0]), output
	return [][]int{output}, nil
}

func shapesText(shapes [][]int) string {
	texts := make([]string, len(shapes))
	for i, s := range shapes {
		texts[i] = shapeText(s)
	}
	return strings.Join(texts, ", ")
}

// forwardAll merges.
func (l *mergeLayer) forwardAll(s *stack, base int, from []int, to int) {
	xs := s.push(len(from))
	for i, v := range from {
		s.at[xs+i] = s.at[base+v]
	}
	y := l.of(s.at[xs:])
	s.pop(xs)
	l.mask(s, base, from, y)
	s.at[base+to] = noteActivity(l, y)
}

func (l *mergeLayer) of(xs []*Tensor) *Tensor {
	switch l.merge {
	case ownMerge:
		return l.f(xs...)
	case concatenation:
		return Concat(-1, xs...)
	}
	y := xs[0]
	for _, x := range xs[1:] {
		switch l.merge {
		case addition, averageOf:
			y = y.Add(x)
		case subtraction:
			y = y.Sub(x)
		case multiplication:
			y = y.Mul(x)
		case largestOf:
			y = y.Maximum(x)
		case smallestOf:
			y = y.Minimum(x)
		}
	}
	if l.merge == averageOf {
		y = y.Scale(1 / float64(len(xs)))
	}
	return y
}

// source writes the layer for a file.
func (l *mergeLayer) source() (string, error) {
	if l.merge != ownMerge {
		return mergeNames[l.merge] + "()", nil
	}
	if w, ok := registered.Load(registration{"merge", l.layer.name}); ok && w != nil {
		return fmt.Sprintf("RegisteredMerge(%q)", l.layer.name), nil
	}
	return "", errors.New("a file cannot hold the function of a Merge: write what it does with Add, Multiply and their kin, or save the weights by SaveWeights")
}
