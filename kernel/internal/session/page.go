package session

import (
	"crypto/rand"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// page is the JavaScript side of gonbui's comms: the object gonb_comm in the page
// that shows the notebook, with a comm of its own to the kernel. Programs send to it
// and listen to it by addresses, which is how gonbui's widgets work.
//
// It is put there when a program first wants it, as an output that is taken away
// again. A page that is reloaded loses it, and nobody says so; so it is asked for a
// sign of life before it is used after a while. Or a script in an output that was saved
// asks for it, by a comm of its own: what is published then finds no cell in a new page.
type page struct {
	output message.Output
	kernel string // the kernel's id at its Jupyter server, "" where that is not known

	mu      sync.Mutex
	comm    string // "" while there is none
	heard   time.Time
	waiting []func() // to be called when the page has been reached, or has not
	timer   *time.Timer
	script  string // the display id of the output that holds it
	scripts int
	failed  bool // the page was not reached for this cell
}

// Times in which a page is expected to say something.
const (
	pageFresh = time.Second     // it is there as long after it was heard
	pagePong  = 2 * time.Second // to a sign of life: it may be drawing
	pageOpens = 3 * time.Second // after it was given the script
)

// The addresses that gonb_comm and the kernel keep to themselves.
const (
	pageTarget   = "gonb_comm"
	scriptTarget = "gonb_comm_script" // of comms that ask for the script
	addressAck   = "#comm_open_ack"
	addressPing  = "#heartbeat/ping"
	addressPong  = "#heartbeat/pong"
)

//go:embed page.js
var pageScript string

// process tells the scripts of one kernel's process from those before a restart.
var process = rand.Text()

// begin says that another cell runs: the page is tried again.
func (p *page) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = false
}

// reach tells whether there is nothing to wait for: the page is there, or it cannot
// be reached. Otherwise it calls then when that is known.
func (p *page) reach(then func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed || p.comm != "" && time.Since(p.heard) < pageFresh {
		return true
	}
	p.waiting = append(p.waiting, then)
	if len(p.waiting) > 1 {
		return false
	}
	if p.comm == "" {
		p.install()
		return false
	}
	p.send(addressPing, true)
	p.timer = time.AfterFunc(pagePong, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.waiting) > 0 { // the page was reloaded, or is another one
			p.output.Comm(message.Comm{Type: message.CommClose, ID: p.comm, Quiet: true})
			p.comm = ""
			p.install()
		}
	})
	return false
}

// install gives the page the script. The caller holds the mutex.
func (p *page) install() {
	if p.kernel == "" {
		go p.give("the kernel was not started by a Jupyter server")
		return
	}
	p.scripts++
	p.script = fmt.Sprintf("gonb_comm_%s_%d", p.kernel, p.scripts)
	p.output.Display(p.shown("<script>" + p.text() + "</script>"))
	p.timer = time.AfterFunc(pageOpens, func() { p.give("no page has answered") })
}

// text is the script for this kernel's page.
func (p *page) text() string {
	return strings.NewReplacer(`"KERNEL"`, strconv.Quote(p.kernel), `"PROCESS"`, strconv.Quote(process)).Replace(pageScript)
}

func (p *page) shown(html string) message.DisplayData {
	return message.DisplayData{Data: message.MIMEBundle{"text/html": html}, Transient: message.Transient{DisplayID: p.script}}
}

// give gives up for this cell.
func (p *page) give(reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		return
	}
	p.failed = true
	p.output.Stream("stderr", "gonbui's comms and widgets are left out: they need a page that runs JavaScript, as JupyterLab does, and "+reason+"\n")
	p.settle()
}

// settle lets those go on who wait. The caller holds the mutex.
func (p *page) settle() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	if p.script != "" {
		p.output.Update(p.shown("")) // nobody wants to save it
		p.script = ""
	}
	for _, then := range p.waiting {
		go then()
	}
	p.waiting = nil
}

// opened takes the comm that the script has opened.
func (p *page) opened(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.comm != "" && p.comm != id {
		p.output.Comm(message.Comm{Type: message.CommClose, ID: p.comm})
	}
	p.comm, p.heard, p.failed = id, time.Now(), false
	p.send(addressAck, true)
	p.settle()
}

// closed forgets a comm that the page has closed.
func (p *page) closed(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.comm == id {
		p.comm = ""
	}
}

// take takes a message of the page, and returns its address and value if it is for a
// program.
func (p *page) take(m message.Comm) (address string, value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = time.Now()
	if len(p.waiting) > 0 {
		p.settle()
	}
	address, _ = m.Data["address"].(string) // "" is nobody's
	switch address {
	case addressPing:
		p.send(addressPong, true)
		return "", nil
	case addressPong:
		return "", nil
	}
	return address, m.Data["value"]
}

// owns tells whether a comm is the page's.
func (p *page) owns(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.comm == id
}

// put sends a value to an address in the page, or with read asks for the one that is
// there. It does nothing where the page was not reached.
func (p *page) put(address string, value any, read bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.comm == "":
	case read:
		p.output.Comm(message.Comm{Type: message.CommMsg, ID: p.comm, Data: map[string]any{"address": address, "read_request": true}})
	default:
		p.send(address, value)
	}
}

// send sends to an address of the page. The caller holds the mutex.
func (p *page) send(address string, value any) {
	p.output.Comm(message.Comm{Type: message.CommMsg, ID: p.comm, Data: map[string]any{"address": address, "value": value}})
}

// gobValue is a value of JSON in one of the types that gonbui's protocol knows, nil
// where there is none.
func gobValue(v any) any {
	switch v := v.(type) {
	case []any:
		if numbers, ok := all[float64](v); ok {
			return numbers
		}
		if texts, ok := all[string](v); ok {
			return texts
		}
		return nil
	case map[string]any:
		if numbers, ok := allOf[float64](v); ok {
			return numbers
		}
		if texts, ok := allOf[string](v); ok {
			return texts
		}
		return nil
	}
	return v
}

func all[T any](list []any) ([]T, bool) {
	typed := make([]T, len(list))
	for i, v := range list {
		t, ok := v.(T)
		if !ok {
			return nil, false
		}
		typed[i] = t
	}
	return typed, true
}

func allOf[T any](values map[string]any) (map[string]T, bool) {
	typed := make(map[string]T, len(values))
	for k, v := range values {
		t, ok := v.(T)
		if !ok {
			return nil, false
		}
		typed[k] = t
	}
	return typed, true
}
