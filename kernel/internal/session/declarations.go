package session

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

var declarationCommands = []command{
	{names: []string{"%list", "%ls"}, help: "list what the cells so far declare", run: (*call).list},
	{names: []string{"%who"}, help: "show the variables with their types, sizes and values; at the beginning or end of a cell", run: (*call).who},
	{names: []string{"%remove", "%rm"}, usage: "NAME…", help: "forget declarations", early: true, offers: offerDeclared, run: (*call).remove},
	{names: []string{"%reset"}, usage: "[go.mod]", help: "forget all declarations and variables, and which modules were fetched; or the modules alone", early: true, run: (*call).reset},
	{names: []string{"%restart"}, usage: "[--keep]", help: "start a fresh process: declarations stay known, variables are lost, or with --keep those that cannot be kept", early: true, offers: offerKeep, run: (*call).restart},
}

// table writes rows in columns.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	_ = w.Flush() // to memory
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func cellName(d program.Declaration) string {
	if d.Cell == 0 {
		return ""
	}
	return fmt.Sprintf("Cell [%d]", d.Cell)
}

func (c *call) list() error {
	if len(c.args) > 0 {
		return errUsage
	}
	var rows [][]string
	for _, d := range c.program.Declarations() {
		rows = append(rows, []string{d.Kind, d.Name, d.Detail, cellName(d)})
	}
	if rows == nil {
		c.print("nothing is declared")
		return nil
	}
	c.print("%s", table(rows))
	return nil
}

func (c *call) remove() error {
	if len(c.args) == 0 {
		return errUsage
	}
	for _, name := range c.args {
		if !c.program.Remove(name) {
			return fmt.Errorf("%s is not declared; %%list shows what is", name)
		}
	}
	return nil
}

func (c *call) reset() error {
	if len(c.args) > 1 || len(c.args) == 1 && c.args[0] != "go.mod" {
		return errUsage
	}
	if err := c.module.write(); err != nil {
		return err
	}
	c.fresh()
	if len(c.args) == 0 {
		c.program.Reset()
	}
	return nil
}

func (c *call) restart() error {
	switch {
	case len(c.args) == 0:
		c.fresh()
		return nil
	case len(c.args) == 1 && c.args[0] == keepFlag:
		return c.restartKeeping()
	}
	return errUsage
}

// fresh ends the worker and forgets what was loaded into it. The next cell starts
// another.
func (s *Session) fresh() {
	s.runner.renew()
	s.program.Forget()
	s.builder.Unload()
	s.types.forget()
}
