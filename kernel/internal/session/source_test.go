package session

import (
	"errors"
	"go/token"
	"go/types"
	"testing"
)

// A package that nobody has compiled has the types that its export data would give it:
// with vendored packages and cgo among what it depends on.
func TestSource(t *testing.T) {
	p := newPerson(t)
	<-p.session.started
	r := p.session.read("net/http", token.NewFileSet(), func(path string) bool { return path == "unsafe" })
	if err := r.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	known := map[string]*types.Package{}
	r.check(known, importerFunc(func(path string) (*types.Package, error) {
		if path == "unsafe" {
			return types.Unsafe, nil
		}
		return nil, errors.New(path + " was not read")
	}))
	read := known["net/http"]
	if read == nil {
		t.Fatal("net/http was not read")
	}
	if err := p.session.types.fetch("net/http"); err != nil {
		t.Fatal(err)
	}
	compiled, err := p.session.types.Import("net/http")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range compiled.Scope().Names() {
		want, got := compiled.Scope().Lookup(name), read.Scope().Lookup(name)
		if !want.Exported() {
			continue
		}
		if got == nil {
			t.Errorf("%s is not there", name)
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
