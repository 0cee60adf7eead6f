package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// appendJSON appends v as Python's json.dumps writes it with indent=1,
// sort_keys=True and ensure_ascii=False, which is how Jupyter saves notebooks.
// Package encoding/json would escape U+2028 and U+2029, and indent otherwise.
// The newline is a line's end with the indentation of v's first line.
func appendJSON(dst []byte, v any, newline string) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case string:
		return appendString(dst, v), nil
	case json.Number:
		return append(dst, v...), nil
	case []any:
		if len(v) == 0 {
			return append(dst, "[]"...), nil
		}
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, newline+" "...)
			if dst, err = appendJSON(dst, item, newline+" "); err != nil {
				return nil, err
			}
		}
		return append(append(dst, newline...), ']'), nil
	case map[string]any:
		if len(v) == 0 {
			return append(dst, "{}"...), nil
		}
		dst = append(dst, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, newline+" "...)
			dst = append(appendString(dst, name), ": "...)
			if dst, err = appendJSON(dst, v[name], newline+" "); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		return append(append(dst, newline...), '}'), nil
	}
	// A Go value that an executor put into a bundle or into metadata.
	plain, err := toPlain(v)
	if err != nil {
		return nil, err
	}
	return appendJSON(dst, plain, newline)
}

// toPlain makes of a Go value what a JSON decoder would give.
func toPlain(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var plain any
	err = dec.Decode(&plain)
	return plain, err
}

func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s { // invalid UTF-8 comes as U+FFFD
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r == '\b':
			dst = append(dst, '\\', 'b')
		case r == '\f':
			dst = append(dst, '\\', 'f')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
