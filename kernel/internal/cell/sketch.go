package cell

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// Sketch takes apart a cell that is still being written. The text at the offset is
// what is being looked at: it stays. Where the text is no Go as it stands, what is
// open there is closed and what follows is left out; of what comes before, the
// lines that keep it from being Go. There is no trailing expression: it is among the
// statements.
func Sketch(fset *token.FileSet, name, src string, at int) *Cell {
	c := &Cell{fset: fset, comments: map[int]string{}}
	c.Commands, src, _ = Commands(src)
	src = undotted(src, at)
	if _, errs := split(src); len(errs) > 0 {
		src = mend(src, at)
	}
	src, chunks := leaveOut(src, at)
	c.Source, c.text, c.lines = src, src, lineStarts(src)
	files, _ := c.parseChunks(name, chunks, nil)
	c.add(files)
	if c.Body == nil {
		c.Body = &ast.BlockStmt{}
	}
	return c
}

// undotted blanks a dot that was left at the end of the line before the offset's,
// which would make one expression of the two. A chain of calls is indented.
func undotted(src string, at int) string {
	start := strings.LastIndexByte(src[:at], '\n') + 1
	before := strings.TrimRight(src[:start], " \t\r\n")
	line := before[strings.LastIndexByte(before, '\n')+1:]
	if !strings.HasSuffix(line, ".") || strings.Contains(line, "//") || indent(src[start:]) > indent(line) {
		return src
	}
	return before[:len(before)-1] + " " + src[len(before):]
}

// indent is how many blanks a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// maxLeftOut is how often something is left out of a text.
const maxLeftOut = 50

// leaveOut blanks of the chunks that do not parse the first line, which may have run
// into the next ones, or all of them. What is at the offset stays.
func leaveOut(src string, at int) (string, []chunk) {
	chunks, errs := split(src)
	if len(errs) > 0 {
		return "", nil
	}
	good := 0 // up to where all is
	for range maxLeftOut {
		i := slices.IndexFunc(chunks, func(k chunk) bool {
			return k.start >= good && (k.end < at || lineEnd(src, k.start) < at) && !parses(src, k)
		})
		if i < 0 {
			break
		}
		k := chunks[i]
		good = k.start
		without := func(end int) bool {
			text := []byte(src)
			blank(text[k.start:end])
			rest, errs := split(string(text))
			if len(errs) == 0 {
				src, chunks = string(text), rest
			}
			return len(errs) == 0
		}
		if without(min(k.end, lineEnd(src, k.start))) {
			continue
		}
		if k.end >= at || !without(k.end) { // the parser makes of it what it can
			break
		}
	}
	return src, chunks
}

// lineEnd is the end of the line that an offset is in.
func lineEnd(src string, offset int) int {
	if i := strings.IndexByte(src[offset:], '\n'); i >= 0 {
		return offset + i
	}
	return len(src)
}

// parses tells whether a chunk is Go by itself.
func parses(text string, k chunk) bool {
	prefix, suffix := declPrefix, "\n"
	if k.kind == statement {
		prefix, suffix = bodyPrefix, "\n}\n"
	}
	_, err := parser.ParseFile(token.NewFileSet(), "", prefix+text[k.start:k.end]+suffix, parser.SkipObjectResolution)
	return err == nil
}

// mend makes the text up to the end of the token at the offset one whose brackets
// and literals are closed. It is the same up to there, but for what could not be
// kept, in whose place are blanks.
func mend(src string, at int) string {
	src = headOf(src, at)
	var tail string
	text := []byte(src)
	var unended []Error
	toks, errs := scan(src)
	for _, e := range errs {
		if strings.HasSuffix(e.Message, "literal not terminated") || strings.HasSuffix(e.Message, "comment not terminated") {
			unended = append(unended, e)
		}
	}
	for _, e := range unended {
		switch {
		case strings.Contains(e.Message, "comment"):
			tail = "*/"
		case strings.Contains(e.Message, "raw string"):
			tail = "`"
		default: // the line's rest is the literal
			end := lineEnd(src, e.Offset)
			blank(text[e.Offset:end])
			switch {
			case end == len(src):
				text[e.Offset], tail = '"', `"`
			case end > e.Offset+1:
				text[e.Offset], text[end-1] = '"', '"'
			}
		}
	}
	if len(unended) == 0 && len(errs) > 0 { // characters that are none of Go's
		for _, e := range errs {
			blank(text[min(e.Offset, len(text)):min(e.Offset+1, len(text))])
		}
	}
	if len(errs) > 0 {
		toks, _ = scan(string(text) + tail)
	}
	var open []frame
	top := frame{}
	for _, t := range toks {
		if t.offset >= len(text) {
			break
		}
		if len(open) > 0 && beginsDeclaration(text, t) {
			blank(text[open[0].first:t.offset]) // never closed
			open, top = nil, frame{}
		}
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			if t.tok == token.LBRACE {
				top.block = true
			}
			open = append(open, top)
			top = frame{open: t.tok, first: t.offset}
			continue
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) == 0 || closing[top.open] != t.tok {
				blank(text[t.offset : t.offset+1])
				continue
			}
			top = open[len(open)-1]
			open = open[:len(open)-1]
			continue
		case token.SEMICOLON:
			if t.lit != ";" || !top.header {
				top.begun, top.header, top.block, top.call = false, false, false, false
			}
			continue
		}
		if !top.begun {
			top.begun, top.first = true, t.offset
			switch t.tok {
			case token.FOR, token.IF, token.SWITCH, token.SELECT:
				top.header = true
			case token.GO, token.DEFER:
				top.call = true
			}
		}
	}
	var end strings.Builder
	end.WriteString(tail)
	if strings.HasSuffix(tail, "*/") {
		end.WriteString("\n")
	}
	for {
		if top.header && !top.block && (top.open == token.LBRACE || top.open == 0) {
			end.WriteString(" {}")
		}
		if len(open) == 0 {
			break
		}
		closed := top.open
		end.WriteString(closing[closed].String())
		top = open[len(open)-1]
		open = open[:len(open)-1]
		if top.call && closed == token.LBRACE { // go func() {}
			end.WriteString("()")
		}
	}
	return string(text) + end.String()
}

// A frame is what is open at a place: a bracket, and in it a statement.
type frame struct {
	open   token.Token // the bracket, 0 outside of all
	first  int         // where the statement in it begins
	begun  bool        // there is one
	header bool        // it is one that wants a block
	block  bool        // which it has
	call   bool        // it is one that wants a call
}

// beginsDeclaration tells of a token whether it begins a line with a keyword that
// only a declaration begins with, or nearly.
func beginsDeclaration(text []byte, t tok) bool {
	switch t.tok {
	case token.FUNC, token.TYPE, token.IMPORT, token.CONST, token.VAR:
		return t.offset == 0 || text[t.offset-1] == '\n'
	}
	return false
}

// headOf is the text up to the end of the token at the offset.
func headOf(src string, at int) string {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, []byte(src), func(token.Position, string) {}, 0)
	for {
		pos, t, lit := s.Scan()
		if t == token.EOF {
			return src
		}
		k := tok{file.Offset(pos), t, lit}
		if k.offset > at {
			return src[:at]
		}
		if t == token.IDENT && at <= k.offset+len(lit) {
			return src[:k.offset+len(lit)]
		}
	}
}

// Files are those of the file set that the cell's trees have their positions in.
func (c *Cell) Files() []*token.File {
	files := make([]*token.File, len(c.pieces))
	for i, p := range c.pieces {
		files[i] = p.file
	}
	return files
}

// Forget takes the cell's files out of its file set. Offset still knows them.
func (c *Cell) Forget() {
	for _, f := range c.Files() {
		c.fset.RemoveFile(f)
	}
}
