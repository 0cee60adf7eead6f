package session

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var helpCommands = []command{
	{names: []string{"%version"}, help: "show the versions of the kernel and of Go", run: func(c *call) error {
		c.print("nnkit %s, %s %s/%s", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	}},
	{names: []string{"%help"}, help: "show this", run: (*call).help},
}

// helpText stands before the table of commands, helpEnd behind it.
const (
	helpText = `A cell is Go: imports, declarations and statements in any order. Functions, types and variables are there in the
cells that follow. The value of a last expression is shown; an error that is not taken ends the cell.

A line that begins with % or ! is a command. It acts at its place among the statements of the cell, the first ones before the
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
