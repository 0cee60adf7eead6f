package program

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// What the type checker says stays as Go's tools say it; where one sentence tells
// somebody new to Go what to do, it is added.

// explain says what a person at a notebook can do about an error.
func (w *planning) explain(c checked, err types.Error) string {
	msg := err.Msg
	if name, ok := strings.CutPrefix(msg, "undefined: "); ok {
		return w.explainUndefined(c, err, name)
	}
	for _, r := range remedies {
		if m := r.pattern.FindStringSubmatch(msg); m != nil {
			return beside(msg, r.remedy(w, c, err.Pos, m))
		}
	}
	return msg
}

// beside adds a remedy to the first line of a message, which may have more.
func beside(msg, remedy string) string {
	if remedy == "" {
		return msg
	}
	first, rest, more := strings.Cut(msg, "\n")
	if more {
		rest = "\n" + rest
	}
	return first + "; " + remedy + rest
}

// A remedy is what to write instead where a message has a form.
type remedy struct {
	pattern *regexp.Regexp
	remedy  func(w *planning, c checked, pos token.Pos, m []string) string
}

func always(text string) func(*planning, checked, token.Pos, []string) string {
	return func(*planning, checked, token.Pos, []string) string { return text }
}

var remedies = []remedy{
	{
		regexp.MustCompile(` undefined \(type .* has no field or method (\w+)\)$`),
		func(w *planning, c checked, pos token.Pos, m []string) string {
			if s := w.selector(c, pos); s != nil {
				return didYouMean(members(c.info.Types[s.X].Type), m[1])
			}
			return ""
		},
	},
	{regexp.MustCompile(` is not used$`), always("assign it to a variable, or to _; of a cell the last expression alone is shown")},
	{
		regexp.MustCompile(`(?s)^multiple-value (.+) \(value of type \(.+, error\)\) in single-value context$`),
		func(w *planning, c checked, pos token.Pos, m []string) string {
			return "call it in a line of its own, v, err := " + m[1] + ", " + w.errorBehind(c, pos)
		},
	},
	{
		regexp.MustCompile(`^too many arguments in call to .*\n\thave \([^,]+, error\)\n\twant \([^,]+\)$`),
		func(w *planning, c checked, pos token.Pos, _ []string) string {
			return "call what can fail in a line of its own, v, err := …, " + w.errorBehind(c, pos)
		},
	},
	{regexp.MustCompile(`^assignment mismatch: \d+ variables? but .* returns (\d+) values?$`), func(w *planning, c checked, pos token.Pos, m []string) string {
		if s := w.lacksError(c, pos); s != "" {
			return s
		}
		return "write " + m[1] + " names on the left, _ for those that are not wanted"
	}},
	{regexp.MustCompile(`\(mismatched types (\w+) and (\w+)\)$`), mismatch},
	{regexp.MustCompile(`^non-boolean condition in (if|for) statement$`), always("compare, as in x != 0")},
	{regexp.MustCompile(`^use of untyped nil in (assignment|variable declaration)$`), always("give the variable a type, as in var x *T")},
	{regexp.MustCompile(`^missing return$`), always("every way through the function must end with a return")},
	{regexp.MustCompile(`^no new variables on left side of :=$`), always("write = to assign to what is there")},
	{regexp.MustCompile(`^invalid recursive type: (\w+) refers to itself$`), func(_ *planning, _ checked, _ token.Pos, m []string) string {
		return "a pointer, *" + m[1] + ", may"
	}},
}

var numeric = regexp.MustCompile(`^(?:u?int(?:8|16|32|64)?|uintptr|byte|rune|float32|float64)$`)

// mismatch is the conversion that makes two operands fit.
func mismatch(_ *planning, _ checked, _ token.Pos, m []string) string {
	switch {
	case numeric.MatchString(m[1]) && numeric.MatchString(m[2]):
		wide := m[1]
		if strings.HasPrefix(m[2], "float") && !strings.HasPrefix(m[1], "float") {
			wide = m[2]
		}
		return "convert one of them, as in " + wide + "(…)"
	case m[1] == "string" && numeric.MatchString(m[2]), m[2] == "string" && numeric.MatchString(m[1]):
		return "make a text of the number with fmt.Sprint, or a number of the text with strconv"
	}
	return ""
}

// explainUndefined tells of a name that means nothing: a variable that has no value
// any more, a package that lacks it, a name that it resembles.
func (w *planning) explainUndefined(c checked, err types.Error, name string) string {
	if v := w.cand.vars[name]; v != nil && v.unusable != "" {
		if v.serial == w.id {
			return err.Msg + ": " + v.unusable
		}
		if v.unusable == notInPage {
			return name + " has no value here: " + w.reason(v)
		}
		return name + " has no value any more: " + w.reason(v)
	}
	if path, member, ok := strings.Cut(name, "."); ok {
		if pkg := c.imported(path); pkg != nil {
			return beside(err.Msg, didYouMean(exported(pkg), member))
		}
		return err.Msg
	}
	s := w.selector(c, err.Pos)
	if s == nil {
		return beside(err.Msg, didYouMean(w.visible(c, err), name))
	}
	// A package that could be imported lacks what is selected from it.
	for _, p := range w.find(name) {
		if pkg, failed := w.config.Importer.Import(p); failed == nil && pkg.Name() == name {
			return beside(fmt.Sprintf("undefined: %s.%s", name, s.Sel.Name), didYouMean(exported(pkg), s.Sel.Name))
		}
	}
	near := didYouMean(slices.Concat(w.visible(c, err), packageNames), name)
	if near == "" {
		near = "if it is a package, import it by its path"
	}
	return beside(err.Msg, near)
}

var notInStd = regexp.MustCompile(` is not in std \(.*\)`)

// explainImport says what a person can do about a package that cannot be imported.
func explainImport(path string, err error) string {
	msg := notInStd.ReplaceAllString(err.Error(), " is not in std")
	if strings.HasSuffix(msg, " is not in std") {
		return beside(msg, didYouMean(packageNames, path))
	}
	return msg
}

// packageNames are those that newcomers mistype.
var packageNames = strings.Fields("bufio bytes errors fmt io json log math os rand regexp slices sort strconv strings sync time")

func (w *planning) find(name string) []string {
	if w.config.Find == nil {
		return nil
	}
	return w.config.Find(name)
}

// errorBehind tells what to do with the error that a call at a place ends with.
func (w *planning) errorBehind(c checked, pos token.Pos) string {
	nested := false
	w.inspect(c, func(n ast.Node) {
		if b, ok := n.(*ast.BlockStmt); ok && b.Pos() <= pos && pos < b.End() {
			nested = true
		}
	})
	if nested {
		return "and if err != nil { panic(err) }"
	}
	return "of which a cell may leave out the err"
}

// lacksError says how the assignment whose values begin at a place is written in a
// function or a loop, if it lacks nothing but a variable for the error: elsewhere a
// cell may leave that out.
func (w *planning) lacksError(c checked, pos token.Pos) (sentence string) {
	w.inspect(c, func(n ast.Node) {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Rhs) != 1 || a.Rhs[0].Pos() != pos {
			return
		}
		call, ok := ast.Unparen(a.Rhs[0]).(*ast.CallExpr)
		if !ok {
			return
		}
		f, ok := c.info.Types[call.Fun].Type.(*types.Signature)
		if !ok {
			return
		}
		if before, ok := endsWithError(f.Results()); !ok || before != len(a.Lhs) {
			return
		}
		var names []string
		for _, x := range a.Lhs {
			names = append(names, types.ExprString(x))
		}
		sentence = fmt.Sprintf("inside functions and loops the error is written out: %s, err %s %s, and if err != nil { panic(err) }",
			strings.Join(names, ", "), a.Tok, types.ExprString(call))
	})
	return sentence
}

// inspect visits the nodes of what is being checked.
func (w *planning) inspect(c checked, visit func(ast.Node)) {
	nodes := w.statements()
	for _, u := range c.units {
		nodes = append(nodes, u.decl.Node)
	}
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			visit(n)
			return true
		})
	}
}

// selector is the expression that an error is about: by its name or by what is
// selected from it.
func (w *planning) selector(c checked, pos token.Pos) *ast.SelectorExpr {
	var found *ast.SelectorExpr
	w.inspect(c, func(n ast.Node) {
		if s, ok := n.(*ast.SelectorExpr); ok && found == nil {
			if _, plain := s.X.(*ast.Ident); plain && s.X.Pos() == pos || s.Sel.Pos() == pos {
				found = s
			}
		}
	})
	return found
}

// imported is a package by the name that the cell calls it by.
func (c checked) imported(name string) *types.Package {
	for _, obj := range c.info.Uses {
		if p, ok := obj.(*types.PkgName); ok && p.Name() == name {
			return p.Imported()
		}
	}
	return nil
}

func exported(pkg *types.Package) []string {
	var names []string
	for _, name := range pkg.Scope().Names() {
		if pkg.Scope().Lookup(name).Exported() {
			names = append(names, name)
		}
	}
	return names
}

// members are a type's fields and methods.
func members(t types.Type) []string {
	var names []string
	if t == nil {
		return nil
	}
	set := types.NewMethodSet(t)
	if _, ok := t.Underlying().(*types.Interface); !ok {
		if _, ok := t.(*types.Pointer); !ok {
			set = types.NewMethodSet(types.NewPointer(t))
		}
	}
	for m := range set.Methods() {
		names = append(names, m.Obj().Name())
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if s, ok := t.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			names = append(names, f.Name())
		}
	}
	return names
}

// visible are the names in scope at an error, the session's own among them.
func (w *planning) visible(c checked, err types.Error) []string {
	names := slices.Collect(maps.Keys(w.cand.units))
	for name, v := range w.cand.vars {
		if v.unusable == "" {
			names = append(names, name)
		}
	}
	names = slices.AppendSeq(names, maps.Keys(w.cand.imports))
	names = slices.AppendSeq(names, maps.Keys(w.defines))
	for _, s := range c.info.Scopes {
		if s.Contains(err.Pos) {
			names = append(names, s.Names()...)
		}
	}
	return append(names, types.Universe.Names()...)
}

// didYouMean asks for the name that the wrong one resembles most, or says nothing.
func didYouMean(names []string, wrong string) string {
	best, least := "", 1+(utf8.RuneCountInString(wrong)-1)/5
	slices.Sort(names)
	for _, name := range names {
		if strings.Contains(name, prime) || strings.Contains(name, ".") || name == wrong || name == "_" {
			continue
		}
		d := Distance(name, wrong)
		if strings.EqualFold(name, wrong) {
			d = 0
		}
		if d < len(wrong) && (d < least || d == least && len(name) > len(best)) {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// Distance is the number of letters to change, add, leave out, or swap with the
// next one, that makes one name of another (optimal string alignment).
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}
