package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

const usage = `usage:
  kernel run NOTEBOOK [--output FILE] [--html FILE]   execute a notebook; write it and a web page
  kernel jupyter CONNECTION_FILE                      what Jupyter starts
  kernel version
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
		if len(args) != 2 {
			return usageError("jupyter wants a connection file")
		}
		return serve(args[1])
	case "version", "--version":
		fmt.Printf("nnkit %s, %s %s/%s\n", session.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	case "help", "-h", "--help":
		fmt.Print(usage)
		return nil
	}
	return usageError(fmt.Sprintf("unknown command %q", args[0]))
}

// serve runs a kernel until its client or a signal ends it.
func serve(connection string) error {
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
	s, err := newSession("", nil)
	if err != nil {
		return err
	}
	defer s.Close()
	server := jupyter.Server{Connection: file, Interpreter: s, Log: log.Printf}
	if err := server.Serve(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// newSession begins a session for the notebooks of a folder.
func newSession(dir string, progress func(string)) (*session.Session, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	sources, err := session.FindSources(executable, ".", dir)
	if err != nil {
		return nil, err
	}
	return session.New(session.Config{Sources: sources, Dir: dir, Progress: progress})
}

// parse reads flags that may stand before and after the one argument.
func parse(flags *flag.FlagSet, args []string) (string, error) {
	flags.Usage = func() {}
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
		return "", usageError(fmt.Sprintf("%s wants one notebook, got %d arguments", flags.Name(), len(rest)))
	}
	return filepath.Clean(rest[0]), nil
}
