package cell

import (
	"go/build/constraint"
	"strings"
)

// Constraint returns the //go:build line among the comments at the top of a cell,
// and its offset. Without one the line is "".
func Constraint(src string) (line string, offset int) {
	for text := range strings.Lines(src) {
		line := strings.TrimSpace(text)
		if line != "" && !strings.HasPrefix(line, "//") {
			break
		}
		if constraint.IsGoBuild(line) {
			return line, offset + strings.Index(text, line)
		}
		offset += len(text)
	}
	return "", 0
}
