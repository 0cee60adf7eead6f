package experiment

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

func codeCells(sources ...string) *notebook.Notebook {
	nb := &notebook.Notebook{}
	for _, s := range sources {
		nb.Cells = append(nb.Cells, &notebook.Cell{Type: notebook.Code, Source: s})
	}
	return nb
}

// What cells say of seeds and files is found, and comes back from a notebook's file.
func TestSurvey(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"read.csv", "written.bin", "named.txt", "both.txt", "folder/deep.csv"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	nb := codeCells(
		"import \"embed\"\nb := os.ReadFile(\"read.csv\")",
		"func load() { data.CSV(`folder/deep.csv`); data.CSV(\"none.csv\"); data.CSV(\"../x\"); data.CSV(\"/etc/passwd\") }",
		`model.Save("written.bin"); os.WriteFile("both.txt", b, 0o666)`, `os.ReadFile("both.txt")`,
		"model.Fit(x, y, nnkit.Seed(\n\t7))\nrand.New(rand.NewPCG(1, 2))", "this is ( no Go", "%get a.example/b@v1\n",
	)
	l := &Lock{Go: "go1.26.0", Modules: []string{"a v1 h1:x=", "a v1/go.mod h1:y="}}
	if err := l.Survey(nb, dir, "named.txt"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range []string{"read.csv", "folder/deep.csv", "named.txt"} {
		if l.Data[name] != "" {
			names = append(names, name)
		}
	}
	if len(l.Data) != 3 || len(names) != 3 {
		t.Errorf("the data is %v", l.Data)
	}
	if want := []string{"nnkit.Seed( 7)", "rand.NewPCG(1, 2)"}; !reflect.DeepEqual(l.Seeds, want) {
		t.Errorf("the seeds are %q, want %q", l.Seeds, want)
	}
	if got, want := l.String(), "go1.26.0, kernel , 1 module, 3 files of data, 2 seeds"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
	if err := l.Survey(nb, dir, "none.txt"); err == nil || !strings.Contains(err.Error(), "a data file to lock: open ") {
		t.Errorf("a file that is not there: %v", err)
	}

	if err := l.Store(nb); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := nb.Write(&b); err != nil {
		t.Fatal(err)
	}
	read, err := notebook.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	back, err := LockOf(read)
	if err != nil || !reflect.DeepEqual(back, l) {
		t.Errorf("it comes back as %+v (%v), want %+v", back, err, l)
	}
	if got := ModuleCode(nb); got != "%get a.example/b@v1\nimport \"embed\"" {
		t.Errorf("the modules are got by %q", got)
	}
}

// A lock names what is different, and nothing that is not.
func TestCheck(t *testing.T) {
	lock := func() *Lock {
		return &Lock{
			Go: "go1.26.0", Kernel: "0.1.0", Sources: "h1:abcdefghijklmnop=", Modules: []string{"a v1.0.0 h1:a=", "a v1.0.0/go.mod h1:m=", "b v1.0.0 h1:b="},
			Local: map[string]string{"mine": "h1:1="}, Parameters: map[string]string{"rate": "0.1"}, Seeds: []string{"nnkit.Seed(1)"},
		}
	}
	for _, c := range []struct {
		change func(*Lock)
		want   []string
	}{
		{func(*Lock) {}, nil},
		{func(l *Lock) { l.Modules = append(l.Modules, "c v1.0.0 h1:c=") }, nil},
		{func(l *Lock) { l.Go = "go1.27.0" }, []string{"Go is go1.27.0, locked is go1.26.0"}},
		{func(l *Lock) { l.Kernel, l.Sources = "0.2.0", "h1:x=" }, []string{"the kernel is 0.2.0, locked is 0.1.0"}},
		{func(l *Lock) { l.Sources = "h1:bcdefghijklmnopq=" }, []string{"the code that comes with the kernel is h1:bcdefghijklm…, locked is h1:abcdefghijkl…"}},
		{func(l *Lock) { l.Modules = []string{"a v1.1.0 h1:a2="} }, []string{"module a is v1.1.0, locked is v1.0.0", "module b v1.0.0 is missing"}},
		{func(l *Lock) { l.Modules[2] = "b v1.0.0 h1:b2=" }, []string{"the content of module b v1.0.0 is h1:b2=, locked is h1:b="}},
		{func(l *Lock) { l.Local = nil }, []string{"the code of module mine is missing"}},
		{func(l *Lock) { l.Parameters = map[string]string{"rate": "0.2"} }, []string{"parameter rate is 0.2, locked is 0.1"}},
		{func(l *Lock) { l.Seeds = nil }, []string{"the seeds are none, locked are nnkit.Seed(1)"}},
	} {
		now := lock()
		c.change(now)
		if got := lock().Check(now); !reflect.DeepEqual(got, c.want) {
			t.Errorf("the problems are %q, want %q", got, c.want)
		}
	}
}

func TestLockErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"format": 2}`:            `has format 2, and this kernel knows 1: "kernel lock" makes it again`,
		`{"format": 1, "go": 3}`:   `cannot be read: json`,
		`"text"`:                   `cannot be read: json`,
		`{"modules": {"a": "b"} }`: `cannot be read: json`,
	} {
		nb, err := notebook.Read([]byte(`{"nbformat": 4, "cells": [], "metadata": {"nnkit": {"lock": ` + text + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := LockOf(nb); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want one with %q", text, err, want)
		}
	}
	if l, err := LockOf(&notebook.Notebook{}); l != nil || err != nil {
		t.Errorf("no lock is %v, %v", l, err)
	}
}

// FuzzLock reads arbitrary bytes as the lock of a notebook. One that is accepted comes
// back from the notebook's file as it was.
func FuzzLock(f *testing.F) {
	for _, text := range []string{
		`{"format":1,"go":"go1.26.0","kernel":"v1","sources":"h1:x","modules":["a v1 h1:x","a v1/go.mod h1:y"],"data":{"a.csv":"sha256:0"},"seeds":["Seed(1)"],"parameters":{"a":"1"}}`,
		`{"format":1,"local":{"../m":"h1:x"},"data":{"../../etc/passwd":"sha256:0"}}`, `{"format":2}`, `[]`, `null`, `{"format":"1"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		nb, err := notebook.Read(append(append([]byte(`{"cells":[],"nbformat":4,"metadata":{"nnkit":{"lock":`), text...), "}}}"...))
		if err != nil {
			return
		}
		lock, err := LockOf(nb)
		if err != nil || lock == nil {
			return
		}
		if lock.String() == "" {
			t.Error("nothing is told of the lock")
		}
		other := &notebook.Notebook{}
		if err := lock.Store(other); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := other.Write(&b); err != nil {
			t.Fatal(err)
		}
		read, err := notebook.Read(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		again, err := LockOf(read)
		if err != nil {
			t.Fatal(err)
		}
		once, err := json.Marshal(lock)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s comes back as %s, %v", once, twice, err)
		}
	})
}
