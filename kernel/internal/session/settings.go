package session

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// settings are what cells have changed around them. They outlive the worker.
type settings struct {
	dir   string            // that cells and their commands run in
	env   map[string]string // beside the kernel's own environment
	args  []string          // of the program
	flags []string          // of %goflags
	noGet bool              // missing modules are not fetched
}

// The environment that GoNB gives to cells and commands.
const (
	gonbDir    = "GONB_DIR"     // the working directory
	gonbTmpDir = "GONB_TMP_DIR" // the session's module
	gonbKernel = "GONB_JUPYTER_KERNEL_ID"
	gonbRoot   = "GONB_JUPYTER_ROOT" // where the Jupyter server was started
)

func newSettings(config Config, module string) settings {
	s := settings{dir: config.Dir, args: []string{}, env: map[string]string{gonbDir: config.Dir, gonbTmpDir: module}}
	if config.KernelID != "" {
		s.env[gonbKernel] = config.KernelID
	}
	if config.Server != nil {
		s.env[gonbRoot] = config.Server.Root
	}
	return s
}

// environ is env as package exec has it.
func (s *settings) environ() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		list = append(list, name+"="+s.env[name])
	}
	return list
}

// getenv is os.Getenv with what cells have set.
func (s *settings) getenv(name string) string {
	if value, ok := s.env[name]; ok {
		return value
	}
	return os.Getenv(name)
}

// path makes a file name of a command absolute, with ~ and $NAME replaced.
func (s *settings) path(name string) string {
	if rest, ok := strings.CutPrefix(name, "~"); ok && (rest == "" || rest[0] == '/') {
		name = s.getenv("HOME") + rest
	}
	name = os.Expand(name, s.getenv)
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.dir, name)
	}
	return filepath.Clean(name)
}

var settingCommands = []command{
	{names: []string{"%env"}, usage: "[NAME=VALUE | NAME VALUE | NAME]", help: "set a variable of the environment, for cells, commands and the compiler; or show it", offers: offerVariables, run: (*call).env},
	{names: []string{"%cd"}, usage: "[DIR]", help: "change the working directory of cells and commands, or show it", offers: offerDirectories, run: (*call).cd},
	{names: []string{"%goflags"}, usage: `[-tags=… -gcflags=… | ""]`, help: "set what the compiler gets beside its own flags, or show it", early: true, run: (*call).goflags},
	{names: []string{"%autoget"}, help: "fetch the modules of imports that are missing (so it is at first)", early: true, run: func(c *call) error { return c.setAutoget(true) }},
	{names: []string{"%noautoget"}, help: "do not fetch them", early: true, run: func(c *call) error { return c.setAutoget(false) }},
}

func (c *call) setAutoget(on bool) error {
	if len(c.args) > 0 {
		return errUsage
	}
	c.settings.noGet = !on
	return nil
}

func (c *call) env() error {
	if len(c.args) == 1 {
		name, value, ok := strings.Cut(c.args[0], "=")
		if !ok {
			c.print("%s=%q", name, c.settings.getenv(name))
			return nil
		}
		c.args = []string{name, value}
	}
	if len(c.args) != 2 || c.args[0] == "" || strings.ContainsAny(c.args[0], "=\x00") {
		return errUsage
	}
	name, value := c.args[0], os.Expand(c.args[1], c.settings.getenv)
	if err := c.setenv(c.ctx, name, value); err != nil {
		return err
	}
	c.print("%s=%q", name, value)
	return nil
}

// setenv sets a variable for the worker, the compiler and commands.
func (s *Session) setenv(ctx context.Context, name, value string) error {
	before := s.settings.env
	s.settings.env = maps.Clone(before)
	s.settings.env[name] = value
	if err := s.configureBuilder(); err != nil {
		s.settings.env = before
		return err
	}
	return s.runner.configure(ctx, wire.Settings{Env: map[string]string{name: value}})
}

func (c *call) cd() error {
	switch len(c.args) {
	case 0:
		c.print("%s", c.settings.dir)
		return nil
	case 1:
	default:
		return errUsage
	}
	dir := c.settings.path(c.args[0])
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%s: no such directory", dir)
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no directory", dir)
	}
	if err := c.runner.configure(c.ctx, wire.Settings{Dir: dir}); err != nil {
		return err
	}
	c.settings.dir = dir
	if err := c.setenv(c.ctx, gonbDir, dir); err != nil {
		return err
	}
	c.print("%s", dir)
	return nil
}

// setArgs gives the program its arguments, and package flag, if it is to read them.
func (s *Session) setArgs(ctx context.Context, args []string, parse bool) error {
	s.settings.args = append([]string{}, args...)
	return s.runner.configure(ctx, wire.Settings{Args: s.settings.args, Flags: parse})
}

func (c *call) goflags() error {
	if len(c.args) == 0 {
		c.print("%%goflags=%q", c.settings.flags)
		return nil
	}
	var flags []string
	for _, f := range c.args {
		name, _, valued := strings.Cut(strings.TrimLeft(f, "-"), "=")
		switch {
		case f == "":
		case name == "tags" && valued, name == "gcflags" && valued:
			flags = append(flags, f)
		default:
			c.outlet.Stream("stderr", fmt.Sprintf("%s is left out: a cell is compiled into a running process, which takes -tags=… and -gcflags=… alone\n", f))
		}
	}
	before := c.settings.flags
	c.settings.flags = flags
	if err := c.configureBuilder(); err != nil {
		c.settings.flags = before
		return err
	}
	c.print("%%goflags=%q", flags)
	return nil
}

// buildEnviron is the environment for what builds, and the compiler's flags.
func (s *settings) buildEnviron() (env, compiler []string) {
	env = s.environ()
	for _, f := range s.flags {
		name, value, _ := strings.Cut(strings.TrimLeft(f, "-"), "=")
		if name == "tags" {
			env = append(env, strings.TrimSpace("GOFLAGS="+s.getenv("GOFLAGS")+" -tags="+value))
		} else {
			compiler = append(compiler, strings.Fields(value)...)
		}
	}
	return env, compiler
}

// configureBuilder hands the settings that matter for it to the builder.
func (s *Session) configureBuilder() error {
	if err := s.builder.Configure(s.settings.buildEnviron()); err != nil {
		return fmt.Errorf("%w; nothing has changed", err)
	}
	return nil
}
