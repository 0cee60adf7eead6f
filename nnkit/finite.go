package nnkit

import (
	"fmt"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// finite says whether all numbers are: neither NaN nor infinite, so that 0 times each is 0.
func finite(x []float32) bool {
	for ; len(x) > len(noughts); x = x[len(noughts):] {
		if simd.Dot(x[:len(noughts)], noughts[:]) != 0 {
			return false
		}
	}
	return simd.Dot(x, noughts[:]) == 0
}

var noughts [2048]float32

// notFinite says where in the network numbers stop being numbers, after a batch of n rows whose loss is none: in a layer's
// weights, or else in a layer's output.
func (t *trainer) notFinite(n int) string {
	if where := t.m.badWeights(); where != "" {
		return where
	}
	w := network{m: t.m}
	tape := &w.tape
	tape.recording, tape.training = true, true
	w.enter(&t.batch, 0, n)
	tape.noise = t.tape.noise
	for i, x := range tape.values.at[:len(t.m.inputs)] {
		if !finite(x.data) {
			return fmt.Sprintf("the batch itself is not finite, in the input %q", t.m.inputs[i].name)
		}
	}
	for i, c := range t.m.calls {
		// An error may be of a layer that wants finite numbers.
		if err := t.m.through(tape, i, i+1); err != nil || !finite(tape.values.at[c.to].data) {
			return fmt.Sprintf("the output of %s is the first that is not finite", c.layer.core().where(c.at))
		}
	}
	return "all layers' outputs are finite, so it is the loss that overflows"
}

// badWeights names the layer nearest to the output, which is where gradients come from, whose weights are not finite; "" if
// all are.
func (m *Model) badWeights() string {
	for i, l := range slices.Backward(m.layers) {
		for _, p := range l.core().parameters {
			if !finite(p.leaf.data) {
				return fmt.Sprintf("%s of %s is no longer finite: its gradient was not, or the step was too long", p.name, l.core().where(i))
			}
		}
	}
	return ""
}
