package data

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit"
)

// Examples are pictures, sounds or texts with their truth, as tensors: X holds
//
//   - pictures as (rows, height, width, channels), from 0, black, to 1, the shape that nnkit.Conv2D wants;
//   - sounds as (rows, samples), from -1 to 1; their spectrograms as (rows, steps, bands);
//   - texts as (rows, words), the numbers of words in a [Vocabulary].
//
// Y holds the number of each row's class. Tables are a [Dataset].
type Examples struct {
	Name    string
	X, Y    *nnkit.Tensor
	Classes []string // their names; nil where there are none
	Rate    int      // samples per second of sounds; 0 for all else
}

// Len returns the number of rows.
func (e *Examples) Len() int { return e.X.Shape()[0] }

// Labels returns the numbers of the classes. It is a copy.
func (e *Examples) Labels() []float64 {
	labels := make([]float64, e.Y.Len())
	for i, v := range e.Y.Data() {
		labels[i] = float64(v)
	}
	return labels
}

// ClassNumbers returns the numbers of the classes, as display's figures want them. It is a copy.
func (e *Examples) ClassNumbers() []int {
	numbers := make([]int, e.Y.Len())
	for i, v := range e.Y.Data() {
		numbers[i] = int(v)
	}
	return numbers
}

// Class returns the name of row i's class, or its number where classes have no names.
func (e *Examples) Class(i int) string {
	return Feature{Classes: e.Classes}.value(float64(e.Y.Data()[i]))
}

// Take returns a copy of the rows of the given numbers, in their order. Like the index of a slice, a number out of range
// panics.
func (e *Examples) Take(rows []int) *Examples {
	taken := *e
	taken.X, taken.Y = takeRows(e.X, rows), takeRows(e.Y, rows)
	return &taken
}

func takeRows(t *nnkit.Tensor, rows []int) *nnkit.Tensor {
	shape, all := t.Shape(), t.Rows()
	shape[0] = len(rows)
	data := make([]float32, 0, len(rows)*(t.Len()/max(1, len(all))))
	for _, from := range rows {
		data = append(data, all[from]...)
	}
	return tensor(data, shape...)
}

// tensor is for shapes that fit by construction.
func tensor(data []float32, shape ...int) *nnkit.Tensor {
	t, err := nnkit.NewTensor(data, shape...)
	if err != nil {
		panic(err)
	}
	return t
}

// Split deals the rows at random into two sets, with the given share of them, between 0 and 1, in the first. The same
// seed deals the same way.
func (e *Examples) Split(share float64, seed int) (train, test *Examples, err error) {
	return splitRows(e, share, seed)
}

// String says how many rows there are of which shape, and what their classes are.
func (e *Examples) String() string {
	if e == nil {
		return "<nil>"
	}
	shape := e.X.Shape()
	parts := make([]string, len(shape)-1)
	for i, d := range shape[1:] {
		parts[i] = fmt.Sprint(d)
	}
	text := fmt.Sprintf("%s: %d rows of %s", e.Name, shape[0], strings.Join(parts, "×"))
	if e.Rate > 0 {
		text += fmt.Sprintf(" at %d Hz", e.Rate)
	}
	if len(e.Classes) > 0 {
		shown := e.Classes
		if len(shown) > 12 {
			shown = append(slices.Clone(shown[:12]), "…")
		}
		text += fmt.Sprintf(", %d classes: %s", len(e.Classes), strings.Join(shown, ", "))
	}
	return text
}
