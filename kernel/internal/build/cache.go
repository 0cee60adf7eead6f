package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A cache keeps what takes long to build, in directories that are named by what
// they hold. Several kernels may use it at once: nobody sees half of a directory, the
// same is not built twice, and what a kernel uses is not removed while it lives.
//
// A kernel that uses a directory has a lock on its list of checksums, which it shares
// with others; who removes the directory needs the lock alone. The system drops the
// locks of a process that dies. Where the disk knows no locks, nothing is removed.
type cache struct {
	dir    string
	shared string // another cache, which is only read, or ""
	most   int64  // bytes that are kept, beside what is in use

	mu   sync.Mutex
	held map[string]*os.File // the locks, by directory
}

const (
	// cacheUnused is after what time without use something leaves the cache.
	cacheUnused = 45 * 24 * time.Hour
	// cacheBuilding is how old a directory is that nobody is building any more.
	cacheBuilding = 24 * time.Hour
)

// cacheKinds are the folders of a cache.
var cacheKinds = []string{"lib", "worker", "packages"}

func newCache(dir, shared string, most int64) *cache {
	return &cache{dir: dir, shared: shared, most: most, held: map[string]*os.File{}}
}

// get returns the directory of the given name, such as lib/KEY. If it is not there,
// make fills another one, which is then renamed. Who has to wait is told why, unless
// progress is nil.
func (c *cache) get(ctx context.Context, name string, progress func(string), make func(dir string) error) (string, error) {
	if progress == nil {
		progress = func(string) {}
	}
	if dir, ok := c.find(name); ok {
		return dir, nil
	}
	dir := filepath.Join(c.dir, name)
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	unlock, err := lockFile(ctx, dir+lockSuffix, func() { progress("waiting for another kernel that builds the same") })
	if err != nil {
		return "", err
	}
	defer unlock()
	if err = c.hold(dir); err == nil {
		return dir, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		progress("building again what is damaged in the cache (" + err.Error() + ")")
	}
	tmp, err := os.MkdirTemp(parent, buildingPrefix)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := errors.Join(make(tmp), writeSums(tmp)); err != nil {
		return "", err
	}
	f, err := lockSums(tmp) // before others see it
	if err != nil {
		return "", err
	}
	// What is damaged makes way in one step: another kernel may be using the rest.
	if err := os.Rename(dir, tmp+damagedSuffix); err == nil {
		defer os.RemoveAll(tmp + damagedSuffix)
	}
	if err := os.Rename(tmp, dir); err != nil {
		f.Close()
		return "", err
	}
	c.keep(dir, f)
	return dir, nil
}

// find returns the directory of the given name if it is there, in this cache or in the
// shared one.
func (c *cache) find(name string) (string, bool) {
	for _, root := range []string{c.dir, c.shared} {
		if dir := filepath.Join(root, name); root != "" && c.hold(dir) == nil {
			return dir, true
		}
	}
	return "", false
}

const (
	buildingPrefix = "tmp-"     // of a directory that is being filled, or removed
	damagedSuffix  = "-damaged" // of one that makes way
	lockSuffix     = ".lock"    // of the file that who builds a directory, or removes it, has locked
)

// hold checks a directory and keeps it from being removed, until close. The error is
// fs.ErrNotExist where it is not there, or is being removed.
func (c *cache) hold(dir string) error {
	f, err := lockSums(dir)
	if err != nil {
		return err
	}
	if err = checkSums(dir); err == nil && !isAt(f, f.Name()) {
		err = fs.ErrNotExist
	}
	if err != nil {
		f.Close()
		return err
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // for trim; the shared cache has another owner
	c.keep(dir, f)
	return nil
}

// lockSums opens the list of a directory with a lock on it. The error is
// fs.ErrNotExist as hold's.
func lockSums(dir string) (*os.File, error) {
	f, err := os.Open(filepath.Join(dir, sumsName))
	if err != nil {
		return nil, err
	}
	if err := flock(f, syscall.LOCK_SH); errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, fs.ErrNotExist
	}
	return f, nil
}

// keep keeps the lock on a directory.
func (c *cache) keep(dir string, f *os.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.held[dir]; old != nil {
		old.Close()
	}
	c.held[dir] = f
}

// close lets others remove what was used.
func (c *cache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.held {
		f.Close()
	}
	clear(c.held)
}

// kept is something in a cache.
type kept struct {
	path string
	size int64
	used time.Time
}

// list finds what is in the cache, the least recently used first.
func (c *cache) list() (all []kept, size int64) {
	for _, kind := range cacheKinds {
		dir := filepath.Join(c.dir, kind)
		entries, _ := os.ReadDir(dir) // one that is not there is empty
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				continue // removed by another kernel
			}
			k := kept{filepath.Join(dir, e.Name()), sizeOf(filepath.Join(dir, e.Name())), info.ModTime()}
			all, size = append(all, k), size+k.size
		}
	}
	slices.SortStableFunc(all, func(a, b kept) int { return a.used.Compare(b.used) })
	return all, size
}

// sizeOf is how many bytes the files of a folder have, or a file.
func sizeOf(path string) (size int64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

// trim removes what has not been used for a while, and what has been used longest
// ago as long as the cache is too large. What a kernel uses stays.
func (c *cache) trim(unused time.Duration) {
	// One at a time, lest each makes all the room.
	trimming, err := os.OpenFile(filepath.Join(c.dir, "trim"+lockSuffix), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return
	}
	defer trimming.Close()
	if flock(trimming, syscall.LOCK_EX) != nil {
		return
	}
	all, size := c.list()
	for _, k := range all {
		age := time.Since(k.used)
		if age < unused && size <= c.most {
			return
		}
		if c.remove(k, unused) {
			size -= k.size
		}
	}
}

// remove removes something from the cache, and tells whether it is gone.
func (c *cache) remove(k kept, unused time.Duration) bool {
	age, name := time.Since(k.used), filepath.Base(k.path)
	switch {
	case strings.HasPrefix(name, buildingPrefix):
		return age >= cacheBuilding && os.RemoveAll(k.path) == nil
	case filepath.Ext(name) == lockSuffix:
		return age >= unused && os.Remove(k.path) == nil
	case filepath.Ext(name) == ".json":
		return os.Remove(k.path) == nil
	}
	building, err := os.OpenFile(k.path+lockSuffix, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return false
	}
	defer building.Close()
	if flock(building, syscall.LOCK_EX) != nil {
		return false
	}
	sums := filepath.Join(k.path, sumsName)
	if f, err := os.OpenFile(sums, os.O_RDWR, 0); err == nil {
		defer f.Close()
		if flock(f, syscall.LOCK_EX) != nil {
			return false
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	// Half of it is never seen under its name.
	going, err := os.MkdirTemp(filepath.Dir(k.path), buildingPrefix)
	if err != nil {
		return false
	}
	defer os.RemoveAll(going)
	return os.Rename(k.path, filepath.Join(going, name)) == nil
}

// flock takes a lock on a file, or fails with EWOULDBLOCK where another has one that
// does not go with it.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isAt tells whether an open file is still the one of this name.
func isAt(f *os.File, name string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(name)
	return err == nil && os.SameFile(mine, there)
}

// lockFile waits for the lock on a file.
func lockFile(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := flock(f, syscall.LOCK_EX)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if !told {
			waiting()
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// readJSON reads a file of the cache, or of the shared one, and tells whether it is
// there and whole.
func (c *cache) readJSON(name string, v any) bool {
	for _, root := range []string{c.dir, c.shared} {
		if root == "" {
			continue
		}
		file := filepath.Join(root, name)
		if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, v) == nil {
			now := time.Now() // for trim
			_ = os.Chtimes(file, now, now)
			return true
		}
	}
	return false
}

// writeJSON writes a file of the cache. If it fails, it is made again another time.
func (c *cache) writeJSON(name string, v any) {
	file := filepath.Join(c.dir, name)
	if b, err := json.Marshal(v); err == nil && os.MkdirAll(filepath.Dir(file), 0o700) == nil {
		_ = writeFile(file, b)
	}
}

// CheckShared tells whether a cache that others have filled can be used: its code
// runs in the worker, so nobody may write there but the system's administrator and
// the user.
func CheckShared(dir string) error {
	for _, d := range append([]string{""}, cacheKinds...) {
		path := filepath.Join(dir, d)
		info, err := os.Stat(path)
		if err != nil {
			if d != "" && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return err
		}
		owner := info.Sys().(*syscall.Stat_t).Uid
		switch {
		case !info.IsDir():
			return fmt.Errorf("%s is no folder", path)
		case owner != 0 && int(owner) != os.Getuid():
			return fmt.Errorf("%s belongs to another user (%d), who could change the code that cells run: chown -R root %s", path, owner, dir)
		case info.Mode().Perm()&0o022 != 0:
			return fmt.Errorf("%s can be written by others, who could change the code that cells run: chmod -R go-w %s", path, dir)
		}
	}
	return nil
}

// CacheSize is how many bytes there are in a cache.
func CacheSize(dir string) int64 {
	_, size := newCache(dir, "", 0).list()
	return size
}
