package session

import (
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// A module is the session's Go module, and the workspace that joins it with the
// modules of the notebook: the one whose go.mod lies in the notebook's directory
// or above, or all of a go.work there, and those that %track adds. Their files are
// read and never written; what cells fetch is required by the session's go.mod.
type module struct {
	dir      string
	sources  string   // of this project's module
	notebook string   // the directory where the notebook lies
	pinned   []string // modules of a lock, as lines of go.sum
	tracked  []string
	composed string // go.work as it was last written, "" for none
}

// moduleFiles are the session's own, which a command may change.
var moduleFiles = []string{"go.mod", "go.sum", "go.work", "go.work.sum"}

// write makes the session's module as it is in the beginning.
func (m *module) write() error {
	if err := writeModule(m.dir, m.sources, m.pinned); err != nil {
		return err
	}
	m.composed = ""
	for _, name := range moduleFiles[2:] {
		if err := os.Remove(filepath.Join(m.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// refresh composes go.work again where the notebook's modules are others than
// before.
func (m *module) refresh() error {
	text, err := m.compose()
	if err != nil || text == m.composed {
		return err
	}
	m.composed = text
	name := filepath.Join(m.dir, "go.work")
	if text == "" {
		return os.Remove(name)
	}
	return os.WriteFile(name, []byte(text), 0o666)
}

// compose returns the text of go.work, "" if there is nothing to join.
func (m *module) compose() (string, error) {
	theirs, dirs, err := m.found()
	if err != nil {
		return "", err
	}
	if dirs = append(dirs, m.tracked...); len(dirs) == 0 {
		return "", nil
	}
	work := new(modfile.WorkFile)
	work.Syntax = new(modfile.FileSyntax)
	goVersion, err := goLine(m.dir)
	if err != nil {
		return "", err
	}
	uses := 0
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			return "", err
		}
		if modfile.ModulePath(data) == modulePath { // the session has it
			continue
		}
		v, err := goLine(dir)
		if err != nil {
			return "", err
		}
		if version.Compare("go"+v, "go"+goVersion) > 0 {
			goVersion = v
		}
		if err := work.AddUse(dir, ""); err != nil {
			return "", err
		}
		uses++
	}
	if uses == 0 {
		return "", nil
	}
	err = errors.Join(work.AddUse(".", ""), work.AddGoStmt(goVersion), work.AddReplace(modulePath, "", m.sources, ""))
	for _, r := range theirs {
		if r.Old.Path != modulePath {
			err = errors.Join(err, work.AddReplace(r.Old.Path, r.Old.Version, r.New.Path, r.New.Version))
		}
	}
	work.Cleanup()
	work.SortBlocks()
	return string(modfile.Format(work.Syntax)), err
}

// found returns the replacements of the notebook's go.work and the directories of
// its modules, both with absolute paths.
func (m *module) found() (replaces []*modfile.Replace, dirs []string, err error) {
	name := os.Getenv("GOWORK")
	if name == "" {
		name = above(m.notebook, "go.work")
	}
	if name == "" || name == "off" {
		if name = above(m.notebook, "go.mod"); name != "" {
			dirs = append(dirs, filepath.Dir(name))
		}
		return nil, dirs, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, nil, err
	}
	base := filepath.Dir(name)
	inDir := func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(base, p)
	}
	for _, u := range work.Use {
		dirs = append(dirs, inDir(u.Path))
	}
	for _, r := range work.Replace {
		if r.New.Version == "" {
			r.New.Path = inDir(r.New.Path)
		}
	}
	return work.Replace, dirs, nil
}

// above returns the file of a name in a directory or the nearest one above that
// has it, or "".
func above(dir, name string) string {
	for {
		if file := filepath.Join(dir, name); isFile(file) {
			return file
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// goLine is the version of the language that a module asks for.
func goLine(dir string) (string, error) {
	name := filepath.Join(dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	f, err := modfile.ParseLax(name, data, nil)
	if err != nil {
		return "", err
	}
	if f.Go == nil {
		return "1.16", nil // what the go command takes it for
	}
	return f.Go.Version, nil
}

// A moduleState is what a command may change of a module.
type moduleState struct {
	files    map[string]string
	tracked  []string
	composed string
}

// state returns what the module is now.
func (m *module) state() moduleState {
	files := map[string]string{}
	for _, name := range moduleFiles {
		if data, err := os.ReadFile(filepath.Join(m.dir, name)); err == nil {
			files[name] = string(data)
		}
	}
	return moduleState{files, slices.Clone(m.tracked), m.composed}
}

// restore makes the module what it was.
func (m *module) restore(s moduleState) error {
	m.tracked, m.composed = s.tracked, s.composed
	var errs []error
	for _, name := range moduleFiles {
		file := filepath.Join(m.dir, name)
		if text, ok := s.files[name]; ok {
			errs = append(errs, os.WriteFile(file, []byte(text), 0o666))
		} else if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// require makes the modules of packages direct requirements. What go get adds for
// no package of the module is marked as indirect, and names are not looked for in
// such modules.
func (m *module) require(packages []string) error {
	name := filepath.Join(m.dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return err
	}
	for _, r := range slices.Clone(f.Require) {
		wanted := slices.ContainsFunc(packages, func(p string) bool {
			p, _, _ = strings.Cut(p, "@")
			return p == r.Mod.Path || strings.HasPrefix(p, r.Mod.Path+"/")
		})
		if mod := r.Mod; r.Indirect && wanted {
			if err := f.DropRequire(mod.Path); err != nil {
				return err
			}
			f.AddNewRequire(mod.Path, mod.Version, false)
		}
	}
	f.Cleanup()
	text, err := f.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o666)
}

// keep has packages whose module is pinned asked for in that version.
func (m *module) keep(packages []string) []string {
	kept := slices.Clone(packages)
	for i, p := range kept {
		for key := range sumLines(strings.Join(m.pinned, "\n")) {
			path, version, _ := strings.Cut(key, " ")
			if !strings.Contains(p, "@") && !strings.HasSuffix(version, "/go.mod") && (p == path || strings.HasPrefix(p, path+"/")) {
				kept[i] = p + "@" + version
			}
		}
	}
	return kept
}

// track adds the module in a directory to the workspace.
func (m *module) track(dir string) error {
	if !isFile(filepath.Join(dir, "go.mod")) {
		return fmt.Errorf("%s has no go.mod: make its packages a module with \"go mod init\"", dir)
	}
	if !slices.Contains(m.tracked, dir) {
		m.tracked = append(m.tracked, dir)
	}
	return m.refresh()
}

// untrack takes out what track has added.
func (m *module) untrack(dir string) error {
	i := slices.Index(m.tracked, dir)
	if i < 0 {
		return fmt.Errorf("%s was not added by %%track%s", dir, hint(m.tracked))
	}
	m.tracked = slices.Delete(m.tracked, i, i+1)
	return m.refresh()
}

func hint(dirs []string) string {
	if len(dirs) == 0 {
		return ""
	}
	return ", but " + strings.Join(dirs, ", ")
}
