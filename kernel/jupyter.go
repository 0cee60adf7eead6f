package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/history"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

var jupyterTable = command{
	name: "jupyter", args: "CONNECTION_FILE", summary: "serve one notebook: this is what Jupyter starts",
	define: func(flags *flag.FlagSet) func([]string) error {
		alone := new(bool)
		aloneFlag(flags, alone)
		return func(args []string) error {
			connection, err := file(args, "connection file")
			if err != nil {
				return err
			}
			return serve(connection, *alone)
		}
	},
}

// serve runs a kernel until its client or a signal ends it.
func serve(connection string, alone bool) error {
	file, err := jupyter.ReadConnectionFile(filepath.Clean(connection))
	if err != nil {
		return err
	}
	// Interrupts come as messages. One from the terminal that Jupyter runs in is
	// Jupyter's own.
	signal.Ignore(os.Interrupt)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, orphaned := context.WithCancel(ctx)
	defer orphaned()
	go func() {
		// A server that was killed says no goodbye.
		for parent := os.Getppid(); os.Getppid() == parent; time.Sleep(time.Second) {
		}
		orphaned()
	}()
	past, err := history.DefaultFile()
	if err != nil {
		log.Printf("cells are not kept for later sessions: %v", err)
	}
	cells := history.New(past)
	config := session.Config{Alone: alone, History: cells, KernelID: file.KernelID, Server: findServer(filepath.Dir(connection))}
	openNotebook(&config, os.Getenv(notebookFile))
	s, err := newSession(config)
	if err != nil {
		return err
	}
	defer s.Close()
	server := jupyter.Server{Connection: file, Interpreter: s, History: cells, Redraws: config.Server != nil, Log: log.Printf}
	if err := server.Serve(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// findServer finds the Jupyter server that has started the kernel: it writes down where
// it is beside the kernel's connection file. It is nil where there is none, as in a
// console.
func findServer(runtime string) *session.Server {
	parent := cmp.Or(os.Getenv("JPY_PARENT_PID"), strconv.Itoa(os.Getppid()))
	for _, name := range []string{"jpserver-", "nbserver-"} { // the latter is Notebook 6
		text, err := os.ReadFile(filepath.Join(runtime, name+parent+".json"))
		if err != nil {
			continue
		}
		var info struct {
			RootDir     string `json:"root_dir"`
			NotebookDir string `json:"notebook_dir"`
			BaseURL     string `json:"base_url"`
		}
		if json.Unmarshal(text, &info) == nil && info.RootDir+info.NotebookDir != "" {
			return &session.Server{Root: cmp.Or(info.RootDir, info.NotebookDir), URL: cmp.Or(info.BaseURL, "/")}
		}
	}
	return nil
}

// notebookFile is the variable in which a Jupyter server tells a kernel which
// notebook it is started for.
const notebookFile = "JPY_SESSION_NAME"

// openNotebook has a session keep to the lock of the notebook that it is for, if its
// file is known and has one, and %lock store one there.
func openNotebook(config *session.Config, name string) {
	if filepath.Ext(name) != ".ipynb" {
		return // a console, or a client that does not tell
	}
	if _, err := os.Stat(name); err != nil {
		return // of another machine
	}
	config.Lock = func(r session.Requirements, data []string) (string, error) {
		nb, err := notebook.ReadFile(name)
		if err != nil {
			return "", err
		}
		lock, err := newLock(nb, filepath.Dir(name), r, data)
		if err != nil {
			return "", err
		}
		if err := errors.Join(lock.Store(nb), nb.WriteFile(name)); err != nil {
			return "", err
		}
		return "locked in " + filepath.Base(name) + ": " + lock.String() +
			"\nThe notebook's file has changed: load it again (in JupyterLab: File, Reload Notebook from Disk). What was not saved before is not in it.", nil
	}
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return // the client tells of a file that is none
	}
	lock, err := pinned(config, nb)
	switch {
	case err != nil:
		config.Greet = func(session.Requirements) string { return err.Error() + "\n" }
	case lock != nil:
		config.Greet = func(r session.Requirements) string {
			problems, err := lockProblems(lock, nb, filepath.Dir(name), r)
			if err != nil {
				problems = append(problems, err.Error())
			}
			if problems == nil {
				return ""
			}
			return "The notebook is locked, and not all is as its lock has it:\n  " + strings.Join(problems, "\n  ") + "\n"
		}
	}
}
