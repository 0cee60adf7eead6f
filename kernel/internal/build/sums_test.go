package build

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSums(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(dir string) error
		want   string // what the error says
	}{
		{"whole", func(string) error { return nil }, ""},
		{"one more file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "lock"), nil, 0o666) }, ""},
		{"cut short", func(dir string) error { return os.Truncate(filepath.Join(dir, "a", "b"), 3) }, "a/b has 3 bytes and not 7"},
		{"zeros", func(dir string) error { return os.WriteFile(filepath.Join(dir, "c"), make([]byte, 5), 0o666) }, "c is not what was written"},
		{"missing", func(dir string) error { return os.Remove(filepath.Join(dir, "c")) }, "c is missing"},
		{"list of zeros", func(dir string) error { return os.WriteFile(filepath.Join(dir, sumsName), make([]byte, 5), 0o666) }, sumsName},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := checkSums(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("without a list: %v", err)
			}
			err := errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o777), os.WriteFile(filepath.Join(dir, "a", "b"), []byte("content"), 0o666),
				os.WriteFile(filepath.Join(dir, "c"), []byte("other"), 0o666), writeSums(dir), test.damage(dir))
			if err != nil {
				t.Fatal(err)
			}
			err = checkSums(dir)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func BenchmarkCheckSums(b *testing.B) {
	dir := b.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "library"), make([]byte, 50<<20), 0o666), writeSums(dir)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(50 << 20)
	for b.Loop() {
		if err := checkSums(dir); err != nil {
			b.Fatal(err)
		}
	}
}
