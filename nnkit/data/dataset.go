package data

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// Dataset is a table of examples: a row of features in X and a target in Y for each. Printed, or shown in a notebook,
// it is its first rows.
type Dataset struct {
	Name     string
	Features []Feature // the columns of X
	Target   Feature   // what Y says
	X        [][]float64
	Y        []float64
}

// Feature describes a column.
type Feature struct {
	Name  string // one or two words, "glucose"
	Unit  string // "mg/dL"; "" for none
	About string // a sentence
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
	x1, x2, y1, y2, err := Split(d.X, d.Y, share, seed)
	if err != nil {
		return nil, nil, err
	}
	a, b := *d, *d
	a.X, a.Y, b.X, b.Y = x1, y1, x2, y2
	return &a, &b, nil
}

const shownRows = 5

func (d *Dataset) head() (title string, columns []string, rows [][]string) {
	title = fmt.Sprintf("%s: %d rows, %d features", d.Name, len(d.X), len(d.Features))
	for _, f := range append(slices.Clone(d.Features), d.Target) {
		name := f.Name
		if f.Unit != "" {
			name += " (" + f.Unit + ")"
		}
		columns = append(columns, name)
	}
	for i := range min(shownRows, len(d.X)) {
		var row []string
		for _, v := range append(slices.Clone(d.X[i]), d.Y[i]) {
			row = append(row, strconv.FormatFloat(v, 'g', 4, 64))
		}
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
	for _, row := range append([][]string{columns}, rows...) {
		b.WriteByte('\n')
		for i, cell := range row {
			fmt.Fprintf(&b, "  %*s", len([]rune(columns[i])), cell)
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
	about := append(slices.Clone(d.Features), d.Target)
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
		fmt.Fprintf(&b, `<tr><td colspan="%d">…</td></tr>`, len(columns))
	}
	b.WriteString("</tbody></table>")
	return b.String()
}
