package jupyter

import (
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// inputs has the reply that the kernel waits for. One question is asked at a
// time.
type inputs struct {
	asking sync.Mutex

	mu      sync.Mutex
	waiting chan string // nil when no reply is expected
}

func (in *inputs) expect(c chan string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiting = c
}

// receiveInput gets the messages of the stdin channel.
func (r *running) receiveInput(p *peer, frames [][]byte) {
	m, err := r.codec.Decode(frames)
	if err != nil {
		r.log("dropped a message on stdin: %v", err)
		return
	}
	r.prove(p)
	var reply message.InputReply
	if m.Header.Type != "input_reply" {
		r.log("unknown message %q on stdin", m.Header.Type)
		return
	}
	if err := m.Decode(&reply); err != nil {
		r.log("%v", err)
		return
	}
	r.input.mu.Lock()
	defer r.input.mu.Unlock()
	if r.input.waiting == nil {
		r.log("dropped an input that nobody waits for") // its cell was interrupted
		return
	}
	r.input.waiting <- reply.Value
	r.input.waiting = nil
}

// Input asks the client that runs the cell for a line of text.
func (x *execution) Input(prompt string, password bool) (string, error) {
	if !x.stdin {
		return "", errNoStdin
	}
	r := x.running
	interrupted := x.interrupted.wait()
	r.input.asking.Lock()
	defer r.input.asking.Unlock()
	select {
	case <-interrupted:
		return "", message.ErrInterrupted
	case <-x.ended:
		return "", message.ErrNotRunning
	default:
	}
	client := r.stdinPeer(x.request.peer)
	if client == nil {
		return "", errClientGone
	}
	answer := make(chan string, 1)
	r.input.expect(answer)
	defer r.input.expect(nil)

	r.iopub.flush() // what explains the question is seen before it
	m, err := r.codec.New("input_request", x.parent, message.InputRequest{Prompt: prompt, Password: password})
	if err != nil {
		return "", err
	}
	client.send(outgoing{frames: r.codec.Encode(m)})
	select {
	case text := <-answer:
		x.shown.spoil()
		return text, nil
	case <-interrupted:
		x.withdraw()
		return "", message.ErrInterrupted
	case <-x.ended:
		return "", message.ErrNotRunning
	case <-client.gone:
		return "", errClientGone
	case <-r.stopping:
		return "", message.ErrNotRunning
	}
}

// stdinPeer returns the stdin connection of a client, for which it waits a
// little: it may be made later than that of shell.
func (r *running) stdinPeer(id string) *peer {
	deadline := time.After(joinTimeout)
	for {
		changed := r.stdinSocket.changed.wait()
		if p := r.stdinSocket.peer(id); p != nil {
			return p
		}
		select {
		case <-changed:
		case <-deadline:
			return nil
		}
	}
}
