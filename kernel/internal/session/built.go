package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"syscall"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// A Built is a notebook that has become a program which serves a session. The session
// plans and compiles nothing then, so that it needs no Go, and has the program run its
// cells: what they show and how they fail is told as that of all other cells.
type Built struct {
	Program string      `json:"program"` // the executable
	Cells   []BuiltCell `json:"cells"`   // as the program counts them, from 0
}

// A BuiltCell is a cell of such a program. A notebook is built with several cells of one
// number where one of them is to be run, as the settings of its parameters.
type BuiltCell struct {
	Count  int    `json:"count"` // by which it is shown
	Source string `json:"source"`
	Plan   int    `json:"plan"` // by which the program calls it in traces, 0 if there is no Go in it
}

// find returns the number that the program has for a cell, -1 if it is not in it.
func (b *Built) find(count int, source string) int {
	return slices.IndexFunc(b.Cells, func(c BuiltCell) bool { return c.Count == count && c.Source == source })
}

// served runs the cells of a Built: alone's process, that holds all of them.
type served struct {
	*alone
	program string
	gone    bool // the process has ended
}

var errProgramEnded = errors.New("the notebook's program has ended in an earlier cell, and all variables with it")

func (s *Session) startBuilt() {
	s.program, s.alone = program.New(program.Config{}), true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runner = &served{alone: newAlone(nil, s.startWorker), program: s.config.Built.Program}
	s.settings.env[wire.ServeVariable] = "1"
}

// runBuilt runs a cell of the program.
func (s *Session) runBuilt(ctx context.Context, count int, code string) error {
	n := s.config.Built.find(count, code)
	if n < 0 {
		return fmt.Errorf("the notebook's program has no such cell: Cell [%d] has changed since it was built", count)
	}
	plan := s.config.Built.Cells[n].Plan
	if err := s.program.Note(plan, count, code); err != nil {
		return err
	}
	if plan > 0 {
		s.outlet.labels.Store(plan, count)
	}
	err := s.run(ctx, count, &program.Plan{Entry: strconv.Itoa(n)})
	if failed, ok := errors.AsType[*cellError](err); ok && failed.outcome.Status == wire.Failed && failed.outcome.Cell == 0 && failed.outcome.Line > 0 {
		_, text, _ := s.program.Lines(program.FileName(plan))
		return &commandError{program.Diagnostic{Cell: count, Line: failed.outcome.Line, Column: 1, Message: failed.outcome.Value, Text: text}, errors.New(failed.outcome.Value)}
	}
	return err
}

func (p *served) run(ctx context.Context, count int, plan *program.Plan) (wire.Outcome, error) {
	w, err := p.current(), error(nil)
	if p.gone {
		return wire.Outcome{}, errProgramEnded
	}
	if w == nil {
		if w, err = p.start(ctx, p.program); err != nil {
			return wire.Outcome{}, err
		}
	}
	outcome, err := w.Run(ctx, count, plan.Entry)
	died, ok := errors.AsType[*WorkerDied](err)
	if !ok {
		return outcome, err
	}
	p.end(w)
	p.gone = true
	if ctx.Err() != nil && (died.Signal == syscall.SIGINT || died.Signal == syscall.SIGKILL) {
		return wire.Outcome{Status: wire.Interrupted, Name: "interrupted"}, nil
	}
	return wire.Outcome{}, &programEnded{died}
}

func (p *served) load(context.Context, *program.Plan) error { return nil }
