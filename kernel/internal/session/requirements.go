package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	gomodule "golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// Requirements are what a session's cells are compiled with.
type Requirements struct {
	// Go is the version of Go, "go1.26.0".
	Go string
	// Kernel is the kernel's version.
	Kernel string
	// Sources is a hash of the packages of this project that cells can import.
	Sources string
	// Modules are the modules that cells can import, as lines of go.sum.
	Modules []string
	// Local are hashes of the notebook's own modules, by their paths.
	Local map[string]string
}

// Requirements tells what cells are compiled with, when the session has started.
func (s *Session) Requirements(ctx context.Context) (*Requirements, error) {
	select {
	case <-s.started:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s.failed != nil {
		return nil, s.failed
	}
	return s.requirements()
}

func (s *Session) requirements() (*Requirements, error) {
	r := &Requirements{Go: s.builder.GoVersion(), Kernel: Version}
	var err error
	if r.Sources, err = hashSources(s.config.Sources, "nnkit", "display", "kernel/worker"); err != nil {
		return nil, fmt.Errorf("the sources of %s: %w", modulePath, err)
	}
	if r.Modules, r.Local, err = s.module.requirements(); err != nil {
		return nil, err
	}
	return r, nil
}

// Fingerprint is a hash of what the cells of a notebook in the folder config.Dir are
// compiled with, as far as it is known before they are: the packages of this project
// and the notebook's own modules, with their requirements.
func Fingerprint(config Config) (string, error) {
	sources, err := hashSources(config.Sources, "nnkit", "display", "kernel/worker")
	if err != nil {
		return "", fmt.Errorf("the sources of %s: %w", modulePath, err)
	}
	parts := append([]string{Version, sources}, config.Pinned...)
	m := &module{notebook: config.Dir}
	_, dirs, err := m.found()
	if err != nil {
		return "", err
	}
	for _, dir := range dirs {
		if dir == config.Sources {
			continue
		}
		sum, err := hashSources(dir, ".")
		if err != nil {
			return "", err
		}
		parts = append(parts, sum)
	}
	return strings.Join(parts, " "), nil
}

// requirements returns the lines of go.sum of the modules that are required, and
// hashes of the notebook's own.
func (m *module) requirements() (lines []string, local map[string]string, err error) {
	_, dirs, err := m.found()
	if err != nil {
		return nil, nil, err
	}
	local = map[string]string{}
	required := map[string]string{}
	sums := map[string]string{}
	for _, dir := range append(append([]string{m.dir}, dirs...), m.tracked...) {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			return nil, nil, err
		}
		f, err := modfile.ParseLax("go.mod", data, nil)
		if err != nil {
			return nil, nil, err
		}
		if dir != m.dir && f.Module != nil && f.Module.Mod.Path != modulePath {
			if local[f.Module.Mod.Path], err = hashSources(dir, "."); err != nil {
				return nil, nil, err
			}
		}
		for _, r := range f.Require {
			if v := required[r.Mod.Path]; v == "" || semver.Compare(r.Mod.Version, v) > 0 {
				required[r.Mod.Path] = r.Mod.Version
			}
		}
		text, err := os.ReadFile(filepath.Join(dir, "go.sum"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		maps.Insert(sums, sumLines(string(text)))
	}
	for path, version := range required {
		if slices.Contains(kernelModules, path) {
			continue
		}
		for _, v := range []string{version, version + "/go.mod"} {
			if sum := sums[path+" "+v]; sum != "" && sums[path+" "+version] != "" { // some are there for their versions only
				lines = append(lines, path+" "+v+" "+sum)
			}
		}
	}
	slices.Sort(lines)
	return lines, local, nil
}

// sumLines are the lines of go.sum: "path version" and the hash.
func sumLines(text string) func(yield func(key, sum string) bool) {
	return func(yield func(key, sum string) bool) {
		for line := range strings.Lines(text) {
			if f := strings.Fields(line); len(f) == 3 && !yield(f[0]+" "+f[1], f[2]) {
				return
			}
		}
	}
}

// pin has the session's module require the versions of a lock, where it does not
// require later ones, with their checksums.
func pin(ours *modfile.File, sum []byte, lines []string) (newSum []byte, err error) {
	known := maps.Collect(sumLines(string(sum)))
	required := map[string]string{}
	for _, r := range ours.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	for key, hash := range sumLines(strings.Join(lines, "\n")) {
		path, version, _ := strings.Cut(key, " ")
		if known[key] == "" {
			sum = fmt.Appendf(sum, "%s %s\n", key, hash)
		}
		if strings.HasSuffix(version, "/go.mod") {
			continue
		}
		err := gomodule.Check(path, version)
		if err == nil && (required[path] == "" || semver.Compare(version, required[path]) > 0) {
			err = ours.AddRequire(path, version)
		}
		if err != nil {
			return nil, fmt.Errorf("the notebook's lock: %w: \"kernel lock\" makes it again", err)
		}
	}
	return sum, nil
}

// hashSources returns a hash of the sources in folders of a module, tests and other
// modules left out.
func hashSources(root string, folders ...string) (string, error) {
	files := []string{"go.mod"}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			base := d.Name()
			switch {
			case rel == "." || rel == "go.mod":
			case d.IsDir():
				if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' || isFile(filepath.Join(name, "go.mod")) {
					return filepath.SkipDir
				}
			case strings.HasSuffix(base, "_test.go"):
			case slices.Contains([]string{".go", ".s", ".c", ".h"}, filepath.Ext(base)):
				files = append(files, filepath.ToSlash(rel))
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return dirhash.Hash1(files, func(name string) (io.ReadCloser, error) {
		return os.Open(filepath.Join(root, filepath.FromSlash(name)))
	})
}

// ownProgram is how a shell calls this program.
func ownProgram() string {
	if name, err := os.Executable(); err == nil && !strings.ContainsAny(name, " '\"$") {
		return name
	}
	return "nnkit-kernel"
}

// lock stores what the notebook rests on in its file.
func (c *call) lock() error {
	if c.config.Lock == nil {
		return fmt.Errorf("this client does not tell a kernel which file its notebook is (VS Code does not): save the notebook, and write !%s lock NOTEBOOK.ipynb in a cell", ownProgram())
	}
	r, err := c.requirements()
	if err != nil {
		return err
	}
	said, err := c.config.Lock(*r, c.args)
	if err == nil {
		c.print("%s", said)
	}
	return err
}
