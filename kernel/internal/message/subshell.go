package message

import "encoding/json"

// CreateSubshellReply answers a create_subshell_request, whose content is empty,
// with what the headers of the subshell's messages are to have.
type CreateSubshellReply struct {
	Status     string `json:"status"`
	SubshellID string `json:"subshell_id"`
}

// DeleteSubshellRequest asks to end a subshell.
type DeleteSubshellRequest struct {
	SubshellID string `json:"subshell_id"`
}

// DeleteSubshellReply answers a DeleteSubshellRequest.
type DeleteSubshellReply struct {
	Status string `json:"status"`
}

// ListSubshellReply answers a list_subshell_request, whose content is empty.
type ListSubshellReply struct {
	Status     string   `json:"status"`
	SubshellID []string `json:"subshell_id"` // of all that there are
}

// MarshalJSON writes r without null.
func (r ListSubshellReply) MarshalJSON() ([]byte, error) {
	type plain ListSubshellReply
	p := plain(r)
	p.SubshellID = orNone(p.SubshellID)
	return json.Marshal(p)
}
