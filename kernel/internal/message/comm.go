package message

import "encoding/json"

// CommInfoRequest asks which comms are open, of one target or of all.
type CommInfoRequest struct {
	TargetName string `json:"target_name,omitempty"`
}

// CommInfoReply answers a CommInfoRequest, by comm id.
type CommInfoReply struct {
	Status string              `json:"status"`
	Comms  map[string]CommInfo `json:"comms"`
}

// CommInfo describes an open comm.
type CommInfo struct {
	TargetName string `json:"target_name"`
}

// Types of comm messages.
const (
	CommOpen  = "comm_open"
	CommMsg   = "comm_msg"
	CommClose = "comm_close"
)

// Comm is a message by which two ends of a comm, in the kernel and in a front end,
// talk to each other. Either of them may open and close it.
type Comm struct {
	Type       string         `json:"-"` // CommOpen, CommMsg or CommClose
	ID         string         `json:"comm_id"`
	TargetName string         `json:"target_name,omitempty"` // of CommOpen: who is to be the other end
	Data       map[string]any `json:"data"`
	Metadata   map[string]any `json:"-"` // of the message
	Buffers    [][]byte       `json:"-"` // likewise
	// Quiet says that front ends are not told, who would take a widget away that has
	// lost its program.
	Quiet bool `json:"-"`
}

// MarshalJSON writes c with an object where its data are nil.
func (c Comm) MarshalJSON() ([]byte, error) {
	type plain Comm
	p := plain(c)
	p.Data = orEmpty(p.Data)
	return json.Marshal(p)
}
