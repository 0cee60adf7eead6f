package notebook

import (
	"reflect"
	"strings"
	"testing"
)

// What is no metadata says where, and what to write.
func TestFrontErrors(t *testing.T) {
	for _, c := range []struct{ front, want string }{
		{"jupyter", "line 2: the notebook's metadata: jupyter is no name with a colon"},
		{"jupyter:\n  a:\n   b: 1\n  c: 2\n   d: 3\n", "line 6: the notebook's metadata: d: 3 is indented"},
		{"jupyter:\n  a: {name: go}", "line 3: the notebook's metadata: behind a bracket stands JSON"},
		{"jupyter:\n  a: 'it", "line 3: the notebook's metadata: the quotes of 'it do not end"},
		{`jupyter: "a" b`, `line 2: the notebook's metadata: the quotes of "a" b do not end with it`},
		{`jupyter: "\q"`, `line 2: the notebook's metadata: \q is no character`},
		{`jupyter: "\x1"`, `line 2: the notebook's metadata: behind \x`},
		{"jupyter:\n  a: &b c", "line 3: the notebook's metadata: &b c is a part of YAML that is not read here"},
		{"jupyter:\n  a: |\n    b", "line 3: the notebook's metadata: | is a part of YAML"},
		{"jupyter:\n  a: 1\n  a: 2", "line 4: the notebook's metadata: a stands here a second time"},
		{"jupyter: {}\njupyter: {}", "line 3: jupyter stands here a second time"},
		{"jupyter: 1", "the notebook's metadata: \"jupyter\""},
		{"jupyter:\n  " + strings.Repeat("- ", 200), "line 3: the notebook's metadata: nested more than"},
	} {
		_, err := ReadPercent([]byte("// ---\n// " + strings.ReplaceAll(c.front, "\n", "\n// ") + "\n// ---\n"))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %s …", c.front, err, c.want)
		}
	}
}

// The forms in which YAML has a text.
func TestYAMLTexts(t *testing.T) {
	for text, want := range map[string]any{
		`a # comment`:        "a",
		`a: b`:               "a: b",
		`it's`:               "it's",
		`'it''s'`:            "it's",
		`"\x41\u00e9\e\/\N"`: "Aé\x1b/\u0085",
		`"\ud83d\ude00"`:     "😀",
		`"\U0001F600"`:       "😀",
		"'a\n\n\n  b\n  c'":  "a\n\nb c",
		"\"a \\\n  b\"":      "a b",
		"a\n  b\n\n  c":      "a b\nc",
		`~`:                  nil,
		`'~'`:                "~",
		`True`:               true,
		`01`:                 "01",
		`{"a": ["b"]}`:       map[string]any{"a": []any{"b"}},
	} {
		lines := strings.Split("x: "+text, "\n")
		got, _, err := readYAML(lines, 1)
		if err != nil || !reflect.DeepEqual(got["x"], want) {
			t.Errorf("%s: %q, %v; want %q", text, got["x"], err, want)
		}
	}
}
