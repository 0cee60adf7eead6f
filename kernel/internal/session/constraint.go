package session

import (
	"fmt"
	"go/build"
	"go/build/constraint"
	"runtime"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// leftOut returns why a cell is not for this platform: a //go:build line at its
// top, "" if all is well.
func (s *Session) leftOut(source string) (string, error) {
	line, _ := cell.Constraint(source)
	if line == "" {
		return "", nil
	}
	expr, err := constraint.Parse(line)
	if err != nil {
		return "", fmt.Errorf("%s: %w", line, err)
	}
	if expr.Eval(s.hasTag) {
		return "", nil
	}
	return fmt.Sprintf("%s does not hold for %s/%s", line, runtime.GOOS, runtime.GOARCH), nil
}

// hasTag tells whether a build tag holds: of the platform, of Go's version, or of
// %goflags.
func (s *Session) hasTag(tag string) bool {
	context := build.Default
	for _, f := range append(strings.Fields(s.settings.getenv("GOFLAGS")), s.settings.flags...) {
		if tags, ok := strings.CutPrefix(strings.TrimLeft(f, "-"), "tags="); ok && slices.Contains(strings.Split(tags, ","), tag) {
			return true
		}
	}
	return tag == context.GOOS || tag == context.GOARCH || tag == "unix" || tag == context.Compiler || tag == "cgo" ||
		slices.Contains(context.ReleaseTags, tag) || slices.Contains(context.ToolTags, tag)
}
