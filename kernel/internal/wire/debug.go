package wire

import "encoding/json"

// DebugCommand is a request of the Debug Adapter Protocol
// (https://microsoft.github.io/debug-adapter-protocol/specification), as far as the
// worker can answer it: its sources are the files of cells, and its expressions are
// parsed.
type DebugCommand struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// DebugEvent is an event of that protocol.
type DebugEvent struct {
	Name string          `json:"name"`
	Body json.RawMessage `json:"body,omitempty"`
}

// BreakpointsArguments are what is to stop in a cell's file, in place of what was
// before.
type BreakpointsArguments struct {
	File        string       `json:"file"`
	Breakpoints []Breakpoint `json:"breakpoints"`
}

// Breakpoint is a line that stops, if a condition holds or there is none.
type Breakpoint struct {
	Line      int   `json:"line"`
	Condition *Expr `json:"condition,omitempty"`
}

// Expr is an expression that reads variables, as the session has parsed it.
type Expr struct {
	// Op is "name", "int", "float", "char", "string" (of Text); "field" (Text of X);
	// "index" (X[Y]); or an operator of X, or of X and Y: "*", "len", "cap", "+", "==" …
	Op   string `json:"op"`
	Text string `json:"text,omitempty"`
	X    *Expr  `json:"x,omitempty"`
	Y    *Expr  `json:"y,omitempty"`
}

// EvaluateArguments ask for an expression's value, or with Rich for all its forms.
type EvaluateArguments struct {
	FrameID int   `json:"frameId,omitempty"`
	Expr    *Expr `json:"expr"`
	Rich    bool  `json:"rich,omitempty"`
}

// SetVariableArguments ask to set a variable, named as in its container.
type SetVariableArguments struct {
	VariablesReference int    `json:"variablesReference"`
	Name               string `json:"name"`
	Expr               *Expr  `json:"expr"`
}
