package nnkit

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// rows are examples with their truth, or without.
type rows struct {
	n int
	x []columns // for each input
	y []truth   // for each output
}

// columns are some numbers of each row.
type columns struct {
	width int
	data  []float32 // nil for none
}

func (b columns) slice(lo, hi int) []float32 {
	if b.data == nil {
		return nil
	}
	return b.data[lo*b.width : hi*b.width]
}

// blank is room for n such rows.
func (b columns) blank(n int) columns {
	if b.data == nil {
		return b
	}
	return columns{b.width, make([]float32, n*b.width)}
}

// gather copies rows next to each other, from row lo on.
func (b columns) gather(from columns, order []int32, lo int) {
	if from.data == nil {
		return
	}
	for i, r := range order {
		copy(b.data[(lo+i)*b.width:(lo+i+1)*b.width], from.data[int(r)*b.width:])
	}
}

// truth is what an output should be.
type truth struct {
	columns
	shape   []int   // of a row
	weights columns // of the places in the loss; without data for 1
}

// part returns rows lo to hi-1.
func (r *rows) part(lo, hi int) rows {
	p := rows{n: hi - lo}
	for _, x := range r.x {
		p.x = append(p.x, columns{x.width, x.slice(lo, hi)})
	}
	for _, y := range r.y {
		p.y = append(p.y, truth{columns{y.width, y.slice(lo, hi)}, y.shape, columns{y.weights.width, y.weights.slice(lo, hi)}})
	}
	return p
}

// prepare converts and checks all data.
func (m *Model) prepare(x, y any, s *fitSettings) (train, validation rows, err error) {
	if train, err = m.convert("Fit", "x", "y", x, y); err != nil {
		return train, validation, err
	}
	if err := m.weigh("Fit", &train, s.weightings.ofSamples()); err != nil {
		return train, validation, err
	}
	all := train.n
	switch {
	case s.valGiven:
		if validation, err = m.convert("Fit", "ValidationData's x", "ValidationData's y", s.valX, s.valY); err != nil {
			return train, validation, err
		}
		if err := m.weigh("Fit: ValidationData", &validation, s.valWeights); err != nil {
			return train, validation, err
		}
	case s.split != nil && *s.split != 0:
		if !(*s.split > 0 && *s.split < 1) {
			return train, validation, fmt.Errorf("Fit: ValidationSplit(%v): it must be at least 0 and below 1, 0.2 for a fifth "+
				"of the rows", *s.split)
		}
		// A little more, so that 0.9 of 10 rows are 9: 1-0.9 is less than 0.1.
		at := int(math.Floor(float64(all)*(1-*s.split) + 1e-9))
		if at == 0 || at == all {
			return train, validation, fmt.Errorf("Fit: ValidationSplit(%v) of %d %s leaves %d to train on and %d to validate by: "+
				"both need at least one", *s.split, all, plural(all, "row"), at, all-at)
		}
		train, validation = train.part(0, at), train.part(at, all)
	}
	if err := m.weigh("Fit", &train, s.weightings.ofClasses()); err != nil {
		return train, validation, err
	}
	if s.batch != nil && *s.batch > train.n {
		return train, validation, fmt.Errorf("Fit: BatchSize(%d) is more than the %d training %s: write FullBatch(), or a smaller "+
			"number", *s.batch, train.n, plural(train.n, "row"))
	}
	return train, validation, nil
}

// convert turns x and y into rows that fit the model.
func (m *Model) convert(caller, xName, yName string, x, y any) (rows, error) {
	xs, err := tensorsOf(caller, xName, "input", m.inputNames(), x)
	if err != nil {
		return rows{}, err
	}
	ys, err := tensorsOf(caller, yName, "output", m.outputNames(), y)
	if err != nil {
		return rows{}, err
	}
	n, _ := xs[0].rows()
	for _, t := range slices.Concat(xs[1:], ys) {
		if others, _ := t.rows(); others != n {
			return rows{}, fmt.Errorf("%s: %s has %d %s and %s %d; they must agree", caller, xs[0].name, n, plural(n, "row"), t.name, others)
		}
	}
	shapes := make([][]int, len(xs))
	for i := range xs {
		xs[i].asColumn()
		shapes[i] = xs[i].shape[1:]
	}
	if m.shapes == nil {
		if err := m.build(shapes); err != nil {
			return rows{}, fmt.Errorf("%s: %w", caller, err)
		}
	}
	r := rows{n: n}
	for i, x := range xs {
		if err := m.fits(caller, x.name, x.Tensor, i); err != nil {
			return rows{}, err
		}
		_, width := x.rows()
		r.x = append(r.x, columns{width, x.data})
	}
	for i := range ys {
		y := &ys[i]
		y.asColumn()
		if err := m.checkTruth(caller, y.name, y.Tensor, i); err != nil {
			return rows{}, err
		}
		_, width := y.rows()
		r.y = append(r.y, truth{columns: columns{width, y.data}, shape: y.shape[1:]})
	}
	return r, nil
}

// checkTruth says whether y is a truth for an output.
func (m *Model) checkTruth(caller, name string, y *Tensor, i int) error {
	t, o := &m.targets[i], m.output(i)
	_, width := y.rows()
	o.counting = t.loss.counts(o.width, width/max(1, o.places()))
	if err := t.loss.suits(o); err != nil { // whose width may not have been known before
		return fmt.Errorf("%s: %w", caller, t.about(err))
	}
	if err := t.loss.checkTruth(name, y, o); err != nil {
		return fmt.Errorf("%s: %w", caller, err)
	}
	for _, metric := range t.metrics {
		if err := metric.suits(o); err != nil {
			return fmt.Errorf("%s: metric %s: %w", caller, metric, err)
		}
		if err := metric.checkTruth(name, y, o); err != nil {
			return fmt.Errorf("%s: metric %s: %w", caller, metric, err)
		}
	}
	return nil
}

// argument is a tensor with the name that messages have for it.
type argument struct {
	*Tensor
	name string
}

// asColumn makes a vector rows of one number.
func (a *argument) asColumn() {
	if len(a.shape) == 1 {
		a.Tensor = &Tensor{shape: []int{a.shape[0], 1}, data: a.data}
	}
}

// tensorsOf converts what is given for inputs, or outputs, of the given names: for the only one itself, else a map or a list.
func tensorsOf(caller, name, what string, names []string, values any) ([]argument, error) {
	given, err := takeApart(caller, name, what, names, values)
	if err != nil {
		return nil, err
	}
	list := make([]argument, len(names))
	for i, v := range given {
		list[i].name = name
		if len(names) > 1 {
			list[i].name = fmt.Sprintf("%s[%q]", name, names[i])
		}
		if list[i].Tensor, err = tensorOf(caller, list[i].name, v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// takeApart returns the values for names, from a map or in order.
func takeApart(caller, name, what string, names []string, values any) ([]any, error) {
	v := reflect.ValueOf(values)
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		list := make([]any, len(names))
		for it := v.MapRange(); it.Next(); {
			at := slices.Index(names, it.Key().String())
			if at < 0 {
				return nil, fmt.Errorf("%s: %s has %q, but the %ss are named %s", caller, name, it.Key(), what, quoted(names))
			}
			list[at] = it.Value().Interface()
		}
		for i, given := range list {
			if given == nil {
				return nil, fmt.Errorf("%s: %s lacks the %s %q: give it numbers, too", caller, name, what, names[i])
			}
		}
		return list, nil
	case isList(v) && (v.Len() == 1 || len(names) > 1):
		if v.Len() != len(names) {
			return nil, fmt.Errorf("%s: %s is a list of %d, but the model has %d %ss: give one for each, in the order %s",
				caller, name, v.Len(), len(names), what, strings.Join(names, ", "))
		}
		list := make([]any, len(names))
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return list, nil
	case len(names) == 1:
		return []any{values}, nil
	}
	return nil, fmt.Errorf("%s: %s is a %T, but the model has %d %ss: give a map of their names, map[string]any{%q: …, %q: …}, or a list "+
		"in their order, []any{…}", caller, name, values, len(names), what, names[0], names[1])
}

// isList says whether values are several, and not rows of numbers.
func isList(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && (v.Type().Elem().Kind() == reflect.Interface || v.Type().Elem() == reflect.TypeFor[*Tensor]())
}

// fits says whether rows of x can go into one of the model's inputs. Sizes of 1 need not be written: rows of 28×28 are images of one
// channel.
func (m *Model) fits(caller, name string, x *Tensor, input int) error {
	want := m.inputs[input].shape
	if len(x.shape) > 0 && slices.Equal(x.shape[1:], want) {
		return nil
	}
	_, width := x.rows()
	first := fmt.Sprintf("the input %q", m.inputs[input].name)
	if !m.functional {
		first = m.layers[0].core().where(0)
	}
	switch {
	case slices.Equal(withoutOnes(x.shape[min(1, len(x.shape)):]), withoutOnes(want)):
		return nil
	case len(want) == 1 && len(x.shape) <= 2:
		return fmt.Errorf("%s: %s has the shape %s, but %s wants %d %s a row: give each row %d %s, or make a new "+
			"model for rows of %d", caller, name, shapeText(x.shape), first, want[0],
			plural(want[0], "number"), want[0], plural(want[0], "number"), width)
	case width == sizeOf(want):
		return fmt.Errorf("%s: %s has the shape %s, but %s wants rows of shape %s: they have as many numbers, so that "+
			"Reshape(-1, %s) makes one of the other", caller, name, shapeText(x.shape), first, shapeText(want), strings.Trim(callText(want), "()"))
	default:
		return fmt.Errorf("%s: %s has the shape %s, but %s wants rows of shape %s: give it such rows, or make a new model",
			caller, name, shapeText(x.shape), first, shapeText(want))
	}
}

func withoutOnes(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(d int) bool { return d == 1 })
}
