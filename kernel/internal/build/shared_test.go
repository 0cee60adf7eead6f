package build

import (
	"debug/elf"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sharedObject builds a cell with all kinds of references, and returns what the Go
// linker has made of it.
func sharedObject(t testing.TB) (object string) {
	t.Helper()
	b := newBuilder(t, nil)
	lib, err := b.Cell(t.Context(), `package main

import (
	"fmt"
	"syscall"
)

type point struct{ x, y int }

func (p point) String() string { return fmt.Sprint(p.x, p.y) }

var (
	sum   int
	named map[string]*point
)

func cell() {
	var s fmt.Stringer = point{1, 2}
	defer func() { recover() }()
	sum++
	fmt.Println(s, sum, named, 1.5, syscall.Getpid())
}
`, "cell")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(filepath.Dir(lib.File), "work", "go.o")
}

// TestLinkShared compares the library of a cell with the one that ld makes of the
// same object: what it defines and refers to, and what the dynamic linker does.
func TestLinkShared(t *testing.T) {
	object := sharedObject(t)
	data, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	got, err := newShared(data)
	if err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(t.TempDir(), "ld.so")
	if out, err := exec.Command("ld", "-shared", "-z", "now", "-z", "norelro", "-o", theirs, object).CombinedOutput(); err != nil {
		t.Fatalf("ld: %v\n%s", err, out)
	}
	want, err := elf.Open(theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	symbols, err := want.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}

	hash, err := newGNUHash(got.hashTable())
	if err != nil {
		t.Fatal(err)
	}
	nameOf := func(n uint32) string { return got.symbols[got.dynamic[n]].Name }
	names := map[string]bool{}
	for _, i := range got.dynamic[1:] {
		names[got.symbols[i].Name] = true
	}
	for _, s := range symbols {
		if !names[s.Name] {
			t.Errorf("%s is not among the symbols", s.Name)
		}
		delete(names, s.Name)
		n, found := hash.lookup(s.Name, nameOf)
		if found != (s.Section != elf.SHN_UNDEF) {
			t.Errorf("%s is found: %t, it is in section %v", s.Name, found, s.Section)
		}
		if found && nameOf(n) != s.Name {
			t.Errorf("the hash table has %s for %s", nameOf(n), s.Name)
		}
	}
	for name := range names {
		t.Errorf("%s is among the symbols, but not of ld's", name)
	}

	// Words with addresses, by what they hold; ld may put a table of jumps elsewhere.
	ours, ld := map[string]int{}, map[string]int{}
	for _, r := range got.symbolic {
		ours[word(elf.R_X86_64(uint32(r.Info)), nameOf(uint32(r.Info>>32)))]++
	}
	for _, c := range want.Sections {
		if c.Type != elf.SHT_RELA {
			continue
		}
		data, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(data) >= relaSize; data = data[relaSize:] {
			if info := le.Uint64(data[8:]); info>>32 != 0 {
				ld[word(elf.R_X86_64(uint32(info)), symbols[info>>32-1].Name)]++
			}
		}
	}
	for _, w := range slices.Sorted(maps.Keys(ld)) {
		if ours[w] != ld[w] && !strings.HasPrefix(w, "table") {
			t.Errorf("%s: %d times, ld has %d", w, ours[w], ld[w])
		}
		if ours[w] == 0 {
			t.Errorf("%s: ld has it", w)
		}
		delete(ours, w)
	}
	for w := range ours {
		t.Errorf("%s: ld does not have it", w)
	}
	for _, w := range []string{"R_X86_64_64 go:itab.*os.File,io.Writer", "R_X86_64_TPOFF64 runtime.tlsg", "table runtime.morestack_noctxt.abi0"} {
		if ld[w] == 0 {
			t.Errorf("%s: the cell was meant to have it", w)
		}
	}
}

// word describes a relocation.
func word(typ elf.R_X86_64, name string) string {
	if typ == elf.R_X86_64_JMP_SLOT || typ == elf.R_X86_64_GLOB_DAT {
		return "table " + name
	}
	return typ.String() + " " + name
}

func TestLinkSharedErrors(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, text, want string }{
		{"no ELF file", strings.Repeat("not an object ", 9), "bad magic"},
		{"nothing", "", "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			object := filepath.Join(dir, "go.o")
			if err := os.WriteFile(object, []byte(tt.text), 0o666); err != nil {
				t.Fatal(err)
			}
			_, _, err := linkShared(filepath.Join(dir, "cell.so"), object, "cell")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), object) {
				t.Errorf("linkShared: %v, want an error about %q in %s", err, tt.want, object)
			}
		})
	}
}

// BenchmarkLinkShared tells how long the library of a small cell takes, and ld for
// the same one.
func BenchmarkLinkShared(b *testing.B) {
	object := sharedObject(b)
	to := filepath.Join(b.TempDir(), "cell.so")
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := linkShared(to, object, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ld", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command("ld", "-s", "-shared", "-z", "now", "-z", "norelro", "-o", to, object).Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
