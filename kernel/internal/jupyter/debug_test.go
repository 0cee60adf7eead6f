package jupyter_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// debugged is an interpreter with a debugger, which answers each request with its
// command, after an event.
type debugged struct{ *echo }

func (debugged) Debug(_ context.Context, req *message.DebugRequest, events func(message.DebugEvent)) message.DebugReply {
	events(message.DebugEvent{Type: "event", Seq: 1, Event: "stopped"})
	return message.DebugReply{Type: "response", Seq: 2, RequestSeq: req.Seq, Command: req.Command, Success: true, Body: req.Arguments}
}

func TestDebug(t *testing.T) {
	dir, err := os.MkdirTemp("", "k") // a unix socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := client.NewIPCConnection(filepath.Join(dir, "k"))
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- (&jupyter.Server{Connection: file, Interpreter: debugged{newEcho()}}).Serve(ctx)
	}()
	defer func() {
		stop()
		<-served
	}()
	c, err := client.Dial(timeout(t), file)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Info.Debugger || !slices.Contains(c.Info.SupportedFeatures, "debugger") {
		t.Errorf("kernel_info tells of no debugger: %+v", c.Info)
	}
	req := message.DebugRequest{Type: "request", Seq: 7, Command: "dumpCell", Arguments: []byte(`{"code":"1"}`)}
	r, err := c.Request(timeout(t), client.Control, "debug_request", req)
	if err != nil {
		t.Fatal(err)
	}
	var reply message.DebugReply
	if err := r.Reply.Decode(&reply); err != nil {
		t.Fatal(err)
	}
	if r.Reply.Header.Type != "debug_reply" || reply.RequestSeq != 7 || !reply.Success || reply.Body.(map[string]any)["code"] != "1" {
		t.Errorf("the reply is a %s: %+v", r.Reply.Header.Type, reply)
	}
	if events := client.Contents[message.DebugEvent](r, "debug_event"); len(events) != 1 || events[0].Event != "stopped" {
		t.Errorf("the events are %+v in %v", events, r.Types())
	}
}

// TestNoDebugger asks a kernel whose interpreter has none.
func TestNoDebugger(t *testing.T) {
	c := start(t).dial(t)
	if c.Info.Debugger || slices.Contains(c.Info.SupportedFeatures, "debugger") {
		t.Errorf("kernel_info tells of a debugger: %+v", c.Info)
	}
	r, err := c.Request(timeout(t), client.Control, "debug_request", message.DebugRequest{Type: "request", Seq: 1, Command: "initialize"})
	if err != nil {
		t.Fatal(err)
	}
	var reply message.ErrorReply
	if err := r.Reply.Decode(&reply); err != nil || reply.Status != "error" || reply.ErrorValue != "this kernel has no debugger" {
		t.Errorf("the reply is %+v, %v", reply, err)
	}
}
