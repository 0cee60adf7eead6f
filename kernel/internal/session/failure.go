package session

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// ANSI colours of tracebacks, as IPython uses them.
const (
	red   = "\x1b[1;31m"
	green = "\x1b[32m"
	dim   = "\x1b[2m"
	plain = "\x1b[0m"
)

// cellError is a run that did not end well.
type cellError struct{ outcome wire.Outcome }

func (e *cellError) Error() string { return e.outcome.Name + ": " + e.outcome.Value }

// failure tells the person in front of the notebook what went wrong, and where.
func (s *Session) failure(count int, err error) message.ExecuteReply {
	reply := message.ExecuteReply{Status: "error", ExecutionCount: count}
	var (
		compile *program.CompileError
		refused *build.CompileError
		run     *cellError
		died    *WorkerDied
		missing *build.MissingError
	)
	switch {
	case errors.As(err, &compile):
		reply.ErrorName, reply.ErrorValue = "CompileError", first(compile.Diagnostics)
		for _, d := range compile.Diagnostics {
			reply.Traceback = append(reply.Traceback, s.place(d)...)
		}
	case errors.As(err, &refused):
		d := s.relocate(refused)
		reply.ErrorName, reply.ErrorValue = "CompileError", first(d)
		for _, d := range d {
			reply.Traceback = append(reply.Traceback, s.place(d)...)
		}
	case errors.Is(err, errInterrupted):
		reply.ErrorName, reply.ErrorValue = "Interrupted", "interrupted before the cell ran"
		reply.Traceback = []string{red + "interrupted" + plain + " before the cell ran"}
	case errors.As(err, &run):
		s.ranInto(&reply, run.outcome)
	case errors.As(err, &died):
		reply.ErrorName, reply.ErrorValue = "SessionEnded", ended(died)
		reply.Traceback = []string{
			red + "the session ended" + plain + ": " + ended(died),
			"The values of all variables are lost; functions and types are still known.",
			"The next cell starts afresh: run the cells again that make what you need.",
		}
	case errors.As(err, &missing):
		reply.ErrorName, reply.ErrorValue = "MissingTool", err.Error()
		reply.Traceback = []string{red + "cannot compile cells" + plain + ": " + err.Error()}
	default:
		text := program.Unversioned(shorten(err.Error(), s.dir))
		reply.ErrorName, reply.ErrorValue = "Error", text
		reply.Traceback = []string{red + "error" + plain + ": " + text}
	}
	return reply
}

func first(ds []program.Diagnostic) string {
	if len(ds) == 0 {
		return "the cell does not compile"
	}
	d := ds[0]
	text := fmt.Sprintf("Cell [%d], line %d, column %d: %s", d.Cell, d.Line, d.Column, d.Message)
	if len(ds) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(ds)-1)
	}
	return text
}

// place shows an error in the text of its cell: where it is, the line, a caret.
func (s *Session) place(d program.Diagnostic) []string {
	lines := strings.Split(d.String(), "\n")
	where := fmt.Sprintf("Cell [%d], line %d, column %d:", d.Cell, d.Line, d.Column)
	lines[0] = green + where + plain + red + strings.TrimPrefix(lines[0], where) + plain
	if n := len(lines) - 1; n > 0 {
		lines[n] = red + lines[n] + plain
	}
	return lines
}

// relocate gives the compiler's own errors the places in cells. The checker finds
// nearly all errors before the compiler is asked.
func (s *Session) relocate(e *build.CompileError) []program.Diagnostic {
	var out []program.Diagnostic
	for _, d := range e.Diagnostics {
		n, text, ok := s.program.Locate(d.File, d.Line)
		if !ok {
			continue
		}
		out = append(out, program.Diagnostic{Cell: n, Line: d.Line, Column: max(1, min(d.Column, len(text)+1)), Message: program.Unversioned(d.Message), Source: text})
	}
	if len(out) == 0 {
		out = append(out, program.Diagnostic{Message: program.Unversioned(e.Error())})
	}
	return out
}

// ranInto tells how a run ended.
func (s *Session) ranInto(reply *message.ExecuteReply, o wire.Outcome) {
	value := program.Unversioned(o.Value)
	reply.ErrorName, reply.ErrorValue = o.Name, value
	switch o.Status {
	case wire.Interrupted:
		reply.ErrorName, reply.ErrorValue = "Interrupted", "interrupted"
		text := red + "interrupted" + plain + ": all variables are as the cell left them"
		if o.Abandoned {
			text += "\nThe cell hung in a call; its goroutine is left behind and ends when that returns."
		}
		reply.Traceback = strings.Split(text, "\n")
	case wire.Failed:
		reply.Traceback = append([]string{red + o.Name + plain + ": " + value}, s.frame(wire.Frame{File: program.FileName(o.Cell), Line: o.Line}, "")...)
	default:
		reply.Traceback = []string{red + o.Name + plain + ": " + value}
		for _, f := range o.Frames {
			if f.File == "/cell/end.go" || strings.HasPrefix(f.Function, "runtime.") {
				continue
			}
			reply.Traceback = append(reply.Traceback, s.frame(f, function(f.Function))...)
		}
	}
}

// frame shows a place in a stack: one in a cell with its line, another with its
// function and file.
func (s *Session) frame(f wire.Frame, name string) []string {
	n, text, ok := s.program.Locate(f.File, f.Line)
	if !ok {
		return []string{fmt.Sprintf("  %s%s  %s:%d%s", dim, name, f.File, f.Line, plain)}
	}
	in := ""
	if name != "" {
		in = " in " + name
	}
	return []string{
		fmt.Sprintf("  %sCell [%d], line %d%s%s", green, n, f.Line, plain, in),
		"    " + strings.TrimSpace(text),
	}
}

// function is a function's name as the person wrote it. The entry function has
// none.
func function(name string) string {
	name = strings.TrimPrefix(name, "main.")
	if rest, ok := strings.CutPrefix(name, "cellʹ"); ok {
		rest = strings.TrimLeft(rest, "0123456789")
		if rest == "" {
			return ""
		}
		return "a function literal"
	}
	return program.Unversioned(name)
}

func ended(d *WorkerDied) string {
	switch {
	case d.Signal == syscall.SIGKILL:
		return "its process was killed (out of memory, perhaps)"
	case d.Signal != 0:
		return fmt.Sprintf("its process was ended by a signal (%v)", d.Signal)
	case d.ExitCode == 2:
		return "a panic in another goroutine, or a fatal error of the runtime (exit status 2), told above"
	default:
		return fmt.Sprintf("the program exited with status %d (os.Exit or log.Fatal)", d.ExitCode)
	}
}
