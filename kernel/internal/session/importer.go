package session

import (
	"context"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
)

// packages gives the type checker the packages that cells import, from the
// export data that the go command makes.
type packages struct {
	builder  *build.Builder
	readable func(string) string
	ctx      func() context.Context // of the cell that asks
	types    types.Importer
	fset     *token.FileSet // of the objects in them
	files    map[string]string
	asked    []string // what cells have imported
}

func newPackages(b *build.Builder, ctx func() context.Context, readable func(string) string) *packages {
	p := &packages{builder: b, ctx: ctx, readable: readable}
	p.forget()
	return p
}

// forget makes packages be read anew.
func (p *packages) forget() {
	p.files = map[string]string{}
	p.fset = token.NewFileSet()
	p.types = importer.ForCompiler(p.fset, "gc", p.open)
}

// refresh forgets the packages if one of them has changed. One that does not
// compile any more stays as it was: who imports it will be told.
func (p *packages) refresh() {
	if files, err := p.builder.Exports(p.ctx(), p.asked); err == nil {
		p.update(files)
	}
}

// update forgets the packages if the export data of one is another file now.
func (p *packages) update(files map[string]string) {
	for path, file := range files {
		if old := p.files[path]; old != "" && old != file {
			p.forget()
			return
		}
	}
}

// fetch finds the export data of several packages at once.
func (p *packages) fetch(paths ...string) error {
	var missing []string
	for _, path := range paths {
		if p.files[path] == "" && path != "unsafe" {
			missing = append(missing, path)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	files, err := p.builder.Exports(p.ctx(), missing)
	if err == nil {
		p.add(files, missing...)
	}
	return err
}

// add notes the export data of packages that were asked for and of what they depend
// on.
func (p *packages) add(files map[string]string, asked ...string) {
	p.asked = append(p.asked, asked...)
	for path, file := range files {
		if p.files[path] == "" {
			p.files[path] = file
		}
	}
}

func (p *packages) open(path string) (io.ReadCloser, error) {
	if err := p.fetch(path); err != nil {
		return nil, err
	}
	if p.files[path] == "" {
		return nil, fmt.Errorf("package %s has no export data", path)
	}
	return os.Open(p.files[path])
}

// Import implements types.Importer.
func (p *packages) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if strings.HasPrefix(path, ".") {
		return nil, fmt.Errorf("a cell cannot import a relative path")
	}
	if err := p.fetch(path); err != nil {
		return nil, errors.New(p.readable(err.Error()))
	}
	return p.types.Import(path)
}
