package session

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// What is pinned is required, unless a later version is required anyway; checksums that
// are known stay.
func TestPin(t *testing.T) {
	f, err := modfile.Parse("go.mod", []byte("module m\n\nrequire (\n\tearly.example v1.2.0\n\tlate.example v1.9.0\n)\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := pin(f, []byte("late.example v1.9.0 h1:known=\nearly.example v1.3.0 h1:known=\n"), []string{
		"early.example v1.3.0 h1:theirs=", "early.example v1.3.0/go.mod h1:mod=", "late.example v1.2.0 h1:old=", "new.example v0.1.0 h1:new=",
	})
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, r := range f.Require {
		required = append(required, r.Mod.Path+" "+r.Mod.Version)
	}
	if want := []string{"early.example v1.3.0", "late.example v1.9.0", "new.example v0.1.0"}; !slices.Equal(required, want) {
		t.Errorf("required are %v, want %v", required, want)
	}
	const want = "late.example v1.9.0 h1:known=\nearly.example v1.3.0 h1:known=\nearly.example v1.3.0/go.mod h1:mod=\nlate.example v1.2.0 h1:old=\nnew.example v0.1.0 h1:new=\n"
	if string(sum) != want {
		t.Errorf("go.sum is\n%s\nwant\n%s", sum, want)
	}
	if _, err := pin(f, nil, []string{"new.example latest h1:x="}); err == nil || !strings.Contains(err.Error(), "the notebook's lock") {
		t.Errorf("a version that is none: %v", err)
	}

	m := &module{pinned: []string{"early.example v1.3.0 h1:theirs=", "early.example v1.3.0/go.mod h1:mod="}}
	got := m.keep([]string{"early.example/a/b", "early.example@v1.4.0", "early.examples", "early.example"})
	if want := []string{"early.example/a/b@v1.3.0", "early.example@v1.4.0", "early.examples", "early.example@v1.3.0"}; !slices.Equal(got, want) {
		t.Errorf("asked for are %v, want %v", got, want)
	}
}

// A hash of sources changes with them, and not with what is beside them.
func TestHashSources(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	hash := func() string {
		t.Helper()
		h, err := hashSources(dir, ".")
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	write("go.mod", "module m\n")
	write("a.go", "package m\n")
	first := hash()
	for _, beside := range []string{"README.md", "a_test.go", "testdata/x.go", ".git/y.go", "other/go.mod", "other/z.go"} {
		write(beside, "text")
	}
	if hash() != first {
		t.Error("what is beside the sources changes their hash")
	}
	for _, name := range []string{"sub/b.go", "c.s", "go.mod"} {
		before := hash()
		write(name, "changed")
		if hash() == before {
			t.Errorf("a change of %s does not change the hash", name)
		}
	}
	if _, err := hashSources(filepath.Join(dir, "none"), "."); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
