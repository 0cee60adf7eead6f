package jupyter_test

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
)

// Whoever connects, nothing that happens before a signed message was read may
// keep others from the kernel, or end it.
func TestStrangers(t *testing.T) {
	k := start(t)
	greeting := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0}, make([]byte, 52)...)
	copy(greeting[12:], "NULL")
	ready := func(properties string) []byte {
		body := "\x05READY" + properties
		return append([]byte{4, byte(len(body))}, body...)
	}
	huge, large := binary.BigEndian.AppendUint64(nil, 1<<61), binary.BigEndian.AppendUint64(nil, 1<<29)
	const dealer = "\x0bSocket-Type\x00\x00\x00\x06DEALER"
	var kept []net.Conn
	for name, tt := range map[string]struct {
		bytes []byte
		keep  bool // do not hang up
		log   string
	}{
		"silent":              {nil, true, ""},
		"half a greeting":     {greeting[:40], true, ""},
		"gone":                {greeting[:40], false, "turned away"},
		"a browser":           {[]byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: browser/1.0 (something long)\r\n\r\n"), true, "invalid ZMTP signature"},
		"unknown socket type": {slices.Concat(greeting, ready("\x0bSocket-Type\x00\x00\x00\x06CLIENT")), true, "handshake"},
		"wrong socket type":   {slices.Concat(greeting, ready("\x0bSocket-Type\x00\x00\x00\x03PUB")), true, "not compatible"},
		"damaged properties":  {slices.Concat(greeting, ready("\xf0Socket-Type")), true, "handshake"},
		"huge handshake": {
			slices.Concat(greeting, []byte{6}, huge), true, "too long",
		},
		"huge message": {
			slices.Concat(greeting, ready(dealer), []byte{2}, huge), true, "larger than",
		},
		"large message, cut": {
			slices.Concat(greeting, ready(dealer), []byte{2}, large), false, "",
		},
		"command of two frames": {slices.Concat(greeting, ready(dealer), []byte{5, 0}), true, "command of several"},
	} {
		conn, err := net.Dial("unix", strings.TrimPrefix(k.file.Endpoint(k.file.ShellPort), "ipc://"))
		for err != nil { // not listening yet
			time.Sleep(time.Millisecond)
			conn, err = net.Dial("unix", strings.TrimPrefix(k.file.Endpoint(k.file.ShellPort), "ipc://"))
		}
		go io.Copy(io.Discard, conn)
		if _, err := conn.Write(tt.bytes); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if tt.keep {
			kept = append(kept, conn)
		} else {
			conn.Close()
		}
		if tt.log != "" {
			t.Run(name, func(t *testing.T) { k.logged(t, tt.log) })
		}
	}
	began := time.Now()
	c := k.dial(t)
	if got := execute(t, c, "print on").Text("stdout"); got != "on\n" {
		t.Errorf("printed %q", got)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("a client had to wait %v", d)
	}
	for _, conn := range kept {
		conn.Close()
	}
}

// A client that connects again under its name is who gets the replies.
func TestSameIdentity(t *testing.T) {
	k := start(t)
	k.dial(t)
	codec := jupyter.NewCodec(k.file.Key)
	open := func() *zmq4.Conn {
		raw, err := net.Dial("unix", strings.TrimPrefix(k.file.Endpoint(k.file.ShellPort), "ipc://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { raw.Close() })
		raw.SetDeadline(time.Now().Add(20 * time.Second))
		conn, err := zmq4.Open(raw, null.Security(), zmq4.Dealer, zmq4.SocketIdentity("same"), false, nil)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	cell := func(conn *zmq4.Conn, code string) {
		m, err := codec.New("execute_request", nil, client.Cell(code))
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SendMsg(zmq4.NewMsgFrom(codec.Encode(m)...)); err != nil {
			t.Fatal(err)
		}
	}
	first := open()
	cell(first, "")
	if _, err := first.RecvMsg(); err != nil {
		t.Fatal(err)
	}
	cell(first, "pause 100ms")
	for len(k.echo.cells()) < 2 { // what was not read goes with its connection
		time.Sleep(time.Millisecond)
	}
	second := open()
	cell(second, "")
	for range 2 {
		if _, err := second.RecvMsg(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := first.RecvMsg(); err == nil {
		t.Error("the first connection got a reply, too")
	}
}
