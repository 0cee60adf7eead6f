package program

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// An embedding is what a //go:embed line gives to a variable: files, whose contents
// are read when the cell runs.
type embedding struct {
	dir   string
	files []string
}

const embedDirective = "//go:embed "

// embedPatterns returns what the //go:embed lines before a variable say. Go's own
// reading of quotes is left to the go command: the text is handed on.
func embedPatterns(doc *ast.CommentGroup) []string {
	if doc == nil {
		return nil
	}
	var patterns []string
	for _, c := range doc.List {
		if rest, ok := strings.CutPrefix(c.Text, embedDirective); ok {
			patterns = append(patterns, strings.TrimSpace(rest))
		}
	}
	return patterns
}

// eachEmbed calls f for the variables of the cell that have a //go:embed line.
func (w *planning) eachEmbed(f func(spec *ast.ValueSpec, patterns []string)) {
	for _, s := range w.cell.Body.List {
		d, ok := s.(*ast.DeclStmt)
		if !ok {
			continue
		}
		g, ok := d.Decl.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			doc := v.Doc
			if !g.Lparen.IsValid() {
				doc = g.Doc
			}
			if patterns := embedPatterns(doc); patterns != nil {
				f(v, patterns)
			}
		}
	}
}

func (w *planning) embeds() bool {
	found := false
	w.eachEmbed(func(*ast.ValueSpec, []string) { found = true })
	return found
}

// findEmbedded finds the files of all //go:embed lines.
func (w *planning) findEmbedded() error {
	w.files = map[*ast.ValueSpec]embedding{}
	var err error
	w.eachEmbed(func(v *ast.ValueSpec, patterns []string) {
		if err != nil {
			return
		}
		if len(v.Names) > 1 || len(v.Values) > 0 {
			err = w.errorAt(v.Pos(), "go:embed is for one variable without a value")
			return
		}
		obj, _ := w.check.scope.Lookup(v.Names[0].Name).(*types.Var)
		if obj == nil || !embeddable(obj.Type()) {
			err = w.errorAt(v.Pos(), "go:embed is for a variable of type string, []byte or embed.FS")
			return
		}
		dir, files, e := w.config.Embed(patterns)
		if e == nil && len(files) != 1 && !isFS(obj.Type()) {
			e = fmt.Errorf("%d files for a variable that takes one: embed.FS takes more", len(files))
		}
		if e != nil {
			err = w.errorAt(v.Pos(), "%s%s: %v", embedDirective, strings.Join(patterns, " "), e)
			return
		}
		w.files[v] = embedding{dir, files}
	})
	return err
}

func isFS(t types.Type) bool { return types.TypeString(t, nil) == "embed.FS" }

func embeddable(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.String
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Kind() == types.Byte
	}
	return isFS(t)
}

// embed prints a variable's declaration as a call that reads its files.
func (p *printer) embed(v *ast.ValueSpec, e embedding) edit {
	c := p.cell
	args := []string{"&" + symbol(v.Names[0].Name, p.cand.vars[v.Names[0].Name].version), strconv.Quote(e.dir)}
	for _, f := range e.files {
		args = append(args, strconv.Quote(f))
	}
	text := fmt.Sprintf("err%s = %s.Embed(%s)%s", prime, live, strings.Join(args, ", "), p.fail(v.Pos()))
	start, end := c.Offset(v.Pos()), c.Offset(v.End())
	return edit{start, end, text + strings.Repeat("\n", strings.Count(c.Source[start:end], "\n"))}
}
