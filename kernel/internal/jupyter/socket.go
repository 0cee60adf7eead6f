package jupyter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// A socket listens at one of the kernel's five addresses, shakes hands with
// every peer and hands over what the peers send. Nothing that a peer does, or
// fails to do, holds up another one.
type socket struct {
	name string // for the log
	kind zmq4.SocketType
	door *door
	log  func(format string, args ...any)
	// receive gets every message, in order per peer, in the peer's goroutine.
	receive func(p *peer, frames [][]byte)

	listener net.Listener
	unlink   string // path of a unix socket

	mu      sync.Mutex
	peers   map[*peer]struct{}
	byID    map[string]*peer
	greeted uint32 // peers so far, to name those that have no name
	closed  bool
	changed signal // a peer came, went or subscribed
}

// handshakeTimeout is for peers that connect and say nothing.
const handshakeTimeout = 10 * time.Second

func (s *socket) listen(network, address string) error {
	if network == "unix" {
		// As libzmq does: the file of a kernel that was killed is in the way.
		if info, err := os.Lstat(address); err == nil && info.Mode().Type() == fs.ModeSocket {
			os.Remove(address)
		}
		s.unlink = address
	}
	l, err := listen(network, address)
	if err != nil {
		return fmt.Errorf("%s socket: %w", s.name, err)
	}
	s.listener = l
	s.peers = make(map[*peer]struct{})
	s.byID = make(map[string]*peer)
	return nil
}

// serve accepts peers until the socket is closed.
func (s *socket) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			s.mu.Lock()
			closed := s.closed
			s.mu.Unlock()
			if closed || errors.Is(err, net.ErrClosed) {
				return
			}
			s.log("%s socket: %v", s.name, err)
			time.Sleep(100 * time.Millisecond) // out of file descriptors, most likely
			continue
		}
		go s.welcome(conn)
	}
}

// welcome shakes hands with a peer and serves it until it goes.
func (s *socket) welcome(conn net.Conn) {
	p := newPeer(s, conn)
	defer p.close()
	pushed, err := s.door.enter(p)
	if err != nil {
		s.log("%s socket: a peer was turned away: %v", s.name, err)
		return
	}
	defer s.door.leave(p)
	if pushed {
		s.log("too many connections: the oldest of those that have not signed anything have to go")
	}
	if err := p.shakeHands(s.kind, handshakeTimeout); err != nil {
		if !p.isGone() {
			s.log("%s socket: a peer was turned away: %s", s.name, cause(err))
		}
		return
	}
	if !s.add(p) {
		return
	}
	defer s.remove(p)
	go p.write()
	allowed := &allowance{door: s.door, peer: p, most: freeSize}
	if s.kind == zmq4.Router {
		allowed.most = maxMessage
	}
	defer allowed.done()
	for {
		frames, command, err := p.stream.readMessage(allowed.grow)
		if err != nil {
			if !p.isGone() && !isEOF(err) {
				s.log("%s socket: a peer is lost: %s", s.name, cause(err))
			}
			return
		}
		switch {
		case command:
			s.command(p, frames[0])
		case s.kind == zmq4.Pub:
			s.subscribe(p, frames[0])
		default:
			s.receive(p, frames)
		}
		allowed.done()
		p.stream.handled()
		if p.isStranger() && (command || s.kind != zmq4.Pub) {
			p.drain(context.Background(), freeSize) // who asks for answers reads them
		}
	}
}

// add makes p reachable by its name. Like a ROUTER with handover: a client that
// connects again under its name takes the place of its lost connection. But names are
// no secret, so here the new one waits until it has signed something, see prove. From
// another machine the loss may not have been noticed, and who has nothing to send
// would wait for ever: there it is as with others.
func (s *socket) add(p *peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.greeted++
	if p.id == "" {
		p.nameless = true
		p.id = string(binary.BigEndian.AppendUint32([]byte{0}, s.greeted))
	}
	s.peers[p] = struct{}{}
	if old := s.byID[p.id]; old == nil || s.kind == zmq4.Router && !old.isLocal() {
		s.entitle(p)
	}
	s.changed.fire()
	return true
}

// prove is called when p has signed something: it is who it says.
func (s *socket) prove(p *peer) {
	p.known.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, in := s.peers[p]; in && s.byID[p.id] != p {
		s.entitle(p)
		s.changed.fire()
	}
}

// entitle gives p its name, and nobody else. The caller holds mu.
func (s *socket) entitle(p *peer) {
	if old := s.byID[p.id]; old != nil && old != p {
		old.close()
	}
	s.byID[p.id] = p
}

func (s *socket) remove(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, p)
	if s.byID[p.id] == p {
		delete(s.byID, p.id)
		for heir := range s.peers {
			if heir.id == p.id {
				s.byID[p.id] = heir
			}
		}
	}
	s.changed.fire()
}

func (s *socket) command(p *peer, body []byte) {
	if len(body) == 0 || int(body[0]) > len(body)-1 {
		return
	}
	name, data := string(body[1:1+body[0]]), body[1+body[0]:]
	switch {
	case name == zmq4.CmdPing && len(data) >= 2:
		p.send(outgoing{pong: data[2:]}) // after the time to live, a context to echo
	case name == zmq4.CmdSubscribe && s.kind == zmq4.Pub:
		s.subscribe(p, append([]byte{1}, data...))
	case name == zmq4.CmdCancel && s.kind == zmq4.Pub:
		s.subscribe(p, append([]byte{0}, data...))
	}
}

func (s *socket) subscribe(p *peer, order []byte) {
	if len(order) == 0 {
		return
	}
	topic := string(order[1:])
	p.mu.Lock()
	_, has := p.topics[topic]
	switch {
	case order[0] == 0 && has:
		delete(p.topics, topic)
		p.listed -= len(topic) + 1
	case order[0] == 1 && !has:
		p.topics[topic] = struct{}{}
		p.listed += len(topic) + 1
	}
	listed := p.listed
	p.mu.Unlock()
	if listed > freeSize {
		s.log("%s socket: a peer that subscribed to too much was turned away", s.name)
		p.close()
	}
	s.changed.fire()
}

// peer returns the connected peer of that name, or nil.
func (s *socket) peer(id string) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// all returns the connected peers.
func (s *socket) all() []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*peer, 0, len(s.peers))
	for p := range s.peers {
		list = append(list, p)
	}
	return list
}

// takeSubscriber takes a peer that subscribed to something and that nobody has taken,
// of the same name or of none that came after a time, and tells whether there was one.
func (s *socket) takeSubscriber(id string, after time.Time) bool {
	for _, named := range []bool{true, false} {
		for _, p := range s.all() {
			if (named && p.id == id || !named && p.nameless && p.came.After(after)) && p.subscribed() && p.taken.CompareAndSwap(false, true) {
				return true
			}
		}
	}
	return false
}

// publish queues a message for every peer that subscribed to its topic, which
// is the first frame.
func (s *socket) publish(frames [][]byte) {
	topic := string(frames[0])
	for _, p := range s.all() {
		if p.wants(topic) {
			p.send(outgoing{frames: frames})
		}
	}
}

// settle waits until what has already arrived from clients was received. It takes
// no time worth telling, but on a machine that is busy; and where half of a message
// has arrived, the rest is not waited for for long.
func (s *socket) settle() {
	deadline := time.Now().Add(time.Second)
	for _, p := range s.all() {
		for !p.isStranger() && p.stream.unhandled() && time.Now().Before(deadline) {
			time.Sleep(50 * time.Microsecond)
		}
	}
}

// flush waits until everything queued was handed to the network.
func (s *socket) flush(ctx context.Context) {
	for _, p := range s.all() {
		p.flush(ctx)
	}
}

func (s *socket) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.listener.Close()
	for _, p := range s.all() {
		p.close()
	}
	if s.unlink != "" {
		os.Remove(s.unlink)
	}
}

// A signal lets goroutines wait for a change of something.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// wait returns a channel that is closed at the next change. Call it before
// looking whether the change has happened.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

func (p *peer) wants(topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for prefix := range p.topics {
		if strings.HasPrefix(topic, prefix) {
			return true
		}
	}
	return false
}

func (p *peer) subscribed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.topics) > 0
}
