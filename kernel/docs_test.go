package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the commands print into docs/experiments.md")

// differing is what a command prints differently every time, on other machines, or when
// something else is improved: a loss in its last digits, the number of modules.
var differing = regexp.MustCompile(`\d+\.\d+ s|\d\.\d{3,}|\d+ modules|kernel \d[\d.]*|\[ *\d+/\d+\]|go1\.[\d.]+|        .* \(once.*\)\n`)

// TestDocs runs the commands of docs/experiments.md, which print what stands there. The
// order of lines does not matter, since runs go on side by side.
func TestDocs(t *testing.T) {
	const page = "../docs/experiments.md"
	text := read(t, page)
	// Within the clone, where the program finds the sources for cells.
	if err := os.MkdirAll("../test-output", 0o777); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("../test-output", "docs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	_, source, _ := strings.Cut(text, "```go\n")
	source, _, _ = strings.Cut(source, "```\n")
	if err := os.WriteFile(filepath.Join(dir, "rate.go"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(command string) string {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+string(filepath.ListSeparator)+os.Getenv("PATH"))
		out, _ := cmd.CombinedOutput() // some are to fail
		return string(out)
	}
	same := func(a, b string) bool {
		normal := func(s string) []string {
			lines := strings.Split(strings.TrimSpace(differing.ReplaceAllString(s, "")), "\n")
			for i := range lines {
				lines[i] = strings.TrimSpace(lines[i])
			}
			slices.Sort(lines)
			return lines
		}
		return slices.Equal(normal(a), normal(b))
	}
	parts := strings.Split(text, "```console\n")
	for i, part := range parts[1:] {
		block, rest, _ := strings.Cut(part, "```\n")
		var made strings.Builder
		for entry := range strings.SplitSeq("\n"+block, "\n$ ") {
			command, want, _ := strings.Cut(entry, "\n")
			if command == "" {
				continue
			}
			got := run(command)
			if !*update && !same(got, want) {
				t.Errorf("%s prints\n%s\nand in the page\n%s", command, got, want)
			}
			made.WriteString("$ " + command + "\n" + got)
		}
		parts[i+1] = made.String() + "```\n" + rest
	}
	if *update {
		if err := os.WriteFile(page, []byte(strings.Join(parts, "```console\n")), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
