package jupyter

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// A client that does not read makes cells wait only when much is unsent, and is
// dropped in the end.
func TestSuspendedClient(t *testing.T) {
	s := &socket{name: "iopub", kind: zmq4.Pub, door: newDoor(), log: t.Logf}
	path := filepath.Join(t.TempDir(), "s")
	if err := s.listen("unix", path); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	go s.serve()
	pub := &iopub{socket: s, codec: NewCodec(""), log: t.Logf, limit: 1 << 18, patience: 2 * time.Second}
	open := func() *zmq4.Conn {
		raw, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { raw.Close() })
		conn, err := zmq4.Open(raw, null.Security(), zmq4.Sub, nil, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SendMsg(zmq4.NewMsg([]byte{1})); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	open() // and never read
	reader := open()
	for subscribers(s) < 2 {
		<-time.After(time.Millisecond)
	}
	const n = 20
	texts := make(chan string)
	go func() {
		defer close(texts)
		codec := NewCodec("")
		for range n {
			m, err := reader.RecvMsg()
			if err != nil {
				t.Error(err)
				return
			}
			var content message.Stream
			decoded, err := codec.Decode(m.Frames)
			if err == nil {
				err = decoded.Decode(&content)
			}
			if err != nil {
				t.Error(err)
				return
			}
			texts <- content.Text
		}
	}()
	go func() {
		for i := range n {
			pub.room()
			pub.publish(nil, "stream", message.Stream{Name: "stdout", Text: strings.Repeat(string(rune('a'+i)), 1<<16)})
		}
	}()
	i := 0
	for text := range texts {
		if text[0] != byte('a'+i) || len(text) != 1<<16 {
			t.Errorf("message %d is %.3s…, %d bytes", i, text, len(text))
		}
		i++
	}
	if i != n {
		t.Errorf("the client that reads got %d messages of %d", i, n)
	}
	if got := subscribers(s); got != 1 {
		t.Errorf("%d clients are left", got)
	}
}

// Topics are prefixes, and can be given up.
func TestSubscribe(t *testing.T) {
	s := new(socket)
	p := newPeer(s, nil)
	for _, tt := range []struct{ order, wanted, unwanted string }{
		{"", "", "a"},
		{"\x01a.b", "a.b.c", "a"},
		{"\x01", "x", ""},
		{"\x00", "a.b", "x"},
		{"\x00a.b", "", "a.b"},
	} {
		s.subscribe(p, []byte(tt.order))
		if tt.wanted != "" && !p.wants(tt.wanted) || tt.unwanted != "" && p.wants(tt.unwanted) {
			t.Errorf("after %q: topics %q", tt.order, p.topics)
		}
	}
}

// subscribers counts the peers that subscribed to something.
func subscribers(s *socket) int {
	n := 0
	for _, p := range s.all() {
		if p.subscribed() {
			n++
		}
	}
	return n
}
