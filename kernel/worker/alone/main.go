//go:build unix

package alone

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/debug"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// patience is how long a program that asks for interrupts may take to end its
// work in good order. A second interrupt withdraws it.
const patience = 3 * time.Second

// Main serves the session: it runs entry, the cell, when it is asked to. Generated
// text calls it from main.
func Main(entry func()) {
	Serve(func(_ wire.Request, cell *running.Cell) wire.Outcome { return cell.RunToEnd(entry) })
}

// Serve serves the session: it calls run when a cell is to be run, with what is known
// of the cell, and ends the process when the session closes its end of the pipe.
func Serve(run func(r wire.Request, cell *running.Cell) wire.Outcome) {
	for _, fd := range []int{wire.RequestFD, wire.EventFD} {
		syscall.CloseOnExec(fd) // what the cell starts must not hold the pipes open
	}
	events := wire.NewWriter(os.NewFile(wire.EventFD, "events"))
	send := func(e wire.Event) {
		if err := events.Write(e); err != nil {
			fmt.Fprintln(os.Stderr, "the cell cannot reach its session:", err)
		}
	}
	debug.Tell(func(e wire.DebugEvent) { send(wire.Event{Kind: wire.Halted, Debug: &e}) })
	running.PrepareFlags()
	running.KeepOrder()
	running.LimitStacks()
	input := running.WatchInput(send)
	goOn := make(chan bool, 1)
	send(wire.Event{Kind: wire.Ready})
	interrupted := false
	for requests := wire.NewReader(os.NewFile(wire.RequestFD, "requests")); ; {
		var r wire.Request
		if err := requests.Read(&r); err != nil {
			signalAll(syscall.SIGKILL)
		}
		switch r.Kind {
		case wire.Run:
			go func() {
				outcome := run(r, &running.Cell{
					Number: r.Cell,
					Show:   func(outputs []wire.Bundle) { send(running.Result(r.ID, outputs)) },
					Command: func(n int) bool {
						send(wire.Event{Kind: wire.Command, ID: r.ID, Number: n})
						return <-goOn
					},
				})
				send(wire.Event{Kind: wire.Done, ID: r.ID, Outcome: &outcome})
			}()
		case wire.Configure:
			send(running.Configure(r))
		case wire.Continue:
			goOn <- !r.Stop
		case wire.Answer:
			input.Answer(r)
		case wire.Debug:
			go func() { send(debug.Serve(r)) }() // a method of the user's may take its time
		case wire.Interrupt:
			if interrupted {
				signalAll(syscall.SIGKILL)
			}
			interrupted = true
			time.AfterFunc(patience, func() { signalAll(syscall.SIGKILL) })
			signalAll(syscall.SIGINT)
		}
	}
}

// signalAll sends a signal to the process and to those that it has started.
func signalAll(s syscall.Signal) {
	if err := syscall.Kill(0, s); err != nil {
		fmt.Fprintf(os.Stderr, "signal %v: %v\n", s, err)
		os.Exit(1)
	}
}
