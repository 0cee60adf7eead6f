package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// modulePath is the module that every session requires: it has the worker, and
// the packages that tutorials import.
const modulePath = "github.com/seed5607215b/nnkit"

// kernelModules are those that this module requires for the kernel alone. Cells can
// import them, but hardly anybody means them who types a few letters.
var kernelModules = []string{"github.com/alecthomas/chroma/v2", "github.com/go-zeromq/zmq4", "github.com/yuin/goldmark", "golang.org/x/mod", "golang.org/x/tools"}

// FindSources returns the folder of this project's module: beside the program's
// executable, where install puts it, or at or above one of the given folders.
func FindSources(executable string, dirs ...string) (string, error) {
	if resolved, err := filepath.EvalSymlinks(executable); err == nil {
		executable = resolved
	}
	installed := filepath.Join(filepath.Dir(executable), "src")
	if isSources(installed) {
		return installed, nil
	}
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		for {
			if isSources(dir) {
				return dir, nil
			}
			up := filepath.Dir(dir)
			if up == dir {
				break
			}
			dir = up
		}
	}
	return "", fmt.Errorf("the sources of %s are neither in %s nor above the working directory: install the kernel with \"go run ./install\", or run it inside its clone", modulePath, installed)
}

func isSources(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && modfile.ModulePath(data) == modulePath
}

// writeModule makes the session's module in dir: it requires this project's, from
// its sources, and whatever that requires, in the same versions, and what is pinned.
func writeModule(dir, sources string, pinned []string) error {
	data, err := os.ReadFile(filepath.Join(sources, "go.mod"))
	if err != nil {
		return fmt.Errorf("the sources of %s: %w", modulePath, err)
	}
	theirs, err := modfile.Parse(filepath.Join(sources, "go.mod"), data, nil)
	if err != nil {
		return fmt.Errorf("the sources of %s: %w", modulePath, err)
	}
	ours := new(modfile.File)
	if err := ours.AddModuleStmt("notebook"); err != nil {
		return err
	}
	if theirs.Go != nil {
		if err := ours.AddGoStmt(theirs.Go.Version); err != nil {
			return err
		}
	}
	if err := errors.Join(ours.AddRequire(modulePath, "v0.0.0"), ours.AddReplace(modulePath, "", sources, "")); err != nil {
		return err
	}
	for _, r := range theirs.Require {
		ours.AddNewRequire(r.Mod.Path, r.Mod.Version, r.Indirect)
	}
	sum, err := os.ReadFile(filepath.Join(sources, "go.sum"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if sum, err = pin(ours, sum, pinned); err != nil {
		return err
	}
	ours.Cleanup()
	text, err := ours.Format()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), text, 0o666); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o666); err != nil {
		return err
	}
	// A package for the go command to find in the module.
	return os.WriteFile(filepath.Join(dir, "doc.go"), []byte("// Package notebook is the module of a notebook's session.\npackage notebook\n"), 0o666)
}

// shorten takes folders that mean nothing to a person out of a text.
func shorten(text string, dirs ...string) string {
	for _, d := range dirs {
		if d != "" {
			text = strings.ReplaceAll(text, d+string(filepath.Separator), "")
		}
	}
	return text
}
