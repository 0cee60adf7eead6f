package session

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// displayDecoder decodes the display stream of a program as it arrives. A
// gob.Decoder asks for more when it needs more, so it runs as a coroutine that is
// resumed when something has come.
type displayDecoder struct {
	parts  bytes.Buffer // of a message, and of those after it
	check  gobCheck
	unread bytes.Buffer                         // whole messages, for the coroutine
	next   func() (*protocol.DisplayData, bool) // a value, or nil for want of more
	stop   func()
	err    error
}

// feed takes a part of the stream and returns the values it completes. After an
// error the stream is taken to begin anew: a program may have opened the pipe
// again.
func (d *displayDecoder) feed(b []byte) (values []protocol.DisplayData, err error) {
	d.parts.Write(b)
	if d.next == nil {
		d.next, d.stop = iter.Pull(d.decode)
	}
	for {
		n, whole, err := d.message()
		if err == nil && n == 0 {
			return values, nil
		}
		if err == nil {
			d.unread.Write(d.parts.Next(n))
		}
		if whole {
			for v, _ := d.next(); v != nil; v, _ = d.next() {
				values = append(values, *v)
			}
			err = d.err
		}
		if err != nil {
			d.close()
			return values, fmt.Errorf("a message that cannot be read: %w", err)
		}
	}
}

// message finds the next message, which has n bytes with its length before it, 0 if not all
// of it is there, and tells whether something is whole with it.
func (d *displayDecoder) message() (n int, whole bool, err error) {
	b := d.parts.Bytes()
	length, size, err := readGobUint(b)
	switch {
	case err != nil:
		return 0, false, err
	case length > maxMessage:
		return 0, false, fmt.Errorf("%d bytes are too many", length)
	case size == 0 || length > uint64(len(b)-size):
		return 0, false, nil
	}
	n = size + int(length)
	whole, err = d.check.message(b[size:n])
	return n, whole, err
}

// maxMessage is how many bytes a message may have: more than any figure.
const maxMessage = 1 << 30

// decode yields values, and nil when it needs more of the stream.
func (d *displayDecoder) decode(yield func(*protocol.DisplayData) bool) {
	decoder := gob.NewDecoder(&waitingReader{&d.unread, func() bool { return yield(nil) }})
	for {
		v := new(protocol.DisplayData)
		if d.err = decoder.Decode(v); d.err != nil {
			return
		}
		if !yield(v) {
			return
		}
	}
}

// close ends the decoding.
func (d *displayDecoder) close() {
	if d.stop != nil {
		d.stop()
	}
	*d = displayDecoder{}
}

// waitingReader reads a buffer that is filled while it waits.
type waitingReader struct {
	unread *bytes.Buffer
	wait   func() bool // until there may be more; false if there will not
}

func (r *waitingReader) Read(b []byte) (int, error) {
	for r.unread.Len() == 0 {
		if !r.wait() {
			return 0, io.EOF
		}
	}
	return r.unread.Read(b)
}

func (r *waitingReader) ReadByte() (byte, error) { // so that gob does not read ahead
	for r.unread.Len() == 0 {
		if !r.wait() {
			return 0, io.EOF
		}
	}
	return r.unread.ReadByte()
}

// answerEncoder writes to the pipe by which a program gets answers.
type answerEncoder struct {
	pipe    *os.File
	encoder *gob.Encoder
}

func newAnswerEncoder(pipe *os.File) *answerEncoder {
	return &answerEncoder{pipe, gob.NewEncoder(pipe)}
}

// send writes an answer. A program that does not read its answers does not stop
// the session for longer than a moment.
func (e *answerEncoder) send(v protocol.CommValue) {
	_ = e.pipe.SetWriteDeadline(time.Now().Add(time.Second))
	_ = e.encoder.Encode(&v) // the program waits in vain, and can be interrupted
}
