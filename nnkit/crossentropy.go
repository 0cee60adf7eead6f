package nnkit

import (
	"fmt"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// CrossEntropy is the type of [BinaryCrossEntropy], [CategoricalCrossEntropy] and [SparseCategoricalCrossEntropy]:
// losses as they are, and with a setting by a method.
type CrossEntropy struct {
	kind      crossEntropyKind
	smoothing float64
	gamma     float64 // of a focal one
}

type crossEntropyKind int

const (
	binaryKind crossEntropyKind = iota
	categoricalKind
	sparseKind
	divergenceKind
	focalKind
)

var (
	// BinaryCrossEntropy is -(y·log p + (1-y)·log(1-p)), averaged over the outputs: for questions answered yes (1) or no
	// (0), one output with [Sigmoid] for each. y has as many columns as there are outputs; a vector is one column.
	BinaryCrossEntropy = CrossEntropy{kind: binaryKind}
	// CategoricalCrossEntropy is -Σ y·log p over the classes, with [Softmax] at the output. A row of y holds a
	// probability for each class, as in one-hot rows; for sequences each step of it does.
	CategoricalCrossEntropy = CrossEntropy{kind: categoricalKind}
	// SparseCategoricalCrossEntropy is -log p of the right class, with [Softmax] at the output. y is a vector of class
	// numbers from 0 on; for sequences, outputs of shape (rows, steps, classes), it has the shape (rows, steps).
	SparseCategoricalCrossEntropy = CrossEntropy{kind: sparseKind}
	// KLDivergence is Σ y·log(y/p) over the classes, with [Softmax] at the output: the cross-entropy less what is in y
	// itself, so that it is 0 where p is y. y is as for [CategoricalCrossEntropy]; a y of 0 adds nothing, as in PyTorch,
	// where Keras takes it for 1e-7.
	KLDivergence Loss = CrossEntropy{kind: divergenceKind}
)

// LabelSmoothing returns the loss for a truth that is not quite sure of itself: y·(1-ε) + ε/classes, or for
// [BinaryCrossEntropy] y·(1-ε) + ε/2. From 0 to below 1. C. Szegedy and others, Rethinking the Inception architecture for
// computer vision, CVPR 2016.
//
//	model.Compile(nnkit.Adam(), nnkit.CategoricalCrossEntropy.LabelSmoothing(0.1))
func (l CrossEntropy) LabelSmoothing(epsilon float64) Loss {
	l.smoothing = epsilon
	return l
}

// String returns Keras' name, "binary_crossentropy" for example.
func (l CrossEntropy) String() string {
	return [...]string{"binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence", "categorical_focal_crossentropy"}[l.kind]
}

// call is the loss as it is written.
func (l CrossEntropy) call() string {
	return [...]string{"BinaryCrossEntropy", "CategoricalCrossEntropy", "SparseCategoricalCrossEntropy", "KLDivergence", "CategoricalFocalCrossEntropy"}[l.kind]
}

// source is the loss as a file has it.
func (l CrossEntropy) source() string {
	switch {
	case l.kind == focalKind:
		return fmt.Sprintf("%s(%v)", l.call(), l.gamma)
	case l.smoothing == 0:
		return l.call()
	}
	return fmt.Sprintf("LabelSmoothing(%s, %v)", l.call(), l.smoothing)
}

func (l CrossEntropy) objective() {}

func (l CrossEntropy) larger() bool { return false }

func (l CrossEntropy) newMeter(int) meter { return &lossMeter{loss: l, sign: 1} }

func (l CrossEntropy) suits(o output) error {
	if !(l.smoothing >= 0 && l.smoothing < 1) {
		return fmt.Errorf("%s.LabelSmoothing(%v): it must be at least 0 and below 1", l.call(), l.smoothing)
	}
	switch {
	case l.kind == binaryKind:
		return wantsProbability(l.call(), o)
	case l.kind == focalKind && !(l.gamma >= 0 && l.gamma <= mostGamma):
		return fmt.Errorf("%s: gamma must be from 0 to %d", l.source(), mostGamma)
	}
	return wantsSoftmax(l.call(), o)
}

func wantsProbability(call string, o output) error {
	if o.activation != nil && o.activation != Sigmoid && o.activation != Softmax {
		return fmt.Errorf("%s wants outputs between 0 and 1, but %s ends in %s: write "+
			"Dense(%d, nnkit.Sigmoid)", call, o.where, o.activation, o.width)
	}
	return nil
}

func wantsSoftmax(call string, o output) error {
	switch {
	case o.width == 1:
		return fmt.Errorf("%s wants an output for each class, but %s has one: write Dense(classes, "+
			"nnkit.Softmax), or for yes or no nnkit.BinaryCrossEntropy", call, o.where)
	case o.activation != nil && o.activation != Softmax:
		return fmt.Errorf("%s wants probabilities of classes, but %s ends in %s: write Dense(%d, "+
			"nnkit.Softmax)", call, o.where, o.activation, o.width)
	}
	return nil
}

func (l CrossEntropy) fromSums(a Activation) bool {
	if l.kind == binaryKind {
		return a == Sigmoid
	}
	return a == Softmax
}

func (l CrossEntropy) counts(int, int) counting {
	switch l.kind {
	case binaryKind:
		return countBinary
	case sparseKind:
		return countSparse
	}
	return countCategorical
}

func (l CrossEntropy) checkTruth(name string, y *Tensor, o output) error {
	if l.kind == sparseKind {
		return classNumbers(name, y, o)
	}
	if _, got := y.rows(); l.kind != binaryKind && got == o.places() && o.width > 1 {
		return fmt.Errorf("%s has %s %s a row, but %s wants %d, one for each class: for class "+
			"numbers use nnkit.SparseCategoricalCrossEntropy", name, numberWord(got), plural(got, "number"), l.call(), got*o.width)
	}
	if err := sameShape(name, y, o); err != nil {
		return err
	}
	if err := within(name, y, 0, 1, l.call()); err != nil || l.kind == binaryKind {
		if most := slices.Max(y.data); err != nil && most == float32(int(most)) && most > 1 && o.width == 1 {
			err = fmt.Errorf("%w: for classes write Dense(%d, nnkit.Softmax) and nnkit.SparseCategoricalCrossEntropy", err, int(most)+1)
		}
		return err
	}
	return distributions(name, y, o.width, l.call())
}

// distributions says whether each place of y sums to 1.
func distributions(name string, y *Tensor, width int, call string) error {
	for i := 0; i < len(y.data); i += width {
		if sum := sum64(y.data[i : i+width]); sum < 0.999 || sum > 1.001 {
			_, row := y.rows()
			where := fmt.Sprintf("row %d of %s", i/row, name)
			if row > width {
				where = fmt.Sprintf("place %d of %s", i%row/width, where)
			}
			return fmt.Errorf("%s sums to %.4g, but %s wants probabilities that sum to 1: for "+
				"several answers at once use nnkit.Sigmoid and nnkit.BinaryCrossEntropy", where, sum, call)
		}
	}
	return nil
}

func (l CrossEntropy) sum(sum float64, j *judged, weights, grad []float32) float64 {
	switch l.kind {
	case binaryKind:
		losses := j.room.parts.run(binaryCrossEntropy, float32(l.smoothing), j.activation == Sigmoid, j, weights, grad)
		return total(sum, losses, weights)
	case focalKind:
		losses := j.room.parts.run(categoricalFocal, float32(l.gamma), j.activation == Softmax, j, weights, grad)
		return total(sum, losses, weights)
	}
	n := j.count()
	size := n * j.width
	c, room := &j.room.cross, &j.room
	room.losses = grown(room.losses, n)
	*c = simd.CrossEntropy{
		Rows: n, Width: j.width, Z: j.z, Smoothing: float32(l.smoothing),
		Weights: weights, Scale: j.share(1), Losses: room.losses, Gradient: grad,
	}
	if l.kind == sparseKind {
		room.classes = grown(room.classes, n)
		for i, v := range j.y[:n] {
			room.classes[i] = int32(v)
		}
		c.Classes = room.classes
	} else {
		c.Probabilities = j.y
	}
	if j.activation == Softmax {
		compute(c)
	} else {
		// Probabilities of unknown origin are softmax of their logarithms.
		room.value, room.spare = grown(room.value, size), grown(room.spare, size)
		simd.Clip(room.spare, j.p[:size], probabilityFloor, 1)
		spread(simd.Log, room.value, room.spare)
		c.Z = room.value
		compute(c)
		if grad != nil {
			simd.Divide(grad, grad, room.spare)
			simd.ClipGradient(grad, j.p[:size], probabilityFloor, 1)
		}
	}
	if l.kind == divergenceKind {
		room.spare = grown(room.spare, size)
		lessEntropy(room.losses, room.spare, j.y[:size], j.width)
	}
	return total(sum, room.losses, weights)
}

// lessEntropy adds Σ y·log y of each place to its loss.
func lessEntropy(losses []float64, spare, y []float32, width int) {
	simd.Clip(spare, y, probabilityFloor, 1) // 0·log 0 is 0
	spread(simd.Log, spare, spare)
	simd.Multiply(spare, spare, y)
	for i := range losses {
		losses[i] += sum64(spare[i*width:][:width])
	}
}

// probabilityFloor keeps logarithms finite where a cross-entropy has only probabilities to go by: Keras' epsilon.
const probabilityFloor = 1e-7

// binaryCrossEntropy has the label smoothing as its setting.
func binaryCrossEntropy(s span) {
	if s.setting != 0 {
		simd.Scale(s.spare, s.y, 1-s.setting)
		simd.Shift(s.spare, s.spare, s.setting/2)
		s.y = s.spare
	}
	s.logistic()
	s.average()
}

// logistic sets value and slope to the binary cross-entropy of each output. y may be spare.
func (s *span) logistic() {
	if s.z != nil {
		if s.slope != nil {
			simd.Subtract(s.slope, s.p, s.y)
		}
		simd.LogisticLoss(s.value, s.z, s.y)
		return
	}
	const low, high = probabilityFloor, 1 - probabilityFloor
	for i, p := range s.p {
		q, y := min(max(p, low), high), s.y[i]
		s.value[i] = -float32(float64(float64(y)*simd.Log64(float64(q))) + float64((1-float64(y))*simd.Log64(1-float64(q))))
		switch {
		case s.slope == nil:
		case q == p:
			s.slope[i] = (q - y) / float32(q*(1-q))
		default:
			s.slope[i] = 0 // a clipped probability has no slope
		}
	}
}

// BinaryFocalCrossEntropy is [BinaryCrossEntropy] times (1-q)^γ, where q is the probability that the output gives to the
// truth: what is easy counts little. γ is at least 0; 2 is usual, 0 the cross-entropy itself. There is no balancing factor,
// as by default in Keras: [ClassWeight] is one. T.-Y. Lin and others, Focal loss for dense object detection, ICCV 2017.
func BinaryFocalCrossEntropy(gamma float64) Loss {
	f := &placeLoss{
		name: "binary_focal_crossentropy", call: fmt.Sprintf("BinaryFocalCrossEntropy(%v)", gamma),
		compute: focal, setting: float32(gamma), from: Sigmoid,
		count: func(int, int) counting { return countBinary }, refused: wantsProbability, truth: fromZeroToOne,
	}
	if !(gamma >= 0 && gamma <= mostGamma) {
		f.invalid = fmt.Sprintf("gamma must be from 0 to %d", mostGamma)
	}
	return f
}

const mostGamma = 100

func fromZeroToOne(call, name string, y *Tensor) error { return within(name, y, 0, 1, call) }

// focal is b·m^γ, with the cross-entropy b and m the probability of what is not true: y = 1 has m = 1-p.
func focal(s span) {
	s.logistic()
	gamma := s.setting
	for i, p := range s.p {
		m := p + s.y[i] - float32(2*p*s.y[i])
		s.spare[i] = max(m, probabilityFloor)
	}
	if gamma != 2 {
		simd.Log(s.spare, s.spare)
		simd.Scale(s.spare, s.spare, gamma-1)
		simd.Exp(s.spare, s.spare)
	}
	// spare is m^(γ-1) now.
	for i, p := range s.p {
		y := s.y[i]
		less := s.spare[i]
		m := max(p+y-float32(2*p*y), probabilityFloor)
		factor := less * m
		if s.slope != nil {
			rise := 1 - 2*y // of m
			if s.z != nil {
				rise *= p * (1 - p)
			}
			s.slope[i] = float32(s.slope[i]*factor) + float32(float32(gamma*less)*float32(rise*s.value[i]))
		}
		s.value[i] *= factor
	}
	s.average()
}

// CategoricalFocalCrossEntropy is [CategoricalCrossEntropy] with each class's part times (1-p)^γ: what is easy counts little.
// γ is at least 0; 2 is usual, 0 the cross-entropy itself. There is no balancing factor (Keras' alpha, a quarter by default):
// [ClassWeight] is one. T.-Y. Lin and others, Focal loss for dense object detection, ICCV 2017.
func CategoricalFocalCrossEntropy(gamma float64) Loss {
	return CrossEntropy{kind: focalKind, gamma: gamma}
}

// categoricalFocal is -Σ y·m^γ·log q over the classes of a place, with m = 1-q: its slope by q, times q, is
// g = y·(γ·m^(γ-1)·q·log q - m^γ), and by the sums g - q·Σg. Probabilities of unknown origin are softmax of their logarithms.
func categoricalFocal(s span) {
	gamma := float64(s.setting)
	logs, rest, z := s.value, s.spare, s.z
	if z == nil {
		simd.Clip(rest, s.p, probabilityFloor, 1)
		simd.Log(rest, rest)
		z = rest
	}
	simd.LogSoftmax(logs, z, len(s.losses), s.width)
	simd.Expm1(rest, logs)
	simd.Negate(rest, rest)
	for i := range s.losses {
		lo, hi := i*s.width, (i+1)*s.width
		var loss, sum float64
		for k, y := range s.y[lo:hi] {
			at := lo + k
			g := 0.0
			if y != 0 {
				m := max(float64(rest[at]), probabilityFloor)
				less := m // m^(γ-1)
				if gamma != 2 {
					less = simd.Exp64((gamma - 1) * simd.Log64(m))
				}
				log := float64(logs[at])
				loss -= float64(float64(y) * float64(less*m) * log)
				g = float64(y) * (float64(float64(gamma*less)*float64(float64(1-rest[at])*log)) - float64(less*m))
			}
			sum += g
			if s.slope != nil {
				s.slope[at] = float32(g)
			}
		}
		s.losses[i] = loss
		if s.slope == nil {
			continue
		}
		for k, g := range s.slope[lo:hi] {
			d := float64(g) - float64(float64(1-rest[lo+k])*sum)
			if s.z == nil {
				if p := s.p[lo+k]; p < probabilityFloor || p > 1 {
					d = 0 // a clipped probability has no slope
				} else {
					d /= float64(p)
				}
			}
			s.slope[lo+k] = float32(float64(s.width) * d)
		}
	}
}
