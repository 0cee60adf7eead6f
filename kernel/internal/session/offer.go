package session

import (
	"context"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/complete"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// An offer tells what an argument of a command can become.
type offer func(s *Session, ctx context.Context, prefix string) []complete.Item

// completeCommand tells what can be typed at the end of a command. The text ends
// there.
func (s *Session) completeCommand(ctx context.Context, c cell.Command, text string) complete.Completion {
	written := text[c.Start:]
	if c.Body != "" || strings.Contains(written, "\n") && strings.HasPrefix(c.Name, "%%") { // lines of a script
		return s.lastWord(ctx, text, offerFiles)
	}
	if strings.HasPrefix(written, "%") && !strings.ContainsAny(written, " \t") {
		return complete.Completion{Start: c.Start, End: len(text), Items: commandNames(written)}
	}
	if rest := strings.TrimLeft(written, "? "); rest != written { // what is asked about is a command or Go
		start := len(text) - len(rest)
		if strings.HasPrefix(rest, "%") {
			return complete.Completion{Start: start, End: len(text), Items: commandNames(rest)}
		}
		found := s.typing.completer.Complete(ctx, s.typing.view.Load(), rest, len(rest))
		found.Start, found.End = found.Start+start, found.End+start
		return found
	}
	m := lookUp(c.Name)
	if m == nil || m.offers == nil {
		return complete.Completion{Start: len(text), End: len(text)}
	}
	return s.lastWord(ctx, text, m.offers)
}

// commandNames offers the commands that begin with a text.
func commandNames(prefix string) []complete.Item {
	var items []complete.Item
	for _, m := range commands {
		for _, n := range m.names {
			if strings.HasPrefix(n, prefix) {
				items = append(items, complete.Item{Text: n, Type: "magic", Signature: m.usage, Doc: m.help})
			}
		}
	}
	slices.SortFunc(items, func(a, b complete.Item) int { return strings.Compare(a.Text, b.Text) })
	return items
}

// lastWord completes the last word of a text.
func (s *Session) lastWord(ctx context.Context, text string, o offer) complete.Completion {
	start := 1 + strings.LastIndexAny(text, " \t\n'\"=;|&<>!?*")
	return complete.Completion{Start: start, End: len(text), Items: o(s, ctx, text[start:])}
}

func offerFiles(s *Session, _ context.Context, prefix string) []complete.Item {
	return s.paths(prefix, false)
}

func offerDirectories(s *Session, _ context.Context, prefix string) []complete.Item {
	return s.paths(prefix, true)
}

// offerDeclared offers the notebook's names.
func offerDeclared(s *Session, _ context.Context, prefix string) []complete.Item {
	return named(prefix, "instance", s.typing.view.Load().Names())
}

// offerVariables offers the variables of the environment.
func offerVariables(s *Session, _ context.Context, prefix string) []complete.Item {
	var names []string
	for _, set := range append(os.Environ(), s.typing.settings.Load().environ()...) {
		name, _, _ := strings.Cut(set, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	return named(prefix, "instance", slices.Compact(names))
}

// offerPackages offers import paths.
func offerPackages(s *Session, ctx context.Context, prefix string) []complete.Item {
	var paths []string
	for _, p := range s.builder.Known(ctx) {
		if strings.Contains(p.Path, ".") { // the standard library has no module
			paths = append(paths, p.Path)
		}
	}
	slices.Sort(paths)
	return named(prefix, "module", paths)
}

// offerPrograms offers programs of the PATH, and files.
func offerPrograms(s *Session, ctx context.Context, prefix string) []complete.Item {
	if prefix == "" || strings.ContainsAny(prefix, "/.~$") {
		return s.paths(prefix, false)
	}
	var names []string
	for _, dir := range filepath.SplitList(s.typing.settings.Load().getenv("PATH")) {
		entries, _ := os.ReadDir(dir) // some are not there
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), prefix) {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return append(s.paths(prefix, false), named(prefix, "function", slices.Compact(names))...)
}

// named makes items of the names that begin with a prefix.
func named(prefix, kind string, names []string) []complete.Item {
	var items []complete.Item
	for _, n := range names {
		if strings.HasPrefix(n, prefix) {
			items = append(items, complete.Item{Text: n, Type: kind})
		}
	}
	return items
}

// maxPaths is how many files are offered at once.
const maxPaths = 1000

// paths offers the files whose names begin with a prefix, or the directories alone.
// What ~ and $NAME stand for stays as it is written.
func (s *Session) paths(prefix string, directories bool) []complete.Item {
	cut := strings.LastIndexByte(prefix, '/') + 1
	if cut == 0 && strings.HasPrefix(prefix, "~") {
		return []complete.Item{{Text: "~/", Type: "path"}}
	}
	entries, err := os.ReadDir(s.typing.settings.Load().path(prefix[:cut]))
	if err != nil {
		return nil
	}
	var items []complete.Item
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, prefix[cut:]) || name[0] == '.' && !strings.HasPrefix(prefix[cut:], ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(s.typing.settings.Load().path(prefix[:cut]), name)) // where a link leads
		isDir := err == nil && info.IsDir()
		if directories && !isDir {
			continue
		}
		if isDir {
			name += "/"
		}
		if items = append(items, complete.Item{Text: prefix[:cut] + name, Type: "path"}); len(items) == maxPaths {
			break
		}
	}
	return items
}

// describeCommand tells what a command does, or nil if there is none.
func describeCommand(name string) message.MIMEBundle {
	c := lookUp(name)
	if c == nil {
		return nil
	}
	form := strings.TrimSpace(strings.Join(c.names, ", ") + " " + c.usage)
	return message.MIMEBundle{
		"text/plain": form + "\n\n" + c.help,
		"text/html":  fmt.Sprintf("<pre><code>%s</code></pre>\n<p>%s</p>\n", html.EscapeString(form), html.EscapeString(c.help)),
	}
}
