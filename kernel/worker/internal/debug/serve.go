package debug

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

var (
	tellMu sync.Mutex
	teller func(wire.DebugEvent)
)

// Tell says what is given the events.
func Tell(f func(wire.DebugEvent)) {
	tellMu.Lock()
	defer tellMu.Unlock()
	teller = f
}

func tell(name string, body any) {
	tellMu.Lock()
	defer tellMu.Unlock()
	if text, err := json.Marshal(body); err == nil && teller != nil {
		teller(wire.DebugEvent{Name: name, Body: text})
	}
}

// commands are those of the Debug Adapter Protocol that the worker answers, and
// "globals", the variables of the notebook.
var commands = map[string]func(arguments json.RawMessage) (any, error){
	"attach":     func(json.RawMessage) (any, error) { attached.Store(true); return nil, nil },
	"disconnect": func(json.RawMessage) (any, error) { detach(); return nil, nil },
	"setBreakpoints": with(func(a wire.BreakpointsArguments) (any, error) {
		setBreakpoints(a.File, a.Breakpoints)
		return nil, nil
	}),
	"setExceptionBreakpoints": with(func(a struct{ Filters []string }) (any, error) {
		onPanic.Store(slices.Contains(a.Filters, "panic"))
		onError.Store(slices.Contains(a.Filters, "error"))
		return nil, nil
	}),
	"continue": func(json.RawMessage) (any, error) {
		return map[string]any{"allThreadsContinued": true}, whenStopped(resume(""))
	},
	"next":    func(json.RawMessage) (any, error) { return nil, whenStopped(resume("next")) },
	"stepIn":  func(json.RawMessage) (any, error) { return nil, whenStopped(resume("stepIn")) },
	"stepOut": func(json.RawMessage) (any, error) { return nil, whenStopped(resume("stepOut")) },
	"pause": func(json.RawMessage) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		paused = current == nil
		watch()
		return nil, nil
	},
	"threads":     func(json.RawMessage) (any, error) { return threads(), nil },
	"stackTrace":  with(stackTrace),
	"scopes":      with(scopes),
	"variables":   with(variables),
	"globals":     with(globalsNow),
	"evaluate":    with(evaluate),
	"setVariable": with(setVariable),
}

// with makes a command of a function whose arguments have a type.
func with[A any](f func(A) (any, error)) func(json.RawMessage) (any, error) {
	return func(text json.RawMessage) (any, error) {
		var a A
		if len(text) > 0 {
			if err := json.Unmarshal(text, &a); err != nil {
				return nil, fmt.Errorf("arguments: %w", err)
			}
		}
		return f(a)
	}
}

// Serve answers a command with the event that ends it.
func Serve(r wire.Request) (e wire.Event) {
	e = wire.Event{Kind: wire.Debugged, ID: r.ID}
	defer func() {
		if p := recover(); p != nil { // a method of the user's, or memory that changes meanwhile
			e.Err = fmt.Sprintf("%s: %v", r.Debug.Name, p)
		}
	}()
	f := commands[r.Debug.Name]
	if f == nil {
		e.Err = fmt.Sprintf("the debugger has no command %q", r.Debug.Name)
		return e
	}
	var body any
	var err error
	look(func() { body, err = f(r.Debug.Arguments) })
	if err == nil && body != nil {
		e.Body, err = json.Marshal(body)
	}
	if err != nil {
		e.Err = err.Error()
	}
	return e
}

// detach lets all go on and forgets what was asked for.
func detach() {
	attached.Store(false)
	breakpoints.Store(nil)
	onPanic.Store(false)
	onError.Store(false)
	mu.Lock()
	paused, stepped = false, nil
	mu.Unlock()
	resume("")
}

// whenStopped is the error of a command for which something has to be stopped.
func whenStopped(is bool) error {
	if !is {
		return fmt.Errorf("nothing is stopped: set a breakpoint and run the cell, or pause the one that runs")
	}
	return nil
}

// now calls f with what is stopped. No lock is held: a method that f calls may wait
// for one that the stopped goroutine has, and the cell must go on all the same.
func now(f func(*stopped) (any, error)) (any, error) {
	s := stop()
	if s == nil {
		return nil, whenStopped(false)
	}
	return f(s)
}

// stop is what is stopped, or nil.
func stop() *stopped {
	mu.Lock()
	defer mu.Unlock()
	return current
}

func threads() any {
	name := "the cell"
	_, _ = now(func(s *stopped) (any, error) {
		name = fmt.Sprintf("goroutine %d", s.goroutine)
		return nil, nil
	})
	return map[string]any{"threads": []any{map[string]any{"id": thread, "name": name}}}
}

func stackTrace(a struct{ StartFrame, Levels int }) (any, error) {
	return now(func(s *stopped) (any, error) {
		all := []any{}
		for i, f := range s.frames {
			all = append(all, map[string]any{
				"id": s.first + i, "name": f.function, "line": f.place.line, "column": 1, "source": map[string]any{"path": f.file},
			})
		}
		from := min(max(0, a.StartFrame), len(all))
		to := len(all)
		if a.Levels > 0 {
			to = min(from+a.Levels, to)
		}
		return map[string]any{"stackFrames": all[from:to], "totalFrames": len(all)}, nil
	})
}

// frameOf is the frame of a number, the innermost one for 0.
func (s *stopped) frameOf(id int) (*Frame, error) {
	if id == 0 {
		return s.frames[0], nil
	}
	if i := id - s.first; i >= 0 && i < len(s.frames) {
		return s.frames[i], nil
	}
	return nil, fmt.Errorf("there is no frame %d: what was stopped then has gone on", id)
}

func scopes(a struct{ FrameID int }) (any, error) {
	return now(func(s *stopped) (any, error) {
		f, err := s.frameOf(a.FrameID)
		if err != nil {
			return nil, err
		}
		return map[string]any{"scopes": []any{
			map[string]any{"name": "Locals", "presentationHint": "locals", "variablesReference": s.refer(reference{children: f.locals()}), "expensive": false},
			map[string]any{"name": "Globals", "variablesReference": s.refer(reference{children: globals()}), "expensive": false},
		}}, nil
	})
}

// locals are the variables that can be seen from where a frame is.
func (f *Frame) locals() []child {
	if f.pointers == nil {
		return nil
	}
	return named(strings.Fields(f.names), f.pointers())
}

var (
	globalsMu sync.Mutex
	pointers  = map[string]any{} // to the notebook's variables, by name
)

// Globals takes pointers to the notebook's variables whose names are parted by
// blanks. They are all that have a value.
func Globals(names string) func(all ...any) {
	return func(all ...any) {
		globalsMu.Lock()
		defer globalsMu.Unlock()
		clear(pointers)
		for i, name := range strings.Fields(names) {
			pointers[name] = all[i]
		}
	}
}

func globals() []child {
	globalsMu.Lock()
	defer globalsMu.Unlock()
	names := slices.Sorted(maps.Keys(pointers))
	var all []any
	for _, name := range names {
		all = append(all, pointers[name])
	}
	return named(names, all)
}

// globalsNow describes the notebook's variables; their values only if none of its
// goroutines may be changing them.
func globalsNow(a struct{ Values bool }) (any, error) {
	s := stop()
	list := []variable{}
	for _, c := range globals() {
		v := c.describe(nil)
		if s == nil && !a.Values {
			v.Value = ""
		}
		list = append(list, v)
	}
	return map[string]any{"variables": list}, nil
}
