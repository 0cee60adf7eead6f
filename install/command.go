package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// command is name in dir, interrupted rather than killed when ctx ends, so that
// a kernel can end its worker.
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// output runs a command and returns what it printed; its complaints are in the error.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	return runCommand(command(ctx, dir, name, args...))
}

// goTool runs the go command on the module in dir, whatever workspace or vendoring the user has set up around it.
func goTool(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := command(ctx, dir, "go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Env = append(cmd.Env, env...)
	return runCommand(cmd)
}

func runCommand(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("there is no %s on the PATH", filepath.Base(cmd.Args[0]))
	}
	said := strings.TrimSpace(stderr.String())
	if said == "" {
		said = strings.TrimSpace(stdout.String())
	}
	call := strings.Join(append([]string{filepath.Base(cmd.Args[0])}, cmd.Args[1:]...), " ")
	if said == "" {
		return stdout.String(), fmt.Errorf("%s: %w", call, err)
	}
	return stdout.String(), fmt.Errorf("%s: %w:\n%s", call, err, said)
}
