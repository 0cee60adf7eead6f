package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/history"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

const usage = `usage:
  kernel run NOTEBOOK [--output FILE] [--html FILE]   execute a notebook; write it and a web page
  kernel jupyter CONNECTION_FILE                      what Jupyter starts
  kernel version
run and jupyter take --alone, which gives each cell a process of its own: variables are not kept then.
`

func main() {
	log.SetFlags(log.Ltime)
	log.SetPrefix("nnkit: ")
	if err := command(os.Args[1:]); err != nil {
		var bad usageError
		if errors.As(err, &bad) {
			fmt.Fprintln(os.Stderr, "kernel:", err)
			fmt.Fprint(os.Stderr, usage)
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "kernel:", err)
		os.Exit(1)
	}
}

// usageError is a command line that means nothing.
type usageError string

func (e usageError) Error() string { return string(e) }

func command(args []string) error {
	if len(args) == 0 {
		return usageError("no command")
	}
	switch args[0] {
	case "run":
		return runCommand(args[1:])
	case "jupyter":
		return jupyterCommand(args[1:])
	case "build":
		return buildCommand(args[1:])
	case "version", "--version":
		fmt.Printf("nnkit %s, %s %s/%s\n", session.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	case "help", "-h", "--help":
		fmt.Print(usage)
		return nil
	}
	return usageError(fmt.Sprintf("unknown command %q", args[0]))
}

// jupyterCommand runs a kernel until its client or a signal ends it.
func jupyterCommand(args []string) error {
	flags := newFlags("jupyter")
	alone := aloneFlag(flags)
	connection, err := parse(flags, "connection file", args)
	if err != nil {
		return err
	}
	file, err := jupyter.ReadConnectionFile(connection)
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
	s, err := newSession(session.Config{Alone: *alone, History: cells, KernelID: file.KernelID})
	if err != nil {
		return err
	}
	defer s.Close()
	server := jupyter.Server{Connection: file, Interpreter: s, History: cells, Log: log.Printf}
	if err := server.Serve(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// newSession begins a session for the notebooks of the folder config.Dir.
func newSession(config session.Config) (*session.Session, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if config.Sources, err = session.FindSources(executable, ".", config.Dir); err != nil {
		return nil, err
	}
	return session.New(config)
}

func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags
}

func aloneFlag(flags *flag.FlagSet) *bool {
	return flags.Bool("alone", false, "give each cell a process of its own")
}

// parse reads flags that may stand before and after the one argument, a file.
func parse(flags *flag.FlagSet, what string, args []string) (string, error) {
	var rest []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return "", usageError(err.Error())
		}
		args = flags.Args()
		if len(args) > 0 {
			rest = append(rest, args[0])
			args = args[1:]
		}
	}
	if len(rest) != 1 {
		return "", usageError(fmt.Sprintf("%s wants one %s, got %d arguments", flags.Name(), what, len(rest)))
	}
	return filepath.Clean(rest[0]), nil
}
