package session

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/complete"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// How long a client waits for an answer while somebody types. JupyterLab drops
// completions that take longer than a second.
const (
	completePatience = 900 * time.Millisecond
	inspectPatience  = 3 * time.Second
	valuePatience    = time.Second // with a method String
)

// typing answers what a client asks while somebody types. It works beside the cell
// that is being executed, with what the program declared when it was last seen.
type typing struct {
	session   *Session
	completer *complete.Completer
	view      atomic.Pointer[program.View]
	page      atomic.Pointer[program.View] // what cells for the page see; nil before there are any
	settings  atomic.Pointer[settings]

	mu          sync.Mutex
	searches    context.Context // of those that are under way; nil if there are none
	endSearches context.CancelFunc

	// Of who holds the session's lock.
	values map[string]*program.Plan // loaded ones that look at a variable
	of     int                      // the generation of the program that they belong to
}

func newTyping(s *Session) *typing {
	t := &typing{session: s}
	importer := &importable{session: s, sought: map[string]*search{}}
	importer.packages = newPackages(s.builder, func() context.Context { return importer.ctx }, s.readable)
	t.completer = complete.New(importer, s.builder.GOROOT(), func(prefix string) []complete.Item { return s.paths(prefix, false) })
	return t
}

// see notes what the program declares, and where it is.
func (t *typing) see(p *program.Program) {
	settings := t.session.settings
	t.settings.Store(&settings)
	t.view.Store(p.View())
	if t.session.wasm != nil {
		t.page.Store(p.PageView())
	}
}

// seen is what a text sees of the program.
func (t *typing) seen(ctx context.Context, code string) (context.Context, *program.View) {
	if !isForPage(code) {
		return ctx, t.view.Load()
	}
	ctx = context.WithValue(ctx, forPage{}, true)
	if page := t.page.Load(); page != nil {
		return ctx, page
	}
	return ctx, t.view.Load()
}

// forPage is the key of a context for a text of the page.
type forPage struct{}

// importable are the packages for what is being typed. They are others than those
// that cells are checked with: a package that is imported is not to be looked at by
// somebody else.
type importable struct {
	*packages
	session *Session
	ctx     context.Context // of the request
	stamp   int             // the builder's, when it was asked last for what has changed
	asking  time.Time       // when that was
	changes *search         // that question, until it is answered
	sought  map[string]*search
	read    map[string]*reading
	sources map[string]*types.Package // from what was read, until the compiler has them
	readIn  *token.FileSet            // the packages' one, which is another when they have changed
}

// A search asks the go command for packages. It may have to compile them, and takes
// longer than a request waits.
type search struct {
	done  chan struct{}
	files map[string]string
	err   error
}

// search begins to ask for packages. It ends without an answer when a cell is to be
// executed, which would wait for it.
func (t *typing) search(paths ...string) *search {
	s := &search{done: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.searches == nil {
		t.searches, t.endSearches = context.WithCancel(t.session.life)
	}
	ctx := t.searches
	go func() {
		defer close(s.done)
		s.files, s.err = t.session.builder.Exports(ctx, paths)
	}()
	return s
}

// giveWay ends what is being searched.
func (t *typing) giveWay() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.searches != nil {
		t.endSearches()
		t.searches, t.endSearches = nil, nil
	}
}

// ended tells whether there is an answer.
func (s *search) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// wait waits for the answer as long as the context lasts.
func (s *search) wait(ctx context.Context) error {
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renewPatience is how long a request waits to see a package as it is now, and not
// as it was. One that does not compile is asked for again after renewPause.
const (
	renewPatience = 200 * time.Millisecond
	renewPause    = 2 * time.Second
)

// Begin implements complete.Packages.
func (p *importable) Begin(ctx context.Context) {
	p.ctx = ctx
	p.takeCompiled()
	if p.changes == nil {
		if p.busy() {
			return // the builder would keep us waiting
		}
		stamp := p.builder.Stamp()
		if len(p.asked) == 0 || stamp == p.stamp && (stamp != 0 || time.Since(p.asking) < renewPause) {
			return
		}
		p.stamp, p.asking = stamp, time.Now()
		p.changes = p.session.typing.search(p.asked...)
		clear(p.sought) // what was not there may be now
		clear(p.read)
	}
	ctx, cancel := context.WithTimeout(ctx, renewPatience)
	defer cancel()
	if err := p.changes.wait(ctx); ctx.Err() != nil {
		return // the request is answered with what is known
	} else if err == nil {
		p.update(p.changes.files)
	} else {
		p.stamp = 0
	}
	p.changes = nil
}

// takeCompiled puts what the compiler has made since in the place of what was read.
func (p *importable) takeCompiled() {
	for path, s := range p.sought {
		if s.ended() {
			delete(p.sought, path)
			if s.err == nil {
				p.add(s.files, path)
				p.readIn = nil // to be read again with these
			}
		}
	}
}

// busy tells whether packages are being compiled, for the cell that is executed or
// for a request before.
func (p *importable) busy() bool {
	if p.session.compiling.Load() {
		return true
	}
	for _, s := range p.sought {
		if !s.ended() {
			return true
		}
	}
	return false
}

// Import implements types.Importer.
func (p *importable) Import(path string) (*types.Package, error) {
	switch {
	case path == "unsafe" || p.files[path] != "":
		return p.packages.Import(path)
	case p.sources[path] != nil && p.readIn == p.fset:
		return p.sources[path], nil
	}
	if files, ok := p.builder.Compiled(path); ok {
		p.add(files, path)
		return p.packages.Import(path)
	}
	return p.importSource(path)
}

// importSource is Import of a package that is not compiled. When its sources have been
// read the compiler begins with it, for whoever runs the cell.
func (p *importable) importSource(path string) (*types.Package, error) {
	if p.readIn != p.fset {
		p.readIn, p.read, p.sources = p.fset, map[string]*reading{}, map[string]*types.Package{}
	}
	r := p.read[path]
	if r == nil {
		compiled, read := maps.Clone(p.files), maps.Clone(p.sources)
		r = p.session.read(path, p.fset, func(path string) bool { return path == "unsafe" || compiled[path] != "" || read[path] != nil }, p.builder.CompiledAmong)
		p.read[path] = r
	}
	if err := r.wait(p.ctx); err != nil {
		return nil, err
	}
	p.add(r.compiled)
	r.check(p.sources, importerFunc(func(path string) (*types.Package, error) {
		if path != "unsafe" && p.files[path] == "" {
			return nil, fmt.Errorf("%s is not there", path)
		}
		return p.packages.Import(path)
	}))
	if s := p.sought[path]; s == nil || s.ended() && errors.Is(s.err, context.Canceled) {
		p.sought[path] = p.session.typing.search(path)
	}
	if pkg := p.sources[path]; pkg != nil {
		return pkg, nil
	}
	return p.packages.Import(path)
}

// Known implements complete.Packages.
func (p *importable) Known() []complete.Package {
	var all []complete.Package
	if p.ctx.Value(forPage{}) != nil {
		all = append(all, pagePackages...)
	}
	for _, n := range p.builder.Known(p.ctx) {
		rare := slices.ContainsFunc(kernelModules, func(m string) bool { return strings.HasPrefix(n.Path, m+"/") || n.Path == m })
		all = append(all, complete.Package{Name: n.Name, Path: n.Path, Rare: rare})
	}
	return all
}

// Position implements complete.Packages.
func (p *importable) Position(pos token.Pos) token.Position { return p.fset.Position(pos) }

// answer calls f, which may take a while, and tells whether it has answered in time.
func answer[A any](ctx context.Context, s *Session, patience time.Duration, f func(ctx context.Context) A) (A, bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	done := make(chan A, 1)
	go func() {
		defer cancel()
		// What is only asked while somebody types must not end the session.
		defer func() { _ = recover() }()
		select {
		case <-s.started:
			if s.failed == nil {
				done <- f(ctx)
			}
		case <-ctx.Done():
		}
	}()
	select {
	case a := <-done:
		return a, true
	case <-ctx.Done():
		var none A
		select {
		case a := <-done:
			return a, true
		default:
			return none, false
		}
	}
}

// Complete tells what could be typed at a place in a cell.
func (s *Session) Complete(ctx context.Context, req *message.CompleteRequest) message.CompleteReply {
	at := complete.Offset(req.Code, req.CursorPos)
	found, _ := answer(ctx, s, completePatience, func(ctx context.Context) complete.Completion {
		if c, ok := cell.CommandAt(req.Code, at); ok {
			return s.completeCommand(ctx, c, req.Code[:at])
		}
		ctx, view := s.typing.seen(ctx, req.Code)
		return s.typing.completer.Complete(ctx, view, req.Code, at)
	})
	if found.Items == nil {
		found.Start, found.End = at, at
	}
	reply := message.CompleteReply{CursorStart: complete.Position(req.Code, found.Start), CursorEnd: complete.Position(req.Code, found.End)}
	kinds := []message.CompletionType{} // JupyterLab wants the list, empty or not
	for _, item := range found.Items {
		reply.Matches = append(reply.Matches, item.Text)
		kinds = append(kinds, message.CompletionType{
			Start: reply.CursorStart, End: reply.CursorEnd,
			Text: item.Text, Type: item.Type, Signature: item.Signature, Documentation: item.Doc,
		})
	}
	reply.Metadata = map[string]any{message.CompletionTypes: kinds}
	return reply
}

// Inspect tells about what stands at a place in a cell.
func (s *Session) Inspect(ctx context.Context, req *message.InspectRequest) message.InspectReply {
	at := complete.Offset(req.Code, req.CursorPos)
	data, _ := answer(ctx, s, inspectPatience, func(ctx context.Context) message.MIMEBundle {
		if c, ok := cell.CommandAt(req.Code, at); ok {
			return describeCommand(c.Name)
		}
		return s.describe(ctx, req.Code, at, req.DetailLevel > 0, s.value)
	})
	return message.InspectReply{Found: data != nil, Data: data}
}

// describe is what is known of what stands at an offset of a text, or nil. The value
// of a variable is asked for by its name.
func (s *Session) describe(ctx context.Context, code string, at int, detail bool, value func(context.Context, string) complete.Value) message.MIMEBundle {
	ctx, view := s.typing.seen(ctx, code)
	found, ok := s.typing.completer.Inspect(ctx, view, code, at, detail)
	if !ok {
		return nil
	}
	var v complete.Value
	if found.Variable != "" {
		v = value(ctx, found.Variable)
	}
	return message.MIMEBundle{"text/plain": found.Text(v), "text/html": found.HTML(v)}
}

// value looks at a variable, if no cell is running that may be changing it.
func (s *Session) value(ctx context.Context, name string) complete.Value {
	if !s.executing.TryLock() {
		return unknownValue
	}
	defer s.executing.Unlock()
	return s.valueNow(ctx, name)
}

var unknownValue = complete.Value{Note: "not known while a cell runs"}

// valueNow looks at a variable while nothing runs in the worker.
func (s *Session) valueNow(ctx context.Context, name string) complete.Value {
	t, none := s.typing, complete.Value{}
	view := t.view.Load()
	if !view.Has(name) || s.alone {
		return none
	}
	if t.values == nil || t.of != view.Generation {
		t.values, t.of = map[string]*program.Plan{}, view.Generation
	}
	plan := t.values[name]
	if plan == nil {
		var err error
		if plan, err = s.program.PlanVariable(name, 0); err != nil {
			return none
		}
		if err := s.runner.load(ctx, plan); err != nil {
			return none
		}
		t.values[name] = plan
	}
	ctx, cancel := context.WithTimeout(ctx, valuePatience)
	defer cancel()
	values, outcome, err := s.look(ctx, 0, plan)
	if err != nil || outcome.Status != wire.OK || len(values) == 0 {
		return none
	}
	return complete.Value{Size: values[0][0], Text: values[0][1]}
}
