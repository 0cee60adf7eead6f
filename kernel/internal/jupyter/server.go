package jupyter

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/seed5607215b/nnkit/kernel/internal/history"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// An Interpreter is what a kernel runs cells with. Execute is called one at a time,
// in the order of the requests; the other methods at any time, several at once.
type Interpreter interface {
	// Info describes the kernel. The server fills in status and protocol version.
	Info() message.KernelInfo
	// Execute runs a cell whose number is count. Its outputs may go to out even
	// after it has returned: they appear with this cell. ctx ends when the
	// kernel shuts down.
	Execute(ctx context.Context, count int, req *message.ExecuteRequest, out message.Output) message.ExecuteReply
	// IsComplete tells whether code can be executed as it stands.
	IsComplete(ctx context.Context, code string) message.IsCompleteReply
	// Complete tells what could be typed at a place in a cell.
	Complete(ctx context.Context, req *message.CompleteRequest) message.CompleteReply
	// Inspect tells about what stands at a place in a cell.
	Inspect(ctx context.Context, req *message.InspectRequest) message.InspectReply
	// Comm takes a message of a comm from a front end, to which it answers by out. It
	// tells whether it knows the target of a comm that is opened.
	Comm(m message.Comm, out message.Output) bool
	// Interrupt makes the Execute that is running return Status "error". It does
	// not wait for that: a shutdown request would wait behind it.
	Interrupt(ctx context.Context) error
	// Shutdown ends everything that Execute may have started, and Execute
	// itself. After it nothing else is called. Jupyter kills a kernel that takes
	// longer than five seconds.
	Shutdown(ctx context.Context, restart bool) error
}

// A Server is a kernel's side of the protocol.
type Server struct {
	// Connection says where to listen and how to sign.
	Connection ConnectionFile
	// Interpreter runs the cells.
	Interpreter Interpreter
	// History keeps the cells. Nil keeps them as long as the server is there.
	History *history.History
	// Redraws says that clients show outputs in a page, where they can be taken back:
	// so do those of a Jupyter server, and a terminal does not.
	Redraws bool
	// Log gets what no client is told: refused messages, lost peers. It is called
	// from several goroutines. Nil drops it.
	Log func(format string, args ...any)
}

// Times that a client may have to wait, or that we wait for it.
const (
	shutdownTimeout = 5 * time.Second // for the interpreter, when the context ended
	endTimeout      = time.Second     // for a running cell, at a shutdown
	flushTimeout    = 2 * time.Second // for the last messages to leave
	joinTimeout     = time.Second     // for a new client's other channels
	togetherTime    = 5 * time.Second // between the connections of one client
)

// Serve listens and answers until a client asks for a shutdown, when it returns
// nil, or until ctx ends, when it returns ctx's error. In both cases the
// interpreter was shut down and the last messages have been sent.
func (s *Server) Serve(ctx context.Context) error {
	r := &running{
		interpreter: s.Interpreter,
		codec:       NewCodec(s.Connection.Key),
		door:        newDoor(),
		shellQueue:  newQueue(),
		control:     newQueue(),
		commQueue:   newQueue(),
		history:     cmp.Or(s.History, history.New("")),
		redraws:     s.Redraws,
		stopped:     make(chan struct{}),
	}
	r.codec.own = ownSession(s.Connection.Key)
	r.codec.Session = r.codec.own + r.codec.Session
	if s.Log != nil {
		said := newComplaints(s.Log)
		defer said.end()
		r.log = said.logf
	} else {
		r.log = func(string, ...any) {}
	}
	if err := s.Connection.check(); err != nil {
		return fmt.Errorf("connection: %w", err)
	}
	if err := r.listen(&s.Connection); err != nil {
		r.close()
		return err
	}
	defer r.close()
	return r.run(ctx)
}

// running is a Server that serves.
type running struct {
	interpreter Interpreter
	codec       *Codec
	door        *door
	log         func(format string, args ...any)

	sockets     []*socket
	shellSocket *socket
	stdinSocket *socket
	iopub       *iopub
	shellQueue  *queue
	subshells   subshells
	control     *queue
	commQueue   *queue
	comms       comms
	history     *history.History
	redraws     bool

	count int // of the shell goroutine alone

	mu      sync.Mutex
	current *execution                // the cell that runs
	last    atomic.Pointer[execution] // the last one that was not silent
	input   inputs

	work     context.Context    // of cells
	cancel   context.CancelFunc // ends a running cell
	stopping <-chan struct{}    // closed by cancel
	idle     sync.WaitGroup     // of the shell goroutine
	stopOnce sync.Once
	stopped  chan struct{} // a shutdown request was answered
}

func (r *running) listen(c *ConnectionFile) error {
	open := func(name string, kind zmq4.SocketType, port int, receive func(*peer, [][]byte)) (*socket, error) {
		s := &socket{name: name, kind: kind, door: r.door, log: r.log, receive: receive}
		if err := s.listen(c.address(port)); err != nil {
			return nil, err
		}
		r.sockets = append(r.sockets, s)
		return s, nil
	}
	pub, err := open("iopub", zmq4.Pub, c.IOPubPort, nil)
	if err != nil {
		return err
	}
	r.iopub = &iopub{socket: pub, codec: r.codec, log: r.log, limit: 64 << 20, patience: 10 * time.Second}
	if r.shellSocket, err = open("shell", zmq4.Router, c.ShellPort, r.receive(r.shellQueue)); err != nil {
		return err
	}
	if _, err = open("control", zmq4.Router, c.ControlPort, r.receive(r.control)); err != nil {
		return err
	}
	if r.stdinSocket, err = open("stdin", zmq4.Router, c.StdinPort, r.receiveInput); err != nil {
		return err
	}
	// The heartbeat sends back what it gets.
	echo := func(p *peer, frames [][]byte) { p.send(outgoing{frames: frames}) }
	_, err = open("heartbeat", zmq4.Rep, c.HeartbeatPort, echo)
	return err
}

func (r *running) close() {
	for _, s := range r.sockets {
		s.close()
	}
	r.door.close()
}

func (r *running) run(ctx context.Context) error {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	r.work, r.cancel, r.stopping = work, cancel, work.Done()
	r.iopub.publish(nil, "status", message.Status{ExecutionState: "starting"})
	for _, s := range r.sockets {
		go s.serve()
	}
	r.idle.Go(func() {
		r.serve(work, r.shellQueue)
	})
	r.idle.Go(func() {
		r.serve(work, r.commQueue)
	})
	// Control outlives the end of work, which it causes.
	go r.serve(context.WithoutCancel(ctx), r.control)

	var err error
	select {
	case <-r.stopped:
	case <-ctx.Done():
		err = ctx.Err()
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		if err := r.interpreter.Shutdown(end, false); err != nil {
			r.log("shutting down: %v", err)
		}
		stop()
		r.awaitShell()
	}
	r.shellQueue.close()
	r.commQueue.close()
	r.subshells.close()
	r.control.close()
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer stop()
	r.iopub.flush()
	for _, s := range r.sockets {
		s.flush(end)
	}
	return err
}

// awaitShell gives a cell that was told to end the time to say so.
func (r *running) awaitShell() {
	done := make(chan struct{})
	r.shellQueue.close()
	r.commQueue.close()
	r.subshells.close()
	go func() {
		r.idle.Wait()
		r.subshells.idle.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(endTimeout):
	}
}

// receive returns what puts a socket's messages into q.
func (r *running) receive(q *queue) func(*peer, [][]byte) {
	return func(p *peer, frames [][]byte) {
		m, err := r.codec.Decode(frames)
		if err != nil {
			r.log("dropped a message: %v", err)
			return
		}
		r.prove(p)
		if q == r.shellQueue && !p.met {
			p.met = true
			r.join(p)
		}
		req := &request{Message: m, socket: p.socket, peer: p.id}
		to := q
		if q == r.shellQueue {
			if to, err = r.queueOf(req); err != nil {
				r.refuse(req, err)
				return
			}
		}
		to.push(req)
	}
}

// prove is called when p has signed a message. Its name is then good for one connection
// to each of the other sockets as well, the one that has it there: a client says nothing
// on control or stdin until it has to.
func (r *running) prove(p *peer) {
	p.socket.prove(p)
	if p.nameless {
		return
	}
	for _, s := range r.sockets {
		if other := s.peer(p.id); other != nil && s.kind == zmq4.Router {
			other.known.Store(true)
		}
	}
}

// join waits until a client that begins to talk can hear us. Its channels are
// connections of their own, and what is published before the kernel knows of a
// subscription is lost to it. Clients subscribe once per shell connection, by the same
// name or by none: each takes a subscription that no other has taken, also none that
// has gone, whose end may be noticed late.
// One that does not subscribe is served after joinTimeout.
func (r *running) join(p *peer) {
	deadline := time.After(joinTimeout)
	for {
		changed := r.iopub.socket.changed.wait()
		if r.iopub.socket.takeSubscriber(p.id, p.came.Add(-togetherTime)) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			return
		}
	}
}

// A request is a message that asks for something.
type request struct {
	*Message
	socket  *socket
	peer    string // name of the peer that sent it
	aborted bool   // a cell before it failed; guarded by the queue's mu
}

// serve answers q's requests until it is closed.
func (r *running) serve(ctx context.Context, q *queue) {
	for {
		req, aborted := q.pop()
		if req == nil {
			return
		}
		r.iopub.status(req, "busy")
		if aborted {
			r.reply(req, message.ExecuteReply{Status: "aborted", ExecutionCount: r.count})
		} else {
			r.handle(ctx, req)
		}
		r.iopub.status(req, "idle")
		if q != r.shellQueue && q != r.control {
			r.stillBusy()
		}
		if req.Header.Type == "shutdown_request" {
			r.stopOnce.Do(func() { close(r.stopped) })
			return
		}
	}
}

func (r *running) handle(ctx context.Context, req *request) {
	var err error
	if req.socket == r.shellSocket {
		err = r.handleShell(ctx, req)
	} else {
		err = r.handleControl(ctx, req)
	}
	if err != nil {
		r.log("%v", err)
	}
}

func (r *running) handleShell(ctx context.Context, req *request) error {
	switch req.Header.Type {
	case "execute_request":
		return answer(r, req, func(content *message.ExecuteRequest) any {
			return r.execute(ctx, req, content)
		})
	case "is_complete_request":
		return answer(r, req, func(content *message.IsCompleteRequest) any {
			return r.interpreter.IsComplete(ctx, content.Code)
		})
	case "complete_request":
		return answer(r, req, func(content *message.CompleteRequest) any {
			return r.interpreter.Complete(ctx, content)
		})
	case "inspect_request":
		return answer(r, req, func(content *message.InspectRequest) any {
			return r.interpreter.Inspect(ctx, content)
		})
	case "history_request":
		return answer(r, req, func(content *message.HistoryRequest) any {
			return r.history.Answer(content)
		})
	case "comm_info_request":
		return answer(r, req, func(content *message.CommInfoRequest) any {
			return r.comms.info(content.TargetName)
		})
	case message.CommOpen, message.CommMsg, message.CommClose:
		return r.handleComm(req)
	}
	return r.handleAny(ctx, req)
}

func (r *running) handleControl(ctx context.Context, req *request) error {
	switch req.Header.Type {
	case "interrupt_request":
		return answer(r, req, func(*struct{}) any {
			if err := r.interrupt(ctx); err != nil {
				return message.NewErrorReply("InterruptError", err)
			}
			return message.InterruptReply{Status: "ok"}
		})
	case "debug_request":
		return r.debug(ctx, req)
	case "create_subshell_request":
		return answer(r, req, func(*struct{}) any {
			id, err := r.subshells.create(func(q *queue) { r.serve(r.work, q) })
			if err != nil {
				return message.NewErrorReply("SubshellError", err)
			}
			return message.CreateSubshellReply{Status: "ok", SubshellID: id}
		})
	case "delete_subshell_request":
		return answer(r, req, func(content *message.DeleteSubshellRequest) any {
			if err := r.subshells.remove(content.SubshellID); err != nil {
				return message.NewErrorReply("SubshellError", err)
			}
			return message.DeleteSubshellReply{Status: "ok"}
		})
	case "list_subshell_request":
		return answer(r, req, func(*struct{}) any {
			return message.ListSubshellReply{Status: "ok", SubshellID: r.subshells.list()}
		})
	}
	return r.handleAny(ctx, req)
}

// handleAny handles what may come over shell and control.
func (r *running) handleAny(ctx context.Context, req *request) error {
	switch req.Header.Type {
	case "kernel_info_request":
		return answer(r, req, func(*struct{}) any {
			info := r.interpreter.Info()
			info.Status, info.ProtocolVersion = "ok", message.ProtocolVersion
			info.SupportedFeatures, info.Debugger = r.features()
			return info
		})
	case "shutdown_request":
		return answer(r, req, func(content *message.ShutdownRequest) any {
			return r.shutdown(ctx, req, content.Restart)
		})
	}
	return fmt.Errorf("unknown request %q", req.Header.Type)
}

// answer replies to req with what f makes of its content.
func answer[C any](r *running, req *request, f func(content *C) any) error {
	content := new(C)
	if err := req.Decode(content); err != nil {
		r.reply(req, message.NewErrorReply("RequestError", err))
		return err
	}
	r.reply(req, f(content))
	return nil
}

// reply sends the answer to req the way that req came.
func (r *running) reply(req *request, content any) {
	m, err := r.codec.New(strings.TrimSuffix(req.Header.Type, "_request")+"_reply", req.AsParent(), content)
	if err != nil {
		r.log("cannot reply: %v", err)
		return
	}
	m.Identities = req.Identities
	// A client that has gone, as a reloaded page has, took its question along.
	if p := req.socket.peer(req.peer); p != nil {
		p.send(outgoing{frames: r.codec.Encode(m)})
	}
}

func (r *running) shutdown(ctx context.Context, req *request, restart bool) message.ShutdownReply {
	r.cancel()
	reply := message.ShutdownReply{Status: "ok", Restart: restart}
	if err := r.interpreter.Shutdown(ctx, restart); err != nil {
		// The kernel ends all the same, and the client wants to hear of that.
		r.log("shutting down: %v", err)
	}
	if req.socket != r.shellSocket { // on it, this goroutine is one that would be awaited
		r.awaitShell()
	}
	r.iopub.publish(req.AsParent(), "shutdown_reply", reply)
	return reply
}
