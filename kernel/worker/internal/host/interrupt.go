//go:build linux && amd64 && cgo

package host

import (
	"os"
	"os/signal"
	"sync/atomic"

	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// interrupts are what package os/signal relays of SIGINT, which the process gets for
// one cell: a training that an earlier cell has left running goes on. Package
// os/signal has been given variables for that (kernel/internal/build/stdio.go).
type interrupts struct {
	cell   atomic.Pointer[running.Cell] // that a signal on its way is for
	wanted *func(sig os.Signal, by func(owner any) bool) bool
}

// ours is the owner of the worker's own wish for interrupts.
type ours struct{}

// watchInterrupts keeps the process alive when it is interrupted.
func watchInterrupts() *interrupts {
	i := &interrupts{wanted: (*func(os.Signal, func(any) bool) bool)(lookup(nil, "os/signal.wanted"))}
	owner := (*func() any)(lookup(nil, "os/signal.owner"))
	relays := (*func(any, os.Signal) bool)(lookup(nil, "os/signal.relays"))
	if i.wanted == nil || owner == nil || relays == nil {
		i.wanted = nil
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
		return i
	}
	*owner = func() any { return ours{} }
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, os.Interrupt)
	*owner = running.Owner
	*relays = func(owner any, sig os.Signal) bool {
		c := i.cell.Load()
		return sig != os.Interrupt || c == nil || owner == ours{} || c.Owns(owner)
	}
	go func() {
		for range arrived {
			signal.Notify(arrived, os.Interrupt) // waits until the signal was relayed to all
			i.cell.Store(nil)
		}
	}()
	return i
}

// listens tells whether a cell has asked for interrupts, as by signal.NotifyContext.
// Where package os/signal is as it comes with Go, none is said to.
func (i *interrupts) listens(c *running.Cell) bool {
	return i.wanted != nil && (*i.wanted)(os.Interrupt, func(owner any) bool { return owner != ours{} && c.Owns(owner) })
}
