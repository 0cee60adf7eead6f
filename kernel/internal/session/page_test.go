package session

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page for those who know GoNB names commands that there are.
func TestPageForGoNB(t *testing.T) {
	text, err := os.ReadFile("../../../docs/gonb.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([%!][%!*\\w]*)")
	seen := 0
	for line := range strings.Lines(string(text)) {
		if columns := strings.Split(line, " | "); strings.HasPrefix(line, "|") && len(columns) > 1 {
			line = columns[1] // what is here
			if strings.HasPrefix(line, "the same") {
				line = columns[0]
			}
		}
		for _, m := range named.FindAllStringSubmatch(line, -1) {
			seen++
			name := m[1]
			if name[0] == '!' {
				name = strings.TrimRight(name, "abcdefghijklmnopqrstuvwxyz") // a command of the shell
			}
			if !slices.ContainsFunc(commands, func(c command) bool { return slices.Contains(c.names, name) }) {
				t.Errorf("there is no command %s", name)
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d commands were found in the page", seen)
	}
}
