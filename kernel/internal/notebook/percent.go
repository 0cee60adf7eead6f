package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The percent format is a notebook as a text that an editor shows as Go, without
// outputs. Jupytext calls it so (https://jupytext.readthedocs.io, "py:percent"):
//
//	// ---
//	// jupyter: {"kernelspec": {"language": "go", "name": "nnkit"}}
//	// ---
//
//	//go:build ignore
//
//	// %% [markdown] id="title"
//	// # A title
//
//	// %% tags=["parameters"] id="settings"
//	rate := 0.1
//
// What stands behind a marker is metadata, each value JSON. The build constraint
// keeps the go command away from a file whose statements are no package.
// Commands such as %get are commented out; those that begin with ! or ? are not,
// since a comment may begin so.

const buildLine = "//go:build ignore"

var (
	// marker begins a cell.
	marker = regexp.MustCompile(`^// %%(?:[ \t]+(.*))?$`)
	// commented are lines of code that are written behind a comment mark, or
	// behind one more: commands, and what would begin a cell.
	commented = regexp.MustCompile(`^(?:// )*%{1,3}[A-Za-z]|^(?:// )+%%(?:[ \t]|$)`)
	// lookalike are lines of prose that would begin a cell.
	lookalike = regexp.MustCompile(`^(?:// )*%%(?:[ \t]|$)`)
	// named begins a piece of metadata.
	named = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]*)=`)
)

// Names behind a marker that are no metadata. Metadata with such a name, or with
// one that is none, is written as a whole behind the last of them.
const (
	idAttribute         = "id"
	attachmentAttribute = "attachments"
	fieldsAttribute     = "fields"
	metadataAttribute   = "metadata"
)

var reserved = []string{idAttribute, attachmentAttribute, fieldsAttribute, metadataAttribute}

// IsPercentFile tells from a file's name whether it is a notebook in the percent
// format.
func IsPercentFile(name string) bool { return filepath.Ext(name) == ".go" }

// WritePercentFile writes the notebook to the file of that name in the percent
// format; the file is replaced as a whole or not at all.
func (nb *Notebook) WritePercentFile(name string) error {
	if err := replaceFile(name, nb.WritePercent); err != nil {
		return fmt.Errorf("write notebook: %w", err)
	}
	return nil
}

// WritePercent writes the notebook in the percent format: all but its outputs and
// execution counts. [ReadPercent] gives the same notebook.
func (nb *Notebook) WritePercent(w io.Writer) error {
	var b bytes.Buffer
	if err := nb.writeFront(&b); err != nil {
		return err
	}
	ids := nb.ids()
	for i, c := range nb.Cells {
		if i > 0 {
			b.WriteByte('\n')
		}
		line, err := c.marker(ids[i])
		if err != nil {
			return fmt.Errorf("cell %d: %w", i+1, err)
		}
		b.WriteString(line + "\n")
		for line := range strings.SplitSeq(c.Source, "\n") {
			b.WriteString(c.percentLine(line) + "\n")
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// writeFront writes the notebook's own metadata.
func (nb *Notebook) writeFront(b *bytes.Buffer) error {
	front := map[string]any{}
	if metadata := without(nb.Metadata, "orig_nbformat", "orig_nbformat_minor", "signature"); len(metadata) > 0 {
		front["jupyter"] = metadata
	}
	if len(nb.extra) > 0 {
		front["fields"] = nb.extra
	}
	if nb.minor > 0 {
		front["nbformat_minor"] = nb.minor
	}
	if len(front) > 0 {
		b.WriteString("// ---\n")
		for _, name := range slices.Sorted(maps.Keys(front)) {
			// JSON is YAML, which Jupytext reads here.
			text, err := appendJSON(nil, front[name], "\n//  ")
			if err != nil {
				return fmt.Errorf("metadata: %w", err)
			}
			fmt.Fprintf(b, "// %s: %s\n", name, text)
		}
		b.WriteString("// ---\n\n")
	}
	b.WriteString(buildLine + "\n\n")
	return nil
}

// marker returns the line that begins the cell.
func (c *Cell) marker(id string) (string, error) {
	var line strings.Builder
	line.WriteString("// %%")
	if c.Type != Code {
		line.WriteString(" [" + string(c.Type) + "]")
	}
	attributes := without(c.Metadata, "trusted")
	for name := range attributes {
		if slices.Contains(reserved, name) || named.FindString(name+"=") != name+"=" {
			attributes = map[string]any{metadataAttribute: attributes}
			break
		}
	}
	if len(c.Attachments) > 0 {
		attributes[attachmentAttribute] = c.Attachments
	}
	if len(c.extra) > 0 {
		attributes[fieldsAttribute] = c.extra
	}
	attributes[idAttribute] = id
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		var text strings.Builder
		enc := json.NewEncoder(&text) // on one line, unlike the file
		enc.SetEscapeHTML(false)
		if err := enc.Encode(attributes[name]); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		line.WriteString(" " + name + "=" + strings.TrimSpace(text.String()))
	}
	return line.String(), nil
}

// percentLine returns a line of the cell as it is written.
func (c *Cell) percentLine(line string) string {
	if c.Type == Code {
		if commented.MatchString(line) {
			return "// " + line
		}
		return line
	}
	if lookalike.MatchString(line) {
		line = "// " + line
	}
	if line == "" {
		return "//"
	}
	return "// " + line
}

// sourceLine is what percentLine has made a line of.
func (c *Cell) sourceLine(line string) string {
	rest, marked := strings.CutPrefix(line, "// ")
	if c.Type == Code {
		if marked && commented.MatchString(rest) {
			return rest
		}
		return line
	}
	if !marked {
		return strings.TrimPrefix(line, "//")
	}
	if inner, again := strings.CutPrefix(rest, "// "); again && lookalike.MatchString(inner) {
		return inner
	}
	return rest
}

// ReadPercent reads a notebook in the percent format. Text before the first marker
// is a cell of code.
func ReadPercent(data []byte) (*Notebook, error) {
	text := strings.ToValidUTF8(strings.TrimPrefix(string(data), "\ufeff"), "\ufffd")
	if first, _, _ := strings.Cut(text, "\n"); strings.HasSuffix(first, "\r") { // an editor of Windows
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	lines := strings.Split(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	nb := &Notebook{}
	at, err := nb.readFront(lines)
	if err != nil {
		return nil, err
	}
	c := &Cell{Type: Code}
	begin := at
	end := func(to int, last bool) {
		body := lines[begin:to]
		if n := len(body); n > 0 && body[n-1] == "" && !last {
			body = body[:n-1] // between two cells
		}
		source := make([]string, len(body))
		for i, line := range body {
			source[i] = c.sourceLine(line)
		}
		c.Source = strings.Join(source, "\n")
		nb.Cells = append(nb.Cells, c)
	}
	for i := at; i < len(lines); i++ {
		m := marker.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		if begin > at || !isPrelude(lines[at:i]) {
			end(i, false)
		}
		if c, err = readMarker(m[1]); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		begin = i + 1
	}
	if begin > at || !isPrelude(lines[at:]) {
		end(len(lines), true)
	}
	for i, id := range nb.ids() {
		nb.Cells[i].ID = id
	}
	return nb, nil
}

// isPrelude tells whether lines before the first marker are nobody's cell.
func isPrelude(lines []string) bool {
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	return text == "" || text == buildLine
}

// readFront reads the notebook's metadata and returns the number of lines read.
func (nb *Notebook) readFront(lines []string) (int, error) {
	if len(lines) == 0 || lines[0] != "// ---" {
		return 0, nil
	}
	end := slices.Index(lines[1:], "// ---") + 1
	if end == 0 {
		return 0, fmt.Errorf(`line 1: the metadata that begins with "// ---" never ends: write "// ---" behind it`)
	}
	for i := 1; i < end; {
		name, text, ok := strings.Cut(strings.TrimPrefix(lines[i], "// "), ": ")
		first := i
		for i++; i < end && (strings.HasPrefix(lines[i], "//  ") || lines[i] == "//"); i++ {
			text += "\n" + strings.TrimPrefix(lines[i], "//")
		}
		var v any
		if ok {
			dec := json.NewDecoder(strings.NewReader(text))
			dec.UseNumber()
			if err := dec.Decode(&v); err != nil || dec.More() {
				ok = false
			}
		}
		o := &object{fields: map[string]any{name: v}}
		switch {
		case !ok:
			return 0, fmt.Errorf(`line %d: the notebook's metadata is written as JSON here, as in // jupyter: {"kernelspec": {"language": "go"}}; write it so, or delete the lines to the second // ---`, first+1)
		case name == "jupyter":
			nb.Metadata = o.object(name)
		case name == "fields":
			nb.extra = o.object(name)
		case name == "nbformat_minor":
			nb.minor, _ = o.integer(name)
		}
		if o.err != nil {
			return 0, fmt.Errorf("line %d: %w", first+1, o.err)
		}
	}
	at := end + 1
	if at < len(lines) && lines[at] == "" {
		at++
	}
	return at, nil
}

// readMarker begins a cell with what stands behind its marker: a title, its type,
// metadata.
func readMarker(text string) (*Cell, error) {
	c := &Cell{Type: Code}
	var title []string
	attributes := map[string]any{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimLeft(text, " \t") {
		if m := named.FindString(text); m != "" || text[0] == '{' {
			rest := text[len(m):]
			dec := json.NewDecoder(strings.NewReader(rest))
			dec.UseNumber()
			var v any
			if err := dec.Decode(&v); err != nil {
				return nil, fmt.Errorf(`%s is not followed by JSON: write %s"…" for a text`, Shorten(text, 40), m)
			}
			text = rest[dec.InputOffset():]
			if m != "" {
				attributes[m[:len(m)-1]] = v
				continue
			}
			maps.Copy(attributes, v.(map[string]any))
			continue
		}
		word, rest, _ := strings.Cut(text, " ")
		text = rest
		switch word {
		case "[markdown]", "[md]":
			c.Type = Markdown
		case "[raw]":
			c.Type = Raw
		case "[code]":
		default:
			title = append(title, word)
		}
	}
	return c, c.take(attributes, strings.Join(title, " "))
}

// take gives the cell what was read behind its marker.
func (c *Cell) take(attributes map[string]any, title string) error {
	o := &object{fields: attributes}
	id, _ := attributes[idAttribute].(string)
	o.known(idAttribute)
	c.ID = id
	c.extra = o.object(fieldsAttribute)
	if err := c.readAttachments(o); err != nil {
		return err
	}
	whole := o.object(metadataAttribute)
	c.Metadata = o.rest()
	if whole != nil {
		c.Metadata = fields(whole)
		maps.Copy(c.Metadata, o.rest())
	}
	if title != "" {
		if c.Metadata == nil {
			c.Metadata = map[string]any{}
		}
		c.Metadata["title"] = title
	}
	return o.err
}
