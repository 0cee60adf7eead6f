//go:build linux && amd64 && cgo

package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/debug"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// When an interrupt passes from asking to insisting, counted from its arrival.
const (
	stopAfter    = 250 * time.Millisecond // the cell's loops are ended
	abandonAfter = 900 * time.Millisecond // the cell's goroutine is left behind

	// patience is added if the program listens for interrupts, so that it can end
	// its work in good order. A second interrupt withdraws it.
	patience = 3 * time.Second
)

// host serves one session.
type host struct {
	events  *wire.Writer
	output  *output
	runtime *goRuntime
	entries map[string]func() // by the name of the symbol
	cells   map[string]bool   // the files of their libraries
	display *display          // nil until the package that displays is loaded
	comms   bool              // the package of comms is loaded
	input   *running.Input
	turn    chan struct{} // holds one token while show waits
	shown   chan struct{} // the session has shown what it was sent
	goOn    chan bool     // the session's answers to commands: whether the cell goes on
	signals *interrupts

	mu      sync.Mutex
	current *run // the cell that runs, or nil
	early   int  // the run for which an interrupt came before it began
}

// run is one run of a cell.
type run struct {
	id          int
	cell        *running.Cell
	over        chan wire.Outcome // how the cell's goroutine has ended
	abandon     chan struct{}     // closed when it is not to be waited for any longer
	interrupted bool              // guarded by host.mu, as is what follows
	patient     bool              // it has got more time to end by itself
	abandoned   bool
}

// Main serves requests until the session closes its end of the pipe.
func Main() {
	for _, fd := range []int{wire.RequestFD, wire.EventFD} {
		syscall.CloseOnExec(fd) // what cells start must not hold the pipes open
	}
	running.KeepOrder()
	h := &host{
		events:  wire.NewWriter(os.NewFile(wire.EventFD, "events")),
		output:  keepOutput(),
		entries: map[string]func(){},
		cells:   map[string]bool{},
		turn:    make(chan struct{}, 1),
		shown:   make(chan struct{}, 1),
		goOn:    make(chan bool, 1),
	}
	// Where memory runs out, this process is to go and not the kernel.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	// A program that notifies of interrupts does not die of them. Cells may ask
	// for them as any program does.
	h.signals = watchInterrupts()
	bufferLines()
	running.PrepareFlags()
	running.LimitStacks()
	h.input = running.WatchInput(func(e wire.Event) {
		flush() // what asks the question
		h.send(e)
	})
	err := dieWith(wire.RequestFD)
	if err == nil {
		h.runtime, err = findRuntime()
	}
	ready := wire.Event{Kind: wire.Ready}
	if err != nil {
		ready.Err = err.Error()
	}
	if h.events.Write(ready) != nil || err != nil {
		os.Exit(1)
	}
	debug.Tell(func(e wire.DebugEvent) {
		flush()
		h.send(wire.Event{Kind: wire.Halted, Debug: &e})
	})
	h.letCarry()
	queue := make(chan wire.Request, 16)
	go h.work(queue)
	requests := wire.NewReader(os.NewFile(wire.RequestFD, "requests"))
	for {
		var r wire.Request
		if err := requests.Read(&r); err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(os.Stderr, "the worker ends:", err)
			}
			// With what cells have started, as dieWith does.
			_ = syscall.Kill(0, syscall.SIGKILL)
		}
		switch r.Kind {
		case wire.Interrupt:
			h.interrupt(r.ID)
		case wire.Shown:
			h.shown <- struct{}{}
		case wire.Configure:
			h.send(running.Configure(r))
		case wire.Continue:
			h.goOn <- !r.Stop
		case wire.Answer:
			h.input.Answer(r)
		case wire.Debug:
			go func() { h.send(debug.Serve(r)) }() // a method of the user's may take its time
		default:
			queue <- r
		}
	}
}

// work serves the requests that take their turn.
func (h *host) work(queue <-chan wire.Request) {
	h.runtime.prepare() // while the session prepares the first cell
	for r := range queue {
		switch r.Kind {
		case wire.Load:
			e := wire.Event{Kind: wire.Loaded, ID: r.ID}
			if err := h.load(r.Library); err != nil {
				e.Err = err.Error()
			}
			h.send(e)
		case wire.Run:
			outcome := h.run(r)
			h.send(wire.Event{Kind: wire.Done, ID: r.ID, Outcome: &outcome})
		}
	}
}

func (h *host) send(e wire.Event) {
	if err := h.events.Write(e); err != nil {
		fmt.Fprintln(os.Stderr, "the worker cannot reach its session:", err)
	}
}

// show sends what is to be shown and waits until it is: what is printed afterwards
// comes after it.
func (h *host) show(e wire.Event) error {
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if err := h.events.Write(e); err != nil {
		return err
	}
	<-h.shown
	return nil
}

func (h *host) load(lib wire.Library) error {
	handle, err := h.runtime.load(lib)
	if err != nil {
		return err
	}
	if lib.Entry == "" {
		h.takeDisplay()
		h.unlockComms()
		return nil
	}
	h.cells[lib.File] = true
	code := lookup(handle, lib.Entry)
	if code == nil {
		return fmt.Errorf("%s has no symbol %s", lib.File, lib.Entry)
	}
	h.entries[lib.Entry] = function[func()](code)
	return nil
}

// run runs a cell in a goroutine of its own, and returns when that has ended or
// is to be left behind.
func (h *host) run(req wire.Request) wire.Outcome {
	entry := h.entries[req.Entry]
	if entry == nil {
		return wire.Outcome{Status: wire.Failed, Name: "error", Value: "no cell is loaded as " + req.Entry}
	}
	r := &run{
		id:      req.ID,
		cell:    &running.Cell{Number: req.Cell},
		over:    make(chan wire.Outcome, 1),
		abandon: make(chan struct{}),
	}
	r.cell.Show = func(outputs []wire.Bundle) {
		h.mu.Lock()
		current := h.current
		h.mu.Unlock()
		if current != r {
			return // it has been left behind
		}
		if err := h.show(running.Result(req.ID, outputs)); err != nil {
			fmt.Fprintln(os.Stderr, "the worker cannot reach its session:", err)
		}
	}
	r.cell.Command = func(n int) bool {
		flush()
		h.send(wire.Event{Kind: wire.Command, ID: req.ID, Number: n})
		return <-h.goOn
	}
	h.output.mend()
	h.mu.Lock()
	h.current = r
	early := h.early == r.id
	h.mu.Unlock()
	go r.cell.Run(entry, r.over)
	if early {
		h.interrupt(r.id)
	}

	var outcome wire.Outcome
	select {
	case outcome = <-r.over:
		flush()
	case <-r.abandon:
		outcome.Abandoned = true // C's stdio may be locked by it: not flushed
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.current = nil
	switch {
	case outcome.Status != "":
	case r.interrupted:
		outcome.Status, outcome.Name, outcome.Value = wire.Interrupted, "interrupted", "interrupted"
	default:
		outcome.Status = wire.OK
		outcome.Value = "the cell ended early: it called runtime.Goexit"
	}
	return outcome
}

// interrupt asks a running cell to end, then makes it, then leaves it behind.
func (h *host) interrupt(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.current
	if r == nil || r.id != id {
		h.early = id // to come, or over
		return
	}
	if r.interrupted {
		if r.patient {
			r.patient = false
			h.insist(r, 0)
		}
		return
	}
	r.interrupted = true
	r.patient = h.signals.listens(r.cell)
	h.signals.cell.Store(r.cell)
	// As a terminal would, to the processes that the cell has started as well.
	target := os.Getpid()
	if syscall.Getpgrp() == target {
		target = 0
	}
	if err := syscall.Kill(target, syscall.SIGINT); err != nil {
		fmt.Fprintln(os.Stderr, "interrupt:", err)
	}
	if r.patient {
		h.insist(r, patience)
	} else {
		h.insist(r, 0)
	}
}

// insist ends the cell's loops, and then leaves the cell behind.
func (h *host) insist(r *run, later time.Duration) {
	time.AfterFunc(later+stopAfter, func() { h.escalate(r, r.cell.Stop) })
	time.AfterFunc(later+abandonAfter, func() {
		h.escalate(r, func() {
			if !r.abandoned {
				r.abandoned = true
				close(r.abandon)
			}
		})
	})
}

// escalate does a step of an interrupt if the cell is still there.
func (h *host) escalate(r *run, step func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == r {
		step()
	}
}
