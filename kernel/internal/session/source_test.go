package session

import (
	"errors"
	"go/types"
	"testing"
)

// A package that nobody has compiled has the types that its export data would give it:
// with vendored packages and cgo among what it depends on, all of it read or in part.
func TestSource(t *testing.T) {
	p := newPerson(t)
	<-p.session.started
	for _, path := range []string{"net/http", "go/types", "encoding/json", "github.com/seed5607215b/nnkit/display", "gonum.org/v1/gonum/mat"} {
		if err := p.session.types.fetch(path); err != nil {
			t.Fatal(err)
		}
		want, err := p.session.types.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		sameVisible(t, want, readPackage(t, p.session, path, func([]string) map[string]string { return nil }))
		sameVisible(t, want, readPackage(t, p.session, path, func(paths []string) map[string]string {
			files := p.session.builder.CompiledAmong(paths)
			if len(files) == 0 || files["sync"] == "" {
				t.Errorf("of what %s depends on nothing is compiled", path)
			}
			return files
		}))
	}
}

// readPackage makes a package from sources, and from the export data that compiled tells.
func readPackage(t *testing.T, s *Session, path string, compiled func([]string) map[string]string) *types.Package {
	t.Helper()
	exports := newPackages(s.builder, t.Context, s.readable)
	r := s.read(path, exports.fset, func(path string) bool { return path == "unsafe" }, compiled)
	if err := r.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	exports.add(r.compiled)
	known := map[string]*types.Package{}
	r.check(known, importerFunc(func(path string) (*types.Package, error) {
		if path != "unsafe" && r.compiled[path] == "" {
			return nil, errors.New(path + " was not read")
		}
		return exports.Import(path)
	}))
	if known[path] == nil {
		t.Fatalf("%s was not read", path)
	}
	return known[path]
}

// sameVisible compares what others can see of two packages.
func sameVisible(t *testing.T, compiled, read *types.Package) {
	t.Helper()
	for _, name := range compiled.Scope().Names() {
		want, got := compiled.Scope().Lookup(name), read.Scope().Lookup(name)
		if !want.Exported() {
			continue
		}
		if got == nil {
			t.Errorf("%s.%s is not there", compiled.Path(), name)
			continue
		}
		if w, g := types.ObjectString(want, nil), types.ObjectString(got, nil); w != g {
			t.Errorf("read as %s, compiled as %s", g, w)
		}
		w, g := types.NewMethodSet(types.NewPointer(want.Type())), types.NewMethodSet(types.NewPointer(got.Type()))
		if w.Len() != g.Len() {
			t.Errorf("%s has %d methods as read and %d as compiled", name, g.Len(), w.Len())
		}
	}
}
