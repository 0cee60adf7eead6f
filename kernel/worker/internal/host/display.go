//go:build linux && amd64 && cgo

package host

import (
	"io"
	"os"
	"sync"
	"time"
	"unsafe"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// display takes the place of the pipe to which GoNB's package gonbui writes what
// a program displays.
//
// Written to a pipe, a figure and the lines printed before and after it would
// arrive by different ways, and nobody could tell their order any more. So the
// package is given an encoder of its own kind that hands each message to the
// session and waits until it is shown. Programs that cells start, and versions of
// the package that look different, use the pipe.
type display struct{ host *host }

// takeDisplay looks whether the package has been loaded, and if so, takes over.
func (h *host) takeDisplay() {
	const pkg = "github.com/janpfeifer/gonb/gonbui."
	encoder := (*unsafe.Pointer)(lookup(nil, pkg+"gonbEncoder"))
	pipe := (**os.File)(lookup(nil, pkg+"gonbWriterPipe"))
	newEncoder := lookup(nil, "encoding/gob.NewEncoder.abiinternal")
	if h.display != nil || encoder == nil || pipe == nil || newEncoder == nil || *pipe != nil {
		return
	}
	// The package opens the pipe unless it is there. Nothing is written to it.
	f, err := os.OpenFile(os.Getenv("GONB_PIPE"), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	h.display = &display{h}
	*encoder = function[func(io.Writer) unsafe.Pointer](newEncoder)(h.display)
	*pipe = f
}

// unlockComms takes out a fault of GoNB's package comms (v0.11.3) that would be the
// end of all widgets of a session: a value that arrives when nobody listens to its
// address any more leaves the package's mutex locked. Nothing else holds it for long.
func (h *host) unlockComms() {
	mutex := (*sync.Mutex)(lookup(nil, "github.com/janpfeifer/gonb/gonbui/comms.muSubscriptions"))
	take := (*func(unsafe.Pointer))(lookup(nil, "github.com/janpfeifer/gonb/gonbui.OnCommValueUpdate"))
	if h.comms || mutex == nil || take == nil || *take == nil {
		return
	}
	h.comms = true
	theirs := *take
	*take = func(value unsafe.Pointer) {
		theirs(value)
		for range 100 {
			if mutex.TryLock() {
				mutex.Unlock()
				return
			}
			time.Sleep(time.Millisecond)
		}
		mutex.Unlock()
	}
}

// Write shows a part of the display stream.
func (d *display) Write(b []byte) (int, error) {
	if err := d.host.show(wire.Event{Kind: wire.Display, Stream: b}); err != nil {
		return 0, err
	}
	return len(b), nil
}
