package jupyter

import (
	"encoding/json"
	"fmt"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// messageType is by what the kernel knows a message of Jupyter's among what gonbui
// displays.
const messageType protocol.MIMEType = "application/vnd.nnkit.message+json"

// send hands the kernel a message of Jupyter's.
func send(msgType string, content map[string]any) error {
	if !gonbui.IsNotebook {
		return nil
	}
	content["msg_type"] = msgType
	text, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("%s: it cannot be written as JSON: %w", msgType, err)
	}
	gonbui.SendData(&protocol.DisplayData{Data: map[protocol.MIMEType]any{messageType: text}})
	return gonbui.Error()
}

// ClearOutput removes what the cell has shown so far; with wait, when it shows
// something next, so that the page does not jump.
func ClearOutput(wait bool) error {
	return send("clear_output", map[string]any{"wait": wait})
}

// SetNextInput writes the text of the next cell, or with replace of this one, when the
// cell has ended.
func SetNextInput(text string, replace bool) error {
	return send("set_next_input", map[string]any{"text": text, "replace": replace})
}

// Page shows a text in the front end's pager, when the cell has ended.
func Page(text string) error {
	return send("page", map[string]any{"data": map[string]any{"text/plain": text}})
}

// Output is something to be shown, in one or several forms.
type Output struct {
	// Data are the forms by MIME type: texts as strings, pictures as strings in
	// base64, JSON as it is. A front end takes the richest that it knows.
	Data map[string]any
	// Metadata are by MIME type as well, such as a picture's width.
	Metadata map[string]any
	// ID is a name by which Update finds the output. It may be empty.
	ID string
	// Plain says that an update is for front ends without the widgets of package
	// ipywidgets, which are updated otherwise.
	Plain bool
}

func (o Output) content() map[string]any {
	return map[string]any{"data": o.Data, "metadata": o.Metadata, "transient": map[string]any{"display_id": o.ID}, "plain": o.Plain}
}

// Display shows an output. An ID that was shown before is shown in another place too.
func Display(o Output) error {
	if len(o.Data) == 0 {
		return fmt.Errorf("Display: the output has no data: give it at least Data[\"text/plain\"]")
	}
	return send("display_data", o.content())
}

// Update changes all outputs that were shown with the output's ID, in this cell or an
// earlier one.
func Update(o Output) error {
	if o.ID == "" {
		return fmt.Errorf("Update: the output has no ID to find it by: give Display and Update the same")
	}
	return send("update_display_data", o.content())
}
