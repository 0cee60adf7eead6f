package message

import "encoding/json"

// IsCompleteRequest asks whether code can be executed as it stands.
type IsCompleteRequest struct {
	Code string `json:"code"`
}

// IsCompleteReply answers an IsCompleteRequest. Status is "complete",
// "incomplete", "invalid" or "unknown"; Indent is for "incomplete" only.
type IsCompleteReply struct {
	Status string `json:"status"`
	Indent string `json:"indent,omitempty"`
}

// CompleteRequest asks for what could be typed at CursorPos, which counts
// Unicode code points from the start of Code.
type CompleteRequest struct {
	Code      string `json:"code"`
	CursorPos int    `json:"cursor_pos"`
}

// CompleteReply answers a CompleteRequest: each of Matches would replace the
// code points from CursorStart to CursorEnd.
type CompleteReply struct {
	Status      string         `json:"status"`
	Matches     []string       `json:"matches"`
	CursorStart int            `json:"cursor_start"`
	CursorEnd   int            `json:"cursor_end"`
	Metadata    map[string]any `json:"metadata"`
}

// CompletionTypes is the key in a CompleteReply's metadata of a list of
// CompletionType, one for each match in their order. The name is IPython's, and
// clients know it.
const CompletionTypes = "_jupyter_types_experimental"

// CompletionType tells what a match is. Start and End are those of the reply.
type CompletionType struct {
	Start         int    `json:"start"`
	End           int    `json:"end"`
	Text          string `json:"text"`
	Type          string `json:"type"` // "function", "class", "instance", "module" …
	Signature     string `json:"signature"`
	Documentation string `json:"documentation,omitempty"`
}

// MarshalJSON writes r with Status "ok" where it is empty, and without null.
func (r CompleteReply) MarshalJSON() ([]byte, error) {
	type plain CompleteReply
	p := plain(r)
	if p.Status == "" {
		p.Status = "ok"
	}
	p.Matches, p.Metadata = orNone(p.Matches), orEmpty(p.Metadata)
	return json.Marshal(p)
}

// InspectRequest asks for the documentation of what stands at CursorPos, which
// counts Unicode code points. DetailLevel is 0 or 1, where 1 asks for more.
type InspectRequest struct {
	Code        string `json:"code"`
	CursorPos   int    `json:"cursor_pos"`
	DetailLevel int    `json:"detail_level"`
}

// InspectReply answers an InspectRequest.
type InspectReply struct {
	Status   string         `json:"status"`
	Found    bool           `json:"found"`
	Data     MIMEBundle     `json:"data"`
	Metadata map[string]any `json:"metadata"`
}

// MarshalJSON writes r with Status "ok" where it is empty, and without null.
func (r InspectReply) MarshalJSON() ([]byte, error) {
	type plain InspectReply
	p := plain(r)
	if p.Status == "" {
		p.Status = "ok"
	}
	p.Data, p.Metadata = orEmpty(p.Data), orEmpty(p.Metadata)
	return json.Marshal(p)
}
