package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"

	"github.com/seed5607215b/nnkit/kernel/internal/cgroup"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

func main() {
	log.SetFlags(log.Ltime)
	log.SetPrefix("nnkit: ")
	obeyQuota(cgroup.Read().CPU)
	err := dispatch(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernel:", err)
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		if c := lookUp(usage.command); c != nil {
			fmt.Fprintf(os.Stderr, "kernel help %s tells more.\n", c.name)
		} else {
			fmt.Fprint(os.Stderr, "\n"+overview())
		}
	}
	os.Exit(status(err))
}

func versionCommand(*flag.FlagSet) func([]string) error {
	return func([]string) error {
		fmt.Printf("nnkit %s, %s %s/%s\n", session.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	}
}

// newSession begins a session for the notebooks of the folder config.Dir.
func newSession(config session.Config) (*session.Session, error) {
	if config.Built == nil {
		if err := findSources(&config); err != nil {
			return nil, err
		}
	}
	return session.New(config)
}

// findSources completes a configuration.
func findSources(config *session.Config) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	config.Sources, err = session.FindSources(executable, ".", config.Dir)
	return err
}

func aloneFlag(flags *flag.FlagSet, alone *bool) {
	flags.BoolVar(alone, "alone", false, "give each cell a process of its own: variables are not kept")
}
