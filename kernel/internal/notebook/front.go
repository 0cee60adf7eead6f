package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A notebook's metadata stands at the front of its text as YAML in block style: a
// name or a dash on each line, nested by indentation. That is how Jupytext writes
// it, and all that it reads. Of the rest of YAML, JSON behind a name is read, and
// nothing else: an anchor, a tag or a block of text is an error.

var (
	// plainName is a name that YAML reads as it stands, if it is no word below.
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	yamlWord  = regexp.MustCompile(`^(?i:null|true|false|yes|no|on|off|y|n)$`)
	// jsonNumber and yamlFloat are what is a number without quotes. YAML has
	// numbers that JSON has not, such as 1.e-3 and .5; Jupytext writes none.
	jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)
)

// appendYAML appends v, what a JSON decoder gives, in block style. It goes on in the
// line behind a name or a dash if it fits there; otherwise each of its lines begins
// with newline, a line's end and an indentation.
func appendYAML(dst []byte, v any, newline string) []byte {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return append(dst, " {}"...)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			dst = append(dst, newline...)
			if plainName.MatchString(name) && !yamlWord.MatchString(name) {
				dst = append(dst, name...)
			} else {
				dst = appendQuoted(dst, name)
			}
			dst = appendYAML(append(dst, ':'), v[name], newline+"  ")
		}
		return dst
	case []any:
		if len(v) == 0 {
			return append(dst, " []"...)
		}
		for _, item := range v {
			text := appendYAML(nil, item, newline+"  ")
			// What has lines of its own begins in that of the dash.
			text = bytes.TrimPrefix(text, []byte(newline+"  "))
			dst = append(append(append(dst, newline...), "- "...), bytes.TrimPrefix(text, []byte(" "))...)
		}
		return dst
	case string:
		return appendQuoted(append(dst, ' '), v)
	default: // a number, a truth value or none
		dst, _ = appendJSON(append(dst, ' '), v, "")
		return dst
	}
}

// appendQuoted appends a text in quotes as both JSON and YAML have it, which takes
// fewer characters as they are.
func appendQuoted(dst []byte, s string) []byte {
	for _, r := range string(appendString(nil, s)) {
		if r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			dst = fmt.Appendf(dst, `\u%04x`, r)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// A block is a text in block style that is being read.
type block struct {
	lines []blockLine
	at    int
	depth int
}

// A blockLine is a line without its indentation, and its number in the file.
type blockLine struct {
	indent int
	text   string
	number int
}

const deepest = 100 // a notebook's metadata nests less

// readYAML reads lines without their comment marks; the first is the file's line of
// that number. It returns what the names of the top level stand for, and which lines
// (from, to) are theirs.
func readYAML(lines []string, number int) (top map[string]any, extent map[string][2]int, err error) {
	b := &block{}
	for i, line := range lines {
		text := strings.TrimLeft(line, " ")
		b.lines = append(b.lines, blockLine{len(line) - len(text), strings.TrimRight(text, " \t\r"), number + i})
	}
	top, extent = map[string]any{}, map[string][2]int{}
	for b.next() {
		from := b.at
		name, v, err := b.entry(0)
		if err != nil {
			return nil, nil, err
		}
		if _, twice := top[name]; twice {
			return nil, nil, fmt.Errorf("line %d: %s stands here a second time", b.lines[from].number, name)
		}
		top[name], extent[name] = v, [2]int{from, b.at}
	}
	return top, extent, nil
}

// next goes to the next line that is not empty.
func (b *block) next() bool {
	for b.at < len(b.lines) && (b.lines[b.at].text == "" || b.lines[b.at].text[0] == '#') {
		b.at++
	}
	return b.at < len(b.lines)
}

func (b *block) errorf(at int, format string, args ...any) error {
	return fmt.Errorf("line %d: the notebook's metadata: %w", b.lines[at].number, fmt.Errorf(format, args...))
}

// nested reads what stands at an indentation: entries or items.
func (b *block) nested(indent int) (any, error) {
	if b.depth++; b.depth > deepest {
		return nil, b.errorf(b.at, "nested more than %d times", deepest)
	}
	defer func() { b.depth-- }()
	if isItem(b.lines[b.at].text) {
		return b.items(indent)
	}
	all := map[string]any{}
	for b.next() && b.lines[b.at].indent >= indent {
		at := b.at
		name, v, err := b.entry(indent)
		if err != nil {
			return nil, err
		}
		if _, twice := all[name]; twice {
			return nil, b.errorf(at, "%s stands here a second time", name)
		}
		all[name] = v
	}
	return all, nil
}

func isItem(text string) bool { return text == "-" || strings.HasPrefix(text, "- ") }

// items reads a list.
func (b *block) items(indent int) (any, error) {
	all := []any{}
	for b.next() && b.lines[b.at].indent == indent && isItem(b.lines[b.at].text) {
		line := &b.lines[b.at]
		rest := strings.TrimLeft(line.text[1:], " ")
		_, _, named := cutName(rest)
		var v any
		var err error
		switch {
		case rest != "" && (isItem(rest) || named): // a block that begins in this line
			line.indent += len(line.text) - len(rest)
			line.text = rest
			v, err = b.nested(line.indent)
		default:
			v, err = b.value(rest, indent)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if b.at < len(b.lines) && b.lines[b.at].indent > indent {
		return nil, b.errorf(b.at, "%s is indented as nothing before it", Shorten(b.lines[b.at].text, 40))
	}
	return all, nil
}

// entry reads a name and what it stands for.
func (b *block) entry(indent int) (name string, v any, err error) {
	line := b.lines[b.at]
	if line.indent != indent {
		return "", nil, b.errorf(b.at, "%s is indented as nothing before it", Shorten(line.text, 40))
	}
	name, rest, ok := cutName(line.text)
	if !ok {
		return "", nil, b.errorf(b.at, `%s is no name with a colon behind it: write it as in kernelspec: {"name": "nnkit"}`, Shorten(line.text, 40))
	}
	// A list may be indented no more than its name.
	if at := b.at + 1; rest == "" {
		for b.at++; b.next() && b.lines[b.at].indent == indent && isItem(b.lines[b.at].text); {
			v, err = b.items(indent)
			return name, v, err
		}
		b.at = at - 1
	}
	v, err = b.value(rest, indent)
	return name, v, err
}

// cutName cuts a line at the colon behind its name.
func cutName(text string) (name, rest string, ok bool) {
	switch {
	case text == "":
		return "", "", false
	case text[0] == '"' || text[0] == '\'':
		end := quoteEnd(text)
		if end < 0 {
			return "", "", false
		}
		quoted, err := unquote(text[:end])
		rest, ok = strings.CutPrefix(text[end:], ":")
		name, ok = quoted, ok && err == nil
	case strings.ContainsRune("{[|>&*!?@`%#,", rune(text[0])):
		return "", "", false
	default:
		if before, after, found := strings.Cut(text, ": "); found {
			return before, strings.TrimLeft(after, " "), true
		}
		name, ok = strings.CutSuffix(text, ":")
	}
	if rest != "" && rest[0] != ' ' {
		return "", "", false
	}
	return name, strings.TrimLeft(rest, " "), ok
}

// value reads what stands behind a name or a dash at an indentation, and in the
// lines below that are indented more.
func (b *block) value(first string, indent int) (any, error) {
	at := b.at
	b.at++
	if first == "" || first[0] == '#' {
		if !b.next() || b.lines[b.at].indent <= indent {
			return nil, nil
		}
		return b.nested(b.lines[b.at].indent)
	}
	// A text goes on in lines that are indented more.
	parts := []string{first}
	for ; b.at < len(b.lines) && (b.lines[b.at].indent > indent || b.lines[b.at].text == ""); b.at++ {
		parts = append(parts, b.lines[b.at].text)
	}
	switch first[0] {
	case '"', '\'':
		text := fold(parts)
		if end := quoteEnd(text); end < 0 || end != len(text) {
			return nil, b.errorf(at, "the quotes of %s do not end with it", Shorten(first, 40))
		}
		s, err := unquote(text)
		if err != nil {
			return nil, b.errorf(at, "%w", err)
		}
		return s, nil
	case '{', '[':
		dec := json.NewDecoder(strings.NewReader(strings.Join(parts, "\n")))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil || dec.More() {
			return nil, b.errorf(at, `behind a bracket stands JSON, as in {"language": "go"}: %s is none`, Shorten(first, 40))
		}
		return v, nil
	case '|', '>', '&', '*', '!', '?', '@', '`', '%':
		return nil, b.errorf(at, "%s is a part of YAML that is not read here: write the text in double quotes", Shorten(first, 40))
	}
	for i, part := range parts[1:] {
		if _, _, named := cutName(part); named {
			return nil, b.errorf(at+1+i, "%s is indented as nothing before it", Shorten(part, 40))
		}
	}
	text, _, _ := strings.Cut(fold(parts), " #")
	text = strings.TrimSpace(text)
	switch text {
	case "null", "Null", "NULL", "~":
		return nil, nil
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	if jsonNumber.MatchString(text) {
		return json.Number(text), nil
	}
	return text, nil
}

// fold joins the lines of a text as YAML does: a line's end is a space, an empty line a line's end, and a backslash at a line's end nothing.
func fold(lines []string) string {
	var b strings.Builder
	empty := 0
	for i, line := range lines {
		switch {
		case line == "" && i > 0:
			empty++
			continue
		case i == 0 || empty == 0 && strings.HasSuffix(lines[i-1], `\`):
		case empty > 0:
			b.WriteString(strings.Repeat("\n", empty))
			empty = 0
		default:
			b.WriteByte(' ')
		}
		if i+1 < len(lines) && lines[0][0] == '"' {
			line = strings.TrimSuffix(line, `\`)
		}
		b.WriteString(line)
	}
	return b.String()
}

// quoteEnd returns where the quotes end with which the text begins, -1 if they do not.
func quoteEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[0] == '"' && text[i] == '\\':
			i++
		case text[i] != text[0]:
		case text[0] == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// escapes are YAML's of a single letter.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	' ': " ", '"': `"`, '/': "/", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// unquote returns the text in quotes.
func unquote(text string) (string, error) {
	inner := text[1 : len(text)-1]
	if text[0] == '\'' {
		return strings.ReplaceAll(inner, "''", "'"), nil
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			b.WriteByte(inner[i])
			continue
		}
		i++ // quoteEnd has seen that something follows
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[inner[i]]
		if digits == 0 {
			s, ok := escapes[inner[i]]
			if !ok {
				return "", fmt.Errorf(`\%c is no character: write \\ for a backslash`, inner[i])
			}
			b.WriteString(s)
			continue
		}
		r, err := hexRune(inner[i+1:], digits)
		i += digits
		// JSON writes what is beyond four digits as two halves.
		if err == nil && r >= 0xd800 && r < 0xdc00 && strings.HasPrefix(inner[min(i+1, len(inner)):], `\u`) {
			if low, err := hexRune(inner[i+3:], 4); err == nil && low >= 0xdc00 && low < 0xe000 {
				r = 0x10000 + (r-0xd800)<<10 + low - 0xdc00
				i += 6
			}
		}
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

func hexRune(text string, digits int) (rune, error) {
	if len(text) >= digits {
		if v, err := strconv.ParseUint(text[:digits], 16, 32); err == nil && v <= utf8.MaxRune {
			return rune(v), nil
		}
	}
	return 0, errors.New(`behind \x, \u and \U stand 2, 4 and 8 digits of base 16, the number of a character`)
}
