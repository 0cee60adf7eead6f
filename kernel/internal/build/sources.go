package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Source is a package as its author wrote it, for who wants its declarations before
// it is compiled.
type Source struct {
	Path, Name string
	Files      []string
	Imports    map[string]string // what its files import, where that is another path
}

// Sources returns a package and all that it depends on, dependencies first. It
// compiles nothing. One that cannot be imported makes the error, a *PackageError.
// What is given of the environment, such as GOOS=js, is for another system.
func (b *Builder) Sources(ctx context.Context, path string, env ...string) ([]Source, error) {
	tools := *b.packages.tools
	tools.environ = slices.Concat(tools.environ, env)
	out, err := tools.goCommand(ctx, "list", "-e", "-deps", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,ImportMap,Error,DepOnly", "--", path)
	if err != nil {
		return nil, err
	}
	var sources []Source
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l struct {
			ImportPath, Name, Dir string
			GoFiles, CgoFiles     []string
			ImportMap             map[string]string
			DepOnly               bool
			Error                 *struct{ Err string }
		}
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return sources, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if !l.DepOnly && l.Error != nil {
			return nil, &PackageError{l.ImportPath, strings.TrimSpace(l.Error.Err)}
		}
		s := Source{Path: l.ImportPath, Name: l.Name, Imports: l.ImportMap}
		for _, name := range append(l.GoFiles, l.CgoFiles...) {
			s.Files = append(s.Files, filepath.Join(l.Dir, name))
		}
		sources = append(sources, s)
	}
}

// Compiled returns what Exports does where all is known and compiled already, without
// asking the go command.
func (b *Builder) Compiled(path string) (map[string]string, bool) {
	pkgs, ok := b.packages.compiled(path)
	if !ok || !b.mu.TryLock() {
		return nil, false
	}
	defer b.mu.Unlock()
	files, err := b.exported(pkgs)
	return files, err == nil
}

// CompiledAmong returns what Compiled does of those packages of which all is known and
// compiled.
func (b *Builder) CompiledAmong(paths []string) map[string]string {
	var pkgs []*goListed
	for _, path := range paths {
		if with, ok := b.packages.compiled(path); ok {
			pkgs = append(pkgs, with...)
		}
	}
	if !b.mu.TryLock() {
		return nil
	}
	defer b.mu.Unlock()
	files := map[string]string{}
	for _, pkg := range pkgs {
		if files[pkg.Path] != "" {
			continue
		}
		if one, err := b.exported([]*goListed{pkg}); err == nil {
			maps.Copy(files, one)
		}
	}
	return files
}
