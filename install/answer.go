package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-zeromq/zmq4"
)

// answerPatience is how long a kernel may take to answer Jupyter.
const answerPatience = 20 * time.Second

// checkAnswers starts the kernel as Jupyter does, by a connection file, and waits for
// an answer to its heartbeat.
func checkAnswers(ctx context.Context, p place) finding {
	f := finding{what: "kernel's start", remedy: "go run ./install" + spaced(p.flag)}
	took, err := heartbeat(ctx, p)
	if err != nil {
		f.lacks = err.Error()
		return f
	}
	f.found = fmt.Sprintf("it answers Jupyter after %d ms", took.Milliseconds())
	return f
}

// heartbeat is how long the kernel takes to answer, from its start.
func heartbeat(ctx context.Context, p place) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	begin := time.Now()
	k, err := startKernel(ctx, p)
	if err != nil {
		return 0, err
	}
	defer k.end()
	answered := make(chan error, 1)
	go func() { answered <- k.ping(ctx) }()
	select {
	case err = <-answered:
	case <-k.ended:
		return 0, fmt.Errorf("it ends at once: %s\n%s", k.command.ProcessState, strings.TrimSpace(k.said.String()))
	}
	if err != nil {
		return 0, fmt.Errorf("it does not answer within %v: %w", answerPatience, err)
	}
	return time.Since(begin), nil
}

// started is a kernel that runs.
type started struct {
	command  *exec.Cmd
	dir      string // of its connection file
	endpoint string // of its heartbeat
	said     bytes.Buffer
	ended    chan struct{} // closed when it has ended
}

// startKernel starts the kernel as Jupyter does.
func startKernel(ctx context.Context, p place) (*started, error) {
	ports, err := freePorts(5)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "nnkit-start-")
	if err != nil {
		return nil, err
	}
	k := &started{dir: dir, endpoint: fmt.Sprintf("tcp://127.0.0.1:%d", ports[4]), ended: make(chan struct{})}
	file := filepath.Join(dir, "connection.json")
	text, err := json.Marshal(map[string]any{
		"transport": "tcp", "ip": "127.0.0.1", "key": "check", "signature_scheme": "hmac-sha256", "kernel_name": kernelName,
		"shell_port": ports[0], "iopub_port": ports[1], "stdin_port": ports[2], "control_port": ports[3], "hb_port": ports[4],
	})
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err == nil {
		k.command = command(ctx, dir, p.binary(), "jupyter", file)
		k.command.Stdout, k.command.Stderr = &k.said, &k.said
		err = k.command.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("it does not start: %w", err)
	}
	go func() {
		_ = k.command.Wait() // its status is in ProcessState
		close(k.ended)
	}()
	return k, nil
}

// end asks the kernel to end, as a system that shuts down does, and waits for it.
func (k *started) end() {
	_ = k.command.Process.Signal(syscall.SIGTERM) // one that has ended needs none
	<-k.ended                                     // it is killed when the context ends
	os.RemoveAll(k.dir)
}

// ping sends a message to the heartbeat and waits until it comes back.
func (k *started) ping(ctx context.Context) error {
	socket := zmq4.NewReq(ctx, zmq4.WithDialerRetry(20*time.Millisecond), zmq4.WithDialerMaxRetries(int(answerPatience/(20*time.Millisecond))))
	defer socket.Close()
	if err := socket.Dial(k.endpoint); err != nil {
		return err
	}
	if err := socket.Send(zmq4.NewMsgString("ping")); err != nil {
		return err
	}
	answer, err := socket.Recv()
	if err == nil && string(answer.Bytes()) != "ping" {
		err = fmt.Errorf("its heartbeat answers %q", answer.Bytes())
	}
	return err
}

// freePorts are ports that nobody listens at.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
