package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Library is a shared library for the worker to load.
type Library struct {
	File string
	// Itabs are the offsets of the words that point to method tables. The worker
	// makes them point to the tables that are in use already for the same types.
	Itabs []uint64
	// Entry is the symbol of a cell's entry function, "" for packages alone.
	Entry string
}

// library is a library of packages, in the cache.
type library struct {
	key   string
	dir   string
	meta  libraryMeta
	image *image
	// others are its packages that do not belong to the standard library, see outside.
	others []string
}

// libraryMeta is what is written beside a library.
type libraryMeta struct {
	File     string // its base name
	Packages []packageMeta
	Itabs    []uint64
}

type packageMeta struct{ Path, Hash string }

// export is the file with the export data of the library's i-th package. It is
// kept with the library, since the go command removes from its cache what it
// has not used for days.
func (l *library) export(i int) string {
	return filepath.Join(l.dir, "export", strconv.Itoa(i)+".x")
}

func (l *library) file() string { return filepath.Join(l.dir, l.meta.File) }

// otherName is what a library but the first is called.
const otherName = "packages.so"

// makeLibrary returns the library that holds the packages, from the cache or
// built: with the first one the runtime comes, later ones refer to those before.
func (b *Builder) makeLibrary(ctx context.Context, pkgs []*goListed) (*library, error) {
	parts := []string{"library 2", b.tools.id()}
	for _, l := range b.libraries {
		parts = append(parts, l.key)
	}
	for _, p := range pkgs {
		parts = append(parts, p.Path, p.hash())
	}
	l := &library{key: hashOf(parts...)}
	l.dir = filepath.Join(b.config.CacheDir, "lib", l.key)
	err := b.cached(ctx, l.dir, func(dir string) error { return b.linkLibrary(ctx, dir, pkgs) })
	if err != nil {
		return nil, err
	}
	meta, err := os.ReadFile(filepath.Join(l.dir, "meta.json"))
	if err == nil {
		err = json.Unmarshal(meta, &l.meta)
	}
	if err == nil {
		l.image, err = openImage(l.file())
	}
	if err != nil {
		_ = os.RemoveAll(l.dir) // whatever it is, the next try makes it anew
		return nil, fmt.Errorf("library in the cache: %w", err)
	}
	return l, nil
}

// cached sees to it that a directory of the cache is there. If it is not, make
// fills another one, which is then renamed: nobody sees half of it. A lock keeps
// kernels that start at once from doing the same work.
func (b *Builder) cached(ctx context.Context, dir string, make func(dir string) error) error {
	damaged := ""
	there := func() bool {
		if err := checkSums(dir); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				damaged = err.Error()
			}
			return false
		}
		now := time.Now() // in use: keep it (see trim)
		return os.Chtimes(dir, now, now) == nil
	}
	if there() {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	waiting := func() { b.progress("waiting for another kernel that builds the same") }
	if ctx == b.life { // nobody waits
		waiting = func() {}
	}
	unlock, err := lockFile(ctx, dir+".lock", waiting)
	if err != nil {
		return err
	}
	defer unlock()
	if there() {
		return nil
	}
	if damaged != "" && ctx != b.life {
		b.progress("building again what is damaged in the cache (" + damaged + ")")
	}
	tmp, err := os.MkdirTemp(parent, "tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := errors.Join(make(tmp), writeSums(tmp)); err != nil {
		return err
	}
	// What is damaged makes way in one step: another kernel may be using the rest.
	if err := os.Rename(dir, tmp+damagedSuffix); err == nil {
		defer os.RemoveAll(tmp + damagedSuffix)
	}
	return os.Rename(tmp, dir)
}

const damagedSuffix = "-damaged"

// lockFile waits for the lock on a file. The system drops the lock of a process
// that dies.
func lockFile(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
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

// linkLibrary builds a library in a directory.
func (b *Builder) linkLibrary(ctx context.Context, dir string, pkgs []*goListed) error {
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o777); err != nil {
		return err
	}
	var config strings.Builder
	var roots []string
	var refs []reference
	for i, p := range pkgs {
		if _, err := os.Stat(p.Export); err != nil {
			return err
		}
		archive := p.Export
		if len(b.libraries) > 0 {
			r, methods, err := readArchive(archive)
			if err != nil {
				return err
			}
			refs = append(refs, r...)
			changed := filepath.Join(work, strconv.Itoa(i)+".a")
			if ok, err := b.index.dropMethods(changed, archive, methods); err != nil {
				return err
			} else if ok {
				archive = changed
			}
		}
		fmt.Fprintf(&config, "packagefile %s=%s\n", p.Path, archive)
		roots = append(roots, p.Path+"="+archive)
	}
	if len(b.libraries) > 0 {
		stub := filepath.Join(work, stubName)
		if err := b.index.writeStub(stub, refs); err != nil {
			return err
		}
		b.shlibConfig(&config, stub)
	}
	cfg := filepath.Join(work, "importcfg")
	if err := os.WriteFile(cfg, []byte(config.String()), 0o666); err != nil {
		return err
	}
	b.progress(linkProgress(pkgs, len(b.libraries) == 0))
	// The paths that the linker hands to the C compiler are relative: they are
	// read back from what it prints.
	meta := libraryMeta{File: stubName}
	if len(b.libraries) > 0 {
		meta.File = otherName
	}
	args := append(append(linkFlags(), "-o", meta.File, "-tmpdir=work", "-importcfg", cfg), roots...)
	out, err := b.tools.command(ctx, dir, "link", args...).CombinedOutput()
	if wantsBasic(out) {
		basic, more, e := b.basic(ctx)
		if e == nil {
			e = b.index.writeStub(filepath.Join(work, stubName), append(refs, more...))
		}
		if e != nil {
			return e
		}
		out, err = b.tools.command(ctx, dir, "link", append(args, "basic="+basic)...).CombinedOutput()
	}
	command, err := hostCommand(ctx, dir, out, err)
	if err != nil {
		return err
	}
	cc := b.tools.command(ctx, dir, "link")
	cc.Path, cc.Args = b.tools.cc[0], append(append(b.tools.cc[:len(b.tools.cc):len(b.tools.cc)], command...), "-Wl,-z,norelro")
	if cc.Path, err = lookPath(cc.Path); err != nil {
		return err
	}
	if out, err := cc.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", b.tools.cc[0], err, out)
	}
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	if meta.Itabs, err = itabWords(filepath.Join(dir, meta.File)); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "export"), 0o777); err != nil {
		return err
	}
	l := &library{dir: dir}
	for i, p := range pkgs {
		meta.Packages = append(meta.Packages, packageMeta{p.Path, p.hash()})
		if err := copyExport(l.export(i), p.Export); err != nil {
			return fmt.Errorf("export data of %s: %w", p.Path, err)
		}
	}
	data, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "meta.json"), data, 0o666)
}

func linkProgress(pkgs []*goListed, first bool) string {
	if first {
		return "linking the Go runtime and the usual packages (once)"
	}
	var paths []string
	for i := len(pkgs) - 1; i >= 0 && len(paths) < 3; i-- { // what was asked for comes last
		paths = append(paths, pkgs[i].Path)
	}
	if len(paths) < len(pkgs) {
		paths = append(paths, fmt.Sprintf("and %d more", len(pkgs)-len(paths)))
	}
	return "linking " + strings.Join(paths, ", ") + " (once)"
}

// copyExport copies the part of an archive that holds the export data, which is
// its first member.
func copyExport(to, archive string) error {
	const magic, headerSize = "!<arch>\n", 60
	from, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer from.Close()
	head := make([]byte, len(magic)+headerSize)
	if _, err := io.ReadFull(from, head); err != nil {
		return err
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(head[len(magic)+48:len(magic)+58])), 10, 64)
	if err != nil || !bytes.HasPrefix(head, []byte(magic+"__.PKGDEF ")) {
		return fmt.Errorf("%s does not begin with export data", archive)
	}
	size += size & 1
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = f.Write(head)
	if err == nil {
		_, err = io.CopyN(f, from, size)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// linkFlags are the flags of every link of a library.
func linkFlags() []string {
	return []string{"-buildmode=shared", "-linkshared", "-installsuffix", "dynlink", "-s", "-w", "-buildid=", "-extld=" + noLinker}
}

// noLinker makes the Go linker stop when it has laid out the object: the program
// that it would run does not exist. It prints the command line, of which
// hostCommand returns the arguments, for use in dir.
const noLinker = "/nonexistent/ld"

func hostCommand(ctx context.Context, dir string, output []byte, err error) ([]string, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("link: %w", ctx.Err())
	}
	if err != nil && len(bytes.TrimSpace(output)) == 0 {
		return nil, toolKilled("the linker", err)
	}
	i := bytes.Index(output, []byte("running "+noLinker+" failed"))
	if i < 0 || err == nil {
		return nil, fmt.Errorf("link: %w\n%s", err, bytes.TrimSpace(output))
	}
	_, rest, _ := strings.Cut(string(output[i:]), "\n")
	line, _, _ := strings.Cut(rest, "\n")
	line = strings.ReplaceAll(line, dir+string(filepath.Separator), "./") // dir may have spaces in it
	var args []string
	for _, a := range strings.Fields(line)[1:] {
		// No libraries that stand for the loaded ones: what is undefined is found
		// when the library is loaded.
		if a != "-l"+strings.TrimSuffix(strings.TrimPrefix(stubName, "lib"), ".so") && a != "-Wl,-z,relro" &&
			!strings.HasPrefix(a, "-Wl,-rpath=") {
			args = append(args, a)
		}
	}
	return args, nil
}

// shlibConfig writes for the linker that all loaded packages are in the stub.
func (b *Builder) shlibConfig(w io.Writer, stub string) {
	for _, l := range b.libraries {
		for _, p := range l.meta.Packages {
			fmt.Fprintf(w, "packageshlib %s=%s\n", p.Path, stub)
		}
	}
}

// trim removes what no session has used for a while.
func trim(cacheDir string, unused time.Duration) {
	for _, kind := range []string{"lib", "worker", "packages"} {
		dir := filepath.Join(cacheDir, kind)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) || err == nil && time.Since(info.ModTime()) < unused {
				continue
			}
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}
