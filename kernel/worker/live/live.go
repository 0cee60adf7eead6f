package live

import (
	"fmt"
	"os"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// Check ends the calling goroutine, running its deferred calls, if it belongs to
// a cell that has been interrupted. Generated text calls it in every loop; it is
// inlined there and costs a load and a branch.
func Check() {
	if running.Flag.Load() != 0 {
		running.Check()
	}
}

// Fail records the error that ends the cell, from the given line. Generated text
// returns from the cell right after.
func Fail(cell, line int, err error) {
	if c := running.Own(); c != nil {
		c.Fail(wire.Outcome{Status: wire.Failed, Name: "error", Value: text(err), Cell: cell, Line: line})
	}
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
	fmt.Fprintf(os.Stderr, "Cell [%d], line %d: error not handled: %s\n", cell, line, text(err))
	settle(2)
}

// Show shows the value of the cell's trailing expression, or its values if it is
// a call that returns several.
func Show(values ...any) {
	c := running.Own()
	if c == nil {
		return
	}
	data, meta := bundle(values)
	c.Show(data, meta)
}
