package nnkit

import (
	"fmt"
	"slices"
)

// finite says whether all numbers are: neither NaN nor infinite.
func finite(x []float32) bool {
	for _, v := range x {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// notFinite says where in the network numbers stop being numbers, after a batch of n rows whose loss is none: in a layer's
// weights, or else in a layer's output.
func (t *trainer) notFinite(n int) string {
	if where := t.m.badWeights(); where != "" {
		return where
	}
	var w network
	tape := &w.tape
	tape.recording, tape.training, tape.noise = true, true, t.tape.noise
	x := &tape.leaf(t.batch.x[:n*t.batch.width], append([]int{n}, t.m.input...)...).Tensor
	if !finite(x.data) {
		return "the batch itself is not finite"
	}
	for i, l := range t.m.layers {
		var err error // of a layer that wants finite numbers, perhaps
		if x, err = t.m.through(tape, x, i, i+1); err != nil || !finite(x.data) {
			return fmt.Sprintf("the output of %s is the first that is not finite", l.core().where(i))
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
