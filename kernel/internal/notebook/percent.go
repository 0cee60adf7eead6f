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
//	// jupyter:
//	//   kernelspec:
//	//     language: "go"
//	//     name: "nnkit"
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
// keeps the go command away from a file whose statements are no package; Jupytext
// takes it for a cell. Commands such as %get and !ls are commented out, and GoNB's
// bare %% stands behind //gonb:, as Jupytext does it for Go.

const (
	buildLine = "//go:build ignore"
	gonbMark  = "//gonb:"
)

var (
	// marker begins a cell.
	marker = regexp.MustCompile(`^// %%(?:[ \t]+(.*))?$`)
	// commented are lines of code that are written behind a comment mark, or
	// behind one more: commands, and what would begin a cell.
	commented = regexp.MustCompile(`^(?:// ?)*(?:!\*?|%{1,3})[A-Za-z]|^(?:// )+%%(?:[ \t]|$)|^(?:// )*//gonb:`)
	// bare is GoNB's command whose comment would be a marker.
	bare = regexp.MustCompile(`^%%[ \t]*(?:$|[ \t]-)`)
	// encoding is what Jupytext writes above a text that has more than ASCII.
	encoding = regexp.MustCompile(`^//.*coding[:=]\s*[-\w.]+`)
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
		plain, err := toPlain(front)
		if err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
		fmt.Fprintf(b, "// ---%s\n// ---\n\n", appendYAML(nil, plain, "\n// "))
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
		switch {
		case bare.MatchString(line):
			return gonbMark + line
		case commented.MatchString(line):
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
		if command, ok := strings.CutPrefix(line, gonbMark); ok && bare.MatchString(command) {
			return command
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
		if !isPrelude(lines[at:i]) {
			end(i, false)
		}
		if c, err = readMarker(m[1]); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		begin = i + 1
	}
	if !isPrelude(lines[at:]) {
		end(len(lines), true)
	}
	for i, id := range nb.ids() {
		nb.Cells[i].ID = id
	}
	return nb, nil
}

// isPrelude tells whether the first lines are nobody's cell: the build constraint,
// to which Jupytext gives a marker.
func isPrelude(lines []string) bool {
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	return text == "" || text == buildLine || text == "// %%\n"+buildLine
}

// readFront reads the notebook's metadata and returns the number of lines read.
// What stands there for other programs becomes a raw cell, as it does with Jupytext.
func (nb *Notebook) readFront(lines []string) (int, error) {
	begin := 0
	if len(lines) > 1 && encoding.MatchString(lines[0]) {
		begin = 1
	}
	if len(lines) <= begin || lines[begin] != "// ---" {
		return 0, nil
	}
	begin++
	end := begin + slices.Index(lines[begin:], "// ---")
	if end < begin {
		return 0, fmt.Errorf(`line %d: the metadata that begins with "// ---" never ends: write "// ---" behind it`, begin)
	}
	front := make([]string, 0, end-begin)
	for i, line := range lines[begin:end] {
		text, ok := strings.CutPrefix(line, "//")
		if !ok {
			return 0, fmt.Errorf(`line %d: the metadata that begins with "// ---" is a comment, and this line is none: write "// ---" above it`, begin+i+1)
		}
		front = append(front, strings.TrimPrefix(text, " "))
	}
	top, extent, err := readYAML(front, begin+1)
	if err != nil {
		return 0, err
	}
	o := &object{fields: top}
	nb.Metadata = o.object("jupyter")
	nb.extra = o.object("fields")
	if _, ok := top["nbformat_minor"]; ok {
		nb.minor, _ = o.integer("nbformat_minor")
	}
	if o.err != nil {
		return 0, fmt.Errorf("the notebook's metadata: %w", o.err)
	}
	for name := range top {
		if name != "jupyter" && name != "fields" && name != "nbformat_minor" {
			continue
		}
		for i := extent[name][0]; i < extent[name][1]; i++ {
			front[i] = ""
		}
	}
	if rest := slices.DeleteFunc(front, func(line string) bool { return line == "" }); len(rest) > 0 {
		nb.Cells = append(nb.Cells, &Cell{Type: Raw, Source: "---\n" + strings.Join(rest, "\n") + "\n---"})
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
