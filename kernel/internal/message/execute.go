package message

import "encoding/json"

// ExecuteRequest asks to execute a cell.
type ExecuteRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    bool              `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      bool              `json:"allow_stdin"`
	StopOnError     bool              `json:"stop_on_error"`
}

// UnmarshalJSON reads a request, with the specification's defaults for what it
// leaves out. A silent request never stores history.
func (r *ExecuteRequest) UnmarshalJSON(data []byte) error {
	type plain ExecuteRequest
	p := plain{StoreHistory: true, StopOnError: true}
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	p.StoreHistory = p.StoreHistory && !p.Silent
	*r = ExecuteRequest(p)
	return nil
}

// ExecuteReply is the outcome of an ExecuteRequest. Status is "ok", "error" or
// "aborted"; the error fields are set for "error" only, and the same three make
// the content of the error message on iopub.
type ExecuteReply struct {
	Status          string         `json:"status"`
	ExecutionCount  int            `json:"execution_count"`
	UserExpressions map[string]any `json:"user_expressions"`
	Payload         []Payload      `json:"payload"`
	ErrorName       string         `json:"ename,omitempty"`
	ErrorValue      string         `json:"evalue,omitempty"`
	Traceback       []string       `json:"traceback,omitempty"` // lines, may hold ANSI colours
}

// Payload asks the client for something when the cell has ended.
type Payload struct {
	Source  string     // "page" or "set_next_input"
	Data    MIMEBundle // of a page
	Text    string     // of the next cell
	Replace bool       // it takes the place of the cell that was executed
}

// NewPage asks the client to show a text in its pager.
func NewPage(data MIMEBundle) Payload { return Payload{Source: "page", Data: data} }

// NextInput asks the client to write the next cell, or this one.
func NextInput(text string, replace bool) Payload {
	return Payload{Source: "set_next_input", Text: text, Replace: replace}
}

// MarshalJSON writes the fields that belong to p's source.
func (p Payload) MarshalJSON() ([]byte, error) {
	if p.Source == "set_next_input" {
		return json.Marshal(map[string]any{"source": p.Source, "text": p.Text, "replace": p.Replace})
	}
	return json.Marshal(map[string]any{"source": p.Source, "data": orEmpty(p.Data), "start": 0})
}

// Error returns the content of the error message that belongs to r.
func (r ExecuteReply) Error() Error {
	return Error{Name: r.ErrorName, Value: r.ErrorValue, Traceback: r.Traceback}
}

// MarshalJSON writes the fields that clients require for r's status: the three
// of an error even when they are empty, and no null where an object belongs.
func (r ExecuteReply) MarshalJSON() ([]byte, error) {
	switch r.Status {
	case "error":
		return json.Marshal(struct {
			Status          string         `json:"status"`
			ExecutionCount  int            `json:"execution_count"`
			ErrorName       string         `json:"ename"`
			ErrorValue      string         `json:"evalue"`
			Traceback       []string       `json:"traceback"`
			UserExpressions map[string]any `json:"user_expressions"`
			Payload         []Payload      `json:"payload"`
		}{
			r.Status, r.ExecutionCount, r.ErrorName, r.ErrorValue, orNone(r.Traceback),
			orEmpty(r.UserExpressions), orNone(r.Payload),
		})
	case "aborted":
		return json.Marshal(struct {
			Status         string `json:"status"`
			ExecutionCount int    `json:"execution_count"`
		}{r.Status, r.ExecutionCount})
	}
	type plain ExecuteReply
	p := plain(r)
	p.UserExpressions, p.Payload = orEmpty(p.UserExpressions), orNone(p.Payload)
	return json.Marshal(p)
}

// ExecuteInput tells every client of a kernel what is being executed.
type ExecuteInput struct {
	Code           string `json:"code"`
	ExecutionCount int    `json:"execution_count"`
}

// ExecuteResult shows the value of a cell.
type ExecuteResult struct {
	ExecutionCount int            `json:"execution_count"`
	Data           MIMEBundle     `json:"data"`
	Metadata       map[string]any `json:"metadata"`
}

// MarshalJSON writes r with objects where it has nil maps.
func (r ExecuteResult) MarshalJSON() ([]byte, error) {
	type plain ExecuteResult
	p := plain(r)
	p.Data, p.Metadata = orEmpty(p.Data), orEmpty(p.Metadata)
	return json.Marshal(p)
}

// Error tells that a cell failed.
type Error struct {
	Name      string   `json:"ename"`
	Value     string   `json:"evalue"`
	Traceback []string `json:"traceback"`
}

// MarshalJSON writes e with a list where its traceback is nil.
func (e Error) MarshalJSON() ([]byte, error) {
	type plain Error
	p := plain(e)
	p.Traceback = orNone(p.Traceback)
	return json.Marshal(p)
}

// orEmpty and orNone replace nil, which encoding/json writes as null where
// clients insist on an object or a list.
func orEmpty[M ~map[string]V, V any](m M) M {
	if m == nil {
		return M{}
	}
	return m
}

func orNone[S ~[]E, E any](s S) S {
	if s == nil {
		return S{}
	}
	return s
}
