package build

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
)

// The Go linker makes room for 130,000 symbols when it starts, which takes about
// half of its time where there are a few hundred. So the linker for cells is
// built from the sources in GOROOT with that one number changed: once for each Go
// version, in the background and with low priority. Until it is there, or where
// it cannot be built, cells are linked by the linker that came with Go.

// roomForSymbols is where the linker's loader says how many symbols it expects.
var roomForSymbols = regexp.MustCompile(`(make\(map\[string\]Sym, )[1-9]0000\)`)

// startLinkerBuild looks for the linker for cells in the cache, or begins to build
// it.
func (b *Builder) startLinkerBuild() {
	name := filepath.Join("worker", "link-"+hashOf("link 1", b.tools.id()))
	use := func(dir string) {
		linker := filepath.Join(dir, "link")
		b.linker.Store(&linker)
	}
	if dir, ok := b.cache.find(name); ok {
		use(dir)
		return
	}
	tools := b.tools
	b.background.Go(func() {
		// Without it, all works as well.
		if dir, err := b.cached(b.life, name, func(tmp string) error { return tools.buildLinker(b.life, tmp) }); err == nil {
			use(dir)
		}
	})
}

// buildLinker builds the linker in a directory, and tries that it starts.
func (t *toolchain) buildLinker(ctx context.Context, dir string) error {
	source := filepath.Join(t.env.GOROOT, "src", "cmd", "link", "internal", "loader", "loader.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if !roomForSymbols.Match(text) {
		return fmt.Errorf("%s does not make room for symbols as expected", source)
	}
	changed := filepath.Join(dir, "loader.go")
	if err := os.WriteFile(changed, roomForSymbols.ReplaceAll(text, []byte("${1}2000)")), 0o666); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o666); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, t.goTool, "build", "-overlay", filepath.Join(dir, "overlay.json"),
		"-p=1", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(dir, "link"), "cmd/link")
	build.Dir, build.Env = filepath.Join(t.env.GOROOT, "src", "cmd"), append(t.environ[:len(t.environ):len(t.environ)],
		"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "PWD="+filepath.Join(t.env.GOROOT, "src", "cmd"))
	withChildren(build)
	err = t.run(build, func() error {
		if err := build.Start(); err != nil {
			return err
		}
		_ = syscall.Setpriority(syscall.PRIO_PGRP, build.Process.Pid, 19)
		return build.Wait()
	})
	if err != nil {
		return err
	}
	return exec.CommandContext(ctx, filepath.Join(dir, "link"), "-V").Run()
}

// withChildren makes a command end with all that it has started.
func withChildren(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}

// Wait waits until what is built in the background is there, for those who
// prepare a cache ahead.
func (b *Builder) Wait() { b.background.Wait() }
