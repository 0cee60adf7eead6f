package live

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"maps"
	"strings"
)

// Forms that a value may have beside its text. A type opts in by a method.
type (
	mimeBundler interface{ MIMEBundle() map[string]any }
	// A bundle's metadata, by MIME type: {"image/png": {"width": 400}}.
	mimeMetadata interface{ MIMEMetadata() map[string]any }
	htmler       interface{ HTML() string }
	svger        interface{ SVG() string }
	markdowner   interface{ Markdown() string }
	latexer      interface{ LaTeX() string }
	pnger        interface{ PNG() []byte }
)

// bundle makes the MIME bundle of a cell's trailing values. One value is shown in
// all the forms that it has; several, as text.
func bundle(values []any) (data, meta map[string]any) {
	data = map[string]any{}
	if len(values) == 1 {
		richForms(values[0], data)
		if v, ok := values[0].(mimeMetadata); ok {
			meta, _ = attempt(v.MIMEMetadata)
		}
		if data["text/plain"] == nil {
			data["text/plain"] = text(values[0])
		}
		return data, meta
	}
	texts := make([]string, len(values))
	separator := " "
	for i, v := range values {
		texts[i] = text(v)
		if strings.Contains(texts[i], "\n") {
			separator = "\n"
		}
	}
	data["text/plain"] = strings.Join(texts, separator)
	return data, nil
}

// richForms adds the forms other than text.
func richForms(value any, data map[string]any) {
	add := func(mime string, form func() string) {
		if s, ok := attempt(form); ok && s != "" {
			data[mime] = s
		}
	}
	if v, ok := value.(mimeBundler); ok {
		if forms, ok := attempt(v.MIMEBundle); ok {
			maps.Copy(data, forms)
		}
		for mime, form := range data {
			if b, ok := form.([]byte); ok { // as Jupyter has them
				data[mime] = base64.StdEncoding.EncodeToString(b)
			}
		}
		if len(data) > 0 {
			return // the type has chosen
		}
	}
	if v, ok := value.(htmler); ok {
		add("text/html", v.HTML)
	}
	if v, ok := value.(svger); ok {
		add("image/svg+xml", v.SVG)
	}
	if v, ok := value.(markdowner); ok {
		add("text/markdown", v.Markdown)
	}
	if v, ok := value.(latexer); ok {
		add("text/latex", v.LaTeX)
	}
	if v, ok := value.(pnger); ok {
		add("image/png", func() string { return base64.StdEncoding.EncodeToString(v.PNG()) })
	}
	if v, ok := value.(image.Image); ok && data["image/png"] == nil {
		add("image/png", func() string {
			var b bytes.Buffer
			if png.Encode(&b, v) != nil {
				return ""
			}
			return base64.StdEncoding.EncodeToString(b.Bytes())
		})
		if data["image/png"] != nil {
			if s, ok := attempt(func() string {
				return fmt.Sprintf("%T, %d x %d pixels", v, v.Bounds().Dx(), v.Bounds().Dy())
			}); ok {
				data["text/plain"] = s // not the pixels
			}
		}
	}
}

// attempt calls a method of the user's, which may panic: a nil pointer is the
// usual reason. Then the value has this form not.
func attempt[T any](form func() T) (result T, ok bool) {
	defer func() { _ = recover() }()
	result = form()
	return result, true
}
