package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// Version is the kernel's.
const Version = "0.1.0"

// A Config says where a session works.
type Config struct {
	// Sources is the folder of this project's module, see FindSources.
	Sources string
	// Dir is the directory that cells run in: the notebook's. Empty means the
	// current one.
	Dir string
	// CacheDir keeps libraries for later sessions. Empty means a folder of the
	// user's cache directory.
	CacheDir string
	// Progress is told what takes long before the first cell runs. It may be nil.
	Progress func(string)
}

// A Session runs the cells of one notebook. Cells are executed one at a time;
// Interrupt may be called at any time.
type Session struct {
	config  Config
	folder  *folder
	dir     string // the folder's path: the session's module
	builder *build.Builder
	program *program.Program
	types   *packages
	started chan struct{}  // closed when starting has ended
	failed  error          // why it did not work
	entries map[int]string // the symbols of the loaded cells, by plan ID
	stop    context.CancelFunc

	executing sync.Mutex
	outlet    outlet
	noted     atomic.Bool             // the cell shows what takes long
	mu        sync.Mutex              // guards the fields below
	ctx       context.Context         // of the cell that is being executed, or was last
	cancel    context.CancelCauseFunc // nil while nothing is being executed
	worker    *Worker
	closed    bool
}

// New begins a session. It returns at once; the first cell waits until the
// worker is there.
func New(config Config) (*Session, error) {
	if config.Dir == "" {
		config.Dir = "."
	}
	var err error
	if config.Dir, err = filepath.Abs(config.Dir); err != nil {
		return nil, err
	}
	if config.CacheDir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("a place to keep compiled libraries: %w", err)
		}
		config.CacheDir = filepath.Join(cache, "nnkit")
	}
	sweep(os.TempDir())
	folder, err := newFolder(os.TempDir())
	if err != nil {
		return nil, err
	}
	if err := writeModule(folder.path, config.Sources); err != nil {
		return nil, errors.Join(err, folder.remove())
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Session{config: config, folder: folder, dir: folder.path, started: make(chan struct{}), stop: stop, entries: map[int]string{}}
	s.ctx = ctx
	go func() {
		defer close(s.started)
		s.failed = s.start(ctx)
	}()
	return s, nil
}

// start makes everything ready for the first cell.
func (s *Session) start(ctx context.Context) error {
	b, err := build.New(build.Config{Dir: s.dir, CacheDir: s.config.CacheDir, Progress: s.progress})
	if err != nil {
		return err
	}
	s.builder = b
	s.types = newPackages(b, s.cellContext)
	s.program = program.New(program.Config{
		Importer: s.types,
		Prefetch: func(paths []string) { _ = s.types.fetch(paths...) }, // Import tells
		Find:     func(name string) []string { return b.Find(s.cellContext(), name) },
	})
	return s.startWorker(ctx)
}

func (s *Session) cellContext() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

func (s *Session) progress(what string) {
	if s.config.Progress != nil {
		s.config.Progress(what)
		return
	}
	s.noted.Store(true)
	s.outlet.Stream("stderr", what+" …\n")
}

func (s *Session) startWorker(ctx context.Context) error {
	path, err := s.builder.Worker(ctx)
	if err != nil {
		return err
	}
	w, err := StartWorker(ctx, WorkerConfig{Path: path, Dir: s.config.Dir, TempDir: s.dir, Output: &s.outlet})
	if err != nil {
		return err
	}
	for _, l := range s.builder.Libraries() {
		if err := w.Load(ctx, l); err != nil {
			w.Kill()
			return err
		}
	}
	go func() {
		<-w.Dead()
		s.outlet.words.keep() // for whoever is told
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		w.Kill()
		return errEnded
	}
	s.worker = w
	return nil
}

// Info describes the kernel.
func (s *Session) Info() message.KernelInfo {
	version := runtime.Version()
	return message.KernelInfo{
		Implementation:        "nnkit",
		ImplementationVersion: Version,
		Banner:                "nnkit " + Version + ": Go cells, compiled, with live state (" + version + ")",
		LanguageInfo: message.LanguageInfo{
			Name: "go", Version: version, MIMEType: "text/x-go", FileExtension: ".go",
			PygmentsLexer: "go", CodemirrorMode: "go", NbconvertExporter: "",
		},
		HelpLinks: []message.HelpLink{
			{Text: "Go language specification", URL: "https://go.dev/ref/spec"},
			{Text: "Go packages", URL: "https://pkg.go.dev"},
		},
	}
}

// Execute runs a cell whose number is count.
func (s *Session) Execute(ctx context.Context, count int, req *message.ExecuteRequest, out message.Output) message.ExecuteReply {
	s.executing.Lock()
	defer s.executing.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.ctx, s.cancel = ctx, cancel
	s.mu.Unlock()
	s.outlet.set(out)
	err := s.execute(ctx, count, req.Code)
	if s.noted.Swap(false) {
		s.outlet.Clear(false) // what took long is over, and the cell has not run
	}
	s.mu.Lock()
	s.cancel = nil
	s.mu.Unlock()
	if err == nil {
		return message.ExecuteReply{Status: "ok", ExecutionCount: count}
	}
	var ran *cellError
	var died *WorkerDied
	if ctx.Err() != nil && !errors.As(err, &ran) && !errors.As(err, &died) {
		err = errInterrupted // whatever it was that could not be finished
	}
	return s.failure(count, err)
}

var (
	errInterrupted = errors.New("interrupted") // a cell, before it runs
	errEnded       = errors.New("the session has ended")
)

func (s *Session) execute(ctx context.Context, count int, code string) error {
	select {
	case <-s.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.failed != nil {
		return s.failed
	}
	w, err := s.aliveWorker(ctx)
	if err != nil {
		return err
	}
	plan, err := s.program.Plan(code, count)
	if err != nil {
		return err
	}
	if plan.Empty {
		return nil
	}
	if !plan.Reused {
		if err := s.load(ctx, w, plan); err != nil {
			return err
		}
	}
	s.program.Commit(plan)
	s.outlet.labels.Store(plan.ID, count)
	if s.noted.Swap(false) {
		s.outlet.Clear(false) // what took long is over
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	outcome, err := w.Run(ctx, count, s.entries[plan.ID])
	if err != nil {
		return s.died(err)
	}
	s.outlet.release()
	if outcome.Status == wire.OK && outcome.Value != "" {
		s.outlet.Stream("stderr", outcome.Value+"\n")
	}
	if outcome.Status != wire.OK {
		return &cellError{outcome}
	}
	return nil
}

// load compiles a plan's package and loads it, after the packages it imports.
func (s *Session) load(ctx context.Context, w *Worker, plan *program.Plan) error {
	libs, err := s.builder.Imports(ctx, plan.Imports)
	if err != nil {
		return err
	}
	lib, err := s.builder.Cell(ctx, plan.Source, plan.Entry)
	if err != nil {
		// The libraries count as loaded.
		return errors.Join(err, s.loadAll(w, libs))
	}
	s.entries[plan.ID] = lib.Entry
	return s.loadAll(w, append(libs, lib))
}

// loadAll loads libraries, whatever happens to the cell: they count as loaded.
func (s *Session) loadAll(w *Worker, libs []build.Library) error {
	for _, l := range libs {
		if err := w.Load(context.Background(), l); err != nil {
			return s.died(err)
		}
	}
	return nil
}

// aliveWorker returns the worker, a new one if the one before has died. Of one
// that has died since the last cell it tells.
func (s *Session) aliveWorker(ctx context.Context) (*Worker, error) {
	s.mu.Lock()
	w, closed := s.worker, s.closed
	s.mu.Unlock()
	if closed {
		return nil, errEnded
	}
	if w != nil && w.Alive() {
		return w, nil
	}
	if w != nil {
		s.tell(s.died(w.died))
	}
	if err := s.startWorker(ctx); err != nil {
		return nil, err
	}
	return s.aliveWorker(ctx)
}

// died forgets a worker that has gone, and the values in it.
func (s *Session) died(err error) error {
	var gone *WorkerDied
	if !errors.As(err, &gone) {
		return err
	}
	s.mu.Lock()
	w := s.worker
	s.worker = nil
	s.mu.Unlock()
	if w != nil {
		w.Kill()
	}
	clear(s.entries)
	ended := &sessionEnded{died: gone, lost: s.program.Forget()}
	if gone.ExitCode == 2 || gone.Signal != 0 { // the runtime's ways
		ended.last = s.outlet.words.give()
	}
	s.outlet.release()
	return ended
}

// IsComplete tells whether code can be executed as it stands.
func (s *Session) IsComplete(_ context.Context, code string) message.IsCompleteReply {
	status, indent := cell.IsComplete(code)
	return message.IsCompleteReply{Status: string(status), Indent: indent}
}

// Complete offers nothing yet.
func (s *Session) Complete(_ context.Context, req *message.CompleteRequest) message.CompleteReply {
	return message.CompleteReply{Status: "ok", CursorStart: req.CursorPos, CursorEnd: req.CursorPos}
}

// Inspect finds nothing yet.
func (s *Session) Inspect(context.Context, *message.InspectRequest) message.InspectReply {
	return message.InspectReply{Status: "ok"}
}

// Interrupt ends the cell that is being executed; the session's state stays.
func (s *Session) Interrupt(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cancel == nil: // nothing is being executed
	case s.ctx.Err() == nil:
		s.cancel(errInterrupted) // the compiler, or the worker's Run
	case s.worker != nil:
		s.worker.Interrupt() // again: patience is over
	}
	return nil
}

// Shutdown is Close, for a kernel's server.
func (s *Session) Shutdown(context.Context, bool) error { return s.Close() }

// Close ends the worker and removes what the session kept on the disk.
func (s *Session) Close() error {
	s.mu.Lock()
	s.closed = true
	w, cancel := s.worker, s.cancel
	s.worker = nil
	s.mu.Unlock()
	s.stop()
	if cancel != nil {
		cancel(errInterrupted)
	}
	if w != nil {
		w.Kill()
	}
	<-s.started
	s.executing.Lock()
	defer s.executing.Unlock()
	var err error
	if s.builder != nil {
		err = s.builder.Close()
	}
	return errors.Join(err, s.folder.remove())
}
