package jupyter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// kernel is a server that runs for a test.
type kernel struct {
	file   jupyter.ConnectionFile
	echo   *echo
	served chan error
	stop   context.CancelFunc

	mu  sync.Mutex
	log []string
}

func start(t *testing.T) *kernel {
	t.Helper()
	dir, err := os.MkdirTemp("", "k") // a unix socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return serve(t, client.NewIPCConnection(filepath.Join(dir, "k")))
}

func serve(t *testing.T, file jupyter.ConnectionFile) *kernel {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	k := &kernel{file: file, echo: newEcho(), served: make(chan error, 1), stop: cancel}
	s := &jupyter.Server{Connection: file, Interpreter: k.echo, Redraws: true, Log: func(format string, args ...any) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.log = append(k.log, fmt.Sprintf(format, args...))
	}}
	go func() { k.served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-k.served:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("Serve does not end")
		}
	})
	return k
}

// logged waits for a line in the log that contains text.
func (k *kernel) logged(t *testing.T, text string) {
	t.Helper()
	for range 6000 { // a minute
		k.mu.Lock()
		found := slices.ContainsFunc(k.log, func(s string) bool { return strings.Contains(s, text) })
		k.mu.Unlock()
		if found {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the log has no %q: %q", text, k.log)
}

func (k *kernel) dial(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.Dial(timeout(t), k.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func execute(t *testing.T, c *client.Client, code string) *client.Result {
	t.Helper()
	r, err := c.Execute(timeout(t), code)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func send(t *testing.T, c *client.Client, code string) *client.Pending {
	t.Helper()
	p, err := c.Start(client.Cell(code))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wait(t *testing.T, c *client.Client, p *client.Pending) *client.Result {
	t.Helper()
	r, err := c.Wait(timeout(t), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// until waits for a cell's output.
func until(t *testing.T, p *client.Pending, text string) {
	t.Helper()
	for range 1000 {
		if strings.Contains(p.SoFar().Text("stdout"), text) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no %q in the output", text)
}

// states checks that what answered a request lies between busy and idle.
func states(t *testing.T, r *client.Result) {
	t.Helper()
	var got []string
	for _, s := range client.Contents[message.Status](r, "status") {
		got = append(got, s.ExecutionState)
	}
	if !slices.Equal(got, []string{"busy", "idle"}) {
		t.Errorf("states %q", got)
	}
	if n := len(r.Outputs); n < 2 || r.Outputs[0].Header.Type != "status" || r.Outputs[n-1].Header.Type != "status" {
		t.Errorf("busy and idle are not around the outputs")
	}
}

func TestExecute(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	if c.Info.Implementation != "echo" || c.Info.ProtocolVersion != message.ProtocolVersion || c.Info.Status != "ok" {
		t.Errorf("kernel info: %+v", c.Info)
	}
	for name, tt := range map[string]struct {
		code   string
		types  string
		stdout string
		check  func(*client.Result) bool
	}{
		"nothing": {code: ""},
		"streams": {code: "print a\nprint b\nwarn c\nprint d", types: "stream stream stream stream", stdout: "a\nb\nd\n"},
		"result": {code: "result 42", types: "execute_result", check: func(r *client.Result) bool {
			got := client.Contents[message.ExecuteResult](r, "execute_result")[0]
			return got.Data["text/plain"] == "42" && got.ExecutionCount == r.Execution().ExecutionCount && got.Metadata != nil
		}},
		"display": {code: "display <b>\nupdate <i>", types: "display_data update_display_data", check: func(r *client.Result) bool {
			got := client.Contents[message.DisplayData](r, "update_display_data")[0]
			return got.Data["text/html"] == "<i>" && got.Transient.DisplayID == "d"
		}},
		"clear": {code: "clear wait\nclear", types: "clear_output clear_output", check: func(r *client.Result) bool {
			return slices.Equal(client.Contents[message.ClearOutput](r, "clear_output"), []message.ClearOutput{{Wait: true}, {}})
		}},
		"error": {code: "print a\nfail no", types: "stream error", stdout: "a\n", check: func(r *client.Result) bool {
			got := client.Contents[message.Error](r, "error")[0]
			want := message.Error{Name: "EchoError", Value: "no", Traceback: []string{"fail no", "no"}}
			return reflect.DeepEqual(got, want) && reflect.DeepEqual(r.Execution().Error(), want)
		}},
		"not JSON": {code: "broken", types: "stream", check: func(r *client.Result) bool {
			return strings.Contains(r.Text("stderr"), "cannot show an output")
		}},
		"large": {code: "picture 5000000", types: "display_data", check: func(r *client.Result) bool {
			return len(client.Contents[message.DisplayData](r, "display_data")[0].Data["image/png"].(string)) == 5000000
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := execute(t, c, tt.code)
			states(t, r)
			if got := strings.Join(r.Types(), " "); got != tt.types {
				t.Errorf("outputs %s, want %s", got, tt.types)
			}
			if got := r.Text("stdout"); got != tt.stdout {
				t.Errorf("stdout %q, want %q", got, tt.stdout)
			}
			input := client.Contents[message.ExecuteInput](r, "execute_input")
			if len(input) != 1 || input[0].Code != tt.code || input[0].ExecutionCount != r.Execution().ExecutionCount {
				t.Errorf("execute_input %+v", input)
			}
			if tt.check != nil && !tt.check(r) {
				t.Errorf("reply %s", r.Reply.Content)
				for _, m := range r.Outputs {
					t.Logf("%s %.200s", m.Header.Type, m.Content)
				}
			}
		})
	}
	if strays, err := c.Strays(); err != nil {
		t.Error(err)
	} else if len(strays) > 0 {
		t.Errorf("strays: %s %s", strays[0].Header.Type, strays[0].Content)
	}
}

func TestCounts(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	for i, tt := range []struct {
		silent, store bool
		want          int
		outputs       int
	}{
		{store: true, want: 1, outputs: 1},
		{store: false, want: 1, outputs: 1},
		{silent: true, store: true, want: 1},
		{store: true, want: 2, outputs: 1},
		{silent: true, want: 2},
		{store: true, want: 3, outputs: 1},
	} {
		req := client.Cell("print x")
		req.Silent, req.StoreHistory = tt.silent, tt.store
		r, err := c.Request(timeout(t), client.Shell, "execute_request", req)
		if err != nil {
			t.Fatal(err)
		}
		states(t, r)
		if got := r.Execution().ExecutionCount; got != tt.want {
			t.Errorf("%d: count %d, want %d", i, got, tt.want)
		}
		inputs := len(client.Contents[message.ExecuteInput](r, "execute_input"))
		if got := len(r.Types()); got != tt.outputs || inputs != tt.outputs {
			t.Errorf("%d: %d outputs and %d inputs, want %d of each", i, got, inputs, tt.outputs)
		}
	}
	// The error of a silent cell is for who sent it alone.
	req := client.Cell("fail x")
	req.Silent = true
	r, err := c.Request(timeout(t), client.Shell, "execute_request", req)
	if err != nil {
		t.Fatal(err)
	}
	if r.Execution().Status != "error" || len(r.Types()) != 0 {
		t.Errorf("%s, outputs %q", r.Reply.Content, r.Types())
	}
}

func TestOtherRequests(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	for _, tt := range []struct {
		on      client.Channel
		request string
		content string
		want    string // of the reply; "" for none
		outputs string
	}{
		{client.Shell, "is_complete_request", `{"code":"a {"}`, `{"status":"incomplete","indent":"\t"}`, ""},
		{client.Shell, "complete_request", `{"code":"p","cursor_pos":1}`, `{"status":"ok","matches":["print","picture"],"cursor_start":0,"cursor_end":1,"metadata":{}}`, ""},
		{client.Shell, "inspect_request", `{"code":"x","cursor_pos":0,"detail_level":1}`, `{"status":"ok","found":true,"data":{"text/plain":"about x"},"metadata":{}}`, ""},
		{client.Shell, "inspect_request", `{}`, `{"status":"ok","found":false,"data":{},"metadata":{}}`, ""},
		{client.Shell, "comm_info_request", `{"target_name":"t"}`, `{"status":"ok","comms":{}}`, ""},
		{client.Shell, "comm_open", `{"comm_id":"c1","target_name":"t","data":{}}`, "", `comm_close {"comm_id":"c1","data":{}}`},
		{client.Shell, "comm_msg", `{"comm_id":"c1","data":{}}`, "", ""},
		{client.Shell, "unheard_of", `{}`, "", ""},
		{client.Control, "unheard_of", `{}`, "", ""},
		{client.Control, "interrupt_request", `{}`, `{"status":"ok"}`, ""},
		{client.Control, "execute_reply", `{}`, "", ""},
	} {
		r, err := c.Request(timeout(t), tt.on, tt.request, json.RawMessage(tt.content))
		if err != nil {
			t.Fatalf("%s: %v", tt.request, err)
		}
		states(t, r)
		var reply, outputs string
		if r.Reply != nil {
			reply = string(r.Reply.Content)
		}
		for _, m := range r.Outputs {
			if m.Header.Type != "status" {
				outputs += m.Header.Type + " " + string(m.Content)
			}
		}
		if reply != tt.want || outputs != tt.outputs {
			t.Errorf("%s %s:\n got %s, outputs %s\nwant %s, outputs %s", tt.request, tt.content, reply, outputs, tt.want, tt.outputs)
		}
	}
	k.logged(t, `unknown request "unheard_of"`)

	// Contents that make no sense are answered with an error.
	r, err := c.Request(timeout(t), client.Shell, "execute_request", json.RawMessage(`{"code":7}`))
	if err != nil {
		t.Fatal(err)
	}
	if r.Execution().Status != "error" {
		t.Errorf("reply %s", r.Reply.Content)
	}
	// Kernel info is answered on control while a cell runs.
	p := send(t, c, "sleep")
	until(t, p, "sleeping")
	if _, err := c.Request(timeout(t), client.Control, "kernel_info_request", struct{}{}); err != nil {
		t.Error(err)
	}
	if err := c.Heartbeat(); err != nil {
		t.Error(err)
	}
	if err := c.Interrupt(timeout(t)); err != nil {
		t.Error(err)
	}
	wait(t, c, p)
}

func TestHistory(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	for _, code := range []string{"result 1", "print a", "result 1", "a/b\nresult 2"} {
		execute(t, c, code)
	}
	for _, tt := range []struct{ request, want string }{
		{`{"hist_access_type":"tail","n":2}`, `[[1,3,"result 1"],[1,4,"a/b\nresult 2"]]`},
		{`{"hist_access_type":"tail","n":2,"output":true}`, `[[1,3,["result 1","1"]],[1,4,["a/b\nresult 2","2"]]]`},
		{`{"hist_access_type":"tail","n":0}`, `[]`},
		{`{"hist_access_type":"range","session":0,"start":2,"stop":3,"output":true}`, `[[1,2,["print a",null]]]`},
		{`{"hist_access_type":"range","session":1,"start":3,"stop":null}`, `[[1,3,"result 1"],[1,4,"a/b\nresult 2"]]`},
		{`{"hist_access_type":"range","start":-2,"stop":-1}`, `[[1,3,"result 1"]]`},
		{`{"hist_access_type":"range","session":7,"start":1}`, `[]`},
		{`{"hist_access_type":"search","pattern":"res*"}`, `[[1,1,"result 1"],[1,3,"result 1"]]`},
		{`{"hist_access_type":"search","pattern":"res*","unique":true}`, `[[1,3,"result 1"]]`},
		{`{"hist_access_type":"search","pattern":"*?2","n":5}`, `[[1,4,"a/b\nresult 2"]]`},
		{`{"hist_access_type":"search","pattern":"["}`, `[]`},
		{`{"hist_access_type":"search","n":1}`, `[[1,4,"a/b\nresult 2"]]`},
		{`{"hist_access_type":"?"}`, `[]`},
	} {
		r, err := c.Request(timeout(t), client.Shell, "history_request", json.RawMessage(tt.request))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(r.Reply.Content), `{"status":"ok","history":`+tt.want+`}`; got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.request, got, want)
		}
	}
}

// A subshell is answered while a cell runs. Its own cells wait their turn.
func TestSubshells(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	if !slices.Contains(c.Info.SupportedFeatures, "kernel subshells") || c.Info.ProtocolVersion != "5.5" {
		t.Errorf("kernel info: %+v", c.Info)
	}
	control := func(request, content, want string) {
		t.Helper()
		r, err := c.Request(timeout(t), client.Control, request, json.RawMessage(content))
		if err != nil {
			t.Fatal(err)
		}
		states(t, r)
		if got := string(r.Reply.Content); got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	control("list_subshell_request", `{}`, `{"status":"ok","subshell_id":[]}`)
	id, err := c.Subshell(timeout(t))
	if err != nil {
		t.Fatal(err)
	}
	control("list_subshell_request", `{}`, `{"status":"ok","subshell_id":["`+id+`"]}`)

	ask := func(subshell, request, content string) *client.Pending {
		t.Helper()
		p, err := c.SendTo(subshell, client.Shell, request, json.RawMessage(content))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	busy := send(t, c, "sleep")
	until(t, busy, "sleeping")
	own := ask(id, "execute_request", `{"code":"print own"}`)
	for _, tt := range []struct{ request, content, want string }{
		{"complete_request", `{"code":"p","cursor_pos":1}`, `"matches":["print","picture"]`},
		{"inspect_request", `{"code":"x"}`, `"about x"`},
		{"is_complete_request", `{"code":"a {"}`, `"incomplete"`},
		{"history_request", `{"hist_access_type":"tail"}`, `"history":[]`},
		{"comm_info_request", `{}`, `"comms":{}`},
		{"kernel_info_request", `{}`, `"implementation":"echo"`},
	} {
		r := wait(t, c, ask(id, tt.request, tt.content))
		states(t, r)
		if got := string(r.Reply.Content); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.request, got, tt.want)
		}
		if got := r.Reply.Parent; !strings.Contains(string(got), id) {
			t.Errorf("%s: the reply's parent header %s lacks the subshell", tt.request, got)
		}
	}
	r := wait(t, c, ask("none", "complete_request", `{}`))
	states(t, r)
	if got := string(r.Reply.Content); !strings.Contains(got, `"status":"error"`) || !strings.Contains(got, `no subshell \"none\"`) {
		t.Errorf("a subshell that is not there: %s", got)
	}
	if got := own.SoFar(); got.Reply != nil {
		t.Error("a subshell's cell did not wait for the one that runs")
	}
	// The cell that fails takes none of the subshell's with it.
	if err := c.Interrupt(timeout(t)); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, c, busy).Execution().Status; got != "error" {
		t.Errorf("the interrupted cell: %s", got)
	}
	if r := wait(t, c, own); r.Text("stdout") != "own\n" || r.Execution().Status != "ok" {
		t.Errorf("the subshell's cell: %q, %+v", r.Text("stdout"), r.Execution())
	}
	control("delete_subshell_request", `{"subshell_id":"`+id+`"}`, `{"status":"ok"}`)
	control("list_subshell_request", `{}`, `{"status":"ok","subshell_id":[]}`)
	if r, err := c.Request(timeout(t), client.Control, "delete_subshell_request", json.RawMessage(`{"subshell_id":"`+id+`"}`)); err != nil || r.Execution().Status != "error" {
		t.Errorf("deleting it again: %v, %v", r, err)
	}
}

// A failed cell aborts the ones that wait, not other requests, and not those
// sent after its reply.
func TestAbort(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	failing := send(t, c, "pause 50ms\nfail first")
	var queued []*client.Pending
	for i := range 5 {
		queued = append(queued, send(t, c, fmt.Sprintf("print %d", i)))
	}
	info, err := c.Send(client.Shell, "is_complete_request", message.IsCompleteRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := wait(t, c, failing).Execution().Status; got != "error" {
		t.Errorf("failing cell: %s", got)
	}
	after := send(t, c, "print after")
	for _, p := range queued {
		r := wait(t, c, p)
		states(t, r)
		if got := r.Execution().Status; got != "aborted" || len(r.Types()) != 0 {
			t.Errorf("queued cell: %s %q", got, r.Types())
		}
	}
	if r := wait(t, c, info); !strings.Contains(string(r.Reply.Content), "complete") {
		t.Errorf("is_complete: %s", r.Reply.Content)
	}
	if got := wait(t, c, after).Execution(); got.Status != "ok" || got.ExecutionCount != 2 {
		t.Errorf("later cell: %+v", got)
	}
	if got := k.echo.cells(); !slices.Equal(got, []string{"pause 50ms\nfail first", "print after"}) {
		t.Errorf("executed %q", got)
	}

	// Without stop_on_error nothing is aborted.
	req := client.Cell("pause 50ms\nfail again")
	req.StopOnError = false
	failing, err = c.Start(req)
	if err != nil {
		t.Fatal(err)
	}
	next := send(t, c, "print on")
	wait(t, c, failing)
	if got := wait(t, c, next).Execution().Status; got != "ok" {
		t.Errorf("cell after one that fails without stop_on_error: %s", got)
	}
}

// What is in the socket counts as queued: here the failing cell arrives in one
// piece with those after it, and fails at once.
func TestAbortAtOnce(t *testing.T) {
	const rounds = 50
	k := start(t)
	k.dial(t) // so that somebody listens on iopub
	raw, err := net.Dial("unix", strings.TrimPrefix(k.file.Endpoint(k.file.ShellPort), "ipc://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(2 * time.Minute))
	b := &buffered{Conn: raw}
	conn, err := zmq4.Open(b, null.Security(), zmq4.Dealer, nil, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.hold = true
	codec := jupyter.NewCodec(k.file.Key)
	aborted := 0
	for range rounds {
		for _, code := range []string{"fail", "print x", "picture 100000", "print z"} {
			// The request itself is long, too; but all four go through a unix socket at once, since nobody can
			// abort what has not come: 36 KB on Linux.
			m, err := codec.New("execute_request", nil, client.Cell(code+strings.Repeat(" ", 7_000)))
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.SendMsg(zmq4.NewMsgFrom(codec.Encode(m)...)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := raw.Write(b.Bytes()); err != nil {
			t.Fatal(err)
		}
		b.Reset()
		for range 4 {
			frames, err := conn.RecvMsg()
			if err != nil {
				t.Fatal(err)
			}
			m, err := codec.Decode(frames.Frames)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(m.Content), `"aborted"`) {
				aborted++
			}
		}
	}
	if aborted != 3*rounds {
		t.Errorf("%d of %d cells were aborted", aborted, 3*rounds)
	}
}

// buffered can hold back what is written.
type buffered struct {
	net.Conn
	bytes.Buffer
	hold bool
}

func (b *buffered) Read(p []byte) (int, error) { return b.Conn.Read(p) }

func (b *buffered) Write(p []byte) (int, error) {
	if b.hold {
		return b.Buffer.Write(p)
	}
	return b.Conn.Write(p)
}

func TestInterrupt(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	p := send(t, c, "print begin\nsleep")
	until(t, p, "sleeping")
	queued := send(t, c, "print x")
	if err := c.Interrupt(timeout(t)); err != nil {
		t.Fatal(err)
	}
	r := wait(t, c, p)
	states(t, r)
	if got := r.Execution(); got.Status != "error" || got.ErrorValue != "interrupted" {
		t.Errorf("reply %+v", got)
	}
	if got := wait(t, c, queued).Execution().Status; got != "aborted" {
		t.Errorf("queued cell: %s", got)
	}
	if got := execute(t, c, "print on").Text("stdout"); got != "on\n" {
		t.Errorf("next cell printed %q", got)
	}
}

func TestInput(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	c.OnInput(func(req message.InputRequest) string {
		if req.Password {
			return "secret for " + req.Prompt
		}
		return "answer to " + req.Prompt
	})
	if got := execute(t, c, "input one\npassword two").Text("stdout"); got != "answer to one\nsecret for two\n" {
		t.Errorf("printed %q", got)
	}
	req := client.Cell("input x")
	req.AllowStdin = false
	r, err := c.Request(timeout(t), client.Shell, "execute_request", req)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Execution().ErrorValue; !strings.Contains(got, "does not let cells ask for input (allow_stdin is false): run the cell in JupyterLab") {
		t.Errorf("without stdin: %q", got)
	}

	// An interrupt ends the wait, and the answer that comes then is dropped.
	asked, answer := make(chan struct{}), make(chan struct{})
	c.OnInput(func(message.InputRequest) string {
		close(asked)
		<-answer
		return "too late"
	})
	p := send(t, c, "input x")
	<-asked
	if err := c.Interrupt(timeout(t)); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, c, p).Execution().ErrorValue; got != "interrupted while waiting for input" {
		t.Errorf("interrupted: %q", got)
	}
	close(answer)
	k.logged(t, "nobody waits for")
	<-k.echo.interrupt // which no cell took
	c.OnInput(func(message.InputRequest) string { return "fresh" })
	if got := execute(t, c, "input x").Text("stdout"); got != "fresh\n" {
		t.Errorf("printed %q", got)
	}

	// A client that goes cannot answer.
	gone := k.dial(t)
	askedGone := make(chan struct{})
	gone.OnInput(func(message.InputRequest) string {
		close(askedGone)
		<-t.Context().Done()
		return ""
	})
	if _, err := gone.Start(client.Cell("input x")); err != nil {
		t.Fatal(err)
	}
	<-askedGone
	gone.Close()
	if got := execute(t, c, "print on").Text("stdout"); got != "on\n" {
		// The cell of the client that went failed, perhaps while this one waited.
		got = execute(t, c, "print on").Text("stdout")
		if got != "on\n" {
			t.Errorf("printed %q", got)
		}
	}
}

// The field of a question that was interrupted goes away: with all outputs, of which
// those are shown again that can be.
func TestWithdrawnQuestion(t *testing.T) {
	k := start(t)
	for _, tt := range []struct{ code, want string }{
		{"input x", "clear_output error"},
		{"print before\nwarn careful\ninput x", "stdout=before stderr=careful clear_output stdout=before stderr=careful error"},
		{"print " + strings.Repeat("long", 5000) + "\ninput x", "stdout=longlong error"},
		{"display <b>\ninput x", "display_data error"},
		{"input first\ninput x", "stdout=answer error"},
	} {
		c := k.dial(t) // what nobody answers keeps a client's channel
		asked := make(chan struct{})
		c.OnInput(func(req message.InputRequest) string {
			if req.Prompt == "first" {
				return "answer"
			}
			close(asked)
			<-t.Context().Done()
			return ""
		})
		p := send(t, c, tt.code)
		<-asked
		if err := c.Interrupt(timeout(t)); err != nil {
			t.Fatal(err)
		}
		r := wait(t, c, p)
		streams, got := client.Contents[message.Stream](r, "stream"), []string{}
		for _, kind := range r.Types() {
			if kind == "stream" {
				kind = fmt.Sprintf("%s=%.8s", streams[0].Name, strings.TrimSpace(streams[0].Text))
				streams = streams[1:]
			}
			got = append(got, kind)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%.40q publishes %s, want %s", tt.code, s, tt.want)
		}
	}
}

func TestLateOutput(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	first := send(t, c, "late from the first")
	wait(t, c, first)
	req := client.Cell("late from a silent cell")
	req.Silent = true
	silent, err := c.Start(req)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, c, silent)
	close(k.echo.late)
	k.echo.spoken.Wait()
	time.Sleep(50 * time.Millisecond) // held text
	execute(t, c, "")
	var got strings.Builder
	for _, m := range first.Late() {
		var s message.Stream
		if err := m.Decode(&s); err != nil {
			t.Error(err)
		}
		got.WriteString(s.Text)
	}
	if !strings.Contains(got.String(), "from the first\n") || !strings.Contains(got.String(), "from a silent cell\n") {
		t.Errorf("late output of the first cell: %q", got.String())
	}
	if n := len(silent.Late()); n != 0 {
		t.Errorf("%d late outputs of the silent cell", n)
	}
}

// Nothing is lost and everything is in order, however much is printed.
func TestFlood(t *testing.T) {
	const n = 100_000
	k := start(t)
	c := k.dial(t)
	began := time.Now()
	r := execute(t, c, fmt.Sprintf("flood %d", n))
	t.Logf("%d calls, %d messages, %v", n, len(r.Outputs), time.Since(began))
	lines := strings.Fields(r.Text("stdout"))
	if len(lines) != n {
		t.Fatalf("%d lines of %d", len(lines), n)
	}
	for i, line := range lines {
		if line != fmt.Sprint(i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	// The order among streams and displays is that of the calls.
	var got []string
	for _, m := range execute(t, c, "mix 1000").Outputs {
		var content struct {
			Name, Text string
			Data       map[string]string
		}
		if err := m.Decode(&content); err != nil {
			t.Fatal(err)
		}
		switch m.Header.Type {
		case "stream":
			got = append(got, content.Name+" "+strings.TrimSpace(content.Text))
		case "display_data":
			got = append(got, "display "+content.Data["text/plain"])
		}
	}
	var want []string
	for i := range 1000 {
		want = append(want, fmt.Sprint([]string{"stdout ", "stderr "}[i%2], i))
		if i%10 == 0 {
			want = append(want, fmt.Sprint("display ", i))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d outputs in another order: %.200q", len(got), got)
	}
}

// Whatever a cell does, a Jupyter server with its default limits lets all through.
func TestRates(t *testing.T) {
	for _, code := range []string{"flood 500000", "mix 3000", "redraw 100000", "gallery 3500"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			k := start(t)
			var counted []*jupyter.Message // as jupyter_server counts, by the time of sending
			for _, m := range execute(t, k.dial(t), code).Outputs {
				if m.Header.Type != "status" && m.Header.Type != "execute_input" {
					counted = append(counted, m)
				}
			}
			const window = 3 * time.Second
			for i, first, bytes := 0, 0, 0; i < len(counted); i++ {
				bytes += streamBytes(counted[i])
				for ; sent(t, counted[i]).Sub(sent(t, counted[first])) > window; first++ {
					bytes -= streamBytes(counted[first])
				}
				if n := i + 1 - first; n > 3*1000 || bytes > 3*1_000_000 {
					t.Fatalf("%d messages and %d bytes in %v", n, bytes, window)
				}
			}
			last := counted[len(counted)-1]
			if strings.HasPrefix(code, "redraw") && !strings.Contains(string(last.Content), "99999") {
				t.Errorf("the last picture is %s", last.Content)
			}
			if strings.HasPrefix(code, "gallery") && len(counted) != 3500 {
				t.Errorf("%d displays of 3500", len(counted))
			}
		})
	}
}

func streamBytes(m *jupyter.Message) int {
	if m.Header.Type != "stream" {
		return 0
	}
	return len(m.Content) + len(m.Parent) + 300 // header, signature
}

func sent(t *testing.T, m *jupyter.Message) time.Time {
	date, err := time.Parse(time.RFC3339Nano, m.Header.Date)
	if err != nil {
		t.Fatal(err)
	}
	return date
}

func TestRefused(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	cell := func(codec *jupyter.Codec, code string) [][]byte {
		m, err := codec.New("execute_request", nil, client.Cell(code))
		if err != nil {
			t.Fatal(err)
		}
		return codec.Encode(m)
	}
	good := jupyter.NewCodec(k.file.Key)
	changed := cell(good, "print changed")
	changed[5] = []byte(strings.Replace(string(changed[5]), "changed", "charged", 1))
	unsigned := cell(good, "print unsigned")
	unsigned[1] = nil
	short := cell(good, "print short")
	short[1] = short[1][:32]
	twice := cell(good, "print twice")
	for _, tt := range []struct {
		name   string
		frames [][]byte
		log    string
	}{
		{"wrong key", cell(jupyter.NewCodec("another"), "print wrong"), "signed wrongly"},
		{"changed", changed, "signed wrongly"},
		{"no key", cell(jupyter.NewCodec(""), "print nokey"), "not signed"},
		{"unsigned", unsigned, "not signed"},
		{"short signature", short, "signed wrongly"},
		{"no delimiter", [][]byte{[]byte("hello")}, "no delimiter"},
		{"few frames", [][]byte{[]byte("<IDS|MSG>"), nil, []byte("{}")}, "at least 5"},
		{"empty", [][]byte{nil}, "no delimiter"},
		{"first time", twice, ""},
		{"replayed", twice, "received before"},
	} {
		if err := c.SendFrames(client.Shell, tt.frames); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if tt.log != "" {
			k.logged(t, tt.log)
		}
	}
	if err := c.SendFrames(client.Control, cell(jupyter.NewCodec("another"), "")); err != nil {
		t.Fatal(err)
	}
	execute(t, c, "print good")
	if got := k.echo.cells(); !slices.Equal(got, []string{"print twice", "print good"}) {
		t.Errorf("executed %q", got)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if once := slices.Compact(slices.Sorted(slices.Values(k.log))); len(once) != len(k.log) {
		t.Errorf("the log says things twice: %q", k.log)
	}
}

func TestUnsigned(t *testing.T) {
	file, err := client.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	file.Key = ""
	k := serve(t, file)
	c := k.dial(t)
	if got := execute(t, c, "print x").Text("stdout"); got != "x\n" {
		t.Errorf("printed %q", got)
	}
}

func TestShutdown(t *testing.T) {
	for _, restart := range []bool{false, true} {
		for _, transport := range []string{"tcp", "ipc"} {
			t.Run(fmt.Sprint(transport, restart), func(t *testing.T) {
				var k *kernel
				if transport == "ipc" {
					k = start(t)
				} else {
					file, err := client.NewConnection()
					if err != nil {
						t.Fatal(err)
					}
					k = serve(t, file)
				}
				c := k.dial(t)
				other := k.dial(t)
				running := send(t, c, "sleep")
				until(t, running, "sleeping")
				queued := send(t, c, "print no")
				p, err := c.Send(client.Control, "shutdown_request", message.ShutdownRequest{Restart: restart})
				if err != nil {
					t.Fatal(err)
				}
				r := wait(t, c, p)
				states(t, r)
				want := message.ShutdownReply{Status: "ok", Restart: restart}
				var reply message.ShutdownReply
				if err := r.Reply.Decode(&reply); err != nil || reply != want {
					t.Errorf("reply %s", r.Reply.Content)
				}
				if got := client.Contents[message.ShutdownReply](r, "shutdown_reply"); len(got) != 1 || got[0] != want {
					t.Errorf("on iopub: %+v", got)
				}
				if got := wait(t, c, running).Execution().ErrorValue; got != "shut down" {
					t.Errorf("running cell: %q", got)
				}
				if err := <-k.served; err != nil {
					t.Errorf("Serve: %v", err)
				}
				k.served <- nil // for the cleanup
				<-c.Gone()
				if _, err := c.Wait(timeout(t), queued); !errors.Is(err, client.ErrGone) {
					t.Errorf("queued cell: %v", err)
				}
				if got := k.echo.shutdowns; !slices.Equal(got, []bool{restart}) {
					t.Errorf("interpreter was shut down: %v", got)
				}
				// Other clients hear of it, too.
				<-other.Gone()
				strays, err := other.Strays()
				if err != nil {
					t.Error(err)
				}
				if !slices.ContainsFunc(strays, func(m *jupyter.Message) bool { return m.Header.Type == "shutdown_reply" }) {
					t.Error("the other client was not told of the shutdown")
				}
				// What follows listens at the same addresses.
				next := serve(t, k.file)
				if got := execute(t, next.dial(t), "print again").Execution().ExecutionCount; got != 1 {
					t.Errorf("count after restart: %d", got)
				}
			})
		}
	}
}

func TestShutdownOnShell(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	if _, err := c.Request(timeout(t), client.Shell, "shutdown_request", message.ShutdownRequest{}); err != nil {
		t.Fatal(err)
	}
	if err := <-k.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	k.served <- nil
}

func TestServeEndsWithContext(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	p := send(t, c, "sleep")
	until(t, p, "sleeping")
	k.stop()
	if err := <-k.served; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve: %v", err)
	}
	k.served <- nil
	if got := wait(t, c, p).Execution().ErrorValue; got != "shut down" {
		t.Errorf("running cell: %q", got)
	}
	if got := k.echo.shutdowns; !slices.Equal(got, []bool{false}) {
		t.Errorf("interpreter was shut down: %v", got)
	}
}

// Several clients at once, each with its own answers.
func TestClients(t *testing.T) {
	k := start(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 5 { // as a page is reloaded
				c, err := client.Dial(timeout(t), k.file)
				if err != nil {
					t.Error(err)
					return
				}
				for n := range 5 {
					text := fmt.Sprint(i, j, n)
					r, err := c.Execute(timeout(t), "print "+text)
					if err != nil {
						t.Error(err)
						return
					}
					if got := r.Text("stdout"); got != text+"\n" {
						t.Errorf("printed %q, want %q", got, text)
					}
				}
				if j%2 == 0 { // gone in the middle of a cell
					c.Start(client.Cell("flood 1000\npause 1ms\nflood 1000"))
				}
				c.Close()
			}
		})
	}
	wg.Wait()
	if got := execute(t, k.dial(t), "print on").Text("stdout"); got != "on\n" {
		t.Errorf("printed %q", got)
	}
}

func TestListenFails(t *testing.T) {
	k := start(t)
	k.dial(t)
	file, err := client.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	first := serve(t, file)
	first.dial(t)
	err = (&jupyter.Server{Connection: file, Interpreter: newEcho()}).Serve(t.Context())
	if err == nil || !strings.Contains(err.Error(), "iopub socket") {
		t.Errorf("Serve: %v", err)
	}
}

// A client whose iopub channel is connected later than that of shell misses
// nothing of its first request.
func TestLateSubscriber(t *testing.T) {
	k := start(t)
	k.dial(t) // one that listens already makes no difference
	ctx := timeout(t)
	quiet := zmq4.WithLogger(log.New(io.Discard, "", 0))
	shell, sub := zmq4.NewDealer(ctx, quiet), zmq4.NewSub(ctx, quiet)
	defer shell.Close()
	defer sub.Close()
	if err := shell.Dial(k.file.Endpoint(k.file.ShellPort)); err != nil {
		t.Fatal(err)
	}
	codec := jupyter.NewCodec(k.file.Key)
	m, err := codec.New("kernel_info_request", nil, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Send(zmq4.NewMsgFrom(codec.Encode(m)...)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if err := sub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	if err := sub.Dial(k.file.Endpoint(k.file.IOPubPort)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"busy", "idle"} {
		frames, err := sub.Recv()
		if err != nil {
			t.Fatalf("waiting for %s: %v", want, err)
		}
		got, err := codec.Decode(frames.Frames)
		if err != nil {
			t.Fatal(err)
		}
		var status message.Status
		if err := got.Decode(&status); err != nil || status.ExecutionState != want || got.ParentID() != m.Header.ID {
			t.Errorf("got %s of %s, want %s", got.Content, got.ParentID(), want)
		}
	}
}

func BenchmarkExecute(b *testing.B) {
	dir := b.TempDir()
	file := client.NewIPCConnection(filepath.Join(dir, "k"))
	ctx, cancel := context.WithCancel(b.Context())
	served := make(chan error)
	go func() { served <- (&jupyter.Server{Connection: file, Interpreter: newEcho()}).Serve(ctx) }()
	c, err := client.Dial(ctx, file)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Execute(ctx, "print x"); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	cancel()
	<-served
}
