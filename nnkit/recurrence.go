package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/simd"

// recur takes sequences x of shape (rows, steps, features) through a recurrent layer's cell, and returns its outputs in
// all steps, (rows, steps, units), or that of the last one, (rows, units).
func recur(operation string, cell simd.Cell, x, kernel, recurrent, bias *Tensor, sequences, backwards bool) *Tensor {
	if len(x.shape) != 3 || x.shape[2] != kernel.shape[0] {
		fail(operation, "x has the shape %s: it must be (rows, steps, %d)", shapeText(x.shape), kernel.shape[0])
	}
	inputs := [...]*Tensor{x, kernel, recurrent, bias}
	n := nextOf(operation, inputs[:])
	rows, steps, units := x.shape[0], x.shape[1], recurrent.shape[0]
	if sequences {
		n.make(rows, steps, units)
	} else {
		n.make(rows, units)
	}
	o := noted[recurred](n)
	o.x, o.kernel, o.recurrent, o.bias = x.node, kernel.node, recurrent.node, nil
	o.forward = simd.Recurrent{
		Cell: cell, Batch: rows, Time: steps, Features: x.shape[2], Units: units,
		X: x.data, Kernel: kernel.data, RecurrentKernel: recurrent.data, Reversed: backwards, Training: n.wanted,
	}
	f := &o.forward
	if bias != nil {
		o.bias, f.Bias = bias.node, bias.data
	}
	o.workspace = n.tape.borrow(f.WorkspaceSize())
	f.Workspace = o.workspace.data
	state := n.tape.borrow(2 * rows * units)
	clear(state.data[:2*rows*units])
	f.H, f.C = state.data[:rows*units], state.data[rows*units:2*rows*units]
	if sequences {
		f.Y = n.data
	} else {
		f.H = n.data
		clear(f.H)
	}
	compute(f)
	n.tape.giveBack(state)
	if !n.wanted {
		n.tape.giveBack(o.workspace)
	}
	return n.done()
}

type recurred struct {
	x, kernel, recurrent, bias *node
	forward                    simd.Recurrent
	back                       simd.RecurrentGradient
	weights                    simd.RecurrentWeights
	workspace                  *buffer
}

func (o *recurred) backward(t *Tape, n *node) {
	f := &o.forward
	size := f.Batch * f.Units
	state := t.memory.take(2 * size)
	clear(state.data[:2*size])
	o.back = simd.RecurrentGradient{Recurrent: f, DH: state.data[:size], DC: state.data[size : 2*size]}
	if f.Y != nil {
		o.back.DY = n.gradient()
	} else {
		copy(o.back.DH, n.gradient())
	}
	var x contribution
	if wantedOf(o.x) {
		x = t.part(o.x)
		o.back.DX = x.data
	}
	compute(&o.back)
	if wantedOf(o.x) {
		t.contribute(x)
	}
	if wantedOf(o.kernel) || wantedOf(o.recurrent) || wantedOf(o.bias) {
		kernel, recurrent := t.partOf(o.kernel, len(f.Kernel)), t.partOf(o.recurrent, len(f.RecurrentKernel))
		o.weights = simd.RecurrentWeights{Recurrent: f, DKernel: kernel.data, DRecurrentKernel: recurrent.data}
		var bias contribution
		if wantedOf(o.bias) {
			bias = t.part(o.bias)
			o.weights.DBias = bias.data
		}
		compute(&o.weights)
		t.contribute(kernel)
		t.contribute(recurrent)
		if wantedOf(o.bias) {
			t.contribute(bias)
		}
	}
	t.memory.free(state)
	t.memory.free(o.workspace)
}
