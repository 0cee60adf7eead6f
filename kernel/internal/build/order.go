package build

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// Standard output and standard error are two pipes, and who reads them cannot
// tell which of two pieces was written first. So package os, as cells are linked
// with it, calls a function before it writes to either of them, which the worker
// sets (see kernel/worker/internal/host/order.go): it waits until the other pipe
// has been read. The go command is given the changed file by an overlay; the line
// numbers stay.

// beforeWrite is the line of (*os.File).Write at which all is ready to write.
const beforeWrite = "\n\tn, e := f.write(b)\n"

// orderedWrite is what stands there instead, and the variable that it reads.
const (
	orderedWrite = "\n\tif f.stdoutOrErr && orderWrite != nil { orderWrite(f.pfd.Sysfd) }; n, e := f.write(b)\n"
	orderHook    = "\nvar orderWrite func(fd int)\n"
)

// overlay returns the file for the go command's flag -overlay, in the cache, or ""
// where the standard library looks different, and for cells that are ordinary
// programs: then pieces of the two streams that were written within some
// microseconds may change places, and all else works.
func (t *toolchain) overlay(cacheDir string) (string, error) {
	if t.alone {
		return "", nil
	}
	source := filepath.Join(t.env.GOROOT, "src", "os", "file.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	if bytes.Count(text, []byte(beforeWrite)) != 1 {
		return "", nil
	}
	text = append(bytes.Replace(text, []byte(beforeWrite), []byte(orderedWrite), 1), orderHook...)
	dir := filepath.Join(cacheDir, "worker", "overlay-"+hashOf(source, string(text)))
	changed, file := filepath.Join(dir, "file.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	now := time.Now() // in use: keep it (see trim)
	return file, errors.Join(seeToFile(changed, text), seeToFile(file, replace), os.Chtimes(dir, now, now))
}

// seeToFile writes a file where it is not there as it should be.
func seeToFile(name string, data []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return writeFile(name, data)
}
