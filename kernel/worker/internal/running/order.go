//go:build unix

package running

import (
	"os"
	"runtime"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// The session reads standard output and standard error from two pipes. Their
// order is kept on this side: a write to the one waits until the other is empty,
// which takes the session some microseconds, and the start of a process until both
// are. What C code and child processes have written before is waited for as well; they
// themselves do not wait.

// orderPatience is for a pipe that somebody else than the session reads, since
// the program has put its own in the place of 1 or 2.
const orderPatience = time.Second

// KeepOrder begins to keep the order of the two streams, where package os has
// been given the function to call for that (kernel/internal/build/stdio.go).
func KeepOrder() {
	if file, ok := any(os.Stdout).(interface{ OrderWriteʹ(f func(fd int)) }); ok {
		file.OrderWriteʹ(func(fd int) { read(3 - fd) })
	}
	if process, ok := any(new(os.Process)).(interface{ BeforeStartʹ(f func()) }); ok {
		process.BeforeStartʹ(func() { read(1); read(2) })
	}
}

// read waits until the session has read all that is in a pipe.
func read(fd int) {
	if wire.Unread(fd) == 0 {
		return
	}
	for turn, start := 0, time.Now(); wire.Unread(fd) > 0 && time.Since(start) < orderPatience; turn++ {
		if turn < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(50 * time.Microsecond)
		}
	}
}
