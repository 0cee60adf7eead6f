package nnkit

import (
	"errors"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// placeLoss is a loss that is computed for each place by itself.
type placeLoss struct {
	name    string // as in a History
	call    string // as in Go, for messages: Huber(1)
	compute func(s span)
	setting float32
	invalid string     // what is wrong with the setting
	from    Activation // whose sums it is computed from; nil for the outputs
	count   func(width, truth int) counting
	// refused says what is wrong with an output, truth what is wrong with a y of the right shape; nil for nothing.
	refused func(call string, o output) error
	truth   func(call, name string, y *Tensor) error
}

func (f *placeLoss) String() string { return f.name }

func (f *placeLoss) source() string { return f.call }

func (f *placeLoss) objective() {}

func (f *placeLoss) larger() bool { return false }

func (f *placeLoss) newMeter(int) meter { return &lossMeter{loss: f, sign: 1} }

func (f *placeLoss) suits(o output) error {
	switch {
	case f.invalid != "":
		return errors.New(f.call + ": " + f.invalid)
	case f.refused != nil:
		return f.refused(f.call, o)
	}
	return nil
}

func (f *placeLoss) fromSums(a Activation) bool { return a != nil && a == f.from }

func (f *placeLoss) counts(width, truth int) counting {
	if f.count == nil {
		return countByShape(width, truth)
	}
	return f.count(width, truth)
}

func (f *placeLoss) checkTruth(name string, y *Tensor, o output) error {
	if err := sameShape(name, y, o); err != nil || f.truth == nil {
		return err
	}
	return f.truth(f.call, name, y)
}

func (f *placeLoss) sum(sum float64, j *judged, weights, grad []float32) float64 {
	losses := j.room.parts.run(f.compute, f.setting, f.fromSums(j.activation), j, weights, grad)
	return total(sum, losses, weights)
}

// span is a part of a batch, on its way through a formula.
type span struct {
	p, z, y []float32 // outputs, what they were made of (nil if the formula does not ask for it), truth
	width   int
	setting float32
	losses  []float64 // gets the loss of each place
	slope   []float32 // gets the gradient of each place's loss, times width; nil if it is not wanted
	value   []float32 // to compute in, as spare
	spare   []float32
}

// average makes losses of the places of value, which has that of each output: their means.
func (s *span) average() {
	if s.width == 1 {
		for i, v := range s.value {
			s.losses[i] = float64(v)
		}
		return
	}
	for i := range s.losses {
		s.losses[i] = sum64(s.value[i*s.width:][:s.width]) / float64(s.width)
	}
}

// sum64 adds up in float64, in four chains.
func sum64(x []float32) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4; x = x[4:] {
		a += float64(x[0])
		b += float64(x[1])
		c += float64(x[2])
		d += float64(x[3])
	}
	for _, v := range x {
		a += float64(v)
	}
	return (a + b) + (c + d)
}

// placeLossParts is a formula at work on a batch, in parts that may be computed at the same time.
type placeLossParts struct {
	compute func(s span)
	all     span
	weights []float32
	scale   float32
	places  int // of a part
}

// A formula is worth several cores from two of these on.
const formulaPart = 1 << 14

// run computes the loss of each place, and the gradient of their weighted mean if grad is not nil.
func (f *placeLossParts) run(compute func(s span), setting float32, fromSums bool, j *judged, weights, grad []float32) []float64 {
	n := j.count()
	size := n * j.width
	room := &j.room
	room.losses, room.value, room.spare = grown(room.losses, n), grown(room.value, size), grown(room.spare, size)
	*f = placeLossParts{
		compute: compute,
		all: span{
			p: j.p[:size], y: j.y, width: j.width, setting: setting,
			losses: room.losses, slope: grad, value: room.value, spare: room.spare,
		},
		weights: weights,
		scale:   j.share(j.width),
		places:  formulaPart/max(1, j.width) + 1,
	}
	if fromSums {
		f.all.z = j.z[:size]
	}
	if n < 2*f.places {
		f.places = n
		f.Block(0)
	} else {
		parallel.Run((n+f.places-1)/f.places, f)
	}
	return room.losses
}

// Block implements parallel.Task.
func (f *placeLossParts) Block(i int) {
	lo, hi := i*f.places, min((i+1)*f.places, len(f.all.losses))
	s := f.all.slice(lo, hi)
	f.compute(s)
	switch {
	case s.slope == nil:
	case f.weights == nil:
		simd.Scale(s.slope, s.slope, f.scale)
	default:
		for i, w := range f.weights[lo:hi] {
			row := s.slope[i*s.width:][:s.width]
			w *= f.scale
			for k := range row {
				row[k] *= w
			}
		}
	}
}

// slice returns the places from lo to below hi.
func (s span) slice(lo, hi int) span {
	s.losses = s.losses[lo:hi]
	lo, hi = lo*s.width, hi*s.width
	s.p, s.y, s.value, s.spare = s.p[lo:hi], s.y[lo:hi], s.value[lo:hi], s.spare[lo:hi]
	if s.z != nil {
		s.z = s.z[lo:hi]
	}
	if s.slope != nil {
		s.slope = s.slope[lo:hi]
	}
	return s
}
