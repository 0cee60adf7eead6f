package data

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Dataset is a table of examples: a row of features in X and a target in Y for each. Pictures, sounds and texts are
// [Examples]. Printed, or shown in a notebook, it is its first rows.
type Dataset struct {
	Name     string
	Features []Feature // the columns of X
	Target   Feature   // what Y says
	X        [][]float64
	Y        []float64
}

// Feature describes a column. A column of categories holds their numbers, 0 for the first in Classes.
type Feature struct {
	Name    string   // one or two words, "glucose"
	Unit    string   // "mg/dL"; "" for none
	About   string   // a sentence
	Classes []string // the names of the categories; nil for a column of numbers
}

// value shows a number of the column.
func (f Feature) value(v float64) string {
	if i := int(v); f.Classes != nil && float64(i) == v && i >= 0 && i < len(f.Classes) {
		return f.Classes[i]
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// columns describes the columns of X and, behind them, Y, also where nobody has.
func (d *Dataset) columns() []Feature {
	all := slices.Clone(d.Features)
	if len(d.X) > 0 {
		for j := len(all); j < len(d.X[0]); j++ {
			all = append(all, Feature{Name: fmt.Sprintf("column %d", j)})
		}
	}
	return append(all, d.Target)
}

// Len returns the number of rows.
func (d *Dataset) Len() int { return len(d.X) }

// Labels returns Y.
func (d *Dataset) Labels() []float64 { return d.Y }

// Take returns the rows of the given numbers, in their order, as a set of their own. The rows are shared with d, not
// copied. Like the index of a slice, a number out of range panics.
func (d *Dataset) Take(rows []int) *Dataset {
	taken := *d
	taken.X, taken.Y = make([][]float64, len(rows)), make([]float64, len(rows))
	for i, from := range rows {
		taken.X[i], taken.Y[i] = d.X[from], d.Y[from]
	}
	return &taken
}

// Apply returns the set with its features transformed. d is left as it is.
//
//	scale, err := data.Standardize(train.X)
//	train, err = train.Apply(scale)
//	test, err = test.Apply(scale)
func (d *Dataset) Apply(t Transform) (*Dataset, error) {
	x, err := t.Apply(d.X)
	if err != nil {
		return nil, err
	}
	applied := *d
	applied.X, applied.Features = x, t.Outputs(d.Features)
	return &applied, nil
}

// Names returns the features' names, in the order of the columns.
func (d *Dataset) Names() []string {
	names := make([]string, len(d.Features))
	for i, f := range d.Features {
		names[i] = f.Name
	}
	return names
}

// Column returns the values of one feature, or of the target, by name. It is a copy. An unknown name is an error.
func (d *Dataset) Column(name string) ([]float64, error) {
	if name == d.Target.Name {
		return slices.Clone(d.Y), nil
	}
	for j, f := range d.Features {
		if f.Name == name {
			column := make([]float64, len(d.X))
			for i, row := range d.X {
				column[i] = row[j]
			}
			return column, nil
		}
	}
	return nil, fmt.Errorf("Column: there is no feature %q; there are %s", name, strings.Join(append(d.Names(), d.Target.Name), ", "))
}

// Split deals the rows at random into two sets, with the given share of them, between 0 and 1, in the first. The rows
// are shared with d, not copied. The same seed deals the same way.
func (d *Dataset) Split(share float64, seed int) (train, test *Dataset, err error) {
	return splitRows(d, share, seed)
}

const shownRows = 5

func (d *Dataset) head() (title string, columns []string, rows [][]string) {
	described := d.columns()
	title = fmt.Sprintf("%s: %d rows, %d features", d.Name, len(d.X), len(described)-1)
	for _, f := range described {
		name := f.Name
		if f.Unit != "" {
			name += " (" + f.Unit + ")"
		}
		columns = append(columns, name)
	}
	for i := range min(shownRows, len(d.X)) {
		var row []string
		for j, v := range d.X[i] {
			row = append(row, described[j].value(v))
		}
		row = append(row, d.Target.value(d.Y[i]))
		rows = append(rows, row)
	}
	return title, columns, rows
}

// String shows the size and the first rows.
func (d *Dataset) String() string {
	if d == nil {
		return "<nil>"
	}
	title, columns, rows := d.head()
	var b strings.Builder
	b.WriteString(title)
	widths := make([]int, len(columns))
	for _, row := range append([][]string{columns}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range append([][]string{columns}, rows...) {
		b.WriteByte('\n')
		for i, cell := range row {
			fmt.Fprintf(&b, "  %*s", widths[i], cell)
		}
	}
	if len(d.X) > shownRows {
		b.WriteString("\n  …")
	}
	return b.String()
}

// HTML shows the same as a table for a notebook; a column's explanation appears under the pointer.
func (d *Dataset) HTML() string {
	if d == nil {
		return "&lt;nil&gt;"
	}
	title, columns, rows := d.head()
	about := d.columns()
	var b strings.Builder
	b.WriteString("<p>" + html.EscapeString(title) + "</p><table><thead><tr>")
	for i, c := range columns {
		fmt.Fprintf(&b, `<th title="%s">%s</th>`, html.EscapeString(about[i].About), html.EscapeString(c))
	}
	b.WriteString("</tr></thead><tbody>")
	for _, row := range rows {
		b.WriteString("<tr>")
		for _, cell := range row {
			b.WriteString("<td>" + html.EscapeString(cell) + "</td>")
		}
		b.WriteString("</tr>")
	}
	if len(d.X) > shownRows {
		fmt.Fprintf(&b, `<tr><td colspan="%d" style="text-align:left">…</td></tr>`, len(columns))
	}
	b.WriteString("</tbody></table>")
	return b.String()
}
