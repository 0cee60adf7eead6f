package session

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// programComm is the MIME type of a comm message, as JSON, in the display stream: a
// program opens comms with it and talks on them. What front ends say on such a comm
// comes back as a value of gonbui's, JSON again, at the address commAddress and the
// comm's id; comms that front ends open, at targetAddress and the target's name, for
// those who have subscribed to it.
const (
	programComm   = "application/vnd.nnkit.comm+json"
	commAddress   = "#comm/"
	targetAddress = "#target/"
)

// commJSON is a comm message between a program and the session.
type commJSON struct {
	Type string `json:"msg_type"`
	message.Comm
	Metadata map[string]any `json:"metadata,omitempty"`
	Buffers  [][]byte       `json:"buffers,omitempty"`
}

// MarshalJSON is not Comm's, which knows nothing of what stands beside it.
func (c commJSON) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"msg_type": c.Type, "comm_id": c.ID, "target_name": c.TargetName, "data": c.Data, "metadata": c.Metadata, "buffers": c.Buffers,
	})
}

var commCommands = []command{
	{names: []string{"%widgets"}, help: "make the page ready for scripts that use gonb_comm; gonbui's widgets and comms do so themselves", run: (*call).widgets},
}

// widgets waits until the page is there, or cannot be reached.
func (c *call) widgets() error {
	if err := noArgs(c); err != nil {
		return err
	}
	reached := make(chan struct{})
	if c.front.reach(func() { close(reached) }) {
		return nil
	}
	select {
	case <-reached:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// front is what the programs of a session know of its front ends: the page of
// gonbui's comms, and the comms that programs and front ends have opened.
type front struct {
	page
	mu       sync.Mutex
	programs map[*pump]bool
}

func newFront(output message.Output, kernel string) *front {
	return &front{page: page{output: output, kernel: kernel}, programs: map[*pump]bool{}}
}

func (f *front) add(p *pump) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.programs[p] = true
}

// remove closes the comms of a program that has ended.
func (f *front) remove(p *pump) {
	f.mu.Lock()
	delete(f.programs, p)
	f.mu.Unlock()
	for _, id := range p.openComms() {
		f.output.Comm(message.Comm{Type: message.CommClose, ID: id})
	}
}

// deliver gives a value to the programs that listen to an address, and tells whether
// there are any.
func (f *front) deliver(address string, value any) bool {
	f.mu.Lock()
	programs := slices.Collect(maps.Keys(f.programs))
	f.mu.Unlock()
	found := false
	for _, p := range programs {
		found = p.deliver(protocol.CommValue{Address: address, Value: value}) || found
	}
	return found
}

// Comm takes a message of a comm from a front end, and tells whether it knows the
// target of a comm that is opened.
func (s *Session) Comm(m message.Comm, _ message.Output) bool {
	f := s.front
	switch {
	case m.Type == message.CommOpen && m.TargetName == pageTarget:
		f.opened(m.ID)
		return true
	case f.owns(m.ID):
		if m.Type == message.CommClose {
			f.closed(m.ID)
		} else if address, value := f.take(m); address != "" {
			if v := gobValue(value); v != nil {
				f.deliver(address, v)
			}
		}
		return true
	}
	text, err := json.Marshal(commJSON{Type: m.Type, Comm: m, Metadata: m.Metadata, Buffers: m.Buffers})
	if err != nil {
		return false
	}
	if m.Type == message.CommOpen {
		return f.deliver(targetAddress+m.TargetName, string(text))
	}
	return f.deliver(commAddress+m.ID, string(text))
}

// wantsPage tells whether a message of the display stream is for the page.
func wantsPage(m protocol.DisplayData) bool {
	for _, v := range m.Data {
		switch v := v.(type) {
		case *protocol.CommValue:
			return v.Address != protocol.GonbuiSyncAddress
		case protocol.CommValue:
			return v.Address != protocol.GonbuiSyncAddress
		case *protocol.CommSubscription:
			return !v.Unsubscribe && !strings.HasPrefix(v.Address, "#")
		case protocol.CommSubscription:
			return !v.Unsubscribe && !strings.HasPrefix(v.Address, "#")
		}
	}
	return false
}

// value sends a program's value to the page. A program that waits until all that it
// has displayed is shown gets its answer. The caller holds the mutex.
func (p *pump) value(v protocol.CommValue) {
	switch v.Address {
	case protocol.GonbuiSyncAddress:
		p.streams()
		p.output.Flush() // a script that is shown for a moment is not to be overtaken
		p.encoder.send(protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: v.Value})
	case protocol.GonbuiStartAddress: // the page is there
	default:
		p.front.put(v.Address, v.Value, v.Request)
	}
}

// subscribe notes what a program listens to. The caller holds the mutex.
func (p *pump) subscribe(v protocol.CommSubscription) {
	if v.Unsubscribe {
		delete(p.listens, v.Address)
	} else {
		p.listens[v.Address] = true
	}
}

// deliver gives the program a value if it listens to its address.
func (p *pump) deliver(v protocol.CommValue) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.listens[v.Address] {
		return false
	}
	p.encoder.send(v)
	return true
}

// comm sends a comm message of the program. The caller holds the mutex.
func (p *pump) comm(text []byte) {
	var c commJSON
	if err := json.Unmarshal(text, &c); err != nil || c.ID == "" {
		p.output.Stream("stderr", fmt.Sprintf("display: %s is not a comm message (%v)\n", text, err))
		return
	}
	m := c.Comm
	m.Type, m.Metadata, m.Buffers = c.Type, c.Metadata, c.Buffers
	switch m.Type {
	case message.CommOpen:
		p.comms[m.ID] = true
	case message.CommClose:
		delete(p.comms, m.ID)
	}
	p.streams()
	p.output.Comm(m)
}

// openComms are the ids of the comms that the program has opened.
func (p *pump) openComms() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.comms))
}
