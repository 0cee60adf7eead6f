//go:build unix

package running

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// Input is the program's standard input: a pipe into which the session writes a
// line when the program wants to read one.
type Input struct {
	send    func(wire.Event)
	answers chan wire.Request
	turn    chan struct{} // holds one token while somebody asks
	pipe    syscall.Stat_t
}

// WatchInput has reads of standard input ask the session, where package os has
// been given the function to call for that (kernel/internal/build/stdio.go).
func WatchInput(send func(wire.Event)) *Input {
	in := &Input{send: send, answers: make(chan wire.Request, 1), turn: make(chan struct{}, 1)}
	if file, ok := any(os.Stdin).(interface{ BeforeReadʹ(f func() error) }); ok && syscall.Fstat(0, &in.pipe) == nil {
		file.BeforeReadʹ(in.before)
	}
	return in
}

// Answer takes the session's answer.
func (in *Input) Answer(r wire.Request) { in.answers <- r }

// before is called before descriptor 0 is read. It returns when there is something
// to read, or why there is not.
func (in *Input) before() error {
	for {
		Check() // a cell that was interrupted while it waited for its turn asks nothing any more
		switch r := in.ask(); r.Answer {
		case wire.Line:
			return nil
		case wire.End:
			return io.EOF
		case wire.Refused:
			return errors.New(r.Err)
		}
		// Interrupted. The cell's own goroutines end as in a loop; one that an earlier
		// cell has left behind asks again.
		for Own() != nil {
			time.Sleep(5 * time.Millisecond)
			Check()
		}
	}
}

// ask asks the session, unless there is something already, or another file has
// taken the pipe's place.
func (in *Input) ask() wire.Request {
	in.turn <- struct{}{}
	defer func() { <-in.turn }()
	var now syscall.Stat_t
	if syscall.Fstat(0, &now) != nil || now.Dev != in.pipe.Dev || now.Ino != in.pipe.Ino || wire.Unread(0) > 0 {
		return wire.Request{Answer: wire.Line}
	}
	in.send(wire.Event{Kind: wire.Input})
	return <-in.answers
}
