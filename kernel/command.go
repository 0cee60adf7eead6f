package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// A command is what the first word on the command line names.
type command struct {
	name    string
	args    string // as the usage shows them
	summary string // in a line
	about   string // paragraphs, for kernel help NAME
	// define defines the command's flags and returns what runs it, with the
	// arguments that are no flags.
	define func(flags *flag.FlagSet) func(args []string) error
}

// commands is the table: kernel help prints it.
var commands []command

func init() { // the table mentions help, which reads it
	commands = []command{
		runTable, verifyTable, lockTable, convertTable, stripTable, buildTable, jupyterTable, taskTable,
		{name: "version", summary: "print the versions of the kernel and of Go", define: versionCommand},
		{name: "limits", summary: "print how much memory, time of processors and space for compiled libraries there is", define: limitsCommand},
		{name: "help", args: "[COMMAND]", summary: "explain a command", define: helpCommand},
	}
}

// The statuses that the program exits with.
const (
	statusFailed      = 1   // a cell failed, or shows something else
	statusUsage       = 2   // the command line means nothing
	statusImpossible  = 3   // it could not be done as asked
	statusInterrupted = 130 // as shells have it
)

const statusText = `exit status: 0 all is well; 1 a cell failed, or shows something else; 2 the command line means nothing;
3 it could not be done as asked: a file cannot be read or written, or a lock not be kept; 130 interrupted`

// usageError is a command line that means nothing.
type usageError struct {
	command string // "" for none
	message string
}

func (e *usageError) Error() string { return e.message }

// errDiffers says that a notebook shows something else than it did. All else is
// printed.
var errDiffers = errors.New("the notebook shows something else than is recorded in it")

// status is what the program exits with after an error.
func status(err error) int {
	var usage *usageError
	var cell *notebook.CellError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return statusUsage
	case errors.Is(err, errInterrupted):
		return statusInterrupted
	case errors.As(err, &cell), errors.Is(err, errDiffers), errors.Is(err, errRunsFailed):
		return statusFailed
	}
	return statusImpossible
}

// dispatch runs the command that a command line names.
func dispatch(args []string) error {
	if len(args) == 0 {
		return &usageError{message: "no command is given"}
	}
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	c := lookUp(name)
	if c == nil {
		return &usageError{message: fmt.Sprintf("there is no command %q", args[0])}
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	run := c.define(flags)
	rest, err := parse(flags, args[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(c.help())
		return nil
	}
	if err == nil {
		err = run(rest)
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		usage.command = c.name
	}
	return err
}

func lookUp(name string) *command {
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return &commands[i]
}

// parse reads flags, which may stand before and after other arguments, and returns
// the others.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, &usageError{message: flagError(err)}
		}
		before := args
		if args = flags.Args(); len(args) == 0 {
			break
		}
		if n := len(before) - len(args); n > 0 && before[n-1] == "--" { // what follows are no flags
			return append(rest, args...), nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	return rest, nil
}

// flagError words an error of package flag with the two dashes that the help has.
func flagError(err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: "); ok {
		return "there is no flag " + dashed(strings.TrimLeft(name, "-"))
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: "); ok {
		return dashed(strings.TrimLeft(name, "-")) + " wants a value behind it"
	}
	if m := invalidValue.FindStringSubmatch(text); m != nil {
		if m[1] != "" {
			m[4] = "it is on or off: write it alone, or with =false"
		}
		return fmt.Sprintf("%s %s: %s", dashed(m[3]), m[2], m[4])
	}
	return text
}

// invalidValue is how package flag says that a value does not suit.
var invalidValue = regexp.MustCompile(`(?s)^invalid (boolean )?value "(.*)" for (?:flag )?-([\w-]+): (.*)$`)

// dashed is a flag as it is written: two dashes before a word, one before a letter.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// file returns the one argument, a file.
func file(args []string, what string) (string, error) {
	if len(args) != 1 {
		return "", &usageError{message: fmt.Sprintf("it wants one %s, and there are %d arguments", what, len(args))}
	}
	return args[0], nil
}

// usage is the command in a line.
func (c *command) usage() string {
	text := "kernel " + c.name
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.define(flags)
	flagged := false
	flags.VisitAll(func(*flag.Flag) { flagged = true })
	if c.args != "" {
		text += " " + c.args
	}
	if flagged {
		text += " [flags]"
	}
	return text
}

// help is all that there is to say about the command.
func (c *command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s\n\n", c.usage())
	about := strings.Trim(c.about, "\n")
	if about == "" {
		about = strings.ToUpper(c.summary[:1]) + c.summary[1:] + "."
	}
	for paragraph := range strings.SplitSeq(about, "\n\n") {
		if strings.HasPrefix(paragraph, " ") { // an example
			b.WriteString(paragraph + "\n\n")
		} else {
			b.WriteString(wrap(paragraph, "", 0) + "\n")
		}
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.define(flags)
	var rows [][2]string
	flags.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		rows = append(rows, [2]string{strings.TrimSpace(dashed(f.Name) + " " + value), text})
	})
	if len(rows) > 0 {
		b.WriteString("flags, before or behind the file:\n" + columns(rows) + "\n")
	}
	b.WriteString(wrap(statusText, "", 0))
	return b.String()
}

// columns writes rows of two columns, the second one wrapped.
func columns(rows [][2]string) string {
	left := 0
	for _, r := range rows {
		left = max(left, len([]rune(r[0])))
	}
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(wrap(r[1], fmt.Sprintf("  %-*s  ", left, r[0]), left+4))
	}
	return b.String()
}

// wrap fills lines with the words of a text, behind a first one's beginning, the others
// indented.
func wrap(text, line string, indent int) string {
	const width = 116
	var b strings.Builder
	begun := false
	for word := range strings.FieldsSeq(text) {
		if begun && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line, begun = strings.Repeat(" ", indent), false
		}
		if begun {
			line += " "
		}
		line += word
		begun = true
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}

func overview() string {
	var rows [][2]string
	for _, c := range commands {
		rows = append(rows, [2]string{strings.TrimSpace(c.name + " " + c.args), c.summary})
	}
	return "usage: kernel COMMAND …\n\n" + columns(rows) +
		"\nkernel help COMMAND tells more. NOTEBOOK is an .ipynb file, or a .go file as kernel convert writes it.\n"
}

func helpCommand(*flag.FlagSet) func([]string) error {
	return func(args []string) error {
		if len(args) == 0 {
			fmt.Print(overview())
			return nil
		}
		c := lookUp(args[0])
		if c == nil || len(args) > 1 {
			return &usageError{message: fmt.Sprintf("there is no command %q", strings.Join(args, " "))}
		}
		fmt.Print(c.help())
		return nil
	}
}
