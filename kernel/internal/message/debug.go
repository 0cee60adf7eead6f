package message

import "encoding/json"

// DebugRequest is the content of debug_request: a request of the Debug Adapter
// Protocol (https://microsoft.github.io/debug-adapter-protocol/specification), or one
// that Jupyter adds to it.
type DebugRequest struct {
	Type      string          `json:"type"` // "request"
	Seq       int             `json:"seq"`
	Command   string          `json:"command"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// DebugReply is the content of debug_reply.
type DebugReply struct {
	Type       string `json:"type"` // "response"
	Seq        int    `json:"seq"`
	RequestSeq int    `json:"request_seq"`
	Success    bool   `json:"success"`
	Command    string `json:"command"`
	Message    string `json:"message,omitempty"` // why there is no success
	Body       any    `json:"body,omitempty"`
}

// DebugEvent is the content of debug_event.
type DebugEvent struct {
	Type  string `json:"type"` // "event"
	Seq   int    `json:"seq"`
	Event string `json:"event"`
	Body  any    `json:"body,omitempty"`
}

// DebugInfo is the body of the answer to debugInfo: the state of the debugger, and
// how the name of a cell's file is made of its text.
type DebugInfo struct {
	IsStarted      bool                `json:"isStarted"`
	HashMethod     string              `json:"hashMethod"` // "Murmur2"
	HashSeed       uint32              `json:"hashSeed"`
	TmpFilePrefix  string              `json:"tmpFilePrefix"`
	TmpFileSuffix  string              `json:"tmpFileSuffix"`
	Breakpoints    []SourceBreakpoints `json:"breakpoints"`
	StoppedThreads []int               `json:"stoppedThreads"`
	RichRendering  bool                `json:"richRendering"`
	ExceptionPaths []string            `json:"exceptionPaths"`
	CopyToGlobals  bool                `json:"copyToGlobals"`
}

// SourceBreakpoints are the breakpoints of a cell.
type SourceBreakpoints struct {
	Source      string             `json:"source"`
	Breakpoints []SourceBreakpoint `json:"breakpoints"`
}

// SourceBreakpoint is a line to stop at, if a condition holds.
type SourceBreakpoint struct {
	Line      int    `json:"line"`
	Condition string `json:"condition,omitempty"`
}
