package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
)

var moduleCommands = []command{
	{names: []string{"%get"}, usage: "PACKAGE[@VERSION]…", help: "add modules to the session, as go get does; the notebook's own go.mod stays as it is", early: true, offers: offerPackages, run: (*call).get},
	{names: []string{"%track"}, usage: "[DIR]", help: "use the module in a directory as it is there, edited or not; or list those in use", early: true, offers: offerDirectories, run: (*call).track},
	{names: []string{"%untrack"}, usage: "DIR", help: "use it no longer", early: true, offers: offerDirectories, run: (*call).untrack},
	{names: []string{"%lock"}, usage: "[DATA_FILE…]", help: "store in the notebook's file what it rests on, so that it runs again elsewhere: versions, checksums of modules and data, seeds, parameters", offers: offerFiles, run: (*call).lock},
	{names: []string{"%goworkfix"}, help: "nothing, here: go.work holds without it", early: true, run: func(*call) error { return nil }},
}

func (c *call) get() error {
	if len(c.args) == 0 {
		return errUsage
	}
	return c.changeModules(func() (string, error) { return c.goGet(c.args) })
}

// goGet runs go get on the session's module, and returns what it has changed, a line
// for each module.
func (c *call) goGet(args []string) (changes string, err error) {
	var said bytes.Buffer
	args = c.module.keep(args)
	err = c.runProgramTo(c.module.dir, nil, io.Discard, &said, "env", append([]string{"GOWORK=off", "go", "get"}, args...)...)
	var complaints strings.Builder
	for line := range strings.Lines(said.String()) {
		switch {
		case strings.HasPrefix(line, "go: downloading"):
		case goChange.MatchString(line):
			changes += line
		default:
			complaints.WriteString(line)
		}
	}
	switch {
	case err == nil:
		err = c.module.require(args)
	case complaints.Len() > 0:
		err = errors.New(strings.TrimSpace(complaints.String()))
	}
	return changes, err
}

// goList has the go command write into the session's go.mod what packages need of
// modules that others require already, in the versions that these ask for.
func (c *call) goList(paths []string) error {
	var said bytes.Buffer
	err := c.runProgramTo(c.module.dir, nil, io.Discard, &said, "env", append([]string{"GOWORK=off", "go", "list", "-mod=mod", "-deps"}, paths...)...)
	if err != nil {
		return errors.New(strings.TrimSpace(said.String()))
	}
	return c.module.require(paths)
}

var goChange = regexp.MustCompile(`^go: (added|upgraded|downgraded|removed) `)

// changeModules lets change write to the session's module, and prints what it says
// of that. If it would change a package that is loaded, it is undone.
func (e *execution) changeModules(change func() (string, error)) error {
	before := e.module.state()
	said, err := change()
	if maps.Equal(before.files, e.module.state().files) {
		return err
	}
	changed, broken := e.builder.Changed(e.ctx)
	gone := brokenPaths(broken)
	if broken != nil && gone == nil {
		return errors.Join(err, broken, e.module.restore(before))
	}
	if changed = append(changed, gone...); len(changed) > 0 {
		err = errors.Join(err, fmt.Errorf("%s would change, and a process keeps what it has loaded: go.mod is as before; %%restart begins a fresh process, where variables are lost, and the command can be repeated", some(changed)))
		return errors.Join(err, e.module.restore(before))
	}
	e.types.forget()
	if said != "" {
		e.outlet.Stream("stdout", said)
	}
	return err
}

// some lists a few of many names.
func some(names []string) string {
	const shown = 4
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// moduleShell is a command in the directory of the session's module.
func (c *call) moduleShell() error {
	return c.changeModules(func() (string, error) { return "", c.shell(c.module.dir) })
}

// noModule is how the go command says that a package comes from no module yet.
var noModule = regexp.MustCompile(`(?:no required module provides package|missing go\.sum entry for module providing package|cannot find module providing package) ([^\s;:]+)`)

// fetch finds the packages that a cell imports, and gets the modules of those that
// no module provides. What cannot be found Import tells.
func (s *Session) fetch(types *packages, paths []string) {
	err := types.fetch(paths...)
	if err == nil || s.current == nil || s.settings.noGet {
		return
	}
	var missing []string
	for _, m := range noModule.FindAllStringSubmatch(err.Error(), -1) {
		if !slices.Contains(missing, m[1]) {
			missing = append(missing, m[1])
		}
	}
	c := &call{execution: s.current}
	get := func() (string, error) { return c.goGet(missing) }
	if missing == nil {
		if !strings.Contains(err.Error(), "updates to go.mod needed") {
			return
		}
		get = func() (string, error) { return "", c.goList(paths) }
	}
	err = c.changeModules(get)
	if err != nil && len(missing) > 1 { // one that is not to be had keeps the others away
		err = nil
		for _, m := range missing {
			err = errors.Join(err, c.changeModules(func() (string, error) { return c.goGet([]string{m}) }))
		}
	}
	if err != nil {
		c.outlet.Stream("stderr", err.Error()+"\n")
	}
	_ = types.fetch(paths...)
}

// A staleError says that the cell uses packages which are not any more what the
// worker has loaded.
type staleError struct {
	paths []string
	lost  []string // variables that a fresh worker would not have
}

func (e *staleError) Error() string {
	return fmt.Sprintf("%s changed after it was loaded, and a process keeps what it has loaded: %%restart %s begins a fresh one with the new code, functions and types, and the values of %s as far as they fit it; %%restart, one without them",
		some(e.paths), keepFlag, some(e.lost))
}

// A goneError says that the cache was removed under a worker that has values.
type goneError struct {
	cache string
	lost  []string // the values
}

func (e *goneError) Error() string {
	return fmt.Sprintf("%s was removed while the kernel ran, and nothing new can be compiled without it: %%restart builds it again and begins a fresh process; functions and types stay known, the values of %s are lost. Cells that have run still do as they are, one that saves something too",
		e.cache, some(e.lost))
}

// valued lists the variables that have a value.
func (s *Session) valued() []string {
	var names []string
	for _, d := range s.program.Declarations() {
		if d.Kind == "var" && d.Lost == "" {
			names = append(names, d.Name)
		}
	}
	return names
}

// checkLoaded sees to it that a cell which imports the given packages is not run
// with old code of theirs. It tells whether a fresh worker is needed for that, and
// nothing is lost with the one that is there.
func (e *execution) checkLoaded(imports []string) (fresh bool, err error) {
	changed, broken := e.builder.Changed(e.ctx)
	changed = append(changed, brokenPaths(broken)...)
	if len(changed) == 0 {
		if broken == nil {
			e.checked = e.builder.Stamp()
		}
		return false, broken
	}
	if !e.builder.Reaches(imports, changed) {
		return false, nil
	}
	stale := &staleError{paths: changed, lost: e.valued()}
	if broken != nil {
		return false, errors.New(e.readable(broken.Error()))
	}
	if stale.lost != nil {
		return false, stale
	}
	e.outlet.Stream("stderr", some(changed)+" changed: loaded anew into a fresh process\n")
	return true, nil
}

// brokenPaths are the packages that do not compile.
func brokenPaths(err error) []string {
	var paths []string
	switch err := err.(type) {
	case *build.PackageError:
		paths = append(paths, err.Path)
	case interface{ Unwrap() []error }:
		for _, e := range err.Unwrap() {
			paths = append(paths, brokenPaths(e)...)
		}
	}
	return paths
}

var (
	goGetHint   = regexp.MustCompile(`; to add(?: it)?:\n\tgo get (\S+)`)
	packageLine = regexp.MustCompile(`(?m)^# .*\n`)
	filePlace   = regexp.MustCompile(`(?m)^\S+\.go:`)
)

// readable makes what the go command says in the session's module fit for a
// person who works in the notebook's directory.
func (s *Session) readable(text string) string {
	text = goGetHint.ReplaceAllString(text, "; %get $1 fetches it")
	text = packageLine.ReplaceAllString(text, "")
	return filePlace.ReplaceAllStringFunc(text, func(file string) string {
		if !filepath.IsAbs(file) {
			file = filepath.Join(s.dir, file)
		}
		return strings.TrimPrefix(file, s.settings.dir+string(filepath.Separator))
	})
}
