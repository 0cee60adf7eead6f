package cell

import (
	"fmt"
	"go/token"
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	for _, test := range []struct{ name, src, want string }{
		{"line", "%cd  a b ", "before %cd(a b)"},
		{"space after the mark", "% cd a", "before %cd(a)"},
		{"shell", "!ls -l | wc", "before !(ls -l | wc)"},
		{"shell in the module", "!*go get x@latest", "before !*(go get x@latest)"},
		{"no Go at all", "!echo 'it is \"", "before !(echo 'it is \")"},
		{"continued", "!ls \\\n  -l\nx", "before !(ls    -l)\nshow x"},
		{"carriage return", "%cd a\r\nx", "before %cd(a)\nshow x"},
		{"arguments of the program", "%% --who=world\nf()", "before %%(--who=world)\nshow f()"},
		{"places", "import \"fmt\"\n!a\nx := 1\n!b\ny := 2\nfunc f() {}\n!c", "before !(a)\nbetween !(b)\nafter !(c)\nimport \"fmt\"\ndecl func f() {}\nstmt x := 1\nstmt y := 2"},
		{"after the trailing expression", "x\n!a", "after !(a)\nshow x"},
		{"timed", "%time x := f(1)\nx", "before %time(x := f(1))\nstmt x := f(1)\nshow x"},
		{"timed cell", "%%time\nf()", "before %%time()\nshow f()"},
		{"whole cell", "\n%%bash -e\nx := (\n", "before %%bash(-e)[x := (\n]"},
		{"for GoNB in an editor", "//gonb:%cd a\nx", "before %cd(a)\nshow x"},
		{"a comment like any other", "// %cd a\nx", "show x"},
		{"negation goes on", "x := a &&\n!b", "stmt x := a &&\n!b"},
		{"negation in a literal", "x := []bool{\n!a,\n!b}", "stmt x := []bool{\n!a,\n!b}"},
		{"remainder", "x := a %\nb", "stmt x := a %\nb"},
		{"raw string", "x := `\n%cd\n!ls`", "stmt x := `\n%cd\n!ls`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse(token.NewFileSet(), "cell", test.src)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, m := range c.Commands {
				text := fmt.Sprintf("%s %s(%s)", []string{"before", "between", "after"}[m.Place], m.Name, m.Args)
				if m.Body != "" {
					text += "[" + m.Body + "]"
				}
				out = append(out, text)
			}
			if text := describe(c); text != "" {
				out = append(out, text)
			}
			if got := strings.Join(out, "\n"); got != test.want {
				t.Errorf("%q\nis  %q\nwant %q", test.src, got, test.want)
			}
		})
	}
}
