package jupyter

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/janpfeifer/gonb/gonbui"
	_ "github.com/janpfeifer/gonb/gonbui/comms" // whose values go by this package's
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Message is what travels on a comm.
type Message struct {
	Data     map[string]any // JSON
	Metadata map[string]any // of the message, may be nil
	Buffers  [][]byte       // beside the JSON, may be nil
}

// Comm is a connection to something in the front end, such as a widget. Either end
// opens it, both talk, either closes it.
type Comm struct {
	id string

	mu      sync.Mutex
	take    func(Message)
	closed  func()
	queue   []func() // calls of them, in order
	serving bool
}

var (
	mu      sync.Mutex
	open    = map[string]*Comm{}
	targets = map[string]func(*Comm, Message){}
)

// Open opens a comm to a target in the front end, with the message that the target
// gets first. Take is called for each message from there, one after the other; it
// may be nil.
func Open(target string, first Message, take func(Message)) (*Comm, error) {
	c := &Comm{id: strings.ToLower(rand.Text()), take: take}
	mu.Lock()
	open[c.id] = c
	mu.Unlock()
	return c, c.send("comm_open", target, first)
}

// Register has opened called for each comm that the front end opens to a target of
// that name. It calls Comm.OnMessage there to hear more.
func Register(target string, opened func(*Comm, Message)) error {
	mu.Lock()
	targets[target] = opened
	mu.Unlock()
	return send("register_target", map[string]any{"target_name": target})
}

// ID is the comm's, by which front ends know it.
func (c *Comm) ID() string { return c.id }

// Send sends a message.
func (c *Comm) Send(m Message) error { return c.send("comm_msg", "", m) }

// Close closes the comm. The front end is told.
func (c *Comm) Close() error {
	mu.Lock()
	delete(open, c.id)
	mu.Unlock()
	return c.send("comm_close", "", Message{})
}

// OnMessage has take called for each message from now on, instead of what was called
// before.
func (c *Comm) OnMessage(take func(Message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take = take
}

// OnClose has f called when the front end closes the comm.
func (c *Comm) OnClose(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = f
}

func (c *Comm) send(msgType, target string, m Message) error {
	return send(msgType, map[string]any{
		"comm_id": c.id, "target_name": target, "data": m.Data, "metadata": m.Metadata, "buffers": m.Buffers,
	})
}

// do calls f when all calls before it are over.
func (c *Comm) do(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, f)
	if c.serving {
		return
	}
	c.serving = true
	go c.serve()
}

func (c *Comm) serve() {
	defer func() { // also when an interrupt has ended a call
		c.mu.Lock()
		defer c.mu.Unlock()
		c.serving = len(c.queue) > 0
		if c.serving {
			go c.serve()
		}
	}()
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.mu.Unlock()
			return
		}
		f := c.queue[0]
		c.queue = c.queue[1:]
		c.mu.Unlock()
		guarded(f)
	}
}

// guarded keeps a panic of somebody's function from ending the session.
func guarded(f func()) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "panic in a function that was called for the front end: %v\n\n%s", p, debug.Stack())
		}
	}()
	f()
}

// address is where the kernel sends what front ends say.
const address = "#comm"

func init() {
	others := gonbui.OnCommValueUpdate
	gonbui.OnCommValueUpdate = func(v *protocol.CommValue) {
		if v.Address != address {
			others(v)
			return
		}
		text, _ := v.Value.(string)
		if err := receive([]byte(text)); err != nil {
			log.Printf("jupyter: a message of a comm cannot be read: %v", err)
		}
	}
}

// receive hands a message of a front end to whom it is for.
func receive(text []byte) error {
	var m struct {
		Type   string `json:"msg_type"`
		ID     string `json:"comm_id"`
		Target string `json:"target_name"`
		Message
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	c := open[m.ID]
	switch m.Type {
	case "comm_open":
		if opened := targets[m.Target]; opened != nil {
			c = &Comm{id: m.ID}
			open[m.ID] = c
			c.do(func() { opened(c, m.Message) })
		}
	case "comm_msg":
		if c != nil {
			c.do(func() {
				c.mu.Lock()
				take := c.take
				c.mu.Unlock()
				if take != nil {
					take(m.Message)
				}
			})
		}
	case "comm_close":
		delete(open, m.ID)
		if c != nil {
			c.do(func() {
				c.mu.Lock()
				closed := c.closed
				c.mu.Unlock()
				if closed != nil {
					closed()
				}
			})
		}
	}
	return nil
}
