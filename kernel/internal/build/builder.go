package build

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	// modulePath is the module that the worker and what cells call come from.
	modulePath = "github.com/seed5607215b/nnkit"
	workerPath = modulePath + "/kernel/worker"
	livePath   = modulePath + "/kernel/worker/live"

	// keptCells is how many of the newest cells' libraries stay on the disk: they
	// are mapped when they are loaded, and not needed afterwards.
	keptCells = 16
)

// usual are the packages of the first library: what most notebooks import and
// is small. What depends on more of the system (net/http) or is specific
// comes when a cell imports it.
var usual = strings.Fields(`runtime/cgo bufio bytes cmp context encoding/base64 encoding/binary encoding/csv encoding/json
	errors fmt image image/color image/png io io/fs iter log maps math math/bits math/cmplx math/rand math/rand/v2
	os os/exec os/signal path path/filepath reflect regexp runtime runtime/debug runtime/pprof slices sort strconv strings
	sync sync/atomic syscall text/tabwriter time unicode unicode/utf8 unsafe`)

// Config says where a Builder works.
type Config struct {
	// Dir is the session's module: it holds go.mod and go.sum. The module must
	// require this one, github.com/seed5607215b/nnkit, for the worker.
	Dir string
	// CacheDir keeps what takes long to build, for later sessions. Several
	// kernels may use it at once.
	CacheDir string
	// SharedCacheDir is another one, which is only read: an administrator has filled it
	// for several users, see CheckShared. Empty means none.
	SharedCacheDir string
	// CacheSize is how many bytes are kept in CacheDir: what has been used longest ago
	// is removed, but nothing that a kernel uses. 0 means DefaultCacheSize.
	CacheSize int64
	// Env is added to the environment of the go command and its tools.
	Env []string
	// Alone is for cells that are built by Program. Then no C tools are needed, and
	// the methods for the worker and its libraries are not to be called.
	Alone bool
	// Progress, if set, is told in a phrase of what takes long, when it begins. It
	// may be called from any goroutine.
	Progress func(string)
}

// DefaultCacheSize is room for the libraries of some hundred notebooks.
const DefaultCacheSize = 4 << 30

// Builder builds the libraries of one session. Its methods may be called from
// several goroutines; builds happen one after the other.
type Builder struct {
	config   Config
	tools    *toolchain
	cache    *cache
	packages *packages
	names    *names
	tmp      string // for the files of cells
	lang     string // for the compiler: go1.26

	life       context.Context // until Close
	end        context.CancelFunc
	background sync.WaitGroup
	linker     atomic.Pointer[string] // the linker for cells, nil until it is built

	mu sync.Mutex
	holding
	cells      int
	next       *prepared
	configured bool // the import configuration on the disk is up to date
	closed     bool
	flags      []string // of the compiler for cells
}

// holding is what a worker has loaded.
type holding struct {
	libraries []*library        // in the order that the worker loads them
	loaded    map[string]string // the hash of each package in them
	exports   map[string]string // the file with its export data
	index     *index
	first     string // the archive that comes first in a cell's library
	worker    string
	same      map[string]*goListed // loaded packages as they were found unchanged, see Changed
}

func newHolding() holding {
	return holding{loaded: map[string]string{}, exports: map[string]string{}, same: map[string]*goListed{}, index: &index{}}
}

// New finds the tools. Its error says what is missing: as a *MissingError if
// nothing can be built, as a *NoLiveError if Config.Alone would help.
func New(config Config) (_ *Builder, err error) {
	if config.Progress == nil {
		config.Progress = func(string) {}
	}
	if config.Dir, err = filepath.Abs(config.Dir); err != nil {
		return nil, err
	}
	if config.CacheDir, err = filepath.Abs(config.CacheDir); err != nil {
		return nil, err
	}
	if config.SharedCacheDir != "" {
		if config.SharedCacheDir, err = filepath.Abs(config.SharedCacheDir); err != nil {
			return nil, err
		}
	}
	if err := makePrivate(config.CacheDir); err != nil {
		return nil, err
	}
	b := &Builder{config: config, holding: newHolding()}
	b.cache = newCache(config.CacheDir, config.SharedCacheDir, cmp.Or(config.CacheSize, DefaultCacheSize))
	if b.tmp, err = os.MkdirTemp(config.Dir, "_build-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(b.tmp)
		}
	}()
	if b.tools, err = findToolchain(config.Dir, b.tmp, config.Env, config.Alone); err != nil {
		return nil, err
	}
	b.lang, err = language(filepath.Join(config.Dir, "go.mod"), b.tools.env.GOVERSION)
	if err != nil {
		return nil, err
	}
	overlay, err := b.tools.overlay(b.cache)
	if err != nil {
		return nil, err
	}
	b.life, b.end = context.WithCancel(context.Background())
	b.packages = &packages{tools: b.tools, cache: b.cache, overlay: overlay, progress: b.progress, used: map[string]bool{}}
	b.names = &names{packages: b.packages}
	return b, nil
}

func (b *Builder) progress(what string) { b.config.Progress(what) }

// language is the version that the compiler's -lang wants: what go.mod says, or
// the toolchain's own.
func language(gomod, toolchain string) (string, error) {
	data, err := os.ReadFile(gomod)
	if err != nil {
		return "", fmt.Errorf("the session's module: %w", err)
	}
	version := strings.TrimPrefix(toolchain, "go")
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "go" {
			version = f[1]
		}
	}
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return "", fmt.Errorf("%s: cannot make a language version of %q", gomod, version)
	}
	minor := parts[1]
	if i := strings.IndexFunc(minor, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = minor[:i] // 1.27rc1
	}
	return "go" + parts[0] + "." + minor, nil
}

// Worker returns the path of the worker's executable, which is linked against the
// first library. Both come from the cache if they are there. Every other library
// is to be loaded into this worker. Meanwhile the tools for the first cell start.
func (b *Builder) Worker(ctx context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.worker != "" {
		return b.worker, nil
	}
	if _, err := b.tools.overlay(b.cache); err != nil { // what New wrote may have gone
		return "", err
	}
	var lib *library
	var dir string
	err := b.resolve(ctx, append([]string{workerPath, livePath}, usual...), func(pkgs []*goListed) error {
		main := slices.IndexFunc(pkgs, func(p *goListed) bool { return p.Path == workerPath })
		archive := pkgs[main]
		var err error
		if lib, err = b.makeLibrary(ctx, slices.Delete(slices.Clone(pkgs), main, main+1)); err != nil {
			return fmt.Errorf("the first library: %w", err)
		}
		name := filepath.Join("worker", hashOf("worker 1", lib.key, archive.hash()))
		if dir, err = b.cached(ctx, name, func(tmp string) error { return b.linkWorker(ctx, tmp, lib, archive) }); err != nil {
			return fmt.Errorf("the worker: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	b.add(lib)
	b.first, b.worker = filepath.Join(dir, "first.a"), filepath.Join(dir, "worker")
	b.startLinkerBuild()
	_ = b.prepare() // Cell tries again, and tells
	b.background.Go(func() { b.cache.trim(cacheUnused) })
	return b.worker, nil
}

// Tried calls try unless it has been called for this worker before, by any
// session, and has returned nil.
func (b *Builder) Tried(ctx context.Context, try func() error) error {
	worker, err := b.Worker(ctx)
	if err != nil {
		return err
	}
	_, err = b.cached(ctx, filepath.Join("worker", "tried-"+hashOf("tried 1", worker)), func(string) error { return try() })
	return err
}

// resolve calls use with the packages that have the given import paths and all
// that they depend on, dependencies first. If use finds that an archive is not
// there any more (the go command removes from its cache what it has not used for
// days), it is called again with what the go command makes anew.
func (b *Builder) resolve(ctx context.Context, paths []string, use func([]*goListed) error) error {
	pkgs, err := b.packages.resolve(ctx, paths, false)
	if err != nil {
		return err
	}
	if err := use(pkgs); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if pkgs, err = b.packages.resolve(ctx, paths, true); err != nil {
		return err
	}
	return use(pkgs)
}

// linkWorker builds the worker's executable in a directory.
func (b *Builder) linkWorker(ctx context.Context, dir string, lib *library, main *goListed) error {
	var config strings.Builder
	for _, p := range lib.meta.Packages {
		fmt.Fprintf(&config, "packageshlib %s=%s\n", p.Path, lib.file())
	}
	cfg := filepath.Join(dir, "importcfg")
	if err := os.WriteFile(cfg, []byte(config.String()), 0o666); err != nil {
		return err
	}
	if _, err := os.Stat(main.Export); err != nil {
		return err
	}
	link := b.tools.command(ctx, dir, "link", "-buildmode=exe", "-linkshared", "-installsuffix", "dynlink", "-s", "-w", "-buildid=",
		"-extld="+strings.Join(b.tools.cc, " "), "-importcfg", cfg, "-o", "worker", main.Export)
	if out, err := link.CombinedOutput(); err != nil {
		return fmt.Errorf("link: %w\n%s", err, bytes.TrimSpace(out))
	}
	if err := os.WriteFile(filepath.Join(dir, "first.go"), []byte("package first\n\nfunc first() {}\n"), 0o666); err != nil {
		return err
	}
	compile := b.tools.command(ctx, dir, "compile", "-dynlink", "-linkshared", "-pack", "-complete", "-p", "first", "-o", "first.a", "first.go")
	if out, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("compile: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// add makes a library one of the loaded ones.
func (b *Builder) add(l *library) {
	b.libraries = append(b.libraries, l)
	b.index.images = append(b.index.images, l.image)
	for i, p := range l.meta.Packages {
		b.loaded[p.Path] = p.Hash
		b.exports[p.Path] = l.export(i)
	}
	b.configured = false
	if b.next != nil { // its compiler does not know the new packages
		b.next.compiler.cancel()
		b.next.compiler = nil
	}
	go l.image.links() // takes a few milliseconds, and is needed for the next cell
}

// importConfig is where the compiler finds the export data.
func (b *Builder) importConfig() string {
	var s strings.Builder
	for path, file := range b.exports {
		fmt.Fprintf(&s, "packagefile %s=%s\n", path, file)
	}
	return s.String()
}

// ChangedError tells that packages are not any more what they were when the
// worker loaded them. Only a new worker can have the new ones.
type ChangedError struct{ Paths []string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s changed after it was loaded into this session: restart the kernel to use the new version", strings.Join(e.Paths, ", "))
}

// Imports returns the libraries that have to be loaded before a cell that imports
// the given packages: none if the packages are loaded, otherwise one. It counts
// them as loaded.
func (b *Builder) Imports(ctx context.Context, paths []string) ([]Library, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.libraries) == 0 {
		return nil, errors.New("the worker has to be built before the first import")
	}
	var l *library
	err := b.resolve(ctx, paths, func(pkgs []*goListed) error {
		var missing []*goListed
		var changed []string
		for _, p := range pkgs {
			hash, loaded := b.loaded[p.Path]
			switch {
			case !loaded:
				missing = append(missing, p)
			case hash != p.hash():
				changed = append(changed, p.Path)
			}
		}
		if changed != nil {
			return &ChangedError{changed}
		}
		if missing == nil {
			return nil
		}
		var err error
		if l, err = b.makeLibrary(ctx, missing); err != nil {
			return fmt.Errorf("library for %s: %w", strings.Join(paths, ", "), err)
		}
		return nil
	})
	if err != nil || l == nil {
		return nil, err
	}
	b.add(l)
	return []Library{{File: l.file(), Itabs: l.meta.Itabs}}, nil
}

// Libraries returns what Imports has returned so far: what a fresh worker has to
// load to take the place of one that died.
func (b *Builder) Libraries() []Library {
	b.mu.Lock()
	defer b.mu.Unlock()
	var libs []Library
	for _, l := range b.libraries[min(1, len(b.libraries)):] {
		libs = append(libs, Library{File: l.file(), Itabs: l.meta.Itabs})
	}
	return libs
}

// Export returns the file with a package's export data, for a type checker.
func (b *Builder) Export(ctx context.Context, path string) (string, error) {
	files, err := b.Exports(ctx, []string{path})
	return files[path], err
}

// Exports returns the files with the export data of several packages and all that
// they depend on, by import path. It asks the go command at most once, and
// compiles what has not been compiled yet. Packages that cannot be imported make
// the error, as *PackageError.
func (b *Builder) Exports(ctx context.Context, paths []string) (map[string]string, error) {
	var files map[string]string
	err := b.resolve(ctx, paths, func(pkgs []*goListed) (err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		files, err = b.exported(pkgs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// exported are the files with the export data of packages. The caller holds the mutex.
func (b *Builder) exported(pkgs []*goListed) (map[string]string, error) {
	files := map[string]string{}
	for _, p := range pkgs {
		if b.loaded[p.Path] == p.hash() {
			files[p.Path] = b.exports[p.Path]
			continue
		}
		if _, err := os.Stat(p.Export); err != nil {
			return nil, err
		}
		files[p.Path] = p.Export
	}
	return files, nil
}

// Cell builds the library of one cell: text is a Go file of package main, entry
// the name of the function in it that runs the cell, such as "cellʹ12". The file
// names that //line directives give are kept as they are. What the compiler does
// not accept is a *CompileError. Before it returns, the tools for the next cell
// are started.
func (b *Builder) Cell(ctx context.Context, text, entry string) (Library, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return Library{}, errors.New("the builder is closed")
	}
	if err := b.prepare(); err != nil {
		return Library{}, err
	}
	out, err := b.next.compiler.finish(ctx, text)
	if err != nil && len(out) == 0 && ctx.Err() == nil {
		// Not the text's fault: something has ended the compiler while it waited.
		b.next.compiler = nil
		if err := b.prepare(); err != nil {
			return Library{}, err
		}
		out, err = b.next.compiler.finish(ctx, text)
	}
	p := b.next
	if err != nil {
		p.compiler = nil
		_ = b.prepare()
		if ctx.Err() != nil {
			return Library{}, ctx.Err()
		}
		return Library{}, compileError(out, err)
	}
	p.compiler = nil
	b.next = nil // whatever happens from now on, its directory is used
	// The next cell may be waiting: its tools start while this one is linked.
	var ahead sync.WaitGroup
	ahead.Go(func() { _ = b.prepare() })
	lib, err := b.link(ctx, p, entry)
	ahead.Wait()
	p.linker.cancel()
	return lib, err
}

// link makes the library of a compiled cell.
func (b *Builder) link(ctx context.Context, p *prepared, entry string) (Library, error) {
	archive := filepath.Join(p.dir, cellArchive)
	refs, methods, err := readArchive(archive)
	if err != nil {
		return Library{}, err
	}
	if _, err := b.index.dropMethods(archive, archive, methods); err != nil {
		return Library{}, err
	}
	stub := filepath.Join(p.dir, "work", stubName)
	if err := b.index.writeStub(stub, refs); err != nil {
		return Library{}, err
	}
	var config strings.Builder
	b.shlibConfig(&config, stub)
	out, err := p.linker.finish(ctx, config.String())
	p.linker = nil
	if _, failed := hostCommand(ctx, p.dir, out, err); failed != nil && ctx.Err() == nil {
		// Something may have ended the linker while it waited, and the one that we
		// have built is not to be trusted any more: the one that came with Go decides.
		var extra []string
		if wantsBasic(out) && !exportsSymbols(out) {
			basic, more, err := b.basic(ctx)
			if err != nil {
				return Library{}, err
			}
			if err := b.index.writeStub(stub, append(refs, more...)); err != nil {
				return Library{}, err
			}
			extra = []string{"basic=" + basic}
		} else {
			b.linker.Store(nil)
		}
		if p.linker, err = b.startLinker(p.dir, extra...); err != nil {
			return Library{}, err
		}
		out, err = p.linker.finish(ctx, config.String())
		p.linker = nil
	}
	if _, err := hostCommand(ctx, p.dir, out, err); err != nil {
		if exportsSymbols(out) {
			err = errors.New("package main of a cell must not declare an exported variable or function")
		}
		return Library{}, err
	}
	// The name that the linker gives a function in a shared library.
	lib := Library{File: filepath.Join(p.dir, cellLibrary), Entry: "main." + entry + ".abiinternal"}
	var defined bool
	lib.Itabs, defined, err = linkShared(lib.File, filepath.Join(p.dir, "work", "go.o"), lib.Entry)
	if err == nil && !defined {
		err = errors.New("the cell's text has no function of this name")
	}
	return lib, err
}

// exportsSymbols tells of a linker's output that it failed for the table which the
// compiler makes of exported symbols, for plugin.Lookup to find.
func exportsSymbols(output []byte) bool { return bytes.Contains(output, []byte("go:plugin.tabs")) }

// Close ends the tools that wait and removes temporary files. The worker's
// libraries stay in the cache.
func (b *Builder) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.end()
	b.background.Wait()
	b.next.discard()
	b.holding.close()
	b.cache.close()
	return os.RemoveAll(b.tmp)
}

// CompileError is what the compiler says about a text that it does not accept.
type CompileError struct {
	Diagnostics []Diagnostic
	Output      string // all that the compiler has printed
}

// Diagnostic is one message of the compiler.
type Diagnostic struct {
	File         string // as a //line directive gave it
	Line, Column int    // from 1; Column 0 if it is not known
	Message      string // may have several lines
}

func (e *CompileError) Error() string {
	if len(e.Diagnostics) == 0 {
		return "compile: " + strings.TrimSpace(e.Output)
	}
	d := e.Diagnostics[0]
	s := fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
	if n := len(e.Diagnostics); n > 1 {
		s += fmt.Sprintf(" (and %d more)", n-1)
	}
	return s
}

// compileError makes an error of what a compiler that failed has printed.
func compileError(output []byte, err error) error {
	e := &CompileError{Output: string(output)}
	if len(bytes.TrimSpace(output)) == 0 {
		return &KilledError{"the compiler", err}
	}
	for s := bufio.NewScanner(bytes.NewReader(output)); s.Scan(); {
		line := s.Text()
		m := diagnosticLine.FindStringSubmatch(line)
		switch {
		case m != nil:
			e.Diagnostics = append(e.Diagnostics, Diagnostic{m[1], atoi(m[2]), atoi(m[3]), m[4]})
		case len(e.Diagnostics) > 0 && strings.HasPrefix(line, "\t"):
			d := &e.Diagnostics[len(e.Diagnostics)-1]
			d.Message += "\n" + line
		}
	}
	return e
}

// KilledError is a tool that has ended without a word.
type KilledError struct {
	Tool string // "the compiler"
	Err  error  // of package exec
}

func (e *KilledError) Error() string {
	return fmt.Sprintf("%s ended before its work was done (%v), for want of memory perhaps: run the cell again", e.Tool, e.Err)
}

func (e *KilledError) Unwrap() error { return e.Err }

// Signal is the signal that has ended the tool, 0 if none has.
func (e *KilledError) Signal() syscall.Signal {
	if exit, ok := errors.AsType[*exec.ExitError](e.Err); ok {
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
			return status.Signal()
		}
	}
	return 0
}

var diagnosticLine = regexp.MustCompile(`^(.+?):(\d+)(?::(\d+))?: (.*)$`)

// atoi is for digits that a regular expression has found.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
