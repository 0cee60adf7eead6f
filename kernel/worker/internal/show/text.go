package show

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxText  = 1 << 16 // bytes of a value's text
	maxBytes = 512     // bytes of a []byte that is no text
	maxWraps = 50      // errors that an error wraps
)

// Error returns an error's message. It does no harm that a method panics.
func Error(err error) string {
	s, p := attempt(err.Error)
	if p != nil {
		s = fmt.Sprintf("%T %s", err, panicNote("Error", p))
	}
	return cut(s, maxText)
}

// Text returns a value's text, as it is shown where there is no other form.
func Text(value any) string { return text(value) }

// maxLineParts is how much of a value is written in a line.
const maxLineParts = 40

// Line returns a value's text in a line of at most so many characters. A text is
// quoted in it.
func Line(v reflect.Value, most int) string {
	if v.Kind() == reflect.Pointer && v.IsNil() { // whatever its String method makes of that
		return "nil"
	}
	s, p := attempt(func() string { return (&literal{budget: maxLineParts}).node(v, 0, alone).flat() })
	if p != nil {
		s = Type(v.Type()) + " " + panicNote("its text", p)
	}
	return InLine(s, most)
}

// InLine puts a text into a line of at most so many characters.
func InLine(s string, most int) string {
	if strings.Contains(s, "\n") {
		s = strings.Join(strings.Fields(s), " ")
	}
	if utf8.RuneCountInString(s) > most {
		s = strings.TrimRight(string([]rune(s)[:most]), " ") + " …"
	}
	return s
}

// text returns a value's text.
func text(value any) string {
	return cut(fullText(value), maxText)
}

func fullText(value any) string {
	v := reflect.ValueOf(value)
	if err, ok := value.(error); ok && !isNil(value) {
		return Error(err) + wrapped(err)
	}
	s, note, ok := ownText(v)
	switch {
	case ok:
		return s
	case !v.IsValid():
		return "nil"
	case v.Kind() == reflect.String && isReadable(v.String()):
		return v.String()
	case isNamed(v, "encoding/json", "RawMessage"):
		var b bytes.Buffer
		if json.Indent(&b, v.Bytes(), "", "  ") == nil {
			return b.String()
		}
	case v.Kind() == reflect.Slice && isBytes(v.Type()) && v.Len() > maxInner:
		return manyBytes(v)
	case v.Kind() == reflect.Pointer && !v.IsNil() && isNamed(v.Elem(), "net/http", "Response"):
		return response(v.Elem())
	}
	n := (&literal{budget: maxParts}).node(v, 0, alone)
	n.bare = isNumbers(v)
	return n.layout() + note
}

// isNumbers tells of a slice or an array of numbers whose type has no name.
func isNumbers(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		t := v.Type()
		e := t.Elem()
		return t.Name() == "" && e.PkgPath() == "" && (isNumber(e.Kind()) || e.Kind() == reflect.Bool) && !isBytes(t) && (t.Kind() == reflect.Array || !v.IsNil())
	}
	return false
}

// list returns the text of several values, as Go lists them, or each on a line.
func list(values []any) string {
	texts := make([]string, len(values))
	columns := 0
	for i, value := range values {
		texts[i] = text(value)
		if v := reflect.ValueOf(value); v.IsValid() && v.Kind() == reflect.String && !hasText(v) && !strings.Contains(texts[i], "\n") {
			texts[i] = quoted(v.String())
		}
		columns += width(texts[i]) + 2
	}
	if columns > lineWidth || strings.Contains(strings.Join(texts, ""), "\n") {
		return strings.Join(texts, "\n")
	}
	return strings.Join(texts, ", ")
}

// ownText returns the text that a value makes of itself, unless there is nothing
// in it, and if its method panics, a note of that.
func ownText(v reflect.Value) (s, note string, ok bool) {
	if !v.IsValid() {
		return "", "", false
	}
	value := withMethods(v)
	if t, ok := value.(*time.Time); ok && t != nil {
		return t.Round(0).String(), "", true // without the monotonic clock's reading
	}
	name := "String"
	var p any
	switch x := value.(type) {
	case fmt.Formatter:
		s = fmt.Sprintf("%v", x) // which tells of a panic itself
	case error:
		name = "Error"
		s, p = attempt(x.Error)
	case fmt.Stringer:
		s, p = attempt(x.String)
	default:
		return "", "", false
	}
	if p != nil {
		if !isNil(value) {
			note = "\n" + panicNote(name, p)
		}
		return "", note, false
	}
	return s, "", s != ""
}

// hasText tells whether a value makes its text itself.
func hasText(v reflect.Value) bool {
	switch withMethods(v).(type) {
	case fmt.Formatter, error, fmt.Stringer:
		return true
	}
	return false
}

// wrapped lists what an error wraps, as a tree, with the types that errors.As
// would find.
func wrapped(err error) string {
	var b strings.Builder
	count := 0
	var add func(err error, indent string)
	add = func(err error, indent string) {
		inner := unwrap(err)
		for i, e := range inner {
			if count++; count > maxWraps || e == nil {
				continue
			}
			branch, below := "├ ", "│ "
			if i == len(inner)-1 {
				branch, below = "└ ", "  "
			}
			line := strings.ReplaceAll(Error(e), "\n", "\n"+indent+below)
			if t := reflect.TypeOf(e).String(); !strings.HasPrefix(t, "*errors.") && !strings.HasPrefix(t, "*fmt.") {
				line = Type(reflect.TypeOf(e)) + ": " + line
			}
			b.WriteString("\n" + indent + branch + line)
			add(e, indent+below)
		}
	}
	add(err, "")
	if count > maxWraps {
		b.WriteString("\n…")
	}
	return b.String()
}

// unwrap returns the errors that an error wraps. What errors.Join has made of
// several has nothing to tell of itself, so they take its place.
func unwrap(err error) []error {
	var inner []error
	if e, ok := err.(interface{ Unwrap() []error }); ok {
		inner, _ = attempt(e.Unwrap)
	} else if e, _ := attempt(func() error { return errors.Unwrap(err) }); e != nil {
		inner = []error{e}
	}
	if len(inner) == 1 && reflect.TypeOf(inner[0]) == reflect.TypeOf(errors.Join(err)) {
		return unwrap(inner[0])
	}
	return inner
}

// dimensions tells how large a matrix or an image is. Other values have none.
func dimensions(value any) string {
	s, _ := attempt(func() string {
		switch v := value.(type) {
		case matrix:
			rows, columns := v.Dims()
			return fmt.Sprintf("%d x %d", rows, columns)
		case image.Image:
			return fmt.Sprintf("%d x %d pixels", v.Bounds().Dx(), v.Bounds().Dy())
		}
		return ""
	})
	return s
}

// isReadable tells whether a text can be shown as it is: with nothing in it that
// nobody would see. Escape begins a colour.
func isReadable(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune("\n\t\r\x1b", r)
	})
}

// quoted returns a text as Go writes it, cut at its end.
func quoted(s string) string {
	short := s[:startOfRune(s, maxInner)]
	if rest := len(s) - len(short); rest > 0 {
		return fmt.Sprintf("%s… (%d more bytes)", strconv.Quote(short), rest)
	}
	return strconv.Quote(s)
}

// cut cuts a text at its end.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	at := startOfRune(s, most)
	return fmt.Sprintf("%s… (%d more bytes)", s[:at], len(s)-at)
}

// ellipsis cuts a text of a line to the width of a cell.
func ellipsis(s string) string {
	if width(s) <= maxCell {
		return s
	}
	return string([]rune(s)[:maxCell-1]) + "…"
}

// startOfRune returns the last place in s, up to at, where a rune starts or s ends.
func startOfRune(s string, at int) int {
	if at >= len(s) {
		return len(s)
	}
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return at
}

// manyBytes shows bytes as text if they are, and as numbers otherwise.
func manyBytes(v reflect.Value) string {
	b := v.Bytes()
	title := fmt.Sprintf("%s, %d bytes\n", Type(v.Type()), len(b))
	if isReadable(string(b)) {
		return title + string(b)
	}
	title += hex.Dump(b[:min(len(b), maxBytes)])
	if len(b) > maxBytes {
		return title + fmt.Sprintf("… (%d more bytes)", len(b)-maxBytes)
	}
	return strings.TrimSuffix(title, "\n")
}

// response shows the head of an http.Response. Its body can be read but once,
// which is left to the program.
func response(v reflect.Value) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v", v.FieldByName("Proto"), v.FieldByName("Status"))
	header := map[string][]string{}
	reflect.ValueOf(&header).Elem().Set(v.FieldByName("Header"))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		fmt.Fprintf(&b, "\n%s: %s", name, strings.Join(header[name], ", "))
	}
	return b.String() + "\n(the body has not been read)"
}
