package jupyter

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// A peer is a connected client of one socket. What is sent to it waits in a
// queue, so that a client that does not read holds up nobody.
type peer struct {
	socket   *socket
	id       string
	came     time.Time
	nameless bool        // the client has given it no id
	met      bool        // it has sent something; of the reading goroutine alone
	taken    atomic.Bool // PUB: by a client that talks
	known    atomic.Bool // it has sent a message that is signed
	stream   *stream
	conn     *zmq4.Conn
	gone     chan struct{} // closed when the connection is
	once     sync.Once

	mu      sync.Mutex
	queue   []outgoing
	unsent  int                 // bytes not yet handed to the network
	topics  map[string]struct{} // PUB: what the peer subscribed to
	listed  int                 // bytes of them
	changed signal              // some bytes were sent
	wake    chan struct{}
}

// outgoing is a message, or the answer to a heartbeat of ZMTP's own.
type outgoing struct {
	frames [][]byte
	pong   []byte
}

func (o outgoing) size() int {
	n := frameSize + len(o.pong) // in the queue
	for _, f := range o.frames {
		n += len(f)
	}
	return n
}

// isStranger tells whether the peer has not shown yet that it knows the key. A
// subscriber never does: it counts as known when a client that has could be it.
func (p *peer) isStranger() bool { return !p.known.Load() && !p.taken.Load() }

// isLocal tells whether the peer is on this machine, which knows when it goes.
func (p *peer) isLocal() bool {
	switch a := p.stream.RemoteAddr().(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

func newPeer(s *socket, conn net.Conn) *peer {
	p := &peer{
		socket: s,
		came:   time.Now(),
		gone:   make(chan struct{}),
		topics: make(map[string]struct{}),
		wake:   make(chan struct{}, 1),
	}
	p.stream = newStream(conn, p.changed.fire)
	return p
}

// shakeHands makes p a ZMTP connection.
func (p *peer) shakeHands(kind zmq4.SocketType, timeout time.Duration) (err error) {
	defer func() {
		// zmq4 panics at unknown socket types and at damaged metadata.
		if r := recover(); r != nil {
			err = fmt.Errorf("handshake: %v", r)
		}
	}()
	p.stream.SetDeadline(time.Now().Add(timeout))
	p.stream.greeting = true
	p.conn, err = zmq4.Open(p.stream, null.Security(), kind, nil, true, nil)
	if err != nil {
		return err
	}
	p.stream.greeting = false
	p.id = p.conn.Peer.Meta["Identity"]
	return p.stream.SetDeadline(time.Time{})
}

func (p *peer) close() {
	p.once.Do(func() {
		close(p.gone)
		p.stream.Close()
		p.changed.fire()
	})
}

// send queues a message. It never waits.
func (p *peer) send(o outgoing) {
	p.mu.Lock()
	p.queue = append(p.queue, o)
	p.unsent += o.size()
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// write sends what is queued until the connection ends.
func (p *peer) write() {
	defer p.close()
	for {
		select {
		case <-p.wake:
		case <-p.gone:
			return
		}
		p.mu.Lock()
		batch := p.queue
		p.queue = nil
		p.mu.Unlock()
		sent := 0
		for i, o := range batch {
			var err error
			if o.frames != nil {
				err = p.conn.SendMsg(zmq4.NewMsgFrom(o.frames...))
			} else {
				err = p.conn.SendCmd(zmq4.CmdPong, o.pong)
			}
			if i == len(batch)-1 && err == nil {
				err = p.stream.out.Flush()
			}
			if err != nil {
				return // the reading side tells
			}
			batch[i] = outgoing{} // big pictures need not wait for the batch's end
			if sent += o.size(); sent > outSize || i == len(batch)-1 {
				p.mu.Lock()
				p.unsent -= sent
				p.mu.Unlock()
				p.changed.fire()
				sent = 0
			}
		}
	}
}

// flush waits until nothing is unsent.
func (p *peer) flush(ctx context.Context) { p.drain(ctx, 0) }

// drain waits until no more than most bytes are unsent.
func (p *peer) drain(ctx context.Context, most int) {
	for {
		changed := p.changed.wait()
		if p.waiting() <= most {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// waiting returns how many bytes are unsent and can still be sent.
func (p *peer) waiting() int {
	if p.isGone() {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unsent
}

func (p *peer) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// A stream is a connection's bytes. It buffers what is written, since zmq4
// writes each frame in two pieces, and knows whether anything that arrived is
// still to be handled.
type stream struct {
	net.Conn
	in       *bufio.Reader
	out      *bufio.Writer
	greeting bool // the handshake is going on
	read     int  // bytes of it

	raw syscall.RawConn // of Conn, if it has one

	arriving sync.Mutex // held while bytes are taken from the network
	open     bool       // bytes were taken that are not handled
}

func newStream(conn net.Conn, progress func()) *stream {
	s := &stream{Conn: conn}
	if c, ok := conn.(syscall.Conn); ok {
		s.raw, _ = c.SyscallConn()
	}
	s.in = bufio.NewReaderSize(arrivals{s}, 1<<12)
	s.out = bufio.NewWriterSize(departures{conn, progress}, outSize)
	return s
}

const outSize = 1 << 16

// departures writes to the network, in pieces that show progress.
type departures struct {
	net.Conn
	progress func()
}

func (d departures) Write(b []byte) (int, error) {
	total := 0
	for total < len(b) {
		n, err := d.Conn.Write(b[total:min(len(b), total+outSize)])
		total += n
		if err != nil {
			return total, err
		}
		d.progress()
	}
	return total, nil
}

// arrivals reads from the network.
type arrivals struct{ *stream }

// handled tells that the message read last was dealt with.
func (s *stream) handled() {
	if s.in.Buffered() == 0 {
		s.arriving.Lock()
		defer s.arriving.Unlock()
		s.open = false
	}
}

// unhandled tells whether bytes have arrived that were not dealt with.
func (s *stream) unhandled() bool {
	s.arriving.Lock()
	defer s.arriving.Unlock()
	return s.open || s.unread()
}

// Read is for the handshake, after whose greeting there is one command, which has one
// frame. zmq4 would read as many frames as a stranger announces, and make room for all
// that each is said to have.
func (s *stream) Read(b []byte) (int, error) {
	const ready, limit = 64, 1 << 16 // where the command begins
	if s.greeting && s.read == ready && len(b) > 0 {
		head, err := s.in.Peek(9) // the shortest one is longer
		switch {
		case err != nil:
			return 0, err
		case head[0]&^flagLong != flagCommand:
			return 0, errors.New("no command after the greeting")
		case head[0]&flagLong != 0 && binary.BigEndian.Uint64(head[1:]) > limit:
			return 0, errors.New("handshake frame is too long")
		}
	}
	n, err := s.in.Read(b)
	s.read += n
	return n, err
}

func (s *stream) Write(b []byte) (int, error) {
	n, err := s.out.Write(b)
	if s.greeting && err == nil {
		err = s.out.Flush()
	}
	return n, err
}

// Flags of a ZMTP frame (https://rfc.zeromq.org/spec/23/).
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

// maxMessage and maxFrames bound what a stranger can make the kernel hold.
const (
	maxMessage = 1 << 30
	maxFrames  = 1 << 16
	frameSize  = 64 // what a frame takes beside its bytes, about
)

// readMessage reads a message, or a command, which has one frame. (zmq4's
// RecvMsg makes room for whatever length is announced, and answers heartbeats
// in the middle of what is being sent.)
func (s *stream) readMessage(grow func(size int) error) (frames [][]byte, command bool, err error) {
	return readMessage(s.in, grow)
}

// readMessage asks grow before it makes more room, with the size of the message by
// then.
func readMessage(in *bufio.Reader, grow func(size int) error) (frames [][]byte, command bool, err error) {
	total := 0
	for {
		flags, err := in.ReadByte()
		if err != nil {
			if len(frames) > 0 {
				err = noEOF(err)
			}
			return nil, false, err
		}
		var head [8]byte
		length := head[7:]
		if flags&flagLong != 0 {
			length = head[:]
		}
		if _, err := io.ReadFull(in, length); err != nil {
			return nil, false, noEOF(err)
		}
		size := binary.BigEndian.Uint64(head[:])
		if size > maxMessage || total+int(size) > maxMessage || len(frames) == maxFrames {
			return nil, false, fmt.Errorf("message is larger than %d bytes or %d frames", maxMessage, maxFrames)
		}
		before := total
		frame, err := readFrame(in, int(size), func(size int) error { return grow(before + size) })
		total += int(size)
		if err != nil {
			return nil, false, noEOF(err)
		}
		frames = append(frames, frame)
		if flags&flagCommand != 0 {
			if flags&flagMore != 0 || len(frames) > 1 {
				return nil, false, errors.New("command of several frames")
			}
			return frames, true, nil
		}
		if flags&flagMore == 0 {
			return frames, false, nil
		}
	}
}

// readFrame takes memory as the bytes arrive, not as they are announced.
func readFrame(in io.Reader, size int, grow func(size int) error) ([]byte, error) {
	const step = 1 << 14
	frame := []byte{}
	for {
		n := min(size-len(frame), max(step, len(frame)))
		if err := grow(len(frame) + n); err != nil {
			return nil, err
		}
		frame = append(frame, make([]byte, n)...)
		if _, err := io.ReadFull(in, frame[len(frame)-n:]); err != nil {
			return nil, err
		}
		if len(frame) == size {
			return frame[:size:size], nil
		}
	}
}

// noEOF is for an end in the middle of a message.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func isEOF(err error) bool {
	return err == io.EOF || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET)
}
