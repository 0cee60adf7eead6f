package jupyter

import (
	"context"
	"errors"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// A Debugger is an Interpreter whose cells can be debugged.
type Debugger interface {
	// Debug answers a request. What happens later is told by events, which is the
	// same for all requests of a server's.
	Debug(ctx context.Context, req *message.DebugRequest, events func(message.DebugEvent)) message.DebugReply
}

// debug answers a debug_request. Events belong to the latest one.
func (r *running) debug(ctx context.Context, req *request) error {
	debugger, ok := r.interpreter.(Debugger)
	if !ok {
		err := errors.New("this kernel has no debugger")
		r.reply(req, message.NewErrorReply("DebugError", err))
		return err
	}
	return answer(r, req, func(content *message.DebugRequest) any {
		parent := req.AsParent()
		return debugger.Debug(ctx, content, func(e message.DebugEvent) { r.iopub.publish(parent, "debug_event", e) })
	})
}

// features are what a client is told that it can use.
func (r *running) features() (names []string, debugger bool) {
	names = []string{"kernel subshells"}
	if _, debugger = r.interpreter.(Debugger); debugger {
		names = append(names, "debugger")
	}
	return names, debugger
}
