package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

const usage = `install puts the nnkit kernel into Jupyter.

  go run ./install [where] [what]

where, the user's own Jupyter directory unless told otherwise:
  --prefix DIR   DIR/share/jupyter/kernels/nnkit
  --sys-prefix   the active Python environment (virtual environment, conda, else python3's own)

what, installing unless told otherwise:
  --check        examine the machine and what is installed
  --uninstall    remove what was installed
  --no-warm      install without compiling ahead what every first cell needs
`

// run is the command: it returns the exit status, 2 for a wrong command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("install", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	prefix := flags.String("prefix", "", "")
	sysPrefix := flags.Bool("sys-prefix", false, "")
	check := flags.Bool("check", false, "")
	uninstall := flags.Bool("uninstall", false, "")
	noWarm := flags.Bool("no-warm", false, "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	wrong := ""
	switch {
	case flags.NArg() > 0:
		wrong = fmt.Sprintf("%q is not understood; a directory is given as --prefix DIR", flags.Arg(0))
	case *prefix != "" && *sysPrefix:
		wrong = "--prefix and --sys-prefix name two places; give one of them"
	case *check && *uninstall:
		wrong = "--check and --uninstall cannot be done at once; give one of them"
	}
	if wrong != "" {
		fmt.Fprintf(stderr, "install: %s\n\n%s", wrong, usage)
		return 2
	}

	where, err := findPlace(ctx, *prefix, *sysPrefix)
	switch {
	case err != nil:
	case *check:
		// Without a place on the command line, any that Jupyter searches will do.
		if *prefix == "" && !*sysPrefix {
			where = firstInstalled(ctx, where)
		}
		return examine(ctx, where, stdout)
	case *uninstall:
		err = remove(where, stdout)
	default:
		for _, f := range checkTools(ctx) {
			f.print(stdout)
		}
		for _, f := range foundJupyter(ctx) {
			f.print(stdout)
		}
		in := installer{build: buildKernel, warm: warm}
		if *noWarm {
			in.warm = nil
		}
		err = in.install(ctx, where, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "install: %v\n", err)
		return 1
	}
	return 0
}
