package debug

import (
	"fmt"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// thread is the number of the goroutine that is stopped.
const thread = 1

// stopped is a goroutine that waits.
type stopped struct {
	frame                     *Frame
	reason, description, text string
	goroutine                 int64         // its number
	frames                    []*Frame      // innermost first
	first                     int           // the number of the innermost one
	resume                    chan struct{} // closed when it goes on

	mu         sync.Mutex
	references map[int]reference
}

// Numbers are given once: JupyterLab takes a frame of the same number for the one that
// it shows already, and asks about what was stopped a moment ago.
var frameNumbers, referenceNumbers atomic.Int64

// step is what a goroutine does until it stops again.
type step struct {
	kind string // "next", "stepIn" or "stepOut"
	from *Frame
	at   position
}

var (
	mu               sync.Mutex
	current          *stopped // nil while nothing is stopped
	stepped          *step
	paused           bool        // the next statement stops
	onPanic, onError atomic.Bool // stop where a function panics, an error ends the cell
	// watched is not zero when each statement is to be looked at.
	watched     atomic.Int32
	breakpoints atomic.Pointer[map[place]*wire.Expr] // with their conditions; never changed, only replaced
)

// place is a line of a cell's file.
type place struct {
	file string
	line int
}

// breakpoint tells whether the frame is at a breakpoint, and on what condition.
func (f *Frame) breakpoint() (condition *wire.Expr, is bool) {
	if all := breakpoints.Load(); all != nil {
		condition, is = (*all)[place{f.file, f.place.line}]
	}
	return condition, is
}

// breaks tells whether it is at a breakpoint whose condition holds, or cannot be
// computed, which somebody wants to know.
func (f *Frame) breaks() (holds bool, failed error) {
	condition, is := f.breakpoint()
	if !is || condition == nil {
		return is, nil
	}
	look(func() {
		defer func() {
			if p := recover(); p != nil { // not the cell's
				holds, failed = true, fmt.Errorf("%v", p)
			}
		}()
		var v reflect.Value
		v, failed = evaluation{&stopped{frames: []*Frame{f}}, 0}.value(condition)
		if failed == nil && unwrapped(v).Kind() != reflect.Bool {
			failed = fmt.Errorf("a condition is a bool, and this is a %s", typeOf(v))
		}
		holds = failed != nil || unwrapped(v).Bool()
	})
	return holds, failed
}

// setBreakpoints replaces the breakpoints of a file.
func setBreakpoints(file string, points []wire.Breakpoint) {
	mu.Lock()
	defer mu.Unlock()
	next := map[place]*wire.Expr{}
	if all := breakpoints.Load(); all != nil {
		maps.Copy(next, *all)
	}
	maps.DeleteFunc(next, func(p place, _ *wire.Expr) bool { return p.file == file })
	for _, p := range points {
		next[place{file, p.Line}] = p.Condition
	}
	breakpoints.Store(&next)
}

// watch sets watched. The caller holds mu.
func watch() {
	if current != nil || stepped != nil || paused {
		watched.Store(1)
	} else {
		watched.Store(0)
	}
}

// arrive stops at a statement if there is a reason.
func (f *Frame) arrive() {
	reason, text := "", ""
	if holds, failed := f.breaks(); failed != nil {
		reason, text = "breakpoint", "the breakpoint's condition: "+failed.Error()
	} else if holds {
		reason = "breakpoint"
	}
	mu.Lock()
	if reason == "" {
		reason = f.reason()
	}
	for current != nil { // another goroutine's turn
		wait := current.resume
		mu.Unlock()
		rest(wait)
		mu.Lock()
		if reason == "" {
			reason = f.reason()
		}
	}
	mu.Unlock()
	if reason != "" {
		f.stop(&stopped{reason: reason, text: text})
	}
}

// reason is why a frame is to stop where it is, but for breakpoints, or "". The
// caller holds mu.
func (f *Frame) reason() string {
	if paused {
		return "pause"
	}
	if s := stepped; s != nil && s.from.stack == f.stack {
		// The same statement is another turn of its loop.
		sameLine := f == s.from && f.place.line == s.at.line && f.place != s.at
		switch {
		case s.kind == "stepIn" && !sameLine,
			s.kind == "next" && !sameLine && f.depth <= s.from.depth,
			s.kind == "stepOut" && f.depth < s.from.depth:
			return "step"
		}
	}
	return ""
}

// stop waits until a client has the cell go on. The end of an interrupted cell ends
// the wait.
func (f *Frame) stop(s *stopped) {
	mu.Lock()
	for current != nil {
		wait := current.resume
		mu.Unlock()
		rest(wait)
		mu.Lock()
	}
	if !attached.Load() {
		mu.Unlock()
		return
	}
	s.goroutine = number()
	s.frame, s.frames, s.resume, s.references = f, f.listed(), make(chan struct{}), map[int]reference{}
	s.first = int(frameNumbers.Add(int64(len(s.frames)))) - len(s.frames) + 1
	current, stepped, paused = s, nil, false
	watch()
	tell("stopped", map[string]any{
		"reason": s.reason, "threadId": thread, "allThreadsStopped": true, "description": s.description, "text": s.text,
	})
	mu.Unlock()
	defer release(s)
	rest(s.resume)
}

// rest waits for a channel to be closed, unless the cell is to end.
func rest(resume <-chan struct{}) {
	for {
		select {
		case <-resume:
			return
		case <-time.After(50 * time.Millisecond):
			if running.Flag.Load() != 0 {
				running.Check()
			}
		}
	}
}

// release lets a goroutine that is stopped go on, if it still is. That is told first:
// its next stop may be there at once.
func release(s *stopped) bool {
	mu.Lock()
	defer mu.Unlock()
	is := current == s && s != nil
	if is {
		tell("continued", map[string]any{"threadId": thread, "allThreadsContinued": true})
		current = nil
		close(s.resume)
	}
	watch()
	return is
}

// resume lets the cell go on, by a step if that has a kind.
func resume(kind string) bool {
	mu.Lock()
	s := current
	if s != nil && kind != "" {
		stepped = &step{kind: kind, from: s.frame, at: s.frame.place}
	}
	mu.Unlock()
	return release(s)
}

// leave forgets a step in a goroutine that has come to its end.
func leave(s *stack) {
	mu.Lock()
	defer mu.Unlock()
	if stepped != nil && stepped.from.stack == s {
		stepped = nil
		watch()
	}
}

// Failed stops where an error is about to end the cell, if that is asked for.
func Failed(text string) {
	if !attached.Load() || !onError.Load() {
		return
	}
	if f := top(); f != nil {
		f.stop(&stopped{reason: "exception", description: "an error", text: text})
	}
}
