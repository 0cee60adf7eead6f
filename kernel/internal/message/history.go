package message

import (
	"encoding/json"
	"fmt"
)

// HistoryRequest asks for cells executed earlier. AccessType is "range" (Start
// up to, not including, Stop of Session), "tail" (the last N) or "search" (the
// last N that match the glob Pattern).
type HistoryRequest struct {
	Output     bool   `json:"output"` // return the outputs too
	Raw        bool   `json:"raw"`
	AccessType string `json:"hist_access_type"`
	Session    int    `json:"session,omitempty"`
	Start      int    `json:"start,omitempty"`
	Stop       *int   `json:"stop,omitempty"`
	N          *int   `json:"n,omitempty"`
	Pattern    string `json:"pattern,omitempty"`
	Unique     bool   `json:"unique,omitempty"` // leave out repeated cells
}

// HistoryReply answers a HistoryRequest.
type HistoryReply struct {
	Status  string         `json:"status"`
	History []HistoryEntry `json:"history"`
}

// HistoryEntry is a cell that was executed. In JSON it is a list: session,
// line and input, the latter paired with the output when WithOutput is set.
type HistoryEntry struct {
	Session    int
	Line       int
	Input      string
	Output     *string // nil where the cell had no result
	WithOutput bool
}

// MarshalJSON writes e as a list.
func (e HistoryEntry) MarshalJSON() ([]byte, error) {
	if e.WithOutput {
		return json.Marshal([]any{e.Session, e.Line, []any{e.Input, e.Output}})
	}
	return json.Marshal([]any{e.Session, e.Line, e.Input})
}

// UnmarshalJSON reads e from a list.
func (e *HistoryEntry) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if len(list) != 3 {
		return fmt.Errorf("history entry has %d elements, not 3", len(list))
	}
	var got HistoryEntry
	if err := json.Unmarshal(list[0], &got.Session); err != nil {
		return err
	}
	if err := json.Unmarshal(list[1], &got.Line); err != nil {
		return err
	}
	if json.Unmarshal(list[2], &got.Input) != nil {
		var pair []*string
		if err := json.Unmarshal(list[2], &pair); err != nil {
			return err
		}
		if len(pair) != 2 || pair[0] == nil {
			return fmt.Errorf("history entry %s has no input and output", list[2])
		}
		got.Input, got.Output, got.WithOutput = *pair[0], pair[1], true
	}
	*e = got
	return nil
}
