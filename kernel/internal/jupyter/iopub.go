package jupyter

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// iopub publishes to every client that listens, in the order of the calls.
//
// A cell that prints in a loop would make a message of every line, and a figure
// that is redrawn in a loop one of every state: more than clients can take. So
// text of a stream and updates of displays go out at once if nothing did
// recently, and else are held for gatherTime: more text joins, a newer update takes
// the place of an older one. Whatever else is published lets them out first. In a
// flood they are held for longer, because a front end draws all of a cell's text
// again for each message.
type iopub struct {
	socket *socket
	codec  *Codec
	log    func(format string, args ...any)
	// A client whose unsent bytes exceed limit makes cells that print wait, and
	// is dropped when it reads nothing for as long as patience.
	limit    int
	patience time.Duration

	mu       sync.Mutex
	held     []held
	size     int       // bytes of text in held
	released time.Time // when something held went out last
	timer    *time.Timer
	pace     pace
}

// held is what waits for more: text of a stream, or an update.
type held struct {
	parent json.RawMessage
	stream string // the name, "" for an update
	text   []byte
	update message.DisplayData
}

const (
	gatherTime = 20 * time.Millisecond
	floodTime  = 500 * time.Millisecond
	gatherSize = 1 << 18 // as much text goes out at once
	// gatherCount bounds the messages that go out together. When a program changes
	// between standard output and standard error more often than that within
	// gatherTime, the text joins what is there of the same stream.
	gatherCount = 16
)

// publish sends a message about parent to everybody.
func (p *iopub) publish(parent json.RawMessage, msgType string, content any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
	p.send(parent, msgType, content)
}

// status publishes that the kernel is busy with req, or idle again.
func (p *iopub) status(req *request, state string) {
	p.publish(req.AsParent(), "status", message.Status{ExecutionState: state})
}

// stream publishes text, perhaps a little later.
func (p *iopub) stream(parent json.RawMessage, name, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size += len(text)
	joins := func(h *held) bool { return h.stream == name && string(h.parent) == string(parent) }
	if n := len(p.held); n > 0 && joins(&p.held[n-1]) {
		p.held[n-1].text = append(p.held[n-1].text, text...)
	} else if h := find(p.held, joins); n >= gatherCount && h != nil {
		h.text = append(h.text, text...)
	} else {
		p.held = append(p.held, held{parent: parent, stream: name, text: []byte(text)})
	}
	p.soon()
}

// update publishes new data of a display, perhaps a little later, or never if
// newer data come before.
func (p *iopub) update(parent json.RawMessage, data message.DisplayData) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := data.Transient.DisplayID
	older := find(p.held, func(h *held) bool { return h.stream == "" && h.update.Transient.DisplayID == id })
	if older != nil {
		older.parent, older.update = parent, data
	} else {
		p.held = append(p.held, held{parent: parent, update: data})
	}
	p.soon()
}

// find returns the last of those that match, or nil.
func find(all []held, match func(*held) bool) *held {
	for i := len(all) - 1; i >= 0; i-- {
		if match(&all[i]) {
			return &all[i]
		}
	}
	return nil
}

// soon releases what is held, now or when its time has come. The caller holds mu.
func (p *iopub) soon() {
	wait := gatherTime - time.Since(p.released)
	if p.pace.flooded() {
		wait += floodTime - gatherTime
	}
	switch {
	case wait <= 0 || p.size >= gatherSize:
		p.release()
	case p.timer == nil:
		p.timer = time.AfterFunc(wait, p.flush)
	}
}

// flush publishes what is held.
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
	if len(p.held) == 0 {
		return
	}
	for _, h := range p.held {
		if h.stream != "" {
			p.send(h.parent, "stream", message.Stream{Name: h.stream, Text: string(h.text)})
		} else {
			p.send(h.parent, "update_display_data", h.update)
		}
	}
	clear(p.held)
	p.held, p.size = p.held[:0], 0
	p.released = time.Now()
}

// send makes a message and sends it. The caller holds mu.
func (p *iopub) send(parent json.RawMessage, msgType string, content any) {
	m, err := p.codec.New(msgType, parent, content)
	if err != nil {
		// Seen by whoever looks at the cell: data that is not JSON came from it.
		p.log("cannot publish: %v", err)
		p.send(parent, "stream", message.Stream{Name: "stderr", Text: "cannot show an output: " + err.Error() + "\n"})
		return
	}
	m.Identities = [][]byte{[]byte("kernel." + p.codec.Session + "." + msgType)}
	frames := p.codec.Encode(m)
	p.count(msgType, content, frames)
	p.socket.publish(frames)
}

// count keeps the pace, by the rules of Jupyter's servers.
func (p *iopub) count(msgType string, content any, frames [][]byte) {
	switch msgType {
	case "status":
		if s, ok := content.(message.Status); ok && s.ExecutionState == "idle" {
			p.pace = pace{}
		}
	case "stream":
		bytes := 0
		for _, f := range frames {
			bytes += len(f)
		}
		p.pace.spend(time.Now(), bytes)
	case "execute_input":
	default:
		p.pace.spend(time.Now(), 0)
	}
}

// room waits while a client has too much unsent, and while more was published
// than a server lets through.
func (p *iopub) room() {
	for {
		p.mu.Lock()
		wait := p.pace.wait(time.Now())
		p.mu.Unlock()
		if wait == 0 {
			break
		}
		time.Sleep(wait)
	}
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
