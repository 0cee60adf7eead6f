package session

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// input feeds a program's standard input with what the person types. Who wants
// something is served in the order of asking: by gonbui.RequestInput, which is
// asked for before it is read, or by reading where nothing is.
type input struct {
	output  message.Output
	answer  func(wire.Request)
	gone    <-chan struct{} // closed when nobody reads any more
	process int             // the program's
	printed func()          // has all published that was printed before

	mu      sync.Mutex
	pipe    *os.File      // the session's end
	over    chan struct{} // closed when the cell that runs has ended
	served  int           // how many questions were
	waiting []question
	serving bool
	next    chan struct{} // closed when the next cell runs
	refused bool          // the cell was told that nobody can be asked
	asked   bool          // the cell's program has read a line
	ended   bool          // the person has ended what the program is to read
	left    int           // bytes of a line that the pipe has no room for yet
}

// question is a line that a program wants. One that it reads is answered, unless it is
// read by one that cannot ask: a process that the program has started, or C.
type question struct {
	message.InputRequest
	reads bool
	// silent is the end of the cell in which such a one was seen.
	silent chan struct{}
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
	in.endWatch()
	in.over = make(chan struct{})
	go in.watch(in.over)
}

// rest says that a cell has ended: who asks from now on is another one.
func (in *input) rest() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.asked = false
	in.endWatch()
}

// leave ends the watch of a cell, if it goes on.
func (in *input) leave(over chan struct{}) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.over == over {
		in.endWatch()
	}
}

// endWatch ends the watch. The caller holds the mutex.
func (in *input) endWatch() {
	if in.over != nil {
		close(in.over)
		in.over = nil
	}
}

// watch sees to those that read and cannot ask, until the cell is over.
func (in *input) watch(over chan struct{}) {
	for {
		select {
		case <-over:
			return
		case <-in.gone:
			return
		case <-time.After(lookSeldom):
		}
		in.mu.Lock()
		pipe, served := in.pipe, in.served
		in.mu.Unlock()
		if waits, _ := waitsFor(in.process, pipe); !waits {
			continue
		}
		in.mu.Lock()
		// Who is being served waits as well, and who was meanwhile has waited.
		if in.over == over && !in.serving && in.served == served && in.unread() == 0 {
			in.waiting, in.serving = append(in.waiting, question{silent: over}), true
			go in.serve()
		}
		in.mu.Unlock()
	}
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
		in.served++
		in.mu.Unlock()
		switch {
		case q.silent != nil:
			in.feed(q.silent)
		case q.reads:
			in.read()
		default:
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

func isEnd(line string) bool { return line == endOfInput || line == endTyped }

// request asks for a line that the program will read, or not.
func (in *input) request(q question) {
	line, err := in.output.Input(q.Prompt, q.Password)
	switch {
	case err == nil && isEnd(line):
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
		next, ended := in.next, in.ended
		in.ended = false
		in.mu.Unlock()
		switch {
		case in.unreadNow() > 0:
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.Line})
			return
		case ended:
			in.answer(wire.Request{Kind: wire.Answer, Answer: wire.End})
			return
		}
		line, err := in.output.Input(in.prompt(), false)
		switch {
		case err == nil && isEnd(line):
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

// prompt is what the person is told: from the second line on it may be a loop.
func (in *input) prompt() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.asked {
		return "(" + endTyped + " ends the input) "
	}
	in.asked = true
	return ""
}

// feed gives a line, or the end, to one who reads and cannot ask.
func (in *input) feed(over chan struct{}) {
	in.printed()
	line, err := in.output.Input(in.prompt(), false)
	switch {
	case err == nil && !isEnd(line):
		in.write(line)
	case errors.Is(err, message.ErrInterrupted), errors.Is(err, message.ErrNotRunning):
		in.leave(over) // it is asked for in the next cell, if it still reads
	case err != nil:
		in.refuse(err)
		in.end()
	default:
		in.end()
	}
}

// end has those who read find the end of the pipe, and makes an end of ours anew when
// they have. Where a pipe cannot be opened again they go on waiting.
func (in *input) end() {
	in.mu.Lock()
	pipe := in.pipe
	in.mu.Unlock()
	theirs, err := reopen(pipe, os.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return
	}
	defer theirs.Close()
	pipe.Close()
	for waits := true; waits; waits, _ = waitsFor(in.process, theirs) {
		select {
		case <-in.gone:
			return
		case <-time.After(look):
		}
	}
	ours, err := reopen(theirs, os.O_WRONLY)
	if err == nil {
		in.mu.Lock()
		in.pipe = ours
		in.mu.Unlock()
	}
}

// reopen opens a pipe by an end of it.
func reopen(pipe *os.File, flag int) (opened *os.File, err error) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return nil, err
	}
	e := conn.Control(func(fd uintptr) { opened, err = os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), flag, 0) })
	return opened, errors.Join(e, err)
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

// unreadNow is unread for who does not hold the mutex.
func (in *input) unreadNow() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.unread()
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
		pipe := in.pipe
		in.mu.Unlock()
		if _, err := pipe.WriteString(line[:n]); err != nil {
			return // who is gone does not read
		}
		line = line[n:]
	}
}

func (in *input) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
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
