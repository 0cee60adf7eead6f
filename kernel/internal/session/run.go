package session

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

// programCommands say how the cell's Go is run. Those without anything to do here
// are package cell's and program's: the text is printed another way.
var programCommands = []command{
	{names: []string{"%main", "%%"}, usage: "[ARG…]", help: "the program's arguments, which package flag reads here", run: (*call).main},
	{names: []string{"%args"}, usage: "[ARG…]", help: "the program's arguments, for os.Args and flag.Parse", run: (*call).setProgramArgs},
	{names: []string{"%exec"}, usage: "FUNC [ARG…]", help: "call a function when the statements are over, flags read before", early: true, offers: offerDeclared, run: (*call).exec},
	{names: []string{"%test"}, usage: "[-test.FLAG…]", help: "run the tests and benchmarks of the cell, or all if it has none", early: true, run: (*call).test},
	{names: []string{"%time"}, usage: "STATEMENT", help: "measure the statements on the line: time by the clock and of processors, allocations", whole: true, run: func(c *call) error {
		if c.Args == "" {
			return errUsage
		}
		return nil
	}},
	{names: []string{"%%time"}, help: "measure the cell", run: noArgs},
	{names: []string{"%nocheck"}, help: "no checks for an interrupt in this cell's loops: the tightest are faster, but only an end of the process stops them", run: noArgs},
}

// noArgs is for commands that stand for themselves.
func noArgs(c *call) error {
	if len(c.args) > 0 {
		return errUsage
	}
	return nil
}

func (c *call) main() error { return c.setArgs(c.ctx, c.args, true) }

func (c *call) setProgramArgs() error { return c.setArgs(c.ctx, c.args, false) }

// exec adds a call to the end of the cell, and %main before it.
func (c *call) exec() error {
	if len(c.args) == 0 || !token.IsIdentifier(c.args[0]) {
		return errUsage
	}
	main := call{execution: c.execution, command: lookUp("%main"), args: c.args[1:], number: len(c.calls)}
	main.Start, main.Place = c.Start, cell.Before
	if c.cell.HasStatements() {
		main.Place = cell.Between
	}
	c.calls = append(c.calls, main)
	c.added = append(c.added, "%main", c.args[0]+"()")
	return nil
}

// test adds a call that runs the tests which the cell declares, or those of all
// cells if there are none or the flags choose.
func (c *call) test() error {
	own := testsAmong(func(yield func(string) bool) {
		for _, d := range c.cell.Decls {
			if f, ok := d.Node.(*ast.FuncDecl); ok && f.Recv == nil && !yield(f.Name.Name) {
				return
			}
		}
	})
	found, flags := own, c.args
	if len(own) == 0 || len(flags) > 0 {
		found = slices.Compact(slices.Sorted(slices.Values(append(own, testsAmong(func(yield func(string) bool) {
			for _, d := range c.program.Declarations() {
				if d.Kind == "func" && !yield(d.Name) {
					return
				}
			}
		})...))))
	}
	if len(found) == 0 {
		return errors.New("there are no tests: declare func TestName(t *testing.T) or func BenchmarkName(b *testing.B)")
	}
	var tests, benchmarks []string
	for _, name := range found {
		entry := fmt.Sprintf("{Name: %q, F: %s}", name, name)
		if strings.HasPrefix(name, "Test") {
			tests = append(tests, entry)
		} else {
			benchmarks = append(benchmarks, entry)
		}
	}
	if len(flags) == 0 {
		flags = []string{"-test.v", "-test.bench=."}
	}
	c.added = append(c.added,
		fmt.Sprintf("import livetestʹ %q", modulePath+"/kernel/worker/livetest"),
		fmt.Sprintf("livetestʹ.Run(%#v, []livetestʹ.Test{%s}, []livetestʹ.Benchmark{%s})", flags, strings.Join(tests, ", "), strings.Join(benchmarks, ", ")))
	return nil
}

// testsAmong returns the names that go test would take for tests and benchmarks.
func testsAmong(names iter.Seq[string]) []string {
	var found []string
	for name := range names {
		for _, prefix := range []string{"Test", "Benchmark"} {
			rest, ok := strings.CutPrefix(name, prefix)
			if first, _ := utf8.DecodeRuneInString(rest); ok && !unicode.IsLower(first) && name != "TestMain" {
				found = append(found, name)
			}
		}
	}
	return found
}
