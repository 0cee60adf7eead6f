package session

import (
	"io/fs"
	"slices"
	"strings"
)

// sharedFolder is where a program for mpirun has its copy of package mpi.
const sharedFolder = "mpi"

// sources are the Go files of a folder less its tests and its go.mod.
type sources struct{ fs.FS }

// ReadDir implements fs.ReadDirFS.
func (s sources) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(s.FS, name)
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool {
		return e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go")
	}), err
}
