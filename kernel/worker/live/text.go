package live

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxElements is how many elements of a slice, array or map are shown, and
	// keptElements how many of its first and last ones if there are more.
	maxElements  = 200
	keptElements = 20
	maxText      = 1 << 16 // bytes of text of one value

	maxRows, keptRows       = 24, 6
	maxColumns, keptColumns = 14, 5
)

// matrix is what gonum's matrices and vectors have.
type matrix interface {
	Dims() (rows, columns int)
	At(i, j int) float64
}

// text is a value as fmt prints it with %v, with three differences: matrices are
// laid out, what is large is shortened, and a method that panics does no harm.
func text(value any) string {
	s, ok := attempt(func() string {
		switch v := value.(type) {
		case error:
			return v.Error()
		case fmt.Formatter, fmt.Stringer:
			return fmt.Sprintf("%v", v)
		case matrix:
			return matrixText(v)
		}
		return shortened(reflect.ValueOf(value))
	})
	if !ok {
		s, _ = attempt(func() string { return fmt.Sprintf("%v", value) }) // tells of the panic
	}
	if len(s) > maxText {
		cut := maxText
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = fmt.Sprintf("%s… (%d bytes more)", s[:cut], len(s)-cut)
	}
	return s
}

// shortened prints what may have many elements, or elements that have.
func shortened(v reflect.Value) string {
	if !v.IsValid() {
		return "<nil>"
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		if v.Len() <= maxElements && !nested(v.Type().Elem()) {
			break
		}
		return "[" + strings.Join(elements(v.Len(), func(i int) string { return element(v.Index(i)) }), " ") + "]"
	case reflect.Map:
		if v.Len() <= maxElements && !nested(v.Type().Elem()) {
			break
		}
		keys := v.MapKeys()
		slices.SortStableFunc(keys, compare)
		return "map[" + strings.Join(elements(len(keys), func(i int) string {
			return element(keys[i]) + ":" + element(v.MapIndex(keys[i]))
		}), " ") + "]"
	}
	return fmt.Sprintf("%v", v)
}

// nested tells whether values of a type have elements of their own.
func nested(t reflect.Type) bool {
	return t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map
}

// element prints an element. Where fmt would call a method it is left to do so:
// it knows not to do it for what was reached by an unexported field.
func element(v reflect.Value) string {
	if v.CanInterface() {
		switch v.Interface().(type) {
		case error, fmt.Formatter, fmt.Stringer:
			return fmt.Sprintf("%v", v)
		}
	}
	return shortened(v)
}

// elements prints all of n elements, or the first and the last ones.
func elements(n int, one func(int) string) []string {
	var all []string
	for i := 0; i < n; i++ {
		if n > maxElements && i == keptElements {
			all = append(all, fmt.Sprintf("… (%d more) …", n-2*keptElements))
			i = n - keptElements
		}
		all = append(all, one(i))
	}
	return all
}

// compare orders the keys of a map as fmt does, as far as they are of basic types.
func compare(a, b reflect.Value) int {
	for a.Kind() == reflect.Interface && b.Kind() == reflect.Interface && !a.IsNil() && !b.IsNil() {
		a, b = a.Elem(), b.Elem()
	}
	if a.Kind() != b.Kind() {
		return cmp.Compare(a.Kind(), b.Kind())
	}
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	case a.Kind() == reflect.String:
		return cmp.Compare(a.String(), b.String())
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// matrixText lays out a matrix in columns, aligned at their right. Of a large one
// it shows the corners.
func matrixText(m matrix) string {
	rows, columns := m.Dims()
	if rows == 0 || columns == 0 {
		return fmt.Sprintf("matrix, %d x %d", rows, columns)
	}
	shownRows, shownColumns := shown(rows, maxRows, keptRows), shown(columns, maxColumns, keptColumns)
	cells := make([][]string, len(shownRows))
	width := make([]int, len(shownColumns))
	for i, r := range shownRows {
		cells[i] = make([]string, len(shownColumns))
		for j, c := range shownColumns {
			s := "…"
			if r >= 0 && c >= 0 {
				s = number(m.At(r, c))
			}
			cells[i][j] = s
			width[j] = max(width[j], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	if len(shownRows) < rows || len(shownColumns) < columns {
		fmt.Fprintf(&b, "matrix, %d x %d\n", rows, columns)
	}
	for i, line := range cells {
		left, right := "⎢", "⎥"
		switch {
		case len(cells) == 1:
			left, right = "[", "]"
		case i == 0:
			left, right = "⎡", "⎤"
		case i == len(cells)-1:
			left, right = "⎣", "⎦"
		}
		b.WriteString(left)
		for j, s := range line {
			if j > 0 {
				b.WriteString("  ")
			}
			b.WriteString(strings.Repeat(" ", width[j]-utf8.RuneCountInString(s)))
			b.WriteString(s)
		}
		b.WriteString(right)
		if i < len(cells)-1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// shown lists the indices of rows or columns to show, -1 for a gap.
func shown(n, most, kept int) []int {
	var list []int
	for i := 0; i < n; i++ {
		if n > most && i == kept {
			list = append(list, -1)
			i = n - kept
		}
		list = append(list, i)
	}
	return list
}

// number prints a matrix's element with six digits.
func number(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}
