package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// WorkerConfig says how to start a worker.
type WorkerConfig struct {
	Path string   // the executable, as build.Builder.Worker returns it
	Dir  string   // the working directory of the cells
	Env  []string // added to the environment
	// TempDir is where the display pipes are made. Empty means the system's.
	TempDir string
	// Output gets all that the worker's program prints and displays, also between
	// the runs of cells. Its methods are called one at a time. While one of them
	// blocks, the program does as soon as its pipes are full.
	Output message.Output
	// Front is what the program's comms reach. Nil means that nobody is there.
	Front *front
	// Command does the n-th command of the cell that runs, when the cell comes to
	// it, and tells whether the cell goes on. It may be nil if no cell has any.
	Command func(n int) bool
	// Debug is told when the debugger has stopped the program, or let it go on, when
	// all that it has printed by then was given to the Output. It may be nil if no
	// debugger is used.
	Debug func(wire.DebugEvent)
}

// Worker is the process that holds a session's state. Load and Run are meant to
// be called one after the other; the other methods at any time.
type Worker struct {
	cmd      *exec.Cmd
	output   message.Output
	command  func(n int) bool
	debug    func(wire.DebugEvent)
	requests *wire.Writer
	pipe     *os.File // the session's end of requests; closing it ends the worker
	input    *input   // with the session's end of standard input
	pump     *pump
	dir      string // of the display pipes

	mu      sync.Mutex
	lastID  int
	waiting map[int]chan wire.Event // for the event that ends a request
	run     int                     // the request of the cell that runs
	ending  bool                    // the process has ended or is being ended: its id means nothing
	closed  bool                    // by Kill
	died    *WorkerDied             // set before dead is closed
	dead    chan struct{}
}

// WorkerDied is the error of a request to a worker that has ended: by os.Exit, a
// fatal error of the runtime, a panic outside of the cell's own goroutine, a
// signal, or Close. All state is lost.
type WorkerDied struct {
	ExitCode int            // -1 if a signal ended it
	Signal   syscall.Signal // 0 if it has exited
	Closed   bool           // Close or Kill has ended it
	Cut      bool           // its program has closed the worker's own descriptors, and it was killed
}

func (e *WorkerDied) Error() string {
	switch {
	case e.Closed:
		return "the worker was ended"
	case e.Cut:
		return "the worker could not be reached any more"
	case e.Signal != 0:
		return fmt.Sprintf("the worker died: signal %d (%v)", int(e.Signal), e.Signal)
	default:
		return fmt.Sprintf("the worker ended with exit status %d", e.ExitCode)
	}
}

// StartWorker starts a worker and waits until it serves requests.
func StartWorker(ctx context.Context, config WorkerConfig) (_ *Worker, err error) {
	w := &Worker{output: config.Output, command: config.Command, debug: config.Debug, waiting: map[int]chan wire.Event{}, dead: make(chan struct{})}
	var theirs []*os.File // the worker's ends
	closeTheirs := func() {
		for _, f := range theirs {
			f.Close()
		}
		theirs = nil
	}
	defer func() {
		closeTheirs()
		if err != nil {
			w.release()
		}
	}()
	pipe := func() (r, wr *os.File) {
		if err == nil {
			r, wr, err = os.Pipe()
		}
		return r, wr
	}
	stdin, ourStdin := pipe()
	ourStdout, stdout := pipe()
	ourStderr, stderr := pipe()
	requests, ourRequests := pipe()
	ourEvents, events := pipe()
	for _, f := range []*os.File{stdin, stdout, stderr, requests, events} {
		if f != nil {
			theirs = append(theirs, f)
		}
	}
	w.pipe = ourRequests
	if config.Front == nil {
		config.Front = newFront(config.Output, "")
	}
	w.input = newInput(ourStdin, config.Output, w.answer, w.dead)
	w.pump = &pump{output: config.Output, ask: w.input.ask, front: config.Front, stdout: ourStdout, stderr: ourStderr}
	if err != nil {
		return nil, err
	}
	if w.dir, err = os.MkdirTemp(config.TempDir, "_worker-"); err != nil {
		return nil, err
	}
	there, back := filepath.Join(w.dir, "display"), filepath.Join(w.dir, "answers")
	if w.pump.display, err = openFIFO(there); err != nil {
		return nil, err
	}
	if w.pump.answers, err = openFIFO(back); err != nil {
		return nil, err
	}

	w.cmd = exec.Command(config.Path)
	w.cmd.Dir = config.Dir
	w.cmd.Env = append(append(os.Environ(), config.Env...),
		protocol.GONB_PIPE_ENV+"="+there, protocol.GONB_PIPE_BACK_ENV+"="+back)
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = stdin, stdout, stderr
	w.cmd.ExtraFiles = []*os.File{wire.RequestFD - 3: requests, wire.EventFD - 3: events}
	// A process group of its own: an interrupt of the kernel's terminal is not the
	// worker's, and what cells start can be ended with it.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the worker: %w", err)
	}
	closeTheirs() // so that the events end when the worker does
	w.input.process, w.input.printed = w.cmd.Process.Pid, func() { w.pump.drain(nil) }
	w.requests = wire.NewWriter(w.pipe)
	ready := w.expect(0)
	w.pump.start()
	go w.receive(ourEvents)
	if _, err := w.wait(ctx, ready); err != nil {
		w.Kill()
		return nil, fmt.Errorf("start the worker: %w", err)
	}
	return w, nil
}

// expect makes the channel for the event that ends a request.
func (w *Worker) expect(id int) chan wire.Event {
	c := make(chan wire.Event, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[id] = c
	return c
}

// do sends a request and waits for the event that ends it. It calls sent, if
// given, when the request is on its way, and what that returns at the end.
func (w *Worker) do(ctx context.Context, r wire.Request, sent ...func() (end func() bool)) (wire.Event, error) {
	w.mu.Lock()
	w.lastID++
	r.ID = w.lastID
	if r.Kind == wire.Run {
		w.run = r.ID
	}
	w.mu.Unlock()
	if r.Kind == wire.Run {
		w.input.begin()
	}
	answer := w.expect(r.ID)
	if err := w.requests.Write(r); err != nil {
		<-w.dead // the other end is gone, so the process is, or will be
		return wire.Event{}, w.died
	}
	for _, s := range sent {
		defer s()()
	}
	return w.wait(ctx, answer)
}

func (w *Worker) wait(ctx context.Context, answer chan wire.Event) (wire.Event, error) {
	select {
	case e := <-answer:
		if e.Err != "" {
			return e, errors.New(e.Err)
		}
		return e, nil
	case <-w.dead:
		return wire.Event{}, w.died
	case <-ctx.Done():
		return wire.Event{}, ctx.Err()
	}
}

// Load loads a library, with its packages' initialisation.
func (w *Worker) Load(ctx context.Context, lib build.Library) error {
	if _, err := w.do(ctx, wire.Request{Kind: wire.Load, Library: wire.Library(lib)}); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}

// Run runs the entry function of a loaded cell and returns how that has ended,
// when all that the cell has printed and displayed has been given to the Output.
// The end of the context interrupts the cell, see Interrupt. An error is a
// *WorkerDied.
func (w *Worker) Run(ctx context.Context, cell int, entry string) (wire.Outcome, error) {
	sent := func() func() bool { return context.AfterFunc(ctx, w.Interrupt) }
	e, err := w.do(context.WithoutCancel(ctx), wire.Request{Kind: wire.Run, Cell: cell, Entry: entry}, sent)
	if err != nil {
		return wire.Outcome{}, err
	}
	return *e.Outcome, nil
}

// Configure changes what the program finds around it, also while a cell runs.
func (w *Worker) Configure(ctx context.Context, settings wire.Settings) error {
	_, err := w.do(ctx, wire.Request{Kind: wire.Configure, Settings: &settings})
	return err
}

// Debug asks the debugger, also while a cell runs or is stopped. It returns the body of
// the answer.
func (w *Worker) Debug(ctx context.Context, command wire.DebugCommand) (json.RawMessage, error) {
	e, err := w.do(ctx, wire.Request{Kind: wire.Debug, Debug: &command})
	return e.Body, err
}

// Interrupt asks the cell that runs to end, insists after a moment, and leaves
// its goroutine behind if that does not help either: Run returns within a second
// or so. It does nothing if no cell runs.
func (w *Worker) Interrupt() {
	w.mu.Lock()
	run := w.run
	w.mu.Unlock()
	if run != 0 {
		// A worker that is gone needs no interrupt.
		_ = w.requests.Write(wire.Request{Kind: wire.Interrupt, ID: run})
	}
}

// receive handles the worker's events until it has ended.
func (w *Worker) receive(events *os.File) {
	defer events.Close()
	for r := wire.NewReader(events); ; {
		var e wire.Event
		if err := r.Read(&e); err != nil {
			break
		}
		switch e.Kind {
		case wire.Result:
			w.pump.drain(func() { w.show(e.Bundles) })
			_ = w.requests.Write(wire.Request{Kind: wire.Shown}) // a worker that is gone does not wait
			continue
		case wire.Display:
			w.pump.displayed(e.Stream, func() {
				_ = w.requests.Write(wire.Request{Kind: wire.Shown}) // as above
			})
			continue
		case wire.Command:
			w.pump.drain(nil)
			go func() {
				goOn := w.command(e.Number)
				_ = w.requests.Write(wire.Request{Kind: wire.Continue, Stop: !goOn}) // as above
			}()
			continue
		case wire.Input:
			w.pump.drain(nil) // the question
			w.input.ask(question{reads: true})
			continue
		case wire.Halted:
			w.pump.drain(nil)
			if w.debug != nil {
				w.debug(*e.Debug)
			}
			continue
		case wire.Done, wire.Configured:
			// All that the program has printed is in the pipes.
			w.pump.drain(nil)
			if e.Kind == wire.Done {
				w.input.rest()
			}
		}
		w.mu.Lock()
		c := w.waiting[e.ID]
		if w.run == e.ID {
			w.run = 0
		}
		delete(w.waiting, e.ID)
		w.mu.Unlock()
		if c != nil {
			c <- e
		}
	}
	// The worker has ended, or a cell has closed its descriptors.
	cut := !w.ends()
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	w.killGroup()
	_ = w.cmd.Wait() // its status is in ProcessState
	w.pump.drain(nil)
	w.release()
	status := w.cmd.ProcessState.Sys().(syscall.WaitStatus)
	w.mu.Lock()
	w.died = &WorkerDied{ExitCode: status.ExitStatus(), Closed: w.closed, Cut: cut && !w.closed}
	if status.Signaled() {
		w.died.Signal = status.Signal()
	}
	w.mu.Unlock()
	close(w.dead)
}

// show shows what a cell ends with: of Jupyter's outputs only one is its result.
func (w *Worker) show(bundles []wire.Bundle) {
	for i, b := range bundles {
		if i == len(bundles)-1 {
			w.output.Result(b.Data, b.Meta)
			continue
		}
		w.output.Display(message.DisplayData{Data: b.Data, Metadata: b.Meta})
	}
}

// ends tells whether the process ends by itself, now that its events have ended: one
// that is ending has given up all of its descriptors at once, however long the system
// takes to do away with the rest of it. It is not waited for, so that its id stays its
// own.
func (w *Worker) ends() bool {
	const pid, exited, noHang, noWait = 1, 4, 1, 0x1000000 // P_PID, WEXITED, WNOHANG, WNOWAIT
	var info [32]int32                                     // siginfo_t; the process's id is in it once it has ended
	descriptors := fmt.Sprintf("/proc/%d/fd", w.cmd.Process.Pid)
	for deadline := time.Now().Add(endPatience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pid, uintptr(w.cmd.Process.Pid), uintptr(unsafe.Pointer(&info)), exited|noHang|noWait, 0, 0)
		if errno != 0 && errno != syscall.EINTR || info[0] != 0 {
			return true
		}
		if open, err := os.ReadDir(descriptors); err == nil && len(open) > 0 {
			return false
		}
	}
	return false
}

// endPatience is for machines that have a lot to do, and for systems that do not tell
// which descriptors a process has.
const endPatience = 10 * time.Second

// killGroup ends the worker, and what cells have started.
func (w *Worker) killGroup() { _ = syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL) }

// release closes the session's files and removes the display pipes.
func (w *Worker) release() {
	if w.pipe != nil {
		w.pipe.Close()
	}
	if w.input != nil {
		w.input.close()
	}
	if w.pump != nil {
		w.pump.close()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}

// Alive tells whether the worker has not ended yet.
func (w *Worker) Alive() bool {
	select {
	case <-w.dead:
		return false
	default:
		return true
	}
}

// Dead is closed when the worker has ended.
func (w *Worker) Dead() <-chan struct{} { return w.dead }

// Kill ends the worker at once, with all that cells have started, and waits until
// it is gone.
func (w *Worker) Kill() {
	w.mu.Lock()
	if !w.ending {
		w.ending, w.closed = true, true
		w.killGroup()
	}
	w.mu.Unlock()
	<-w.dead
}

// PID is the worker's process id.
func (w *Worker) PID() int { return w.cmd.Process.Pid }

// resident is how many bytes of memory the process has, 0 where the system does not tell.
func (w *Worker) resident() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", w.PID()))
	if f := strings.Fields(string(text)); err == nil && len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

// answer answers the program's Input. A worker that is gone does not wait for it.
func (w *Worker) answer(r wire.Request) { _ = w.requests.Write(r) }
