package session

import (
	"context"
	"errors"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// live runs all cells in one worker, which holds the state. When the worker has
// died, the next cell gets a new one.
type live struct {
	builder     *build.Builder
	startWorker starter
	entries     map[int]string // the symbols of the loaded cells, by plan ID
	compiled    int            // cells that the worker has loaded; what it takes for them it keeps
	most        int            // how many of them may be there before a restart is offered
	offered     bool           // one was

	mu     sync.Mutex
	worker *Worker
	closed bool
}

func newLive(b *build.Builder, start starter) *live {
	return &live{builder: b, startWorker: start, entries: map[int]string{}, most: manyCells}
}

func (l *live) ready(ctx context.Context) error {
	l.mu.Lock()
	worker, closed := l.worker, l.closed
	l.mu.Unlock()
	if closed {
		return errEnded
	}
	if worker == nil {
		return l.start(ctx)
	}
	if !worker.Alive() {
		return l.died(worker.died)
	}
	return nil
}

// start starts a worker and loads what was imported before.
func (l *live) start(ctx context.Context) error {
	w, err := l.another(ctx)
	if err != nil {
		return err
	}
	return l.succeed(w)
}

// another starts a worker beside the one that there is, with what was imported before.
func (l *live) another(ctx context.Context) (*Worker, error) {
	path, err := l.builder.Worker(ctx)
	if err != nil {
		return nil, err
	}
	w, err := l.startWorker(ctx, path)
	if err != nil {
		return nil, err
	}
	for _, lib := range l.builder.Libraries() {
		if err := w.Load(ctx, lib); err != nil {
			w.Kill()
			return nil, err
		}
	}
	return w, nil
}

// succeed has a worker take the place of the one that there is, if any.
func (l *live) succeed(w *Worker) error {
	l.renew()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		w.Kill()
		return errEnded
	}
	l.worker = w
	return nil
}

// load compiles a plan's package and loads it, after the packages it imports.
func (l *live) load(ctx context.Context, plan *program.Plan) error {
	if plan.Reused {
		return nil
	}
	libs, err := l.builder.Imports(ctx, plan.Imports)
	if err != nil {
		return err
	}
	lib, err := l.builder.Cell(ctx, plan.Source, plan.Entry)
	if err != nil {
		// The libraries count as loaded.
		return errors.Join(err, l.loadAll(libs))
	}
	l.entries[plan.ID] = lib.Entry
	l.compiled++
	return l.loadAll(append(libs, lib))
}

// loadAll loads libraries, whatever happens to the cell: they count as loaded.
func (l *live) loadAll(libs []build.Library) error {
	w := l.current()
	if w == nil {
		return errEnded
	}
	for _, lib := range libs {
		if err := w.Load(context.Background(), lib); err != nil {
			return l.died(err)
		}
	}
	return nil
}

func (l *live) run(ctx context.Context, count int, plan *program.Plan) (wire.Outcome, error) {
	w := l.current()
	if w == nil {
		return wire.Outcome{}, errEnded
	}
	outcome, err := w.Run(ctx, count, l.entries[plan.ID])
	return outcome, l.died(err)
}

// died forgets a worker that has gone.
func (l *live) died(err error) error {
	var gone *WorkerDied
	if errors.As(err, &gone) {
		l.renew()
	}
	return err
}

func (l *live) configure(ctx context.Context, settings wire.Settings) error {
	w := l.current()
	if w == nil {
		return nil // the next one is started with the settings
	}
	return l.died(w.Configure(ctx, settings))
}

func (l *live) renew() {
	l.mu.Lock()
	w := l.worker
	l.worker = nil
	l.mu.Unlock()
	if w != nil {
		w.Kill()
	}
	clear(l.entries)
	l.compiled, l.offered = 0, false
}

func (l *live) insist() {
	if w := l.current(); w != nil {
		w.Interrupt()
	}
}

func (l *live) close() {
	l.mu.Lock()
	w := l.worker
	l.worker, l.closed = nil, true
	l.mu.Unlock()
	if w != nil {
		w.Kill()
	}
}

func (l *live) current() *Worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.worker
}
