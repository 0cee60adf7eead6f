package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/cgroup"
	"github.com/seed5607215b/nnkit/kernel/internal/history"
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
	// SharedCacheDir is one that is only read, of the system's administrator. Empty
	// means what NNKIT_SHARED_CACHE names, if anything.
	SharedCacheDir string
	// CacheSize is how many bytes are kept in CacheDir. 0 means what NNKIT_CACHE_SIZE
	// says, or build.DefaultCacheSize.
	CacheSize int64
	// Alone gives each cell a process of its own, as on a machine where they cannot
	// share one: variables are not kept.
	Alone bool
	// KernelID is by what the Jupyter server knows the kernel, empty without one.
	KernelID string
	// Server is the Jupyter server of the kernel, nil where that is not known.
	Server *Server
	// History has the cells for %hist. It may be nil.
	History *history.History
	// Pinned are modules that cells are to use, as lines of go.sum: a lock's.
	Pinned []string
	// Greet returns what the first cell is to tell besides, given what cells are
	// compiled with. It may be nil.
	Greet func(Requirements) string
	// Lock is for %lock: it stores what cells are compiled with, and what the
	// arguments name, and says so. It is nil where the notebook's file is unknown.
	Lock func(r Requirements, args []string) (string, error)
	// Progress is told what takes long before the first cell runs. It may be nil.
	Progress func(string)

	// Built is a notebook that has become a program: it runs the cells, and nothing is
	// built. It may be nil.
	Built *Built

	whole *Whole // the program that the cells are for, if they are not to be run
}

// A Session runs the cells of one notebook. Cells are executed one at a time;
// Interrupt may be called at any time.
type Session struct {
	config   Config
	folder   *folder
	dir      string // the folder's path: the session's module
	module   *module
	builder  *build.Builder
	program  *program.Program
	types    *packages
	typing   *typing
	debugger *debugger
	started  chan struct{}   // closed when starting has ended
	failed   error           // why it did not work
	alone    bool            // each cell has a process of its own
	warning  string          // to show in the first cell
	memory   memory          // how much there is
	life     context.Context // until Close
	stop     context.CancelFunc

	settings settings // what cells have changed, as is what follows
	current  *execution
	wasm     *wasm   // nil until a cell is for the page
	checked  int     // the builder's stamp when nothing loaded had changed
	leaving  *Worker // it goes when the one that is started takes its place, or nil

	executing sync.Mutex
	compiling atomic.Bool // the cell that is being executed
	outlet    outlet
	front     *front
	noted     atomic.Bool             // the cell shows what takes long
	mu        sync.Mutex              // guards the fields below
	ctx       context.Context         // of the cell that is being executed, or was last
	cancel    context.CancelCauseFunc // nil while nothing is being executed
	untold    string                  // what takes long, since before the cell
	runner    runner                  // nil until it has been started
}

// A runner brings plans to life: live in one worker that holds the state of all
// cells, or alone in a process for each cell.
type runner interface {
	// ready makes sure that a cell can be loaded. It fails once with a *WorkerDied
	// where what was loaded has gone since the last cell.
	ready(ctx context.Context) error
	// load compiles a plan, if that has not been done.
	load(ctx context.Context, plan *program.Plan) error
	// run runs a loaded plan as the cell of the given number. The end of the
	// context interrupts it, to end in good order if it can.
	run(ctx context.Context, count int, plan *program.Plan) (wire.Outcome, error)
	// insist ends the patience with a cell that has been interrupted.
	insist()
	// configure changes what the program finds around it, if one runs.
	configure(ctx context.Context, settings wire.Settings) error
	// current is the process that holds what is loaded, or that runs a cell, or nil.
	current() *Worker
	// renew ends what runs and forgets what was loaded.
	renew()
	// close ends all processes. Nothing can be run any more.
	close()
}

// A starter starts a worker, given its executable.
type starter func(ctx context.Context, path string) (*Worker, error)

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
	warning := ""
	if config.Built == nil {
		if warning, err = config.place(); err != nil {
			return nil, err
		}
	}
	go sweep(os.TempDir())
	folder, err := newFolder(os.TempDir())
	if err != nil {
		return nil, err
	}
	m := &module{dir: folder.path, sources: config.Sources, notebook: config.Dir, pinned: config.Pinned}
	if config.Built == nil {
		err = m.write()
	}
	if err != nil {
		return nil, errors.Join(err, folder.remove())
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Session{
		config: config, folder: folder, dir: folder.path, module: m, started: make(chan struct{}), life: ctx, stop: stop,
		settings: newSettings(config, folder.path),
		memory:   newMemory(cgroup.Read().Memory), warning: warning,
	}
	s.ctx, s.front, s.debugger = ctx, newFront(&s.outlet, config.KernelID), newDebugger(s)
	go func() {
		defer close(s.started)
		s.failed = s.start(ctx)
	}()
	return s, nil
}

// start makes everything ready for the first cell: one worker for all cells, or
// where that cannot be had, what it takes to give each a process of its own.
func (s *Session) start(ctx context.Context) error {
	if s.config.Built != nil {
		s.startBuilt()
		return nil
	}
	alone := s.config.Alone || s.config.whole != nil
	err := s.startWith(ctx, alone)
	var missing *build.MissingError
	if err != nil && !alone && ctx.Err() == nil && !errors.As(err, &missing) {
		s.warning += aloneWarning(err) + "\n"
		err = s.startWith(ctx, true)
	}
	if err != nil || s.config.Greet == nil {
		return err
	}
	r, err := s.requirements()
	if err != nil {
		return err
	}
	s.warning += s.config.Greet(*r)
	return nil
}

func (s *Session) startWith(ctx context.Context, alone bool) error {
	b, err := build.New(build.Config{Dir: s.dir, CacheDir: s.config.CacheDir, SharedCacheDir: s.config.SharedCacheDir, CacheSize: s.config.CacheSize, Alone: alone, Progress: s.progress})
	if err != nil {
		return err
	}
	s.builder, s.alone = b, alone && s.config.whole == nil
	s.types = newPackages(b, s.cellContext, s.readable)
	s.program = s.newProgram(s.alone)
	s.typing = newTyping(s)
	var r runner
	switch {
	case s.config.whole != nil:
		r = s.config.whole
	case alone:
		r = newAlone(b, s.startWorker)
	default:
		r = newLive(b, s.startWorker)
	}
	err = r.ready(ctx)
	if err == nil && !alone {
		err = b.Tried(ctx, func() error { return s.tryLive(ctx) })
	}
	if err != nil {
		r.close()
		return errors.Join(err, b.Close())
	}
	s.typing.see(s.program)
	s.mu.Lock()
	s.runner = r
	s.mu.Unlock()
	return nil
}

func (s *Session) newProgram(alone bool) *program.Program {
	return program.New(program.Config{
		Importer: s.types,
		Prefetch: func(paths []string) { s.fetch(s.types, paths) },
		Embed:    s.embedFiles,
		Find:     func(name string) []string { return s.builder.Find(s.cellContext(), name) },
		Alone:    alone,
		Whole:    s.config.whole != nil,
	})
}

func (s *Session) startWorker(ctx context.Context, path string) (*Worker, error) {
	w, err := StartWorker(ctx, WorkerConfig{
		Path: path, Dir: s.settings.dir, Env: append(s.settings.environ(), s.limitMemory()...), TempDir: s.dir, Output: &s.outlet, Front: s.front,
		Command: func(n int) bool { return s.current.between(n) }, Debug: s.debugger.happened,
	})
	if err != nil {
		return nil, err
	}
	err = w.Configure(ctx, wire.Settings{Args: s.settings.args})
	if err == nil {
		err = s.debugger.arm(ctx, w)
	}
	if err != nil {
		w.Kill()
		return nil, err
	}
	go func() {
		<-w.Dead()
		s.debugger.ended()
		s.outlet.words.keep() // for whoever is told
	}()
	return w, nil
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
	s.mu.Lock()
	executing := s.cancel != nil // or nobody but one who types waits for it
	if !executing {
		s.untold = what
	}
	s.mu.Unlock()
	if out := s.outlet.get(); out != nil && executing {
		s.noted.Store(true)
		if c, ok := out.(*captured); ok {
			out = c.Output // it is no output of the cell
		}
		out.Stream("stderr", what+" …\n")
	}
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
			PygmentsLexer: "go", CodemirrorMode: "go", NbconvertExporter: "script",
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
	s.outlet.begin(out)
	s.front.begin()
	s.front.takePayloads() // of a cell that failed
	s.current = nil
	s.giveWay()
	err := s.execute(ctx, count, req.Code)
	s.clearNotes()
	s.warning = ""
	defer s.memory.see()
	s.mu.Lock()
	s.cancel = nil
	s.mu.Unlock()
	if err == nil {
		return message.ExecuteReply{Status: "ok", ExecutionCount: count, Payload: s.front.takePayloads()}
	}
	var ran *cellError
	var died *WorkerDied
	if ctx.Err() != nil && !errors.As(err, &ran) && !errors.As(err, &died) {
		err = errInterrupted // whatever it was that could not be finished
	}
	return s.failure(count, err)
}

// giveWay ends what takes the builder's time for somebody who types.
func (s *Session) giveWay() {
	select {
	case <-s.started:
		if s.typing != nil {
			s.typing.giveWay()
		}
	default:
	}
}

var (
	errInterrupted = errors.New("interrupted") // a cell, before it runs
	errEnded       = errors.New("the session has ended")
)

// waitForStart waits until the session can execute cells, and tells what it waits for.
func (s *Session) waitForStart(ctx context.Context) error {
	select {
	case <-s.started:
		return nil
	default:
	}
	s.mu.Lock()
	what := s.untold
	s.mu.Unlock()
	if what != "" {
		s.progress(what)
	}
	select {
	case <-s.started:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Session) execute(ctx context.Context, count int, code string) error {
	if err := s.waitForStart(ctx); err != nil {
		return err
	}
	if s.failed != nil {
		return s.failed
	}
	s.warn()
	if _, err := s.ready(ctx); err != nil {
		return err
	}
	if reason, err := s.leftOut(code); err != nil || reason != "" {
		if reason != "" {
			s.outlet.Stream("stderr", "the cell was left out: "+reason+"\n")
		}
		return err
	}
	if s.config.Built != nil {
		return s.runBuilt(ctx, count, code)
	}
	e, err := s.newExecution(ctx, count, code)
	if err != nil {
		return err
	}
	s.current = e
	defer s.typing.see(s.program)
	err = e.before()
	switch {
	case err != nil:
	case e.div != "":
		err = e.runInPage()
	default:
		err = e.runGo()
	}
	if err == nil {
		err = e.after()
	}
	return errors.Join(err, e.end())
}

// runGo compiles and runs what of a cell is Go.
func (e *execution) runGo() error {
	plan, err := e.load()
	if err != nil || plan.Empty {
		return err
	}
	e.program.Commit(plan)
	e.typing.see(e.program)
	e.outlet.labels.Store(plan.ID, e.count)
	e.clearNotes()
	if err := e.debugger.begin(e.ctx, e, plan); err != nil {
		return e.died(err)
	}
	if err := e.ctx.Err(); err != nil {
		return err
	}
	if err := e.run(e.ctx, e.count, plan); err != nil {
		return err
	}
	if !plan.Reused {
		e.offerRestart()
	}
	return e.failed
}

// run runs a loaded plan.
func (s *Session) run(ctx context.Context, count int, plan *program.Plan) error {
	outcome, err := s.runner.run(ctx, count, plan)
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

// load compiles and loads what of a cell is Go.
func (e *execution) load() (*program.Plan, error) {
	e.compiling.Store(true)
	defer e.compiling.Store(false)
	for {
		plan, err := e.plan()
		if err != nil || plan.Empty {
			return plan, err
		}
		ended, err := e.ready(e.ctx) // the worker may have made way for a fresh one
		if err != nil {
			return nil, err
		}
		if ended {
			continue // the plan rests on what has gone
		}
		if err := e.runner.load(e.ctx, plan); err != nil {
			return nil, e.died(err)
		}
		return plan, nil
	}
}

// plan plans the cell. Where packages have changed that it uses, the worker makes
// way for a fresh one if no variables are lost with it.
func (e *execution) plan() (*program.Plan, error) {
	if err := e.module.refresh(); err != nil {
		return nil, err
	}
	if e.builder.Missing() && e.valued() == nil {
		e.fresh()
	}
	e.program.Stops = e.debugger.isAttached()
	stamp := e.builder.Stamp()
	checked := stamp != 0 && stamp == e.checked
	if !checked {
		e.types.refresh()
	}
	plan, err := e.program.Plan(e.code(), e.count)
	if (err != nil || !plan.Reused && !plan.Empty) && e.builder.Missing() {
		return nil, &goneError{e.config.CacheDir, e.valued()}
	}
	if err != nil || plan.Empty || checked {
		return plan, err
	}
	fresh, err := e.checkLoaded(plan.Imports)
	if !fresh || err != nil {
		return plan, err
	}
	e.fresh()
	return e.program.Plan(e.code(), e.count)
}

// ready makes sure that a cell can be loaded. It tells of a worker that has died
// since the last one, and whether one has.
func (s *Session) ready(ctx context.Context) (ended bool, err error) {
	s.mend()
	err = s.runner.ready(ctx)
	if gone := new(WorkerDied); errors.As(err, &gone) {
		s.tell(s.died(err))
		s.mend()
		return true, s.runner.ready(ctx)
	}
	return false, err
}

// mend has all built again that the cache has lost, if no worker holds the old.
func (s *Session) mend() {
	if s.builder != nil && s.runner.current() == nil && s.builder.Missing() {
		s.builder.Unload()
		s.types.forget()
	}
}

// clearNotes takes away the notes of what took long, which is over, unless the
// cell has shown something since.
func (s *Session) clearNotes() {
	if s.noted.Swap(false) && !s.outlet.shown.Load() {
		s.outlet.get().Clear(false)
		s.warn()
	}
}

// warn shows what the first cell is to tell.
func (s *Session) warn() {
	if s.warning != "" {
		s.outlet.get().Stream("stderr", s.warning)
	}
}

// died works out what has gone with a worker, or with a cell's own process.
func (s *Session) died(err error) error {
	gone, ended := (*WorkerDied)(nil), &sessionEnded{}
	if exited, ok := errors.AsType[*programEnded](err); ok {
		gone, ended.one = exited.WorkerDied, true
	} else if errors.As(err, &gone) {
		ended.lost = s.program.Forget()
	} else {
		return err
	}
	ended.died = gone
	if gone.Signal == syscall.SIGKILL && !gone.Cut {
		ended.why, ended.notes = s.memory.whyKilled("its process")
	}
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

// Interrupt ends the cell that is being executed; the session's state stays.
func (s *Session) Interrupt(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cancel == nil: // nothing is being executed
	case s.ctx.Err() == nil:
		s.cancel(errInterrupted) // the compiler, or the worker's Run
	case s.runner != nil:
		s.runner.insist()
	}
	return nil
}

// Shutdown is Close, for a kernel's server.
func (s *Session) Shutdown(context.Context, bool) error { return s.Close() }

// Close ends the worker and removes what the session kept on the disk.
func (s *Session) Close() error {
	s.mu.Lock()
	cancel := s.cancel
	s.mu.Unlock()
	s.stop()
	if cancel != nil {
		cancel(errInterrupted)
	}
	<-s.started
	if s.runner != nil {
		s.runner.close()
	}
	s.executing.Lock()
	defer s.executing.Unlock()
	var err error
	if s.builder != nil {
		err = s.builder.Close()
	}
	if s.wasm != nil {
		err = errors.Join(err, s.wasm.close())
	}
	return errors.Join(err, s.folder.remove())
}
