package jupyter_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// TestComms opens comms from both sides, talks on them while a cell runs, and closes
// them.
func TestComms(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	say := func(m message.Comm) string {
		t.Helper()
		r, err := c.Request(timeout(t), client.Shell, m.Type, m)
		if err != nil {
			t.Fatal(err)
		}
		states(t, r)
		var said []string
		for _, m := range r.Outputs {
			if m.Header.Type != "status" {
				said = append(said, fmt.Sprintf("%s %s %s %q", m.Header.Type, m.Content, m.Metadata, m.Buffers))
			}
		}
		return strings.Join(said, "; ")
	}
	open := func(target string) string {
		t.Helper()
		r, err := c.Request(timeout(t), client.Shell, "comm_info_request", json.RawMessage(`{"target_name":"`+target+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		return string(r.Reply.Content)
	}
	if got, want := say(message.Comm{Type: message.CommOpen, ID: "c0", TargetName: "nobody"}), `comm_close {"comm_id":"c0","data":{}} {} []`; got != want {
		t.Errorf("an unknown target: %s, want %s", got, want)
	}
	if got := say(message.Comm{Type: message.CommOpen, ID: "c1", TargetName: "echo"}); got != "" {
		t.Errorf("a known target: %s", got)
	}
	running := send(t, c, "comm open c2\nsleep")
	until(t, running, "sleeping")
	got := say(message.Comm{Type: message.CommMsg, ID: "c1", Data: map[string]any{"say": "hello"}, Metadata: map[string]any{"version": "2.1.0"}, Buffers: [][]byte{[]byte("ab"), {}}})
	if want := `comm_msg {"comm_id":"c1","data":{"say":"HELLO"}} {"version":"2.1.0"} ["AB" ""]`; got != want {
		t.Errorf("while a cell runs: %s, want %s", got, want)
	}
	for target, want := range map[string]string{
		"":      `{"status":"ok","comms":{"c1":{"target_name":"echo"},"c2":{"target_name":"cells"}}}`,
		"cells": `{"status":"ok","comms":{"c2":{"target_name":"cells"}}}`,
		"other": `{"status":"ok","comms":{}}`,
	} {
		if got := open(target); got != want {
			t.Errorf("comms of target %q: %s, want %s", target, got, want)
		}
	}
	if err := c.Interrupt(timeout(t)); err != nil {
		t.Error(err)
	}
	r := wait(t, c, running)
	var states []string
	for _, s := range client.Contents[message.Status](r, "status") {
		states = append(states, s.ExecutionState)
	}
	// What was answered beside the cell has made the kernel idle, to all who look.
	if len(states) < 3 || states[len(states)-1] != "idle" || slices.Contains(states[:len(states)-1], "idle") {
		t.Errorf("the cell's states: %q, want busy again after the messages, and idle once", states)
	}
	if got, want := r.Types(), []string{"comm_open", "stream", "error"}; !slices.Equal(got, want) {
		t.Errorf("the cell shows %q, want %q", got, want)
	}
	say(message.Comm{Type: message.CommClose, ID: "c2"})
	if got, want := say(message.Comm{Type: message.CommMsg, ID: "c2"}), ""; got != want {
		t.Errorf("a closed comm: %s", got)
	}
	k.logged(t, `comm_msg for "c2", a comm that is not open`)
	execute(t, c, "comm close c1")
	if got, want := open(""), `{"status":"ok","comms":{}}`; got != want {
		t.Errorf("all are closed: %s", got)
	}
}
