package session

import (
	"context"
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
	builder *build.Builder
	ctx     func() context.Context // of the cell that asks
	types   types.Importer
	files   map[string]string
}

func newPackages(b *build.Builder, ctx func() context.Context) *packages {
	p := &packages{builder: b, ctx: ctx, files: map[string]string{}}
	p.types = importer.ForCompiler(token.NewFileSet(), "gc", p.open)
	return p
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
	for path, file := range files {
		if p.files[path] == "" {
			p.files[path] = file
		}
	}
	return err
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
		return nil, err
	}
	return p.types.Import(path)
}
