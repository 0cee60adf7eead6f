package session

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// What a Go program says of its stack is text that the program or the runtime
// has printed: debug.Stack, runtime.Caller, package log, a fatal error. In it a
// cell is called by its number, what is generated gets its own name, and the
// machinery below the cell is left out.

var (
	// A place, as in a stack trace or in what runtime.Caller returns.
	tracePlace = regexp.MustCompile(`/cell/([0-9]+)\.go(?::([0-9]+)(?: \+0x[0-9a-f]+)?)?`)
	// The same without its folder, as log.Lshortfile gives it.
	shortPlace = regexp.MustCompile(`(^|[\s=])([0-9]+)\.go:([0-9]+)`)
	// The worker's own frames in a stack trace and in a profile.
	machinery = regexp.MustCompile(`(?m)^(?:created by )?` + ownPackages + `.*\n\t.*(?:\n|$)|^#\t0x[0-9a-f]+\t` + ownPackages + `.*(?:\n|$)`)
)

const ownPackages = `github\.com/seed5607215b/nnkit/kernel/(?:worker|internal)[./]`

// clean takes generated names and files out of a text.
func (o *outlet) clean(text string) string {
	if strings.Contains(text, modulePath+"/kernel/") {
		text = machinery.ReplaceAllString(text, "")
	}
	text = program.Unversioned(text)
	if !strings.Contains(text, ".go") {
		return text
	}
	text = tracePlace.ReplaceAllStringFunc(text, func(place string) string {
		m := tracePlace.FindStringSubmatch(place)
		return o.label(m[1], m[2], place)
	})
	return shortPlace.ReplaceAllStringFunc(text, func(place string) string {
		m := shortPlace.FindStringSubmatch(place)
		return m[1] + o.label(m[2], m[3], strings.TrimPrefix(place, m[1]))
	})
}

// label is a place in a cell in words, or what is written there if there is no
// such cell.
func (o *outlet) label(id, line, written string) string {
	n, _ := strconv.Atoi(id)
	label, ok := o.labels.Load(n)
	switch {
	case !ok:
		return written
	case line == "":
		return fmt.Sprintf("Cell [%d]", label)
	default:
		return fmt.Sprintf("Cell [%d], line %s", label, line)
	}
}

// lastWords holds back what a program prints when it dies. To know whether it
// does, one has to wait: until its end is seen, the cell is over, or for patience.
type lastWords struct {
	mu      sync.Mutex
	inLine  bool // what came last has not ended its line
	held    strings.Builder
	timer   *time.Timer
	waiting bool // something is held
}

// patience is how long words that look like the last ones are held.
const patience = time.Second

// take returns what can be published of a text, and holds the rest. It calls
// late when that has waited long enough.
func (w *lastWords) take(text string, late func()) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting {
		w.held.WriteString(text)
		return ""
	}
	if at := dying(text, w.inLine); at >= 0 {
		w.waiting, w.inLine = true, false
		w.held.WriteString(text[at:])
		w.timer = time.AfterFunc(patience, late)
		return text[:at]
	}
	w.inLine = text != "" && !strings.HasSuffix(text, "\n")
	return text
}

// dying finds the line with which the runtime begins when it ends a program. It
// returns -1 where there is none.
func dying(text string, inLine bool) int {
	at := 0
	for {
		if !inLine && dyingLine.MatchString(text[at:]) {
			return at
		}
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			return -1
		}
		at, inLine = at+end+1, false
	}
}

var dyingLine = regexp.MustCompile(`^(?:panic: |fatal error: |runtime: |SIG[A-Z]+: |unexpected fault address )`)

// give returns what is held, and holds it no longer.
func (w *lastWords) give() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.waiting {
		return ""
	}
	w.timer.Stop()
	text := w.held.String()
	w.held.Reset()
	w.waiting, w.inLine = false, !strings.HasSuffix(text, "\n")
	return text
}

// keep holds what is held until give: the program has died.
func (w *lastWords) keep() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting {
		w.timer.Stop()
	}
}

// A crash is what the runtime has printed of a program's end.
type crash struct {
	reason     string
	goroutines []crashed
}

// crashed is one goroutine of a crash.
type crashed struct {
	text    string
	frames  []wire.Frame
	created wire.Frame // the go statement, in the function that it stands in
}

var (
	goroutineHead = regexp.MustCompile(`^(?:goroutine [0-9]+ .*|runtime stack):$`)
	frameFunction = regexp.MustCompile(`^(created by )?(\S.*?)(?:\([^()]*\)| in goroutine [0-9]+)?$`)
	framePlace    = regexp.MustCompile(`^\t(.*):([0-9]+)(?: \+0x.*)?$`)
	elided        = regexp.MustCompile(`^\.\.\.([0-9]+) frames elided\.\.\.$`)
)

// parseCrash takes the runtime's text apart.
func parseCrash(text string) crash {
	var c crash
	var head []string
	omitted, function := 0, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if goroutineHead.MatchString(line) {
			c.goroutines = append(c.goroutines, crashed{text: line + "\n"})
			continue
		}
		if len(c.goroutines) == 0 {
			head = append(head, line)
			continue
		}
		g := &c.goroutines[len(c.goroutines)-1]
		g.text += line + "\n"
		if m := elided.FindStringSubmatch(line); m != nil {
			omitted, _ = strconv.Atoi(m[1])
		} else if m := framePlace.FindStringSubmatch(line); m != nil && function != "" {
			f := wire.Frame{File: m[1], Omitted: omitted}
			f.Line, _ = strconv.Atoi(m[2])
			m := frameFunction.FindStringSubmatch(function)
			if f.Function = m[2]; f.Function == "panic" {
				f.Function = "runtime.gopanic"
			}
			if m[1] != "" {
				g.created = f
			} else {
				g.frames = append(g.frames, f)
			}
			omitted, function = 0, ""
		} else {
			function = line
			if !frameFunction.MatchString(line) {
				function = ""
			}
		}
	}
	c.reason = strings.TrimSpace(strings.Join(head, "\n"))
	return c
}

// culprit is the goroutine that the crash is about: the first one that has a cell
// on its stack. Its frames begin where the trouble came up.
func (c crash) culprit() (g crashed, ok bool) {
	for _, g := range c.goroutines {
		if !g.inCell() {
			continue
		}
		for i, f := range g.frames {
			if f.Function == "runtime.gopanic" {
				g.frames = g.frames[i+1:]
				break
			}
		}
		for len(g.frames) > 0 && isRuntime(g.frames[0].Function) {
			g.frames = g.frames[1:]
		}
		return g, true
	}
	return crashed{}, false
}

// told is the crash's reason, in the runtime's words.
func (c crash) told() string {
	var lines []string
	detail := ""
	for line := range strings.Lines(c.reason) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "fatal error: "); ok {
			return strings.TrimPrefix(rest, "runtime: ") + detail
		}
		if rest, ok := strings.CutPrefix(line, "runtime: "); ok && detail == "" {
			rest, _, _ = strings.Cut(strings.TrimPrefix(rest, "out of memory: "), " (") // how much is in use
			detail = " (" + rest + ")"
		}
		if line != "" && !strings.HasPrefix(line, "[signal ") && !strings.HasPrefix(line, "PC=") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// text is the crash as the runtime has printed it, without the goroutines that
// are the worker's own.
func (c crash) text() string {
	parts := []string{c.reason}
	for _, g := range c.goroutines {
		if g.inCell() {
			parts = append(parts, strings.TrimSpace(g.text))
		}
	}
	return strings.Join(parts, "\n\n")
}

// inCells counts the goroutines that a cell has to do with.
func (c crash) inCells() int {
	n := 0
	for _, g := range c.goroutines {
		if g.inCell() {
			n++
		}
	}
	return n
}

func (g crashed) inCell() bool {
	for _, f := range append(g.frames, g.created) {
		if strings.HasPrefix(f.File, "/cell/") {
			return true
		}
	}
	return false
}

// isRuntime tells of functions that nobody at a notebook has called.
func isRuntime(function string) bool {
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "internal/runtime/") || strings.HasPrefix(function, "runtime/internal/")
}
