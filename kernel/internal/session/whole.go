package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// A Whole makes one program of a notebook's cells. It is a session that plans them,
// one after the other, and runs none: the program does what they say.
type Whole struct {
	session *Session
	plans   []*program.Plan
	cells   []wholeCell
	embeds  bool // there are go:embed lines
	shared  bool // many processes run the program together

	parameters   []program.Parameter
	parametersOf int
	tagged       bool // the cell that is added is the one with the parameters
}

// wholeCell is a cell of the program: what main.go says of it.
type wholeCell struct {
	count    int
	source   string
	plan     int // its ID, 0 without Go
	entry    string
	commands map[cell.Place][]string // as elements of a Go literal
}

// NewWhole begins a program. The configuration's History and Alone do not count.
func NewWhole(config Config) (*Whole, error) {
	w := &Whole{}
	config.whole = w
	var err error
	w.session, err = New(config)
	return w, err
}

// Add adds a cell of code. The one that has the notebook's parameters makes flags of
// them: variables that it gives a plain value. An error says why the cell cannot be
// compiled; what it shows goes to out.
func (w *Whole) Add(ctx context.Context, count int, code string, parameters bool, out message.Output) message.ExecuteReply {
	w.cells = append(w.cells, wholeCell{count: count, source: code, commands: map[cell.Place][]string{}})
	w.tagged = parameters
	return w.session.Execute(ctx, count, &message.ExecuteRequest{Code: code}, out)
}

// Share makes the program one for mpirun: every training in it is that of all ranks together.
func (w *Whole) Share() { w.shared = true }

// Build builds the program of the notebook of the given name. It is linked
// statically, unless it uses C.
func (w *Whole) Build(ctx context.Context, name, output string) (static bool, err error) {
	return w.build(ctx, name, output, false)
}

// BuildServing builds a program that runs no more than what a session asks it for, which
// is to have the Built that is returned.
func (w *Whole) BuildServing(ctx context.Context, name, output string) (built *Built, static bool, err error) {
	if static, err = w.build(ctx, name, output, true); err != nil {
		return nil, false, err
	}
	built = &Built{Program: output}
	for _, c := range w.cells {
		built.Cells = append(built.Cells, BuiltCell{Count: c.count, Source: c.source, Plan: c.plan})
	}
	return built, static, nil
}

func (w *Whole) build(ctx context.Context, name, output string, serves bool) (static bool, err error) {
	s := w.session
	s.mu.Lock()
	s.ctx = ctx // by which types are asked for
	s.mu.Unlock()
	dir := filepath.Join(s.dir, "program")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, err
	}
	files, err := s.program.Whole(w.plans)
	if err != nil {
		return false, err
	}
	if !serves { // a session knows the cells by their plans
		for i := range files {
			files[i].Text = s.program.Placed(files[i].Text)
		}
	}
	files = append(files, program.File{Name: "main.go", Text: w.main(name)})
	if w.shared {
		// A copy is a package of the session's module, which need not require one that is seldom wanted.
		if err := os.CopyFS(filepath.Join(dir, sharedFolder), sources{os.DirFS(filepath.Join(s.config.Sources, "nnkit", "mpi"))}); err != nil {
			return false, fmt.Errorf("the sources of %s/nnkit/mpi: %w", modulePath, err)
		}
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o666); err != nil {
			return false, err
		}
	}
	static, err = s.builder.Whole(ctx, dir, output, serves)
	var bad *build.CompileError
	if errors.As(err, &bad) {
		err = fmt.Errorf("the cells do not make one program, although each can be compiled: %w", err)
	}
	return static, err
}

// Close removes what was kept on the disk.
func (w *Whole) Close() error { return w.session.Close() }

// main is the text of the program's main function.
func (w *Whole) main(name string) string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n")
	if w.embeds {
		b.WriteString("\t\"embed\"\n")
	}
	fmt.Fprintf(&b, "\t%q\n", modulePath+"/kernel/worker/whole")
	if w.shared {
		fmt.Fprintf(&b, "\t%q\n", "notebook/program/"+sharedFolder)
	}
	b.WriteString(")\n\n")
	if w.embeds {
		fmt.Fprintf(&b, "//go:embed all:%s\nvar filesʹ embed.FS\n\n", embeddedFiles)
	}
	b.WriteString("func main() {\n")
	if w.shared {
		b.WriteString("\twhole.Rank()\n\tmpi.Join()\n")
	}
	fmt.Fprintf(&b, "\twhole.Main(whole.Notebook{\n\t\tName: %q,\n", name)
	if w.embeds {
		b.WriteString("\t\tFiles: filesʹ,\n")
	}
	if len(w.parameters) > 0 {
		fmt.Fprintf(&b, "\t\tParametersOf: %d,\n\t\tParameters: []whole.Parameter{\n", w.parametersOf)
		for _, p := range w.parameters {
			fmt.Fprintf(&b, "\t\t\t{Name: %q, Pointer: &%s, Text: %q, About: %q},\n", p.Name, p.Place, p.Value, p.Usage)
		}
		b.WriteString("\t\t},\n")
	}
	b.WriteString("\t\tCells: []whole.Cell{\n")
	for _, c := range w.cells {
		fmt.Fprintf(&b, "\t\t\t%s,\n", c.literal())
	}
	b.WriteString("\t\t},\n\t})\n")
	if w.shared {
		b.WriteString("\tmpi.Finalize()\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// A Whole is the runner of its session.

func (w *Whole) ready(context.Context) error                    { return nil }
func (w *Whole) load(context.Context, *program.Plan) error      { return nil }
func (w *Whole) current() *Worker                               { return nil }
func (w *Whole) insist()                                        {}
func (w *Whole) configure(context.Context, wire.Settings) error { return nil }
func (w *Whole) renew()                                         {}
func (w *Whole) close()                                         {}

func (w *Whole) run(_ context.Context, _ int, plan *program.Plan) (wire.Outcome, error) {
	w.plans = append(w.plans, plan)
	c := &w.cells[len(w.cells)-1]
	c.entry, c.plan = plan.Entry, plan.ID
	if w.tagged && len(w.parameters) == 0 {
		w.parametersOf = w.cells[len(w.cells)-1].count
		for _, p := range w.session.program.Parameters(plan) {
			if p.Name == figuresFlag {
				return wire.Outcome{Status: wire.Failed, Name: "error", Value: "a parameter cannot be called " + figuresFlag + ", which is a flag of every program: give it another name"}, nil
			}
			w.parameters = append(w.parameters, p)
		}
	}
	return wire.Outcome{Status: wire.OK}, nil
}

// figuresFlag is the flag of every program for the folder of pictures, as package
// whole has it.
const figuresFlag = "figures"

// embeddedFiles is the folder for what go:embed lines name.
const embeddedFiles = "files"

// embed copies the files that go:embed lines name into the program's folder, and
// returns the name that its folder has there.
func (w *Whole) embed(dir string, files []string) (string, error) {
	w.embeds = true
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		to := filepath.Join(w.session.dir, "program", embeddedFiles, strconv.Itoa(len(w.cells)), filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o777), os.WriteFile(to, data, 0o666)); err != nil {
			return "", err
		}
	}
	return path.Join(embeddedFiles, strconv.Itoa(len(w.cells))), nil
}

// note makes a command of the session one that the program does. Those that tell
// something about the session are left out.
func (w *Whole) note(c *call) error {
	text, err := c.literal()
	if err != nil {
		return err
	}
	if text == "" {
		line, _ := c.cell.Position(c.Start)
		w.session.outlet.Stream("stderr", fmt.Sprintf("Cell [%d], line %d: %s is left out, it means nothing in a program\n", c.count, line, c.Name))
		text = "func() error { return nil }"
	}
	w.cells[len(w.cells)-1].add(c, text)
	return nil
}

// add has the cell do what the text of a command says, at its place.
func (w *wholeCell) add(c *call, text string) {
	line, _ := c.cell.Position(c.Start)
	element := fmt.Sprintf("\t\t\t\t{%d, %s},\n", line, text)
	if c.Place == cell.Between {
		element = fmt.Sprintf("\t\t\t\t%d: {%d, %s},\n", c.number, line, text)
	}
	w.commands[c.Place] = append(w.commands[c.Place], element)
}

// literal is the cell as a Go literal, without its type.
func (w *wholeCell) literal() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{Number: %d", w.count)
	if w.entry != "" {
		fmt.Fprintf(&b, ", Entry: %s", w.entry)
	}
	for _, part := range []struct {
		place cell.Place
		field string
	}{{cell.Before, "Before: []whole.Command"}, {cell.Between, "Between: map[int]whole.Command"}, {cell.After, "After: []whole.Command"}} {
		if list := w.commands[part.place]; len(list) > 0 {
			fmt.Fprintf(&b, ", %s{\n%s\t\t\t}", part.field, strings.Join(list, ""))
		}
	}
	b.WriteString("}")
	return b.String()
}

// literal is the Go text of what a command does, of type func() error, or "" if it
// does nothing in a program.
func (c *call) literal() (string, error) {
	switch c.names[0] {
	case "!":
		if c.Args == "" {
			return "", errUsage
		}
		return fmt.Sprintf("whole.Shell(%q)", c.Args), nil
	case "%%script", "%%bash":
		args, err := c.scriptArgs()
		return fmt.Sprintf("whole.Script(%q, %s)", wholeLines(c.Body), quoted(args)), err
	case "%env":
		name, value, ok := strings.Cut(strings.Join(c.args, "="), "=")
		if !ok {
			return "", nil
		}
		return fmt.Sprintf("whole.Setenv(%q, %q)", name, value), nil
	case "%cd":
		if len(c.args) != 1 {
			return "", nil
		}
		return fmt.Sprintf("whole.Chdir(%q)", c.args[0]), nil
	case "%args", "%main":
		return fmt.Sprintf("whole.Args(%s)", strings.TrimSuffix(fmt.Sprintf("%t, %s", c.names[0] == "%main", quoted(c.args)), ", ")), nil
	case "%%writefile":
		args, appends := c.args, false
		if len(args) == 2 && args[0] == "-a" {
			args, appends = args[1:], true
		}
		if len(args) != 1 {
			return "", errUsage
		}
		return fmt.Sprintf("whole.WriteFile(%q, %q, %t)", args[0], wholeLines(c.Body), appends), nil
	case "%time", "%%time", "%nocheck", "%with_inputs", "%with_password": // the cell's text says it, or the terminal does
		return "func() error { return nil }", nil
	}
	return "", nil
}

func quoted(list []string) string {
	list = slices.Clone(list)
	for i, s := range list {
		list[i] = strconv.Quote(s)
	}
	return strings.Join(list, ", ")
}
