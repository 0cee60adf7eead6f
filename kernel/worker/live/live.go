package live

import (
	"fmt"
	"os"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/debug"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/show"
)

// Check ends the calling goroutine, running its deferred calls, if it belongs to
// a cell that has been interrupted. Generated text calls it in every loop; it is
// inlined there and costs a load and a branch.
func Check() {
	if running.Flag.Load() != 0 {
		running.Check()
	}
}

// Error is Go's error, by a name that no cell can redeclare.
type Error = error

// Failed tells whether err ends the cell, and records it with its place if so.
// Generated text returns from the cell then.
func Failed(cell, line int, err error) bool {
	if err == nil {
		return false
	}
	if c := running.Own(); c != nil {
		text := show.Error(err)
		debug.Failed(text)
		c.Fail(wire.Outcome{Status: wire.Failed, Name: "error", Value: text, Cell: cell, Line: line})
	}
	return true
}

// Dropped tells on standard error of an error that a statement has returned and
// nobody has looked at. It does nothing for a nil error.
func Dropped(cell, line int, err error) {
	if err == nil {
		return
	}
	if c := running.Own(); c != nil {
		cell = c.Number // by which it is shown now, if it was run again
	}
	settle(1)
	fmt.Fprintf(os.Stderr, "Cell [%d], line %d: error not handled: %s\n", cell, line, show.Error(err))
	settle(2)
}

// Show shows the values of the cell's trailing expressions, or of one that is a
// call that returns several.
func Show(values ...any) {
	c := running.Own()
	if c == nil {
		return
	}
	c.Show(show.Values(values))
}
