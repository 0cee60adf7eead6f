package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fill makes a directory of the cache that holds a file of so many bytes.
func fill(t *testing.T, c *cache, name string, size int) string {
	t.Helper()
	dir, err := c.get(t.Context(), name, nil, func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "file"), make([]byte, size), 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// names are what is in a folder, locks aside.
func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) != lockSuffix {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestTrim(t *testing.T) {
	const kb = 1 << 10
	for _, test := range []struct {
		name string
		most int64
		live string // what a living kernel uses
		want string
	}{
		{"all fits", 100 * kb, "", "a b c d"},
		{"the least recently used goes first", 27 * kb, "", "c d"},
		{"what is in use stays", 27 * kb, "a", "a d"},
		{"nothing but what is in use", 1, "b d", "b d"},
		{"nothing at all", 1, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			dead, living := newCache(dir, "", test.most), newCache(dir, "", test.most)
			for i, name := range []string{"a", "b", "c", "d"} { // d was used last
				path := fill(t, dead, "lib/"+name, 10*kb)
				used := time.Now().Add(time.Duration(i-10) * time.Minute)
				if strings.Contains(test.live, name) {
					if _, ok := living.find("lib/" + name); !ok {
						t.Fatalf("%s is not there", name)
					}
				}
				if err := os.Chtimes(path, used, used); err != nil {
					t.Fatal(err)
				}
			}
			dead.close()
			dead.trim(time.Hour)
			if got := namesIn(t, filepath.Join(dir, "lib")); !slices.Equal(got, strings.Fields(test.want)) {
				t.Errorf("left are %q, want %q", got, test.want)
			}
			living.close()
			living.trim(-time.Hour) // as if hours had gone by without a use
			if got := namesIn(t, filepath.Join(dir, "lib")); len(got) > 0 {
				t.Errorf("nobody uses them, and left are %q", got)
			}
		})
	}
}

// TestTrimAtOnce: several kernels that make room make it once.
func TestTrimAtOnce(t *testing.T) {
	for range 5 {
		dir := t.TempDir()
		c := newCache(dir, "", 50_000)
		for i := range 20 {
			fill(t, c, fmt.Sprintf("lib/%02d", i), 10_000)
		}
		c.close()
		var kernels sync.WaitGroup
		for range 8 {
			kernels.Go(func() { c.trim(cacheUnused) })
		}
		kernels.Wait()
		if got := namesIn(t, filepath.Join(dir, "lib")); len(got) != 4 { // with its checksums, each has a little more
			t.Errorf("left are %q", got)
		}
	}
}

// TestTrimLeavesOthers: what is being built is no rubbish, and the rest of a kernel
// that was killed is, after a day.
func TestTrimLeavesOthers(t *testing.T) {
	dir := t.TempDir()
	c := newCache(dir, "", 1)
	day := time.Now().Add(-25 * time.Hour)
	for name, used := range map[string]time.Time{"tmp-1": time.Now(), "tmp-2": day, "half": day} {
		path := filepath.Join(dir, "worker", name)
		if err := errors.Join(os.MkdirAll(path, 0o777), os.WriteFile(filepath.Join(path, "file"), make([]byte, 99), 0o666), os.Chtimes(path, used, used)); err != nil {
			t.Fatal(err)
		}
	}
	c.trim(cacheUnused)
	if got := namesIn(t, filepath.Join(dir, "worker")); !slices.Equal(got, []string{"tmp-1"}) {
		t.Errorf("left are %q", got)
	}
}

// TestCacheOfMany has several kernels build, use and remove the same at once, in a
// cache where nothing fits.
func TestCacheOfMany(t *testing.T) {
	dir := t.TempDir()
	var kernels sync.WaitGroup
	for range 4 {
		kernels.Go(func() {
			for range 12 {
				c := newCache(dir, "", 1)
				for _, name := range []string{"lib/a", "lib/b"} {
					there := fill(t, c, name, 1000)
					c.trim(cacheUnused)
					if err := checkSums(there); err != nil {
						t.Errorf("%s is in use, and %v", name, err)
						return
					}
				}
				c.close()
				c.trim(cacheUnused)
			}
		})
	}
	kernels.Wait()
	newCache(dir, "", 1).trim(cacheUnused)
	if left := namesIn(t, filepath.Join(dir, "lib")); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}

// TestCacheOfKilled: what a kernel has used that was killed can be removed.
func TestCacheOfKilled(t *testing.T) {
	const folder = "NNKIT_CACHE_TO_HOLD"
	if dir := os.Getenv(folder); dir != "" {
		fill(t, newCache(dir, "", 1), "lib/a", 10)
		_, _ = os.Stdout.WriteString("held\n")
		select {}
	}
	dir := t.TempDir()
	kernel := exec.Command(os.Args[0], "-test.run=TestCacheOfKilled$")
	kernel.Env = append(os.Environ(), folder+"="+dir)
	out, err := kernel.StdoutPipe()
	if err := errors.Join(err, kernel.Start()); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	c := newCache(dir, "", 1)
	c.trim(cacheUnused)
	if err := checkSums(filepath.Join(dir, "lib", "a")); err != nil {
		t.Errorf("while the kernel lives: %v", err)
	}
	if err := kernel.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = kernel.Wait() // it was killed
	c.trim(cacheUnused)
	if err := checkSums(filepath.Join(dir, "lib", "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("when it was killed: %v", err)
	}
}

// TestSharedCache: what others have built is used from where it is, and nothing is
// written there.
func TestSharedCache(t *testing.T) {
	shared, own := t.TempDir(), filepath.Join(t.TempDir(), "own")
	theirs := newCache(shared, "", DefaultCacheSize)
	there := fill(t, theirs, "lib/a", 10)
	theirs.writeJSON("packages/k.json", []int{1})
	theirs.close()

	c := newCache(own, shared, DefaultCacheSize)
	defer c.close()
	dir, err := c.get(t.Context(), "lib/a", nil, func(string) error { return errors.New("it is there") })
	if err != nil || dir != there {
		t.Errorf("%s, %v; want %s", dir, err, there)
	}
	var v []int
	if !c.readJSON("packages/k.json", &v) || !slices.Equal(v, []int{1}) {
		t.Errorf("read %v", v)
	}
	c.writeJSON("packages/k.json", []int{2})
	if !c.readJSON("packages/k.json", &v) || !slices.Equal(v, []int{2}) {
		t.Errorf("read %v, which is the shared one", v)
	}
	if dir := fill(t, c, "lib/b", 10); dir != filepath.Join(own, "lib", "b") {
		t.Errorf("%s", dir)
	}
	// What is damaged there is made again here.
	if err := os.Truncate(filepath.Join(there, "file"), 1); err != nil {
		t.Fatal(err)
	}
	if dir := fill(t, c, "lib/a", 10); dir != filepath.Join(own, "lib", "a") {
		t.Errorf("%s", dir)
	}
	if got := namesIn(t, filepath.Join(shared, "lib")); !slices.Equal(got, []string{"a"}) {
		t.Errorf("in the shared cache are %q", got)
	}
	if info, err := os.Stat(own); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the own cache: %v, %v", info.Mode(), err)
	}
}

func TestCheckShared(t *testing.T) {
	dir := t.TempDir()
	lib := filepath.Join(dir, "lib")
	if err := errors.Join(os.Mkdir(lib, 0o755), CheckShared(dir)); err != nil {
		t.Fatal(err)
	}
	wants := func(dir, want string) {
		t.Helper()
		if err := CheckShared(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	wants(filepath.Join(dir, "none"), "no such file")
	if err := os.Chmod(lib, 0o777); err != nil {
		t.Fatal(err)
	}
	wants(dir, "can be written by others")
}

// TestCacheWaits: who waits for another kernel is told, and can give up.
func TestCacheWaits(t *testing.T) {
	dir := t.TempDir()
	building, goOn, told := make(chan bool), make(chan bool), make(chan string, 1)
	var other sync.WaitGroup
	other.Go(func() {
		_, err := newCache(dir, "", 1).get(context.Background(), "lib/a", nil, func(string) error {
			building <- true
			<-goOn
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-building
	ctx, cancel := context.WithCancel(t.Context())
	_, err := newCache(dir, "", 1).get(ctx, "lib/a", func(what string) { told <- what; cancel() }, func(string) error { return nil })
	if what := <-told; !strings.Contains(what, "waiting for another kernel") || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", what, err)
	}
	close(goOn)
	other.Wait()
}
