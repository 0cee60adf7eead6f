package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
)

// A Stranger is somebody without the key who connects to one of a kernel's sockets.
type Stranger struct {
	Name string
	Port int
	Says []byte // and then nothing more
}

// Greeting begins a connection of ZMTP (https://rfc.zeromq.org/spec/23/).
var Greeting = func() []byte {
	b := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0}, make([]byte, 52)...)
	copy(b[12:], "NULL")
	return b
}()

// Ready is the handshake of a socket's type, up to its end.
func Ready(kind string) []byte {
	body := "\x05READY\x0bSocket-Type\x00\x00\x00" + string(rune(len(kind))) + kind
	return slices.Concat(Greeting, []byte{4, byte(len(body))}, []byte(body))
}

// Frames is a message as ZMTP writes it.
func Frames(frames ...[]byte) []byte {
	var b []byte
	for i, f := range frames {
		flags := byte(1) // more come
		if i == len(frames)-1 {
			flags = 0
		}
		if len(f) > 255 {
			b = binary.BigEndian.AppendUint64(append(b, flags|2), uint64(len(f)))
		} else {
			b = append(b, flags, byte(len(f)))
		}
		b = append(b, f...)
	}
	return b
}

// Strangers are of every kind: silent and cut off, of another protocol, with frames
// that are huge, announced only, unsigned, too many; subscribers and pings without end.
// None of them reads what it gets.
func Strangers(file jupyter.ConnectionFile) []Stranger {
	announced := binary.BigEndian.AppendUint64([]byte{2}, 4<<30)
	part := append(binary.BigEndian.AppendUint64([]byte{2}, 1<<29), make([]byte, 1<<20)...)
	topics := bytes.Repeat(append([]byte{0, 200, 1}, make([]byte, 199)...), 500)
	for i := range 500 {
		binary.BigEndian.PutUint16(topics[i*202+3:], uint16(i))
	}
	unsigned := Frames([]byte("<IDS|MSG>"), nil, []byte(`{"msg_type":"execute_request"}`), []byte("{}"), []byte("{}"), []byte(`{"code":"panic(\"unsigned\")"}`))
	return []Stranger{
		{"silent", file.ShellPort, nil},
		{"half a greeting", file.ControlPort, Greeting[:30]},
		{"a browser", file.StdinPort, []byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: something that is longer than a greeting\r\n\r\n")},
		{"idle", file.ShellPort, Ready("DEALER")},
		{"a frame of 4 GB, announced", file.ShellPort, slices.Concat(Ready("DEALER"), announced)},
		{"a frame of 512 MB, begun", file.ControlPort, slices.Concat(Ready("DEALER"), part)},
		{"unsigned", file.ShellPort, slices.Concat(Ready("DEALER"), bytes.Repeat(unsigned, 100))},
		{"no frames of Jupyter's", file.StdinPort, slices.Concat(Ready("DEALER"), bytes.Repeat(Frames(nil, []byte("x")), 100))},
		{"a subscriber that does not read", file.IOPubPort, slices.Concat(Ready("SUB"), []byte{0, 1, 1})},
		{"subscriptions without end", file.IOPubPort, slices.Concat(Ready("SUB"), topics)},
		{"heartbeats without end", file.HeartbeatPort, slices.Concat(Ready("REQ"), bytes.Repeat(Frames(nil, []byte("ping")), 100_000))},
	}
}

// Crowd connects n strangers, one after the other of each kind, at the same time. They
// stay until leave is called.
func Crowd(file jupyter.ConnectionFile, n int) (leave func(), err error) {
	kinds := Strangers(file)
	conns, errs := make([]net.Conn, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		s := kinds[i%len(kinds)]
		wg.Go(func() {
			if conns[i], errs[i] = net.Dial("tcp", net.JoinHostPort(file.IP, fmt.Sprint(s.Port))); errs[i] != nil {
				return
			}
			_ = conns[i].SetWriteDeadline(time.Now().Add(2 * time.Second)) // a kernel need not read all
			_, _ = conns[i].Write(s.Says)
		})
	}
	wg.Wait()
	return func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}, errors.Join(errs...)
}
