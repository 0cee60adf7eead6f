package session

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
)

// The types of a package that nobody has compiled yet come from its sources while
// somebody types. Of them only what other packages can see is taken, which is a
// fraction; and so of what it imports, where that is not compiled either. The answer
// does not wait for the compiler.

// A reading reads the sources of a package and of what its declarations need.
type reading struct {
	done     chan struct{}
	fset     *token.FileSet
	sources  []build.Source // dependencies first
	files    map[string][]*ast.File
	compiled map[string]string // export data of what it need not read, that was not known
	err      error
}

// read begins to read the sources of a package, but for those that are known, and
// those of which compiled tells the export data. A package that is for the page only is
// read as it is there, with all that it needs.
func (s *Session) read(path string, fset *token.FileSet, known func(path string) bool, compiled func(paths []string) map[string]string) *reading {
	r := &reading{done: make(chan struct{}), fset: fset, files: map[string][]*ast.File{}}
	go func() {
		defer close(r.done)
		if r.sources, r.err = s.builder.Sources(s.life, path); r.err != nil {
			if r.sources, r.err = s.builder.Sources(s.life, path, pageSystem...); r.err != nil {
				return
			}
			compiled = func([]string) map[string]string { return nil }
		}
		var paths []string
		for _, source := range r.sources {
			if !known(source.Path) && source.Path != path {
				paths = append(paths, source.Path)
			}
		}
		r.compiled = compiled(paths)
		r.follow(path, func(path string) bool { return known(path) || r.compiled[path] != "" })
		r.sources = slices.DeleteFunc(r.sources, func(s build.Source) bool { return r.files[s.Path] == nil })
	}()
	return r
}

// follow reads a package, then what it needs, and so on.
func (r *reading) follow(path string, known func(path string) bool) {
	sources, names := map[string]build.Source{}, map[string]string{}
	for _, source := range r.sources {
		sources[source.Path], names[source.Path] = source, source.Name
	}
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for level := []string{path}; len(level) > 0; {
		var group sync.WaitGroup
		for _, path := range level {
			files := make([]*ast.File, len(sources[path].Files))
			r.files[path] = files
			for i, name := range sources[path].Files {
				group.Go(func() {
					turn <- struct{}{}
					defer func() { <-turn }()
					files[i], _ = parser.ParseFile(r.fset, name, nil, parser.SkipObjectResolution) // what there is of it
				})
			}
		}
		group.Wait()
		var next []string
		for _, path := range level {
			r.files[path] = slices.DeleteFunc(r.files[path], func(f *ast.File) bool { return f == nil })
			for _, needed := range keepVisible(r.files[path], sources[path].Imports, names) {
				if _, ok := sources[needed]; ok && r.files[needed] == nil && !known(needed) && !slices.Contains(next, needed) {
					next = append(next, needed)
				}
			}
		}
		level = next
	}
}

// wait waits for the sources as long as the context lasts.
func (r *reading) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// check adds the packages to those that are known, by path. Errors in them leave out
// what they are about.
func (r *reading) check(known map[string]*types.Package, compiled types.Importer) {
	for _, source := range r.sources {
		if known[source.Path] != nil {
			continue
		}
		config := types.Config{
			Importer: importerFunc(func(path string) (*types.Package, error) {
				if mapped := source.Imports[path]; mapped != "" {
					path = mapped
				}
				if pkg := known[path]; pkg != nil {
					return pkg, nil
				}
				return compiled.Import(path)
			}),
			IgnoreFuncBodies: true, FakeImportC: true, DisableUnusedImportCheck: true,
			Sizes: types.SizesFor("gc", runtime.GOARCH),
			Error: func(error) {},
		}
		pkg, _ := config.Check(source.Path, r.fset, r.files[source.Path], nil)
		if pkg.Name() == "" {
			pkg.SetName(source.Name)
		}
		known[source.Path] = pkg
	}
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }
