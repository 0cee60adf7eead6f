package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const modulePath = "github.com/seed5607215b/nnkit"

// cellPackages are what a session's module needs from ours: what cells import,
// and the worker that runs them. What these import comes along.
var cellPackages = []string{"./nnkit/...", "./display/...", "./kernel/worker/..."}

// moduleRoot is the directory of the clone.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := goTool(ctx, "", nil, "list", "-m", "-f", "{{.Path}} {{.Dir}}")
	if err != nil {
		return "", fmt.Errorf("looking for the sources of %s: %w; run this in a clone of it", modulePath, err)
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(out), " ")
	if path != modulePath {
		return "", fmt.Errorf("the module here is %s, not %s; run this in a clone of it", path, modulePath)
	}
	return dir, nil
}

// A listedPackage is what `go list` tells of a package. Files that this platform
// ignores are among them, since the sources may be used under other build tags.
type listedPackage struct {
	ImportPath string
	Dir        string
	Module     *struct{ Main bool }

	GoFiles, CgoFiles, CFiles, HFiles, SFiles     []string
	EmbedFiles, IgnoredGoFiles, IgnoredOtherFiles []string
}

func (p listedPackage) files() []string {
	var all []string
	for _, names := range [][]string{p.GoFiles, p.CgoFiles, p.CFiles, p.HFiles, p.SFiles, p.EmbedFiles, p.IgnoredOtherFiles} {
		all = append(all, names...)
	}
	for _, name := range p.IgnoredGoFiles {
		if !strings.HasSuffix(name, "_test.go") {
			all = append(all, name)
		}
	}
	return all
}

// copySources copies the module at root into dst, as far as cells need it.
func copySources(ctx context.Context, root, dst string) error {
	args := append([]string{"list", "-deps", "-json=ImportPath,Dir,Module,GoFiles,CgoFiles,CFiles,HFiles,SFiles,EmbedFiles,IgnoredGoFiles,IgnoredOtherFiles"}, cellPackages...)
	// With cgo, also where no C compiler is there yet: the worker's sources belong to it.
	out, err := goTool(ctx, root, []string{"CGO_ENABLED=1"}, args...)
	if err != nil {
		return fmt.Errorf("listing the packages that cells import: %w", err)
	}
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("reading what `go list` prints: %w", err)
		}
		if p.Module == nil || !p.Module.Main {
			continue // of the standard library, or had through go.mod
		}
		rel, err := filepath.Rel(root, p.Dir)
		if err != nil {
			return err
		}
		for _, name := range p.files() {
			if err := copyFile(filepath.Join(root, rel, name), filepath.Join(dst, rel, name)); err != nil {
				return err
			}
		}
	}
	for _, pattern := range cellPackages {
		dir := strings.TrimSuffix(pattern, "/...")
		if _, err := os.Stat(filepath.Join(dst, dir)); err != nil {
			return fmt.Errorf("there are no sources of %s in %s for cells to import; the clone is not complete", dir, root)
		}
	}
	files := []string{"go.mod", "go.sum"}
	// Package mpi is a module of its own, of which kernel run --ranks needs the Go files.
	shared, err := filepath.Glob(filepath.Join(root, "nnkit", "mpi", "*.go"))
	if err != nil {
		return err
	}
	for _, path := range append(shared, filepath.Join(root, "nnkit", "mpi", "go.mod")) {
		if !strings.HasSuffix(path, "_test.go") {
			files = append(files, filepath.Join("nnkit", "mpi", filepath.Base(path)))
		}
	}
	for _, name := range files {
		if err := copyFile(filepath.Join(root, name), filepath.Join(dst, name)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
