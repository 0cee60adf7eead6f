package session

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// cellError is a run that did not end well.
type cellError struct{ outcome wire.Outcome }

func (e *cellError) Error() string { return e.outcome.Name + ": " + e.outcome.Value }

// sessionEnded is the end of a worker, and what is known of it.
type sessionEnded struct {
	died *WorkerDied
	last string // what its runtime has printed
	lost []program.Lost
	one  bool // only the cell's own process

	why   string   // it was killed, "" if that is not so
	notes []string // what can be done about it
}

func (e *sessionEnded) Error() string { return e.died.Error() }

func (e *sessionEnded) Unwrap() error { return e.died }

// failure tells the person in front of the notebook what went wrong, and where.
func (s *Session) failure(count int, err error) message.ExecuteReply {
	r := s.report(count, err)
	if data, ok := r.details(); ok {
		s.outlet.Display(message.DisplayData{Data: data})
	}
	return message.ExecuteReply{
		Status: "error", ExecutionCount: count,
		ErrorName: r.name, ErrorValue: r.value, Traceback: r.traceback(),
	}
}

// tell tells, in a cell that goes on, of a session that has ended before it.
func (s *Session) tell(err error) {
	r := s.report(0, err)
	r.rest += " (since the last cell)"
	s.outlet.Stream("stderr", strings.Join(r.traceback(), "\n")+"\n")
}

// report works out what is to be told of an error.
func (s *Session) report(count int, err error) *report {
	var (
		compile *program.CompileError
		refused *build.CompileError
		run     *cellError
		ended   *sessionEnded
		missing *build.MissingError
		command *commandError
		killed  *build.KilledError
		stale   *staleError
		gone    *goneError
	)
	switch {
	case errors.As(err, &compile):
		return s.compileReport(count, compile.Diagnostics)
	case errors.As(err, &refused):
		return s.compileReport(count, s.relocate(refused))
	case errors.Is(err, errInterrupted):
		return &report{cell: count, name: "Interrupted", value: "interrupted before the cell ran", title: "interrupted", rest: " before the cell ran"}
	case errors.As(err, &run):
		return s.runReport(count, run.outcome)
	case errors.As(err, &ended):
		return s.endReport(count, ended)
	case errors.As(err, &missing):
		return &report{cell: count, name: "MissingTool", value: err.Error(), title: "cannot compile cells", rest: ": " + err.Error()}
	case errors.As(err, &command):
		return &report{cell: count, name: "CommandError", value: command.Where() + ": " + command.Message, places: []place{{Diagnostic: command.Diagnostic}}}
	case errors.As(err, &killed) && killed.Signal() == syscall.SIGKILL:
		reason, notes := s.memory.whyKilled(killed.Tool)
		return &report{cell: count, name: "Error", value: reason, title: "the cell was not compiled", rest: ": " + reason, notes: append(notes, "The session goes on: run the cell again.")}
	case errors.As(err, &stale):
		return &report{cell: count, name: "PackageChanged", value: err.Error(), title: "a package has changed", rest: ": " + err.Error()}
	case errors.As(err, &gone):
		return &report{cell: count, name: "CacheRemoved", value: err.Error(), title: "the cache has gone", rest: ": " + err.Error()}
	default:
		text := program.Unversioned(shorten(err.Error(), s.dir))
		return &report{cell: count, name: "Error", value: text, title: "error", rest: ": " + text}
	}
}

// mostErrors is how many compile errors are shown, as many as the go command shows.
const mostErrors = 10

// compileReport tells why a cell does not compile.
func (s *Session) compileReport(count int, ds []program.Diagnostic) *report {
	r := &report{cell: count, name: "CompileError", value: "the cell does not compile"}
	for i, d := range ds {
		r.places = append(r.places, place{Diagnostic: d})
		if i > 0 {
			continue
		}
		if r.value = d.Message; d.Cell > 0 {
			r.value = d.Where() + ": " + d.Message
		}
	}
	if n := len(ds); n > 1 {
		r.value += fmt.Sprintf(" (and %d more)", n-1)
	}
	if n := len(ds) - mostErrors; n > 0 { // the rest mostly follows from the first ones
		r.places, r.notes = r.places[:mostErrors], []string{fmt.Sprintf("… and %d more errors", n)}
	}
	return r
}

// relocate gives the compiler's own errors the places in cells. The checker finds
// nearly all errors before the compiler is asked.
func (s *Session) relocate(e *build.CompileError) []program.Diagnostic {
	var out []program.Diagnostic
	for _, d := range e.Diagnostics {
		n, lines, ok := s.program.Lines(d.File)
		if !ok || d.Line < 1 || d.Line > len(lines) {
			continue
		}
		out = append(out, program.Diagnostic{
			Cell: n, Line: d.Line, Column: max(1, min(d.Column, len(lines[d.Line-1])+1)),
			Message: program.Unversioned(d.Message), Text: lines,
		})
	}
	if len(out) == 0 {
		out = append(out, program.Diagnostic{Message: program.Unversioned(e.Error())})
	}
	return out
}

// runReport tells how a run ended.
func (s *Session) runReport(count int, o wire.Outcome) *report {
	value := s.outlet.clean(o.Value)
	r := &report{cell: count, name: o.Name, value: value, title: o.Name, rest: ": " + value}
	switch o.Status {
	case wire.Interrupted:
		r.name, r.value = "Interrupted", "interrupted"
		r.rest = ": all variables are as the cell left them"
		if s.alone {
			r.rest = ""
		}
		if o.Abandoned {
			r.notes = []string{"The cell hung in a call; its goroutine is left behind and ends when that returns."}
		}
	case wire.Failed:
		if o.Line > 0 { // otherwise it is told above, by a test
			r.places = s.stack([]wire.Frame{{File: program.FileName(o.Cell), Line: o.Line}}, "")
		}
	default:
		r.places = s.stack(o.Frames, value)
		r.notes = s.nilNote(value, o.Frames)
	}
	return r
}

// nilNote asks which of a line's pointers is nil, where the runtime tells that one
// is.
func (s *Session) nilNote(value string, frames []wire.Frame) []string {
	if len(frames) == 0 || !strings.Contains(value, "nil pointer dereference") {
		return nil
	}
	const most = 3
	xs := s.program.Pointers(frames[0].File, frames[0].Line)
	if len(xs) == 0 || len(xs) > most {
		return nil
	}
	return []string{"Is " + list(xs, "or") + " nil?"}
}

// endReport tells what has ended the session, and what went with it.
func (s *Session) endReport(count int, e *sessionEnded) *report {
	c := parseCrash(e.last)
	reason := cmp.Or(e.why, endOf(e.died))
	if e.died.ExitCode == 2 && c.reason != "" {
		reason = s.outlet.clean(c.told())
		if strings.HasPrefix(reason, "out of memory") {
			e.notes = addressSpace()
		}
	}
	r := &report{cell: count, name: "SessionEnded", value: reason, title: "the session ended", rest: ": " + reason}
	if g, ok := c.culprit(); ok {
		r.places = s.stack(g.frames, reason)
		r.notes = s.nilNote(reason, g.frames)
		if started := s.stack([]wire.Frame{g.created}, ""); g.created.File != "" && len(started) == 1 {
			started[0].started = true
			r.places = append(r.places, started...)
		}
	}
	if r.places == nil || c.inCells() > 1 {
		r.trace = shorten(s.outlet.clean(c.text()), s.dir)
	}
	r.notes = append(r.notes, e.notes...)
	if e.one {
		r.name, r.title = "ProgramEnded", "the cell ended"
		return r
	}
	r.notes = append(r.notes, lostNotes(e.lost)...)
	r.notes = append(r.notes, "Functions and types are still known, and the next cell starts a new session.")
	return r
}

// lostNotes says which variables are gone and how to have them again.
func lostNotes(lost []program.Lost) []string {
	if len(lost) == 0 {
		return nil
	}
	const most = 12
	var names, cells []string
	for i, l := range lost {
		if i < most {
			names = append(names, l.Name)
		}
		if cell := fmt.Sprintf("[%d]", l.Cell); !slices.Contains(cells, cell) {
			cells = append(cells, cell)
		}
	}
	which := list(names, "and")
	if n := len(lost) - most; n > 0 {
		which = fmt.Sprintf("%s and %d more", strings.Join(names, ", "), n)
	}
	word := "Cell "
	if len(cells) > 1 {
		word = "Cells "
	}
	return []string{"Lost: " + which + ". To have them again, run " + word + list(cells, "and") + "."}
}

// list is an enumeration in words.
func list(items []string, conjunction string) string {
	if n := len(items); n > 1 {
		return strings.Join(items[:n-1], ", ") + " " + conjunction + " " + items[n-1]
	}
	return strings.Join(items, "")
}

// stack gives frames their places. Calls of a function by itself that look the
// same become one. The first place in a cell gets a caret, for which the message is
// looked at.
func (s *Session) stack(frames []wire.Frame, message string) []place {
	var out []place
	earlier, pointed := false, false
	fault := program.Fault{Message: message}
	for _, f := range frames {
		if f.Function == "runtime.gopanic" {
			earlier = true
			continue
		}
		if f.File == "/cell/end.go" || isRuntime(f.Function) || strings.HasPrefix(f.Function, modulePath+"/kernel/") {
			continue
		}
		p := place{function: function(f.Function), omitted: f.Omitted, earlier: earlier}
		p.Line = f.Line
		earlier = false
		var ok bool
		if p.Cell, p.Text, ok = s.program.Lines(f.File); !ok {
			p.file = s.shortFile(f)
		} else if !pointed {
			p.caret, pointed = s.program.Column(f.File, f.Line, fault), true
		}
		fault = program.Fault{Callee: f.Function}
		if n := len(out); n > 0 && p.same(out[n-1]) {
			out[n-1].again += 1 + p.omitted
			continue
		}
		out = append(out, p)
	}
	return out
}

// shortFile is a file's name from the module or the standard library on.
func (s *Session) shortFile(f wire.Frame) string {
	for _, dir := range []string{s.dir, s.config.Sources} {
		if rest, ok := strings.CutPrefix(f.File, dir+"/"); ok {
			return rest
		}
	}
	if _, rest, ok := strings.Cut(f.File, "/pkg/mod/"); ok {
		return rest
	}
	first, _, _ := strings.Cut(f.Function, "/")
	if _, rest, ok := strings.Cut(f.File, "/src/"); ok && (strings.Count(first, ".") == 0 || first == f.Function) {
		return rest
	}
	return f.File
}

// function is a function's name as the person wrote it. The entry function has
// none.
func function(name string) string {
	name = program.Unversioned(strings.TrimPrefix(name, "main."))
	name, inner, literal := strings.Cut(name, ".func")
	if literal && strings.Trim(inner, "0123456789.") == "" {
		if name == "main" {
			return "a function literal"
		}
		return "a function literal in " + name
	}
	if literal {
		name += ".func" + inner
	}
	if name == "main" {
		return ""
	}
	return name
}

// endOf says how a worker has ended.
func endOf(d *WorkerDied) string {
	switch {
	case d.Cut:
		return "the program has closed the descriptors by which it was reached"
	case d.Signal == syscall.SIGSEGV || d.Signal == syscall.SIGABRT || d.Signal == syscall.SIGBUS:
		return fmt.Sprintf("its process crashed (%v), in C code perhaps", d.Signal)
	case d.Signal != 0:
		return fmt.Sprintf("its process was ended by a signal (%v)", d.Signal)
	case d.ExitCode == 2:
		return "a panic in another goroutine, a fatal error, or os.Exit(2)"
	default:
		return fmt.Sprintf("the program exited with status %d (os.Exit or log.Fatal)", d.ExitCode)
	}
}
