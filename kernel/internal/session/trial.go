package session

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// The live session rests on internals of the Go runtime and of the linkers, which
// may be others in the next version, or on this machine. So the first time that a
// worker was built it has to stand a trial, before cells whose results matter.

//go:embed trial.txtar
var trial []byte

// tryLive runs the cells of the trial in a worker of its own. An error says which
// cell went wrong.
func (s *Session) tryLive(ctx context.Context) error {
	out := &transcript{}
	r := newLive(s.builder, func(ctx context.Context, path string) (*Worker, error) {
		return StartWorker(ctx, WorkerConfig{Path: path, TempDir: s.dir, Output: out})
	})
	defer r.close()
	if err := r.ready(ctx); err != nil {
		return err
	}
	p := s.newProgram(false)
	code, n := "", 0
	for _, f := range txtar.Parse(trial).Files {
		if f.Name == "cell" {
			code = strings.TrimSuffix(string(f.Data), "\n")
			continue
		}
		n++
		err := tryCell(ctx, p, r, n, code)
		if got, want := out.take(), string(f.Data); err != nil || got != want {
			return errors.Join(fmt.Errorf("cell %d of its trial prints %q instead of %q", n, got, want), err)
		}
	}
	return nil
}

// tryCell runs a cell, whose outcome shows in what it prints.
func tryCell(ctx context.Context, p *program.Program, r runner, n int, code string) error {
	plan, err := p.Plan(code, n)
	if err != nil {
		return err
	}
	if err := r.load(ctx, plan); err != nil {
		return err
	}
	p.Commit(plan)
	_, err = r.run(ctx, n, plan)
	return err
}

// A transcript is all that is printed.
type transcript struct{ text strings.Builder }

// take returns what has been printed since it was called before. No cell runs.
func (t *transcript) take() string {
	defer t.text.Reset()
	return t.text.String()
}

// Stream implements message.Output.
func (t *transcript) Stream(_, text string) { t.text.WriteString(program.Unversioned(text)) }

// Display implements message.Output.
func (t *transcript) Display(message.DisplayData) {}

// Update implements message.Output.
func (t *transcript) Update(message.DisplayData) {}

// Result implements message.Output.
func (t *transcript) Result(message.MIMEBundle, map[string]any) {}

// Clear implements message.Output.
func (t *transcript) Clear(bool) {}

// Flush implements message.Output.
func (t *transcript) Flush() {}

// Comm implements message.Output.
func (t *transcript) Comm(message.Comm) {}

// Input implements message.Output.
func (t *transcript) Input(string, bool) (string, error) { return "", errors.New("nobody is asked") }
