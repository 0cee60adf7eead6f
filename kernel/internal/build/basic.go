package build

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// wantsBasic tells of a linker's output that it failed for a type which only
// package runtime declares: func(error) string. A method of that signature holds
// the type's offset in its own library, so that the library must declare it too.
func wantsBasic(output []byte) bool {
	return bytes.Contains(output, []byte("cannot target DYNIMPORT sym in section-relative reloc: type:"))
}

// basic returns an archive that declares the types which the compiler declares
// in package runtime alone, and what it refers to. A library that is linked with
// it has descriptors of its own for them, which the runtime takes for the same
// types, as it does with other types without a name. It is made when it is needed
// first, which is hardly ever.
func (b *Builder) basic(ctx context.Context) (archive string, refs []reference, err error) {
	dir := filepath.Join(b.tmp, "basic")
	archive = filepath.Join(dir, "basic.a")
	if _, err := os.Stat(archive); err != nil {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return "", nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "basic.go"), []byte("package runtime\n"), 0o666); err != nil {
			return "", nil, err
		}
		compile := b.tools.command(ctx, dir, "compile", "-dynlink", "-linkshared", "-pack", "-+", "-p", "runtime", "-o", "basic.a", "basic.go")
		if out, err := compile.CombinedOutput(); err != nil {
			return "", nil, fmt.Errorf("compile: %w\n%s", err, bytes.TrimSpace(out))
		}
	}
	refs, _, err = readArchive(archive)
	return archive, refs, err
}
