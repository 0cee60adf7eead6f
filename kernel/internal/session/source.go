package session

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"runtime"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
)

// The types of a package that nobody has compiled yet come from its sources while
// somebody types: without the bodies of functions that takes a fraction of the time,
// and the answer does not wait for the compiler.

// A reading reads the sources of a package and of what it depends on.
type reading struct {
	done    chan struct{}
	fset    *token.FileSet
	sources []build.Source // dependencies first
	files   map[string][]*ast.File
	err     error
}

// read begins to read the sources of a package, but for those that are compiled. A
// package that is for the page only is read as it is there.
func (s *Session) read(path string, fset *token.FileSet, compiled func(path string) bool) *reading {
	r := &reading{done: make(chan struct{}), fset: fset, files: map[string][]*ast.File{}}
	go func() {
		defer close(r.done)
		var all []build.Source
		if all, r.err = s.builder.Sources(s.life, path); r.err != nil {
			if all, r.err = s.builder.Sources(s.life, path, pageSystem...); r.err != nil {
				return
			}
		}
		var group sync.WaitGroup
		turn := make(chan struct{}, runtime.GOMAXPROCS(0))
		for _, source := range all {
			if compiled(source.Path) {
				continue
			}
			files := make([]*ast.File, len(source.Files))
			r.sources, r.files[source.Path] = append(r.sources, source), files
			for i, name := range source.Files {
				group.Go(func() {
					turn <- struct{}{}
					defer func() { <-turn }()
					files[i], _ = parser.ParseFile(fset, name, nil, parser.SkipObjectResolution) // what there is of it
				})
			}
		}
		group.Wait()
	}()
	return r
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
		var files []*ast.File
		for _, f := range r.files[source.Path] {
			if f != nil {
				files = append(files, f)
			}
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
		pkg, _ := config.Check(source.Path, r.fset, files, nil)
		if pkg.Name() == "" {
			pkg.SetName(source.Name)
		}
		known[source.Path] = pkg
	}
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }
