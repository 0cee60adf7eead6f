package build

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// newBuilder makes a builder for a module like a session's.
func newBuilder(t testing.TB, progress func(string)) *Builder {
	t.Helper()
	if testing.Short() {
		t.Skip("builds libraries")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := strings.Replace(string(mod), "module "+modulePath, "module notebook", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => %s\n", modulePath, root)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Config{Dir: dir, CacheDir: filepath.Join(cache, "nnkit"), Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if _, err := b.Worker(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCellCompileError(t *testing.T) {
	b := newBuilder(t, nil)
	text := `package main

//line /cell/12.go:3:1
func f() int { return "x" }
var unused = undefined

func cell() {
//line /cell/13.go:7:9
	x := 1
}
`
	_, err := b.Cell(t.Context(), text, "cell")
	e, ok := errors.AsType[*CompileError](err)
	if !ok {
		t.Fatalf("Cell: %v, want a CompileError", err)
	}
	want := []Diagnostic{
		{"/cell/12.go", 3, 23, `cannot use "x" (untyped string constant) as int value in return statement`},
		{"/cell/12.go", 4, 14, "undefined: undefined"},
		{"/cell/13.go", 7, 10, "declared and not used: x"},
	}
	if !slices.Equal(e.Diagnostics, want) {
		t.Errorf("diagnostics:\n%+v\nwant:\n%+v", e.Diagnostics, want)
	}
	// The builder goes on, with the linker that was waiting.
	if _, err := b.Cell(t.Context(), "package main\n\nfunc cell() {}\n", "cell"); err != nil {
		t.Errorf("Cell after an error: %v", err)
	}
}

func TestCellErrors(t *testing.T) {
	b := newBuilder(t, nil)
	for _, tt := range []struct{ name, text, want string }{
		{"an exported variable", "package main\n\nvar X int\n\nfunc cell() { X++ }\n", "exported"},
		{"no entry", "package main\n\nfunc other() {}\n", "no function of this name"},
		{"nothing", "", "package statement"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.Cell(t.Context(), tt.text, "cell")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Cell: %v, want an error about %q", err, tt.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Cell(ctx, "package main\n\nfunc cell() {}\n", "cell"); !errors.Is(err, context.Canceled) {
		t.Errorf("Cell with a context that has ended: %v", err)
	}
	if _, err := b.Cell(t.Context(), "package main\n\nfunc cell() {}\n", "cell"); err != nil {
		t.Errorf("Cell after all these: %v", err)
	}
}

// TestLinkerGone checks that cells are built though somebody has cleared the cache
// that had the linker for them.
func TestLinkerGone(t *testing.T) {
	b := newBuilder(t, nil)
	b.Wait()
	gone := filepath.Join(t.TempDir(), "link")
	b.linker.Store(&gone)
	for range 2 { // the linker for the first waits already
		if _, err := b.Cell(t.Context(), "package main\n\nfunc cell() {}\n", "cell"); err != nil {
			t.Error(err)
		}
	}
}

// TestToolsDie checks that a cell is built though something has ended the tools
// that waited for it.
func TestToolsDie(t *testing.T) {
	b := newBuilder(t, nil)
	for _, tool := range []*tool{b.next.compiler, b.next.linker} {
		if err := tool.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	if _, err := b.Cell(t.Context(), "package main\n\nfunc cell() {}\n", "cell"); err != nil {
		t.Error(err)
	}
}

// TestStubMasks checks what the linker reads of every type in the first library:
// the pointer mask that it would take from a large stub is the library's own. The
// lookup is the linker's (findShlibSection): the first section that covers the
// address.
func TestStubMasks(t *testing.T) {
	b := newBuilder(t, nil)
	lib := b.libraries[0].image
	file := filepath.Join(t.TempDir(), stubName)
	var refs []reference
	for i := range uint32(len(lib.dynsym) / symSize) {
		if s, ok := lib.lookup(lib.name(i)); ok && isType(s) {
			refs = append(refs, reference{s.name, 0})
		}
	}
	if len(refs) < 1000 {
		t.Fatalf("only %d types in the first library", len(refs))
	}
	s := &stub{x: b.index, picked: map[string]int{}}
	s.dynsym.Write(make([]byte, symSize))
	s.dynstr.WriteByte(0)
	for _, r := range refs {
		if _, err := s.pick(r.name); err != nil { // the names are mangled already
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, s.elf(), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	read := func(addr uint64, size uint64) []byte {
		for _, s := range f.Sections[1:] {
			if s.Addr <= addr && addr < s.Addr+s.Size {
				b := make([]byte, size)
				if _, err := s.ReadAt(b, int64(addr-s.Addr)); err != nil {
					t.Fatal(err)
				}
				return b
			}
		}
		t.Fatalf("no section covers %#x", addr)
		return nil
	}
	checked := 0
	for _, sym := range syms {
		got := read(sym.Value, sym.Size)
		s, ok := lib.lookup(sym.Name)
		if !ok {
			t.Fatalf("%s is not in the library", sym.Name)
		}
		want, err := lib.bytes(s.value, s.size)
		if err != nil {
			t.Fatal(err)
		}
		pointers, mask := le.Uint64(want[typePtrBytes:]), le.Uint64(want[typeGCData:])
		if pointers == 0 || mask == 0 || want[typeTFlag]&tflagGCMaskOnDemand != 0 {
			continue
		}
		size := (pointers/8 + 7) / 8
		wantMask, err := lib.bytes(mask, size)
		if err != nil {
			t.Fatal(err)
		}
		if gotMask := read(le.Uint64(got[typeGCData:]), size); !bytes.Equal(gotMask, wantMask) {
			t.Errorf("pointer mask of %s: %x, want %x", sym.Name, gotMask, wantMask)
		}
		checked++
	}
	if checked < 500 {
		t.Errorf("only %d types have a pointer mask", checked)
	}
}

// TestImage compares the lookups in a library with those of debug/elf.
func TestImage(t *testing.T) {
	b := newBuilder(t, nil)
	l := b.libraries[0]
	f, err := elf.Open(l.file())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range syms {
		typ := elf.ST_TYPE(want.Info)
		defined := want.Section != elf.SHN_UNDEF && typ != elf.STT_NOTYPE && typ != elf.STT_SECTION
		got, ok := l.image.lookup(want.Name)
		if ok != defined || ok && (got.value != want.Value || got.size != want.Size || got.typ != typ) {
			t.Fatalf("lookup(%q) = %+v, %v, want %+v", want.Name, got, ok, want)
		}
	}
	if s, ok := l.image.lookup("no.such.symbol"); ok {
		t.Errorf("lookup of what is not there: %+v", s)
	}
}

// TestSecondStart checks that a later session finds all in the cache.
func TestSecondStart(t *testing.T) {
	first := newBuilder(t, nil)
	imports := []string{"gonum.org/v1/gonum/floats", "fmt"}
	if _, err := first.Imports(t.Context(), imports); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var more atomic.Bool // what the first session did not import is new
	b, err := New(Config{Dir: first.config.Dir, CacheDir: first.config.CacheDir, Progress: func(what string) {
		if !more.Load() {
			t.Errorf("the second start has something to do: %s", what)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Worker(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("second start: %v", time.Since(start))
	libs, err := b.Imports(t.Context(), imports)
	if err != nil || len(libs) != 1 {
		t.Errorf("Imports: %v, %v, want one library", libs, err)
	}
	if again, err := b.Imports(t.Context(), imports); err != nil || again != nil {
		t.Errorf("Imports again: %v, %v, want none", again, err)
	}
	if got := b.Libraries(); len(got) != 1 || got[0].File != libs[0].File {
		t.Errorf("Libraries: %v, want %v", got, libs)
	}
	more.Store(true)
	files, err := b.Exports(t.Context(), []string{"fmt", "gonum.org/v1/gonum/floats", "gonum.org/v1/gonum/stat"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"fmt", "io", "gonum.org/v1/gonum/floats", "gonum.org/v1/gonum/stat"} {
		if _, err := os.Stat(files[path]); err != nil {
			t.Errorf("export data of %s: %v", path, err)
		}
	}
}

func TestExportsErrors(t *testing.T) {
	b := newBuilder(t, nil)
	_, err := b.Exports(t.Context(), []string{"fmt", "no/such/package", "example.com/none"})
	for _, path := range []string{"no/such/package", "example.com/none"} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Exports: %v, want an error about %s", err, path)
		}
	}
	if err := os.Mkdir(filepath.Join(b.config.Dir, "broken"), 0o777); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(b.config.Dir, "broken", "broken.go")
	if err := os.WriteFile(broken, []byte("package broken\n\nvar N int = \"x\"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = b.Exports(t.Context(), []string{"notebook/broken"})
	if p, ok := errors.AsType[*PackageError](err); !ok || !strings.Contains(p.Message, "cannot use") {
		t.Errorf("Exports of a package that does not compile: %v", err)
	}
	if err := os.WriteFile(broken, []byte("package broken\n\nvar N int\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err = b.Exports(t.Context(), []string{"notebook/broken"}); err != nil {
		t.Errorf("Exports of the package mended: %v", err)
	}
}

func TestFind(t *testing.T) {
	b := newBuilder(t, nil)
	for _, tt := range []struct {
		name string
		want []string // the first ones
	}{
		{"fmt", []string{"fmt"}},
		{"rand", []string{"math/rand/v2", "math/rand"}},
		{"template", []string{"text/template", "html/template"}},
		{"pprof", []string{"net/http/pprof", "runtime/pprof"}},
		{"mat", []string{"gonum.org/v1/gonum/mat"}},
		{"gonbui", []string{"github.com/janpfeifer/gonb/gonbui"}},
		{"nnkit", []string{modulePath + "/nnkit"}},
		{"constraints", []string{"golang.org/x/exp/constraints"}}, // of a module that only others require
		{"live", nil},
		{"nosuchpackage", nil},
	} {
		got := b.Find(t.Context(), tt.name)
		if tt.want == nil && got != nil || !slices.Equal(got[:min(len(got), len(tt.want))], tt.want) {
			t.Errorf("Find(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, tt := range []struct{ mod, toolchain, want string }{
		{"module m\n\ngo 1.26.0\n", "go1.27.1", "go1.26"},
		{"module m\n\ngo 1.27rc1\n", "go1.27.1", "go1.27"},
		{"module m\n", "go1.26.8", "go1.26"},
	} {
		file := filepath.Join(t.TempDir(), "go.mod")
		if err := os.WriteFile(file, []byte(tt.mod), 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := language(file, tt.toolchain); err != nil || got != tt.want {
			t.Errorf("language(%q) = %q, %v, want %q", tt.mod, got, err, tt.want)
		}
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.26\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Dir: dir, CacheDir: t.TempDir(), Env: []string{"CC=no-such-compiler"}})
	if e, ok := errors.AsType[*NoLiveError](err); !ok || !strings.Contains(err.Error(), "apt-get install gcc") {
		t.Errorf("New without a C compiler: %v (%v)", err, e)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := New(Config{Dir: dir, CacheDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("New without Go: %v", err)
	}
}

// BenchmarkCell is a small cell, with the tools waiting.
func BenchmarkCell(b *testing.B) {
	builder := newBuilder(b, nil)
	builder.Wait()
	n := 0
	for b.Loop() {
		b.StopTimer()
		time.Sleep(150 * time.Millisecond)
		n++
		text := fmt.Sprintf("package main\n\nimport \"fmt\"\n\nvar sum int\n\nfunc f%[1]d(v int) int { return v + %[1]d }\n\nfunc cell() {\n\tsum = f%[1]d(sum)\n\tfmt.Println(sum)\n}\n", n)
		b.StartTimer()
		if _, err := builder.Cell(b.Context(), text, "cell"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExports is what the type check of a cell asks for.
func BenchmarkExports(b *testing.B) {
	builder := newBuilder(b, nil)
	imports := []string{"fmt", modulePath + "/kernel/worker/live", "gonum.org/v1/plot/plotter"}
	if _, err := builder.Imports(b.Context(), imports); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := builder.Exports(b.Context(), imports); err != nil {
			b.Fatal(err)
		}
	}
}
