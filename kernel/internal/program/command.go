package program

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strconv"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// commands prints a call for each command that stands between statements.
func (p *printer) commands() []edit {
	var edits []edit
	for i, c := range p.cell.Commands {
		if c.Place == cell.Between {
			edits = append(edits, edit{c.Start, c.Start, fmt.Sprintf("if %s.Command(%d) { return }; ", live, i)})
		}
	}
	return edits
}

// timings prints what measures the statements of a line, before the first of them
// and behind the last.
func (p *printer) timings() (begins, ends []edit) {
	var line int
	var name string
	at := -1 // where the measured line's last statement ends so far
	end := func() {
		if at >= 0 {
			ends = append(ends, edit{at, at, fmt.Sprintf("; %s()", name)})
		}
		at = -1
	}
	for _, n := range p.parts() {
		start := p.cell.Offset(n.Pos())
		on, _ := p.cell.Position(start)
		if at >= 0 && on != line {
			end()
		}
		if !p.cell.TimedAt(start) {
			continue
		}
		if at < 0 {
			line, name = on, fmt.Sprintf("time%s%d", prime, start)
			begins = append(begins, edit{start, start, fmt.Sprintf("%s := %s.Time(); ", name, live)})
		}
		at = p.cell.Offset(n.End())
	}
	end()
	return begins, ends
}

// parts are the statements of the cell, and the expressions of the trailing one.
func (p *printer) parts() []ast.Node {
	var parts []ast.Node
	for _, s := range p.cell.Body.List {
		if _, ok := s.(*ast.EmptyStmt); !ok {
			parts = append(parts, s)
		}
	}
	for _, x := range p.cell.Trailing {
		parts = append(parts, x)
	}
	return parts
}

// flags lists the names, quoted, of the flags of package flag that the cell
// defines.
func (p *printer) flags() []string {
	var names []string
	nodes := p.statements()
	for _, u := range slices.Concat(p.own, p.inits, p.mains) {
		nodes = append(nodes, u.decl.Node)
	}
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && p.definesFlag(call) {
				// flag.Int("n", 1, "…"), flag.IntVar(&n, "n", 1, "…")
				for _, x := range call.Args[:min(2, len(call.Args))] {
					if name := p.constantString(x); name != "" {
						names = append(names, strconv.Quote(name))
						break
					}
				}
			}
			return true
		})
	}
	return names
}

// definesFlag tells of a call whether it is one of package flag's functions for
// the set of flags that a program has.
func (p *printer) definesFlag(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := p.object(sel.Sel).(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "flag" || f.Signature().Recv() != nil {
		return false
	}
	return f.Name() != "Lookup" && f.Name() != "Set" && f.Name() != "NewFlagSet"
}

// constantString is the value of a constant string, "" of anything else.
func (p *printer) constantString(x ast.Expr) string {
	for _, ch := range []checked{p.bodies, p.check} {
		if ch.info == nil {
			continue
		}
		if v := ch.info.Types[x].Value; v != nil && v.Kind() == constant.String {
			return constant.StringVal(v)
		}
	}
	return ""
}
