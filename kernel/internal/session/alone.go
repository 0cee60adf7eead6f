package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// alone runs each cell in a process of its own, where cells cannot share one:
// without a C compiler, or on another system. The process is a Worker that holds
// one cell and ends with it.
type alone struct {
	builder     *build.Builder
	startWorker starter
	programs    map[int]executable // by plan ID

	mu     sync.Mutex
	worker *Worker // of the cell that runs
	closed bool
}

// executable is a cell's program, built when the builder had the stamp.
type executable struct {
	file  string
	stamp int
}

func newAlone(b *build.Builder, start starter) *alone {
	return &alone{builder: b, startWorker: start, programs: map[int]executable{}}
}

// aloneWarning says that cells run alone, why, and what can be done about it.
func aloneWarning(err error) string {
	reason, remedy := "the live session does not work with this Go", ""
	if no, ok := errors.AsType[*build.NoLiveError](err); ok {
		reason, remedy = no.Reason, no.Remedy
	} else {
		first, _, _ := strings.Cut(err.Error(), "\n")
		reason += " (" + first + ")"
	}
	text := "Each cell runs in a process of its own, because " + reason +
		": functions, types and what is declared by var x = … are kept for the next cells, the values of variables are not."
	if remedy != "" {
		text += " To keep them too: " + remedy + ", then restart the kernel."
	}
	return text
}

func (a *alone) ready(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errEnded
	}
	return nil
}

func (a *alone) load(ctx context.Context, plan *program.Plan) error {
	stamp := a.builder.Stamp()
	if p := a.programs[plan.ID]; p.stamp == stamp && stamp != 0 {
		if _, err := os.Stat(p.file); err == nil {
			return nil
		}
	}
	file, err := a.builder.Program(ctx, plan.Source)
	if err == nil {
		a.programs[plan.ID] = executable{file, a.builder.Stamp()}
	}
	return err
}

// programEnded is a cell that has ended its process.
type programEnded struct{ *WorkerDied }

func (a *alone) run(ctx context.Context, count int, plan *program.Plan) (wire.Outcome, error) {
	w, err := a.start(ctx, a.programs[plan.ID].file)
	var outcome wire.Outcome
	if err == nil {
		outcome, err = w.Run(ctx, count, plan.Entry)
		a.end(w)
	}
	var died *WorkerDied
	switch {
	case err == nil || !errors.As(err, &died):
		return outcome, err
	case ctx.Err() != nil && (died.Signal == syscall.SIGINT || died.Signal == syscall.SIGKILL):
		return wire.Outcome{Status: wire.Interrupted}, nil
	case died.Signal == 0 && died.ExitCode == 0:
		return wire.Outcome{Status: wire.OK}, nil // os.Exit(0)
	}
	return wire.Outcome{}, &programEnded{died}
}

// start starts the process of a cell, which initialises its variables.
func (a *alone) start(ctx context.Context, program string) (*Worker, error) {
	w, err := a.startWorker(ctx, program)
	if err != nil {
		return nil, fmt.Errorf("the cell's process: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		w.Kill()
		return nil, errEnded
	}
	a.worker = w
	return w, nil
}

func (a *alone) end(w *Worker) {
	a.mu.Lock()
	a.worker = nil
	a.mu.Unlock()
	w.Kill()
}

func (a *alone) configure(ctx context.Context, settings wire.Settings) error {
	if w := a.current(); w != nil {
		return w.Configure(ctx, settings)
	}
	return nil // the next one is started with the settings
}

func (a *alone) renew() { clear(a.programs) }

func (a *alone) insist() {
	if w := a.current(); w != nil {
		w.Interrupt()
	}
}

func (a *alone) current() *Worker {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.worker
}

func (a *alone) close() {
	a.mu.Lock()
	w := a.worker
	a.closed = true
	a.mu.Unlock()
	if w != nil {
		w.Kill()
	}
}
