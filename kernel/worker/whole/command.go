package whole

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// Shell runs a command line of the shell: !ls.
func Shell(line string) func() error { return Script("", "bash", "-c", line) }

// Script runs a program with input: %%script.
func Script(input string, name string, args ...string) func() error {
	return func() error {
		c := exec.Command(name, args...)
		c.Stdin = io.Reader(os.Stdin)
		if input != "" {
			c.Stdin = strings.NewReader(input)
		}
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		err := c.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
			return fmt.Errorf("exit status %d", exit.ExitCode())
		}
		return err
	}
}

// Setenv sets a variable of the environment: %env.
func Setenv(name, value string) func() error {
	return func() error { return os.Setenv(name, os.Expand(value, os.Getenv)) }
}

// Chdir changes the working directory: %cd.
func Chdir(dir string) func() error {
	return func() error {
		dir := os.Expand(dir, os.Getenv)
		if rest, ok := strings.CutPrefix(dir, "~"); ok && (rest == "" || rest[0] == '/') {
			dir = os.Getenv("HOME") + rest
		}
		return os.Chdir(dir)
	}
}

// Args gives the program its arguments, where the command line has none, and has
// package flag read them if parse says so: %args, %main.
func Args(parse bool, args ...string) func() error {
	return func() error {
		if len(rest) > 0 {
			args = rest
		}
		e := running.Configure(wire.Request{Settings: &wire.Settings{Args: append([]string{}, args...), Flags: parse}})
		switch e.Err {
		case "":
			return nil
		case flag.ErrHelp.Error():
			os.Exit(0)
		}
		return errors.New(e.Err)
	}
}

// rest are the arguments that the command line has for the notebook.
var rest []string

// WriteFile writes a file, or appends to it: %%writefile.
func WriteFile(name, content string, appends bool) func() error {
	return func() error {
		mode := os.O_TRUNC
		if appends {
			mode = os.O_APPEND
		}
		f, err := os.OpenFile(os.Expand(name, os.Getenv), os.O_CREATE|os.O_WRONLY|mode, 0o666)
		if err != nil {
			return err
		}
		_, err = f.WriteString(content)
		return errors.Join(err, f.Close())
	}
}
