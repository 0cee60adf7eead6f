package jupyter

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/go-zeromq/zmq4"
	"github.com/seed5607215b/nnkit/kernel/internal/history"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// agreeable is an interpreter to which every request is fine.
type agreeable struct{}

func (agreeable) Info() message.KernelInfo { return message.KernelInfo{} }

func (agreeable) Execute(_ context.Context, _ int, req *message.ExecuteRequest, out message.Output) message.ExecuteReply {
	out.Stream("stdout", req.Code)
	return message.ExecuteReply{}
}

func (agreeable) IsComplete(context.Context, string) message.IsCompleteReply {
	return message.IsCompleteReply{Status: "complete"}
}

func (agreeable) Complete(_ context.Context, req *message.CompleteRequest) message.CompleteReply {
	return message.CompleteReply{Matches: []string{req.Code}, CursorEnd: req.CursorPos}
}

func (agreeable) Inspect(context.Context, *message.InspectRequest) message.InspectReply {
	return message.InspectReply{}
}

func (agreeable) Comm(m message.Comm, out message.Output) bool {
	out.Comm(m)
	return m.TargetName != ""
}

func (agreeable) Debug(_ context.Context, req *message.DebugRequest, events func(message.DebugEvent)) message.DebugReply {
	events(message.DebugEvent{Type: "event", Event: req.Command, Body: req.Arguments})
	return message.DebugReply{Command: req.Command, RequestSeq: req.Seq, Body: req.Arguments}
}

func (agreeable) Interrupt(context.Context) error      { return nil }
func (agreeable) Shutdown(context.Context, bool) error { return nil }

// requestTypes are what clients may send.
var requestTypes = []string{
	"execute_request", "is_complete_request", "complete_request", "inspect_request", "history_request", "comm_info_request",
	"comm_open", "comm_msg", "comm_close", "kernel_info_request", "interrupt_request", "debug_request", "create_subshell_request",
	"delete_subshell_request", "list_subshell_request", "input_reply", "shutdown_request", "execute_reply", "",
}

// FuzzContent handles requests of every type with arbitrary contents, as signed by a
// client that has lost its mind. What answers them is JSON.
func FuzzContent(f *testing.F) {
	for i, kind := range requestTypes {
		for _, content := range []string{
			"{}", "null", "[]", `{"code":"x","cursor_pos":-1,"detail_level":9,"user_expressions":{"a":"b"}}`,
			`{"hist_access_type":"range","session":-9,"start":-5,"stop":1e2,"n":-1}`, `{"hist_access_type":"search","pattern":"[*?","n":3,"unique":true}`,
			`{"comm_id":"a","target_name":"t","data":{"b":[1]}}`, `{"command":"evaluate","seq":1,"arguments":{"expression":"x"}}`, `{"value":"` + kind + `"}`,
			`{"restart":true,"subshell_id":"x"}`,
		} {
			f.Add(uint8(i), i%2 == 0, content, "{}")
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, shell bool, content, metadata string) {
		sender := NewCodec("key")
		m, err := sender.New(requestTypes[int(kind)%len(requestTypes)], nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.Content, m.Metadata = []byte(content), []byte(metadata)
		m.Buffers = [][]byte{[]byte(content)}

		s := &socket{name: "iopub", kind: zmq4.Pub, log: t.Logf}
		subscriber := newPeer(s, nil)
		subscriber.topics[""] = struct{}{}
		s.peers = map[*peer]struct{}{subscriber: {}}
		work, cancel := context.WithCancel(t.Context())
		defer cancel()
		asker := newPeer(&socket{}, nil)
		r := &running{
			interpreter: agreeable{}, codec: NewCodec("key"), log: func(string, ...any) {}, shellQueue: newQueue(), control: newQueue(),
			commQueue: newQueue(), history: history.New(""), work: work, cancel: cancel, stopping: work.Done(), stopped: make(chan struct{}),
			shellSocket: &socket{byID: map[string]*peer{"asker": asker}},
		}
		r.iopub = &iopub{socket: s, codec: r.codec, log: r.log, limit: 1 << 30}
		on := r.shellSocket
		if !shell {
			on = &socket{byID: r.shellSocket.byID}
		}
		received, err := r.codec.Decode(sender.Encode(m))
		if err != nil {
			return
		}
		r.receiveInput(asker, sender.Encode(m)) // a second time: refused
		r.handle(work, &request{Message: received, socket: on, peer: "asker"})
		r.iopub.flush()
		for _, p := range []*peer{subscriber, asker} {
			for _, o := range p.queue {
				answer, err := sender.Decode(o.frames)
				if err != nil {
					t.Fatalf("%s %s is answered by %q: %v", m.Header.Type, content, o.frames, err)
				}
				if answer.ParentID() != m.Header.ID {
					t.Errorf("%s belongs to %q, not %q", answer.Header.Type, answer.ParentID(), m.Header.ID)
				}
			}
		}
		r.subshells.close()
		r.subshells.idle.Wait()
	})
}

// FuzzWelcome lets a stranger say anything to each kind of socket.
func FuzzWelcome(f *testing.F) {
	greeting := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0}, make([]byte, 52)...)
	copy(greeting[12:], "NULL")
	ready := func(socket string) []byte {
		body := append([]byte("\x05READY\x0bSocket-Type\x00\x00\x00"), byte(len(socket)))
		body = append(body, socket...)
		return slices.Concat(greeting, []byte{4, byte(len(body))}, body)
	}
	f.Add(slices.Concat(ready("DEALER"), frame([]byte("<IDS|MSG>"), nil, []byte("{}"))))
	f.Add(slices.Concat(ready("SUB"), frame([]byte{1, 'a'}), frame([]byte{0, 'a'}), []byte{4, 7, 4, 'P', 'I', 'N', 'G', 0, 0}))
	f.Add(slices.Concat(ready("SUB"), []byte{4, 11, 9}, []byte("SUBSCRIBE"), []byte("x")))
	f.Add(slices.Concat(ready("REQ"), frame(nil, []byte("ping"))))
	f.Add(ready("PUB"))
	f.Add(greeting[:20])
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(slices.Concat(greeting, []byte{6, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}))
	f.Fuzz(func(t *testing.T, said []byte) {
		for _, kind := range []zmq4.SocketType{zmq4.Router, zmq4.Pub, zmq4.Rep} {
			s := &socket{name: "x", kind: kind, door: newDoor(), log: func(string, ...any) {}, peers: map[*peer]struct{}{}, byID: map[string]*peer{}}
			s.receive = func(p *peer, frames [][]byte) { p.send(outgoing{frames: frames}) }
			ours, theirs := net.Pipe()
			go io.Copy(io.Discard, theirs)
			go func() {
				io.Copy(theirs, bytes.NewReader(said))
				theirs.Close()
			}()
			s.welcome(ours)
			if len(s.all()) != 0 {
				t.Errorf("%s: a peer that has gone is still there", kind)
			}
		}
	})
}

// FuzzConnectionFile reads arbitrary bytes as a connection file. One that is accepted
// names five sockets.
func FuzzConnectionFile(f *testing.F) {
	f.Add([]byte(`{"shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5,"ip":"127.0.0.1","transport":"tcp","key":"k"}`))
	f.Add([]byte(`{"shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":65535,"ip":"/run/k","transport":"ipc"}`))
	f.Add([]byte(`{"shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5,"ip":"*","signature_scheme":"hmac-md5"}`))
	f.Add([]byte(`{"shell_port":-1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConnectionFile(data)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, port := range []int{c.ShellPort, c.ControlPort, c.StdinPort, c.IOPubPort, c.HeartbeatPort} {
			seen[c.Endpoint(port)] = true
		}
		if len(seen) != 5 {
			t.Errorf("%s: endpoints %v", data, seen)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseConnectionFile(text); err != nil || again != c {
			t.Errorf("%s comes back as %+v, %v", text, again, err)
		}
	})
}
