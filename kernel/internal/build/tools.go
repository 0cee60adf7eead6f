package build

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
)

// lookPath is exec.LookPath.
func lookPath(name string) (string, error) { return exec.LookPath(name) }

// A tool is a compiler or linker that has been started before there is anything
// to do: it has initialised itself and waits for its input on a pipe. (When this
// process dies the pipe ends, and so does the tool.)
type tool struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out bytes.Buffer
}

func startTool(cmd *exec.Cmd) (*tool, error) {
	t := &tool{cmd: cmd}
	cmd.Stdout, cmd.Stderr = &t.out, &t.out
	var err error
	if t.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return t, nil
}

// finish gives the tool its input and waits for it to end. It kills the tool when
// the context ends.
func (t *tool) finish(ctx context.Context, input string) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = t.cmd.Process.Kill() })
	defer stop()
	_, writeErr := io.WriteString(t.in, input)
	closeErr := t.in.Close()
	err := t.cmd.Wait()
	if err == nil && writeErr != nil {
		err = writeErr // it has ended well without reading
	}
	if err == nil {
		err = closeErr
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return t.out.Bytes(), err
}

// cancel ends a tool that is not needed.
func (t *tool) cancel() {
	if t != nil {
		_ = t.cmd.Process.Kill()
		_ = t.in.Close()
		_ = t.cmd.Wait()
	}
}

// prepared are the tools for one cell, in a directory of their own.
type prepared struct {
	dir      string
	compiler *tool
	linker   *tool
}

const (
	cellArchive = "cell.a"
	cellLibrary = "cell.so"
)

// prepare starts the tools for the next cell, as far as they are not there.
func (b *Builder) prepare() error {
	if len(b.libraries) == 0 {
		return fmt.Errorf("no cell can be built before the first library")
	}
	if b.next == nil {
		b.cells++
		p := &prepared{dir: filepath.Join(b.tmp, strconv.Itoa(b.cells))}
		if err := os.MkdirAll(filepath.Join(p.dir, "work"), 0o777); err != nil {
			return err
		}
		if b.cells > keptCells {
			_ = os.RemoveAll(filepath.Join(b.tmp, strconv.Itoa(b.cells-keptCells)))
		}
		b.next = p
	}
	p := b.next
	var err error
	if p.compiler == nil {
		cfg := filepath.Join(b.tmp, "importcfg")
		if !b.configured {
			if err := os.WriteFile(cfg, []byte(b.importConfig()), 0o666); err != nil {
				return err
			}
			b.configured = true
		}
		args := append([]string{
			"-dynlink", "-linkshared", "-installsuffix", "dynlink", "-pack", "-complete", "-nolocalimports", "-dwarf=false", "-e",
			"-c=" + strconv.Itoa(min(4, runtime.GOMAXPROCS(0))), "-lang=" + b.lang, "-trimpath", b.tmp,
			"-importcfg", cfg, "-p", "main", "-o", cellArchive,
		}, b.flags...)
		p.compiler, err = startTool(b.tools.command(context.Background(), p.dir, "compile", append(args, "/dev/stdin")...))
	}
	if err == nil && p.linker == nil {
		p.linker, err = b.startLinker(p.dir)
	}
	return err
}

// startLinker starts the linker for the cell in a directory.
func (b *Builder) startLinker(dir string, extra ...string) (*tool, error) {
	// first.a comes first: the runtime takes the name at offset 0 for no name, and
	// the function that has it must be one that nobody sees.
	args := append(linkFlags(), "-importcfg", "/dev/stdin", "-o", cellLibrary, "-tmpdir=work", "first="+b.first, "main="+cellArchive)
	command := func() *exec.Cmd { return b.tools.command(context.Background(), dir, "link", append(args, extra...)...) }
	if linker := b.linker.Load(); linker != nil {
		cmd := command()
		cmd.Path = *linker
		if t, err := startTool(cmd); err == nil {
			return t, nil
		}
		b.linker.Store(nil) // somebody has cleared the cache
	}
	return startTool(command())
}

// discard ends the tools that wait and removes their directory.
func (p *prepared) discard() {
	if p != nil {
		p.compiler.cancel()
		p.linker.cancel()
		_ = os.RemoveAll(p.dir)
	}
}
