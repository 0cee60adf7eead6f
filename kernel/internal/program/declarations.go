package program

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Declaration is what a name of the program means.
type Declaration struct {
	Kind   string // "import", "const", "type", "func", "var"
	Name   string // "T.m" for a method, several names for constants of one declaration
	Detail string // the path of an import, the type of a variable
	Cell   int    // the number of the cell that declares it, 0 for imports
	Lost   string // why a variable has no value
}

var kinds = []string{"import", "const", "type", "func", "var"}

// Declarations lists all that the program declares, by kind and name.
func (p *Program) Declarations() []Declaration {
	var all []Declaration
	for name, importPath := range p.imports {
		if !strings.Contains(name, prime) {
			all = append(all, Declaration{Kind: "import", Name: name, Detail: importPath})
		}
	}
	for _, importPath := range p.dots {
		all = append(all, Declaration{Kind: "import", Name: ".", Detail: importPath})
	}
	for _, u := range sortedUnits(p.units) {
		kind := map[unitKind]string{constUnit: "const", typeUnit: "type", funcUnit: "func", methodUnit: "func"}[u.kind]
		all = append(all, Declaration{Kind: kind, Name: strings.Join(u.names, ", "), Cell: p.labels[u.serial]})
	}
	for _, v := range p.vars {
		all = append(all, Declaration{Kind: "var", Name: v.name, Detail: Unversioned(v.typ), Cell: p.labels[v.serial], Lost: v.unusable})
	}
	slices.SortFunc(all, func(a, b Declaration) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Remove forgets a name's declaration, a type's methods with it. An import goes by
// its name or its path. It tells whether there was one.
func (p *Program) Remove(name string) bool {
	imports := len(p.imports)
	maps.DeleteFunc(p.imports, func(local, importPath string) bool { return local == name || importPath == name })
	found := len(p.imports) < imports
	found = p.removePage(name) || found
	if u := p.units[name]; u != nil {
		found = true
		for _, n := range u.names {
			delete(p.units, n)
		}
		maps.DeleteFunc(p.units, func(key string, _ *unit) bool { return strings.HasPrefix(key, name+".") })
	}
	if _, ok := p.vars[name]; ok {
		found = true
		delete(p.vars, name)
	}
	if found {
		p.unload()
	}
	return found
}

// PlanVariables plans the run of a function that is given pointers to all
// variables that have a value, live.Who. It returns these, in the order of the
// pointers. The plan is not to be committed.
func (p *Program) PlanVariables(label int) (*Plan, []Declaration, error) {
	return p.planVariables(label, nil, func([]string) string { return "Who" })
}

// PlanKeep plans the run of a function that is given pointers to all variables that
// have a value, but for some, and writes them to a file: live.Keep. It returns these,
// in the order of the pointers. The plan is not to be committed.
func (p *Program) PlanKeep(label int, file string, but map[string]string) (*Plan, []Declaration, error) {
	return p.planVariables(label, but, func([]string) string { return fmt.Sprintf("Keep(%q)", file) })
}

// PlanRestore plans the run of a function that is given pointers to variables, and
// the functions and types that live.Keep has asked for, as far as they are still what
// they were: live.Restore. The plan is not to be committed.
func (p *Program) PlanRestore(label int, file string, variables, needs []string) (*Plan, error) {
	wanted := map[string]bool{}
	for _, name := range needs {
		wanted[name] = true
	}
	var values, quoted []string
	for _, name := range variables {
		values = append(values, "&"+name)
	}
	for _, u := range sortedUnits(p.units) {
		var name, value string
		switch {
		case u.kind == typeUnit && !u.generic:
			name, value = typeSymbol(u.key, u.version), "(*"+u.key+")(nil)"
		case u.kind == funcUnit && !u.generic:
			name, value = symbol(u.key, u.version), u.key
		}
		if wanted[name] {
			values, quoted = append(values, value), append(quoted, strconv.Quote(name))
		}
	}
	return p.plan(strings.Join(values, ", "), label, fmt.Sprintf("Restore(%s)", strings.Join(append([]string{strconv.Quote(file)}, quoted...), ", ")))
}

// PlanGlobals plans the run of a function that is given pointers to all variables
// that have a value, and their names: live.Globals. It is nil if there are none. The
// plan is not to be committed.
func (p *Program) PlanGlobals() (*Plan, error) {
	plan, _, err := p.planVariables(0, nil, func(names []string) string { return fmt.Sprintf("Globals(%q)", strings.Join(names, " ")) })
	return plan, err
}

// planVariables plans the call of a function of package live, which is made of the
// variables' names; some are left out.
func (p *Program) planVariables(label int, but map[string]string, function func(names []string) string) (*Plan, []Declaration, error) {
	var vars []Declaration
	var names, pointers []string
	for _, d := range p.Declarations() {
		if _, out := but[d.Name]; d.Kind == "var" && d.Lost == "" && !out {
			vars = append(vars, d)
			names, pointers = append(names, d.Name), append(pointers, "&"+d.Name)
		}
	}
	if vars == nil {
		return nil, nil, nil
	}
	plan, err := p.plan(strings.Join(pointers, ", "), label, function(names))
	return plan, vars, err
}

// PlanVariable is PlanVariables for one variable.
func (p *Program) PlanVariable(name string, label int) (*Plan, error) {
	return p.plan("&"+name, label, "Who")
}
