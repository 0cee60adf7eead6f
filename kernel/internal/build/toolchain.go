package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// toolchain is the Go installation and the C tools that a session builds with.
type toolchain struct {
	dir     string   // of the session's module
	temp    string   // a folder for what the tools put aside
	alone   bool     // cells are programs of their own: nothing is shared
	environ []string // of the go command
	env     goEnv
	cc      []string // the C compiler, with arguments
	goTool  string
}

// goEnv is what the builder reads of go env.
type goEnv struct {
	GOROOT, GOTOOLDIR, GOVERSION, GOOS, GOARCH, GOAMD64, GOEXPERIMENT, GOFLAGS string
	CC, CGO_ENABLED, CGO_CFLAGS, CGO_CPPFLAGS, CGO_LDFLAGS                     string
}

// MissingError tells what has to be installed before anything can be built.
type MissingError struct {
	What   string // "go command"
	Remedy string // "install Go 1.26 or newer"
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("no %s found: %s", e.What, e.Remedy)
}

// NoLiveError tells why cells cannot be loaded into one worker here. They can be
// programs of their own, see Config.Alone.
type NoLiveError struct {
	Reason string // "there is no C compiler (gcc)"
	Remedy string // "apt-get install gcc", or "" if there is none
}

func (e *NoLiveError) Error() string {
	if e.Remedy == "" {
		return e.Reason
	}
	return e.Reason + ": " + e.Remedy
}

// findToolchain finds the tools, as the given environment has them. Without the C
// tools, or on a system for which nothing can be shared, the error is a
// *NoLiveError, unless cells are to be programs of their own.
func findToolchain(dir, temp string, extra []string, alone bool) (*toolchain, error) {
	t := &toolchain{dir: dir, temp: temp, alone: alone, environ: append(append(os.Environ(), extra...), "PWD="+dir)}
	if !alone {
		t.environ = append(t.environ, "CGO_ENABLED=1")
	}
	var err error
	if t.goTool, err = exec.LookPath("go"); err != nil {
		return nil, &MissingError{"go command", "install Go 1.26 or newer from https://go.dev/dl and put its bin directory on the PATH"}
	}
	out, err := t.goCommand(context.Background(), "env", "-json",
		"GOROOT", "GOTOOLDIR", "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOEXPERIMENT", "GOFLAGS",
		"CC", "CGO_ENABLED", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_LDFLAGS")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &t.env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	t.cc = strings.Fields(t.env.CC)
	if len(t.cc) == 0 {
		t.cc = []string{"gcc"}
	}
	if !alone {
		return t, t.findLive()
	}
	if t.env.CGO_ENABLED == "1" && !t.compilesC() {
		t.env.CGO_ENABLED = "0"
		t.environ = append(t.environ, "CGO_ENABLED=0")
	}
	return t, nil
}

// findLive finds what it takes to load cells into one worker.
func (t *toolchain) findLive() error {
	if t.env.GOOS != "linux" || t.env.GOARCH != "amd64" {
		return &NoLiveError{Reason: fmt.Sprintf("cells can share a process on linux/amd64 only, and this Go builds for %s/%s", t.env.GOOS, t.env.GOARCH)}
	}
	for _, tool := range []string{"compile", "link"} {
		if _, err := os.Stat(t.tool(tool)); err != nil {
			return &MissingError{"Go " + tool + " tool in " + t.env.GOTOOLDIR, "reinstall Go " + t.env.GOVERSION}
		}
	}
	if _, err := exec.LookPath(t.cc[0]); err != nil {
		return &NoLiveError{"there is no C compiler (" + t.cc[0] + ")", "apt-get install gcc libc6-dev, or dnf install gcc glibc-devel"}
	}
	if _, err := exec.LookPath("ld"); err != nil { // the C compiler's, for libraries
		return &NoLiveError{"there is no linker (ld)", "apt-get install binutils, or dnf install binutils"}
	}
	return nil
}

// compilesC tells whether the C compiler is there with its linker and headers.
func (t *toolchain) compilesC() bool {
	c := exec.Command(t.cc[0], append(t.cc[1:len(t.cc):len(t.cc)], "-x", "c", "-o", filepath.Join(t.temp, "cc.out"), "-")...)
	c.Stdin = strings.NewReader("#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n")
	return t.run(c, c.Run) == nil
}

func (t *toolchain) tool(name string) string { return filepath.Join(t.env.GOTOOLDIR, name) }

// goCommand runs the go command in the session's module.
func (t *toolchain) goCommand(ctx context.Context, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, t.goTool, args...)
	c.Dir, c.Env = t.dir, append(t.environ[:len(t.environ):len(t.environ)], "GOWORK="+t.workFile())
	var out []byte
	err := t.run(c, func() (err error) { out, err = c.Output(); return })
	if err != nil {
		return nil, commandError(ctx, "go "+args[0], err)
	}
	return out, nil
}

// run runs c with a folder of its own for what it puts aside: one that is killed
// removes nothing of that.
func (t *toolchain) run(c *exec.Cmd, run func() error) error {
	dir, err := os.MkdirTemp(t.temp, "go-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.Env = append(c.Environ(), "TMPDIR="+dir, "GOTMPDIR="+dir)
	return run()
}

// commandError makes an error of a command that failed: what it printed, since
// its exit status tells nothing.
func commandError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	if e, ok := errors.AsType[*exec.ExitError](err); ok && len(e.Stderr) > 0 {
		return fmt.Errorf("%s: %s", what, strings.TrimSpace(string(e.Stderr)))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// command is a Go tool, to run in dir.
func (t *toolchain) command(ctx context.Context, dir, tool string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, t.tool(tool), args...)
	c.Dir = dir
	c.Env = append(t.environ[:len(t.environ):len(t.environ)],
		"GOROOT="+t.env.GOROOT, // what the linker puts before the file names of the standard library
		"GOAMD64="+t.env.GOAMD64,
		"GOEXPERIMENT="+t.env.GOEXPERIMENT,
		"GOGC=off",    // the tools' lives are short
		"TMPDIR="+dir, // a tool that is killed removes nothing
		"PWD="+dir)
	return c
}

// id tells toolchains apart, as far as what they build differs.
func (t *toolchain) id() string {
	e := t.env
	parts := []string{e.GOVERSION, e.GOROOT, e.GOAMD64, e.GOEXPERIMENT, e.GOFLAGS, e.CC, e.CGO_CFLAGS, e.CGO_CPPFLAGS, e.CGO_LDFLAGS}
	if t.alone {
		parts = append(parts, "alone", e.GOOS, e.GOARCH, e.CGO_ENABLED)
	}
	return strings.Join(parts, "\n")
}
