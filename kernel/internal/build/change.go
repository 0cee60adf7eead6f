package build

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Changed returns which of the loaded packages are not any more what they were
// when the worker loaded them: their files were edited, or go.mod takes them from
// another version. Those that do not compile any more make the error, as
// *PackageError.
func (b *Builder) Changed(ctx context.Context) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var paths, changed []string
	for _, l := range b.libraries {
		paths = append(paths, l.outside(b.tools)...)
	}
	err := b.resolve(ctx, paths, func(pkgs []*goListed) error {
		changed = nil
		for _, p := range pkgs {
			hash, loaded := b.loaded[p.Path]
			switch {
			case !loaded || b.same[p.Path] == p:
			case hash == p.hash():
				b.same[p.Path] = p
			default:
				changed = append(changed, p.Path)
			}
		}
		return nil
	})
	slices.Sort(changed)
	return changed, err
}

// Stamp identifies what is known of the packages that were asked for. It is 0 if
// files of theirs have changed since, and asks no tool.
func (b *Builder) Stamp() int { return b.packages.stamp() }

func (p *packages) stamp() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key, err := p.currentKey(); err != nil || key != p.key {
		return 0
	}
	for path := range p.used {
		if l := p.known[path]; l == nil || l.Dir != "" && stateOf(l.Dir) != l.State {
			return 0
		}
	}
	return p.lists
}

// outside returns the library's packages that do not belong to the standard
// library.
func (l *library) outside(tools *toolchain) []string {
	if l.others == nil {
		l.others = []string{}
		for _, p := range l.meta.Packages {
			if _, err := os.Stat(filepath.Join(tools.env.GOROOT, "src", filepath.FromSlash(p.Path))); err != nil {
				l.others = append(l.others, p.Path)
			}
		}
	}
	return l.others
}

// Unload forgets what is loaded, for a new worker that takes packages as they are
// now.
func (b *Builder) Unload() {
	_, settle := b.Renew()
	settle()
}

// Renew is Unload while the old worker is still there: undo makes the builder its own
// again, settle gives up what only that worker needs. One of them is to be called, once.
func (b *Builder) Renew() (undo, settle func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.holding
	b.drop()
	b.holding, b.configured = newHolding(), false
	undo = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.drop()
		b.holding.close()
		b.holding = old
		b.configured = false
	}
	settle = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		old.close()
	}
	return undo, settle
}

// drop ends the tools that wait for the next cell, which are for what is loaded.
func (b *Builder) drop() {
	b.next.discard()
	b.next = nil
}

// close closes the images of the libraries.
func (h *holding) close() {
	for _, l := range h.libraries {
		l.image.links() // not while another goroutine reads it
		l.image.close()
	}
}

// Configure changes the environment of the go command and its tools, and the
// compiler's flags for cells. If the tools are not there then, nothing changes.
func (b *Builder) Configure(env, flags []string) error {
	tools, err := findToolchain(b.config.Dir, b.tmp, env, b.config.Alone)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.config.Env, b.flags, b.tools = env, flags, tools
	b.packages.use(tools)
	b.drop()
	return nil
}

// use makes the packages those that other tools find.
func (p *packages) use(tools *toolchain) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tools, p.key, p.known = tools, "", nil
}

// Missing tells that something of what is loaded has gone from the cache since:
// nothing more can be compiled for that worker, and no other one be given the same.
func (b *Builder) Missing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := func(file string) bool {
		_, err := os.Stat(file)
		return errors.Is(err, fs.ErrNotExist)
	}
	return b.worker != "" && (gone(b.worker) || gone(b.first)) ||
		slices.ContainsFunc(b.libraries, func(l *library) bool { return gone(l.file()) || gone(l.export(0)) })
}

// Reaches tells whether one of the packages, or what they depend on, is among
// others.
func (b *Builder) Reaches(paths, others []string) bool {
	return b.packages.reach(paths, others)
}

func (p *packages) reach(paths, others []string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[string]bool{}
	var visit func(path string) bool
	visit = func(path string) bool {
		if seen[path] {
			return false
		}
		seen[path] = true
		l := p.known[path]
		return slices.Contains(others, path) || l != nil && slices.ContainsFunc(l.Imports, visit)
	}
	return slices.ContainsFunc(paths, visit)
}
