package whole

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
	"github.com/seed5607215b/nnkit/kernel/worker/live"
)

// A Notebook is what a program is made of. Generated text hands it to Main.
type Notebook struct {
	Name  string // of its file
	Cells []Cell
	// Parameters are set when the cell ParametersOf has given them its own values.
	Parameters   []Parameter
	ParametersOf int
	// Files has what go:embed lines name. It may be nil.
	Files fs.FS
}

// A Cell is one of the notebook's cells of code.
type Cell struct {
	Number int
	Entry  func() // nil where there are commands alone
	// Commands are done before the statements, between them by number, and after
	// them.
	Before, After []Command
	Between       map[int]Command
}

// A Command does what a line that begins with % or ! asks for.
type Command struct {
	Line int // where it stands
	Do   func() error
}

// Main runs the notebook as the process, which ends with it: with status 1 where a
// cell has failed, and 2 where the command line is wrong. Where a session has started
// the process, it says which cells are run.
func Main(nb Notebook) {
	if serve != nil && os.Getenv(wire.ServeVariable) != "" {
		serve(&nb)
		return
	}
	figures, ok := nb.parse(os.Args[1:])
	if !ok {
		os.Exit(2)
	}
	running.PrepareFlags()
	live.Files = nb.Files
	out := &output{dir: figures}
	for _, c := range nb.Cells {
		out.cell, out.shown = c.Number, 0
		outcome := c.run(out.show)
		out.end(&c, outcome)
		if outcome.Status != wire.OK {
			fmt.Fprint(os.Stderr, c.failure(outcome))
			os.Exit(1)
		}
		if c.Number == nb.ParametersOf {
			for _, p := range nb.Parameters {
				p.apply()
			}
		}
	}
}

// serve has a session run the cells. It is nil where there are no sessions.
var serve func(*Notebook)

// run runs a cell with its commands, and gives its values to show.
func (c *Cell) run(show func([]wire.Bundle)) wire.Outcome {
	do := func(commands []Command) *wire.Outcome {
		for _, m := range commands {
			if err := m.Do(); err != nil {
				return &wire.Outcome{Status: wire.Failed, Name: "error", Value: err.Error(), Line: m.Line}
			}
		}
		return nil
	}
	if failed := do(c.Before); failed != nil {
		return *failed
	}
	outcome := wire.Outcome{Status: wire.OK}
	if c.Entry != nil {
		var failed *wire.Outcome
		cell := &running.Cell{Number: c.Number, Show: show, Command: func(n int) bool {
			m, ok := c.Between[n]
			if ok {
				failed = do([]Command{m})
			}
			return failed == nil
		}}
		outcome = cell.RunToEnd(c.Entry)
		if failed != nil {
			return *failed
		}
		if outcome.Status != wire.OK {
			return outcome
		}
	}
	if failed := do(c.After); failed != nil {
		return *failed
	}
	return outcome
}

// failure says how a cell failed, and where.
func (c *Cell) failure(o wire.Outcome) string {
	var b strings.Builder
	where := fmt.Sprintf("Cell [%d]", c.Number)
	if o.Line > 0 {
		where += fmt.Sprintf(", line %d", o.Line)
	}
	name := o.Name
	if o.Status == wire.Failed {
		name = ""
	} else {
		name += ": "
	}
	fmt.Fprintf(&b, "%s: %s%s\n", where, name, marks.ReplaceAllString(o.Value, ""))
	for _, f := range o.Frames {
		if f.Omitted > 0 {
			fmt.Fprintf(&b, "\t… %d more frames\n", f.Omitted)
		}
		function := marks.ReplaceAllString(f.Function, "")
		if strings.HasPrefix(f.Function, "main.cellʹ") {
			function = "the cell"
		}
		fmt.Fprintf(&b, "\t%s:%d in %s\n", strings.TrimPrefix(f.File, "/"), f.Line, function)
	}
	return b.String()
}

// parse reads the command line and returns the folder for pictures.
func (nb *Notebook) parse(args []string) (figures string, ok bool) {
	program := filepath.Base(os.Args[0])
	flags := flag.NewFlagSet(program, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "%s is the notebook %s as a program.\nusage: %[1]s [flags] [arguments]\n", program, nb.Name)
		flags.PrintDefaults()
	}
	flags.StringVar(&figures, "figures", program+"-figures", "the `folder` for pictures, made when there is one")
	for i := range nb.Parameters {
		p := &nb.Parameters[i]
		flags.Var(p, p.Name, p.usage())
	}
	switch err := flags.Parse(args); err {
	case nil:
		rest = flags.Args()
		os.Args = append(os.Args[:1], rest...)
		return figures, true
	case flag.ErrHelp:
		os.Exit(0)
	}
	return "", false
}
