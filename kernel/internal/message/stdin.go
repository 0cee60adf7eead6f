package message

import "errors"

// InputRequest asks the person in front of a client for a line of text, which
// is not to be seen while it is typed when Password is set.
type InputRequest struct {
	Prompt   string `json:"prompt"`
	Password bool   `json:"password"`
}

// Errors of [Output.Input] that mean: not now. Any other means that nobody can be
// asked.
var (
	ErrNotRunning  = errors.New("input can be asked for only while the cell runs")
	ErrInterrupted = errors.New("interrupted while waiting for input")
)

// InputReply answers an InputRequest.
type InputReply struct {
	Value string `json:"value"`
}
