package notebook

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what the code does into testdata")

// eachCase runs a test for every testdata/dir/*.txtar. The test returns the
// files that it makes of the case; those must be in the case as they are.
func eachCase(t *testing.T, dir string, run func(t *testing.T, files map[string][]byte) []txtar.File) {
	names, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := make(map[string][]byte)
			for _, f := range ar.Files {
				files[f.Name] = f.Data
			}
			got := run(t, files)
			if *update {
				made := make(map[string]bool)
				for _, f := range got {
					made[f.Name] = true
				}
				kept := ar.Files[:0]
				for _, f := range ar.Files {
					if !made[f.Name] && !strings.HasPrefix(f.Name, "want") {
						kept = append(kept, f)
					}
				}
				ar.Files = append(kept, got...)
				if err := os.WriteFile(name, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, f := range got {
				if want := files[f.Name]; !bytes.Equal(f.Data, want) {
					t.Errorf("%s is\n%s\nwant\n%s", f.Name, f.Data, want)
				}
			}
		})
	}
}
