package session

import (
	"errors"
	"os"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// input feeds a program's standard input with what the person types. Who wants
// something is served in the order of asking: by gonbui.RequestInput, which is
// asked for before it is read, or by reading where nothing is.
type input struct {
	pipe   *os.File // the session's end
	output message.Output
	answer func(wire.Request)
	gone   <-chan struct{} // closed when nobody reads any more

	mu      sync.Mutex
	waiting []question
	serving bool
	next    chan struct{} // closed when the next cell runs
	refused bool          // the cell was told that nobody can be asked
	asked   bool          // the cell's program has read a line
	ended   bool          // the person has ended what the program is to read
	left    int           // bytes of a line that the pipe has no room for yet
}

// question is a line that a program wants. One that it reads is answered.
type question struct {
	message.InputRequest
	reads bool
}

func newInput(pipe *os.File, output message.Output, answer func(wire.Request), gone <-chan struct{}) *input {
	return &input{pipe: pipe, output: output, answer: answer, gone: gone, next: make(chan struct{})}
}

// begin says that a cell runs: who could not be asked before can be asked now.
func (in *input) begin() {
	in.mu.Lock()
	defer in.mu.Unlock()
	close(in.next)
	in.next = make(chan struct{})
	in.refused = false
}

// rest says that a cell has ended: who asks from now on is another one.
func (in *input) rest() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.asked = false
}

// ask takes its turn. It returns at once.
func (in *input) ask(q question) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if q.reads && in.left > 0 {
		in.answer(wire.Request{Kind: wire.Answer, Answer: wire.Line})
		return
	}
	in.waiting = append(in.waiting, q)
	if !in.serving {
		in.serving = true
		go in.serve()
	}
}

func (in *input) serve() {
	for {
		in.mu.Lock()
		if len(in.waiting) == 0 {
			in.serving = false
			in.mu.Unlock()
			return
		}
		q := in.waiting[0]
		in.waiting = in.waiting[1:]
		in.mu.Unlock()
		if q.reads {
			in.read()
		} else {
			in.request(q)
		}
	}
}

// endOfInput is what a client sends for Ctrl-D, and endTyped what a person can type
// in a client that has no such key.
const (
	endOfInput = "\x04"
	endTyped   = "^D"
)

// request asks for a line that the program will read, or not.
func (in *input) request(q question) {
	line, err := in.output.Input(q.Prompt, q.Password)
	switch {
	case err == nil && (line == endOfInput || line == endTyped):
		in.mu.Lock()
		in.ended = true
		in.mu.Unlock()
	case err == nil:
		in.write(line)
	case !errors.Is(err, message.ErrInterrupted) && !errors.Is(err, message.ErrNotRunning):
		in.refuse(err)
	}
}

// read answers a read, with a line that is there already or that is asked for now.
func (in *input) read() {
	for {
		in.mu.Lock()
		next, ended, again := in.next, in.ended, in.asked
		in.ended = false
		in.mu.Unlock()
		switch {
		case in.unread() > 0:
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.Line})
			return
		case ended:
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.End})
			return
		}
		in.mu.Lock()
		in.asked = true
		in.mu.Unlock()
		prompt := ""
		if again { // it may be a loop
			prompt = "(" + endTyped + " ends the input) "
		}
		line, err := in.output.Input(prompt, false)
		switch {
		case err == nil && (line == endOfInput || line == endTyped):
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.End})
		case err == nil:
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.Line})
			in.write(line)
		case errors.Is(err, message.ErrInterrupted):
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.Stopped})
			in.wait(next)
		case errors.Is(err, message.ErrNotRunning):
			if in.wait(next) {
				continue
			}
		default:
			in.refuse(err)
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.Refused, Err: err.Error()})
		}
		return
	}
}

// wait waits for the next cell, and tells whether there is one.
func (in *input) wait(next <-chan struct{}) bool {
	select {
	case <-next:
		return true
	case <-in.gone:
		return false
	}
}

// unread is how much of what was written the program has not read.
func (in *input) unread() int {
	n := 0
	if conn, err := in.pipe.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { n = wire.Unread(int(fd)) }) // fails where it is closed
	}
	return n
}

// write gives the program a line, in pieces that an empty pipe has room for: while
// more are to come, the program need not ask.
func (in *input) write(line string) {
	line += "\n"
	for len(line) > 0 {
		n := min(len(line), 4096)
		in.mu.Lock()
		in.left = len(line) - n
		in.mu.Unlock()
		if _, err := in.pipe.WriteString(line[:n]); err != nil {
			return // who is gone does not read
		}
		line = line[n:]
	}
}

func (in *input) close() {
	if in.pipe != nil {
		in.pipe.Close()
	}
}

// refuse tells, once a cell, why nothing can be read.
func (in *input) refuse(err error) {
	in.mu.Lock()
	told := in.refused
	in.refused = true
	in.mu.Unlock()
	if !told {
		in.output.Stream("stderr", "input: "+err.Error()+"\n")
	}
}
