package build

import (
	"fmt"
	"io/fs"
	"os"
)

// makePrivate makes the folder of the cache, which nobody but its user can enter: what
// is in it is run. One that others could enter, made under another umask, is closed to
// them.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if err := os.Chmod(dir, 0o700); err == nil {
		return nil
	}
	if info.Mode().Perm()&0o022 == 0 {
		return nil // of an administrator's, who alone can write there
	}
	return &fs.PathError{Op: "cache", Path: dir, Err: fmt.Errorf(
		"its mode is %v, so others can change the libraries in it that cells are linked with, and it is not yours to close: set XDG_CACHE_HOME to a folder of your own", info.Mode().Perm())}
}
