package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// A command is a row of the table of commands.
type command struct {
	names []string // the first is the one that is shown
	usage string   // its arguments
	help  string   // in a line
	// early commands act before the cell is compiled wherever they stand, since
	// they change how that is done; others, at their place among the statements.
	early  bool
	whole  bool  // the rest of the line is one argument, as it is
	offers offer // what an argument can become while it is typed; nil if nothing is known
	run    func(*call) error
}

// commands is the table: %help prints it.
var commands []command

func init() { // the table mentions %help, which reads it
	commands = slices.Concat(programCommands, settingCommands, declarationCommands, shellCommands, inputCommands, commCommands, moduleCommands, fileCommands, wasmCommands, helpCommands)
}

// A call is a command in a cell.
type call struct {
	*execution
	*command
	cell.Command
	args   []string
	number int // among the cell's commands
}

// An execution is the way of one cell through the session.
type execution struct {
	*Session
	ctx    context.Context
	count  int
	source string // the cell as it was given
	cell   *cell.Cell
	calls  []call
	added  []string // Go that commands add to the end of the cell
	failed error    // of a command between the statements
	ends   []func() error
	asks   bool   // the next command of the shell asks for its input
	hidden bool   // and what is typed is not to be seen
	div    string // the id of the cell's element in the page, if it runs there
}

// newExecution finds the commands of a cell. Syntax errors come first, and then
// commands that mean nothing, so that nothing of such a cell is run.
func (s *Session) newExecution(ctx context.Context, count int, source string) (*execution, error) {
	e := &execution{Session: s, ctx: ctx, count: count, source: source}
	if found, _, errs := cell.Commands(source); len(found) == 0 && len(errs) == 0 {
		return e, nil
	}
	var err error
	if e.cell, err = program.Parse(source, count); err != nil {
		return nil, err
	}
	for _, m := range e.cell.Commands {
		c := call{execution: e, Command: m, number: len(e.calls)}
		if c.command = lookUp(m.Name); c.command == nil {
			return nil, c.wrap(errors.New(unknown(m.Name)))
		}
		if !c.whole {
			if c.args, err = splitArgs(m.Args); err != nil {
				return nil, c.wrap(err)
			}
		}
		e.calls = append(e.calls, c)
	}
	return e, nil
}

// code is the cell with what its commands add to it.
func (e *execution) code() string {
	return strings.Join(append([]string{e.source}, e.added...), "\n")
}

// before runs the commands that act before the cell is compiled.
func (e *execution) before() error {
	return e.runCalls(func(c call) bool {
		if e.div != "" {
			return !c.isProgramCommand()
		}
		return c.early || c.Place == cell.Before
	})
}

// after runs the commands behind the last statement. A program that the cell is for
// is told of those between them too.
func (e *execution) after() error {
	return e.runCalls(func(c call) bool {
		return e.div == "" && !c.early && (c.Place == cell.After || e.config.whole != nil && c.Place == cell.Between)
	})
}

func (e *execution) runCalls(now func(call) bool) error {
	for i := 0; i < len(e.calls); i++ { // a command may add another
		c := e.calls[i]
		if !now(c) {
			continue
		}
		if err := e.ctx.Err(); err != nil {
			return err
		}
		if err := c.do(); err != nil {
			return err
		}
	}
	return nil
}

// between does the n-th command, when the cell that runs has come to it, and tells
// whether the cell goes on.
func (e *execution) between(n int) bool {
	if e == nil || n >= len(e.calls) || e.calls[n].early {
		return true
	}
	e.failed = e.calls[n].do()
	return e.failed == nil
}

// end undoes what holds for one cell.
func (e *execution) end() error {
	var errs []error
	for _, f := range e.ends {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

func (c call) do() error {
	run := c.run
	if w := c.config.whole; w != nil && (!c.early || c.names[0] == "%capture") {
		run = w.note
	}
	if err := run(&c); err != nil {
		return c.wrap(err)
	}
	return nil
}

// errUsage says that a command's arguments mean nothing.
var errUsage = errors.New("usage")

// A commandError is a command that failed, and where.
type commandError struct {
	program.Diagnostic
	err error
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

func (c call) wrap(err error) error {
	if errors.Is(err, errUsage) {
		err = fmt.Errorf("usage: %s", c.form())
	}
	line, column := c.cell.Position(c.Start)
	text := shorten(err.Error(), c.dir)
	return &commandError{program.Diagnostic{Cell: c.count, Line: line, Column: column, Message: text, Text: c.cell.Text()}, err}
}

// form is how a command is written.
func (c *command) form() string { return strings.TrimSpace(c.names[0] + " " + c.usage) }

// print writes a line to the cell's standard output.
func (c *call) print(format string, args ...any) {
	c.outlet.Stream("stdout", fmt.Sprintf(format, args...)+"\n")
}

func lookUp(name string) *command {
	for i := range commands {
		if slices.Contains(commands[i].names, name) {
			return &commands[i]
		}
	}
	return nil
}

// unknown says what a command's name may have been meant for.
func unknown(name string) string {
	best, distance := "", 3
	for _, c := range commands {
		for _, n := range c.names {
			if d := program.Distance(name, n); d < distance && strings.Trim(n, "%!*") != "" {
				best, distance = n, d
			}
		}
	}
	text := "no command " + name
	if best != "" {
		text += ", perhaps " + best + " is meant"
	}
	return text + "; %help lists the commands"
}

// splitArgs splits arguments at spaces. Double quotes hold what has spaces
// together, with Go's escapes for quotes and backslashes; single ones, as it is.
func splitArgs(text string) ([]string, error) {
	var args []string
	var arg strings.Builder
	begun := false
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case quote == 0 && (b == ' ' || b == '\t'):
			if begun {
				args = append(args, arg.String())
				arg.Reset()
			}
			begun = false
			continue
		case quote == 0 && (b == '"' || b == '\''):
			quote = b
		case b == quote && quote != 0:
			quote = 0
		case quote == '"' && b == '\\' && i+1 < len(text):
			i++
			arg.WriteByte(cmp.Or(map[byte]byte{'n': '\n', 't': '\t'}[text[i]], text[i]))
		default:
			arg.WriteByte(b)
		}
		begun = true
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is never closed: close it, or write it inside of the other kind of quotes", quote)
	}
	if begun {
		args = append(args, arg.String())
	}
	return args, nil
}
