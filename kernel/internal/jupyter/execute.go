package jupyter

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// execute runs a cell and returns its reply.
func (r *running) execute(ctx context.Context, req *request, content *message.ExecuteRequest) message.ExecuteReply {
	if content.StoreHistory {
		r.count++
	}
	x := &execution{
		running: r,
		request: req,
		parent:  req.AsParent(),
		count:   r.count,
		silent:  content.Silent,
		stdin:   content.AllowStdin,
		ended:   make(chan struct{}),
	}
	if !x.silent {
		r.iopub.publish(x.parent, "execute_input", message.ExecuteInput{Code: content.Code, ExecutionCount: x.count})
		r.last.Store(x)
	}
	r.setCurrent(x)
	reply := r.interpreter.Execute(ctx, x.count, content, x)
	r.setCurrent(nil)
	close(x.ended)

	reply.ExecutionCount = x.count
	if reply.Status == "" {
		reply.Status = "ok"
	}
	if content.StoreHistory {
		if err := r.history.Add(x.count, content.Code, x.resultText()); err != nil {
			r.log("%v", err)
		}
	}
	if reply.Status == "error" && !x.silent {
		// Before anybody can know of the failure: what a client sends when it
		// does is not aborted.
		if content.StopOnError {
			r.shellSocket.settle()
			r.shellQueue.abort(req.Header.SubshellID)
		}
		r.iopub.publish(x.parent, "error", reply.Error())
	}
	return reply
}

func (r *running) setCurrent(x *execution) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = x
}

// interrupt interrupts the cell that runs, if one does.
func (r *running) interrupt(ctx context.Context) error {
	r.mu.Lock()
	x := r.current
	r.mu.Unlock()
	if x == nil {
		return nil
	}
	x.interrupted.fire()
	r.iopub.hurry()
	return r.interpreter.Interrupt(ctx)
}

// An execution is a cell that runs, or did: goroutines that it started may
// still have something to say. It is the cell's [message.Output].
type execution struct {
	running     *running
	request     *request
	parent      json.RawMessage
	count       int
	silent      bool
	stdin       bool
	ended       chan struct{}
	interrupted signal

	mu     sync.Mutex
	result *string

	shown transcript
}

var _ message.Output = (*execution)(nil)

// target returns the cell that an output of x belongs to, or nil if it is not
// to be seen. What comes after the end of a silent cell, which no client shows,
// belongs to the cell before it.
func (x *execution) target() *execution {
	if !x.silent {
		return x
	}
	select {
	case <-x.ended:
		return x.running.last.Load()
	default:
		return nil
	}
}

func (x *execution) publish(msgType string, content any) {
	if t := x.target(); t != nil {
		t.shown.spoil()
		x.running.iopub.room()
		x.running.iopub.publish(t.parent, msgType, content)
	}
}

// Stream publishes text. An empty one is no output.
func (x *execution) Stream(name, text string) {
	if t := x.target(); t != nil && text != "" {
		x.running.iopub.room()
		t.shown.add(name, text, func() { x.running.iopub.stream(t.parent, name, text) })
	}
}

// Display publishes an output.
func (x *execution) Display(data message.DisplayData) { x.publish("display_data", data) }

// Update publishes new data of outputs that were displayed.
func (x *execution) Update(data message.DisplayData) {
	if t := x.target(); t != nil {
		x.running.iopub.room()
		x.running.iopub.update(t.parent, data)
	}
}

// Result publishes the cell's value, and keeps its text for the history.
func (x *execution) Result(data message.MIMEBundle, metadata map[string]any) {
	if text, ok := data["text/plain"].(string); ok {
		x.mu.Lock()
		x.result = &text
		x.mu.Unlock()
	}
	x.publish("execute_result", message.ExecuteResult{ExecutionCount: x.count, Data: data, Metadata: metadata})
}

func (x *execution) resultText() *string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.result
}

// Flush publishes what is held back.
func (x *execution) Flush() { x.running.iopub.flush() }

// Clear publishes that the outputs are to be removed.
func (x *execution) Clear(wait bool) { x.publish("clear_output", message.ClearOutput{Wait: wait}) }

// Errors of Input where nobody can be asked.
var (
	errNoStdin    = errors.New("the program that runs this notebook does not let cells ask for input (allow_stdin is false): run the cell in JupyterLab or in Jupyter's console, or write the value into it")
	errClientGone = errors.New("the client that runs the cell has gone: nobody can be asked for input")
)
