package build

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
	slow := time.AfterFunc(2*time.Second, func() { b.progress("compiling packages (once for each of them)") })
	defer slow.Stop()
	c := exec.CommandContext(ctx, b.tools.goTool, "build", "-buildvcs=false", "-ldflags=-s -w", "-o", program, source)
	c.Dir, c.Env = b.tools.dir, b.tools.environ
	withChildren(c)
	out, err := c.CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", compileError(out, err)
	}
	return program, nil
}
