package nnkit

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// String returns the summary: a line for each layer with its output shape and the number of its parameters, then
// their sum, how the model is compiled, and the seed.
func (m *Model) String() string {
	if m == nil {
		return "<nil>"
	}
	head, rows, notes := m.summary()
	return textTable(head, rows, len(head)-1) + strings.Join(notes, "\n")
}

// textTable lines columns up, so many of them at their left and the others at their right.
func textTable(head []string, rows [][]string, left int) string {
	width := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	line := func(row []string) {
		var text strings.Builder
		for i, cell := range row {
			gap := strings.Repeat(" ", width[i]-len([]rune(cell)))
			if i < left {
				text.WriteString(cell + gap + "  ")
			} else {
				text.WriteString(gap + cell + "  ")
			}
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
	line(head)
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// HTML returns the same summary as a table for a notebook.
func (m *Model) HTML() string {
	if m == nil {
		return "&lt;nil&gt;"
	}
	head, rows, notes := m.summary()
	return htmlTable(head, rows) + htmlNotes(notes)
}

func htmlTable(head []string, rows [][]string) string {
	var b strings.Builder
	cells := func(tag string, row []string) {
		b.WriteString("<tr>")
		for _, cell := range row {
			b.WriteString("<" + tag + ">" + html.EscapeString(cell) + "</" + tag + ">")
		}
		b.WriteString("</tr>")
	}
	b.WriteString(`<table style="white-space:nowrap"><thead>`)
	cells("th", head)
	b.WriteString("</thead><tbody>")
	for _, row := range rows {
		cells("td", row)
	}
	b.WriteString("</tbody></table>")
	return b.String()
}

func htmlNotes(notes []string) string {
	escaped := make([]string, len(notes))
	for i, n := range notes {
		escaped[i] = html.EscapeString(n)
	}
	return "<p>" + strings.Join(escaped, "<br>") + "</p>"
}

func (m *Model) summary() (head []string, rows [][]string, notes []string) {
	head = []string{"layer", "kind", "activation", "output", "parameters"}
	total := 0
	if m.functional {
		head = slices.Insert(head, 3, "from")
		for _, e := range m.inputs {
			rows = append(rows, []string{e.name, "input", "", "", outputText(e.shape), "0"})
		}
	}
	for i, l := range m.layers {
		c := l.core()
		count := "?"
		if c.input != nil {
			n := 0
			for _, p := range c.parameters {
				n += p.Len()
			}
			total += n
			count = groups(n)
		}
		row := []string{c.name, c.kind, c.activationText(), outputText(c.output), count}
		if m.functional {
			row = slices.Insert(row, 3, strings.Join(m.readBy(i), ", "))
		}
		rows = append(rows, row)
	}
	switch {
	case m.err != nil:
		notes = append(notes, "not usable: "+m.err.Error())
	case m.weights == nil:
		notes = append(notes, "the number of inputs comes with the data")
	default:
		note := fmt.Sprintf("%s, %s parameters (%s)", m.inputsText(), groups(total), bytesText(4*total))
		frozen := 0
		for _, p := range m.parameters {
			if !p.Trainable() {
				frozen += p.Len()
			}
		}
		if frozen > 0 {
			note += fmt.Sprintf(", %s of them frozen", groups(frozen))
		}
		notes = append(notes, note)
	}
	if m.targets != nil {
		parts := []string{m.compiled.optimizer.String()}
		for i := range m.targets {
			t := &m.targets[i]
			if t.output == "" {
				parts[0] += ", " + t.String()
			} else {
				parts = append(parts, t.output+": "+t.String())
			}
		}
		notes = append(notes, parts...)
	} else if m.err == nil {
		notes = append(notes, "not compiled")
	}
	seed := fmt.Sprintf("seed %d", m.seed)
	if m.epochs > 0 {
		seed += fmt.Sprintf(", trained for %d %s", m.epochs, plural(m.epochs, "epoch"))
	}
	return head, rows, append(notes, seed)
}

func outputText(shape []int) string {
	if shape == nil {
		return "?"
	}
	return "(rows, " + shapeText(shape)[1:]
}

func (m *Model) inputsText() string {
	if len(m.inputs) > 1 {
		return fmt.Sprintf("%d inputs, %s", len(m.inputs), countOf(len(m.outputs), "output", "outputs"))
	}
	shape := m.inputs[0].shape
	if len(shape) == 1 {
		return fmt.Sprintf("%d inputs", shape[0])
	}
	return "inputs of shape " + shapeText(shape)
}

// String lists loss and metrics.
func (t *target) String() string {
	text := t.loss.String()
	if t.weight != 1 {
		text = fmt.Sprintf("%v·%s", t.weight, text)
	}
	for _, metric := range t.metrics {
		text += ", " + metric.String()
	}
	return text
}

// groups writes 1234567 as 1,234,567.
func groups(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func bytesText(n int) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
