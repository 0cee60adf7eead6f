package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// Ranks are the processes of a notebook's program that mpirun has started. They run ahead by themselves; Execute takes in what
// the cells show in rank 0, one after the other.
type Ranks struct {
	command *exec.Cmd
	said    *bufio.Reader // standard output
	over    chan struct{} // when standard error has ended

	mu       sync.Mutex
	warnings strings.Builder // standard error, since the last cell
	deaths   []wire.Death
	last     string   // line of standard error
	notices  []notice // of mpirun
	hosts    *Hosts
}

// CheckMPI says what is missing to build and start a program for several ranks.
func CheckMPI() error {
	const remedy = "install Open MPI, on Debian: apt-get install openmpi-bin libopenmpi-dev pkg-config"
	for _, program := range []string{"mpirun", "pkg-config"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("there is no %s on the PATH, which --ranks wants: %s", program, remedy)
		}
	}
	if err := exec.Command("pkg-config", "--exists", "ompi-c").Run(); err != nil {
		return fmt.Errorf("pkg-config knows no ompi-c, the C library that --ranks wants: %s", remedy)
	}
	return nil
}

// StartRanks starts a program, built after [Whole.Share], as so many ranks in a folder, spread over the hosts, which may be nil: then mpirun
// chooses those of a scheduler's job that this is part of, or this machine.
func StartRanks(program, dir string, size int, hosts *Hosts) (*Ranks, error) {
	// Package mpi shares the cores of a machine among its ranks.
	args := []string{"-n", strconv.Itoa(size), "--bind-to", "none", "-wdir", dir}
	if os.Geteuid() == 0 {
		args = append(args, "--allow-run-as-root")
	}
	if hosts == nil {
		args = append(args, "--oversubscribe")
	} else {
		args = append(args, "--hostfile", hosts.file)
	}
	r := &Ranks{command: exec.Command("mpirun", append(args, program)...), over: make(chan struct{}), hosts: hosts}
	if hosts != nil {
		r.command.Env = append(os.Environ(), hosts.environment()...)
	}
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's interrupt would have mpirun kill all
	stdout, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := r.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	r.said = bufio.NewReader(stdout)
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	go r.listen(stderr)
	return r, nil
}

// listen takes in what comes on standard error.
func (r *Ranks) listen(stderr io.Reader) {
	defer close(r.over)
	var n notices
	for lines := bufio.NewReader(stderr); ; {
		line, err := lines.ReadBytes('\n')
		text, record := wire.SplitRecord(line)
		text, said := n.take(text)
		if err != nil {
			text += n.rest()
		}
		r.mu.Lock()
		r.warnings.WriteString(text)
		if text = strings.TrimSpace(text); text != "" {
			r.last = text
		}
		if record != nil && record.Dead != nil {
			r.deaths = append(r.deaths, *record.Dead)
		}
		if said != "" {
			r.notices = append(r.notices, said)
		}
		r.mu.Unlock()
		if said.hopeless() {
			r.command.Process.Signal(syscall.SIGTERM)
		}
		if err != nil {
			return
		}
	}
}

// Execute takes in what a cell shows, whose text is in the program. When ctx is done all ranks are interrupted.
func (r *Ranks) Execute(ctx context.Context, count int, _ *message.ExecuteRequest, out message.Output) message.ExecuteReply {
	reply := message.ExecuteReply{Status: "ok", ExecutionCount: count}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
			r.command.Process.Signal(syscall.SIGUSR1) // mpirun hands it on
		case <-ended:
			return
		}
		select {
		case <-time.After(10 * time.Second):
			r.command.Process.Signal(syscall.SIGTERM)
		case <-ended:
		}
	}()
	for {
		line, err := r.said.ReadBytes('\n')
		text, record := wire.SplitRecord(line)
		if text != "" {
			out.Stream("stdout", text)
		}
		switch {
		case record == nil:
		case record.Ended != 0:
			r.tell(out)
			if record.Failed != "" {
				reply.Status, reply.ErrorName, reply.ErrorValue = "error", "error", record.Error
				reply.Traceback = strings.Split(strings.TrimSuffix(record.Failed, "\n"), "\n")
			}
			return reply
		default:
			out.Flush()
			for _, b := range record.Shown {
				out.Result(b.Data, b.Meta)
			}
		}
		if err != nil {
			<-r.over
			r.tell(out)
			reply.Status, reply.ErrorName, reply.ErrorValue = "error", "WorkerDied", r.death()
			reply.Traceback = []string{reply.ErrorValue}
			return reply
		}
	}
}

// tell hands on what came on standard error.
func (r *Ranks) tell(out message.Output) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.warnings.Len() > 0 {
		out.Stream("stderr", r.warnings.String())
		r.warnings.Reset()
	}
}

// death says what has ended the program before its end.
func (r *Ranks) death() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.notices {
		if why := n.explain(r.hosts); why != "" {
			return why
		}
	}
	if len(r.deaths) > 0 {
		return r.deaths[0].String() // mpirun ends the others
	}
	words := []string{"mpirun has ended before the notebook's end"}
	if r.last != "" {
		words = append(words, r.last)
	}
	if len(r.notices) > 0 {
		words = append(words, r.notices[0].short())
	}
	return strings.Join(words, ": ")
}

// Wait waits for the end of all ranks.
func (r *Ranks) Wait() error {
	_, err := io.Copy(io.Discard, r.said)
	<-r.over
	if err := errors.Join(err, r.command.Wait()); err != nil {
		return errors.New(r.death())
	}
	return nil
}

// Kill ends all ranks.
func (r *Ranks) Kill() {
	r.command.Process.Signal(syscall.SIGTERM)
	r.Wait()
}

// ProgramFolder makes a folder where a program for ranks can lie: one that all hosts see, which is in the notebook's where there are
// others than this one.
func ProgramFolder(dir string, hosts *Hosts) (string, error) {
	if hosts == nil {
		dir = ""
	}
	folder, err := os.MkdirTemp(dir, ".ranks-")
	if err != nil {
		return "", err
	}
	return filepath.Abs(folder)
}
