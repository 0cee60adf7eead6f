package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var shellCommands = []command{
	{names: []string{"!"}, usage: "COMMAND", help: "run a command of the shell", whole: true, offers: offerPrograms, run: func(c *call) error { return c.shell(c.settings.dir) }},
	{names: []string{"!*"}, usage: "COMMAND", help: "run it in the directory of the session's module, where go.mod is", early: true, whole: true, offers: offerPrograms, run: (*call).moduleShell},
	{names: []string{"%%script"}, usage: "COMMAND", help: "give the cell to a command as its input", whole: true, offers: offerPrograms, run: (*call).script},
	{names: []string{"%%bash", "%%sh"}, help: "run the cell as a script of the shell", whole: true, run: (*call).script},
}

// interruptPatience is how long a command that was interrupted has to end.
const interruptPatience = 500 * time.Millisecond

// shell runs the call's command.
func (c *call) shell(dir string) error {
	if c.Args == "" {
		return errUsage
	}
	p := &prompts{out: &c.outlet, password: c.asks && c.hidden, blindly: c.asks}
	c.asks = false
	var err error
	if p.File, p.pipe, err = os.Pipe(); err != nil {
		return err
	}
	return c.runProgram(dir, p, "bash", "-c", c.Args)
}

// script runs a command whose input is the cell.
func (c *call) script() error {
	args, err := c.scriptArgs()
	if err != nil {
		return err
	}
	return c.runProgram(c.settings.dir, strings.NewReader(wholeLines(c.Body)), args[0], args[1:]...)
}

// wholeLines is a text whose last line is ended, as a file's: some programs insist.
func wholeLines(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

// scriptArgs are the program that gets the cell and its arguments.
func (c *call) scriptArgs() ([]string, error) {
	line := strings.TrimSpace(strings.TrimPrefix(c.Name, "%%script") + " " + c.Args)
	line = strings.TrimPrefix(line, "%%")
	args, err := splitArgs(line)
	if err == nil && len(args) == 0 {
		err = errUsage
	}
	return args, err
}

// runProgram runs a program to its end. What it prints is shown at once, and an
// interrupt of the cell ends it with all that it has started.
func (c *call) runProgram(dir string, input io.Reader, name string, args ...string) error {
	stdout, stderr := &stream{name: "stdout", out: &c.outlet}, &stream{name: "stderr", out: &c.outlet}
	err := c.runProgramTo(dir, input, stdout, stderr, name, args...)
	stdout.end()
	stderr.end()
	return err
}

func (c *call) runProgramTo(dir string, input io.Reader, stdout, stderr io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(c.ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), c.settings.environ()...), "PWD="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	signal := func(s syscall.Signal) error { return syscall.Kill(-cmd.Process.Pid, s) }
	var kill *time.Timer
	cmd.Cancel = func() error {
		kill = time.AfterFunc(interruptPatience/2, func() { _ = signal(syscall.SIGKILL) })
		return signal(syscall.SIGINT)
	}
	// What it leaves behind may hold its output open: it is not waited for.
	cmd.WaitDelay = interruptPatience
	asked, asks := input.(*prompts)
	if asks {
		cmd.Stdin = asked.File
	}
	err := cmd.Start()
	if asks {
		asked.Close() // the program has it
	}
	if err == nil {
		if asks {
			ended := make(chan struct{})
			defer close(ended)
			go asked.ask(cmd.Process.Pid, ended)
		}
		err = cmd.Wait()
	}
	if kill != nil && kill.Stop() {
		_ = signal(syscall.SIGKILL) // what it has left behind
	}
	var exit *exec.ExitError
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil
	case errors.As(err, &exit) && exit.Exited():
		return fmt.Errorf("exit status %d", exit.ExitCode())
	case errors.As(err, &exit):
		return fmt.Errorf("ended by %s", exit)
	}
	return err
}

// stream shows what a program prints, whole characters at a time.
type stream struct {
	name string
	out  message.Output
	rest []byte
}

func (s *stream) Write(b []byte) (int, error) {
	text := append(s.rest, b...)
	n := wholeCharacters(text)
	s.rest = append([]byte(nil), text[n:]...)
	if n > 0 {
		s.out.Stream(s.name, string(text[:n]))
	}
	return len(b), nil
}

// end shows what did not become a character.
func (s *stream) end() {
	if len(s.rest) > 0 {
		s.out.Stream(s.name, string(s.rest))
	}
}
