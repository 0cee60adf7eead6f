package build

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
	var err error
	l.dir, err = b.cached(ctx, filepath.Join("lib", l.key), func(dir string) error { return b.linkLibrary(ctx, dir, pkgs) })
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

// cached returns the directory of the cache with the given name, made where it is not
// there. The cache may have grown too large then.
func (b *Builder) cached(ctx context.Context, name string, make func(dir string) error) (string, error) {
	progress := b.progress
	if ctx == b.life { // nobody waits
		progress = nil
	}
	made := false
	dir, err := b.cache.get(ctx, name, progress, func(dir string) error {
		made = true
		return make(dir)
	})
	if made {
		b.background.Go(func() { b.cache.trim(cacheUnused) })
	}
	return dir, err
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
		return nil, &KilledError{"the linker", err}
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
