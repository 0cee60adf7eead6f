package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// A vertical bar marks where the cursor is, behind an identifier. The way to it must
// be there, whatever else is wrong with the text.
func TestSketch(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"x|", "BlockStmt ExprStmt"},
		{"fmt.Println(x|", "BlockStmt ExprStmt CallExpr"},
		{"fmt.Println(f(a, []int{1, x|", "BlockStmt ExprStmt CallExpr CallExpr CompositeLit"},
		{"a := x|\nb := )", "BlockStmt AssignStmt"},
		{"a := )\nb := x|", "BlockStmt AssignStmt"},
		{"foo(\n\nfunc f() int {\n\treturn x|", "FuncDecl BlockStmt ReturnStmt"},
		{"if x|", "BlockStmt IfStmt ExprStmt"},
		{"if y := x|", "BlockStmt IfStmt AssignStmt"},
		{"for i := range x|", "BlockStmt RangeStmt"},
		{"for i := 0; i < x|", "BlockStmt ForStmt BinaryExpr"},
		{"for i := range 3 {\n\tif i > 1 {\n\t\tx|\n", "BlockStmt RangeStmt BlockStmt IfStmt BlockStmt ExprStmt"},
		{"switch x|", "BlockStmt SwitchStmt ExprStmt"},
		{"switch y {\ncase x|", "BlockStmt SwitchStmt BlockStmt CaseClause"},
		{"go func() {\n\tx|", "BlockStmt GoStmt CallExpr FuncLit BlockStmt ExprStmt"},
		{"type t struct {\n\ta x|", "GenDecl TypeSpec StructType FieldList Field"},
		{"func f(a x|", "FuncDecl FuncType FieldList Field"},
		{"func (t T) m() { x|", "FuncDecl BlockStmt ExprStmt"},
		{"p := T{a: x|", "BlockStmt AssignStmt CompositeLit KeyValueExpr"},
		{"m[x|", "BlockStmt ExprStmt IndexExpr"},
		{"y.x|", "BlockStmt ExprStmt SelectorExpr"},
		{"s := \"open\nx|", "BlockStmt ExprStmt"},
		{"/* ä𝄞 */ y.x|", "BlockStmt ExprStmt SelectorExpr"},
		{"%time x|", "BlockStmt ExprStmt"},
		{"!ls (\nx|", "BlockStmt ExprStmt"},
		{"a ? b\nx|", "BlockStmt ExprStmt"},
		{"x| $", "BlockStmt ExprStmt"},
		{"))) x|", "BlockStmt ExprStmt"},
		{"var a = x|", "BlockStmt DeclStmt GenDecl ValueSpec"},
		{"a, b := x|, 2\nc(", "BlockStmt AssignStmt"},
		{"y.\nx|", "BlockStmt ExprStmt"},
		{"y.\n\tx|", "BlockStmt ExprStmt SelectorExpr"},
		{"}\nx|", "BlockStmt ExprStmt"},
		{"f := func(a int) { return x|\n}\ntype", "BlockStmt AssignStmt FuncLit BlockStmt ReturnStmt"},
	} {
		src := strings.Replace(tt.src, "|", "", 1)
		c := Sketch(token.NewFileSet(), "cell", src, strings.Index(tt.src, "|"))
		roots := []ast.Node{c.Body}
		for _, d := range c.Decls {
			roots = append(roots, d.Node)
		}
		got := "nothing"
		for _, root := range roots {
			ast.PreorderStack(root, nil, func(n ast.Node, stack []ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.Name == "x" {
					var names []string
					for _, s := range stack {
						names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", s), "*ast."))
					}
					got = strings.Join(names, " ")
					if at := c.Offset(id.Pos()); src[at:at+1] != "x" {
						t.Errorf("%q: x is said to be at %d", tt.src, at)
					}
				}
				return true
			})
		}
		if got != tt.want {
			t.Errorf("%q: x is in %s, want %s", tt.src, got, tt.want)
		}
	}
}

// What is declared above the cursor is there, also where something else is broken.
func TestSketchKeeps(t *testing.T) {
	const src = "import \"fmt\"\nb := )\nfunc f() {}\nfunc g( {}\ntype t int\na := 1\nfmt.Println(x"
	c := Sketch(token.NewFileSet(), "cell", src, len(src))
	if len(c.Imports) != 1 || len(c.Decls) != 2 || len(c.Body.List) != 2 {
		t.Errorf("%d imports, %d declarations, %d statements", len(c.Imports), len(c.Decls), len(c.Body.List))
	}
}

func TestCommandAt(t *testing.T) {
	for src, want := range map[string]string{
		"%who|": "%who", "%cd /t|": "%cd", "!ls -|l": "!", "x := 1\n%|": "%", "%%bash\nls /|": "%%bash",
		"?fmt.Pr|": "?", "??|": "??", "x % y|": "", "%time f|": "", "%ti|": "%ti", "f(\n!x|": "", "x|\n%who": "", "%who\nx|": "",
	} {
		c, ok := CommandAt(strings.Replace(src, "|", "", 1), strings.Index(src, "|"))
		if c.Name != want || ok != (want != "") {
			t.Errorf("%q: %q, %t", src, c.Name, ok)
		}
	}
}

// No text makes Sketch panic, and where its trees are lies in their text.
func FuzzSketch(f *testing.F) {
	for _, s := range []string{"x.", "fmt.Println(", "if x {", "func f() { x", "))", "`", "\"", "/*", "'", "%time x", "!ls\nx.", "type t struct{ a ", "$", "for i := range", "\xff.x", "a[", "L:", "%%bash\nx"} {
		f.Add(s, len(s))
	}
	f.Fuzz(func(t *testing.T, src string, at int) {
		at = min(max(0, at), len(src))
		c := Sketch(token.NewFileSet(), "cell", src, at)
		for _, d := range c.Decls {
			if d.Start < 0 || d.End > len(c.Source) || d.Start > d.End {
				t.Fatalf("a declaration from %d to %d of %d", d.Start, d.End, len(c.Source))
			}
		}
		ast.Inspect(c.Body, func(n ast.Node) bool {
			if n != nil {
				c.Position(c.Offset(n.Pos()))
			}
			return true
		})
		CommandAt(src, at)
		c.Forget()
	})
}
