//go:build fault || soak

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
)

// A process is a kernel's, as Jupyter starts it, and a client of it.
type process struct {
	t       *testing.T
	program string
	dir     string // of the notebook
	tmp     string // where the kernel keeps its session
	cache   string
	state   string // where it keeps the history
	goCache string // the usual one, so that not all is compiled again
	file    jupyter.ConnectionFile
	kernel  *exec.Cmd
	said    *bytes.Buffer
	client  *client.Client
}

// patience is for machines that have a lot to do. The first start of a kernel
// compiles its worker.
const patience = 3 * time.Minute

// newProcess builds the kernel, with build tags. It is not started yet.
func newProcess(t *testing.T, tags string) *process {
	t.Helper()
	p := &process{
		t: t, program: filepath.Join(t.TempDir(), "kernel"),
		dir: t.TempDir(), tmp: t.TempDir(), cache: t.TempDir(), state: t.TempDir(), said: new(bytes.Buffer),
	}
	if out, err := exec.Command("go", "build", "-tags", tags, "-o", p.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sources, err := filepath.Abs("..")
	if err == nil {
		err = os.Symlink(sources, filepath.Join(filepath.Dir(p.program), "src"))
	}
	if err != nil {
		t.Fatal(err)
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	p.goCache = strings.TrimSpace(string(goCache))
	return p
}

func (p *process) write(name, text string) {
	p.t.Helper()
	file := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		p.t.Fatal(err)
	}
}

// begin starts a kernel's process on its own.
func (p *process) begin(environment ...string) (*exec.Cmd, jupyter.ConnectionFile) {
	p.t.Helper()
	file, err := client.NewConnection()
	if err != nil {
		p.t.Fatal(err)
	}
	data, err := json.Marshal(file)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("connection.json", string(data))
	kernel := exec.Command(p.program, "jupyter", filepath.Join(p.dir, "connection.json"))
	kernel.Dir = p.dir
	kernel.Env = append(os.Environ(), "TMPDIR="+p.tmp, "XDG_CACHE_HOME="+p.cache, "GOCACHE="+p.goCache, "XDG_STATE_HOME="+p.state)
	kernel.Env = append(kernel.Env, environment...)
	kernel.Stderr = p.said
	if err := kernel.Start(); err != nil {
		p.t.Fatal(err)
	}
	return kernel, file
}

// start starts the kernel and connects to it.
func (p *process) start(environment ...string) {
	p.t.Helper()
	p.kernel, p.file = p.begin(environment...)
	p.client = p.dial(p.file)
}

func (p *process) dial(file jupyter.ConnectionFile) *client.Client {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := client.Dial(ctx, file)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.said)
	}
	return c
}

// shutdown ends the kernel in good order.
func (p *process) shutdown() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.client.Shutdown(ctx, false); err != nil {
		p.t.Error(err)
	}
	if err := p.kernel.Wait(); err != nil {
		p.t.Error(err)
	}
	p.client.Close()
}

// children are the processes that the kernel has started, and theirs, by name.
func (p *process) children() map[int]string {
	all := map[int]string{}
	var add func(pid int)
	add = func(pid int) {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, list := range lists {
			data, _ := os.ReadFile(list) // it may have ended
			for _, child := range strings.Fields(string(data)) {
				pid, _ := strconv.Atoi(child)
				name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
				all[pid] = strings.TrimSpace(string(name))
				add(pid)
			}
		}
	}
	add(p.kernel.Process.Pid)
	return all
}

// gone waits until processes have ended.
func (p *process) gone(pids ...int) {
	p.t.Helper()
	for _, pid := range pids {
		for began := time.Now(); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
			if state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(state), ") Z ") {
				break // nobody has looked after it
			}
			if time.Since(began) > patience {
				p.t.Errorf("process %d is still there", pid)
				return
			}
		}
	}
}

// leftBehind says how many folders of sessions there may be, and nothing else.
func (p *process) leftBehind(want int) {
	p.t.Helper()
	left, err := filepath.Glob(filepath.Join(p.tmp, "*"))
	if err != nil || len(left) != want {
		p.t.Errorf("%d folders of sessions, want %d: %v %v", len(left), want, left, err)
	}
}
