package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var inputCommands = []command{
	{names: []string{"%with_inputs"}, help: "ask for what the next ! reads from its standard input; ^D ends it", run: func(c *call) error { return c.withInputs(false) }},
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
}

const (
	// look is how often is looked whether the program waits.
	look = 20 * time.Millisecond
	// blind is how long a program runs before it is asked for, where its system does
	// not tell whether it waits.
	blind = 500 * time.Millisecond
)

// ask asks until the program of the group has ended, the person ends the input, or
// nobody can be asked.
func (p *prompts) ask(group int, ended <-chan struct{}) {
	defer p.pipe.Close()
	for {
		select {
		case <-ended:
			return
		case <-time.After(look):
		}
		waits, known := waitsFor(group, p.pipe)
		if !known {
			select {
			case <-ended:
				return
			case <-time.After(blind):
			}
		} else if !waits {
			continue
		}
		line, err := p.out.Input("", p.password)
		switch {
		case errors.Is(err, message.ErrInterrupted), errors.Is(err, message.ErrNotRunning), err == nil && (line == endOfInput || line == endTyped):
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

// waitsFor tells whether a process of a group waits in a read of a pipe, and whether
// that can be known.
func waitsFor(group int, pipe *os.File) (waits, known bool) {
	number := map[string]string{"amd64": "0", "arm64": "63"}[runtime.GOARCH] // of the system call
	info, err := pipe.Stat()
	if err != nil || number == "" {
		return false, false
	}
	name := fmt.Sprintf("pipe:[%d]", info.Sys().(*syscall.Stat_t).Ino)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil || groupOf(stat) != group {
			continue
		}
		dir := filepath.Dir(file)
		calls, _ := filepath.Glob(dir + "/task/*/syscall")
		for _, call := range calls {
			text, err := os.ReadFile(call)
			if err != nil {
				continue
			}
			known = true
			fields := strings.Fields(string(text)) // "0 0x3 …" is read(3, …)
			if len(fields) < 2 || fields[0] != number {
				continue
			}
			fd, err := strconv.ParseUint(fields[1], 0, 32)
			if err != nil {
				continue
			}
			if to, err := os.Readlink(fmt.Sprintf("%s/fd/%d", dir, fd)); err == nil && to == name {
				return true, true
			}
		}
	}
	return false, known
}

// groupOf is the process group in a process's stat, 0 if it has none. The name
// before it may hold anything.
func groupOf(stat []byte) int {
	_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := bytes.Fields(rest)
	if len(fields) < 3 {
		return 0
	}
	group, _ := strconv.Atoi(string(fields[2]))
	return group
}
