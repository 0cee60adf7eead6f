package cell

import (
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// A Command is what a cell holds beside Go: a line that begins with %, ! or ?, or a
// whole cell whose first line begins with %%. Go has no statement that does.
type Command struct {
	// Name is what it is called by, with its marks: "%cd", "%%bash", "!", "!*", "??".
	Name string
	// Args is the rest of the line, and of those that a backslash continues it by.
	Args string
	// Body holds the lines below, of a command that takes the whole cell.
	Body string
	// Start and End bound what of the cell's text is not Go.
	Start, End int
	Place      Place
}

// A Place is where a command stands among the statements of its cell.
type Place int

// Before means before the first statement: imports and declarations of functions
// and types take no place.
const (
	Before Place = iota
	Between
	After
)

// Commands that change how the cell's Go is printed.
const (
	timeLine = "%time" // a statement follows on its line
	timeCell = "%%time"
	noCheck  = "%nocheck"
)

// gonbPrefix lets commands stand in files that are Go to an editor.
const gonbPrefix = "//gonb:"

// Commands finds the commands of a cell. It returns the text with blanks in their
// place, which is Go.
func Commands(src string) ([]Command, string, Errors) {
	if c, ok := whole(src); ok {
		return []Command{c}, blanked(src), nil
	}
	var commands []Command
	var errs Errors
	text := []byte(src)
	for at := 0; ; {
		start, inside := nextCommand(string(text), at)
		if start < 0 {
			break
		}
		c := line(src, start)
		at = c.End
		switch {
		case inside:
			errs = append(errs, Error{start, "a command stands between the statements of a cell, not inside of one"})
		case takesCell(c.Name):
			errs = append(errs, Error{start, c.Name + " stands in the first line of a cell"})
		}
		commands = append(commands, c)
		blank(text[c.Start:c.End])
	}
	return commands, string(text), errs
}

// CommandAt returns the command that an offset is in, or at the end of, as it is
// written up to there.
func CommandAt(src string, at int) (Command, bool) {
	commands, _, _ := Commands(src[:at])
	if n := len(commands); n > 0 && commands[n-1].End == at {
		return commands[n-1], true
	}
	return Command{}, false
}

func blanked(src string) string {
	text := []byte(src)
	blank(text)
	return string(text)
}

// takesCell tells of a name whether the lines below are the command's.
func takesCell(name string) bool {
	return len(name) > len("%%") && strings.HasPrefix(name, "%%") && name != timeCell
}

// whole returns the command that a whole cell is.
func whole(src string) (Command, bool) {
	start := len(src) - len(strings.TrimLeft(src, " \t\r\n"))
	if !strings.HasPrefix(strings.TrimPrefix(src[start:], gonbPrefix), "%%") {
		return Command{}, false
	}
	c := line(src, start)
	if !takesCell(c.Name) {
		return Command{}, false
	}
	c.Body = strings.TrimPrefix(strings.TrimPrefix(src[c.End:], "\r"), "\n")
	c.End = len(src)
	return c, true
}

// nextCommand returns where the next command begins, -1 if there is none, and
// whether that is inside of brackets. The text from the offset on begins a
// statement.
func nextCommand(src string, offset int) (start int, inside bool) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src)-offset)
	s.Init(file, []byte(src[offset:]), func(token.Position, string) {}, scanner.ScanComments)
	depth, begins := 0, true
	for {
		pos, t, lit := s.Scan()
		at := offset + file.Offset(pos)
		if begins && onlySpaceBefore(src, at) {
			switch {
			case t == token.REM, depth == 0 && (t == token.NOT || lit == "?" || strings.HasPrefix(lit, gonbPrefix)):
				return at, depth > 0
			}
		}
		switch t {
		case token.EOF:
			return -1, false
		case token.COMMENT:
			continue
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		begins = t == token.SEMICOLON || t == token.LBRACE
	}
}

func onlySpaceBefore(src string, at int) bool {
	line := src[strings.LastIndexByte(src[:at], '\n')+1 : at]
	return strings.TrimLeft(line, " \t\r") == ""
}

// line takes the command apart that begins at the offset.
func line(src string, start int) Command {
	c := Command{Start: start}
	var text strings.Builder
	for at := start; ; {
		end := len(src)
		if i := strings.IndexByte(src[at:], '\n'); i >= 0 {
			end = at + i
		}
		part := strings.TrimPrefix(strings.TrimRight(src[at:end], "\r"), gonbPrefix)
		c.End = end
		part, continued := strings.CutSuffix(part, `\`)
		text.WriteString(part)
		if !continued || end == len(src) {
			break
		}
		text.WriteByte(' ')
		at = end + 1
	}
	c.Name, c.Args = cutName(text.String())
	if c.Name == timeLine { // what follows is Go
		c.End = start + strings.Index(src[start:], timeLine[1:]) + len(timeLine[1:])
	}
	return c
}

// cutName separates a command's name from its arguments.
func cutName(text string) (name, args string) {
	rest := strings.TrimLeft(text, "%!")
	marks := text[:len(text)-len(rest)]
	switch {
	case strings.HasPrefix(marks, "!"):
		if rest, ok := strings.CutPrefix(text[1:], "*"); ok {
			return "!*", strings.TrimSpace(rest)
		}
		return "!", strings.TrimSpace(text[1:])
	case strings.HasPrefix(text, "?"):
		rest := strings.TrimPrefix(strings.TrimPrefix(text, "?"), "?")
		return text[:len(text)-len(rest)], strings.TrimSpace(rest)
	case marks == "%":
		rest = strings.TrimLeft(rest, " \t")
	}
	end := strings.IndexAny(rest, " \t")
	if end < 0 {
		end = len(rest)
	}
	return marks + rest[:end], strings.TrimSpace(rest[end:])
}

// place tells where the commands stand among the chunks of the cell.
func place(commands []Command, chunks []chunk) {
	first, last := -1, -1
	for _, k := range chunks {
		if k.kind == statement {
			if first < 0 {
				first = k.start
			}
			last = k.start
		}
	}
	for i := range commands {
		c := &commands[i]
		switch {
		case first < 0 || c.Start < first, c.Name == timeLine, c.Name == timeCell, c.Name == noCheck:
			c.Place = Before // or it says how the cell is printed, and does nothing itself
		case c.Start < last:
			c.Place = Between
		default:
			c.Place = After
		}
	}
}

// HasStatements tells whether the cell has anything but imports and declarations of
// constants, functions and types.
func (c *Cell) HasStatements() bool { return len(c.Body.List) > 0 || c.Trailing != nil }

// Interleaved tells that a command stands between the cell's statements.
func (c *Cell) Interleaved() bool {
	return slices.ContainsFunc(c.Commands, func(m Command) bool { return m.Place == Between || m.Name == timeLine })
}

// Unchecked tells that loops of the cell are to have no checks for an interrupt.
func (c *Cell) Unchecked() bool { return c.has(noCheck) }

// Timed tells that the run of the whole cell is to be measured.
func (c *Cell) Timed() bool { return c.has(timeCell) }

func (c *Cell) has(name string) bool {
	return slices.ContainsFunc(c.Commands, func(m Command) bool { return m.Name == name })
}

// TimedAt tells whether the statements that begin on the line of an offset are to
// be measured.
func (c *Cell) TimedAt(offset int) bool {
	line, _ := c.Position(offset)
	return slices.ContainsFunc(c.Commands, func(m Command) bool {
		at, _ := c.Position(m.Start)
		return m.Name == timeLine && at == line
	})
}
