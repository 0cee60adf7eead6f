package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Three things about a program cannot be seen from outside. So a few lines of the
// standard library, as cells are linked with it, are others: the go command is given
// the changed files by an overlay, in which the line numbers stay.
//
// Standard output and standard error are two pipes, and who reads them cannot tell
// which of two pieces was written first. Before package os writes to either of
// them it calls a function that waits until the other pipe has been read, and before it
// starts a process, which may write to both, one that waits for both (see
// kernel/worker/internal/running/order.go).
//
// Nobody can tell that a program waits for standard input. Before package os reads
// from it, it calls a function that has the session ask the person (see
// kernel/worker/internal/running/stdin.go).
//
// A signal is the whole process's, and an interrupt one cell's. Package os/signal
// remembers who has asked for signals, and asks a function to whom it is to relay one
// (see kernel/worker/internal/host/interrupt.go).

// Functions that whole programs need as well are set by methods: an ordinary program
// reaches them without the linker's help, and one that was linked without the change
// can tell.

// A change is what stands in a file of the standard library instead of some of its
// lines, and what is added to the file's end.
type change struct {
	file  string
	lines [][2]string
	end   string
}

var changes = []change{
	{
		file: "os/file.go",
		lines: [][2]string{{
			"\n\tn, e := f.write(b)\n",
			"\n\tif f.stdoutOrErr && orderWrite != nil { orderWrite(f.pfd.Sysfd) }; n, e := f.write(b)\n",
		}},
		end: "\nvar orderWrite func(fd int)\n\nfunc (*File) OrderWriteʹ(f func(fd int)) { orderWrite = f }\n",
	},
	{
		file: "os/file.go",
		lines: [][2]string{{
			"\n\tn, e := f.read(b)\n",
			"\n\tif f.pfd.Sysfd == 0 && len(b) > 0 && beforeRead != nil { if e := beforeRead(); e != nil { return 0, f.wrapErr(\"read\", e) } }; n, e := f.read(b)\n",
		}},
		end: "\nvar beforeRead func() error\n\nfunc (*File) BeforeReadʹ(f func() error) { beforeRead = f }\n",
	},
	{
		file: "os/exec.go",
		lines: [][2]string{{
			"\n\ttestlog.Open(name)\n\treturn startProcess(",
			"\n\ttestlog.Open(name); if beforeStart != nil { beforeStart() }\n\treturn startProcess(",
		}},
		end: "\nvar beforeStart func()\n\nfunc (*Process) BeforeStartʹ(f func()) { beforeStart = f }\n",
	},
	{
		file: "os/signal/signal.go",
		lines: [][2]string{
			{"\n\tmask [(numSig + 31) / 32]uint32\n", "\n\tmask [(numSig + 31) / 32]uint32; owner any\n"},
			{"\n\t\th = new(handler)\n", "\n\t\th = new(handler); if owner != nil { h.owner = owner() }\n"},
			{"\n\t\tif h.want(n) {\n\t\t\t// send but", "\n\t\tif h.want(n) && (relays == nil || relays(h.owner, sig)) {\n\t\t\t// send but"},
		},
		end: `
var owner func() any
var relays func(owner any, sig os.Signal) bool
var wanted = func(sig os.Signal, by func(owner any) bool) bool {
	handlers.Lock()
	defer handlers.Unlock()
	for _, h := range handlers.m {
		if h.want(signum(sig)) && by(h.owner) {
			return true
		}
	}
	return false
}
`,
	},
}

// apply makes the change if all of its lines are there, once.
func (c *change) apply(text []byte) []byte {
	for _, l := range c.lines {
		if bytes.Count(text, []byte(l[0])) != 1 {
			return text
		}
	}
	for _, l := range c.lines {
		text = bytes.Replace(text, []byte(l[0]), []byte(l[1]), 1)
	}
	return append(text, c.end...)
}

// overlay returns the file for the go command's flag -overlay, in the cache, or ""
// where the standard library looks different: then pieces of the two streams that
// were written within some microseconds may change places, standard input is what
// gonbui.RequestInput has asked for, an interrupt also reaches what earlier cells have
// left running if that listens, and all else works.
func (t *toolchain) overlay(c *cache) (string, error) {
	texts := map[string][]byte{} // of the files that are changed
	parts := []string{"overlay 4"}
	for _, change := range changes {
		source := filepath.Join(t.env.GOROOT, "src", filepath.FromSlash(change.file))
		text, there := texts[source]
		if !there {
			var err error
			if text, err = os.ReadFile(source); err != nil {
				return "", err
			}
		}
		if changed := change.apply(text); len(changed) > len(text) {
			texts[source] = changed
			parts = append(parts, source, string(changed))
		}
	}
	if len(texts) == 0 {
		return "", nil
	}
	name := filepath.Join("worker", "overlay-"+hashOf(parts...))
	dir, err := c.get(context.Background(), name, nil, func(tmp string) error {
		replace := map[string]string{}
		var errs []error
		for source, text := range texts {
			replace[source] = filepath.Join(c.dir, name, filepath.Base(source))
			errs = append(errs, os.WriteFile(filepath.Join(tmp, filepath.Base(source)), text, 0o666))
		}
		list, err := json.Marshal(map[string]any{"Replace": replace})
		return errors.Join(append(errs, err, os.WriteFile(filepath.Join(tmp, "overlay.json"), list, 0o666))...)
	})
	return filepath.Join(dir, "overlay.json"), err
}
