package nnkit

import (
	"fmt"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// output is what a loss or a metric needs to know of a model's last layer.
type output struct {
	where      string     // for messages: dense layer "dense_3" (layer 3)
	activation Activation // nil if it is not known
	shape      []int      // of one row's; nil if it is not known yet
	width      int        // of the last dimension; 0 if it is not known yet
	counting   counting   // as the loss says, once the truth is there
}

// places is how many predictions a row holds: the steps of a sequence, the points of an image, else one.
func (o output) places() int {
	if o.width == 0 {
		return 1
	}
	return sizeOf(o.shape) / o.width
}

// judged is a batch of predictions beside the truth. A row holds one or more places, and a place a prediction of one or
// more numbers: those of the output's last dimension.
type judged struct {
	out        *Tensor
	sums       *node      // what a sigmoid or a softmax has made the outputs of; nil if it was neither
	activation Activation // which of them it was
	p          []float32  // outputs, rows×places×width
	z          []float32  // the sums
	y          []float32  // truth, a number for each output or, for class numbers, one for each place
	truthShape []int      // of one row of it
	weights    []float32  // of the places; nil for 1
	mask       []float32  // of the places: 0 where one does not count; nil for all
	rows       int
	batch      int // of rows, of which these are a portion
	left       int // places of the batch that count
	places     int // of a row
	width      int
	counting   counting

	room struct { // for losses to compute in
		losses       []float64 // of the places
		value, spare []float32 // of the outputs
		classes      []int32
		cross        simd.CrossEntropy
		parts        placeLossParts
	}
	masked maskedRoom
}

// see puts an output beside the truth of rows lo to hi-1.
func (j *judged) see(p *Tensor, y *truth, loss Loss, lo, hi int) {
	_, width := p.rows()
	j.out, j.p, j.y, j.weights, j.truthShape, j.rows = p, p.data, y.slice(lo, hi), y.weights.slice(lo, hi), y.shape, hi-lo
	j.batch = j.rows
	j.width = p.shape[len(p.shape)-1]
	if len(p.shape) == 1 {
		j.width = 1
	}
	j.places = width / max(1, j.width)
	j.counting = loss.counts(j.width, y.width/max(1, j.places))
	j.z, j.sums, j.activation = nil, nil, nil
	if z, a := sums(p); a != nil {
		j.z, j.sums, j.activation = z.data, z, a
	}
	j.mask = j.masked.places(p, j.rows, j.places)
	j.left = j.valid()
}

// count is the number of places.
func (j *judged) count() int { return j.rows * j.places }

// share is the weight that a number has in the batch's mean, if there are so many in a place.
func (j *judged) share(numbers int) float32 { return 1 / float32(j.batch*j.places*numbers) }

// grown returns a slice of n elements, in the memory of s if that is enough.
func grown[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}

// total adds the places' losses to a total, one after another, so that a sum does not depend on how rows are batched.
func total(sum float64, losses []float64, weights []float32) float64 {
	if weights == nil {
		for _, l := range losses {
			sum += l
		}
		return sum
	}
	for i, l := range losses {
		sum += float64(l * float64(weights[i]))
	}
	return sum
}

// constant puts numbers beside the output, on its tape if there is one: no gradient goes through them.
func (j *judged) constant(data []float32, rows int, shape []int) *Tensor {
	if j.out.node == nil || j.out.node.tape == nil {
		return &Tensor{shape: append([]int{rows}, shape...), data: data}
	}
	n := j.out.node.tape.leaf(data)
	n.setShape(append(append(n.shape[:0], rows), shape...))
	return &n.Tensor
}

// truth is y as a tensor.
func (j *judged) truth() *Tensor { return j.constant(j.y, j.rows, j.truthShape) }

// counting is how the predictions of a place are told right or wrong.
type counting int

const (
	countBinary      counting = iota // each output by itself, yes above 0.5
	countSign                        // each output by itself, yes above 0
	countCategorical                 // the largest output; the truth is a number for each
	countSparse                      // the largest output; the truth is its number
)

// countByShape guesses from how many numbers a place has, and its truth.
func countByShape(width, truth int) counting {
	switch {
	case width == 1:
		return countBinary
	case truth == 1:
		return countSparse
	}
	return countCategorical
}

// numbersOfTruth is how many a place has.
func (o output) numbersOfTruth(c counting) int {
	if c == countSparse {
		return 1
	}
	return o.width
}

// classes says whether a place belongs to one of several classes.
func (c counting) classes() bool { return c == countCategorical || c == countSparse }

// threshold is what an output must exceed to be a yes, and so must the truth.
func (c counting) threshold() float32 {
	if c == countSign {
		return 0
	}
	return 0.5
}

// class returns the right class of a place, for outputs of the given width.
func (c counting) class(y []float32, width, place int) int {
	if c == countCategorical {
		return largest(y[place*width:][:width])
	}
	return int(y[place])
}

// class returns the right class of a place.
func (j *judged) class(place int) int { return j.counting.class(j.y, j.width, place) }

// check says whether y is a truth that can be counted so.
func (c counting) check(name string, y *Tensor, o output) error {
	if c == countSparse {
		return classNumbers(name, y, o)
	}
	return sameShape(name, y, o)
}

// sameShape says whether y has a number for each output. Sizes of 1 need not be written.
func sameShape(name string, y *Tensor, o output) error {
	if slices.Equal(withoutOnes(y.shape[1:]), withoutOnes(o.shape)) {
		return nil
	}
	if _, got := y.rows(); len(y.shape) <= 2 && len(o.shape) <= 1 {
		return fmt.Errorf("%s has %d %s a row, but %s has %d %s: they must agree",
			name, got, plural(got, "number"), o.where, o.width, plural(o.width, "output"))
	}
	hint := ""
	if len(o.shape) > 1 && len(y.shape) <= 2 {
		hint = ", for which Flatten or a global pooling comes before it"
	}
	return fmt.Errorf("%s has the shape %s, but %s puts out the shape %s: they must agree%s",
		name, shapeText(y.shape), o.where, o.shapeText(y), hint)
}

// shapeText is the output's shape for as many rows as y has.
func (o output) shapeText(y *Tensor) string { return shapeText(append(y.shape[:1:1], o.shape...)) }

// classNumbers says whether y holds the number of a class for each place.
func classNumbers(name string, y *Tensor, o output) error {
	places := o.shape[:max(0, len(o.shape)-1)]
	if !slices.Equal(withoutOnes(y.shape[1:]), withoutOnes(places)) {
		_, got := y.rows()
		switch {
		case got != o.places()*o.width && len(places) > 0, got == 1:
			return fmt.Errorf("%s has the shape %s, but for the outputs of %s, of shape %s, a class number for each of their places is "+
				"wanted: the shape %s", name, shapeText(y.shape), o.where, o.shapeText(y), shapeText(append(y.shape[:1:1], places...)))
		default:
			return fmt.Errorf("%s has %d numbers a row, but SparseCategoricalCrossEntropy wants %s, the class number: for "+
				"one-hot rows use nnkit.CategoricalCrossEntropy", name, got, numberWord(o.places()))
		}
	}
	least, most := y.data[0], y.data[0]
	for i, v := range y.data {
		if v != float32(int64(v)) {
			return fmt.Errorf("%s is %v at %s, but a class number is a whole number from 0 to %d", name, v, y.place(i), o.width-1)
		}
		least, most = min(least, v), max(most, v)
	}
	switch {
	case least == 1 && int(most) == o.width:
		return fmt.Errorf("labels go from 1 to %d, but %d classes are numbered 0 to %d: subtract 1", o.width, o.width, o.width-1)
	case least < 0:
		return fmt.Errorf("labels go from %d to %d, but classes are numbered from 0 on: add %d", int(least), int(most), -int(least))
	case int(most) >= o.width:
		return fmt.Errorf("labels go from %d to %d, but the %d outputs of %s are the classes 0 to %d: give it an output for each "+
			"class, Dense(%d, nnkit.Softmax)", int(least), int(most), o.width, o.where, o.width-1, int(most)+1)
	}
	return nil
}

func numberWord(n int) string {
	if n == 1 {
		return "one"
	}
	return fmt.Sprint(n)
}

// place names where a number stands: its row and, if a row has several numbers, its column.
func (t *Tensor) place(i int) string {
	_, width := t.rows()
	if width == 1 {
		return fmt.Sprintf("row %d", i)
	}
	return fmt.Sprintf("row %d, column %d", i/width, i%width)
}

// within says whether all numbers of y are from low to high.
func within(name string, y *Tensor, low, high float32, loss string) error {
	for i, v := range y.data {
		switch {
		case v >= low && v <= high:
		case high > 1:
			return fmt.Errorf("%s is %v at %s, but %s wants numbers of at least %v", name, v, y.place(i), loss, low)
		default:
			return fmt.Errorf("%s is %v at %s, but %s wants numbers from %v to %v", name, v, y.place(i), loss, low, high)
		}
	}
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
