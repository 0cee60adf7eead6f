package notebook

import (
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// WriteFile writes the notebook to the file of that name, which is replaced as
// a whole or not at all.
func (nb *Notebook) WriteFile(name string) error {
	if err := replaceFile(name, nb.Write); err != nil {
		return fmt.Errorf("write notebook: %w", err)
	}
	return nil
}

// Write writes the notebook as nbformat 4.5, the way Jupyter saves it: fields
// sorted by name, one space of indentation, texts as lists of lines, a newline
// at the end.
func (nb *Notebook) Write(w io.Writer) error {
	text, err := nb.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// MarshalJSON implements [json.Marshaler]: it is what Write writes.
func (nb *Notebook) MarshalJSON() ([]byte, error) {
	ids := nb.ids()
	cells := make([]any, len(nb.Cells))
	for i, c := range nb.Cells {
		cells[i] = c.fields(ids[i])
	}
	top := fields(nb.extra)
	top["cells"] = cells
	// These two are marks of Jupyter's own while a notebook is open.
	top["metadata"] = without(nb.Metadata, "orig_nbformat", "orig_nbformat_minor", "signature")
	top["nbformat"] = 4
	top["nbformat_minor"] = max(nb.minor, 5)
	text, err := appendJSON(nil, top, "\n")
	return append(text, '\n'), err
}

func (c *Cell) fields(id string) map[string]any {
	m := fields(c.extra)
	m["id"] = id
	m["cell_type"] = string(c.Type)
	m["metadata"] = without(c.Metadata, "trusted")
	m["source"] = splitLines(c.Source)
	if len(c.Attachments) > 0 {
		attachments := make(map[string]any, len(c.Attachments))
		for name, bundle := range c.Attachments {
			// Jupyter does not split the lines of attachments.
			attachments[name] = map[string]any(bundle)
		}
		m["attachments"] = attachments
	}
	if c.Type == Code {
		m["execution_count"] = orNull(c.ExecutionCount)
		outputs := make([]any, len(c.Outputs))
		for i, out := range c.Outputs {
			outputs[i] = out.fields()
		}
		m["outputs"] = outputs
	}
	return m
}

func (o *Output) fields() map[string]any {
	m := fields(o.extra)
	m["output_type"] = string(o.Type)
	switch o.Type {
	case Stream:
		m["name"] = o.Name
		m["text"] = splitLines(o.Text)
	case DisplayData, ExecuteResult:
		m["data"] = splitBundle(o.Data)
		m["metadata"] = without(o.Metadata)
		if o.Type == ExecuteResult {
			m["execution_count"] = orNull(o.ExecutionCount)
		}
	case Error:
		m["ename"] = o.ErrorName
		m["evalue"] = o.ErrorValue
		traceback := make([]any, len(o.Traceback))
		for i, line := range o.Traceback {
			traceback[i] = line
		}
		m["traceback"] = traceback
	}
	return m
}

func fields(extra map[string]any) map[string]any {
	m := make(map[string]any, len(extra)+8)
	maps.Copy(m, extra)
	return m
}

// without copies an object, less some names. A nil one becomes an empty one.
func without(m map[string]any, names ...string) map[string]any {
	c := fields(m)
	for _, name := range names {
		delete(c, name)
	}
	return c
}

func orNull(count int) any {
	if count == 0 {
		return nil
	}
	return count
}

// splitBundle splits those texts of a bundle into lines that Jupyter splits.
func splitBundle(bundle message.MIMEBundle) map[string]any {
	m := make(map[string]any, len(bundle))
	for mime, v := range bundle {
		switch text, isText := v.(string); {
		case isText && (strings.HasPrefix(mime, "text/") || mime == "application/javascript" || mime == "image/svg+xml"):
			m[mime] = splitLines(text)
		default:
			m[mime] = v
		}
	}
	return m
}

// splitLines cuts a text after each end of a line. Which characters end a line
// is Python's opinion (str.splitlines), so that Jupyter, saving the file, makes
// no other lines of it.
func splitLines(text string) []any {
	lines := []any{}
	start := 0
	for i, r := range text {
		switch r {
		case '\r':
			if strings.HasPrefix(text[i+1:], "\n") {
				continue
			}
		case '\n', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		default:
			continue
		}
		end := i + len(string(r))
		lines = append(lines, text[start:end])
		start = end
	}
	if start < len(text) {
		lines = append(lines, text[start:])
	}
	return lines
}
