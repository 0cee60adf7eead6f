package client

import (
	"crypto/rand"
	"fmt"
	"net"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
)

// NewConnection returns a connection file over free ports of this machine.
func NewConnection() (jupyter.ConnectionFile, error) {
	c := jupyter.ConnectionFile{
		Transport: "tcp", IP: "127.0.0.1", Key: rand.Text(), SignatureScheme: "hmac-sha256",
	}
	for _, port := range []*int{&c.ShellPort, &c.ControlPort, &c.StdinPort, &c.IOPubPort, &c.HeartbeatPort} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return c, fmt.Errorf("looking for a free port: %w", err)
		}
		defer l.Close() // when all are found, so that they differ
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return c, nil
}

// NewIPCConnection returns a connection file over unix sockets whose paths
// start with prefix.
func NewIPCConnection(prefix string) jupyter.ConnectionFile {
	return jupyter.ConnectionFile{
		Transport: "ipc", IP: prefix, Key: rand.Text(), SignatureScheme: "hmac-sha256",
		ShellPort: 1, ControlPort: 2, StdinPort: 3, IOPubPort: 4, HeartbeatPort: 5,
	}
}
