package build

import (
	"cmp"
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// names finds packages by the name that they are used by, to complete a cell's
// imports.
type names struct {
	packages *packages

	mu     sync.Mutex
	key    string  // of the module that the lists were made for
	known  []Named // the likelier first where a name is shared
	others []Named // of modules that only other modules require; nil until somebody asks
}

// Named is a package and its name.
type Named struct{ Name, Path string }

// Find returns the import paths of the packages with a given name, the likelier
// ones first: those of the standard library, then those of the modules that the
// session's go.mod requires directly, as far as they are there; where there are none,
// those of modules that others require.
func (b *Builder) Find(ctx context.Context, name string) []string {
	paths := called(name, b.Known(ctx))
	if paths == nil {
		paths = called(name, b.names.rest(ctx))
	}
	return paths
}

// called are the paths of the packages of a name.
func called(name string, packages []Named) []string {
	var paths []string
	for _, n := range packages {
		if n.Name == name {
			paths = append(paths, n.Path)
		}
	}
	return paths
}

// Known lists the packages that Find looks among. The list is not to be changed.
func (b *Builder) Known(ctx context.Context) []Named { return b.names.all(ctx) }

// GOROOT is where the sources of the standard library are.
func (b *Builder) GOROOT() string { return b.tools.env.GOROOT }

// GoVersion returns the version of Go that compiles cells, "go1.26.0".
func (b *Builder) GoVersion() string { return b.tools.env.GOVERSION }

func (n *names) all(ctx context.Context) []Named {
	n.mu.Lock()
	defer n.mu.Unlock()
	key, err := n.packages.currentKey()
	if err != nil {
		return nil
	}
	if n.known == nil || n.key != key {
		known := slices.Concat(ranked(n.standard(ctx)), ranked(n.modules(ctx, false)))
		if ctx.Err() != nil {
			return known
		}
		n.key, n.known, n.others = key, known, nil
	}
	return n.known
}

// rest lists the packages of modules that only others require, after all has been
// called.
func (n *names) rest(ctx context.Context) []Named {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.others == nil {
		others := append([]Named{}, ranked(n.modules(ctx, true))...)
		if ctx.Err() != nil {
			return nil
		}
		n.others = others
	}
	return n.others
}

// ranked sorts packages, the likelier ones first.
func ranked(found []Named) []Named {
	slices.SortStableFunc(found, func(a, b Named) int {
		return cmp.Or(cmp.Compare(rank(a.Path), rank(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	return found
}

// rank puts the packages first that are meant most often where names are shared.
func rank(path string) int {
	switch path {
	case "crypto/rand", "html/template", "text/scanner", "runtime/pprof", "runtime/trace", "go/scanner":
		return 100
	case "math/rand/v2": // its functions are those of math/rand, and better ones
		return 0
	}
	return 1 + strings.Count(path, "/")
}

// standard lists the standard library.
func (n *names) standard(ctx context.Context) []Named {
	return n.cached(hashOf("names 1", n.packages.tools.id()), func() ([]Named, bool) {
		out, err := n.packages.tools.goCommand(ctx, "list", "-find", "-f", "{{.Name}} {{.ImportPath}}", "std")
		if err != nil {
			return nil, false
		}
		var found []Named
		for line := range strings.Lines(string(out)) {
			if f := strings.Fields(line); len(f) == 2 && importable(f[1]) {
				found = append(found, Named{f[0], f[1]})
			}
		}
		return found, true
	})
}

// modules lists the packages of the required modules that are on this machine, of
// those that are required directly or of the others.
func (n *names) modules(ctx context.Context, indirect bool) []Named {
	out, err := n.packages.tools.goCommand(ctx, "mod", "edit", "-json")
	if err != nil {
		return nil
	}
	var mod struct {
		Module  struct{ Path string }
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if json.Unmarshal(out, &mod) != nil {
		return nil
	}
	args := []string{"list", "-e", "-m", "-json=Path,Version,Dir,Main,Replace"}
	if !indirect {
		args = append(args, mod.Module.Path)
	}
	before := len(args)
	for _, r := range mod.Require {
		if r.Indirect == indirect {
			args = append(args, r.Path)
		}
	}
	if indirect && len(args) == before {
		return nil // without names the go command lists the main module
	}
	if out, err = n.packages.tools.goCommand(ctx, args...); err != nil {
		return nil
	}
	var all []Named
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var m struct {
			Path, Version, Dir string
			Main               bool
			Replace            *struct{ Path, Version string }
		}
		if d.Decode(&m) != nil {
			return all
		}
		if m.Dir == "" {
			continue // not downloaded
		}
		scan := func() ([]Named, bool) { return scanModule(m.Path, m.Dir), true }
		version := m.Version
		if m.Replace != nil {
			version = m.Replace.Path + "@" + m.Replace.Version
		}
		if m.Main || m.Replace != nil && m.Replace.Version == "" {
			found, _ := scan() // it may be edited
			all = append(all, found...)
		} else {
			all = append(all, n.cached(hashOf("names 1", m.Path, version), scan)...)
		}
	}
}

// cached keeps an answer in the cache.
func (n *names) cached(key string, find func() ([]Named, bool)) []Named {
	name := n.packages.file("names-" + key)
	var found []Named
	if n.packages.cache.readJSON(name, &found) {
		return found
	}
	found, ok := find()
	if ok {
		n.packages.cache.writeJSON(name, found)
	}
	return found
}

// scanModule finds the packages in a module's directory by their package clauses.
func scanModule(module, dir string) []Named {
	var found []Named
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		base := d.Name()
		if path != dir {
			if base[0] == '.' || base[0] == '_' || base == "testdata" || base == "internal" || base == "vendor" {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir // another module
			}
		}
		if module == modulePath && path == filepath.Join(dir, "kernel") {
			return fs.SkipDir // nothing there is for cells
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil
		}
		for _, e := range entries {
			name := e.Name()
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name[0] == '_' || name[0] == '.' {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(path, name), nil, parser.PackageClauseOnly)
			if err != nil || f.Name.Name == "main" || f.Name.Name == "documentation" {
				continue
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return nil
			}
			found = append(found, Named{f.Name.Name, strings.TrimSuffix(module+"/"+filepath.ToSlash(rel), "/.")})
			break
		}
		return nil
	})
	return found
}

// importable tells what cells may import of the standard library.
func importable(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "internal" || part == "vendor" || part == "cmd" {
			return false
		}
	}
	return true
}
