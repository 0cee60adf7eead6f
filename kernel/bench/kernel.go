package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
)

// kernel is one of the two that are compared.
type kernel struct {
	name    string
	program string
	args    []string // before the connection file
	env     []string // added to the environment
	dir     string   // where notebooks are

	setUp   string // a cell that each of its notebooks begins with, "" if none is needed
	head    string // a line at the head of every cell
	between string // a line between the declarations and the statements of a cell
}

// cell is a cell for both kernels.
type cell struct{ declarations, statements, prints string }

// text is the cell as it is written for a kernel.
func (k *kernel) text(c cell) string {
	var lines []string
	for _, l := range []string{k.head, c.declarations, k.between, c.statements} {
		if l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n")
}

// running is a kernel's process with a client.
type running struct {
	*client.Client
	kernel *kernel
	cmd    *exec.Cmd
	said   *bytes.Buffer // on its own standard output and error
	file   string        // the connection file
}

// start starts a kernel and waits until it answers.
func (k *kernel) start(ctx context.Context) (*running, error) {
	connection, err := client.NewConnection()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(connection)
	if err != nil {
		return nil, err
	}
	r := &running{kernel: k, said: &bytes.Buffer{}, file: filepath.Join(filepath.Dir(k.program), "connection-"+rand.Text()+".json")}
	if err := os.WriteFile(r.file, text, 0o600); err != nil {
		return nil, err
	}
	r.cmd = exec.CommandContext(ctx, k.program, append(k.args[:len(k.args):len(k.args)], r.file)...)
	r.cmd.Dir, r.cmd.Env = k.dir, append(os.Environ(), k.env...)
	r.cmd.Stdout, r.cmd.Stderr = r.said, r.said
	r.cmd.WaitDelay = time.Second // for what it has started
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	if r.Client, err = client.Dial(ctx, connection); err != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		return nil, fmt.Errorf("%s: %w\n%s", k.name, err, r.said)
	}
	return r, nil
}

// begin starts a kernel and has it run the cells that come before any measuring.
func (k *kernel) begin(ctx context.Context) (*running, error) {
	r, err := k.start(ctx)
	if err != nil {
		return nil, err
	}
	if k.setUp != "" {
		_, err = r.run(ctx, k.setUp)
	}
	if err == nil {
		_, err = r.execute(ctx, trivial(0))
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// warm makes a kernel do what it does once and keeps for later notebooks.
func (k *kernel) warm(ctx context.Context) error {
	r, err := k.begin(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	_, err = r.execute(ctx, k.plot(0))
	return err
}

// execute runs a cell, checks what it prints, and returns how long it took.
func (r *running) execute(ctx context.Context, c cell) (time.Duration, error) {
	start := time.Now()
	result, err := r.run(ctx, r.kernel.text(c))
	took := time.Since(start)
	if err == nil {
		err = r.check(result, c)
	}
	return took, err
}

// run runs a cell whose text is given.
func (r *running) run(ctx context.Context, text string) (*client.Result, error) {
	result, err := r.Execute(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", r.kernel.name, err, text)
	}
	if reply := result.Execution(); reply.Status != "ok" {
		return nil, fmt.Errorf("%s refuses a cell: %s: %s\n%s%s", r.kernel.name, reply.ErrorName, reply.ErrorValue, text, result.Text("stderr"))
	}
	return result, nil
}

func (r *running) check(result *client.Result, c cell) error {
	if got := result.Text("stdout"); got != c.prints {
		return fmt.Errorf("%s: a cell prints %q, want %q\n%s", r.kernel.name, got, c.prints, r.kernel.text(c))
	}
	return nil
}

// close ends the kernel.
func (r *running) close() {
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = r.Shutdown(end, false)
	r.Client.Close()
	stop := time.AfterFunc(5*time.Second, func() { _ = r.cmd.Process.Kill() })
	_ = r.cmd.Wait()
	stop.Stop()
	_ = os.Remove(r.file)
}

// resident is the memory that the kernel and all that it has started hold.
func (r *running) resident() (bytes int64, err error) { return resident(r.cmd.Process.Pid) }

func resident(pid int) (int64, error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	data, err := os.ReadFile(filepath.Join(proc, "statm"))
	if err != nil {
		return 0, err
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		return 0, fmt.Errorf("%s/statm: %w", proc, err)
	}
	sum := pages * int64(syscall.Getpagesize())
	lists, err := filepath.Glob(filepath.Join(proc, "task", "*", "children"))
	if err != nil {
		return 0, err
	}
	for _, list := range lists {
		children, _ := os.ReadFile(list) // a thread that has just ended has none
		for child := range strings.FieldsSeq(string(children)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", list, err)
			}
			more, _ := resident(pid) // nor has a process
			sum += more
		}
	}
	return sum, nil
}
