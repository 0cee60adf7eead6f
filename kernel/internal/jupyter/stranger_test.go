package jupyter_test

import (
	"encoding/binary"
	"io"
	"net"
	"runtime"
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
		"half a greeting":     {client.Greeting[:40], true, ""},
		"gone":                {client.Greeting[:40], false, "turned away"},
		"a browser":           {[]byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: browser/1.0 (something long)\r\n\r\n"), true, "invalid ZMTP signature"},
		"unknown socket type": {slices.Concat(client.Greeting, ready("\x0bSocket-Type\x00\x00\x00\x06CLIENT")), true, "handshake"},
		"wrong socket type":   {slices.Concat(client.Greeting, ready("\x0bSocket-Type\x00\x00\x00\x03PUB")), true, "not compatible"},
		"damaged properties":  {slices.Concat(client.Greeting, ready("\xf0Socket-Type")), true, "handshake"},
		"huge handshake": {
			slices.Concat(client.Greeting, []byte{6}, huge), true, "too long",
		},
		"handshake of two frames": {
			slices.Concat(client.Greeting, []byte{1, 0, 2}, huge), true, "no command",
		},
		"huge message": {
			slices.Concat(client.Greeting, ready(dealer), []byte{2}, huge), true, "larger than",
		},
		"large message, cut": {
			slices.Concat(client.Greeting, ready(dealer), []byte{2}, large), false, "",
		},
		"command of two frames": {slices.Concat(client.Greeting, ready(dealer), []byte{5, 0}), true, "command of several"},
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

// open connects to one of the kernel's sockets.
func (k *kernel) open(t *testing.T, port int, kind zmq4.SocketType, id string) *zmq4.Conn {
	t.Helper()
	network, address, _ := strings.Cut(k.file.Endpoint(port), "://")
	raw, err := net.Dial(map[string]string{"ipc": "unix", "tcp": "tcp"}[network], address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	raw.SetDeadline(time.Now().Add(30 * time.Second))
	conn, err := zmq4.Open(raw, null.Security(), kind, zmq4.SocketIdentity(id), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// sendCell sends a cell, signed by codec.
func sendCell(t *testing.T, conn *zmq4.Conn, codec *jupyter.Codec, code string) {
	t.Helper()
	m, err := codec.New("execute_request", nil, client.Cell(code))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SendMsg(zmq4.NewMsgFrom(codec.Encode(m)...)); err != nil {
		t.Fatal(err)
	}
}

// A client that connects again under its name is who gets the replies.
func TestSameIdentity(t *testing.T) {
	k := start(t)
	k.dial(t)
	codec := jupyter.NewCodec(k.file.Key)
	open := func() *zmq4.Conn { return k.open(t, k.file.ShellPort, zmq4.Dealer, "same") }
	cell := func(conn *zmq4.Conn, code string) { sendCell(t, conn, codec, code) }
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

// The name of a client is no secret: who only says it does not get its replies, nor
// ends its connection.
func TestNameIsNoProof(t *testing.T) {
	k := start(t)
	k.dial(t)
	codec := jupyter.NewCodec(k.file.Key)
	genuine := k.open(t, k.file.ShellPort, zmq4.Dealer, "same")
	sendCell(t, genuine, codec, "")
	if _, err := genuine.RecvMsg(); err != nil {
		t.Fatal(err)
	}
	impostor := k.open(t, k.file.ShellPort, zmq4.Dealer, "same")
	sendCell(t, impostor, jupyter.NewCodec("guessed"), "print guessed")
	k.logged(t, "signed wrongly")
	sendCell(t, genuine, codec, "print real")
	if _, err := genuine.RecvMsg(); err != nil {
		t.Fatalf("the client has lost its connection: %v", err)
	}
	if got := k.echo.cells(); !slices.Equal(got, []string{"", "print real"}) {
		t.Errorf("executed %q", got)
	}
}

// What the kernel publishes is signed with the key that clients sign with, and everybody
// can subscribe to it. It is not taken when it comes back, not by the next kernel either
// that is started with the same connection file.
func TestReflected(t *testing.T) {
	k := start(t)
	c := k.dial(t)
	listener := k.open(t, k.file.IOPubPort, zmq4.Sub, "")
	if err := listener.SendMsg(zmq4.NewMsg([]byte{1})); err != nil {
		t.Fatal(err)
	}
	// Until the subscription is there.
	again, found := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(again)
		for {
			select {
			case <-found:
				return
			default:
				execute(t, c, "comm open c1")
			}
		}
	}()
	var published [][]byte
	for published == nil {
		m, err := listener.RecvMsg()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(string(m.Frames[0]), ".comm_open") {
			published = m.Frames[1:]
		}
	}
	close(found)
	<-again
	other := k.file
	other.IP += "-again"
	next := serve(t, other)
	next.dial(t)
	for name, k := range map[string]*kernel{"the same": k, "the next": next} {
		conn := k.open(t, k.file.ShellPort, zmq4.Dealer, "")
		if err := conn.SendMsg(zmq4.NewMsgFrom(published...)); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { k.logged(t, "one that the kernel has published") })
	}
}

// A thousand strangers of every kind keep nobody out, and leave nothing behind.
func TestThousandStrangers(t *testing.T) {
	file, err := client.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	k := serve(t, file)
	c := k.dial(t)
	execute(t, c, "print before")
	goroutines := runtime.NumGoroutine()
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)

	leave, err := client.Crowd(file, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if got := execute(t, c, "print during").Text("stdout"); got != "during\n" {
		t.Errorf("printed %q", got)
	}
	if got := execute(t, k.dial(t), "print another").Text("stdout"); got != "another\n" {
		t.Errorf("another client: printed %q", got)
	}
	const most = 200 << 20
	grown := most
	for deadline := time.Now().Add(2 * time.Minute); grown >= most && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		runtime.GC() // what was thrown away meanwhile does not count
		runtime.ReadMemStats(&during)
		grown = int(during.HeapAlloc) - int(before.HeapAlloc)
	}
	if grown >= most {
		t.Errorf("%d MB more are in use", grown>>20)
	}
	if grown := runtime.NumGoroutine() - goroutines; grown > 3*600 {
		t.Errorf("there are %d goroutines more", grown)
	}
	leave()
	for deadline := time.Now().Add(2 * time.Minute); runtime.NumGoroutine() > goroutines+30; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), goroutines)
		}
	}
	if got := execute(t, c, "print after").Text("stdout"); got != "after\n" {
		t.Errorf("printed %q", got)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.log) > 30 {
		t.Errorf("%d lines of log: %q", len(k.log), k.log)
	}
	t.Logf("%d MB more while they were there, %d lines of log", grown>>20, len(k.log))
}
