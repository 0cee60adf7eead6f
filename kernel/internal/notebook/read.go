package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// ReadFile reads the notebook file of that name: an .ipynb file, or one in the
// percent format if it ends in .go.
func ReadFile(name string) (*Notebook, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read notebook: %w", err)
	}
	read := Read
	if IsPercentFile(name) {
		read = ReadPercent
	}
	nb, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("read notebook %s: %w", name, err)
	}
	return nb, nil
}

// Read takes the text of an .ipynb file apart. What it does not know it keeps
// for [Notebook.Write]. Cells are given the ids they lack.
func Read(data []byte) (*Notebook, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	v, err := decode(data)
	if err != nil {
		return nil, err
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the file holds %s where a notebook is an object", kind(v))
	}
	nb, err := readNotebook(top)
	if err != nil {
		return nil, err
	}
	for i, id := range nb.ids() {
		nb.Cells[i].ID = id
	}
	return nb, nil
}

// decode parses JSON and says where it is none.
func decode(data []byte) (any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("the file is empty")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		var syntax *json.SyntaxError
		if !errors.As(err, &syntax) {
			return nil, err
		}
		// The offset counts the bytes read, the offending one included.
		at := max(int(syntax.Offset)-1, 0)
		if strings.HasPrefix(syntax.Error(), "unexpected end") {
			at = len(data)
		}
		line, column := position(data, at)
		text := lineAt(data, at)
		for _, mark := range []string{"<<<<<<<", "=======", ">>>>>>>"} {
			if strings.HasPrefix(text, mark) {
				return nil, fmt.Errorf("line %d: a merge conflict is left in the file (%s); resolve it first", line, mark)
			}
		}
		return nil, fmt.Errorf("line %d, column %d: not JSON: %w", line, column, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return v, nil
}

// position returns line and column, both from 1, of the byte at offset.
func position(data []byte, offset int) (line, column int) {
	before := data[:min(offset, len(data))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, len([]rune(string(before[start:]))) + 1
}

func lineAt(data []byte, offset int) string {
	offset = min(offset, len(data))
	start := bytes.LastIndexByte(data[:offset], '\n') + 1
	line, _, _ := bytes.Cut(data[start:], []byte("\n"))
	return string(line)
}

func readNotebook(m map[string]any) (*Notebook, error) {
	o := &object{fields: m}
	major, hasMajor := o.integer("nbformat")
	minor, _ := o.integer("nbformat_minor")
	switch {
	case o.err != nil:
		return nil, o.err
	case !hasMajor:
		return nil, errors.New(`"nbformat" is missing: this is not a notebook of Jupyter's`)
	case major < 4:
		return nil, fmt.Errorf("nbformat %d is older than 4: upgrade the file with "+
			"`jupyter nbconvert --to notebook --inplace FILE`, or open and save it in JupyterLab", major)
	case major > 4:
		return nil, fmt.Errorf("nbformat %d is newer than 4, the newest known here: save the notebook as nbformat 4", major)
	}
	if _, has := m["cells"]; !has {
		return nil, errors.New(`"cells" is missing: a notebook of nbformat 4 has a list of them`)
	}
	nb := &Notebook{Metadata: o.object("metadata")}
	if minor > 5 {
		nb.minor = minor
	}
	for i, v := range o.list("cells") {
		c, err := readCell(v)
		if err != nil {
			return nil, fmt.Errorf("cell %d: %w", i+1, err)
		}
		nb.Cells = append(nb.Cells, c)
	}
	nb.extra = o.rest()
	return nb, o.err
}

func readCell(v any) (*Cell, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s where a cell is an object", kind(v))
	}
	o := &object{fields: m}
	o.require("cell_type")
	c := &Cell{Type: CellType(o.text("cell_type"))}
	if o.err != nil {
		return nil, o.err
	}
	switch c.Type {
	case Code, Markdown, Raw:
	default:
		return nil, fmt.Errorf(`"cell_type" is %q, known are "code", "markdown" and "raw"`, c.Type)
	}
	o.require("source")
	// What cannot be an id is replaced, as Jupyter does.
	c.ID, _ = m["id"].(string)
	o.known("id")
	c.Source = o.text("source")
	c.Metadata = o.object("metadata")
	if err := c.readAttachments(o); err != nil {
		return nil, err
	}
	if c.Type == Code {
		c.ExecutionCount, _ = o.integer("execution_count")
		for i, v := range o.list("outputs") {
			out, err := readOutput(v)
			if err != nil {
				return nil, fmt.Errorf("output %d: %w", i+1, err)
			}
			c.Outputs = append(c.Outputs, out)
		}
	}
	c.extra = o.rest()
	return c, o.err
}

func (c *Cell) readAttachments(o *object) error {
	for name, v := range o.object("attachments") {
		bundle, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("attachment %q is %s where forms by MIME type are wanted", name, kind(v))
		}
		if c.Attachments == nil {
			c.Attachments = make(map[string]message.MIMEBundle)
		}
		c.Attachments[name] = joinBundle(bundle)
	}
	return nil
}

func readOutput(v any) (*Output, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s where an output is an object", kind(v))
	}
	o := &object{fields: m}
	o.require("output_type")
	out := &Output{Type: OutputType(o.text("output_type"))}
	switch out.Type {
	case Stream:
		o.require("text")
		out.Name = o.text("name")
		if out.Name == "" {
			out.Name = "stdout"
		}
		out.Text = o.text("text")
	case DisplayData, ExecuteResult:
		o.require("data")
		out.Data = joinBundle(o.object("data"))
		out.Metadata = o.object("metadata")
		if out.Type == ExecuteResult {
			out.ExecutionCount, _ = o.integer("execution_count")
		}
	case Error:
		out.ErrorName = o.text("ename")
		out.ErrorValue = o.text("evalue")
		out.Traceback = o.lines("traceback")
	}
	// An output of a type that a later format brings is in the rest as it is.
	out.extra = o.rest()
	return out, o.err
}

// joinBundle makes strings of the texts that a file holds as lists of lines.
func joinBundle(m map[string]any) message.MIMEBundle {
	bundle := make(message.MIMEBundle, len(m))
	for mime, v := range m {
		if list, ok := v.([]any); ok && !isJSON(mime) {
			if text, err := joinLines(list); err == nil {
				v = text
			}
		}
		bundle[mime] = v
	}
	return bundle
}

func joinLines(list []any) (string, error) {
	var b strings.Builder
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("line %d of it is %s", i+1, kind(v))
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// An object reads the fields of a JSON object and remembers which are known, and
// the first thing that was wrong.
type object struct {
	fields map[string]any
	seen   map[string]bool
	err    error
}

func (o *object) known(name string) (any, bool) {
	if o.seen == nil {
		o.seen = make(map[string]bool)
	}
	o.seen[name] = true
	v, has := o.fields[name]
	return v, has && v != nil
}

func (o *object) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf(format, args...)
	}
}

func (o *object) require(name string) {
	if _, has := o.fields[name]; !has {
		o.fail("%q is missing", name)
	}
}

// text reads a string that may be stored as a list of lines.
func (o *object) text(name string) string {
	v, has := o.known(name)
	if !has {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case []any:
		s, err := joinLines(v)
		if err != nil {
			o.fail("%q is not a list of strings: %w", name, err)
		}
		return s
	}
	o.fail("%q is %s, wanted is a string or a list of strings", name, kind(v))
	return ""
}

// lines reads a list of strings.
func (o *object) lines(name string) []string {
	var lines []string
	for i, v := range o.list(name) {
		s, ok := v.(string)
		if !ok {
			o.fail("%q is not a list of strings: line %d of it is %s", name, i+1, kind(v))
		}
		lines = append(lines, s)
	}
	return lines
}

func (o *object) integer(name string) (int, bool) {
	v, has := o.known(name)
	if !has {
		return 0, false
	}
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil && i >= 0 && i < 1<<31 {
			return int(i), true
		}
	}
	o.fail("%q is %s, wanted is an integer not below 0", name, kind(v))
	return 0, false
}

func (o *object) object(name string) map[string]any {
	v, has := o.known(name)
	if !has {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		o.fail("%q is %s, wanted is an object", name, kind(v))
	}
	return m
}

func (o *object) list(name string) []any {
	v, has := o.known(name)
	if !has {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		o.fail("%q is %s, wanted is a list", name, kind(v))
	}
	return list
}

// rest returns the fields that nobody asked for.
func (o *object) rest() map[string]any {
	var rest map[string]any
	for name, v := range o.fields {
		if o.seen[name] {
			continue
		}
		if rest == nil {
			rest = make(map[string]any)
		}
		rest[name] = v
	}
	return rest
}

// kind names a JSON value in an error.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		return "the number " + v.String()
	case string:
		return "a string"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
