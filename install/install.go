package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// An installer holds the two long steps of installing, so that tests can replace them.
type installer struct {
	build func(ctx context.Context, root, binary string) error    // builds the kernel of the module at root
	warm  func(ctx context.Context, p place, out io.Writer) error // does what first cells need; nil: leave it to them
}

// stagePrefix begins the name of the directory in which an installation is
// made. It is not a kernel's name, and holds no kernel.json itself, so Jupyter
// passes over it.
const stagePrefix = ".nnkit-install-"

func (in installer) install(ctx context.Context, p place, out io.Writer) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	replaces, err := isOurs(p)
	if err != nil {
		return err
	}
	kernels := filepath.Dir(p.kernel())
	if err := os.MkdirAll(kernels, 0o755); err != nil {
		return fmt.Errorf("making %s: %w; name a place that you may write to with --prefix DIR", kernels, reason(err))
	}
	removeStale(kernels)
	stage, err := os.MkdirTemp(kernels, stagePrefix)
	if err != nil {
		return fmt.Errorf("writing into %s: %w; name a place that you may write to with --prefix DIR", kernels, reason(err))
	}
	defer os.RemoveAll(stage)
	fresh := filepath.Join(stage, kernelName)
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return err
	}

	fmt.Fprintln(out, "Building the kernel …")
	err = in.make(ctx, root, fresh, p)
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing was changed")
	}
	if err != nil {
		return err
	}
	if err := swap(fresh, p.kernel(), filepath.Join(stage, "old")); err != nil {
		return err
	}
	verb := "Installed"
	if replaces {
		verb = "Replaced"
	}
	fmt.Fprintf(out, "%s the kernel %q %s: %s\n", verb, newSpec(p).DisplayName, p.name, p.kernel())

	if in.warm != nil {
		fmt.Fprintln(out, "Compiling ahead what first cells need, once; this takes a minute or two …")
		err := in.warm(ctx, p, out)
		if ctx.Err() != nil {
			return errors.New("interrupted; the kernel is installed, and its first notebook will do what was left")
		}
		if err != nil {
			return fmt.Errorf("the kernel is installed, but its first notebook failed: %w\n`go run ./install --check%s` examines the machine", err, spaced(p.flag))
		}
	}
	if dir, ok := cacheDir(); ok {
		fmt.Fprintf(out, "Compiled packages are kept in %s\n", dir)
	}
	fmt.Fprintf(out, "Ready: choose %q in Jupyter, or execute a notebook with\n  %s run NOTEBOOK\n", newSpec(p).DisplayName, p.binary())
	if !isSearched(ctx, p) {
		fmt.Fprintf(out, "Jupyter does not look there by itself; start it with JUPYTER_PATH=%s\n", p.data)
	}
	return nil
}

// make fills dir with all that will be the kernel's directory at p.
func (in installer) make(ctx context.Context, root, dir string, p place) error {
	if err := in.build(ctx, root, filepath.Join(dir, binaryName())); err != nil {
		return err
	}
	if err := copySources(ctx, root, filepath.Join(dir, "src")); err != nil {
		return err
	}
	return writeSpec(dir, p)
}

// buildKernel builds without cgo, so that the binary needs no library of the machine.
func buildKernel(ctx context.Context, root, binary string) error {
	// Version control is left out since git refuses a clone of another user's.
	_, err := goTool(ctx, root, []string{"CGO_ENABLED=0"}, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary, "./kernel")
	if err != nil {
		return fmt.Errorf("building the kernel: %w", err)
	}
	return nil
}

// swap moves fresh to its place. The old directory goes to old: a kernel that
// runs from it keeps its binary, which the system removes with its last user.
func swap(fresh, to, old string) error {
	err := os.Rename(to, old)
	replaced := err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("moving the old kernel aside: %w", err)
	}
	if err := os.Rename(fresh, to); err != nil {
		if replaced {
			err = errors.Join(err, os.Rename(old, to))
		}
		return fmt.Errorf("moving the new kernel into place: %w", err)
	}
	return nil
}

// removeStale removes what an installation left that was killed. One that is
// under way is younger.
func removeStale(kernels string) {
	stages, _ := filepath.Glob(filepath.Join(kernels, stagePrefix+"*"))
	for _, dir := range stages {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			os.RemoveAll(dir)
		}
	}
}

// remove takes out what install put there, and nothing else.
func remove(p place, out io.Writer) error {
	ours, err := isOurs(p)
	if err != nil {
		return err
	}
	removeStale(filepath.Dir(p.kernel()))
	if !ours {
		fmt.Fprintf(out, "The kernel is not installed %s (%s); nothing was removed.\n", p.name, p.kernel())
		return nil
	}
	if info, err := os.Lstat(p.kernel()); err == nil && info.Mode()&os.ModeSymlink != 0 {
		if err := os.Remove(p.kernel()); err != nil {
			return fmt.Errorf("removing the link to the kernel: %w", reason(err))
		}
		fmt.Fprintf(out, "Removed the link %s; what it names was not made by this command and is left.\n", p.kernel())
		return nil
	}
	entries, err := os.ReadDir(p.kernel())
	if err != nil {
		return err
	}
	var kept []string
	for _, e := range entries {
		if !installedNames[e.Name()] {
			kept = append(kept, e.Name())
			continue
		}
		if err := os.RemoveAll(filepath.Join(p.kernel(), e.Name())); err != nil {
			return fmt.Errorf("removing the kernel: %w", reason(err))
		}
	}
	if len(kept) > 0 {
		fmt.Fprintf(out, "Removed the kernel from %s, and left there what was not installed with it: %s\n", p.kernel(), strings.Join(kept, ", "))
		return nil
	}
	if err := os.Remove(p.kernel()); err != nil {
		return fmt.Errorf("removing the kernel's directory: %w", reason(err))
	}
	fmt.Fprintf(out, "Removed %s\n", p.kernel())
	if dir, ok := cacheDir(); ok {
		fmt.Fprintf(out, "What kernels compiled is left in %s; it may be removed as well.\n", dir)
	}
	return nil
}

// installedNames are the entries of the kernel's directory.
var installedNames = map[string]bool{
	"kernel.json": true, binaryName(): true, "src": true,
	"logo-32x32.png": true, "logo-64x64.png": true, "logo-svg.svg": true,
}

// isSearched tells whether Jupyter looks for kernels at p.
func isSearched(ctx context.Context, p place) bool {
	for _, s := range searched(ctx) {
		if s.data == p.data {
			return true
		}
	}
	return false
}

// reason is err without the path, which the sentence around it names.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}
