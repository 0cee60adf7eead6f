package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/experiment"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

var buildTable = command{
	name: "build", args: "NOTEBOOK", summary: "make a program of a notebook",
	about: `
Makes one ordinary Go program of a notebook's cells, in their order: it prints what the cells print. The parameters, which the
cell tagged "parameters" declares, become its flags, and pictures become files.
`,
	define: func(flags *flag.FlagSet) func([]string) error {
		output := flags.String("o", "", "the program, a `FILE` (NOTEBOOK without its ending)")
		return func(args []string) error {
			name, err := file(args, "notebook")
			if err != nil {
				return err
			}
			return buildProgram(name, *output)
		}
	},
}

// buildProgram makes a program of a notebook.
func buildProgram(name, output string) error {
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	if output == "" {
		output = strings.TrimSuffix(name, filepath.Ext(name))
	}
	w, err := newWhole(nb, filepath.Dir(name))
	if err != nil {
		return err
	}
	defer w.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for i, index := range nb.Executable() {
		c := nb.Cells[index]
		if err := addCell(ctx, w, name, i+1, c.Source, c.Tagged(experiment.ParametersTag)); err != nil {
			return err
		}
	}
	static, err := w.Build(ctx, filepath.Base(name), output)
	if err != nil {
		return err
	}
	info, err := os.Stat(output)
	if err != nil {
		return err
	}
	how := "linked statically"
	if !static {
		how = "linked with the C libraries of this machine"
	}
	fmt.Printf("wrote %s, %.1f MB, %s\n", output, float64(info.Size())/1e6, how)
	return nil
}

// buildConfig is how the cells of a notebook in a folder are built: with the modules of
// its lock.
func buildConfig(nb *notebook.Notebook, dir string) (session.Config, error) {
	config := session.Config{Dir: dir, Progress: tellProgress}
	if _, err := pinned(&config, nb); err != nil {
		return config, err
	}
	return config, findSources(&config)
}

// newWhole begins the program of a notebook in a folder.
func newWhole(nb *notebook.Notebook, dir string) (*session.Whole, error) {
	config, err := buildConfig(nb, dir)
	if err != nil {
		return nil, err
	}
	return session.NewWhole(config)
}

// addCell adds a cell to the program of the notebook in a file.
func addCell(ctx context.Context, w *session.Whole, name string, count int, source string, parameters bool) error {
	if reply := w.Add(ctx, count, source, parameters, told{}); reply.Status != "ok" {
		return fmt.Errorf("%s cannot be built:\n%s", name, strings.Join(reply.Traceback, "\n"))
	}
	return nil
}

// told is an Output that prints texts on the terminal.
type told struct{}

func (told) Stream(_, text string)                     { fmt.Fprint(os.Stderr, text) }
func (told) Display(message.DisplayData)               {}
func (told) Update(message.DisplayData)                {}
func (told) Result(message.MIMEBundle, map[string]any) {}
func (told) Clear(bool)                                {}
func (told) Flush()                                    {}
func (told) Comm(message.Comm)                         {}

func (told) Input(string, bool) (string, error) {
	return "", errors.New("nobody is asked while a program is built")
}
