package complete

import (
	"context"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// Packages are those that cells can import.
type Packages interface {
	// Begin is called before each request, for whose sake the other methods are called
	// then. What has changed since the last one is to be forgotten.
	Begin(ctx context.Context)
	types.Importer
	// Known lists packages by their names, the likelier first where a name is shared.
	Known() []Package
	// Position is where in its package's sources an imported object is declared, by
	// file and line. $GOROOT may stand for where the standard library is.
	Position(token.Pos) token.Position
}

// A Package is one that cells can import.
type Package struct {
	Name, Path string
	Rare       bool // it is offered where an import is written, and not by its name
}

// A Completer completes and inspects. It is safe for concurrent use; requests are
// answered one after the other.
type Completer struct {
	packages Packages
	goroot   string
	files    func(prefix string) []Item

	mu      sync.Mutex
	sources sources
}

// New returns a completer. goroot is where the sources of the standard library
// are; files tells what a file name can become that begins with a prefix.
func New(packages Packages, goroot string, files func(prefix string) []Item) *Completer {
	return &Completer{packages: packages, goroot: goroot, files: files, sources: sources{}}
}

// An Item is something that can be typed.
type Item struct {
	Text string // what takes the place of what is typed
	// Type is what it is, in the words that Jupyter's clients have icons for:
	// "module", "function", "method", "class", "instance", "field", "const",
	// "keyword", "path", "magic".
	Type      string
	Signature string // a function's parameters and results, a variable's type
	Doc       string // a sentence
}

// A Completion is what can be typed in the place of the bytes from Start to End.
type Completion struct {
	Start, End int
	Items      []Item
}

// find returns the import paths of the packages of a name.
func (c *Completer) find(name string) []string {
	var paths []string
	for _, p := range c.packages.Known() {
		if p.Name == name {
			paths = append(paths, p.Path)
		}
	}
	return paths
}

// sketch checks a cell, of which what is at the offset is of interest.
func (c *Completer) sketch(view *program.View, code string, at int) *program.Sketch {
	return view.Sketch(code, at, c.packages, c.find)
}

// source is the file that a position in export data names.
func (c *Completer) source(file string) string {
	if rest, ok := strings.CutPrefix(file, "$GOROOT"); ok {
		return filepath.Join(c.goroot, rest)
	}
	return file
}

// begin must be called, and what it returns at the end of a request.
func (c *Completer) begin(ctx context.Context) (end func()) {
	c.mu.Lock()
	c.packages.Begin(ctx)
	return c.mu.Unlock
}
