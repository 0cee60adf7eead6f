package message

// ExecuteRequest asks to execute a cell.
type ExecuteRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    bool              `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      bool              `json:"allow_stdin"`
	StopOnError     bool              `json:"stop_on_error"`
}

// ExecuteReply is the outcome of an ExecuteRequest. Status is "ok", "error" or
// "aborted"; the error fields are set for "error" only, and the same three make
// the content of the error message on iopub.
type ExecuteReply struct {
	Status          string         `json:"status"`
	ExecutionCount  int            `json:"execution_count"`
	UserExpressions map[string]any `json:"user_expressions"`
	Payload         []any          `json:"payload"`
	ErrorName       string         `json:"ename,omitempty"`
	ErrorValue      string         `json:"evalue,omitempty"`
	Traceback       []string       `json:"traceback,omitempty"` // lines, may hold ANSI colours
}
