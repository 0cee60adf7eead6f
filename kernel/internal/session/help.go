package session

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/complete"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var helpCommands = []command{
	{names: []string{"%version"}, help: "show the versions of the kernel and of Go", run: func(c *call) error {
		c.print("nnkit %s, %s %s/%s", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	}},
	{names: []string{"%limits"}, help: "show how much memory, time of processors and space for compiled libraries there is, and who says so", run: (*call).limits},
	{names: []string{"?", "??"}, usage: "NAME", help: "show the documentation of a name, as strings.Cut, or of a command; ?? with its source", whole: true, run: (*call).explain},
	{names: []string{"%hist"}, usage: "[N | -g PATTERN]", help: "show the cells that were run: of this session, the last N of all, or those of all that match a text in which * and ? stand for others", run: (*call).hist},
	{names: []string{"%help"}, help: "show this", run: (*call).help},
}

// helpText stands before the table of commands, helpEnd behind it.
const (
	helpText = `A cell is Go: imports, declarations and statements in any order. Functions, types and variables are there in the
cells that follow. The value of a last expression is shown; an error that is not taken ends the cell.

A line that begins with %, ! or ? is a command. It acts at its place among the statements of the cell, the first ones before the
cell is compiled. Those with a star act before it is compiled wherever they stand.
`
	helpEnd = `
A backslash at the end of a line continues a command. In file names ~ and $NAME are replaced.`
)

func (c *call) help() error {
	text := []string{helpText}
	markdown := []string{helpText, "| command | what it does |", "| --- | --- |"}
	var rows [][]string
	for _, m := range commands {
		star := ""
		if m.early {
			star = " *"
		}
		names := strings.Join(m.names, ", ")
		rows = append(rows, []string{strings.TrimSpace(names + " " + m.usage), m.help + star})
		form := strings.NewReplacer("|", `\|`).Replace(strings.TrimSpace("`" + names + "` " + m.usage))
		markdown = append(markdown, fmt.Sprintf("| %s | %s%s |", form, m.help, strings.ReplaceAll(star, "*", `\*`)))
	}
	text = append(text, table(rows), helpEnd)
	markdown = append(markdown, helpEnd)
	c.outlet.Display(message.DisplayData{Data: message.MIMEBundle{
		"text/plain": strings.Join(text, "\n"), "text/markdown": strings.Join(markdown, "\n"),
	}})
	return nil
}

// explain shows what is known of a name in the client's pager.
func (c *call) explain() error {
	if c.Args == "" {
		return errUsage
	}
	c.typing.see(c.program) // with what the cell has declared so far
	data := describeCommand(c.Args)
	if data == nil {
		value := c.valueNow
		if c.Place == cell.Between {
			value = func(context.Context, string) complete.Value { return unknownValue }
		}
		data = c.describe(c.ctx, c.Args, len(c.Args), c.Name == "??", value)
	}
	if data == nil {
		return fmt.Errorf("nothing is known of %s: give a name of the notebook, of a package, as strings.Cut, or of a command", c.Args)
	}
	c.front.payload(message.NewPage(data))
	return nil
}

// hist prints cells with their numbers.
func (c *call) hist() error {
	if c.config.History == nil {
		return errors.New("there is a history in Jupyter only")
	}
	ask := &message.HistoryRequest{AccessType: "range"}
	switch {
	case len(c.args) == 0:
	case len(c.args) == 1 && c.args[0] != "-g":
		n, err := strconv.Atoi(c.args[0])
		if err != nil || n < 1 {
			return errUsage
		}
		ask = &message.HistoryRequest{AccessType: "tail", N: &n}
	case len(c.args) == 2 && c.args[0] == "-g":
		ask = &message.HistoryRequest{AccessType: "search", Pattern: "*" + c.args[1] + "*", Unique: true}
	default:
		return errUsage
	}
	var cells []string
	for _, e := range c.config.History.Answer(ask).History {
		number := fmt.Sprintf("[%d]", e.Line)
		if ask.AccessType != "range" {
			number = fmt.Sprintf("[%d/%d]", e.Session, e.Line)
		}
		indent := strings.Repeat(" ", len(number)+1)
		cells = append(cells, number+" "+strings.ReplaceAll(strings.TrimRight(e.Input, "\n"), "\n", "\n"+indent))
	}
	if cells == nil {
		c.print("there are none")
		return nil
	}
	c.print("%s", strings.Join(cells, "\n"))
	return nil
}
