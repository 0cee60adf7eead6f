package debug

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// work and square are as generated text has them.
func work(n int) (total int) {
	f := Enter("/cell/1.go", "work")
	defer f.Leave()
	f.At(1, 2, "n total", func() []any { return []any{&n, &total} })
	for i := range n {
		f.At(2, 2, "n total i", func() []any { return []any{&n, &total, &i} })
		total += square(i)
	}
	f.At(3, 2, "n total", func() []any { return []any{&n, &total} })
	return total
}

func square(x int) int {
	f := Enter("/cell/2.go", "square")
	defer f.Leave()
	f.At(1, 2, "x", func() []any { return []any{&x} })
	if x == 1000 {
		panic("too much")
	}
	return x * x
}

// client asks the package as a session does.
type client struct {
	t      *testing.T
	events chan wire.DebugEvent
	scope  int  // of what was stopped last
	stops  bool // as the events say
}

func attachTo(t *testing.T) *client {
	c := &client{t: t, events: make(chan wire.DebugEvent, 1000)}
	Tell(func(e wire.DebugEvent) { c.events <- e })
	c.ask("attach", nil)
	t.Cleanup(func() {
		c.ask("disconnect", nil)
		Tell(nil)
	})
	return c
}

func (c *client) try(command string, arguments any) wire.Event {
	c.t.Helper()
	text, err := json.Marshal(arguments)
	if err != nil {
		c.t.Fatal(err)
	}
	return Serve(wire.Request{Kind: wire.Debug, ID: 1, Debug: &wire.DebugCommand{Name: command, Arguments: text}})
}

func (c *client) ask(command string, arguments any) string {
	c.t.Helper()
	e := c.try(command, arguments)
	if e.Err != "" {
		c.t.Fatalf("%s: %s", command, e.Err)
	}
	return string(e.Body)
}

// stopped waits for a stop, and tells where: "square:1 work:2 | x=3".
func (c *client) stopped() string {
	c.t.Helper()
	for {
		select {
		case e := <-c.events:
			if stops := e.Name == "stopped"; stops == c.stops {
				c.t.Errorf("%s twice, with nothing between", e.Name)
			} else if c.stops = stops; !stops {
				continue
			}
		case <-time.After(time.Minute):
			c.t.Fatal("nothing stops")
		}
		break
	}
	var stack struct {
		StackFrames []struct {
			ID   int
			Name string
			Line int
		}
	}
	var scopes struct {
		Scopes []struct{ VariablesReference int }
	}
	var list struct{ Variables []variable }
	read := func(command string, arguments map[string]any, body any) {
		c.t.Helper()
		if err := json.Unmarshal([]byte(c.ask(command, arguments)), body); err != nil {
			c.t.Fatal(err)
		}
	}
	read("stackTrace", nil, &stack)
	read("scopes", map[string]any{"frameId": stack.StackFrames[0].ID}, &scopes)
	c.scope = scopes.Scopes[0].VariablesReference
	read("variables", map[string]any{"variablesReference": c.scope}, &list)
	var all []string
	for _, f := range stack.StackFrames {
		all = append(all, fmt.Sprintf("%s:%d", f.Name, f.Line))
	}
	all = append(all, "|")
	for _, v := range list.Variables {
		all = append(all, v.Name+"="+v.Value)
	}
	return strings.Join(all, " ")
}

func (c *client) breakAt(file string, points ...wire.Breakpoint) {
	c.ask("setBreakpoints", wire.BreakpointsArguments{File: file, Breakpoints: points})
}

func equals(name, number string) *wire.Expr {
	return &wire.Expr{Op: "==", X: &wire.Expr{Op: "name", Text: name}, Y: &wire.Expr{Op: "int", Text: number}}
}

func TestSteps(t *testing.T) {
	if got := work(4); got != 14 || len(stacks) > 0 {
		t.Fatalf("without a debugger: %d, stacks %v", got, stacks)
	}
	c := attachTo(t)
	c.breakAt("/cell/1.go", wire.Breakpoint{Line: 2, Condition: equals("i", "2")})
	result := make(chan int)
	go func() { result <- work(4) }()
	want := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	want("where the condition holds", c.stopped(), "work:2 | n=4 total=1 i=2")
	c.ask("stepIn", nil)
	want("a step into", c.stopped(), "square:1 work:2 | x=2")
	c.ask("setVariable", wire.SetVariableArguments{VariablesReference: c.scope, Name: "x", Expr: &wire.Expr{Op: "int", Text: "10"}})
	if e := c.try("setVariable", wire.SetVariableArguments{VariablesReference: c.scope, Name: "x", Expr: &wire.Expr{Op: "string", Text: `"a"`}}); e.Err != `x: "a" cannot be a int` {
		t.Errorf("a text for a number: %q", e.Err)
	}
	c.ask("stepOut", nil)
	want("a step out", c.stopped(), "work:2 | n=4 total=101 i=3")
	c.breakAt("/cell/1.go", wire.Breakpoint{Line: 3, Condition: equals("nothing", "1")})
	c.ask("next", nil)
	want("a condition that means nothing", c.stopped(), "work:3 | n=4 total=110")
	c.ask("next", nil) // behind the last statement
	if got := <-result; got != 110 {
		t.Errorf("the result is %d, want 110", got)
	}
	if e := c.try("next", nil); !strings.Contains(e.Err, "nothing is stopped") || watched.Load() != 0 || len(stacks) > 0 {
		t.Errorf("at the end: %q, watched %d, stacks %v", e.Err, watched.Load(), stacks)
	}
	if e := c.try("variables", map[string]any{"variablesReference": c.scope}); e.Err == "" {
		t.Error("there are still variables")
	}
}

// TestLoopOfOneLine stops in each turn of a loop, once for the statements of a line.
func TestLoopOfOneLine(t *testing.T) {
	c := attachTo(t)
	c.breakAt("/cell/4.go", wire.Breakpoint{Line: 1})
	ended := make(chan bool)
	go func() {
		defer close(ended)
		f := Enter("/cell/4.go", "loop")
		defer f.Leave()
		f.At(1, 1, "", nil)
		for i := range 3 {
			f.At(2, 2, "i", func() []any { return []any{&i} })
			f.At(2, 9, "i", func() []any { return []any{&i} })
		}
		f.At(4, 1, "", nil)
	}()
	for _, want := range []string{"loop:1 |", "loop:2 | i=0", "loop:2 | i=1", "loop:2 | i=2", "loop:4 |"} {
		if at := c.stopped(); at != want {
			t.Errorf("stopped at %s, want %s", at, want)
		}
		c.ask("next", nil)
	}
	<-ended
}

// TestPanic stops once, where the panic comes from, and leaves the panic alone.
func TestPanic(t *testing.T) {
	c := attachTo(t)
	c.ask("setExceptionBreakpoints", map[string]any{"filters": []string{"panic"}})
	got := make(chan any)
	go func() {
		defer func() { got <- recover() }()
		outer := func() { // a caller that stops as well
			f := Enter("/cell/3.go", "outer")
			defer f.Leave()
			f.At(1, 2, "", nil)
			square(1000)
		}
		outer()
	}()
	if at := c.stopped(); at != "square:1 outer:1 | x=1000" {
		t.Error(at)
	}
	c.ask("continue", nil)
	if p := <-got; p != "too much" {
		t.Errorf("the panic is %v", p)
	}
	if len(c.events) > 1 || len(stacks) > 0 { // but for continued
		t.Errorf("%d more events, stacks %v", len(c.events), stacks)
	}
}

// TestGoroutines has many come to a breakpoint at once: each is stopped for itself.
func TestGoroutines(t *testing.T) {
	c := attachTo(t)
	c.breakAt("/cell/2.go", wire.Breakpoint{Line: 1})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { work(3) })
	}
	for range 8 * 3 {
		if at := c.stopped(); !strings.HasPrefix(at, "square:1 work:2 | x=") {
			t.Errorf("stopped at %s", at)
		}
		c.ask("continue", nil)
	}
	all.Wait()
	stacksMu.Lock()
	defer stacksMu.Unlock()
	if len(stacks) > 0 {
		t.Errorf("%d goroutines are left", len(stacks))
	}
}

// TestDetached lets a goroutine go on whose client goes away.
func TestDetached(t *testing.T) {
	c := attachTo(t)
	c.breakAt("/cell/1.go", wire.Breakpoint{Line: 2})
	result := make(chan int)
	go func() { result <- work(5) }()
	c.stopped()
	c.ask("disconnect", nil)
	if got := <-result; got != 30 {
		t.Errorf("the result is %d", got)
	}
}

// FuzzServe asks arbitrary things of a program that is stopped. The answers are JSON,
// and the program goes on when the debugger leaves.
func FuzzServe(f *testing.F) {
	for _, q := range [][2]string{
		{"stackTrace", `{"startFrame":1,"levels":-1}`},
		{"scopes", `{"frameId":-1}`},
		{"variables", `{"variablesReference":1,"start":-3,"count":1e9}`},
		{"evaluate", `{"frameId":1,"expr":{"op":"index","x":{"op":"name","text":"x"},"y":{"op":"int","text":"-1"}}}`},
		{"evaluate", `{"expr":{"op":"char","text":"'"}}`},
		{"evaluate", `{"expr":{"op":"+"}}`},
		{"evaluate", `{}`},
		{"globals", `{}`},
		{"evaluate", `{"frameId":1,"rich":true,"expr":{"op":"%","x":{"op":"name","text":"x"},"y":{"op":"float","text":"1e309"}}}`},
		{"setVariable", `{"variablesReference":1,"name":"x","expr":{"op":"int","text":"1000"}}`},
		{"setExceptionBreakpoints", `{"filters":["panic"]}`},
		{"setBreakpoints", `{"file":"/cell/1.go","breakpoints":[{"line":3}]}`},
		{"stepIn", `{}`},
		{"next", ``},
		{"pause", `null`},
		{"disconnect", ``},
		{"threads", `[]`},
	} {
		f.Add(q[0], q[1])
	}
	f.Fuzz(func(t *testing.T, command, arguments string) {
		c := attachTo(t)
		c.breakAt("/cell/2.go", wire.Breakpoint{Line: 1})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer func() { _ = recover() }() // square's, where x was set
			work(2)
		}()
		c.stopped()
		e := Serve(wire.Request{Kind: wire.Debug, ID: 1, Debug: &wire.DebugCommand{Name: command, Arguments: json.RawMessage(arguments)}})
		if e.Kind != wire.Debugged || e.ID != 1 || e.Err == "" && e.Body != nil && !json.Valid(e.Body) {
			t.Errorf("%s %s: %+v", command, arguments, e)
		}
		c.ask("disconnect", nil)
		<-ended
	})
}
