package show

import (
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	// Of more rows or columns than most the first and last kept ones are shown.
	maxRows, keptRows       = 30, 10
	maxColumns, keptColumns = 16, 6

	maxCell     = 60 // runes of a cell
	maxDecimals = 6  // of the numbers of a column
)

// table is what is shown in rows and columns.
type table struct {
	what    string // the type and how much of it there is
	rows    []row
	named   bool // the heads of rows are keys
	columns []column
}

// row is the head of a row, an index or a key. A gap stands for rows that are not
// shown.
type row struct {
	head string
	gap  bool
}

// column is a column of a table, or as row, a gap.
type column struct {
	head  string
	cells []cell
	right bool // aligned at the right, as numbers are
	gap   bool
}

// cell is what stands in a row of a column.
type cell struct {
	text    string
	numeric bool
	float   bool // the number is value, to be written with as few digits as the column's others
	value   float64
	none    bool // there is no value: a gap or nil
}

var (
	gapRow  = row{head: "…", gap: true}
	gapCell = cell{text: "…", none: true}
	nilCell = cell{text: "nil", none: true}
)

// gap returns the column that stands for those that are not shown.
func (t *table) gap() column {
	return column{head: "…", right: true, gap: true, cells: slices.Repeat([]cell{gapCell}, len(t.rows))}
}

// align sets how the column is aligned, and gives its floats the same number of
// decimals.
func (c *column) align() {
	numbers, decimals, legible := 0, 0, true
	for _, x := range c.cells {
		switch {
		case x.none:
		case !x.numeric:
			return
		default:
			numbers++
			if x.float {
				d, ok := decimalsOf(x.value)
				decimals, legible = max(decimals, d), legible && ok
			}
		}
	}
	c.right = numbers > 0
	for i, x := range c.cells {
		switch {
		case !x.float:
		case legible && !math.IsNaN(x.value) && !math.IsInf(x.value, 0):
			c.cells[i].text = strconv.FormatFloat(x.value, 'f', decimals, 64)
		default:
			c.cells[i].text = strconv.FormatFloat(x.value, 'g', 6, 64)
		}
	}
}

// decimalsOf tells how many decimals show the six digits of f that count, and
// whether that is a form that can be read.
func decimalsOf(f float64) (int, bool) {
	size := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) || f == 0:
		return 0, true
	case size == math.Trunc(size):
		return 0, size < 1e15
	case size < 1e-4 || size >= 1e9:
		return 0, false
	}
	decimals := 5 - int(math.Floor(math.Log10(size)))
	s := strings.TrimRight(strconv.FormatFloat(size, 'f', min(max(0, decimals), maxDecimals), 64), "0")
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction), true
}

// narrowed returns the table with as many of its first and last columns as fit
// into a line.
func (t *table) narrowed() *table {
	room := lineWidth - t.headWidth()
	total := 0
	for _, c := range t.columns {
		total += 2 + c.width()
	}
	if total <= room {
		return t
	}
	room -= 3 // for the gap
	first, last := 0, len(t.columns)
	for first < last {
		i := last - 1
		if first <= len(t.columns)-last {
			i = first
		}
		if room -= 2 + t.columns[i].width(); room < 0 && first > 0 {
			break
		}
		if i == first {
			first++
		} else {
			last--
		}
	}
	short := *t
	short.columns = slices.Clone(t.columns[:first])
	if first < last {
		short.columns = append(short.columns, t.gap())
	}
	short.columns = append(short.columns, t.columns[last:]...)
	return &short
}

func (c column) width() int {
	w := width(c.head)
	for _, x := range c.cells {
		w = max(w, width(x.text))
	}
	return w
}

func (t *table) headWidth() int {
	w := 0
	for _, r := range t.rows {
		w = max(w, width(r.head))
	}
	return w
}

// text lays the table out in lines.
func (t *table) text() string {
	t = t.narrowed()
	var b strings.Builder
	b.WriteString(t.what + "\n")
	write := func(head string, cell func(c column) string) {
		line := []string{pad(head, t.headWidth(), !t.named)}
		for _, c := range t.columns {
			line = append(line, pad(cell(c), c.width(), c.right))
		}
		b.WriteString(strings.TrimRight(strings.Join(line, "  "), " ") + "\n")
	}
	write("", func(c column) string { return c.head })
	for i, r := range t.rows {
		write(r.head, func(c column) string { return c.cells[i].text })
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// pad fills a text up with spaces, to its left if it is to stand at the right.
func pad(s string, w int, right bool) string {
	space := strings.Repeat(" ", max(0, w-width(s)))
	if right {
		return space + s
	}
	return s + space
}

// html writes the table for a page. It has no look of its own but for what front
// ends do not agree in.
func (t *table) html() string {
	const left, right = ` style="text-align:left"`, ` style="text-align:right"`
	style := map[bool]string{false: left, true: right}
	var b strings.Builder
	b.WriteString("<table>\n<thead><tr><th></th>")
	for _, c := range t.columns {
		b.WriteString("<th" + style[c.right] + ">" + html.EscapeString(c.head) + "</th>")
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for i, r := range t.rows {
		b.WriteString("<tr><th" + style[!t.named] + ">" + html.EscapeString(r.head) + "</th>")
		for _, c := range t.columns {
			b.WriteString("<td" + style[c.right] + ">" + html.EscapeString(c.cells[i].text) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n<p><small>" + html.EscapeString(t.what) + "</small></p>")
	return b.String()
}
