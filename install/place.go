package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// kernelName is what Jupyter and notebooks call the kernel.
const kernelName = "nnkit"

// A place is a data directory of Jupyter's, which searches its kernels folder.
type place struct {
	data string // such as ~/.local/share/jupyter
	name string // as a sentence calls it: "for the user"
	flag string // what names it on the command line; "" for the user's own
}

// kernel is the directory that is installed.
func (p place) kernel() string { return filepath.Join(p.data, "kernels", kernelName) }

// binary is the installed kernel.
func (p place) binary() string { return filepath.Join(p.kernel(), binaryName()) }

// sources is the module copy that cells import from.
func (p place) sources() string { return filepath.Join(p.kernel(), "src") }

func binaryName() string {
	if runtime.GOOS == "windows" {
		return "nnkit-kernel.exe"
	}
	return "nnkit-kernel"
}

// findPlace turns the command line into a place.
func findPlace(ctx context.Context, prefix string, sysPrefix bool) (place, error) {
	switch {
	case prefix != "":
		abs, err := filepath.Abs(prefix)
		if err != nil {
			return place{}, fmt.Errorf("finding the directory of --prefix %s: %w", prefix, err)
		}
		return place{filepath.Join(abs, "share", "jupyter"), "in " + abs, "--prefix " + prefix}, nil
	case sysPrefix:
		dir, err := pythonPrefix(ctx)
		if err != nil {
			return place{}, err
		}
		return place{filepath.Join(dir, "share", "jupyter"), "in the Python environment " + dir, "--sys-prefix"}, nil
	default:
		dir, err := userData(runtime.GOOS)
		return place{dir, "for the user", ""}, err
	}
}

// userData is the user's data directory, by the rules of jupyter_core.
func userData(goos string) (string, error) {
	if dir := os.Getenv("JUPYTER_DATA_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("APPDATA"); goos == "windows" && dir != "" {
		return filepath.Join(dir, "jupyter"), nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); goos != "windows" && goos != "darwin" && dir != "" {
		return filepath.Join(dir, "jupyter"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's Jupyter directory: %w; set it, or name a place with --prefix DIR", err)
	}
	switch goos {
	case "darwin":
		return filepath.Join(home, "Library", "Jupyter"), nil
	case "windows":
		return filepath.Join(home, ".jupyter", "data"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// pythonPrefix is the active Python environment, which need not be the one that
// python3 runs in: a virtual environment may be active under another shell.
func pythonPrefix(ctx context.Context) (string, error) {
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if dir := os.Getenv(name); dir != "" {
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return "", fmt.Errorf("%s names %s, which is not a directory; activate the environment anew, or name a place with --prefix DIR", name, dir)
			}
			return filepath.Abs(dir)
		}
	}
	out, err := output(ctx, "", "python3", "-c", "import sys; print(sys.prefix)")
	if err != nil {
		return "", fmt.Errorf("--sys-prefix asks python3 for its prefix: %w; activate an environment, or name a place with --prefix DIR", err)
	}
	dir := strings.TrimSpace(out)
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("--sys-prefix asks python3 for its prefix, which answers %q; name a place with --prefix DIR", dir)
	}
	return dir, nil
}

// searched lists where Jupyter looks for kernels, in its order.
func searched(ctx context.Context) []place {
	var places []place
	add := func(data, name, flag string) {
		for _, p := range places {
			if p.data == data {
				return
			}
		}
		places = append(places, place{data, name, flag})
	}
	for _, dir := range filepath.SplitList(os.Getenv("JUPYTER_PATH")) {
		if dir != "" {
			flag := ""
			if prefix, ok := strings.CutSuffix(dir, filepath.Join("/share", "jupyter")); ok {
				flag = "--prefix " + prefix
			}
			add(dir, "in "+dir+", named by JUPYTER_PATH", flag)
		}
	}
	if dir, err := userData(runtime.GOOS); err == nil {
		add(dir, "for the user", "")
	}
	if dir, err := pythonPrefix(ctx); err == nil {
		add(filepath.Join(dir, "share", "jupyter"), "in the Python environment "+dir, "--sys-prefix")
	}
	if runtime.GOOS != "windows" {
		for _, prefix := range []string{"/usr/local", "/usr"} {
			add(filepath.Join(prefix, "share", "jupyter"), "for all users in "+prefix, "--prefix "+prefix)
		}
	}
	return places
}

// firstInstalled is the place whose kernel Jupyter would start, or otherwise when there is none.
func firstInstalled(ctx context.Context, otherwise place) place {
	for _, p := range searched(ctx) {
		if ours, err := isOurs(p); err == nil && ours {
			return p
		}
	}
	return otherwise
}

// isOurs tells whether the kernel at p is one that this command installed. It is
// an error when something else has the name.
func isOurs(p place) (bool, error) {
	if _, err := os.Lstat(p.kernel()); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	spec, err := readSpec(p)
	if err != nil {
		return false, fmt.Errorf("%s is there, but is no kernel of ours (%w); move it away, or name another place with --prefix DIR", p.kernel(), err)
	}
	if len(spec.Argv) == 0 || filepath.Base(spec.Argv[0]) != binaryName() {
		return false, fmt.Errorf("%s holds another kernel (its kernel.json starts %q); move it away, or name another place with --prefix DIR", p.kernel(), spec.Argv)
	}
	return true, nil
}
