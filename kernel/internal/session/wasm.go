package session

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/complete"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// A cell that begins with %wasm is a program for the page that shows the notebook:
// compiled to WebAssembly, with what it uses of the notebook's functions, types and
// declared variables (see program.PlanPage). The Jupyter server serves it, as GoNB has
// it, from a folder of the session's own. Without a server that we know of, as in VS
// Code, the program is part of the cell's output: some 1.5 MB in the notebook's file,
// which also makes it run in a page that the notebook was exported to.

var wasmCommands = []command{
	{names: []string{"%wasm"}, help: "compile the cell to WebAssembly and run it in the page; GonbWasmDivId is the id of its element there", early: true, run: (*call).forPage},
}

// A Server is the Jupyter server that a kernel belongs to.
type Server struct {
	Root string // the folder that it serves
	URL  string // the path that its addresses begin with, as "/"
}

// GoNB's names for the folder of these programs, and for where it is served.
const (
	gonbWasmDir = "GONB_WASM_DIR"
	gonbWasmURL = "GONB_WASM_URL"
	wasmExec    = "wasm_exec.js"
	wasmFolder  = "jupyter_files"
)

//go:embed wasm.js
var wasmScript string

// wasm builds the programs of a session that run in the page.
type wasm struct {
	session *Session
	builder *build.Builder
	types   *packages
	files   string // where the server has them, as "jupyter_files/12ab", "" if it has not
	dir     string
}

// newWasm finds the compiler, and makes the folder.
func newWasm(s *Session) (*wasm, error) {
	p := &wasm{session: s, dir: filepath.Join(s.dir, "wasm")}
	var err error
	if p.builder, err = build.New(build.Config{Dir: s.dir, CacheDir: s.config.CacheDir, Env: p.environ(), Alone: true, Progress: s.progress}); err != nil {
		return nil, err
	}
	p.types = newPackages(p.builder, s.cellContext, s.readable)
	if server := s.config.Server; server != nil {
		files := path.Join(wasmFolder, strings.SplitN(s.config.KernelID, "-", 2)[0])
		if dir := filepath.Join(server.Root, filepath.FromSlash(files)); os.MkdirAll(dir, 0o777) == nil {
			p.dir, p.files = dir, files
		}
	}
	script, err := p.exec()
	return p, errors.Join(err, os.MkdirAll(p.dir, 0o777), os.WriteFile(filepath.Join(p.dir, wasmExec), script, 0o666))
}

// environ is what cells have set, for the page's system.
func (p *wasm) environ() []string {
	env, _ := p.session.settings.buildEnviron()
	return append(env, pageSystem...)
}

// pageSystem is the system that programs in a page run on, in the go command's words.
var pageSystem = []string{"GOOS=js", "GOARCH=wasm"}

// pagePackages are there only, and useful in any page: they are found by their names.
var pagePackages = []complete.Package{{Name: "js", Path: "syscall/js"}, {Name: "wasm", Path: "github.com/janpfeifer/gonb/gonbui/wasm"}}

// isForPage tells whether a text is that of a cell for the page.
func isForPage(code string) bool {
	found, _, _ := cell.Commands(code)
	return slices.ContainsFunc(found, func(c cell.Command) bool { return c.Name == "%wasm" })
}

// exec is the script of Go's own that programs need in a page.
func (p *wasm) exec() ([]byte, error) {
	script, err := os.ReadFile(filepath.Join(p.builder.GOROOT(), "lib", "wasm", wasmExec))
	if err != nil {
		return nil, fmt.Errorf("%w: install the whole of Go", err)
	}
	return script, nil
}

func (p *wasm) url() string {
	if p.files == "" {
		return ""
	}
	return path.Join("/", p.session.config.Server.URL, "files", p.files)
}

// close removes what is served.
func (p *wasm) close() error {
	err := p.builder.Close()
	if p.files != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
		_ = os.Remove(filepath.Dir(p.dir)) // if no other kernel's are there
	}
	return err
}

// forPage makes the cell one for the page, and tells commands what GoNB does.
func (c *call) forPage() error {
	if len(c.args) > 0 {
		return errUsage
	}
	for _, other := range c.calls {
		if other.names[0] == "%test" {
			return errors.New("tests run in the kernel's process: leave out %wasm, or %test")
		}
	}
	if c.wasm == nil {
		p, err := newWasm(c.Session)
		if err != nil {
			return err
		}
		c.wasm = p
	}
	c.div = "gonb_id_" + strings.ToLower(rand.Text()[:8])
	return errors.Join(c.setenv(c.ctx, gonbWasmDir, c.wasm.dir), c.setenv(c.ctx, gonbWasmURL, c.wasm.url()))
}

// isProgramCommand tells of a command of such a cell whether the program does it, at
// its place; what else there is the kernel does before.
func (c *call) isProgramCommand() bool { return c.names[0] == "%main" || c.names[0] == "%args" }

// runInPage compiles the cell, and has the page run it.
func (e *execution) runInPage() error {
	p := e.wasm
	if err := p.builder.Configure(p.environ(), nil); err != nil {
		return err
	}
	if err := e.module.refresh(); err != nil {
		return err
	}
	p.types.refresh()
	config := program.Config{
		Importer: p.types,
		Prefetch: func(paths []string) { e.fetch(p.types, paths) },
		Find:     func(name string) []string { return p.builder.Find(e.ctx, name) },
		Embed: func([]string) (string, []string, error) {
			return "", nil, errors.New("files stay where the kernel is: the program can fetch what lies in " + gonbWasmDir)
		},
	}
	given, err := e.program.PlanPage(fmt.Sprintf("const GonbWasmDir, GonbWasmUrl, GonbWasmDivId = %q, %q, %q", p.dir, p.url(), e.div), 0, config)
	if err != nil {
		return err
	}
	e.program.CommitPage(given)
	plan, err := e.program.PlanPage(e.code(), e.count, config)
	if err != nil {
		return err
	}
	if plan.Empty {
		return nil // commands alone
	}
	args, main, err := e.pageMain(plan)
	if err != nil {
		return err
	}
	dir := filepath.Join(e.dir, "page")
	name := fmt.Sprintf("cell%d.wasm", plan.ID)
	err = errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o777),
		os.WriteFile(filepath.Join(dir, "cell.go"), []byte(plan.Source), 0o666),
		os.WriteFile(filepath.Join(dir, "main.go"), []byte(main), 0o666))
	if err != nil {
		return err
	}
	if err := p.builder.Page(e.ctx, dir, filepath.Join(p.dir, name)); err != nil {
		return err
	}
	e.program.CommitPage(plan)
	e.outlet.labels.Store(plan.ID, e.count)
	e.clearNotes()
	page, err := p.html(e.div, name, args)
	if err != nil {
		return err
	}
	e.outlet.Display(message.DisplayData{Data: message.MIMEBundle{
		"text/html":  page,
		"text/plain": "(a program that runs in a page: JupyterLab and Notebook show it)",
	}})
	return nil
}

// pageMain is the main function of the cell's program, and its arguments.
func (e *execution) pageMain(plan *program.Plan) (args []string, text string, err error) {
	args = e.settings.args
	c := wholeCell{count: e.count, entry: plan.Entry, commands: map[cell.Place][]string{}}
	for i := range e.calls {
		if call := &e.calls[i]; call.isProgramCommand() {
			args = call.args
			text, err := call.literal()
			if err != nil {
				return nil, "", call.wrap(err)
			}
			c.add(call, text)
		}
	}
	return args, fmt.Sprintf("package main\n\nimport %q\n\nfunc main() {\n\twhole.Page(whole.Cell%s)\n}\n", modulePath+"/kernel/worker/whole", c.literal()), nil
}

// html is the output of the cell: its element, what the program prints, and the script
// that runs it.
func (p *wasm) html(div, name string, args []string) (string, error) {
	run := map[string]any{"div": div, "args": append([]string{}, args...), "files": "files/" + p.files, "name": name}
	before := ""
	if p.files == "" {
		program, err := packed(filepath.Join(p.dir, name))
		if err != nil {
			return "", err
		}
		script, err := p.exec()
		if err != nil {
			return "", err
		}
		run["program"], before = program, "<script>"+string(script)+"</script>"
	}
	json, err := json.Marshal(run) // <, > and & are escaped
	if err != nil {
		return "", err
	}
	script := strings.Replace(wasmScript, "RUN", string(json), 1)
	return fmt.Sprintf("<div><div id=\"%s\"></div><pre></pre></div>%s<script>%s</script>", html.EscapeString(div), before, script), nil
}

// packed is a file compressed, as text.
func packed(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	_, err = z.Write(data)
	return base64.StdEncoding.EncodeToString(b.Bytes()), errors.Join(err, z.Close())
}
