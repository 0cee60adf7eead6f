// Package client is a Jupyter client for tests: of package jupyter against an
// interpreter made for them, and of the whole kernel from end to end. It uses
// zmq4's own sockets, so that both ends are not the same code, and reads the
// signatures and parents that it is sent as strictly as other clients do.
//
// It leaves out finding and starting kernels.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// A Client is connected to a kernel.
type Client struct {
	// Info is what the kernel said of itself.
	Info message.KernelInfo

	codec  *jupyter.Codec
	cancel context.CancelFunc
	gone   chan struct{}

	shell, control, stdin, iopub, heartbeat *channel

	mu      sync.Mutex
	answer  func(message.InputRequest) string
	pending map[string]*Pending
	strays  []*jupyter.Message
	errs    []error
}

// channel is a socket that sends one message at a time.
type channel struct {
	zmq4.Socket
	mu sync.Mutex
}

func (ch *channel) send(frames [][]byte) error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.SendMulti(zmq4.NewMsgFrom(frames...))
}

// Dial connects to the kernel of a connection file and waits until it answers
// and its outputs arrive. It tries for as long as ctx allows, since a kernel
// that was just started may not listen yet.
func Dial(ctx context.Context, file jupyter.ConnectionFile) (*Client, error) {
	c := &Client{
		codec:   jupyter.NewCodec(file.Key),
		gone:    make(chan struct{}),
		pending: make(map[string]*Pending),
	}
	life, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	id := zmq4.WithID(zmq4.SocketIdentity(c.codec.Session)) // the same for shell and stdin
	options := []zmq4.Option{
		id, zmq4.WithLogger(log.New(io.Discard, "", 0)), zmq4.WithDialerRetry(20 * time.Millisecond),
		zmq4.WithDialerMaxRetries(0),
	}
	c.iopub = &channel{Socket: zmq4.NewSub(life, options...)}
	c.shell = &channel{Socket: zmq4.NewDealer(life, options...)}
	c.control = &channel{Socket: zmq4.NewDealer(life, options...)}
	c.stdin = &channel{Socket: zmq4.NewDealer(life, options...)}
	c.heartbeat = &channel{Socket: zmq4.NewReq(life, options...)}
	if err := c.iopub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		c.Close()
		return nil, err
	}
	for _, to := range []struct {
		*channel
		port int
	}{
		{c.iopub, file.IOPubPort},
		{c.stdin, file.StdinPort},
		{c.shell, file.ShellPort},
		{c.control, file.ControlPort},
		{c.heartbeat, file.HeartbeatPort},
	} {
		if err := dial(ctx, to.channel, file.Endpoint(to.port)); err != nil {
			c.Close()
			return nil, err
		}
	}
	// The kernel has gone when it has closed every channel: what it said last on
	// one may be read after the end of another.
	var receivers sync.WaitGroup
	receivers.Go(func() { c.receive(c.shell, c.onReply) })
	receivers.Go(func() { c.receive(c.control, c.onReply) })
	receivers.Go(func() { c.receive(c.iopub, c.onOutput) })
	receivers.Go(func() { c.receive(c.stdin, c.onInput) })
	go func() {
		receivers.Wait()
		close(c.gone)
	}()

	result, err := c.Request(ctx, Shell, "kernel_info_request", struct{}{})
	if err == nil {
		err = result.Reply.Decode(&c.Info)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("kernel info: %w", err)
	}
	return c, nil
}

func dial(ctx context.Context, ch *channel, endpoint string) error {
	for {
		err := ch.Dial(endpoint)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Close disconnects. The kernel goes on.
func (c *Client) Close() {
	c.cancel()
	for _, ch := range []*channel{c.shell, c.control, c.stdin, c.iopub, c.heartbeat} {
		ch.Close()
	}
}

// Gone is closed when the kernel has closed its channels, or the client was
// closed.
func (c *Client) Gone() <-chan struct{} { return c.gone }

// ErrGone is the error of a request that the kernel did not live to answer.
var ErrGone = errors.New("the kernel has gone")

// Channel is where a request is sent.
type Channel int

// The channels for requests.
const (
	Shell Channel = iota
	Control
)

// A Result is everything that answered a request.
type Result struct {
	// Reply is the answer on the request's own channel.
	Reply *jupyter.Message
	// Outputs is what was published from busy to idle, both included.
	Outputs []*jupyter.Message
}

// Types returns the types of the outputs, without status and execute_input.
func (r *Result) Types() []string {
	var types []string
	for _, m := range r.Outputs {
		if t := m.Header.Type; t != "status" && t != "execute_input" {
			types = append(types, t)
		}
	}
	return types
}

// Text returns what was printed to the stream "stdout" or "stderr".
func (r *Result) Text(stream string) string {
	var b strings.Builder
	for _, s := range Contents[message.Stream](r, "stream") {
		if s.Name == stream {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// Execution returns the reply to a request to execute a cell.
func (r *Result) Execution() message.ExecuteReply {
	var reply message.ExecuteReply
	if r.Reply.Decode(&reply) != nil {
		reply.Status = "not a reply to an execute_request"
	}
	return reply
}

// Contents returns the contents of the outputs of one type.
func Contents[C any](r *Result, msgType string) []C {
	var list []C
	for _, m := range r.Outputs {
		if m.Header.Type != msgType {
			continue
		}
		var content C
		if m.Decode(&content) == nil {
			list = append(list, content)
		}
	}
	return list
}

// Pending is a request that was sent.
type Pending struct {
	ID   string
	done chan struct{} // replied and idle

	mu      sync.Mutex
	idle    bool
	waited  bool // by nothing more
	noReply bool
	result  Result
	late    []*jupyter.Message
}

// Done is closed when the request was replied to and the kernel is idle again.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Late returns the outputs that came after idle.
func (p *Pending) Late() []*jupyter.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*jupyter.Message(nil), p.late...)
}

// SoFar returns the outputs that have arrived.
func (p *Pending) SoFar() *Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Result{Reply: p.result.Reply, Outputs: append([]*jupyter.Message(nil), p.result.Outputs...)}
}

func (p *Pending) add(m *jupyter.Message, reply bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case reply:
		p.result.Reply = m
	case p.idle:
		p.late = append(p.late, m)
	default:
		p.result.Outputs = append(p.result.Outputs, m)
		var status message.Status
		p.idle = m.Header.Type == "status" && m.Decode(&status) == nil && status.ExecutionState == "idle"
	}
	if !p.waited && p.idle && (p.result.Reply != nil || p.noReply) {
		p.waited = true
		close(p.done)
	}
}

// Wait waits for everything that answers the request.
func (c *Client) Wait(ctx context.Context, p *Pending) (*Result, error) {
	select {
	case <-p.done:
		return p.SoFar(), nil
	default:
	}
	select {
	case <-p.done:
		return p.SoFar(), nil
	case <-c.gone:
		return nil, ErrGone
	case <-ctx.Done():
		r := p.SoFar()
		return nil, fmt.Errorf("waiting for the kernel: %w (reply: %t, outputs: %q)", ctx.Err(), r.Reply != nil, r.Types())
	}
}

// Send sends a request.
func (c *Client) Send(on Channel, msgType string, content any) (*Pending, error) {
	return c.SendTo("", on, msgType, content)
}

// Subshell makes a subshell and returns its id.
func (c *Client) Subshell(ctx context.Context) (string, error) {
	reply, err := ask[message.CreateSubshellReply](ctx, c, Control, "create_subshell_request", struct{}{})
	if err == nil && (reply.Status != "ok" || reply.SubshellID == "") {
		err = fmt.Errorf("create_subshell_request was answered with %+v", reply)
	}
	return reply.SubshellID, err
}

// SendTo sends a request to a subshell, "" for none.
func (c *Client) SendTo(subshell string, on Channel, msgType string, content any) (*Pending, error) {
	m, err := c.codec.New(msgType, nil, content)
	if err == nil {
		err = m.ToSubshell(subshell)
	}
	if comm, ok := content.(message.Comm); ok && err == nil {
		m.Buffers = comm.Buffers
		m.Metadata, err = json.Marshal(comm.Metadata)
	}
	if err != nil {
		return nil, err
	}
	// A message like comm_open gets no reply.
	p := &Pending{ID: m.Header.ID, done: make(chan struct{}), noReply: !strings.HasSuffix(msgType, "_request")}
	c.mu.Lock()
	c.pending[p.ID] = p
	c.mu.Unlock()
	ch := c.shell
	if on == Control {
		ch = c.control
	}
	return p, ch.send(c.codec.Encode(m))
}

// SendFrames sends anything, for tests of what a kernel refuses.
func (c *Client) SendFrames(on Channel, frames [][]byte) error {
	if on == Control {
		return c.control.send(frames)
	}
	return c.shell.send(frames)
}

// Request sends a request and waits for everything that answers it.
func (c *Client) Request(ctx context.Context, on Channel, msgType string, content any) (*Result, error) {
	p, err := c.Send(on, msgType, content)
	if err != nil {
		return nil, err
	}
	return c.Wait(ctx, p)
}

// Cell returns the request that a notebook makes for a cell.
func Cell(code string) message.ExecuteRequest {
	return message.ExecuteRequest{
		Code: code, StoreHistory: true, StopOnError: true, AllowStdin: true, UserExpressions: map[string]string{},
	}
}

// Start sends a request to execute a cell.
func (c *Client) Start(req message.ExecuteRequest) (*Pending, error) {
	return c.Send(Shell, "execute_request", req)
}

// Execute executes a cell and waits for its end.
func (c *Client) Execute(ctx context.Context, code string) (*Result, error) {
	return c.Request(ctx, Shell, "execute_request", Cell(code))
}

// IsComplete asks whether code can be executed as it stands.
func (c *Client) IsComplete(ctx context.Context, code string) (message.IsCompleteReply, error) {
	return ask[message.IsCompleteReply](ctx, c, Shell, "is_complete_request", message.IsCompleteRequest{Code: code})
}

// Complete asks what could be typed at a place in a cell.
func (c *Client) Complete(ctx context.Context, req message.CompleteRequest) (message.CompleteReply, error) {
	return ask[message.CompleteReply](ctx, c, Shell, "complete_request", req)
}

// Inspect asks about what stands at a place in a cell.
func (c *Client) Inspect(ctx context.Context, req message.InspectRequest) (message.InspectReply, error) {
	return ask[message.InspectReply](ctx, c, Shell, "inspect_request", req)
}

// History asks for cells executed earlier.
func (c *Client) History(ctx context.Context, req message.HistoryRequest) (message.HistoryReply, error) {
	return ask[message.HistoryReply](ctx, c, Shell, "history_request", req)
}

// Interrupt interrupts the cell that runs.
func (c *Client) Interrupt(ctx context.Context) error {
	reply, err := ask[message.ErrorReply](ctx, c, Control, "interrupt_request", struct{}{})
	if err == nil && reply.Status != "ok" {
		err = fmt.Errorf("interrupt: %s: %s", reply.ErrorName, reply.ErrorValue)
	}
	return err
}

// Shutdown asks the kernel to end. With restart the kernel's starter, if it has
// one, starts it again.
func (c *Client) Shutdown(ctx context.Context, restart bool) error {
	reply, err := ask[message.ShutdownReply](ctx, c, Control, "shutdown_request", message.ShutdownRequest{Restart: restart})
	if err == nil && (reply.Status != "ok" || reply.Restart != restart) {
		err = fmt.Errorf("shutdown was answered with %+v", reply)
	}
	return err
}

func ask[C any](ctx context.Context, c *Client, on Channel, msgType string, content any) (C, error) {
	var answer C
	r, err := c.Request(ctx, on, msgType, content)
	if err != nil {
		return answer, err
	}
	return answer, r.Reply.Decode(&answer)
}

// OnInput makes f answer the kernel's questions from now on. Without it an empty
// line is the answer.
func (c *Client) OnInput(f func(message.InputRequest) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

// Heartbeat asks whether the kernel lives.
func (c *Client) Heartbeat() error {
	c.heartbeat.mu.Lock()
	defer c.heartbeat.mu.Unlock()
	if err := c.heartbeat.Socket.Send(zmq4.NewMsgString("ping")); err != nil {
		return err
	}
	m, err := c.heartbeat.Recv()
	if err == nil && string(m.Bytes()) != "ping" {
		err = fmt.Errorf("heartbeat was answered with %q", m.Bytes())
	}
	return err
}

// Strays returns the outputs that belong to no request of this client, and what
// was wrong with messages that could not be read.
func (c *Client) Strays() ([]*jupyter.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*jupyter.Message(nil), c.strays...), errors.Join(c.errs...)
}

func (c *Client) receive(ch *channel, handle func(*jupyter.Message)) {
	for {
		m, err := ch.Recv()
		if err != nil {
			return
		}
		decoded, err := c.codec.Decode(m.Frames)
		if err != nil {
			c.mu.Lock()
			c.errs = append(c.errs, err)
			c.mu.Unlock()
			continue
		}
		handle(decoded)
	}
}

func (c *Client) find(m *jupyter.Message) *Pending {
	id := m.ParentID()
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pending[id]
	if p == nil {
		c.strays = append(c.strays, m)
	}
	return p
}

func (c *Client) onReply(m *jupyter.Message) {
	if p := c.find(m); p != nil {
		p.add(m, true)
	}
}

func (c *Client) onOutput(m *jupyter.Message) {
	if p := c.find(m); p != nil {
		p.add(m, false)
	}
}

func (c *Client) onInput(m *jupyter.Message) {
	var req message.InputRequest
	if m.Header.Type != "input_request" || json.Unmarshal(m.Content, &req) != nil {
		return
	}
	// Whoever answers may take long, and may be interrupted meanwhile.
	go func() {
		var value string
		c.mu.Lock()
		answer := c.answer
		c.mu.Unlock()
		if answer != nil {
			value = answer(req)
		}
		reply, err := c.codec.New("input_reply", m.AsParent(), message.InputReply{Value: value})
		if err == nil {
			c.stdin.send(c.codec.Encode(reply))
		}
	}()
}
