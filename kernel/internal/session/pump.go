package session

import (
	"encoding/base64"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

const (
	// pipeSize is how much a pipe holds. So after reading that much, all is read
	// that was in the pipe before.
	pipeSize = 1 << 16

	// gather is how long output may wait for more of it, so that a program that
	// prints in many small pieces does not make as many messages.
	gather = 50 * time.Millisecond

	// pause is how long the first piece waits: a line is often printed in several.
	pause = 3 * time.Millisecond

	// enough is the amount of output that does not wait.
	enough = 1 << 17
)

// pump carries what the worker's program prints and displays to an Output.
//
// Each pipe has a goroutine that waits for it to become readable. When the order
// of outputs matters, drain reads the pipes at once, on behalf of these
// goroutines: what was written before is in them, so that no marks are needed in
// the streams, and no waiting. One mutex serialises all reading and publishing.
type pump struct {
	output         message.Output
	ask            func(question)
	stdout, stderr *os.File
	display        *os.File // gob messages of GoNB's protocol
	answers        *os.File // the same, to the program
	group          sync.WaitGroup

	mu        sync.Mutex
	buffer    [pipeSize]byte
	pending   []piece // read, and not published yet
	size      int     // of pending
	published time.Time
	timer     *time.Timer    // publishes pending, nil if there is nothing
	piped     displayDecoder // of the display pipe
	wired     displayDecoder // of what the worker hands over itself
	encoder   *answerEncoder
	shown     map[string]bool // display ids
	front     *front
	queue     []displayed     // what waits for the page, and what came after it
	listens   map[string]bool // addresses
	comms     map[string]bool // ids of those that are the program's
	targets   map[string]bool // to which front ends can open some
}

// displayed is a message of the display stream, or what is to be called when all
// before it is shown.
type displayed struct {
	protocol.DisplayData
	then func()
}

// piece is output of one stream.
type piece struct {
	stream string
	text   []byte
}

// openFIFO makes a named pipe and opens both of its ends, so that neither side
// ever waits for the other to open it, or reads an end of file.
func openFIFO(name string) (*os.File, error) {
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		return nil, fmt.Errorf("display pipe: %w", err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("display pipe: %w", err)
	}
	return f, nil
}

// start begins to read.
func (p *pump) start() {
	p.shown, p.listens, p.comms, p.targets = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	p.front.add(p)
	p.encoder = newAnswerEncoder(p.answers)
	p.follow(p.stdout, p.printed, nil)
	// Where both streams have something, standard output was first: whoever
	// writes to it waits until standard error has been read (package host of the
	// worker, order.go).
	p.follow(p.stderr, p.warned, func() { p.readAll(p.stdout, p.printed) })
	p.follow(p.display, p.feed, nil)
}

func (p *pump) printed(b []byte) { p.append("stdout", b) }
func (p *pump) warned(b []byte)  { p.append("stderr", b) }

// follow reads a pipe whenever there is something in it, until it is closed. It
// calls before, if it is set, before it reads.
func (p *pump) follow(f *os.File, take func([]byte), before func()) {
	conn, err := f.SyscallConn()
	if err != nil {
		return // closed already
	}
	p.group.Go(func() {
		for end := false; !end; {
			err := conn.Read(func(fd uintptr) bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				if before != nil {
					before()
				}
				n, err := p.read(fd, take)
				end = n == 0 && err == nil
				return err != syscall.EAGAIN
			})
			end = end || err != nil
		}
	})
}

// read reads once. The caller holds the mutex.
func (p *pump) read(fd uintptr, take func([]byte)) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p.buffer[:])
		if err == syscall.EINTR {
			continue
		}
		if n > 0 {
			take(p.buffer[:n])
		}
		return max(n, 0), err
	}
}

// readAll reads what is in a pipe now. The caller holds the mutex.
func (p *pump) readAll(f *os.File, take func([]byte)) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	// Not conn.Read, which would wait for the goroutine that is waiting in it.
	_ = conn.Control(func(fd uintptr) {
		for total := 0; total < pipeSize; {
			n, err := p.read(fd, take)
			if n == 0 || err != nil {
				return
			}
			total += n
		}
	})
}

// drain publishes all that was printed and displayed before it was called, and
// then calls then, if it is set, before anything else is published.
func (p *pump) drain(then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readAll(p.display, p.feed)
	p.streams()
	if then != nil {
		then()
	}
}

// streams publishes what was printed before. The caller holds the mutex.
func (p *pump) streams() {
	p.readAll(p.stdout, p.printed)
	p.readAll(p.stderr, p.warned)
	p.publish(true)
}

// append takes output that was read. The caller holds the mutex.
func (p *pump) append(stream string, b []byte) {
	if n := len(p.pending); n > 0 && p.pending[n-1].stream == stream {
		p.pending[n-1].text = append(p.pending[n-1].text, b...)
	} else {
		p.pending = append(p.pending, piece{stream, append([]byte(nil), b...)})
	}
	p.size += len(b)
	switch {
	case p.size >= enough:
		p.publish(false)
	case p.timer == nil:
		wait := max(pause, gather-time.Since(p.published))
		p.timer = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.timer = nil
			p.publish(false)
		})
	}
}

// publish gives the gathered output on. Bytes at the end of a stream that are not
// yet a whole character are kept, unless all has to go. The caller holds the
// mutex.
func (p *pump) publish(all bool) {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	var kept []piece
	for i, c := range p.pending {
		n := len(c.text)
		if !all {
			n = wholeCharacters(c.text)
		}
		if n < len(c.text) {
			// More of it may have come after a piece of the other stream.
			rest := c.text[n:]
			joined := false
			for j := i + 1; j < len(p.pending); j++ {
				if p.pending[j].stream == c.stream {
					p.pending[j].text = append(append([]byte(nil), rest...), p.pending[j].text...)
					joined = true
					break
				}
			}
			if !joined {
				kept = append(kept, piece{c.stream, rest})
			}
		}
		if n > 0 {
			p.output.Stream(c.stream, string(c.text[:n]))
			p.published = time.Now()
		}
	}
	p.pending, p.size = kept, 0
	for _, c := range kept {
		p.size += len(c.text)
	}
}

// wholeCharacters is the length of b without an unfinished UTF-8 sequence at its
// end. What is not UTF-8 at all counts as finished.
func wholeCharacters(b []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-i:]) {
				return len(b) - i
			}
			break
		}
	}
	return len(b)
}

// feed takes a part of what is in the display pipe. The caller holds the mutex.
func (p *pump) feed(b []byte) {
	p.decode(&p.piped, b)
}

// displayed takes a part of the display stream that the worker hands over, and calls
// then when it is shown.
func (p *pump) displayed(b []byte, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decode(&p.wired, b)
	p.queue = append(p.queue, displayed{then: then})
	p.showAll()
}

func (p *pump) decode(d *displayDecoder, b []byte) {
	messages, err := d.feed(b)
	for _, m := range messages {
		p.queue = append(p.queue, displayed{DisplayData: m})
	}
	p.showAll()
	if err != nil {
		p.output.Stream("stderr", "display: "+err.Error()+"\n")
	}
}

// showAll shows what is in the queue, up to what has to wait for the page: what comes
// after it may need it. The caller holds the mutex.
func (p *pump) showAll() {
	for len(p.queue) > 0 {
		next := p.queue[0]
		if wantsPage(next.DisplayData) && !p.front.reach(p.goOn) {
			return
		}
		p.queue = p.queue[1:]
		if next.then != nil {
			next.then()
		} else {
			p.show(next.DisplayData)
		}
	}
}

// goOn is showAll for who does not hold the mutex.
func (p *pump) goOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.showAll()
}

// show publishes a message of the display pipe, or answers it. The caller holds
// the mutex.
func (p *pump) show(m protocol.DisplayData) {
	data := message.MIMEBundle{}
	for mime, v := range m.Data {
		switch v := v.(type) {
		case protocol.InputRequest:
			p.ask(question{InputRequest: message.InputRequest(v)})
		case *protocol.InputRequest:
			p.ask(question{InputRequest: message.InputRequest(*v)})
		case protocol.CommValue:
			p.value(v)
		case *protocol.CommValue:
			p.value(*v)
		case protocol.CommSubscription:
			p.subscribe(v)
		case *protocol.CommSubscription:
			p.subscribe(*v)
		case []byte:
			if mime == programMessage {
				p.message(v)
			} else if mime == protocol.MIMEImagePNG || mime == "image/jpeg" {
				data[string(mime)] = base64.StdEncoding.EncodeToString(v)
			} else {
				data[string(mime)] = string(v)
			}
		default:
			data[string(mime)] = v
		}
	}
	if len(data) == 0 {
		return
	}
	p.streams() // what was printed before it comes before it
	d := message.DisplayData{Data: data, Metadata: m.Metadata, Transient: message.Transient{DisplayID: m.DisplayID}}
	if m.DisplayID != "" && p.shown[m.DisplayID] {
		p.output.Update(d)
		return
	}
	if m.DisplayID != "" {
		p.shown[m.DisplayID] = true
	}
	p.output.Display(d)
}

// close ends the reading. What was not read is lost.
func (p *pump) close() {
	for _, f := range []*os.File{p.stdout, p.stderr, p.display, p.answers} {
		if f != nil {
			f.Close()
		}
	}
	p.group.Wait()
	if p.shown != nil {
		p.front.remove(p)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.piped.close()
	p.wired.close()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}
