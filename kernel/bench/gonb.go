package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	gonbVersion  = "v0.11.3"
	goplsVersion = "v0.23.0" // the newest that Go 1.26 builds
)

// buildOurs builds this kernel from its clone into a directory.
func buildOurs(ctx context.Context, sources, dir string) (*kernel, error) {
	k := &kernel{
		name: "nnkit", program: filepath.Join(dir, "kernel"), args: []string{"jupyter"}, dir: sources,
		env: []string{"XDG_STATE_HOME=" + dir}, // its cells are none of the user's history
	}
	return k, goBuild(ctx, sources, dir, "./kernel")
}

// buildGoNB builds GoNB and the tools that it runs into a directory.
func buildGoNB(ctx context.Context, sources, dir string) (*kernel, error) {
	bin := filepath.Join(dir, "bin")
	// Modules of their own: each is built with the versions that it asks for.
	for name, tools := range map[string]struct {
		module   string
		packages []string
	}{
		"gonb":  {"github.com/janpfeifer/gonb@" + gonbVersion, []string{"github.com/janpfeifer/gonb"}},
		"gopls": {"golang.org/x/tools/gopls@" + goplsVersion, []string{"golang.org/x/tools/gopls", "golang.org/x/tools/cmd/goimports"}},
	} {
		module := filepath.Join(dir, name)
		if err := os.MkdirAll(module, 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module bench\n\ngo 1.26\n"), 0o666); err != nil {
			return nil, err
		}
		if err := goCommand(ctx, module, "mod", "edit", "-require="+tools.module); err != nil {
			return nil, err
		}
		if err := goBuild(ctx, module, bin, append([]string{"-mod=mod"}, tools.packages...)...); err != nil {
			return nil, err
		}
	}
	// What its cells import has the versions that ours import.
	mod, err := os.ReadFile(filepath.Join(sources, "go.mod"))
	if err != nil {
		return nil, err
	}
	_, requirements, _ := bytes.Cut(mod, []byte("\n"))
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), append([]byte("module cells\n"), requirements...), 0o666); err != nil {
		return nil, err
	}
	sum, err := os.ReadFile(filepath.Join(sources, "go.sum"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o666)
	}
	return &kernel{
		name: "GoNB", program: filepath.Join(bin, "gonb"), args: []string{"--kernel"}, dir: dir,
		env:   []string{"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH")},
		setUp: fmt.Sprintf("!*cp '%s' '%s' .", filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")),
		head:  "%noautoget", between: "%%",
	}, err
}

// goBuild builds commands of the module in a directory into another one.
func goBuild(ctx context.Context, module, into string, args ...string) error {
	if err := os.MkdirAll(into, 0o777); err != nil {
		return err
	}
	return goCommand(ctx, module, append([]string{"build", "-o", into + string(filepath.Separator)}, args...)...)
}

func goCommand(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, bytes.TrimSpace(out))
	}
	return nil
}
