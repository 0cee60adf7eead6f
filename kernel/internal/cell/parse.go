package cell

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// An Error is a syntax error at an offset of a cell's text.
type Error struct {
	Offset  int
	Message string
}

// Errors are the syntax errors of a cell, in the order of its text.
type Errors []Error

func (e Errors) Error() string {
	if len(e) == 0 {
		return "no errors"
	}
	text := e[0].Message
	if len(e) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(e)-1)
	}
	return text
}

// The text before a cell's in the files that the parser sees. They end in a
// line feed so that columns agree.
const (
	declPrefix = "package main\n"
	bodyPrefix = "package main\nfunc _() {\n"
)

// Parse takes a cell apart. The name is that of its files in fset. An error is
// of type Errors; the cell returned with it has its text and lines only. A byte
// order mark at the beginning is blanked.
func Parse(fset *token.FileSet, name, src string) (*Cell, error) {
	if rest, ok := strings.CutPrefix(src, "\ufeff"); ok {
		src = strings.Repeat(" ", len(src)-len(rest)) + rest
	}
	c := &Cell{Source: src, fset: fset, lines: lineStarts(src), comments: map[int]string{}}
	var errs Errors
	if c.Commands, src, errs = Commands(src); len(errs) > 0 {
		return c, errs
	}
	if line, at := Constraint(src); line != "" { // the compiler takes it at the top of a file only
		src = src[:at] + strings.Repeat(" ", len(line)) + src[at+len(line):]
	}
	c.text = src
	chunks, errs := split(src)
	if len(errs) > 0 {
		return c, errs
	}
	place(c.Commands, chunks)
	var last *chunk
	if n := len(chunks); n > 0 && chunks[n-1].expression {
		last = &chunks[n-1]
		errs = append(errs, c.parseTrailing(name, *last, parserMode)...)
		if c.Trailing == nil {
			last = nil
		}
	}
	files, more := c.parseChunks(name, chunks, last)
	if errs = append(errs, more...); len(errs) > 0 {
		return c, dedupe(errs)
	}
	c.add(files)
	if len(files.body.Decls) != 1 {
		// A brace that closes the function around the statements; split should
		// have seen it.
		return c, Errors{{len(src), "unbalanced braces"}}
	}
	return c, nil
}

const parserMode = parser.ParseComments | parser.SkipObjectResolution | parser.AllErrors

// files are what the parser makes of a cell, each of its own kind of chunks: the
// parser wants imports first, a cell does not.
type files struct{ imports, decls, body *ast.File }

// parseChunks parses the chunks, but for the trailing expression.
func (c *Cell) parseChunks(name string, chunks []chunk, trailing *chunk) (files, Errors) {
	imports, decl, body := []byte(c.text), []byte(c.text), []byte(c.text)
	for i, k := range chunks {
		text := span{k.start, k.end}
		if k.semicolon > 0 {
			text.end = k.semicolon
			for _, file := range [][]byte{imports, decl} {
				blank(file[k.end : k.semicolon-1]) // one is enough behind a declaration
			}
		}
		if k.kind != importing {
			blank(imports[text.start:text.end])
		}
		if k.kind != declaration {
			blank(decl[text.start:text.end])
		}
		if k.kind == statement {
			if trailing == &chunks[i] {
				blank(body[k.start:k.end])
			}
			continue
		}
		blank(body[text.start:text.end])
		c.decls = append(c.decls, text)
	}
	var errs Errors
	parse := func(prefix, text, suffix string) *ast.File {
		f, err := parser.ParseFile(c.fset, name, prefix+text+suffix, parserMode)
		c.addPiece(f.FileStart, len(prefix))
		errs = append(errs, c.syntaxErrors(err, len(prefix))...)
		return f
	}
	return files{parse(declPrefix, string(imports), ""), parse(declPrefix, string(decl), ""), parse(bodyPrefix, string(body), "\n}\n")}, errs
}

// add takes the trees of the files apart.
func (c *Cell) add(f files) {
	c.Imports = f.imports.Imports
	c.addComments(f.decls)
	c.addComments(f.body)
	for _, g := range f.body.Comments {
		for _, m := range g.List {
			if strings.HasPrefix(m.Text, "//go:") || strings.HasPrefix(m.Text, "//line ") || strings.HasPrefix(m.Text, "/*line ") {
				c.directives = append(c.directives, span{c.Offset(m.Pos()), c.Offset(m.End())})
			}
		}
	}
	c.addDecls(f.decls)
	for _, d := range f.body.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			c.Body = f.Body
		}
	}
}

// parseTrailing takes the last statement as a list of expressions, as if they
// were arguments. A call that a semicolon follows is left to the statements.
func (c *Cell) parseTrailing(name string, k chunk, mode parser.Mode) Errors {
	const prefix = "_("
	base := c.fset.Base()
	x, err := parser.ParseExprFrom(c.fset, name, prefix+c.text[k.start:k.end]+")", mode)
	delta := len(prefix) - k.start
	c.addPiece(token.Pos(base), delta)
	if err != nil {
		return c.syntaxErrors(err, delta)
	}
	call, ok := x.(*ast.CallExpr)
	if !ok || call.Ellipsis.IsValid() || len(call.Args) == 0 {
		return Errors{{k.start, "expected an expression"}}
	}
	c.Muted = k.semicolon > 0
	if len(call.Args) == 1 && c.Muted {
		switch x := ast.Unparen(call.Args[0]).(type) {
		case *ast.CallExpr:
			return nil
		case *ast.UnaryExpr:
			if x.Op == token.ARROW {
				return nil
			}
		}
	}
	c.Trailing = call.Args
	return nil
}

func (c *Cell) addPiece(pos token.Pos, delta int) {
	if f := c.fset.File(pos); f != nil {
		c.pieces = append(c.pieces, piece{f, delta})
	}
}

func (c *Cell) addComments(f *ast.File) {
	for _, g := range f.Comments {
		for _, m := range g.List {
			if line, col := c.Position(c.Offset(m.Pos())); strings.TrimSpace(c.Line(line)[:col-1]) == "" {
				c.comments[line] = m.Text
			}
		}
	}
}

func (c *Cell) addDecls(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			c.addDecl(Decl{Node: d, Start: c.start(d.Doc, d)}, d)
		case *ast.GenDecl:
			switch d.Tok {
			case token.CONST:
				if len(d.Specs) > 0 { // const () declares nothing
					c.addDecl(Decl{Node: d, Start: c.start(d.Doc, d)}, d)
				}
			case token.TYPE:
				for _, s := range d.Specs {
					s := s.(*ast.TypeSpec)
					one := *d
					one.Specs = []ast.Spec{s}
					if d.Lparen.IsValid() {
						c.addDecl(Decl{Node: &one, Start: c.Offset(s.Pos()), Grouped: true}, s)
					} else {
						c.addDecl(Decl{Node: &one, Start: c.start(d.Doc, d)}, d)
					}
				}
			}
		}
	}
}

// addDecl adds a declaration that ends where the node does. One that is not complete
// may not know where that is.
func (c *Cell) addDecl(d Decl, n ast.Node) {
	d.End = max(d.Start, c.Offset(n.End()))
	c.Decls = append(c.Decls, d)
}

// start is where a declaration begins with its doc comment. The parser, which does
// not see the statements before, takes their comments for a part of that.
func (c *Cell) start(doc *ast.CommentGroup, n ast.Node) int {
	at := c.Offset(n.Pos())
	if doc == nil {
		return at
	}
	for _, m := range slices.Backward(doc.List) {
		start, end := c.Offset(m.Pos()), c.Offset(m.End())
		line, col := c.Position(start)
		if strings.TrimSpace(c.Source[end:at]+c.Line(line)[:col-1]) != "" {
			break
		}
		at = start
	}
	return at
}

func (c *Cell) syntaxErrors(err error, delta int) Errors {
	if err == nil {
		return nil
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return Errors{{0, err.Error()}}
	}
	var out Errors
	for _, e := range list {
		offset := min(max(0, e.Pos.Offset-delta), len(c.Source))
		msg := e.Msg
		if offset >= len(strings.TrimRight(c.text, " \t\r\n")) {
			// What is found there stands in our text around the cell.
			if i := strings.Index(msg, ", found"); i >= 0 {
				msg = msg[:i] + ", found the end of the cell"
			}
			offset = len(strings.TrimRight(c.text, " \t\r\n"))
		}
		out = append(out, Error{offset, msg})
	}
	return out
}

// dedupe keeps the first error of each line, as the compiler does: the others
// mostly follow from it.
func dedupe(errs Errors) Errors {
	seen := map[int]bool{}
	out := errs[:0]
	for _, e := range errs {
		if !seen[e.Offset] {
			seen[e.Offset] = true
			out = append(out, e)
		}
	}
	return out
}

type kind int

const (
	statement kind = iota
	clause         // package main, as in a pasted program
	importing
	declaration
)

// A chunk is the text between two semicolons of depth zero.
type chunk struct {
	start, end int
	kind       kind
	semicolon  int  // the offset behind those that are written after it, or 0
	expression bool // no keyword begins it, and nothing in it assigns or labels
}

// A tok is a scanned token.
type tok struct {
	offset int
	tok    token.Token
	lit    string
}

// end is the offset behind the token.
func (t tok) end(src string) int {
	if t.tok == token.STRING && strings.HasPrefix(t.lit, "`") {
		// The scanner takes carriage returns out of raw strings.
		return t.offset + 1 + strings.IndexByte(src[t.offset+1:], '`') + 1
	}
	if t.lit != "" {
		return t.offset + len(t.lit)
	}
	return t.offset + len(t.tok.String())
}

// split cuts a cell at the semicolons of depth zero.
func split(src string) ([]chunk, Errors) {
	toks, errs := scan(src)
	if len(errs) > 0 {
		return nil, errs
	}
	var chunks []chunk
	var open []tok
	first := 0
	for i, t := range toks {
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, t)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) == 0 {
				return nil, Errors{{t.offset, fmt.Sprintf("unexpected %s: nothing that it could close is open", t.tok)}}
			}
			if o := open[len(open)-1]; closing[o.tok] != t.tok {
				return nil, Errors{{t.offset, fmt.Sprintf("unexpected %s: the %s opened before it wants %s", t.tok, o.tok, closing[o.tok])}}
			}
			open = open[:len(open)-1]
		case token.SEMICOLON:
			if len(open) > 0 || t.lit == ";" && i > first && inHeader(src, toks[first:i+1]) {
				continue
			}
			if i > first {
				k := classify(toks[first:i])
				k.end = toks[i-1].end(src)
				chunks = append(chunks, k)
			}
			if t.lit == ";" {
				if len(chunks) == 0 {
					chunks = append(chunks, chunk{start: t.offset, end: t.offset}) // an empty statement
				}
				chunks[len(chunks)-1].semicolon = t.offset + 1
			}
			first = i + 1
		}
	}
	if len(open) > 0 {
		o := open[len(open)-1]
		line := 1 + strings.Count(src[:o.offset], "\n")
		return nil, Errors{{o.offset, fmt.Sprintf("the %s of line %d is never closed", o.tok, line)}}
	}
	if first < len(toks) { // the last token asks for more, as an operator does
		k := classify(toks[first:])
		k.end = toks[len(toks)-1].end(src)
		chunks = append(chunks, k)
	}
	return chunks, nil
}

var closing = map[token.Token]token.Token{token.LPAREN: token.RPAREN, token.LBRACK: token.RBRACK, token.LBRACE: token.RBRACE}

func scan(src string) ([]tok, Errors) {
	var s scanner.Scanner
	var errs Errors
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, []byte(src), func(pos token.Position, msg string) { errs = append(errs, Error{pos.Offset, msg}) }, 0)
	var toks []tok
	for {
		pos, t, lit := s.Scan()
		if t == token.EOF {
			return toks, errs
		}
		toks = append(toks, tok{file.Offset(pos), t, lit})
	}
}

// classify tells what the tokens of a chunk, without the semicolon, are.
func classify(toks []tok) chunk {
	k := chunk{start: toks[0].offset}
	at := func(i int) token.Token {
		if i < len(toks) {
			return toks[i].tok
		}
		return token.EOF
	}
	switch at(0) {
	case token.PACKAGE:
		k.kind = clause
	case token.IMPORT:
		k.kind = importing
	case token.CONST, token.TYPE:
		k.kind = declaration
	case token.FUNC:
		switch at(1) {
		case token.IDENT:
			k.kind = declaration
		case token.LPAREN:
			// A method has a name and parameters after its receiver; a function
			// literal has a result or its body.
			depth := 0
			for i := 1; i < len(toks); i++ {
				switch at(i) {
				case token.LPAREN:
					depth++
				case token.RPAREN:
					depth--
				}
				if depth == 0 {
					if at(i+1) == token.IDENT && (at(i+2) == token.LPAREN || at(i+2) == token.LBRACK) && !literalResult(toks[i+1:]) {
						k.kind = declaration
					}
					break
				}
			}
		}
	}
	k.expression = k.kind == statement && isExpression(toks)
	return k
}

// inHeader tells whether the semicolon that ends toks belongs to the header of a
// for, if or switch statement, for i := 0; i < n; i++ {, and not behind one.
func inHeader(src string, toks []tok) bool {
	i := 0
	for i+1 < len(toks) && toks[i].tok == token.IDENT && toks[i+1].tok == token.COLON { // a label
		i += 2
	}
	switch toks[i].tok {
	case token.FOR, token.IF, token.SWITCH:
		text := src[toks[0].offset:toks[len(toks)-1].offset]
		_, err := parser.ParseFile(token.NewFileSet(), "", bodyPrefix+text+"\n}\n", parser.SkipObjectResolution)
		return err != nil
	}
	return false
}

// literalResult tells of the tokens after a function's parameters whether they
// are the generic result type of a literal, T[int] {, and not a method's name.
func literalResult(toks []tok) bool {
	if len(toks) < 2 || toks[1].tok != token.LBRACK {
		return false
	}
	depth := 0
	for i := 1; i < len(toks); i++ {
		switch toks[i].tok {
		case token.LBRACK:
			depth++
		case token.RBRACK:
			depth--
			if depth == 0 {
				return i+1 < len(toks) && toks[i+1].tok == token.LBRACE
			}
		}
	}
	return false
}

func isExpression(toks []tok) bool {
	switch t := toks[0].tok; t {
	case token.FUNC, token.MAP, token.CHAN, token.STRUCT, token.INTERFACE:
	default:
		if t.IsKeyword() || t == token.LBRACE { // a block
			return false
		}
	}
	depth := 0
	for i, t := range toks {
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		if depth > 0 {
			continue
		}
		switch t.tok {
		case token.ASSIGN, token.DEFINE, token.INC, token.DEC, token.COLON,
			token.ADD_ASSIGN, token.SUB_ASSIGN, token.MUL_ASSIGN, token.QUO_ASSIGN, token.REM_ASSIGN,
			token.AND_ASSIGN, token.OR_ASSIGN, token.XOR_ASSIGN, token.SHL_ASSIGN, token.SHR_ASSIGN, token.AND_NOT_ASSIGN:
			return false
		case token.ARROW:
			// A send has an operand before the arrow, a receive an operator or nothing.
			if i > 0 {
				switch p := toks[i-1].tok; {
				case p == token.IDENT || p.IsLiteral() && p != token.IDENT || p == token.RPAREN || p == token.RBRACK || p == token.RBRACE:
					return false
				}
			}
		}
	}
	return true
}
