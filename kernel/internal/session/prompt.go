package session

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var inputCommands = []command{
	{names: []string{"%with_inputs"}, help: "ask for what the next ! reads from its standard input, also where the system does not tell that it reads; ^D ends it", run: func(c *call) error { return c.withInputs(false) }},
	{names: []string{"%with_password"}, help: "the same, hidden while it is typed", run: func(c *call) error { return c.withInputs(true) }},
}

// withInputs has the next command of the shell ask for its input.
func (c *call) withInputs(password bool) error {
	if err := noArgs(c); err != nil {
		return err
	}
	c.asks, c.hidden = true, password
	return nil
}

// prompts is the standard input of a program, which is asked for, a line whenever the
// program waits for one.
type prompts struct {
	*os.File // the program's end of a pipe
	pipe     *os.File
	out      message.Output
	password bool
	// blindly is for a program that reads in any case: it is asked for also where its
	// system does not tell that it waits.
	blindly bool
}

const (
	// look is how long after its start, or a line, is looked whether a program waits,
	// and look seldom how often when it has not done so for some time.
	look       = 20 * time.Millisecond
	lookSeldom = 200 * time.Millisecond
	// blind is how long a program runs before it is asked for, where its system does
	// not tell whether it waits.
	blind = 500 * time.Millisecond
)

// ask asks until a process has ended, the person ends the input, or nobody can be
// asked.
func (p *prompts) ask(process int, ended <-chan struct{}) {
	defer p.pipe.Close()
	pause := look
	for {
		select {
		case <-ended:
			return
		case <-time.After(pause):
		}
		waits, known := waitsFor(process, p.pipe)
		switch {
		case !known && !p.blindly:
			return
		case !known:
			select {
			case <-ended:
				return
			case <-time.After(blind):
			}
		case !waits:
			pause = min(pause+pause/4, lookSeldom)
			continue
		}
		pause = look
		line, err := p.out.Input("", p.password)
		switch {
		case errors.Is(err, message.ErrInterrupted), errors.Is(err, message.ErrNotRunning), err == nil && isEnd(line):
			return
		case err != nil:
			p.out.Stream("stderr", "input: "+err.Error()+"\n")
			return
		}
		if _, err := io.WriteString(p.pipe, line+"\n"); err != nil {
			return // it reads no more
		}
	}
}
