package experiment

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// The tags are papermill's: of the cell that declares the parameters, and of the one
// that gives them other values.
const (
	ParametersTag = "parameters"
	InjectedTag   = "injected-parameters"
)

// A Setting is a value for one parameter, as it is written on a command line.
type Setting struct{ Name, Value string }

func (s Setting) String() string { return s.Name + "=" + s.Value }

// ParseSetting reads "name=value".
func ParseSetting(text string) (Setting, error) {
	name, value, ok := strings.Cut(text, "=")
	if name = strings.TrimSpace(name); !ok || !token.IsIdentifier(name) {
		return Setting{}, fmt.Errorf("%q is not of the form NAME=VALUE, as in rate=0.01", text)
	}
	return Setting{name, value}, nil
}

// A Parameter is a variable or a constant that the cell tagged "parameters" declares.
type Parameter struct {
	Name string
	// Type is what its declaration makes of it; nil if that cannot be told without
	// building packages.
	Type     types.Type
	Constant bool
	// Value is the text of its value in the declaration, "" if there is none.
	Value string
}

// typeText is the type as a cell would write it.
func (p *Parameter) typeText() string {
	return types.TypeString(p.Type, func(other *types.Package) string {
		if other.Path() == ownPackage {
			return ""
		}
		return other.Name()
	})
}

// ownPackage is the path of the package that cells are checked as.
const ownPackage = "notebook"

// A declared is a cell of parameters, checked.
type declared struct {
	index      int // of the cell
	parameters []Parameter
	file       string // the cell as a file, cut in two where a statement can be added
	rest       string
}

// Parameters returns what the cell tagged "parameters" declares. A notebook without
// one has none.
func Parameters(nb *notebook.Notebook) ([]Parameter, error) {
	d, err := declaredIn(nb)
	if d == nil {
		return nil, err
	}
	return d.parameters, nil
}

func declaredIn(nb *notebook.Notebook) (*declared, error) {
	index := slices.IndexFunc(nb.Cells, func(c *notebook.Cell) bool {
		return c.Type == notebook.Code && c.Tagged(ParametersTag)
	})
	if index < 0 {
		return nil, nil
	}
	d, err := declare(nb.Cells[index].Source)
	if err != nil {
		return nil, fmt.Errorf(`the cell tagged "parameters" (cell %d): %w`, index+1, err)
	}
	d.index = index
	return d, nil
}

// declare checks the text of a cell and lists what it declares.
func declare(source string) (*declared, error) {
	fset := token.NewFileSet()
	c, err := cell.Parse(fset, "cell", source)
	if err != nil {
		return nil, err
	}
	text := func(n ast.Node) string { return source[c.Offset(n.Pos()):c.Offset(n.End())] }
	var file strings.Builder
	file.WriteString("package " + ownPackage + "\n")
	for _, spec := range c.Imports {
		file.WriteString("import " + text(spec) + "\n")
	}
	d := new(declared)
	for _, decl := range c.Decls {
		keyword := ""
		if g, ok := decl.Node.(*ast.GenDecl); ok {
			if decl.Grouped {
				keyword = g.Tok.String() + " "
			}
			if g.Tok == token.CONST {
				for _, spec := range g.Specs {
					d.addSpec(spec, true, text)
				}
			}
		}
		file.WriteString(keyword + source[decl.Start:decl.End] + "\n")
	}
	for _, s := range c.Body.List {
		switch s := s.(type) {
		case *ast.DeclStmt:
			if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					d.addSpec(spec, false, text)
				}
			}
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				continue
			}
			for i, left := range s.Lhs {
				if name, ok := left.(*ast.Ident); ok {
					value := ""
					if len(s.Lhs) == len(s.Rhs) {
						value = text(s.Rhs[i])
					}
					d.add(name.Name, false, value)
				}
			}
		}
	}
	d.file = file.String() + "func _() {\n" + c.Statements() + "\n"
	d.rest = "\n}\n"
	d.findTypes()
	return d, nil
}

func (d *declared) addSpec(spec ast.Spec, constant bool, text func(ast.Node) string) {
	s, ok := spec.(*ast.ValueSpec)
	if !ok {
		return
	}
	for i, name := range s.Names {
		value := ""
		if len(s.Values) == len(s.Names) {
			value = text(s.Values[i])
		}
		d.add(name.Name, constant, value)
	}
}

func (d *declared) add(name string, constant bool, value string) {
	if name == "_" {
		return
	}
	p := Parameter{Name: name, Constant: constant, Value: value}
	if i := slices.IndexFunc(d.parameters, func(p Parameter) bool { return p.Name == name }); i >= 0 {
		d.parameters[i] = p
		return
	}
	d.parameters = append(d.parameters, p)
}

// check type-checks the cell with a statement behind it.
func (d *declared) check(statement string) (*types.Info, *token.FileSet, []types.Error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", d.file+statement+d.rest, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, []types.Error{{Msg: err.Error()}}
	}
	var errs []types.Error
	config := types.Config{
		Importer: standardLibrary{},
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) && !e.Soft && fset.Position(e.Pos).Offset >= len(d.file) {
				errs = append(errs, e)
			}
		},
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	_, _ = config.Check(ownPackage, fset, []*ast.File{f}, info) // what matters goes to Error
	return info, fset, errs
}

// standardLibrary imports the standard library's packages from their sources, since
// there is no export data lying around. Parameters of other packages' types have none
// here, and the compiler checks their values.
type standardLibrary struct{}

var sources = struct {
	sync.Mutex
	types.Importer
}{Importer: importer.ForCompiler(token.NewFileSet(), "source", nil)}

func (standardLibrary) Import(path string) (*types.Package, error) {
	if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") || path == "C" {
		return nil, errors.New("not of the standard library")
	}
	sources.Lock()
	defer sources.Unlock()
	return sources.Import(path)
}

// findTypes gives the parameters their types.
func (d *declared) findTypes() {
	info, _, _ := d.check("")
	if info == nil {
		return
	}
	for ident, object := range info.Defs {
		i := slices.IndexFunc(d.parameters, func(p Parameter) bool { return p.Name == ident.Name })
		if i < 0 || object == nil {
			continue
		}
		switch object.(type) {
		case *types.Var, *types.Const:
			if t := object.Type(); !incomplete(t) {
				d.parameters[i].Type = types.Default(t)
			}
		}
	}
}

// incomplete tells whether a type has a part that is not known here.
func incomplete(t types.Type) bool {
	return strings.Contains(t.String(), types.Typ[types.Invalid].String())
}

// Override puts a cell behind the one tagged "parameters" that gives parameters other
// values, as papermill does: tagged "injected-parameters", in the place of an earlier
// such cell. The values are Go, but for text, which needs no quotes; each must suit
// its parameter's type. What was given is noted in the notebook's metadata.
func Override(nb *notebook.Notebook, settings []Setting) error {
	if len(settings) == 0 {
		return nil
	}
	source, given, err := injection(nb, settings)
	if err == nil {
		inject(nb, source, given)
	}
	return err
}

// injection is the text of the cell that gives parameters their values, and the values.
func injection(nb *notebook.Notebook, settings []Setting) (source string, given map[string]any, err error) {
	d, err := declaredIn(nb)
	if err != nil {
		return "", nil, err
	}
	if d == nil {
		return "", nil, fmt.Errorf(`parameter %s: no cell of the notebook is tagged "parameters": tag the one that declares it (in JupyterLab, the gear at the top right)`, settings[0].Name)
	}
	lines := []string{"// Parameters"}
	given = map[string]any{}
	for _, s := range settings {
		if _, again := given[s.Name]; again {
			return "", nil, fmt.Errorf("parameter %s is given twice", s.Name)
		}
		line, err := d.assign(s)
		if err != nil {
			return "", nil, err
		}
		lines = append(lines, line)
		given[s.Name] = s.Value
	}
	return strings.Join(lines, "\n"), given, nil
}

// inject puts a cell that gives parameters values behind the one that declares them.
func inject(nb *notebook.Notebook, source string, given map[string]any) {
	injected := &notebook.Cell{
		Type: notebook.Code, ID: InjectedTag, Source: source,
		Metadata: map[string]any{"tags": []any{InjectedTag}},
	}
	nb.Cells = slices.DeleteFunc(nb.Cells, func(c *notebook.Cell) bool { return c.Tagged(InjectedTag) })
	at := 1 + slices.IndexFunc(nb.Cells, func(c *notebook.Cell) bool { return c.Type == notebook.Code && c.Tagged(ParametersTag) })
	nb.Cells = slices.Insert(nb.Cells, at, injected)
	note(nb, "parameters", given)
}

// assign returns the line of Go that gives a parameter its value. It declares the
// variable again, which is the same variable, so that it also holds where each cell
// runs in a process of its own.
func (d *declared) assign(s Setting) (string, error) {
	i := slices.IndexFunc(d.parameters, func(p Parameter) bool { return p.Name == s.Name })
	if i < 0 {
		return "", fmt.Errorf("there is no parameter %s: %s", s.Name, d.names())
	}
	p := d.parameters[i]
	value := strings.TrimSpace(s.Value)
	if p.Type != nil && isText(p.Type) {
		if _, err := strconv.Unquote(value); err != nil || !strings.ContainsAny(value[:1], "\"`") {
			value = strconv.Quote(s.Value)
		}
	}
	if _, err := parser.ParseExpr(value); err != nil {
		return "", fmt.Errorf("parameter %s: %q is not a value of Go%s", s.Name, s.Value, p.wanted())
	}
	if p.Type == nil {
		return fmt.Sprintf("%s = %s", p.Name, value), nil
	}
	// On its own line: where a variable may be used is not asked.
	if _, _, errs := d.check(fmt.Sprintf("var _ %s = %s", p.typeText(), value)); len(errs) > 0 {
		return "", fmt.Errorf("parameter %s: %s does not suit it%s: %s", s.Name, s.Value, p.wanted(), errs[0].Msg)
	}
	if p.Constant {
		return fmt.Sprintf("const %s = %s", p.Name, value), nil
	}
	return fmt.Sprintf("var %s %s = %s", p.Name, p.typeText(), value), nil
}

func isText(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

// wanted says what would have been right.
func (p *Parameter) wanted() string {
	text := ""
	if p.Type != nil {
		text = " (" + p.typeText() + ")"
	}
	if p.Value != "" {
		text += ", whose value in the notebook is " + p.Value
	}
	return text
}

// names lists the parameters for an error.
func (d *declared) names() string {
	if len(d.parameters) == 0 {
		return `the cell tagged "parameters" declares none`
	}
	var names []string
	for _, p := range d.parameters {
		name := p.Name
		if p.Value != "" {
			name += " = " + p.Value
		}
		names = append(names, name)
	}
	return "there are " + strings.Join(names, ", ")
}

// note writes a field of "nnkit" in the notebook's metadata; nil takes it out.
func note(nb *notebook.Notebook, name string, value any) {
	if nb.Metadata == nil {
		nb.Metadata = map[string]any{}
	}
	fields := map[string]any{}
	if old, ok := nb.Metadata[metadataName].(map[string]any); ok {
		fields = old
	}
	if fields[name] = value; value == nil {
		delete(fields, name)
	}
	nb.Metadata[metadataName] = fields
}

// metadataName is where in the notebook's metadata everything of this package stands.
const metadataName = "nnkit"
