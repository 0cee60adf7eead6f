package simd

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A notebook's cells link dynamically. Then R15 is the assembler's, for the table of global offsets, and an instruction
// that reads a symbol of another file destroys it without a warning; R14 is the goroutine's.
func TestAssemblyLinksDynamically(t *testing.T) {
	files, err := filepath.Glob("*_amd64.s")
	if err != nil || len(files) < 6 {
		t.Fatalf("there are %d files of assembly, %v", len(files), err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	forbidden := regexp.MustCompile(`(?m)^.*\b(R14|R15|CALL)\b.*$|^.*@GOT.*$`)
	for _, file := range files {
		cmd := exec.Command("go", "tool", "asm", "-p", "simd", "-dynlink", "-S",
			"-I", filepath.Join(strings.TrimSpace(string(root)), "pkg", "include"), "-o", filepath.Join(t.TempDir(), "o"), file)
		cmd.Env = append(cmd.Environ(), "GOARCH=amd64")
		listing, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", file, err, listing)
		}
		if !strings.Contains(string(listing), "RET") {
			t.Errorf("%s: the assembler lists nothing:\n%s", file, listing)
		}
		if found := forbidden.Find(listing); found != nil {
			t.Errorf("%s must not contain\n%s", file, found)
		}
	}
}
