package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// A Record is what a program that is started by kernel run tells it between the lines that its cells print: a line that begins
// with a record separator and goes on in JSON.
type Record struct {
	Shown []Bundle `json:"shown,omitempty"` // values that a cell has ended with
	Ended int      `json:"ended,omitempty"` // the number of the cell that has ended
	// Failed is how it failed, in full; the first line is Error.
	Error  string `json:"error,omitempty"`
	Failed string `json:"failed,omitempty"`
	Dead   *Death `json:"dead,omitempty"`
}

// A Death is the end of a rank before its program's end.
type Death struct {
	Rank int    `json:"rank"`
	Host string `json:"host"`
	How  string `json:"how"`  // exit status 2, signal: killed
	Last string `json:"last"` // what it said last
}

// String says who died, and how.
func (d Death) String() string {
	text := fmt.Sprintf("rank %d on %s has died (%s)", d.Rank, d.Host, d.How)
	if d.Last != "" {
		text += ": " + d.Last
	}
	return text
}

// separator begins a record: RFC 7464.
const separator = 0x1e

// Write writes the record as one piece.
func (r Record) Write(to io.Writer) {
	line, err := json.Marshal(r)
	if err != nil {
		line, _ = json.Marshal(Record{Shown: []Bundle{{Data: map[string]any{"text/plain": err.Error()}}}})
	}
	to.Write(append(append([]byte{separator}, line...), '\n'))
}

// SplitRecord takes a line of a program apart: the text that it prints, and the record behind that, nil for none.
func SplitRecord(line []byte) (text string, record *Record) {
	before, after, ok := bytes.Cut(line, []byte{separator})
	if !ok {
		return string(line), nil
	}
	r := new(Record)
	if err := json.Unmarshal(bytes.TrimSpace(after), r); err != nil || r.Shown == nil && r.Ended == 0 && r.Dead == nil {
		return string(line), nil
	}
	return string(before), r
}
