package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// A Lock is what a notebook's execution rests on. It stands in the notebook's
// metadata, as "nnkit": {"lock": …}.
type Lock struct {
	Format int `json:"format"` // 1

	// The version of Go, the kernel's and a hash of what comes with it for cells to
	// import.
	Go      string `json:"go"`
	Kernel  string `json:"kernel"`
	Sources string `json:"sources"`
	// Modules are those that cells can import, as lines of go.sum.
	Modules []string `json:"modules"`
	// Local are hashes of modules that lie beside the notebook, by their paths.
	Local map[string]string `json:"local,omitempty"`
	// Data are hashes of files that the notebook reads, by their names as seen from
	// the notebook.
	Data map[string]string `json:"data,omitempty"`
	// Seeds are the calls that set one, as they are written.
	Seeds []string `json:"seeds,omitempty"`
	// Parameters are the values of the notebook's parameters, as they are written.
	Parameters map[string]string `json:"parameters,omitempty"`
}

const (
	lockName   = "lock"
	lockFormat = 1
)

// LockOf returns the notebook's lock, nil if it has none.
func LockOf(nb *notebook.Notebook) (*Lock, error) {
	ours, _ := nb.Metadata[metadataName].(map[string]any)
	v, has := ours[lockName]
	if !has {
		return nil, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	l := new(Lock)
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf(`the notebook's lock ("nnkit" in its metadata) cannot be read: %w: "kernel lock" makes it again`, err)
	}
	if l.Format != lockFormat {
		return nil, fmt.Errorf(`the notebook's lock has format %d, and this kernel knows %d: "kernel lock" makes it again`, l.Format, lockFormat)
	}
	return l, nil
}

// Store puts the lock into the notebook's metadata.
func (l *Lock) Store(nb *notebook.Notebook) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	note(nb, lockName, v)
	return nil
}

// String tells in a line what is locked.
func (l *Lock) String() string {
	parts := []string{l.Go, "kernel " + l.Kernel}
	modules := 0
	for _, line := range l.Modules {
		if !strings.Contains(line, "/go.mod ") {
			modules++
		}
	}
	for _, p := range []struct {
		n    int
		what string
	}{{modules, "module"}, {len(l.Local), "module beside the notebook"}, {len(l.Data), "file of data"}, {len(l.Seeds), "seed"}, {len(l.Parameters), "parameter"}} {
		switch p.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+p.what)
		default:
			first, rest, _ := strings.Cut(p.what, " ")
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %ss %s", p.n, first, rest)))
		}
	}
	return strings.Join(parts, ", ")
}

// Survey notes in the lock what the notebook itself holds: seeds, parameters, and the
// files that it reads, together with those that are named. Files are those in dir
// that a cell names in a text, unless it writes them.
func (l *Lock) Survey(nb *notebook.Notebook, dir string, named ...string) error {
	l.Format = lockFormat
	found := &survey{written: map[string]bool{}}
	for _, c := range nb.Cells {
		if c.Type == notebook.Code {
			found.cell(c.Source)
		}
	}
	l.Seeds = found.seeds
	var err error
	if l.Parameters, err = parameterValues(nb); err != nil {
		return err
	}
	l.Data = map[string]string{}
	for _, name := range found.texts {
		if found.written[name] || !filepath.IsLocal(name) {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if l.Data[name], err = hashFile(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range named {
		file := name
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, name)
		}
		if l.Data[filepath.ToSlash(name)], err = hashFile(file); err != nil {
			return fmt.Errorf("a data file to lock: %w", err)
		}
	}
	return nil
}

// parameterValues are the values of the parameters, those given from outside first.
func parameterValues(nb *notebook.Notebook) (map[string]string, error) {
	var values map[string]string
	for _, tag := range []string{ParametersTag, InjectedTag} {
		for _, c := range nb.Cells {
			if c.Type != notebook.Code || !c.Tagged(tag) {
				continue
			}
			d, err := declare(c.Source)
			if err != nil {
				return nil, fmt.Errorf("the cell tagged %q: %w", tag, err)
			}
			for _, p := range d.parameters {
				if p.Value == "" {
					continue
				}
				if values == nil {
					values = map[string]string{}
				}
				values[p.Name] = p.Value
			}
		}
	}
	return values, nil
}

func hashFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// A survey collects what cells say.
type survey struct {
	seeds   []string
	texts   []string        // that may name files
	written map[string]bool // those that the notebook writes
}

// seeding are the functions that set a seed: nnkit's, and those of math/rand.
var seeding = []string{"Seed", "NewPCG", "NewChaCha8", "NewSource"}

// writing are the beginnings of the names of functions that write files.
var writing = []string{"Save", "Write", "Create", "Export", "Checkpoint", "RunLog", "TensorBoard", "Mkdir", "Remove", "Rename", "OpenFile"}

func (s *survey) cell(source string) {
	c, err := cell.Parse(token.NewFileSet(), "cell", source)
	if err != nil {
		return // it will tell when it runs
	}
	visit := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && text != "" {
				s.texts = append(s.texts, text)
			}
		case *ast.CallExpr:
			name := calledName(n)
			if slices.Contains(seeding, name) {
				s.seeds = append(s.seeds, strings.Join(strings.Fields(source[c.Offset(n.Pos()):c.Offset(n.End())]), " "))
			}
			if slices.ContainsFunc(writing, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				for _, arg := range n.Args {
					if lit, ok := arg.(*ast.BasicLit); ok {
						if text, err := strconv.Unquote(lit.Value); err == nil {
							s.written[text] = true
						}
					}
				}
			}
		}
		return true
	}
	for _, d := range c.Decls {
		ast.Inspect(d.Node, visit)
	}
	ast.Inspect(c.Body, visit)
	for _, x := range c.Trailing {
		ast.Inspect(x, visit)
	}
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// CheckData names the locked files in dir that are missing or different.
func (l *Lock) CheckData(dir string) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(l.Data)) {
		file := filepath.FromSlash(name)
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		switch sum, err := hashFile(file); {
		case errors.Is(err, fs.ErrNotExist):
			problems = append(problems, fmt.Sprintf("data file %s is missing", name))
		case err != nil:
			problems = append(problems, fmt.Sprintf("data file %s: %v", name, err))
		case sum != l.Data[name]:
			problems = append(problems, fmt.Sprintf("data file %s is another: %s, locked is %s", name, short(sum), short(l.Data[name])))
		}
	}
	return problems
}

// Check names what is missing or different where the notebook is now, given another
// survey of it there.
func (l *Lock) Check(now *Lock) []string {
	var problems []string
	differs := func(what, was, is string) {
		if was != is {
			problems = append(problems, fmt.Sprintf("%s is %s, locked is %s", what, short(is), short(was)))
		}
	}
	differs("Go", l.Go, now.Go)
	differs("the kernel", l.Kernel, now.Kernel)
	if l.Kernel == now.Kernel {
		differs("the code that comes with the kernel", l.Sources, now.Sources)
	}
	was, is := versions(l.Modules), versions(now.Modules)
	for _, path := range slices.Sorted(maps.Keys(was)) {
		switch v, has := is[path]; {
		case !has:
			problems = append(problems, fmt.Sprintf("module %s %s is missing", path, was[path].version))
		case v.version != was[path].version:
			differs("module "+path, was[path].version, v.version)
		default:
			differs("the content of module "+path+" "+v.version, was[path].sum, v.sum)
		}
	}
	compareMaps := func(what string, was, is map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(was)) {
			if v, has := is[name]; has {
				differs(what+" "+name, was[name], v)
			} else {
				problems = append(problems, fmt.Sprintf("%s %s is missing", what, name))
			}
		}
	}
	compareMaps("the code of module", l.Local, now.Local)
	compareMaps("parameter", l.Parameters, now.Parameters)
	if !slices.Equal(l.Seeds, now.Seeds) {
		problems = append(problems, fmt.Sprintf("the seeds are %s, locked are %s", listed(now.Seeds), listed(l.Seeds)))
	}
	return problems
}

type versionSum struct{ version, sum string }

// versions reads the lines of go.sum that are of modules.
func versions(lines []string) map[string]versionSum {
	found := map[string]versionSum{}
	for _, line := range lines {
		if f := strings.Fields(line); len(f) == 3 && !strings.HasSuffix(f[1], "/go.mod") {
			found[f[0]] = versionSum{f[1], f[2]}
		}
	}
	return found
}

func listed(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, ", ")
}

// short cuts what a person does not compare to the last digit.
func short(hash string) string {
	for _, kind := range []string{"h1:", "sha256:"} {
		if digits, ok := strings.CutPrefix(hash, kind); ok && len(digits) > 12 {
			return kind + digits[:12] + "…"
		}
	}
	return hash
}

// ModuleCode returns the cell that gets the notebook's modules: its commands that do,
// and its imports. It is empty if there are neither.
func ModuleCode(nb *notebook.Notebook) string {
	var commands, imports []string
	for _, c := range nb.Cells {
		if c.Type != notebook.Code {
			continue
		}
		parsed, err := cell.Parse(token.NewFileSet(), "cell", c.Source)
		if err != nil {
			continue // it will tell when it runs
		}
		for _, m := range parsed.Commands {
			if m.Name == "%get" || m.Name == "!*" {
				commands = append(commands, m.Name+" "+m.Args)
			}
		}
		for _, spec := range parsed.Imports {
			line := "import " + c.Source[parsed.Offset(spec.Pos()):parsed.Offset(spec.End())]
			if !slices.Contains(imports, line) {
				imports = append(imports, line)
			}
		}
	}
	return strings.Join(append(commands, imports...), "\n")
}
