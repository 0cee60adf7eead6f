package jupyter

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// iopub publishes to every client that listens, in the order of the calls.
//
// A cell that prints in a loop would make a message of every line, more than
// clients can take (JupyterLab's server lets a thousand through in a second).
// So the text of a stream goes out at once if nothing did recently, and else is
// held for streamInterval, for more text to join it. Whatever else is published
// lets the held text out first.
type iopub struct {
	socket *socket
	codec  *Codec
	log    func(format string, args ...any)
	// A client whose unsent bytes exceed limit makes cells that print wait, and
	// is dropped when it reads nothing for as long as patience.
	limit    int
	patience time.Duration

	mu         sync.Mutex
	held       strings.Builder
	heldName   string // of the stream
	heldParent json.RawMessage
	released   time.Time // when a stream was published last
	timer      *time.Timer
}

const (
	streamInterval = 20 * time.Millisecond
	streamSize     = 1 << 16 // held text of this size goes out at once
)

// publish sends a message about parent to everybody.
func (p *iopub) publish(parent json.RawMessage, msgType string, content any) {
	m, err := p.codec.New(msgType, parent, content)
	if err != nil {
		// Seen by whoever looks at the cell: data that is not JSON came from it.
		p.log("cannot publish: %v", err)
		p.publish(parent, "stream", message.Stream{Name: "stderr", Text: "cannot show an output: " + err.Error() + "\n"})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
	p.send(m)
}

// status publishes that the kernel is busy with req, or idle again.
func (p *iopub) status(req *request, state string) {
	p.publish(req.AsParent(), "status", message.Status{ExecutionState: state})
}

// stream publishes text, perhaps a little later.
func (p *iopub) stream(parent json.RawMessage, name, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held.Len() > 0 && (p.heldName != name || string(p.heldParent) != string(parent)) {
		p.release()
	}
	p.heldName, p.heldParent = name, parent
	p.held.WriteString(text)
	wait := streamInterval - time.Since(p.released)
	switch {
	case wait <= 0 || p.held.Len() >= streamSize:
		p.release()
	case p.timer == nil:
		p.timer = time.AfterFunc(wait, p.flush)
	}
}

// flush publishes text that is held.
func (p *iopub) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
}

// release is flush for who holds mu.
func (p *iopub) release() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	if p.held.Len() == 0 {
		return
	}
	m, err := p.codec.New("stream", p.heldParent, message.Stream{Name: p.heldName, Text: p.held.String()})
	p.held.Reset()
	p.released = time.Now()
	if err != nil {
		p.log("cannot publish: %v", err)
		return
	}
	p.send(m)
}

func (p *iopub) send(m *Message) {
	m.Identities = [][]byte{[]byte("kernel." + p.codec.Session + "." + m.Header.Type)}
	p.socket.publish(p.codec.Encode(m))
}

// room waits while a client has too much unsent.
func (p *iopub) room() {
	for _, client := range p.socket.all() {
		for {
			changed := client.changed.wait()
			unsent := client.waiting()
			if unsent <= p.limit {
				break
			}
			select {
			case <-changed:
			case <-time.After(p.patience):
				p.log("dropped a client that reads nothing, with %d bytes for it unsent", unsent)
				client.close()
			}
		}
	}
}
