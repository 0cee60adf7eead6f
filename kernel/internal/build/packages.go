package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// packages knows the packages that the session's module can import, as go list
// tells them, with the archives that the go command has compiled for dynamic
// linking. Asking takes half a second, so answers are kept, in the cache as well:
// they hold as long as go.mod, go.sum and the toolchain are the same and no
// package in a local directory has been changed.
type packages struct {
	tools    *toolchain
	cache    *cache
	overlay  string // a file for the go command, see stdio.go
	progress func(string)

	mu    sync.Mutex
	key   string               // of the answers: what they depend on
	known map[string]*goListed // by import path
	lists int                  // how often known has changed
	used  map[string]bool      // the paths that were resolved here, not by another session
}

// goListed is a package as go list describes it.
type goListed struct {
	Path    string
	Name    string
	Export  string   `json:",omitempty"` // the archive
	Imports []string `json:",omitempty"`
	Std     bool     `json:",omitempty"`
	Dir     string   `json:",omitempty"` // of a package that is edited in place: not in the module cache
	State   string   `json:",omitempty"` // what Dir held when it was listed
}

// hash identifies the contents of the package's archive.
func (p *goListed) hash() string {
	// The go command names a file in its cache by the hash of the contents.
	if m := outputFile.FindStringSubmatch(filepath.Base(p.Export)); m != nil {
		return m[1]
	}
	b, err := os.ReadFile(p.Export)
	if err != nil {
		return ""
	}
	return hashOf(string(b))
}

var outputFile = regexp.MustCompile(`^([0-9a-f]{64})-d$`)

// hashOf is a key made of several parts.
func hashOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d\n%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// PackageError tells why a package cannot be imported.
type PackageError struct {
	Path    string // as imported
	Message string // the go command's, one line or several
}

func (e *PackageError) Error() string {
	if strings.Contains(e.Message, e.Path) {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// resolve returns the packages with the given import paths and all that they
// depend on, dependencies first. If fresh is set it asks the go command even if
// it knows the answer. The error is made of *PackageError where packages are the
// reason.
func (p *packages) resolve(ctx context.Context, paths []string, fresh bool) ([]*goListed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.see(); err != nil {
		return nil, err
	}
	if !fresh {
		if all, ok := p.closure(paths); ok {
			return all, nil
		}
	}
	listed, err := p.list(ctx, paths)
	if err != nil {
		return nil, err
	}
	// The go command may have completed go.mod.
	if key, err := p.currentKey(); err == nil && key != p.key {
		p.key, p.known = key, map[string]*goListed{}
	}
	p.forgetDependents(listed)
	maps.Copy(p.known, listed)
	p.lists++
	p.write()
	all, ok := p.closure(paths)
	if !ok {
		return nil, fmt.Errorf("go list does not describe all of %s", strings.Join(paths, ", "))
	}
	return all, nil
}

// see makes the answers those for the module as it is now.
func (p *packages) see() error {
	key, err := p.currentKey()
	if err == nil && key != p.key {
		p.key, p.known = key, p.read(key)
		p.lists++
	}
	return err
}

// compiled is resolve where all is known; it waits for nobody who asks the go command.
func (p *packages) compiled(path string) ([]*goListed, bool) {
	if !p.mu.TryLock() {
		return nil, false
	}
	defer p.mu.Unlock()
	if p.see() != nil {
		return nil, false
	}
	return p.closure([]string{path})
}

// forgetDependents drops what is known of packages that import one that has
// changed and were not asked for with it: they would be of another build.
func (p *packages) forgetDependents(listed map[string]*goListed) {
	stale := map[string]bool{}
	for path, l := range listed {
		if old := p.known[path]; old != nil && old.Export != l.Export {
			stale[path] = true
		}
	}
	for again := len(stale) > 0; again; {
		again = false
		for path, l := range p.known {
			if listed[path] == nil && !stale[path] && slices.ContainsFunc(l.Imports, func(i string) bool { return stale[i] }) {
				stale[path], again = true, true
			}
		}
	}
	for path := range stale {
		delete(p.known, path)
	}
}

// currentKey identifies all that the meaning of an import path depends on.
func (p *packages) currentKey() (string, error) {
	texts, relative, err := p.tools.moduleFiles()
	if err != nil {
		return "", err
	}
	parts := append([]string{"packages 3", p.tools.dir, p.tools.id(), p.overlay}, texts...)
	if !relative {
		parts[1] = "" // two sessions with the same go.mod share their answers
	}
	return hashOf(parts...), nil
}

// file names the file of an answer in the cache.
func (p *packages) file(key string) string { return filepath.Join("packages", key+".json") }

func (p *packages) read(key string) map[string]*goListed {
	known := map[string]*goListed{}
	if !p.cache.readJSON(p.file(key), &known) {
		return map[string]*goListed{}
	}
	return known
}

// write keeps the answers. If it fails, the next session asks again.
func (p *packages) write() { p.cache.writeJSON(p.file(p.key), p.known) }

// writeFile writes a file that others may be reading.
func writeFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// closure returns the packages and all that they import, dependencies first. It
// reports false if there is one that is not known, or was changed.
func (p *packages) closure(paths []string) ([]*goListed, bool) {
	var all []*goListed
	seen := map[string]bool{}
	var visit func(path string) bool
	visit = func(path string) bool {
		if seen[path] || path == "unsafe" {
			return true
		}
		seen[path] = true
		if path == "C" { // what the go command imports for cgo
			return visit("runtime/cgo") && visit("syscall")
		}
		l := p.known[path]
		if l == nil || l.Export == "" || l.Dir != "" && stateOf(l.Dir) != l.State {
			return false
		}
		for _, i := range l.Imports {
			if !visit(i) {
				return false
			}
		}
		all = append(all, l)
		p.used[path] = true
		return true
	}
	for _, path := range paths {
		if !visit(path) {
			return nil, false
		}
	}
	return all, true
}

// stateOf describes a directory's files: names, sizes, times. What is embedded
// from directories below counts as well.
func stateOf(dir string) string {
	h := sha256.New()
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		name := d.Name()
		if d.IsDir() {
			// A directory with Go files is another package.
			if path != dir && (strings.HasPrefix(name, ".") || name == "testdata" || hasGoFile(path)) {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		if info, err := d.Info(); err == nil {
			fmt.Fprintf(h, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func hasGoFile(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".go") })
}

// list asks the go command, which compiles what it has not compiled yet.
func (p *packages) list(ctx context.Context, paths []string) (map[string]*goListed, error) {
	what := "compiling packages for the live session (once for each of them)"
	switch {
	case p.tools.alone:
		what = "compiling packages (once for each of them)"
	case len(p.known) == 0:
		what = "compiling the standard library for dynamic linking (once, it may take a minute)"
	}
	slow := time.AfterFunc(time.Second, func() { p.progress(what) })
	defer slow.Stop()
	args := []string{"list", "-e", "-export", "-deps", "-buildvcs=false", "-overlay=" + p.overlay, "-json=ImportPath,Name,Export,Imports,Standard,Dir,Module,Error,DepOnly"}
	if !p.tools.alone {
		args = append(args, "-linkshared")
	}
	args = append(append(args, "--"), paths...)
	out, err := p.tools.goCommand(ctx, args...)
	if err != nil {
		return nil, err
	}
	listed := map[string]*goListed{}
	var failed []error
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l struct {
			ImportPath, Name, Export, Dir string
			Imports                       []string
			Standard, DepOnly             bool
			Error                         *struct{ Err string }
			Module                        *struct {
				Main    bool
				Dir     string
				Replace *struct{ Version string }
			}
		}
		if err := d.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if l.Error != nil {
			failed = append(failed, &PackageError{l.ImportPath, strings.TrimSpace(l.Error.Err)})
			continue
		}
		if l.Name == "main" && !l.DepOnly && l.ImportPath != workerPath {
			failed = append(failed, &PackageError{l.ImportPath, "is a program, not an importable package"})
			continue
		}
		g := &goListed{Path: l.ImportPath, Name: l.Name, Export: l.Export, Imports: l.Imports, Std: l.Standard}
		if m := l.Module; m != nil && (m.Main || m.Replace != nil && m.Replace.Version == "") {
			g.Dir, g.State = l.Dir, stateOf(l.Dir)
		}
		listed[g.Path] = g
	}
	if failed != nil {
		return nil, errors.Join(failed...)
	}
	return listed, nil
}
