package build

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// Two things about a program's standard files cannot be seen from outside. So
// package os, as cells are linked with it, has two lines more: the go command is
// given the changed file by an overlay, in which the line numbers stay.
//
// Standard output and standard error are two pipes, and who reads them cannot tell
// which of two pieces was written first. Before package os writes to either of
// them it calls a function that waits until the other pipe has been read (see
// kernel/worker/internal/host/order.go).
//
// Nobody can tell that a program waits for standard input. Before package os reads
// from it, it calls a function that has the session ask the person (see
// kernel/worker/internal/running/stdin.go).

// A change is a line of package os's file.go, what stands there instead, and what
// is added to the end of the file.
type change struct{ line, instead, end string }

var orderedWrite = change{
	line:    "\n\tn, e := f.write(b)\n",
	instead: "\n\tif f.stdoutOrErr && orderWrite != nil { orderWrite(f.pfd.Sysfd) }; n, e := f.write(b)\n",
	end:     "\nvar orderWrite func(fd int)\n",
}

// The function is set by a method: an ordinary program reaches it without the
// linker's help, and one that was linked without the change can tell.
var askedRead = change{
	line:    "\n\tn, e := f.read(b)\n",
	instead: "\n\tif f.pfd.Sysfd == 0 && len(b) > 0 && beforeRead != nil { if e := beforeRead(); e != nil { return 0, f.wrapErr(\"read\", e) } }; n, e := f.read(b)\n",
	end:     "\nvar beforeRead func() error\n\nfunc (*File) BeforeReadʹ(f func() error) { beforeRead = f }\n",
}

// overlay returns the file for the go command's flag -overlay, in the cache, or ""
// where the standard library looks different: then pieces of the two streams that
// were written within some microseconds may change places, standard input is what
// gonbui.RequestInput has asked for, and all else works.
func (t *toolchain) overlay(cacheDir string) (string, error) {
	source := filepath.Join(t.env.GOROOT, "src", "os", "file.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	changed := false
	for _, c := range []change{orderedWrite, askedRead} {
		if bytes.Count(text, []byte(c.line)) == 1 {
			text = append(bytes.Replace(text, []byte(c.line), []byte(c.instead), 1), c.end...)
			changed = true
		}
	}
	if !changed {
		return "", nil
	}
	dir := filepath.Join(cacheDir, "worker", "overlay-"+hashOf(source, string(text)))
	instead, file := filepath.Join(dir, "file.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{source: instead}})
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	now := time.Now() // in use: keep it (see trim)
	return file, errors.Join(seeToFile(instead, text), seeToFile(file, replace), os.Chtimes(dir, now, now))
}

// seeToFile writes a file where it is not there as it should be.
func seeToFile(name string, data []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return writeFile(name, data)
}
