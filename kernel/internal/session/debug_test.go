package session

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// debugClient is a client of a session's debugger.
type debugClient struct {
	t       testing.TB
	session *Session
	seq     int
	events  chan message.DebugEvent

	frame, scope int // the last ones that it was told of
}

func newDebugClient(t testing.TB, s *Session) *debugClient {
	return &debugClient{t: t, session: s, events: make(chan message.DebugEvent, 100)}
}

// try sends a request.
func (c *debugClient) try(command string, arguments any) message.DebugReply {
	c.t.Helper()
	text, err := json.Marshal(arguments)
	if err != nil {
		c.t.Fatal(err)
	}
	c.seq++
	req := message.DebugRequest{Type: "request", Seq: c.seq, Command: command, Arguments: text}
	reply := c.session.Debug(context.Background(), &req, func(e message.DebugEvent) { c.events <- e })
	if reply.RequestSeq != c.seq || reply.Command != command || reply.Type != "response" {
		c.t.Errorf("the reply to %s is %+v", command, reply)
	}
	return reply
}

// ask sends a request that has to succeed, and reads the body of the reply into body.
func (c *debugClient) ask(command string, arguments, body any) {
	c.t.Helper()
	reply := c.try(command, arguments)
	if !reply.Success {
		c.t.Fatal(reply.Message)
	}
	text, err := json.Marshal(reply.Body)
	if err == nil && body != nil {
		err = json.Unmarshal(text, body)
	}
	if err != nil {
		c.t.Fatalf("%s: %v in %s", command, err, text)
	}
}

// attach begins to debug.
func (c *debugClient) attach() {
	c.t.Helper()
	c.ask("initialize", map[string]any{"clientID": "test"}, nil)
	c.ask("attach", map[string]any{}, nil)
}

// event waits for an event, and forgets those before it.
func (c *debugClient) event(name string) map[string]any {
	c.t.Helper()
	for {
		select {
		case e := <-c.events:
			if e.Event == name {
				body := map[string]any{}
				if text, ok := e.Body.(json.RawMessage); ok {
					if err := json.Unmarshal(text, &body); err != nil {
						c.t.Fatal(err)
					}
				}
				return body
			}
		case <-time.After(time.Minute):
			c.t.Fatalf("no event %q", name)
		}
	}
}

// breakAt sets breakpoints in a cell and returns their lines.
func (c *debugClient) breakAt(code string, points ...any) []int {
	c.t.Helper()
	var dumped struct{ SourcePath string }
	c.ask("dumpCell", map[string]any{"code": code}, &dumped)
	var set struct {
		Breakpoints []struct {
			Verified bool
			Line     int
		}
	}
	c.ask("setBreakpoints", map[string]any{"source": map[string]any{"path": dumped.SourcePath}, "breakpoints": points}, &set)
	c.ask("configurationDone", nil, nil)
	var lines []int
	for _, b := range set.Breakpoints {
		if b.Verified {
			lines = append(lines, b.Line)
		}
	}
	return lines
}

func line(n int) any { return map[string]any{"line": n} }

type debugVariable struct {
	Name, Value, Type, EvaluateName string
	VariablesReference              int
}

// where is the stack, and what can be seen in its innermost frame: "inner:3 main:7 | a=1 b=2".
func (c *debugClient) where() string {
	c.t.Helper()
	var stack struct {
		StackFrames []struct {
			ID     int
			Name   string
			Line   int
			Source struct{ Path string }
		}
	}
	c.ask("stackTrace", map[string]any{"threadId": 1}, &stack)
	if top := stack.StackFrames[0].ID; top <= c.frame {
		c.t.Errorf("frame %d after frame %d: a client may take it for the same", top, c.frame)
	}
	c.frame = stack.StackFrames[len(stack.StackFrames)-1].ID
	var parts []string
	for _, f := range stack.StackFrames {
		parts = append(parts, fmt.Sprintf("%s:%d", f.Name, f.Line))
	}
	parts = append(parts, "|")
	for _, v := range c.locals(stack.StackFrames[0].ID) {
		parts = append(parts, v.Name+"="+v.Value)
	}
	return strings.Join(parts, " ")
}

func (c *debugClient) locals(frame int) []debugVariable {
	c.t.Helper()
	var scopes struct {
		Scopes []struct{ VariablesReference int }
	}
	c.ask("scopes", map[string]any{"frameId": frame}, &scopes)
	c.scope = scopes.Scopes[0].VariablesReference
	return c.variables(c.scope)
}

func (c *debugClient) variables(reference int) []debugVariable {
	c.t.Helper()
	var body struct{ Variables []debugVariable }
	c.ask("variables", map[string]any{"variablesReference": reference}, &body)
	return body.Variables
}

// step sends a request that lets the cell go on and waits for where it stops.
func (c *debugClient) step(command string) string {
	c.t.Helper()
	c.ask(command, map[string]any{"threadId": 1}, nil)
	c.event("stopped")
	return c.where()
}

// start begins to execute a cell. What it returns waits for the cell's end.
func (c *debugClient) start(code string) (end func() (message.ExecuteReply, string)) {
	c.frame = 0 // it may be another process
	rec := &recorder{}
	done := make(chan message.ExecuteReply, 1)
	go func() {
		done <- c.session.Execute(context.Background(), 1, &message.ExecuteRequest{Code: code}, rec)
	}()
	return func() (message.ExecuteReply, string) {
		c.t.Helper()
		select {
		case reply := <-done:
			return reply, rec.take()
		case <-time.After(time.Minute):
			c.t.Fatal("the cell does not end")
			return message.ExecuteReply{}, ""
		}
	}
}

// finish lets the cell go on to its end.
func (c *debugClient) finish(end func() (message.ExecuteReply, string)) string {
	c.t.Helper()
	c.ask("continue", map[string]any{"threadId": 1}, nil)
	reply, out := end()
	if reply.Status != "ok" {
		c.t.Errorf("the cell ends with %s: %s", reply.ErrorName, reply.ErrorValue)
	}
	return out
}

func (c *debugClient) want(what, got, want string) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

// bothWays runs a test in a live session, and where each cell has a process of its own.
func bothWays(t *testing.T, test func(t *testing.T, c *debugClient)) {
	for name, alone := range map[string]bool{"live": false, "alone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSessionWith(t, Config{Alone: alone})
			<-s.started
			test(t, newDebugClient(t, s))
		})
	}
}

const debuggedFunctions = `type point struct{ x, y int }

func (p *point) scale(by int) {
	p.x *= by
	p.y *= by
}

func add(a, b int) int {
	sum := a + b

	return sum
}`

const debuggedCell = `total := 0
p := &point{1, 2}
for i := range 3 {
	total += add(i, 10)
	p.scale(2)
}
fmt.Println(total, *p)`

func TestDebug(t *testing.T) {
	bothWays(t, func(t *testing.T, c *debugClient) {
		end := c.start(debuggedFunctions) // before the debugger is there
		end()
		c.attach()
		if lines := c.breakAt(debuggedFunctions, line(10), line(99)); !slices.Equal(lines, []int{11}) {
			t.Errorf("breakpoints in lines %v, want 11, the next one with a statement", lines)
		}
		if lines := c.breakAt(debuggedCell, line(4)); !slices.Equal(lines, []int{4}) {
			t.Errorf("breakpoints in lines %v, want 4", lines)
		}
		end = c.start(debuggedCell)
		body := c.event("stopped")
		if body["reason"] != "breakpoint" || body["threadId"] != 1.0 {
			t.Errorf("stopped with %v", body)
		}
		c.want("the first stop", c.where(), "main:4 | total=0 p=&point{x: 1, y: 2} i=0")
		c.want("step into", c.step("stepIn"), "add:9 main:4 | a=0 b=10")
		c.want("step over", c.step("next"), "add:11 main:4 | a=0 b=10 sum=10")
		c.want("step out", c.step("stepOut"), "main:5 | total=10 p=&point{x: 1, y: 2} i=0")
		c.want("step over a call", c.step("next"), "main:4 | total=10 p=&point{x: 2, y: 4} i=1")
		c.want("on to the breakpoint in add", c.step("continue"), "add:11 main:4 | a=1 b=10 sum=11")
		var set debugVariable
		c.ask("setVariable", map[string]any{"variablesReference": c.scope, "name": "sum", "value": "0"}, nil)
		c.ask("evaluate", map[string]any{"expression": "sum + b*2 == 20"}, &struct{ Result *string }{&set.Value})
		c.want("an expression", set.Value, "true")
		c.breakAt(debuggedFunctions)
		c.breakAt(debuggedCell)
		c.want("what the cell prints", c.finish(end), "stdout: 22 {8 16}\n")

		// Nothing is stopped any more.
		if reply := c.try("next", map[string]any{"threadId": 1}); reply.Success || !strings.Contains(reply.Message, "run") {
			t.Errorf("a step without a stop: %+v", reply)
		}
		c.ask("disconnect", map[string]any{}, nil)
		reply, out := c.start(debuggedCell)()
		c.want("without a debugger", reply.Status+" "+out, "ok stdout: 33 {8 16}\n")
	})
}

func TestDebugVariables(t *testing.T) {
	s := newTestSession(t)
	<-s.started
	c := newDebugClient(t, s)
	c.start("type node struct { name string; next *node; set map[string]int }\nlist := &node{\"a\", &node{name: \"b\"}, map[string]int{\"two\": 2, \"one\": 1}}\nmany := make([]float64, 1234)\nvar any1 any = []int{7, 8}")()
	c.attach()

	// While nothing runs, the notebook's variables are there.
	var all struct{ Variables []debugVariable }
	c.ask("inspectVariables", map[string]any{}, &all)
	var names []string
	for _, v := range all.Variables {
		names = append(names, v.Name+" "+v.Type)
	}
	c.want("the notebook's variables", strings.Join(names, ", "), "any1 any ([]int), list *node, many []float64")
	var rich struct{ Data map[string]any }
	c.ask("richInspectVariables", map[string]any{"variableName": "any1"}, &rich)
	c.want("a rich value", fmt.Sprint(rich.Data["text/plain"]), "[7 8]")

	const code = "local := \"é\"\nshow := list.next\nlocal, show"
	c.breakAt(code, line(3))
	end := c.start(code)
	c.event("stopped")
	c.want("where", c.where(), `main:3 | local="é" show=&node{name: "b", next: nil, set: nil}`)
	var scopes struct {
		Scopes []struct {
			Name               string
			VariablesReference int
		}
	}
	c.ask("scopes", map[string]any{"frameId": c.frame}, &scopes)
	globals := map[string]debugVariable{}
	for _, v := range c.variables(scopes.Scopes[1].VariablesReference) {
		globals[v.Name] = v
	}
	var told []string
	for _, v := range c.variables(globals["list"].VariablesReference) {
		told = append(told, fmt.Sprintf("%s %s = %s (%s)", v.Name, v.Type, v.Value, v.EvaluateName))
		if v.Name == "set" {
			for _, e := range c.variables(v.VariablesReference) {
				told = append(told, fmt.Sprintf("%s %s = %s (%s)", e.Name, e.Type, e.Value, e.EvaluateName))
			}
		}
	}
	groups := c.variables(globals["many"].VariablesReference)
	told = append(told, fmt.Sprintf("%d groups, the last one %s: %s", len(groups), groups[len(groups)-1].Name, groups[len(groups)-1].Value))
	c.want("parts of variables", strings.Join(told, "\n"), `name string = "a" (list.name)
next *node = &node{name: "b", next: nil, set: nil} (list.next)
set map[string]int = map[string]int{"one": 1, "two": 2} (list.set)
"one" int = 1 (list.set["one"])
"two" int = 2 (list.set["two"])
13 groups, the last one [1200 … 1233]: 34 elements`)

	for expression, want := range map[string]string{
		`list.set["two"] + len(many)`: "1236",
		`list.next.name`:              `"b"`,
		`*list.next`:                  `node{name: "b", next: nil, set: nil}`,
		`many[0] < 1.5 && !(1 == 2)`:  "true",
		`-any1[1] % 3`:                "evaluate: any has no elements",
		`list.nothing`:                "evaluate: a node has no field nothing",
		`many[5000]`:                  "evaluate: index 5000 of 1234 elements",
		`list.next.next.name`:         "evaluate: a *node has no field name",
		`f(1)`:                        "evaluate: the debugger reads variables, their fields and elements, and calls nothing but len",
		`1 +`:                         `evaluate: "1 +" is no Go expression: 1:4: expected operand, found 'EOF'`,
		`missing`:                     "evaluate: there is no variable missing here",
		`local + 1`:                   "evaluate: string + int",
	} {
		reply := c.try("evaluate", map[string]any{"expression": expression, "frameId": c.frame})
		got := reply.Message
		if reply.Success {
			var value struct{ Result string }
			text, _ := json.Marshal(reply.Body)
			_ = json.Unmarshal(text, &value)
			got = value.Result
		}
		if expression == `-any1[1] % 3` { // an interface is looked into
			want = "-2"
		}
		c.want(expression, got, want)
	}
	var info message.DebugInfo
	c.ask("debugInfo", nil, &info)
	if !info.IsStarted || !slices.Equal(info.StoppedThreads, []int{1}) || len(info.Breakpoints) != 1 {
		t.Errorf("debugInfo tells %+v", info)
	}
	var source struct{ Content string }
	c.ask("source", map[string]any{"source": map[string]any{"path": info.Breakpoints[0].Source}}, &source)
	c.want("the source", source.Content, code)
	c.finish(end)
}

func TestDebugStops(t *testing.T) {
	bothWays(t, func(t *testing.T, c *debugClient) {
		c.attach()
		c.ask("setExceptionBreakpoints", map[string]any{"filters": []string{"panic", "error"}}, nil)
		end := c.start("func at(s []int, i int) int {\n\treturn s[i]\n}\nn := at([]int{1}, 5)\nn")
		body := c.event("stopped")
		c.want("a panic", fmt.Sprint(body["reason"]), "exception")
		c.want("where it panics", c.where(), "at:2 main:4 | s=[]int{1} i=5")
		c.ask("continue", map[string]any{"threadId": 1}, nil)
		if reply, _ := end(); !strings.Contains(reply.ErrorValue, "index out of range [5]") {
			t.Errorf("the panic is told as %q", reply.ErrorValue)
		}

		end = c.start("f := os.Open(\"nothing\")\nf")
		body = c.event("stopped")
		c.want("an error", fmt.Sprint(body["reason"], " ", body["text"]), "exception open nothing: no such file or directory")
		c.ask("continue", map[string]any{"threadId": 1}, nil)
		if reply, _ := end(); reply.Status != "error" {
			t.Error("the error is gone")
		}
		c.ask("setExceptionBreakpoints", map[string]any{"filters": []string{}}, nil)

		// A condition, and goroutines that all come to the breakpoint.
		const code = "var wait sync.WaitGroup\nhits := make(chan int, 9)\nfor i := range 9 {\n\twait.Go(func() {\n\t\thits <- i\n\t})\n}\nwait.Wait()\nlen(hits)"
		c.breakAt(code, map[string]any{"line": 5, "condition": "i % 4 == 1"})
		end = c.start(code)
		var stops []string
		for range 2 {
			c.event("stopped")
			_, local, _ := strings.Cut(c.where(), " i=")
			stops = append(stops, local)
			c.ask("continue", map[string]any{"threadId": 1}, nil)
		}
		slices.Sort(stops)
		c.want("where the condition holds", strings.Join(stops, " "), "1 5")
		reply, out := end()
		c.want("the goroutines' cell", reply.Status+" "+out, "ok result: text/plain 9\n")

		// An endless loop is paused, and interrupted while it is stopped.
		c.breakAt(code)
		const endless = "k := 0\nfor {\n\tk++\n}"
		end = c.start(endless)
		for c.try("pause", map[string]any{"threadId": 1}).Success == false {
			time.Sleep(10 * time.Millisecond)
		}
		body = c.event("stopped")
		c.want("a pause", fmt.Sprint(body["reason"]), "pause")
		if err := c.session.Interrupt(context.Background()); err != nil {
			t.Fatal(err)
		}
		if reply, _ := end(); reply.ErrorName != "Interrupted" && reply.ErrorName != "interrupted" {
			t.Errorf("an interrupt while stopped ends the cell with %+v", reply)
		}
		c.event("continued")
	})
}

// TestDebugGone lets the client of a stopped cell go away, and ends a session and a
// worker that are stopped.
func TestDebugGone(t *testing.T) {
	s := newTestSession(t)
	<-s.started
	c := newDebugClient(t, s)
	c.attach()
	const code = "kept := 1\nkept++\nkept"
	for range 3 {
		c.breakAt(code, line(2))
		end := c.start(code)
		c.event("stopped")
		c.ask("disconnect", map[string]any{}, nil)
		reply, out := end()
		c.want("after the client has gone", reply.Status+" "+out, "ok result: text/plain 2\n")
		c.attach()
	}

	c.breakAt(code, line(2))
	end := c.start(code)
	c.event("stopped")
	s.runner.current().Kill()
	if reply, _ := end(); reply.ErrorName != "SessionEnded" {
		t.Errorf("a worker that is killed while stopped: %+v", reply)
	}
	c.event("continued")

	// The next worker knows the breakpoint.
	end = c.start(code)
	c.event("stopped")
	c.want("in the next worker", c.where(), "main:2 | kept=1")
	if err := s.Close(); err != nil { // as at a restart
		t.Error(err)
	}
	end()
}

func TestMurmur2(t *testing.T) {
	// As @jupyterlab/debugger and murmurhash2 of Python compute them.
	for text, want := range map[string]uint32{"": 3990065800, "a": 2167009006, "i = 0\ni += 1\ni": 4145594481, "größe": 461001111} {
		if got := murmur2(text, hashSeed); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", text, got, want)
		}
	}
}

// FuzzDebug asks the debugger arbitrary things while nothing runs: what a client sends
// is answered, and the answer is JSON. What the worker makes of such arguments has a
// fuzz target of its own, in its package.
func FuzzDebug(f *testing.F) {
	for command := range debugCommands {
		f.Add(command, `{}`)
	}
	for _, q := range [][2]string{
		{"dumpCell", `{"code":"x := 1"}`},
		{"source", `{"source":{"path":"/../etc/passwd"}}`},
		{"source", `{"source":{"path":""}}`},
		{"setBreakpoints", `{"source":{"path":"x"},"breakpoints":[{"line":-1,"condition":"a["},{"line":1e9}]}`},
		{"evaluate", `{"expression":"a.b[c(len(d))]+-*&e"}`},
		{"variables", `{"variablesReference":-1,"filter":"x"}`},
		{"setVariable", `{"name":"","value":"(((("}`},
		{"stackTrace", `null`},
		{"richInspectVariables", `{"variableName":"a\nb"}`},
		{"setExceptionBreakpoints", `{"filters":[""]}`},
		{"initialize", `[]`},
		{"no", `1`},
		{"continue", `{"threadId":1}`},
	} {
		f.Add(q[0], q[1])
	}
	s := newTestSession(f)
	<-s.started
	f.Fuzz(func(t *testing.T, command, arguments string) {
		if !json.Valid([]byte(arguments)) {
			return // no message holds it
		}
		reply := s.Debug(t.Context(), &message.DebugRequest{Type: "request", Seq: 1, Command: command, Arguments: json.RawMessage(arguments)}, func(message.DebugEvent) {})
		if text, err := json.Marshal(reply); err != nil || reply.RequestSeq != 1 || !reply.Success && reply.Message == "" {
			t.Errorf("%s %s: %s, %v", command, arguments, text, err)
		}
	})
}

// FuzzExpr reads arbitrary texts as expressions that a person asks the debugger for, and
// as arguments of commands, which mean the same when each is quoted.
func FuzzExpr(f *testing.F) {
	for _, text := range []string{"a", "a.b[1].c", "len(x) == 3 && !y", "-1.5e3", "'x'", "*p", "f()", "func() {}", "[]int{1}[0]", "a[", "\"\\xff\"", "((((a))))", "x.(int)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if x, err := parseExpr(text); err == nil {
			if _, err := json.Marshal(x); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		args, err := splitArgs(text)
		if err != nil {
			return
		}
		var quoted []string
		for _, arg := range args {
			quoted = append(quoted, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(arg)+`"`)
		}
		if again, err := splitArgs(strings.Join(quoted, " ")); err != nil || !slices.Equal(again, args) {
			t.Errorf("%q is %q, and quoted %q, %v", text, args, again, err)
		}
	})
}
