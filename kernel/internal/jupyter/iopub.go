package jupyter

import (
	"bytes"
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
// recently, and else are held for a moment: more text joins, a newer update takes
// the place of an older one. Whatever else is published lets them out first.
//
// A front end draws all that a cell has printed again for each message, which for
// a million lines takes it many seconds. So the moment grows with what the cell
// has printed.
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
	size     int             // of the text in held, as it is sent
	printer  json.RawMessage // the cell that has printed last
	printed  int             // how much, as far as it was sent
	released time.Time       // when something held went out last
	hurried  bool            // the cell that prints was interrupted
	trimmed  bool            // and the person told that not all is shown
	timer    *time.Timer
	pace     pace
	changed  signal // of size or hurried
}

// held is what waits for more: text of a stream, or an update.
type held struct {
	parent json.RawMessage
	stream string // the name, "" for an update
	text   []byte
	update message.DisplayData
}

const (
	gatherTime = 20 * time.Millisecond // text is held at least for so long
	floodTime  = 3 * time.Second       // and at most
	drawRate   = 1 << 20               // bytes that a front end draws in a second
	gatherSize = 2_400_000             // who prints more waits
	// gatherCount bounds the messages that go out together. When a program changes
	// between standard output and standard error more often than that within
	// gatherTime, the text joins what is there of the same stream.
	gatherCount = 16
)

// publish sends a message about parent to everybody.
func (p *iopub) publish(parent json.RawMessage, msgType string, content any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.releaseInTime()
	p.send(parent, msgType, content)
}

// status publishes that the kernel is busy with req, or idle again.
func (p *iopub) status(req *request, state string) {
	p.publish(req.AsParent(), "status", message.Status{ExecutionState: state})
	if state == "idle" && req.Header.Type == "execute_request" {
		p.mu.Lock()
		p.hurried, p.trimmed = false, false
		p.mu.Unlock()
	}
}

// stream publishes text, perhaps a little later.
func (p *iopub) stream(parent json.RawMessage, name, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size += sentSize(text)
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
	gather := min(max(gatherTime, time.Duration(p.printed)*time.Second/drawRate), floodTime)
	now := time.Now()
	wait := max(gather-now.Sub(p.released), p.pace.wait(now, p.size))
	switch {
	case wait <= 0:
		p.release()
	case p.timer == nil:
		p.timer = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.timer = nil
			if len(p.held) > 0 {
				p.soon()
			}
		})
	}
}

// hurry lets nobody wait any more for what the cell prints that runs: it was
// interrupted.
func (p *iopub) hurry() {
	p.mu.Lock()
	p.hurried = true
	p.mu.Unlock()
	p.changed.fire()
}

// releaseInTime releases what is held as soon as a server lets it through. What it
// would not of a cell that was interrupted is left out. The caller holds mu.
func (p *iopub) releaseInTime() {
	for !p.hurried && p.size > 0 {
		wait := p.pace.wait(time.Now(), p.size)
		if wait == 0 {
			break
		}
		changed := p.changed.wait()
		p.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(wait):
		}
		p.mu.Lock()
	}
	if p.hurried {
		p.trim(p.pace.room(time.Now()))
	}
	p.release()
}

// trim shortens the text that is held to so many bytes.
func (p *iopub) trim(room int) {
	const note = "\n… what was printed here is left out, since the cell was interrupted\n"
	for i := range p.held {
		h := &p.held[i]
		if size := sentSize(string(h.text)); size <= room {
			room -= size
			continue
		}
		h.text = h.text[:wholeLines(h.text[:min(len(h.text), room/2)])]
		if !p.trimmed {
			h.text = append(h.text, note...)
		}
		p.held, p.trimmed = p.held[:i+1], true
		return
	}
}

// wholeLines is the length of a text without an unfinished line at its end.
func wholeLines(text []byte) int { return bytes.LastIndexByte(text, '\n') + 1 }

// sentSize is how long a text is in a message: JSON escapes some letters.
func sentSize(text string) int {
	n := len(text)
	for i := range len(text) {
		switch b := text[i]; {
		case b == '\n' || b == '\t' || b == '\r' || b == '"' || b == '\\':
			n++
		case b < ' ' || b == '<' || b == '>' || b == '&':
			n += len(`\u0000`) - 1
		}
	}
	return n
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
			if len(h.text) == 0 {
				continue
			}
			if string(p.printer) != string(h.parent) {
				p.printer, p.printed = h.parent, 0
			}
			p.printed += len(h.text)
			p.send(h.parent, "stream", message.Stream{Name: h.stream, Text: string(h.text)})
		} else {
			p.send(h.parent, "update_display_data", h.update)
		}
	}
	clear(p.held)
	p.held, p.size = p.held[:0], 0
	p.released = time.Now()
	p.changed.fire()
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
	if c, ok := content.(message.Comm); ok {
		m.Buffers = c.Buffers
		if c.Metadata != nil {
			if m.Metadata, err = encode(c.Metadata); err != nil {
				p.log("metadata of %s: %v", msgType, err)
				m.Metadata = emptyObject
			}
		}
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
		size := 0
		for _, f := range frames {
			size += len(f)
		}
		p.pace.spend(time.Now(), size)
	case "execute_input":
	default:
		p.pace.spend(time.Now(), 0)
	}
}

// room waits while a client has too much unsent, and while more is held or was
// published than a server lets through.
func (p *iopub) room() {
	for {
		changed := p.changed.wait()
		p.mu.Lock()
		full, hurried := p.size >= gatherSize, p.hurried
		wait := p.pace.wait(time.Now(), 0)
		p.mu.Unlock()
		if hurried || !full && wait == 0 {
			break
		}
		if !full {
			time.Sleep(wait)
			continue
		}
		<-changed
	}
	for _, client := range p.socket.all() {
		// One that may be a stranger has no more time for reading slowly.
		var late <-chan time.Time
		for {
			changed := client.changed.wait()
			unsent := client.waiting()
			if unsent <= p.limit {
				break
			}
			if late == nil || !client.isStranger() {
				late = time.After(p.patience)
			}
			select {
			case <-changed:
			case <-late:
				p.log("dropped a client that reads nothing, with %d bytes for it unsent", unsent)
				client.close()
			}
		}
	}
}
