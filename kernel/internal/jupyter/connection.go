package jupyter

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ConnectionFile tells kernel and clients where the sockets are and which key
// signs the messages. Jupyter hands a kernel its path.
type ConnectionFile struct {
	Transport       string `json:"transport"` // "tcp" or "ipc"
	IP              string `json:"ip"`        // for ipc the start of the sockets' paths
	ShellPort       int    `json:"shell_port"`
	ControlPort     int    `json:"control_port"`
	StdinPort       int    `json:"stdin_port"`
	IOPubPort       int    `json:"iopub_port"`
	HeartbeatPort   int    `json:"hb_port"`
	Key             string `json:"key"` // empty: messages are not signed
	SignatureScheme string `json:"signature_scheme"`
	KernelName      string `json:"kernel_name,omitempty"`
	KernelID        string `json:"-"` // a server's name of the kernel, from that of the file; may be empty
}

const signatureScheme = "hmac-sha256"

// ReadConnectionFile reads the connection file at path.
func ReadConnectionFile(path string) (ConnectionFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return ConnectionFile{}, fmt.Errorf("reading the connection file: %w", err)
	}
	c, err := ParseConnectionFile(data)
	if err != nil {
		return c, fmt.Errorf("connection file %s: %w", path, err)
	}
	if id, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(path), ".json"), "kernel-"); ok {
		c.KernelID = id
	}
	return c, nil
}

// ParseConnectionFile reads a connection file's text and checks it.
func ParseConnectionFile(data []byte) (ConnectionFile, error) {
	var c ConnectionFile
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("not a connection file's JSON: %w", err)
	}
	if c.Transport == "" {
		c.Transport = "tcp"
	}
	if c.SignatureScheme == "" {
		c.SignatureScheme = signatureScheme
	}
	return c, c.check()
}

func (c *ConnectionFile) check() error {
	switch c.Transport {
	case "tcp":
	case "ipc":
		if c.IP == "" {
			return fmt.Errorf("transport ipc needs the start of a path in \"ip\", which is empty")
		}
	default:
		return fmt.Errorf("transport %q is not supported, only tcp and ipc are", c.Transport)
	}
	if c.Key != "" && c.SignatureScheme != signatureScheme {
		return fmt.Errorf("signature_scheme %q is not supported, only %s is", c.SignatureScheme, signatureScheme)
	}
	ports := []struct {
		name string
		port int
	}{
		{"shell_port", c.ShellPort},
		{"control_port", c.ControlPort},
		{"stdin_port", c.StdinPort},
		{"iopub_port", c.IOPubPort},
		{"hb_port", c.HeartbeatPort},
	}
	seen := make(map[int]string)
	for _, p := range ports {
		switch {
		case p.port == 0:
			return fmt.Errorf("%s is missing", p.name)
		case p.port < 0 || p.port > 65535:
			return fmt.Errorf("%s is %d, which is no port", p.name, p.port)
		case seen[p.port] != "":
			return fmt.Errorf("%s and %s are both %d", seen[p.port], p.name, p.port)
		}
		seen[p.port] = p.name
	}
	return nil
}

// Endpoint returns ZeroMQ's name of the socket on port.
func (c *ConnectionFile) Endpoint(port int) string {
	network, address := c.address(port)
	if network == "unix" {
		return "ipc://" + address
	}
	return "tcp://" + address
}

// address returns what package net calls the socket on port.
func (c *ConnectionFile) address(port int) (network, address string) {
	if c.Transport == "ipc" {
		return "unix", c.IP + "-" + strconv.Itoa(port)
	}
	ip := c.IP
	if ip == "*" {
		ip = ""
	}
	return "tcp", net.JoinHostPort(ip, strconv.Itoa(port))
}
