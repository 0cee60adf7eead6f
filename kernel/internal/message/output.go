package message

import "encoding/json"

// Output is where an executing cell's outputs go: the iopub channel of a
// Jupyter client, or the outputs of a notebook file. Its methods may be called
// from several goroutines; outputs appear in the order of the calls.
type Output interface {
	// Stream appends text to the cell's "stdout" or "stderr".
	Stream(name, text string)
	// Display adds an output. With a transient display id it can be updated.
	Display(data DisplayData)
	// Update replaces the data of every output shown with data's display id.
	Update(data DisplayData)
	// Result shows the value of the cell's trailing expression.
	Result(data MIMEBundle, metadata map[string]any)
	// Clear removes the cell's outputs; with wait, once the next one arrives.
	Clear(wait bool)
	// Flush publishes what is held back so that newer text can join it, or a newer
	// update take its place.
	Flush()
	// Comm sends a message of a comm to the front ends.
	Comm(m Comm)
	// Input asks the person in front of the notebook for a line of text. Its error
	// is ErrNotRunning when the cell has ended, ErrInterrupted when it was
	// interrupted, and another one where nobody can be asked.
	Input(prompt string, password bool) (string, error)
}

// MIMEBundle holds one value in several forms, by MIME type. Text forms are
// strings; image/png and image/jpeg are base64 strings, as in Jupyter's JSON.
type MIMEBundle map[string]any

// DisplayData is the content of display_data and update_display_data.
type DisplayData struct {
	Data      MIMEBundle     `json:"data"`
	Metadata  map[string]any `json:"metadata"`
	Transient Transient      `json:"transient"`
}

// MarshalJSON writes d with objects where it has nil maps.
func (d DisplayData) MarshalJSON() ([]byte, error) {
	type plain DisplayData
	p := plain(d)
	p.Data, p.Metadata = orEmpty(p.Data), orEmpty(p.Metadata)
	return json.Marshal(p)
}

// Transient is what travels with an output but is not saved in a notebook.
type Transient struct {
	DisplayID string `json:"display_id,omitempty"`
}

// Stream appends text to the "stdout" or "stderr" of a cell.
type Stream struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// ClearOutput removes the outputs of a cell; with Wait, once the next arrives.
type ClearOutput struct {
	Wait bool `json:"wait"`
}
