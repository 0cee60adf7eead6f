package build

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Program builds an ordinary program of its text, a Go file of package main, and
// returns the file of the executable. Of those that it has built, the newest are
// kept. What the compiler does not accept is a *CompileError.
func (b *Builder) Program(ctx context.Context, text string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return "", errors.New("the builder is closed")
	}
	b.cells++
	dir := filepath.Join(b.tmp, strconv.Itoa(b.cells))
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", err
	}
	_ = os.RemoveAll(filepath.Join(b.tmp, strconv.Itoa(b.cells-keptCells)))
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "cell")
	if err := os.WriteFile(source, []byte(text), 0o666); err != nil {
		return "", err
	}
	slow := b.tellsCompiling()
	defer slow.Stop()
	if _, err := b.buildCell(ctx, program, source); err != nil {
		return "", err
	}
	return program, nil
}

// Whole builds the program whose files, of package main, are in a folder of the
// session's module, and writes the executable to output. It is linked statically, as
// far as the packages that it imports do not use C. One that serves a session asks it for
// what it reads from standard input.
func (b *Builder) Whole(ctx context.Context, dir, output string, serves bool) (static bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false, errors.New("the builder is closed")
	}
	if output, err = filepath.Abs(output); err != nil {
		return false, err
	}
	withC, err := b.run(ctx, nil, "list", "-deps", "-f", "{{if and (not .Standard) .CgoFiles}}{{.ImportPath}}{{end}}", dir)
	if err != nil {
		return false, err
	}
	var env []string
	if static = strings.TrimSpace(withC) == ""; static {
		env = []string{"CGO_ENABLED=0"}
	}
	args := []string{"build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", output}
	if serves {
		args = append(args, "-overlay="+b.packages.overlay)
	}
	_, err = b.run(ctx, env, append(args, dir)...)
	return static, err
}

// Page builds the program whose files are in a folder of the session's module, for the
// system that the builder's environment names.
func (b *Builder) Page(ctx context.Context, dir, output string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	slow := b.tellsCompiling()
	defer slow.Stop()
	_, err := b.buildCell(ctx, output, dir)
	return err
}

// buildCell builds a cell's program, of packages as Exports has them.
func (b *Builder) buildCell(ctx context.Context, output, source string) (string, error) {
	return b.run(ctx, nil, "build", "-buildvcs=false", "-overlay="+b.packages.overlay, "-ldflags=-s -w", "-o", output, source)
}

// tellsCompiling tells of packages that are being compiled, after a while.
func (b *Builder) tellsCompiling() *time.Timer {
	return time.AfterFunc(2*time.Second, func() { b.progress("compiling packages (once for each of them)") })
}

// run runs the go command in the session's module and returns what it prints.
func (b *Builder) run(ctx context.Context, env []string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, b.tools.goTool, args...)
	c.Dir, c.Env = b.tools.dir, append(slices.Clone(b.tools.environ), env...)
	withChildren(c)
	var out []byte
	err := b.tools.run(c, func() (err error) { out, err = c.CombinedOutput(); return })
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", compileError(out, err)
	}
	return string(out), nil
}
