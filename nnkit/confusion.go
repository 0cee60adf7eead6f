package nnkit

import (
	"fmt"
	"slices"
	"strconv"
)

// Confusion counts how often each class was taken for which, as [ConfusionMatrix] found it. Printed, or shown in a
// notebook, it is a table with a row for each true class and a column for each predicted one, the recall of each class at
// its row's end and its precision below its column.
type Confusion struct {
	names  []string
	counts [][]int // of the true class, then of the predicted one
	tally  []yeses // of each class
	total  int
}

// ConfusionMatrix compares predictions with the truth of the same rows. predictions are what [Model.Predict] returns: the
// class of a place is that of its largest output, or with one output 1 above 0.5 and else 0; class numbers may be given,
// too. truth holds class numbers or one-hot rows, as for the losses. Names of the classes may follow; without them they
// are their numbers.
//
//	p, err := model.Predict(xTest)
//	matrix, err := nnkit.ConfusionMatrix(p, yTest, "setosa", "versicolor", "virginica")
func ConfusionMatrix(predictions, truth any, names ...string) (*Confusion, error) {
	const caller = "ConfusionMatrix"
	p, err := tensorOf(caller, "predictions", predictions)
	if err != nil {
		return nil, err
	}
	y, err := tensorOf(caller, "truth", truth)
	if err != nil {
		return nil, err
	}
	width := p.shape[len(p.shape)-1]
	places := p.shape[:len(p.shape)-1]
	if len(p.shape) == 1 || width == 1 {
		width, places = 1, p.shape
	}
	kind := countSparse
	switch places, given := withoutOnes(places), withoutOnes(y.shape); {
	case slices.Equal(given, places):
	case width > 1 && slices.Equal(given, append(places, width)):
		kind = countCategorical
	default:
		return nil, fmt.Errorf("%s: predictions have the shape %s and the truth %s: it must be %s for class numbers, or the same for "+
			"one-hot rows", caller, shapeText(p.shape), shapeText(y.shape), shapeText(p.shape[:max(1, len(p.shape)-1)]))
	}
	if width == 1 {
		p = answers(p)
		if err := wholeNumbers(caller, "predictions", p); err != nil {
			return nil, err
		}
	}
	if kind == countSparse {
		if err := wholeNumbers(caller, "truth", y); err != nil {
			return nil, err
		}
	}

	classes := max(width, 2)
	if kind == countSparse {
		classes = max(classes, int(slices.Max(y.data))+1)
	}
	if width == 1 {
		classes = max(classes, int(slices.Max(p.data))+1)
	}
	switch {
	case width > 1 && classes > width:
		return nil, fmt.Errorf("%s: truth holds class %d, but predictions have the classes 0 to %d", caller, classes-1, width-1)
	case classes > mostConfused:
		return nil, fmt.Errorf("%s: class numbers go up to %d: at most %d classes are compared", caller, classes-1, mostConfused)
	case names != nil && len(names) != classes:
		return nil, fmt.Errorf("%s: %d %s given for %d classes: give one for each", caller, len(names), plural(len(names), "name"), classes)
	}
	c := &Confusion{names: slices.Clone(names), counts: make([][]int, classes), tally: make([]yeses, classes)}
	for k := range c.counts {
		c.counts[k] = make([]int, classes)
		if names == nil {
			c.names = append(c.names, strconv.Itoa(k))
		}
	}
	for i := range len(p.data) / width {
		given := largest(p.data[i*width:][:width])
		if width == 1 {
			given = int(p.data[i])
		}
		actual := kind.class(y.data, width, i)
		c.counts[actual][given]++
		c.tally[actual].actual++
		c.tally[given].given++
		if actual == given {
			c.tally[given].both++
		}
		c.total++
	}
	return c, nil
}

const mostConfused = 4096

// answers makes 0 and 1 of probabilities of yes; class numbers stay as they are.
func answers(p *Tensor) *Tensor {
	if slices.Max(p.data) > 1 || slices.Min(p.data) < 0 {
		return p
	}
	a := zeros(p.shape)
	for i, v := range p.data {
		if v > 0.5 {
			a.data[i] = 1
		}
	}
	return a
}

func wholeNumbers(caller, name string, t *Tensor) error {
	for i, v := range t.data {
		if v < 0 || v != float32(int64(v)) {
			return fmt.Errorf("%s: %s: %v at %s is neither a class number (a whole number from 0 on) nor a probability",
				caller, name, v, t.place(i))
		}
	}
	return nil
}

// Classes returns the number of classes.
func (c *Confusion) Classes() int { return len(c.counts) }

// Names returns the names of the classes. It is a copy.
func (c *Confusion) Names() []string { return slices.Clone(c.names) }

// Count returns how often the class truth was taken for the class predicted; 0 for classes that there are not.
func (c *Confusion) Count(truth, predicted int) int {
	if c.unknown(truth) || c.unknown(predicted) {
		return 0
	}
	return c.counts[truth][predicted]
}

func (c *Confusion) unknown(class int) bool { return class < 0 || class >= len(c.counts) }

// Counts returns all counts, a row for each true class. It is a copy.
func (c *Confusion) Counts() [][]int {
	counts := make([][]int, len(c.counts))
	for i, row := range c.counts {
		counts[i] = slices.Clone(row)
	}
	return counts
}

// Total returns how many predictions were compared.
func (c *Confusion) Total() int { return c.total }

// Support returns how often a class is true.
func (c *Confusion) Support(class int) int { return c.of(class).actual }

// Precision returns the share of a class's predictions that are right, 0 if there are none.
func (c *Confusion) Precision(class int) float64 { return c.of(class).precision() }

// Recall returns the share of a class that was found, 0 if it is never true.
func (c *Confusion) Recall(class int) float64 { return c.of(class).recall() }

// F1 returns the harmonic mean of a class's precision and recall.
func (c *Confusion) F1(class int) float64 { return c.of(class).f1() }

func (c *Confusion) of(class int) yeses {
	if c.unknown(class) {
		return yeses{}
	}
	return c.tally[class]
}

// Accuracy returns the share of right predictions.
func (c *Confusion) Accuracy() float64 {
	right := 0
	for i, row := range c.counts {
		right += row[i]
	}
	return quotient(right, c.total)
}

// At most so many classes are printed.
const printedClasses = 24

// String shows the table.
func (c *Confusion) String() string {
	if c == nil {
		return "<nil>"
	}
	head, rows, note := c.table()
	return textTable(head, rows, 1) + note
}

// HTML shows the same table for a notebook.
func (c *Confusion) HTML() string {
	if c == nil {
		return "&lt;nil&gt;"
	}
	head, rows, note := c.table()
	return htmlTable(head, rows) + htmlNotes([]string{note})
}

func (c *Confusion) table() (head []string, rows [][]string, note string) {
	shown := min(len(c.counts), printedClasses)
	head = append([]string{"true \\ predicted"}, c.names[:shown]...)
	last := []string{"precision"}
	for i, counts := range c.counts[:shown] {
		row := []string{c.names[i]}
		for _, n := range counts[:shown] {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.3f", c.Recall(i))))
		last = append(last, fmt.Sprintf("%.3f", c.Precision(i)))
	}
	note = fmt.Sprintf("accuracy %.4f of %d", c.Accuracy(), c.total)
	if shown < len(c.counts) {
		note += fmt.Sprintf("; the first %d of %d classes are shown", shown, len(c.counts))
	}
	return append(head, "recall"), append(rows, append(last, "")), note
}
