package message

// InputRequest asks the person in front of a client for a line of text, which
// is not to be seen while it is typed when Password is set.
type InputRequest struct {
	Prompt   string `json:"prompt"`
	Password bool   `json:"password"`
}

// InputReply answers an InputRequest.
type InputReply struct {
	Value string `json:"value"`
}
