package cell

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// describe tells what a cell consists of, in the order of its kinds.
func describe(c *Cell) string {
	var out []string
	for _, s := range c.Imports {
		out = append(out, "import "+s.Path.Value)
	}
	for _, d := range c.Decls {
		text := c.Source[d.Start:d.End]
		if d.Grouped {
			text = "grouped " + text
		}
		out = append(out, "decl "+text)
	}
	for _, s := range c.Body.List {
		if _, ok := s.(*ast.EmptyStmt); ok {
			continue
		}
		out = append(out, "stmt "+c.Source[c.Offset(s.Pos()):c.Offset(s.End())])
	}
	for _, x := range c.Trailing {
		word := "show "
		if c.Muted {
			word = "mute "
		}
		out = append(out, word+c.Source[c.Offset(x.Pos()):c.Offset(x.End())])
	}
	return strings.Join(out, "\n")
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ name, src, want string }{
		{"nothing", "", ""},
		{"comments", "// a\n/* b */", ""},
		{"expression", "1 + 2", "show 1 + 2"},
		{"expressions", "a, f(b), c.d", "show a\nshow f(b)\nshow c.d"},
		{"expression before a comment", "x // the sum", "show x"},
		{"muted", "x;", "mute x"},
		{"muted call", "f();", "stmt f()"},
		{"muted call and comment", "f() ; // quietly", "stmt f()"},
		{"a call is not the last", "f()\ng()", "stmt f()\nshow g()"},
		{"method call over lines", "a.\n\tb().\n\tc()", "show a.\n\tb().\n\tc()"},
		{"composite literal", "T{1, 2}", "show T{1, 2}"},
		{"map literal", `map[string]int{"a": 1}`, `show map[string]int{"a": 1}`},
		{"function literal called", "func(x int) int { return x }(3)", "show func(x int) int { return x }(3)"},
		{"function literal, generic result", "func(x int) T[int] { return T[int]{} }(3)", "show func(x int) T[int] { return T[int]{} }(3)"},
		{"receive", "<-c", "show <-c"},
		{"send", "c <- 1", "stmt c <- 1"},
		{"receive in a list", "<-a, <-b", "show <-a\nshow <-b"},
		{"declared and shown", "x := 1; x", "stmt x := 1\nshow x"},
		{"label", "again:\nfor { break again }", "stmt again:\nfor { break again }"},
		{"headers", "for i := 0; i < 3; i++ { f(i) }", "stmt for i := 0; i < 3; i++ { f(i) }"},
		{"header with a literal", "if f := func() bool { return true }; f() { g() }", "stmt if f := func() bool { return true }; f() { g() }"},
		{"labelled header", "L: for i := 0; i < 3; i++ { break L }", "stmt L: for i := 0; i < 3; i++ { break L }"},
		{"switch header", "switch x := f(); x { case 1: g() }", "stmt switch x := f(); x { case 1: g() }"},
		{"two on a line", "if a { b() }; c()", "stmt if a { b() }\nshow c()"},
		{"else", "if a {\n} else if b := 1; b > 0 {\n} else {\n}", "stmt if a {\n} else if b := 1; b > 0 {\n} else {\n}"},
		{"block", "{ x := 1; f(x) }", "stmt { x := 1; f(x) }"},
		{"import group", "import (\n\t\"fmt\"\n\tm \"math\"\n)", "import \"fmt\"\nimport \"math\""},
		{"any order", "x := f()\nfunc f() int { return 1 }\nimport \"os\"\nx", "import \"os\"\ndecl func f() int { return 1 }\nstmt x := f()\nshow x"},
		{"methods", "func (t *T[A]) m() {}\nfunc (t T) n() int { return 1 }", "decl func (t *T[A]) m() {}\ndecl func (t T) n() int { return 1 }"},
		{"doc comment", "// F is.\n//go:noinline\nfunc F() {}", "decl // F is.\n//go:noinline\nfunc F() {}"},
		{"type group", "type (\n\tA int\n\tB struct{ A }\n)", "decl grouped A int\ndecl grouped B struct{ A }"},
		{"constants", "const (\n\ta = iota\n\tb\n)", "decl const (\n\ta = iota\n\tb\n)"},
		{"variables are statements", "var x, y = 1, 2\nvar z int", "stmt var x, y = 1, 2\nstmt var z int"},
		{"package clause", "package main\nfunc main() {}", "decl func main() {}"},
		{"go and defer", "go f()\ndefer g()", "stmt go f()\nstmt defer g()"},
		{"no value", "x++", "stmt x++"},
		{"raw string", "`a\nb`", "show `a\nb`"},
		{"carriage returns", "x := 1\r\nx\r\n", "stmt x := 1\nshow x"},
		{"comments of statements", "x := 1 // a\n// b\ny := 2 /* c */\n// F is.\nfunc F() {}", "decl // F is.\nfunc F() {}\nstmt x := 1\nstmt y := 2"},
		{"empty statements", ";\nx := 1; ; func f() {};;x;;", "decl func f() {}\nstmt x := 1\nmute x"},
		{"byte order mark", "\ufeffx := 1\nx", "stmt x := 1\nshow x"},
		{"conversion", "[]byte(s)", "show []byte(s)"},
		{"declaration after an expression", "f()\nfunc f() {}", "decl func f() {}\nstmt f()"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse(token.NewFileSet(), "cell", test.src)
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(c); got != test.want {
				t.Errorf("%q\nis  %q\nwant %q", test.src, got, test.want)
			}
		})
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"x := )", "1:6: unexpected ): nothing that it could close is open"},
		{"f(1]", "1:4: unexpected ]: the ( opened before it wants )"},
		{"for {\n\tf()\n", "1:5: the { of line 1 is never closed"},
		{"x := 1 +", "1:9: expected operand, found the end of the cell"},
		{"f()\n%%bash\nls", "2:1: %%bash stands in the first line of a cell"},
		{"if a {\n\t%ls\n}", "2:2: a command stands between the statements of a cell, not inside of one"},
		{"!ls\nx := )", "2:6: unexpected ): nothing that it could close is open"},
		{"x := 'ab'", "1:6: illegal rune literal"},
		{"a b", "1:3: missing ',' in argument list"},
		{"func f( {}", "1:7: the ( of line 1 is never closed"},
		{"s := \"abc", "1:6: string literal not terminated"},
		{"x := 1\nif x == 1\n{ }", "2:10: unexpected newline, expecting { after if clause"},
	} {
		c, err := Parse(token.NewFileSet(), "cell", test.src)
		var errs Errors
		if !errors.As(err, &errs) {
			t.Errorf("%q: no syntax error: %v", test.src, err)
			continue
		}
		line, col := c.Position(errs[0].Offset)
		if got := fmt.Sprintf("%d:%d: %s", line, col, errs[0].Message); got != test.want {
			t.Errorf("%q: %s\nwant %s", test.src, got, test.want)
		}
	}
}

func TestIsComplete(t *testing.T) {
	for _, test := range []struct {
		src    string
		want   Completeness
		indent string
	}{
		{"", Complete, ""},
		{"x := 1", Complete, ""},
		{"func f() {", Incomplete, "\t"},
		{"f(func() {", Incomplete, "\t\t"},
		{"x :=", Incomplete, "\t"},
		{"a +", Incomplete, "\t"},
		{"s := `abc", Incomplete, ""},
		{"/* abc", Incomplete, ""},
		{"f())", Invalid, ""},
		{"x := \"abc", Invalid, ""},
		{"import 3", Invalid, ""},
		{"!ls 'it", Complete, ""},
		{"%cd ..\nfor {", Incomplete, "\t"},
		{"!ls \\", Incomplete, ""},
		{"%%bash\nif [", Complete, ""},
		{"if a {\n%ls\n}", Invalid, ""},
		{"x := 1 2", Invalid, ""},
	} {
		got, indent := IsComplete(test.src)
		if got != test.want || indent != test.indent {
			t.Errorf("%q is %s, indent %q; want %s, %q", test.src, got, indent, test.want, test.indent)
		}
	}
}

// No text makes Parse panic, and every place it tells lies in the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"x := 1; x", "func f() {}\nf()", "type (\n\tA int\n)", "if a := 1; a > 0 {}; b", "a, b", "}{", "`", "import \"fmt\"", "L: for {}", "\xff", "x;;", "%time x\n!ls \\\n-l\n%%", "%%bash\nls", "//gonb:%ls"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		c, err := Parse(token.NewFileSet(), "cell", src)
		var errs Errors
		if errors.As(err, &errs) {
			for _, e := range errs {
				if e.Offset < 0 || e.Offset > len(src) {
					t.Fatalf("error at %d of %d: %s", e.Offset, len(src), e.Message)
				}
				c.Position(e.Offset)
			}
			return
		}
		if len(c.Statements()) != len(src) {
			t.Fatalf("%q becomes %q", src, c.Statements())
		}
		describe(c)
		IsComplete(src)
	})
}
