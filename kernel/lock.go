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

var lockTable = command{
	name: "lock", args: "NOTEBOOK", summary: "store in a notebook what it rests on, so that it runs again elsewhere",
	about: `
Stores in the notebook's metadata what an execution of it rests on: the version of Go, the kernel's and a hash of
its packages, the modules that cells can import with their checksums, the files of data that cells name, the seeds
that they set, and the values of its parameters. Nothing of the notebook is executed, but for its commands that get
modules. A kernel that opens the notebook uses those modules, and names what is missing or different;
kernel verify executes it with exactly those.
`,
	define: func(flags *flag.FlagSet) func([]string) error {
		var data []string
		flags.Func("data", "lock this `FILE` too; may be given again", func(name string) error {
			data = append(data, name)
			return nil
		})
		return func(args []string) error {
			name, err := file(args, "notebook")
			if err != nil {
				return err
			}
			return lockNotebook(name, data)
		}
	},
}

// lockNotebook stores a lock in a notebook's file.
func lockNotebook(name string, data []string) error {
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	dir := filepath.Dir(name)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := newSession(session.Config{Dir: dir, Progress: tellProgress})
	if err != nil {
		return err
	}
	defer s.Close()
	// Modules are fetched by commands, and by imports of what is not there.
	if code := experiment.ModuleCode(nb); code != "" {
		reply := s.Execute(ctx, 1, &message.ExecuteRequest{Code: code}, told{})
		if reply.Status != "ok" {
			return fmt.Errorf("getting the notebook's modules: %s", reply.ErrorValue)
		}
	}
	r, err := s.Requirements(ctx)
	if err != nil {
		return err
	}
	for i, file := range data { // as seen from the notebook
		if rel, err := filepath.Rel(absolute(dir), absolute(file)); err == nil && filepath.IsLocal(rel) {
			data[i] = rel
		} else {
			data[i] = absolute(file)
		}
	}
	lock, err := newLock(nb, dir, *r, data)
	if err != nil {
		return err
	}
	write := nb.WriteFile
	if notebook.IsPercentFile(name) {
		write = nb.WritePercentFile
	}
	if err := errors.Join(lock.Store(nb), write(name)); err != nil {
		return err
	}
	fmt.Printf("locked in %s: %s\n", name, lock)
	return nil
}

func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// newLock makes the lock of a notebook in a folder.
func newLock(nb *notebook.Notebook, dir string, r session.Requirements, data []string) (*experiment.Lock, error) {
	lock := &experiment.Lock{Go: r.Go, Kernel: r.Kernel, Sources: r.Sources, Modules: r.Modules, Local: r.Local}
	return lock, lock.Survey(nb, dir, data...)
}

// pinned has a session compile cells with the modules of a notebook's lock. It returns
// the lock, nil where there is none.
func pinned(config *session.Config, nb *notebook.Notebook) (*experiment.Lock, error) {
	lock, err := experiment.LockOf(nb)
	if lock != nil {
		config.Pinned = lock.Modules
	}
	return lock, err
}

// lockProblems names what of a notebook's lock is missing or different.
func lockProblems(lock *experiment.Lock, nb *notebook.Notebook, dir string, r session.Requirements) ([]string, error) {
	now, err := newLock(nb, dir, r, nil)
	if err != nil {
		return nil, err
	}
	return append(lock.Check(now), lock.CheckData(dir)...), nil
}

func tellProgress(what string) { fmt.Printf("        %s\n", what) }

// lockError is a lock that could not be kept.
type lockError struct{ problems []string }

func (e *lockError) Error() string {
	return "not all is as the notebook's lock has it:\n  " + strings.Join(e.problems, "\n  ")
}
