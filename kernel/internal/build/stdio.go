package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Two things about a program's standard files cannot be seen from outside. So
// package os, as cells are linked with it, has two lines more: the go command is
// given the changed file by an overlay, in which the line numbers stay.
//
// Standard output and standard error are two pipes, and who reads them cannot tell
// which of two pieces was written first. Before package os writes to either of
// them it calls a function that waits until the other pipe has been read (see
// kernel/worker/internal/running/order.go).
//
// Nobody can tell that a program waits for standard input. Before package os reads
// from it, it calls a function that has the session ask the person (see
// kernel/worker/internal/running/stdin.go).

//
// The functions are set by methods: an ordinary program reaches them without the
// linker's help, and one that was linked without the change can tell.

// A change is a line of package os's file.go, what stands there instead, and what
// is added to the end of the file.
type change struct{ line, instead, end string }

var orderedWrite = change{
	line:    "\n\tn, e := f.write(b)\n",
	instead: "\n\tif f.stdoutOrErr && orderWrite != nil { orderWrite(f.pfd.Sysfd) }; n, e := f.write(b)\n",
	end:     "\nvar orderWrite func(fd int)\n\nfunc (*File) OrderWriteʹ(f func(fd int)) { orderWrite = f }\n",
}

var askedRead = change{
	line:    "\n\tn, e := f.read(b)\n",
	instead: "\n\tif f.pfd.Sysfd == 0 && len(b) > 0 && beforeRead != nil { if e := beforeRead(); e != nil { return 0, f.wrapErr(\"read\", e) } }; n, e := f.read(b)\n",
	end:     "\nvar beforeRead func() error\n\nfunc (*File) BeforeReadʹ(f func() error) { beforeRead = f }\n",
}

// overlay returns the file for the go command's flag -overlay, in the cache, or ""
// where the standard library looks different: then pieces of the two streams that
// were written within some microseconds may change places, standard input is what
// gonbui.RequestInput has asked for, and all else works.
func (t *toolchain) overlay(c *cache) (string, error) {
	source := filepath.Join(t.env.GOROOT, "src", "os", "file.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	changed := false
	for _, h := range []change{orderedWrite, askedRead} {
		if bytes.Count(text, []byte(h.line)) == 1 {
			text = append(bytes.Replace(text, []byte(h.line), []byte(h.instead), 1), h.end...)
			changed = true
		}
	}
	if !changed {
		return "", nil
	}
	name := filepath.Join("worker", "overlay-"+hashOf("overlay 2", source, string(text)))
	dir, err := c.get(context.Background(), name, nil, func(tmp string) error {
		instead := filepath.Join(c.dir, name, "file.go")
		replace, err := json.Marshal(map[string]any{"Replace": map[string]string{source: instead}})
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(filepath.Join(tmp, "file.go"), text, 0o666),
			os.WriteFile(filepath.Join(tmp, "overlay.json"), replace, 0o666))
	})
	return filepath.Join(dir, "overlay.json"), err
}
