package jupyter

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// Comms are asked for and answered while a cell runs: it may wait for what a person
// does in the notebook. So their messages have a queue of their own.

// comms are those that are open: targets by comm id.
type comms struct {
	mu   sync.Mutex
	open map[string]string
}

// note keeps what a message of either side has changed. It tells whether the comm
// was open.
func (c *comms) note(m message.Comm) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, open := c.open[m.ID]
	switch m.Type {
	case message.CommOpen:
		if c.open == nil {
			c.open = map[string]string{}
		}
		c.open[m.ID] = m.TargetName
	case message.CommClose:
		delete(c.open, m.ID)
	}
	return open
}

func (c *comms) info(target string) message.CommInfoReply {
	c.mu.Lock()
	defer c.mu.Unlock()
	reply := message.CommInfoReply{Status: "ok", Comms: map[string]message.CommInfo{}}
	for id, of := range c.open {
		if target == "" || target == of {
			reply.Comms[id] = message.CommInfo{TargetName: of}
		}
	}
	return reply
}

// isComm tells whether a request is about comms.
func isComm(req *request) bool { return strings.HasPrefix(req.Header.Type, "comm_") }

// handleComm hands a client's message to the interpreter. What that publishes has
// the message as its parent.
func (r *running) handleComm(req *request) error {
	m := message.Comm{Type: req.Header.Type, Buffers: req.Buffers}
	if err := req.Decode(&m); err != nil {
		return err
	}
	if err := json.Unmarshal(req.Metadata, &m.Metadata); err != nil {
		return fmt.Errorf("metadata of %s: %w", m.Type, err)
	}
	out := &execution{running: r, request: req, parent: req.AsParent(), ended: make(chan struct{})}
	defer close(out.ended)
	if open := r.comms.note(m); !open && m.Type != message.CommOpen {
		return fmt.Errorf("%s for %q, a comm that is not open", m.Type, m.ID)
	}
	if !r.interpreter.Comm(m, out) && m.Type == message.CommOpen {
		out.Comm(message.Comm{Type: message.CommClose, ID: m.ID})
	}
	return nil
}

// Comm publishes a comm message.
func (x *execution) Comm(m message.Comm) {
	x.running.comms.note(m)
	if !m.Quiet {
		x.publish(m.Type, m)
	}
}

// stillBusy says again that a cell runs, when a request that was served beside it has
// made the kernel idle: front ends show what came last.
func (r *running) stillBusy() {
	r.mu.Lock()
	defer r.mu.Unlock() // so that the cell is not idle before
	if r.current != nil {
		r.iopub.publish(r.current.parent, "status", message.Status{ExecutionState: "busy"})
	}
}
