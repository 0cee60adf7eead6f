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

// programMessage is the MIME type of a message of Jupyter's, as JSON, in the display
// stream: package display/jupyter writes it. What front ends say on the comms that it
// has opened, and what they open to the targets that it has registered, comes back as
// a value of gonbui's at commAddress, JSON again.
const (
	programMessage = "application/vnd.nnkit.message+json"
	commAddress    = "#comm"
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
	widgets  bool              // a front end has the widgets of package ipywidgets
	payloads []message.Payload // of the cell that runs
}

// payload adds to what the client is asked for when the cell has ended.
func (f *front) payload(p message.Payload) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.payloads = append(f.payloads, p)
}

// takePayloads returns them, and forgets them.
func (f *front) takePayloads() []message.Payload {
	f.mu.Lock()
	defer f.mu.Unlock()
	payloads := f.payloads
	f.payloads = nil
	return payloads
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
		f.output.Comm(message.Comm{Type: message.CommClose, ID: id, Quiet: true})
	}
}

// deliver gives a value to the programs that are to have it, and tells whether there
// are any.
func (f *front) deliver(v protocol.CommValue, wants func(*pump) bool) bool {
	f.mu.Lock()
	programs := slices.Collect(maps.Keys(f.programs))
	f.mu.Unlock()
	found := false
	for _, p := range programs {
		found = p.deliver(v, wants) || found
	}
	return found
}

// Comm takes a message of a comm from a front end, and tells whether it knows the
// target of a comm that is opened.
func (s *Session) Comm(m message.Comm, out message.Output) bool {
	f := s.front
	switch {
	case m.Type == message.CommOpen && m.TargetName == pageTarget:
		f.opened(m.ID)
		return true
	case m.Type == message.CommOpen && m.TargetName == scriptTarget:
		if f.kernel != "" {
			out.Comm(message.Comm{Type: message.CommMsg, ID: m.ID, Data: map[string]any{"script": f.text()}})
		}
		return false // there is no more to say
	case f.owns(m.ID):
		if m.Type == message.CommClose {
			f.closed(m.ID)
		} else if address, value := f.take(m); address != "" {
			if v := gobValue(value); v != nil {
				f.deliver(protocol.CommValue{Address: address, Value: v}, func(p *pump) bool { return p.listens[address] })
			}
		}
		return true
	}
	if m.TargetName == widgetControl {
		f.mu.Lock()
		f.widgets = true
		f.mu.Unlock()
		return false // its manager asks for the widgets one by one then
	}
	text, err := json.Marshal(commJSON{Type: m.Type, Comm: m, Metadata: m.Metadata, Buffers: m.Buffers})
	if err != nil {
		return false
	}
	return f.deliver(protocol.CommValue{Address: commAddress, Value: string(text)}, func(p *pump) bool {
		if m.Type == message.CommOpen && p.targets[m.TargetName] {
			p.comms[m.ID] = true
		}
		return p.comms[m.ID]
	})
}

// widgetControl is the target that the widget manager of a front end opens first.
const widgetControl = "jupyter.widget.control"

// hasWidgets tells whether a front end has the widgets of package ipywidgets.
func (f *front) hasWidgets() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.widgets
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

// deliver gives the program a value if it is to have it, which is asked with the mutex
// held.
func (p *pump) deliver(v protocol.CommValue, wants func(*pump) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !wants(p) {
		return false
	}
	p.encoder.send(v)
	return true
}

// message does what the program asks the front end for. The caller holds the mutex.
func (p *pump) message(text []byte) {
	var m struct {
		commJSON
		Wait      bool              `json:"wait"`
		Replace   bool              `json:"replace"`
		Plain     bool              `json:"plain"`
		Text      string            `json:"text"`
		Transient message.Transient `json:"transient"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		p.output.Stream("stderr", fmt.Sprintf("display: %.200s is not a message: %v\n", text, err))
		return
	}
	p.streams() // what was printed before it comes before it
	shown := message.DisplayData{Data: m.Data, Metadata: m.Metadata, Transient: m.Transient}
	switch m.Type {
	case message.CommOpen, message.CommMsg, message.CommClose:
		if m.Type == message.CommOpen {
			p.comms[m.ID] = true
		} else if m.Type == message.CommClose {
			delete(p.comms, m.ID)
		}
		c := m.Comm
		c.Type, c.Metadata, c.Buffers = m.Type, m.Metadata, m.Buffers
		p.output.Comm(c)
	case "register_target":
		p.targets[m.TargetName] = true
	case "clear_output":
		p.output.Clear(m.Wait)
	case "display_data":
		p.shown[m.Transient.DisplayID] = true
		p.output.Display(shown)
	case "update_display_data":
		if !m.Plain || !p.front.hasWidgets() {
			p.output.Update(shown)
		}
	case "page":
		p.front.payload(message.NewPage(m.Data))
	case "set_next_input":
		p.front.payload(message.NextInput(m.Text, m.Replace))
	default:
		p.output.Stream("stderr", fmt.Sprintf("display: the kernel knows no message %q\n", m.Type))
	}
}

// openComms are the ids of the comms that the program has opened.
func (p *pump) openComms() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.comms))
}
