package running

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// Flag is not zero while goroutines of an interrupted cell are to be stopped.
// It is exported for live.Check, which is inlined into every loop of a cell.
var Flag atomic.Uint32

// Cell is one run of a cell.
type Cell struct {
	Number int
	Show   func(outputs []wire.Bundle) // sends the values of the trailing expressions
	// Command has the session do the cell's n-th command, and tells whether the
	// cell goes on.
	Command func(n int) bool

	label   unsafe.Pointer
	mu      sync.Mutex
	failure *wire.Outcome
	over    bool // its first goroutine has ended
}

var (
	mu      sync.Mutex
	current *Cell
	// stopped are the cells whose goroutines are to be stopped. The slice is
	// never changed, only replaced.
	stopped atomic.Pointer[[]*Cell]
	// known are the labels of all cells that may still have goroutines.
	known []weak.Pointer[byte]
)

//go:linkname labels runtime/pprof.runtime_getProfLabel
func labels() unsafe.Pointer

// Run runs the cell's entry function in the calling goroutine and tells over how
// that has ended: without a Status where the cell has called runtime.Goexit, or
// Check has.
func (c *Cell) Run(entry func(), over chan<- wire.Outcome) {
	var outcome wire.Outcome
	defer func() {
		if p := recover(); p != nil {
			outcome = panicked(p)
		}
		c.end()
		over <- outcome
	}()
	c.start()
	entry()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		outcome = *c.failure
	} else {
		outcome.Status = wire.OK
	}
}

// RunToEnd runs the cell's entry function and returns how that has ended.
func (c *Cell) RunToEnd(entry func()) wire.Outcome {
	over := make(chan wire.Outcome, 1)
	go c.Run(entry, over)
	outcome := <-over
	if outcome.Status == "" {
		outcome.Status, outcome.Value = wire.OK, "the cell ended early: it called runtime.Goexit"
	}
	return outcome
}

// start makes the calling goroutine, and those it will start, the cell's.
func (c *Cell) start() {
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("cell", strconv.Itoa(c.Number)))
	pprof.SetGoroutineLabels(ctx)
	c.label = labels()

	mu.Lock()
	defer mu.Unlock()
	current = c
	known = slices.DeleteFunc(known, func(p weak.Pointer[byte]) bool { return p.Value() == nil })
	known = append(known, weak.Make((*byte)(c.label)))
	// What an interrupted cell left behind is stopped until its first goroutine
	// has ended; if others are still there by now, they live on.
	var left []*Cell
	for _, s := range load() {
		if !s.over {
			left = append(left, s)
		}
	}
	store(left)
}

// end says that the cell's first goroutine has ended.
func (c *Cell) end() {
	mu.Lock()
	defer mu.Unlock()
	c.over = true
}

// Stop makes the cell's goroutines end when they next check.
func (c *Cell) Stop() {
	mu.Lock()
	defer mu.Unlock()
	if cells := load(); !slices.Contains(cells, c) {
		store(append(slices.Clip(cells), c))
	}
}

func load() []*Cell {
	if s := stopped.Load(); s != nil {
		return *s
	}
	return nil
}

func store(cells []*Cell) {
	stopped.Store(&cells)
	Flag.Store(uint32(len(cells)))
}

// Check ends the calling goroutine if it belongs to a cell that is stopped.
func Check() {
	label := labels()
	for _, c := range load() {
		if c.label == label {
			runtime.Goexit()
		}
	}
}

// Owner returns what Owns knows the calling goroutine's cell by, or nil if it is of no
// cell.
func Owner() any {
	label := labels()
	mu.Lock()
	defer mu.Unlock()
	if label != nil && slices.ContainsFunc(known, func(p weak.Pointer[byte]) bool { return unsafe.Pointer(p.Value()) == label }) {
		return label
	}
	return nil
}

// Owns tells whether an Owner is the cell's, or nobody's.
func (c *Cell) Owns(owner any) bool { return owner == nil || owner == any(c.label) }

// Own returns the cell of the calling goroutine if it is the one that runs now,
// and nil in what earlier cells left behind.
func Own() *Cell {
	mu.Lock()
	defer mu.Unlock()
	if current != nil && current.label == labels() {
		return current
	}
	return nil
}

// Fail records how the cell failed. The first failure counts.
func (c *Cell) Fail(failure wire.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil {
		c.failure = &failure
	}
}

// Result is the event that shows the values of a cell's trailing expressions.
func Result(id int, outputs []wire.Bundle) wire.Event {
	for i, b := range outputs {
		if _, err := json.Marshal(b); err != nil { // a form that a type has made of itself
			outputs[i] = wire.Bundle{Data: map[string]any{"text/plain": fmt.Sprintf("%v\n(not shown in its other forms: %v)", b.Data["text/plain"], err)}}
		}
	}
	return wire.Event{Kind: wire.Result, ID: id, Bundles: outputs}
}
