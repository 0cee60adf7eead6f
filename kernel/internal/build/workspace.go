package build

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// workFile is the workspace that the session's module belongs to, where there is
// one: a go.work beside its go.mod. One without a module has just been begun.
func (t *toolchain) workFile() string {
	name := filepath.Join(t.dir, "go.work")
	data, err := os.ReadFile(name)
	if err != nil {
		return "off"
	}
	if work, err := modfile.ParseWork(name, data, nil); err == nil && len(work.Use) == 0 {
		return "off"
	}
	return name
}

// moduleFiles returns what the files hold that the meaning of an import path
// depends on: those of the session's module and of all in its workspace. It tells
// whether one of them depends on where they lie.
func (t *toolchain) moduleFiles() (texts []string, relative bool, err error) {
	read := func(name string) []byte {
		data, e := os.ReadFile(name)
		if e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		texts = append(texts, string(data))
		return data
	}
	dirs := []string{t.dir}
	if name := t.workFile(); name != "off" {
		work, e := modfile.ParseWork(name, read(name), nil)
		if e != nil {
			return nil, false, e
		}
		read(name + ".sum")
		for _, u := range work.Use {
			if filepath.IsAbs(u.Path) {
				dirs = append(dirs, u.Path)
			} else if u.Path != "." {
				dirs, relative = append(dirs, filepath.Join(t.dir, u.Path)), true
			}
		}
	}
	for _, dir := range dirs {
		name := filepath.Join(dir, "go.mod")
		data := read(name)
		read(filepath.Join(dir, "go.sum"))
		if mod, e := modfile.ParseLax(name, data, nil); e == nil && dir == t.dir {
			for _, r := range mod.Replace {
				relative = relative || r.New.Version == "" && !filepath.IsAbs(r.New.Path)
			}
		}
	}
	return texts, relative, err
}
