package show

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

const plain = "text/plain"

// Values returns the outputs that show a cell's trailing values, its result last.
// Values that are text alone are one output, as a list; otherwise each value is
// an output of its own, in all its forms; one whose MIMEBundle is an empty text
// alone has shown itself already.
func Values(values []any) []wire.Bundle {
	outputs := make([]wire.Bundle, len(values))
	rich := false
	for i, v := range values {
		outputs[i] = bundle(v)
		rich = rich || len(outputs[i].Data) > 1
	}
	if len(values) > 1 && !rich {
		return []wire.Bundle{{Data: map[string]any{plain: list(values)}}}
	}
	return slices.DeleteFunc(outputs, func(b wire.Bundle) bool { return len(b.Data) == 1 && b.Data[plain] == "" })
}

// Forms that a type may give its values by a method.
type (
	mimeBundler interface{ MIMEBundle() map[string]any }
	// A bundle's metadata, by MIME type: {"image/png": {"width": 400}}.
	mimeMetadata interface{ MIMEMetadata() map[string]any }
	htmler       interface{ HTML() string }
	svger        interface{ SVG() string }
	markdowner   interface{ Markdown() string }
	latexer      interface{ LaTeX() string }
	pnger        interface{ PNG() []byte }
	jpeger       interface{ JPEG() []byte }
)

// bundle shows one value in all its forms.
func bundle(value any) wire.Bundle {
	f := forms{data: map[string]any{}}
	v := reflect.ValueOf(value)
	f.byMethods(withMethods(v))
	if len(f.data) == 0 && v.IsValid() && !hasText(v) {
		f.byShape(v)
	}
	if f.data[plain] == nil {
		f.data[plain] = text(value)
	}
	for _, note := range f.notes {
		f.data[plain] = fmt.Sprintf("%v\n%s", f.data[plain], note)
	}
	return wire.Bundle{Data: f.data, Meta: f.meta}
}

// forms are those of a value, in the making.
type forms struct {
	data, meta map[string]any
	notes      []string // of methods that panic
}

// byMethods adds the forms that the value's type has methods for.
func (f *forms) byMethods(value any) {
	if v, ok := value.(mimeMetadata); ok {
		f.meta = call(f, value, "MIMEMetadata", v.MIMEMetadata)
	}
	if v, ok := value.(mimeBundler); ok {
		maps.Copy(f.data, call(f, value, "MIMEBundle", v.MIMEBundle))
		for mime, form := range f.data {
			if b, ok := form.([]byte); ok {
				f.data[mime] = encoded(b)
			}
		}
		if len(f.data) > 0 {
			return // the type has chosen
		}
	}
	if v, ok := value.(htmler); ok {
		f.add("text/html", call(f, value, "HTML", v.HTML))
	}
	if v, ok := value.(svger); ok {
		f.add("image/svg+xml", call(f, value, "SVG", v.SVG))
	}
	if v, ok := value.(markdowner); ok {
		f.add("text/markdown", call(f, value, "Markdown", v.Markdown))
	}
	if v, ok := value.(latexer); ok {
		f.add("text/latex", call(f, value, "LaTeX", v.LaTeX))
	}
	if v, ok := value.(pnger); ok {
		f.add("image/png", encoded(call(f, value, "PNG", v.PNG)))
	}
	if v, ok := value.(jpeger); ok {
		f.add("image/jpeg", encoded(call(f, value, "JPEG", v.JPEG)))
	}
}

// byShape adds the forms that the value's kind or methods suggest.
func (f *forms) byShape(v reflect.Value) {
	switch {
	case f.pictures(v) || f.plot(v):
	case isNamed(v, "html/template", "HTML"):
		f.add("text/html", v.String())
	default:
		f.tables(v)
	}
}

// tables adds what is shown in rows and columns: a matrix or a collection.
func (f *forms) tables(v reflect.Value) {
	if m, ok := withMethods(v).(matrix); ok {
		if t, p := attempt(func() *table { return matrixTable(m) }); p == nil && t != nil {
			f.add("text/html", t.html())
			f.add("text/latex", t.latex())
			f.add(plain, t.brackets())
		} else if p != nil && !isNil(m) {
			f.notes = append(f.notes, panicNote("Dims or At", p))
		}
		return
	}
	t := collectionTable(v)
	if t == nil {
		return
	}
	f.add("text/html", t.html())
	if s := text(v.Interface()); strings.Contains(s, "\n") {
		f.add(plain, t.text())
	}
}

// add adds a form unless there is none.
func (f *forms) add(mime, form string) {
	if form != "" {
		f.data[mime] = form
	}
}

// call calls a method of the user's, which may panic. Then the value has this form
// not, and its text says why, unless it is a nil pointer, the usual reason.
func call[T any](f *forms, value any, name string, method func() T) T {
	result, p := attempt(method)
	if p != nil && !isNil(value) {
		f.notes = append(f.notes, panicNote(name, p))
	}
	return result
}

// attempt returns what f returns, or the value of its panic. An interrupt passes.
func attempt[T any](f func() T) (result T, panicked any) {
	defer func() { panicked = recover() }()
	return f(), nil
}

func panicNote(method string, panicked any) string {
	s, p := attempt(func() string { return fmt.Sprint(panicked) })
	if p != nil {
		s = fmt.Sprintf("%T", panicked)
	}
	return fmt.Sprintf("(%s panics: %s)", method, s)
}

func encoded(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// withMethods returns the value, or where its pointer has more methods, as that
// of a big.Int, a pointer to it.
func withMethods(v reflect.Value) any {
	switch {
	case !v.IsValid():
		return nil
	case v.Kind() == reflect.Pointer || reflect.PointerTo(v.Type()).NumMethod() == v.NumMethod():
		return v.Interface()
	}
	return Addressable(v).Addr().Interface()
}

func isNil(value any) bool {
	v := reflect.ValueOf(value)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// isNamed tells whether a type of a package that is not imported here is meant.
func isNamed(v reflect.Value, pkg, name string) bool {
	return v.Type().PkgPath() == pkg && v.Type().Name() == name
}
