package program

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"weak"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// prime marks generated names.
const prime = "ʹ"

// LivePath is the package whose functions generated code calls.
const LivePath = "github.com/seed5607215b/nnkit/kernel/worker/live"

// A Config tells a Program about the packages it can import.
type Config struct {
	// Importer gives the types of imported packages.
	Importer types.Importer
	// Find returns the paths of the packages of a name, likeliest first, for
	// an import that is missing. It may be nil.
	Find func(name string) []string
	// Prefetch, if set, is told which packages Importer will be asked for.
	Prefetch func(paths []string)
	// Embed returns the files that the patterns of a //go:embed line name, and the
	// directory that their names are in. It may be nil if no cell embeds any.
	Embed func(patterns []string) (dir string, files []string, err error)
	// GoVersion is that of the language, as "go1.26".
	GoVersion string
	// Alone makes each cell a whole program, with a function main: see alone.go.
	Alone bool
	// Whole is for cells that become one program, which is interrupted as a whole:
	// loops have no checks. See whole.go.
	Whole bool
	// Page is for cells that run in the page: see page.go. Only what they mention is
	// imported, since not all has to be there.
	Page bool
}

// A Program is the live declarations of a session. It is not safe for
// concurrent use.
type Program struct {
	// Stops makes what is planned stop for a debugger: see stops.go.
	Stops bool

	config  Config
	fset    *token.FileSet
	imports map[string]string // local name -> path
	dots    []string          // paths of dot imports
	blank   []string          // of imports for their side effects, where cells are alone
	units   map[string]*unit  // by key
	vars    map[string]*variable
	newest  map[string]int // name -> the highest version ever used
	// declared are the declarations of variables that one has made, and the functions
	// init beside them, for a program that makes them anew.
	declared map[string]*unit
	page     elsewhere

	serial     int
	generation int
	labels     map[int]int // serial -> the number the cell is shown by
	sources    map[int]source
	loaded     map[digest]*Plan // by normalised text
	again      map[string]*Plan // by source
}

// A unit is a declaration that lives and dies as a whole. A method is a unit of
// its own that belongs to its type.
type unit struct {
	key     string // a name, "Type.Method", or all names of a constant declaration
	names   []string
	kind    unitKind
	cell    *cell.Cell
	serial  int // of the cell
	decl    cell.Decl
	text    string
	mention map[string]bool   // identifiers in its text, free or not
	uses    map[string]bool   // keys of units and variables, "import name"; known once checked
	values  map[string]string // of constants, with their types; known once checked
	version int               // 1, or more once redefined
	alias   bool
	generic bool
	omits   bool     // a variable's initialiser ends with an error that it leaves out
	inits   []string // keys of the functions init that stand beside a variable
}

type unitKind int

const (
	constUnit unitKind = iota
	typeUnit
	funcUnit
	methodUnit
	varUnit  // where each cell is a program of its own
	initUnit // the same
)

// A variable is one of a cell's top level.
type variable struct {
	name     string
	typ      string   // as Go text, imports by importName
	expr     ast.Expr // typ parsed; nil if it has to be inferred
	inferred *inference
	mention  map[string]bool // names of the session's types in typ
	imports  map[string]string
	version  int
	serial   int    // of the cell that defined it
	unusable string // why it has no value any more
}

// New returns an empty program.
func New(config Config) *Program {
	if config.GoVersion == "" {
		config.GoVersion = "go1.26"
	}
	return &Program{
		config:   config,
		fset:     token.NewFileSet(),
		imports:  map[string]string{},
		units:    map[string]*unit{},
		vars:     map[string]*variable{},
		newest:   map[string]int{},
		declared: map[string]*unit{},
		page:     elsewhere{map[string]string{}, map[string]*unit{}},
		labels:   map[int]int{},
		sources:  map[int]source{},
		loaded:   map[digest]*Plan{},
		again:    map[string]*Plan{},
	}
}

// A Plan is a cell on its way: what is to be compiled, and what the program
// will be when that is loaded.
type Plan struct {
	// ID numbers the cell in file names, FileName(ID), and in Entry.
	ID int
	// Source is the text of the package, Entry the function to call in it.
	Source, Entry string
	// Imports are the paths of the packages that Source imports.
	Imports []string
	// Reused tells that a loaded package does the same: ID and Entry are its.
	Reused bool
	// Empty tells that there is nothing to run.
	Empty bool

	label      int
	cell       *cell.Cell
	candidate  candidate
	normalised digest
	generation int
	embeds     bool // it has go:embed lines
	stopping   bool // its functions stop for a debugger
}

// candidate is the program's state after a cell.
type candidate struct {
	imports  map[string]string
	dots     []string
	blank    []string
	units    map[string]*unit
	vars     map[string]*variable
	newest   map[string]int
	declared map[string]*unit // what the cell adds
	changed  bool
}

func (p *Program) candidate() candidate {
	return candidate{imports: maps.Clone(p.imports), dots: slices.Clone(p.dots), blank: slices.Clone(p.blank), units: maps.Clone(p.units), vars: maps.Clone(p.vars), newest: maps.Clone(p.newest)}
}

// FileName is the file that positions of a cell are given in.
func FileName(id int) string { return fmt.Sprintf("/cell/%d.go", id) }

var fileName = regexp.MustCompile(`^/cell/([0-9]+)\.go$`)

// Commit makes the plan's declarations live. Call it when its package is
// loaded, whether or not its entry function then ends well.
func (p *Program) Commit(plan *Plan) {
	c := plan.candidate
	if c.changed {
		p.generation++
	}
	p.imports, p.dots, p.blank, p.units, p.vars, p.newest = c.imports, c.dots, c.blank, c.units, c.vars, c.newest
	p.declare(c.declared)
	p.labels[plan.ID] = plan.label
	plan.generation = p.generation
	if plan.Reused {
		return
	}
	kept := *plan
	kept.candidate = candidate{} // for reuse makes another: this one would be memory without an end
	if !p.config.Alone {         // where it may have to be built again
		kept.Source = ""
	}
	kept.cell = nil
	p.loaded[plan.normalised] = &kept
	if !plan.embeds { // its patterns may name other files by then
		p.again[plan.cell.Source] = &kept
	}
}

// Note notes the text of a cell that was planned elsewhere, for those who ask for its
// lines: by a plan of that ID, as the cell that the label calls.
func (p *Program) Note(id, label int, source string) error {
	c, err := parse(p.fset, FileName(id), source, label)
	p.sources[id], p.labels[id] = newSource(p.fset, c), label
	return err
}

// Lost is a variable that has no value any more.
type Lost struct {
	Name string
	Cell int // the number of the cell that makes it
}

// Forget says that what was loaded is gone with its process: declarations stay
// known, variables have no value until the cells that make them run again. It
// returns these variables, in the order of their cells and names.
func (p *Program) Forget() []Lost {
	var lost []Lost
	for name, v := range p.vars {
		if v.unusable == "" {
			lost = append(lost, Lost{name, p.labels[v.serial]})
			p.lose(v, "it was lost when the session ended")
		}
	}
	p.unload()
	slices.SortFunc(lost, func(a, b Lost) int { return cmp.Or(a.Cell-b.Cell, strings.Compare(a.Name, b.Name)) })
	return lost
}

// Renew is Forget where another process has taken the place of the one that held what
// was loaded, and has the values of the variables, but for those that are named with
// the reason. Of cells that nothing rests on any more the text goes, too.
func (p *Program) Renew(lost map[string]string) {
	for name, why := range lost {
		p.lose(p.vars[name], "it was not kept when the process was restarted ("+why+")")
	}
	p.unload()
	live := map[int]bool{}
	for _, units := range []map[string]*unit{p.units, p.declared, p.page.units} {
		for _, u := range units {
			live[u.serial] = true
		}
	}
	for _, v := range p.vars {
		live[v.serial] = true
	}
	maps.DeleteFunc(p.sources, func(id int, _ source) bool { return !live[id] })
	maps.DeleteFunc(p.labels, func(id, _ int) bool { return !live[id] })
}

// unload forgets what the cells' process had loaded.
func (p *Program) unload() {
	p.generation++
	clear(p.loaded)
	clear(p.again)
}

// lose marks a variable that has no value any more.
func (p *Program) lose(v *variable, why string) {
	gone := *v
	gone.unusable = fmt.Sprintf("%s: run Cell [%d] again, which makes it", why, p.labels[v.serial])
	p.vars[v.name] = &gone
}

// Reset forgets all declarations. What is loaded stays loaded, so the same names
// get new versions.
func (p *Program) Reset() {
	p.unload()
	clear(p.imports)
	clear(p.units)
	clear(p.vars)
	clear(p.declared)
	clear(p.page.imports)
	clear(p.page.units)
	p.dots, p.blank = nil, nil
}

// Lines tells which cell a file name of a stack trace belongs to: its number
// and the text of its lines.
func (p *Program) Lines(file string) (number int, lines []string, ok bool) {
	id, c := p.cellOf(file)
	if c == nil {
		return 0, nil, false
	}
	return p.labels[id], c.Text(), true
}

// cellOf is the cell that a file name belongs to, or nil.
func (p *Program) cellOf(file string) (id int, c *cell.Cell) {
	if m := fileName.FindStringSubmatch(file); m != nil {
		id, _ = strconv.Atoi(m[1])
	}
	return id, p.sources[id].get()
}

// A source is the text of a cell whose code may run for as long as its process
// lives. The trees are there while a declaration of the cell is, and made again
// where somebody asks later: thousands of cells are a text each.
type source struct {
	text string
	cell weak.Pointer[cell.Cell]
}

// newSource keeps the text of a cell; its files leave the file set with it.
func newSource(fset *token.FileSet, c *cell.Cell) source {
	runtime.AddCleanup(c, func(files []*token.File) {
		for _, f := range files {
			fset.RemoveFile(f)
		}
	}, c.Files())
	return source{c.Source, weak.Make(c)}
}

// get returns the cell; nil if there is none.
func (s source) get() *cell.Cell {
	if c := s.cell.Value(); c != nil || s.text == "" {
		return c
	}
	c, _ := cell.Parse(token.NewFileSet(), "", s.text) // as it went the first time
	return c
}

var (
	marks   = regexp.MustCompile(prime + `[0-9]*`)
	entries = regexp.MustCompile(`\bcell` + prime + `[0-9]+`)
)

// Unversioned removes the marks of generated names from a text. A cell's
// statements are what the body of main is to a program, and called so.
func Unversioned(text string) string {
	if !strings.Contains(text, prime) {
		return text
	}
	text = entries.ReplaceAllString(text, "main")
	return marks.ReplaceAllString(text, "")
}

// symbol is the name that a function or variable of a version is declared by.
// An exported one would make the compiler emit a plugin's table, which does not
// link; a predeclared one would hide what printed text refers to, and a package
// has no variable main.
func symbol(name string, version int) string {
	if token.IsExported(name) || types.Universe.Lookup(name) != nil || name == "main" {
		name = prime + name
	}
	if version > 1 {
		name = fmt.Sprintf("%s%s%d", name, prime, version)
	}
	return name
}

// typeSymbol is the name that a type of a version is declared by.
func typeSymbol(name string, version int) string {
	if version > 1 {
		return fmt.Sprintf("%s%s%d", name, prime, version)
	}
	return name
}
