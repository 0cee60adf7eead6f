package session

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// folderPattern is what the folders of sessions are called.
const folderPattern = "nnkit-session-*"

// A folder holds all that a session keeps on the disk. It is locked while its
// owner lives: the system unlocks it however that ends.
type folder struct {
	path string
	lock *os.File // the folder itself
}

// newFolder makes a folder in parent.
func newFolder(parent string) (*folder, error) {
	for {
		path, err := os.MkdirTemp(parent, folderPattern)
		if err != nil {
			return nil, err
		}
		lock, err := lockFolder(path)
		if err == nil {
			if _, err = os.Stat(path); err == nil {
				return &folder{path, lock}, nil
			}
			lock.Close()
		}
		// Between the two steps it looks like one that was left behind.
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, os.RemoveAll(path))
		}
	}
}

// lockFolder fails with EWOULDBLOCK if the folder has an owner.
func lockFolder(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// remove may be called again.
func (f *folder) remove() error {
	defer f.lock.Close() // closing unlocks
	return removeAll(f.path)
}

// removePatience is how long a folder's removal waits for tools that are ending: they
// may still make files there, also of a kernel that was killed.
const removePatience = 2 * time.Second

func removeAll(path string) error {
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := os.RemoveAll(path)
		if err == nil || time.Since(start) > removePatience {
			return err
		}
	}
}

// sweep removes the folders of sessions that were killed. What cannot be removed is
// left to the next one.
func sweep(parent string) {
	paths, _ := filepath.Glob(filepath.Join(parent, folderPattern)) // the pattern is a good one
	for _, path := range paths {
		if lock, err := lockFolder(path); err == nil {
			_ = removeAll(path)
			lock.Close()
		}
	}
}
