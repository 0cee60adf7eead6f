package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// debugPatience is how long a client waits for the worker's answer. A method String
// that is called for it may wait for what the stopped cell holds.
const debugPatience = 3 * time.Second

// debugger is the session's side of the debugger. Cells that are executed while a
// client is attached are compiled so that they stop (program.Stops), together with
// the functions of earlier cells that they call; the worker does the rest. Clients
// know a cell by a file whose name is made of its text (debugInfo), cells themselves
// by the number of the plan.
type debugger struct {
	session *Session

	mu          sync.Mutex
	client      string // its clientID
	attached    bool
	stopped     bool
	seq         int
	events      func(message.DebugEvent)
	texts       map[string]string // of the cells that a client has named, or that have run, by file
	files       map[int]string    // the file of each plan
	breakpoints map[string][]message.SourceBreakpoint
	filters     []string
	globals     int // the generation of the program whose variables the worker knows, plus 1
}

func newDebugger(s *Session) *debugger {
	return &debugger{session: s, texts: map[string]string{}, files: map[int]string{}, breakpoints: map[string][]message.SourceBreakpoint{}}
}

// Debug answers a request of a debugger's client. It never waits for the cell that is
// executed.
func (s *Session) Debug(ctx context.Context, req *message.DebugRequest, events func(message.DebugEvent)) message.DebugReply {
	d := s.debugger
	d.mu.Lock()
	d.events = events
	d.seq++
	reply := message.DebugReply{Type: "response", Seq: d.seq, RequestSeq: req.Seq, Command: req.Command}
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, debugPatience)
	defer cancel()
	var body any
	var err error
	if f, ok := debugCommands[req.Command]; ok {
		body, err = f(d, ctx, req.Arguments)
	} else if slices.Contains(forwarded, req.Command) {
		body, err = d.ask(ctx, req.Command, req.Arguments)
	} else {
		err = fmt.Errorf("the debugger has no command %q", req.Command)
	}
	if err != nil {
		reply.Message = req.Command + ": " + err.Error()
		// JupyterLab asks on while the cell goes on, and looks into the body in any case.
		reply.Body = map[string]any{"stackFrames": []any{}, "scopes": []any{}, "variables": []any{}, "breakpoints": []any{}}
		return reply
	}
	reply.Success, reply.Body = true, cmp.Or(body, any(struct{}{}))
	if req.Command == "attach" {
		d.tell("initialized", nil)
	}
	return reply
}

// debugCommands are the commands that the session has a part in.
var debugCommands map[string]func(*debugger, context.Context, json.RawMessage) (any, error)

// forwarded are those that the worker answers.
var forwarded = []string{"threads", "scopes", "continue", "next", "stepIn", "stepOut"}

// resuming are those that let what is stopped go on.
var resuming = []string{"continue", "next", "stepIn", "stepOut", "disconnect"}

func init() {
	none := func(*debugger, context.Context, json.RawMessage) (any, error) { return nil, nil }
	debugCommands = map[string]func(*debugger, context.Context, json.RawMessage) (any, error){
		"initialize":              withArguments((*debugger).initialize),
		"attach":                  (*debugger).attach,
		"disconnect":              (*debugger).disconnect,
		"terminate":               (*debugger).disconnect,
		"configurationDone":       none,
		"debugInfo":               (*debugger).info,
		"dumpCell":                withArguments((*debugger).dumpCell),
		"source":                  withArguments((*debugger).source),
		"modules":                 func(*debugger, context.Context, json.RawMessage) (any, error) { return noModules, nil },
		"setBreakpoints":          withArguments((*debugger).setBreakpoints),
		"setExceptionBreakpoints": withArguments((*debugger).setExceptionBreakpoints),
		"pause":                   (*debugger).pause,
		"stackTrace":              (*debugger).stackTrace,
		"variables":               (*debugger).variables,
		"evaluate":                withArguments((*debugger).evaluate),
		"setVariable":             withArguments((*debugger).setVariable),
		"inspectVariables":        (*debugger).inspectVariables,
		"richInspectVariables":    withArguments((*debugger).richInspectVariables),
		"copyToGlobals":           withArguments((*debugger).copyToGlobals),
	}
}

func withArguments[A any](f func(*debugger, context.Context, A) (any, error)) func(*debugger, context.Context, json.RawMessage) (any, error) {
	return func(d *debugger, ctx context.Context, text json.RawMessage) (any, error) {
		var a A
		if len(text) > 0 {
			if err := json.Unmarshal(text, &a); err != nil {
				return nil, fmt.Errorf("arguments: %w", err)
			}
		}
		return f(d, ctx, a)
	}
}

var capabilities = map[string]any{
	"supportsConfigurationDoneRequest": true,
	"supportsConditionalBreakpoints":   true,
	"supportsEvaluateForHovers":        true,
	"supportsSetVariable":              true,
	"supportsTerminateRequest":         true,
	"exceptionBreakpointFilters": []any{
		map[string]any{"filter": "panic", "label": "Panics", "default": false},
		map[string]any{"filter": "error", "label": "Errors that end a cell", "default": false},
	},
}

// noModules: a notebook is one program.
var noModules = map[string]any{"modules": []any{}, "totalModules": 0}

// ask asks the worker.
func (d *debugger) ask(ctx context.Context, command string, arguments any) (any, error) {
	w := d.session.workerNow()
	if w == nil {
		return nil, errors.New("no cell runs: set a breakpoint and run one")
	}
	return d.askWorker(ctx, w, command, arguments)
}

func (d *debugger) askWorker(ctx context.Context, w *Worker, command string, arguments any) (any, error) {
	text, err := json.Marshal(arguments)
	if err != nil {
		return nil, err
	}
	body, err := w.Debug(ctx, wire.DebugCommand{Name: command, Arguments: text})
	if gone := new(WorkerDied); errors.As(err, &gone) && slices.Contains(resuming, command) {
		return nil, nil // it has gone on to its end before it could answer
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("no answer within %v: a String method may be waiting for what the stopped cell holds", debugPatience)
	}
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, nil
	}
	return json.RawMessage(program.Unversioned(string(body))), nil
}

// workerNow is the worker that holds the state, or of the cell that runs; nil if there
// is none.
func (s *Session) workerNow() *Worker {
	s.mu.Lock()
	r := s.runner
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	return r.current()
}

// tell publishes an event.
func (d *debugger) tell(event string, body any) {
	d.mu.Lock()
	d.seq++
	e, events := message.DebugEvent{Type: "event", Seq: d.seq, Event: event, Body: body}, d.events
	d.mu.Unlock()
	if events != nil {
		events(e)
	}
}

// happened passes on what the worker tells.
func (d *debugger) happened(e wire.DebugEvent) {
	d.mu.Lock()
	d.stopped = e.Name == "stopped"
	d.mu.Unlock()
	d.tell(e.Name, json.RawMessage(program.Unversioned(string(e.Body))))
}

// ended tells that the process of what was stopped has ended.
func (d *debugger) ended() {
	d.mu.Lock()
	was := d.stopped
	d.stopped, d.globals = false, 0
	d.mu.Unlock()
	if was {
		d.tell("continued", map[string]any{"threadId": 1, "allThreadsContinued": true})
	}
}

func (d *debugger) initialize(_ context.Context, a struct{ ClientID string }) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client = a.ClientID
	return capabilities, nil
}

func (d *debugger) attach(ctx context.Context, _ json.RawMessage) (any, error) {
	d.mu.Lock()
	d.attached = true
	d.mu.Unlock()
	if w := d.session.workerNow(); w != nil {
		return nil, d.arm(ctx, w)
	}
	return nil, nil
}

// disconnect lets a cell that is stopped go on; no other stops.
func (d *debugger) disconnect(ctx context.Context, _ json.RawMessage) (any, error) {
	d.mu.Lock()
	d.attached, d.filters = false, nil
	clear(d.breakpoints)
	d.mu.Unlock()
	if w := d.session.workerNow(); w != nil {
		return d.askWorker(ctx, w, "disconnect", nil)
	}
	return nil, nil
}

// isAttached tells whether cells are to be compiled so that they stop.
func (d *debugger) isAttached() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.attached
}

// arm tells a worker what it is to stop at, if a client is attached.
func (d *debugger) arm(ctx context.Context, w *Worker) error {
	d.mu.Lock()
	attached, filters := d.attached, d.filters
	var plans []int
	for id, file := range d.files {
		if d.breakpoints[file] != nil {
			plans = append(plans, id)
		}
	}
	d.mu.Unlock()
	if !attached {
		return nil
	}
	_, err := d.askWorker(ctx, w, "attach", nil)
	if err == nil {
		_, err = d.askWorker(ctx, w, "setExceptionBreakpoints", map[string]any{"filters": filters})
	}
	for _, id := range plans {
		if err == nil {
			err = d.armPlan(ctx, w, id)
		}
	}
	return err
}

// armPlan sets a plan's breakpoints in a worker.
func (d *debugger) armPlan(ctx context.Context, w *Worker, id int) error {
	d.mu.Lock()
	points := d.breakpoints[d.files[id]]
	d.mu.Unlock()
	a := wire.BreakpointsArguments{File: program.FileName(id)}
	for _, p := range points {
		point := wire.Breakpoint{Line: p.Line}
		if p.Condition != "" {
			var err error
			if point.Condition, err = parseExpr(p.Condition); err != nil {
				return err
			}
		}
		a.Breakpoints = append(a.Breakpoints, point)
	}
	_, err := d.askWorker(ctx, w, "setBreakpoints", a)
	return err
}

// begin notes a plan that is about to run, and has it stop where it should. The worker
// learns which variables there are.
func (d *debugger) begin(ctx context.Context, e *execution, plan *program.Plan) error {
	d.mu.Lock()
	file := d.fileOf(e.source)
	d.texts[file], d.files[plan.ID] = e.source, file
	attached := d.attached
	d.mu.Unlock()
	w := d.session.workerNow()
	if !attached || w == nil {
		return nil // a cell's own process is armed when it starts
	}
	d.learnGlobals(ctx)
	return d.armPlan(ctx, w, plan.ID)
}

// learnGlobals gives the worker pointers to the notebook's variables. The caller holds
// the session's lock, and nothing runs.
func (d *debugger) learnGlobals(ctx context.Context) {
	s := d.session
	if s.alone {
		return
	}
	generation := s.program.View().Generation + 1
	d.mu.Lock()
	known := d.globals == generation
	d.mu.Unlock()
	if known {
		return
	}
	// What fails here leaves the list as it was.
	plan, err := s.program.PlanGlobals()
	if err != nil || plan == nil || s.runner.load(ctx, plan) != nil {
		return
	}
	if _, outcome, err := s.look(ctx, 0, plan); err != nil || outcome.Status != wire.OK {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.globals = generation
}

// The names of files of cells.
const (
	hashSeed   = 0xc70f6907
	fileSuffix = ".go"
)

func (d *debugger) prefix() string {
	return filepath.Join(d.session.dir, "cells") + string(filepath.Separator)
}

// fileOf is the file by which clients know a cell.
func (d *debugger) fileOf(text string) string {
	return fmt.Sprintf("%s%d%s", d.prefix(), murmur2(text, hashSeed), fileSuffix)
}

func (d *debugger) info(context.Context, json.RawMessage) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info := message.DebugInfo{
		IsStarted: d.attached, HashMethod: "Murmur2", HashSeed: hashSeed, TmpFilePrefix: d.prefix(), TmpFileSuffix: fileSuffix,
		Breakpoints: []message.SourceBreakpoints{}, StoppedThreads: []int{}, RichRendering: true, ExceptionPaths: []string{},
	}
	for _, file := range slices.Sorted(maps.Keys(d.breakpoints)) {
		info.Breakpoints = append(info.Breakpoints, message.SourceBreakpoints{Source: file, Breakpoints: d.breakpoints[file]})
	}
	if d.stopped {
		info.StoppedThreads = []int{1}
	}
	return info, nil
}

// dumpCell names the file of a cell, and writes it.
func (d *debugger) dumpCell(_ context.Context, a struct{ Code string }) (any, error) {
	file := d.fileOf(a.Code)
	d.mu.Lock()
	d.texts[file] = a.Code
	d.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, []byte(a.Code), 0o666); err != nil {
		return nil, err
	}
	return map[string]any{"sourcePath": file}, nil
}

// text is that of a cell's file.
func (d *debugger) text(file string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, ok := d.texts[file]
	if !ok {
		return "", fmt.Errorf("%s is the file of no cell: dumpCell names them", file)
	}
	return text, nil
}

type debugSource struct{ Source struct{ Path string } }

func (d *debugger) source(_ context.Context, a debugSource) (any, error) {
	text, err := d.text(a.Source.Path)
	return map[string]any{"content": text, "mimeType": "text/x-go"}, err
}

// setBreakpoints replaces the breakpoints of a cell. A line without a statement stands
// for the next one that has one.
func (d *debugger) setBreakpoints(ctx context.Context, a struct {
	debugSource
	Breakpoints []message.SourceBreakpoint
},
) (any, error) {
	file := a.Source.Path
	text, err := d.text(file)
	if err != nil {
		return nil, err
	}
	lines := program.StopLines(text)
	points, shown := []message.SourceBreakpoint{}, []any{}
	for _, p := range a.Breakpoints {
		if p.Condition != "" {
			if _, err := parseExpr(p.Condition); err != nil {
				return nil, err
			}
		}
		i, _ := slices.BinarySearch(lines, p.Line)
		if i == len(lines) {
			shown = append(shown, map[string]any{"verified": false, "line": p.Line, "message": "there is no statement from here on"})
			continue
		}
		p.Line = lines[i]
		points = append(points, p)
		shown = append(shown, map[string]any{"verified": true, "line": p.Line, "source": map[string]any{"path": file}})
	}
	d.mu.Lock()
	d.breakpoints[file] = points
	if len(points) == 0 {
		delete(d.breakpoints, file)
	}
	var plans []int
	for id, f := range d.files {
		if f == file {
			plans = append(plans, id)
		}
	}
	d.mu.Unlock()
	if w := d.session.workerNow(); w != nil {
		for _, id := range plans {
			if err := d.armPlan(ctx, w, id); err != nil {
				return nil, err
			}
		}
	}
	return map[string]any{"breakpoints": shown}, nil
}

func (d *debugger) setExceptionBreakpoints(ctx context.Context, a struct{ Filters []string }) (any, error) {
	d.mu.Lock()
	d.filters = a.Filters
	d.mu.Unlock()
	if w := d.session.workerNow(); w != nil {
		return d.askWorker(ctx, w, "setExceptionBreakpoints", a)
	}
	return nil, nil
}

func (d *debugger) pause(ctx context.Context, _ json.RawMessage) (any, error) {
	d.session.mu.Lock()
	runs := d.session.cancel != nil
	d.session.mu.Unlock()
	if !runs {
		return nil, errors.New("no cell runs")
	}
	return d.ask(ctx, "pause", nil)
}

// stackTrace is the worker's, with the files that clients know.
func (d *debugger) stackTrace(ctx context.Context, arguments json.RawMessage) (any, error) {
	body, err := d.ask(ctx, "stackTrace", arguments)
	if err != nil {
		return nil, err
	}
	var stack struct {
		StackFrames []map[string]any `json:"stackFrames"`
		TotalFrames int              `json:"totalFrames"`
	}
	if err := json.Unmarshal(body.(json.RawMessage), &stack); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range stack.StackFrames {
		source, _ := f["source"].(map[string]any)
		path, _ := source["path"].(string)
		var id int
		if _, err := fmt.Sscanf(path, "/cell/%d.go", &id); err == nil && d.files[id] != "" {
			f["source"] = map[string]any{"path": d.files[id], "name": filepath.Base(d.files[id])}
		}
	}
	return stack, nil
}

// variables are the worker's. JupyterLab's tree shows a variable's type in the place of
// its value, but for types that it knows from Python; what has no type is shown by its
// value.
func (d *debugger) variables(ctx context.Context, arguments json.RawMessage) (any, error) {
	body, err := d.ask(ctx, "variables", arguments)
	if err != nil {
		return nil, err
	}
	return d.forClient(body.(json.RawMessage))
}

func (d *debugger) forClient(body json.RawMessage) (any, error) {
	d.mu.Lock()
	jupyterlab := d.client == "jupyterlab"
	d.mu.Unlock()
	if !jupyterlab {
		return body, nil
	}
	var list struct {
		Variables []map[string]any `json:"variables"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	for _, v := range list.Variables {
		if t := v["type"]; t != "int" && t != "bool" && v["value"] != "" {
			delete(v, "type")
		}
	}
	return list, nil
}

func (d *debugger) evaluate(ctx context.Context, a struct {
	Expression string
	FrameID    int
},
) (any, error) {
	return d.read(ctx, wire.EvaluateArguments{FrameID: a.FrameID}, a.Expression)
}

func (d *debugger) richInspectVariables(ctx context.Context, a struct {
	VariableName string
	FrameID      int
},
) (any, error) {
	body, err := d.read(ctx, wire.EvaluateArguments{FrameID: a.FrameID, Rich: true}, a.VariableName)
	if err != nil {
		return nil, err
	}
	bundle := struct {
		Data     map[string]any `json:"data"`
		Metadata map[string]any `json:"metadata"`
	}{Metadata: map[string]any{}}
	var from wire.Bundle
	if err := json.Unmarshal(body.(json.RawMessage), &from); err != nil {
		return nil, err
	}
	bundle.Data = from.Data
	maps.Copy(bundle.Metadata, from.Meta)
	return bundle, nil
}

// read evaluates an expression.
func (d *debugger) read(ctx context.Context, a wire.EvaluateArguments, text string) (any, error) {
	var err error
	if a.Expr, err = parseExpr(text); err != nil {
		return nil, err
	}
	if err := d.readable(ctx); err != nil {
		return nil, err
	}
	return d.ask(ctx, "evaluate", a)
}

// readable is nil if variables can be read: while something is stopped, or nothing
// runs.
func (d *debugger) readable(ctx context.Context) error {
	d.mu.Lock()
	stopped := d.stopped
	d.mu.Unlock()
	if stopped {
		return nil
	}
	s := d.session
	select {
	case <-s.started:
	default:
		return errors.New("the session is starting")
	}
	if s.failed != nil || !s.executing.TryLock() {
		return errors.New("a cell runs: stop it to see its variables")
	}
	defer s.executing.Unlock()
	if s.workerNow() == nil {
		return errors.New("there are no variables yet")
	}
	d.learnGlobals(ctx)
	return nil
}

func (d *debugger) setVariable(ctx context.Context, a struct {
	VariablesReference int
	Name, Value        string
},
) (any, error) {
	x, err := parseExpr(a.Value)
	if err != nil {
		return nil, err
	}
	return d.ask(ctx, "setVariable", wire.SetVariableArguments{VariablesReference: a.VariablesReference, Name: a.Name, Expr: x})
}

// inspectVariables lists the notebook's variables. While a cell runs, their values are
// not known.
func (d *debugger) inspectVariables(ctx context.Context, _ json.RawMessage) (any, error) {
	err := d.readable(ctx)
	body, failed := d.ask(ctx, "globals", map[string]any{"values": err == nil})
	if failed != nil {
		return map[string]any{"variables": []any{}}, nil
	}
	return d.forClient(body.(json.RawMessage))
}

// copyToGlobals is Python's: there a new variable can be made at any time.
func (d *debugger) copyToGlobals(_ context.Context, a struct{ SrcVariableName string }) (any, error) {
	return nil, fmt.Errorf("a variable of the notebook is made by a cell: write %s = … there", cmp.Or(strings.TrimSpace(a.SrcVariableName), "x"))
}
