package debug

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// A Frame is a call of a function that stops for the debugger. Its methods do
// nothing for a nil Frame, which a function has that was called when no debugger
// was attached.
type Frame struct {
	file, function string
	stack          *stack
	depth          int // 1 for the outermost

	place    position
	names    string
	pointers func() []any
}

// stack is what runs in one goroutine, outermost first. Other goroutines look at it
// while its own one waits.
type stack struct {
	goroutine uintptr
	frames    []*Frame
	panicking bool // and its stop is over
}

var (
	attached atomic.Bool
	stacksMu sync.Mutex
	stacks   = map[uintptr]*stack{}
	// looking are the goroutines that read variables for a client: the methods that
	// they call do not stop.
	looking = map[uintptr]bool{}
)

// Enter begins a call of a function that is declared in a cell's file.
func Enter(file, function string) *Frame {
	if !attached.Load() {
		return nil
	}
	id := goroutine()
	stacksMu.Lock()
	defer stacksMu.Unlock()
	if looking[id] {
		return nil
	}
	s := stacks[id]
	if s == nil {
		s = &stack{goroutine: id}
		stacks[id] = s
	}
	f := &Frame{file: file, function: function, stack: s, depth: len(s.frames) + 1}
	s.frames = append(s.frames, f)
	return f
}

// Leave ends the call. It is deferred, and stops if the call panics and that is
// asked for.
func (f *Frame) Leave() {
	if f == nil {
		return
	}
	if onPanic.Load() && !f.stack.panicking && f.place.line > 0 && isPanic() {
		f.stack.panicking = true
		f.stop(&stopped{reason: "exception", description: "a panic", text: "a panic: its message comes when the cell goes on"})
	}
	s := f.stack
	stacksMu.Lock()
	s.frames[f.depth-1] = nil // which leads to variables
	s.frames = s.frames[:f.depth-1]
	over := len(s.frames) == 0
	if over {
		delete(stacks, s.goroutine)
	}
	stacksMu.Unlock()
	if over {
		leave(s)
	}
}

// isPanic tells whether the deferred function that calls it was called by a panic.
func isPanic() bool {
	pcs := make([]uintptr, 8)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)]) // without Callers, this function and the deferred one
	for {
		frame, more := frames.Next()
		// The compiler may make a function of the deferred call and its receiver.
		if !strings.Contains(frame.Function, ".deferwrap") {
			return frame.Function == "runtime.gopanic"
		}
		if !more {
			return false
		}
	}
}

// position is where a statement begins in its cell.
type position struct{ line, column int }

// At tells that a statement comes next, and where it begins. The names of what can be
// seen from there are parted by blanks.
func (f *Frame) At(line, column int, names string, pointers func() []any) {
	if f == nil {
		return
	}
	f.place, f.names, f.pointers = position{line, column}, names, pointers
	f.stack.panicking = false
	if watched.Load() == 0 {
		if _, is := f.breakpoint(); !is {
			return
		}
	}
	f.arrive()
}

// listed are the frames of a goroutine that is stopped in f, innermost first.
func (f *Frame) listed() []*Frame {
	stacksMu.Lock()
	defer stacksMu.Unlock()
	all := []*Frame{f}
	for i := len(f.stack.frames) - 1; i >= 0; i-- {
		if g := f.stack.frames[i]; g != f { // the body of a loop over a function runs below that
			all = append(all, g)
		}
	}
	return all
}

// top is the innermost frame of the calling goroutine, or nil.
func top() *Frame {
	if !attached.Load() {
		return nil
	}
	id := goroutine()
	stacksMu.Lock()
	defer stacksMu.Unlock()
	if s := stacks[id]; s != nil && len(s.frames) > 0 {
		return s.frames[len(s.frames)-1]
	}
	return nil
}

// look calls f in a goroutine that does not stop.
func look(f func()) {
	id := goroutine()
	set := func(is bool) {
		stacksMu.Lock()
		defer stacksMu.Unlock()
		if is {
			looking[id] = true
		} else {
			delete(looking, id)
		}
	}
	set(true)
	defer set(false)
	f()
}
