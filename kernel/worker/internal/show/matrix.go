package show

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// matrix is what gonum's matrices and vectors have.
type matrix interface {
	Dims() (rows, columns int)
	At(i, j int) float64
}

const maxFormula = 12 // rows and columns of a matrix that is shown as a formula, too

// matrixTable makes the table of a matrix, of a large one of its corners, or
// returns nil if there is nothing in it.
func matrixTable(m matrix) *table {
	rows, columns := m.Dims()
	if rows <= 0 || columns <= 0 {
		return nil
	}
	t := &table{what: fmt.Sprintf("%s, %d x %d", Type(reflect.TypeOf(m)), rows, columns)}
	shownRows := shown(rows, maxRows, keptRows)
	for _, i := range shownRows {
		if i < 0 {
			t.rows = append(t.rows, gapRow)
			continue
		}
		t.rows = append(t.rows, row{head: strconv.Itoa(i)})
	}
	for _, j := range shown(columns, maxColumns, keptColumns) {
		if j < 0 {
			t.columns = append(t.columns, t.gap())
			continue
		}
		c := column{head: strconv.Itoa(j)}
		for _, i := range shownRows {
			if i < 0 {
				c.cells = append(c.cells, gapCell)
				continue
			}
			c.cells = append(c.cells, cell{numeric: true, float: true, value: m.At(i, j)})
		}
		c.align()
		t.columns = append(t.columns, c)
	}
	return t
}

// isCut tells whether rows or columns are left out.
func (t *table) isCut() bool {
	for _, c := range t.columns {
		if c.gap {
			return true
		}
	}
	return slices.Contains(t.rows, gapRow)
}

// brackets lays the table out as a matrix, with what it is above it if it is cut.
func (t *table) brackets() string {
	t = t.narrowed()
	var b strings.Builder
	if t.isCut() {
		b.WriteString(t.what + "\n")
	}
	for i := range t.rows {
		left, right := "⎢", "⎥"
		switch {
		case len(t.rows) == 1:
			left, right = "[", "]"
		case i == 0:
			left, right = "⎡", "⎤"
		case i == len(t.rows)-1:
			left, right = "⎣", "⎦"
		}
		line := make([]string, len(t.columns))
		for j, c := range t.columns {
			line[j] = pad(c.cells[i].text, column{cells: c.cells}.width(), true)
		}
		b.WriteString(left + strings.Join(line, "  ") + right + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// latex writes a small matrix as a formula, and nothing for a large one.
func (t *table) latex() string {
	if t.isCut() || len(t.rows) > maxFormula || len(t.columns) > maxFormula {
		return ""
	}
	lines := make([]string, len(t.rows))
	for i := range lines {
		line := make([]string, len(t.columns))
		for j, c := range t.columns {
			line[j] = c.cells[i].text
		}
		lines[i] = strings.Join(line, " & ")
	}
	return `$\displaystyle \begin{bmatrix}` + strings.Join(lines, ` \\ `) + `\end{bmatrix}$`
}
