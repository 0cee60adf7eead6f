package program

import (
	"maps"
	"strings"
)

// A cell can be a program that runs elsewhere: in the page that shows the notebook,
// compiled for another system. To such a program the notebook is what it is to a cell
// that has a process of its own (see alone.go): functions, types and constants are
// there, a variable that a declaration makes is made anew, and values are not. What
// only that system has, such a cell can declare for those after it; the cells that run
// here do not see it.

// elsewhere is what cells for the page have declared.
type elsewhere struct {
	imports map[string]string
	units   map[string]*unit
}

// notInPage is why a variable has no value in the page.
const notInPage = "its value is in the kernel's process, and this cell runs in the page"

// PlanPage works out the program that a cell is in the page, with what the
// configuration tells of the page's system. The package has no function main: who
// builds it adds one. Positions are those that Whole gives.
func (p *Program) PlanPage(source string, label int, config Config) (*Plan, error) {
	q := p.inPage(config)
	plan, err := q.Plan(source, label)
	p.serial = q.serial
	if err != nil {
		return nil, err
	}
	plan.Source = p.Placed(plan.Source)
	return plan, nil
}

// PageView is View for cells of the page.
func (p *Program) PageView() *View {
	v := p.inPage(p.config).View()
	v.Generation = p.generation
	return v
}

// inPage is the program as cells of the page see it.
func (p *Program) inPage(config Config) *Program {
	config.Alone, config.Whole, config.Page = true, true, true
	q := New(config)
	q.fset, q.serial, q.labels, q.sources = p.fset, p.serial, p.labels, p.sources
	maps.Copy(q.imports, p.page.imports)
	maps.Copy(q.imports, p.imports)
	q.dots = p.dots
	copies := map[*unit]*unit{}
	first := func(u *unit) *unit { // nothing is loaded, so there is one version of it
		if copies[u] == nil {
			c := *u
			c.version, copies[u] = 1, &c
		}
		return copies[u]
	}
	for name, u := range p.units {
		q.units[name] = first(u)
	}
	for name, v := range p.vars {
		if u := p.declared[name]; u != nil && u.serial == v.serial {
			q.units[name] = first(u)
			for _, key := range u.inits {
				q.units[key] = first(p.declared[key])
			}
		} else {
			q.vars[name] = &variable{name: name, serial: v.serial, unusable: notInPage}
		}
	}
	for name, u := range p.page.units {
		if old := q.units[name]; old != nil && old.serial > u.serial {
			continue
		}
		if old := q.vars[name]; old != nil && old.serial > u.serial {
			continue
		}
		q.units[name] = u
		delete(q.vars, name)
	}
	return q
}

// declare notes how a cell declares its variables, and forgets what belonged to
// variables that are declared in another way since.
func (p *Program) declare(units map[string]*unit) {
	maps.Copy(p.declared, units)
	needed := map[string]bool{}
	for _, u := range p.declared {
		for _, key := range u.inits {
			needed[key] = true
		}
	}
	maps.DeleteFunc(p.declared, func(key string, u *unit) bool {
		v := p.vars[key]
		return u.kind == initUnit && !needed[key] || u.kind == varUnit && (v == nil || v.serial != u.serial)
	})
}

// CommitPage keeps what the plan of a cell for the page declares, for those after it.
func (p *Program) CommitPage(plan *Plan) {
	for name, path := range plan.candidate.imports {
		if p.imports[name] != path {
			p.page.imports[name] = path
		}
	}
	for name, u := range plan.candidate.units {
		if u.serial == plan.ID {
			p.page.units[name] = u
		}
	}
}

// removePage forgets what cells for the page have declared by a name, and tells
// whether they had.
func (p *Program) removePage(name string) bool {
	u := p.page.units[name]
	if u == nil {
		return false
	}
	for _, n := range u.names {
		delete(p.page.units, n)
	}
	maps.DeleteFunc(p.page.units, func(key string, _ *unit) bool { return strings.HasPrefix(key, name+".") })
	return true
}
