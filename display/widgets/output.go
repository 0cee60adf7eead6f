package widgets

import (
	"fmt"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/display/jupyter"
)

// Area is a place for outputs that functions write to which are called long after
// their cell.
type Area struct {
	model *model

	mu      sync.Mutex
	outputs []any // as in a notebook
}

// Output makes an empty area.
func Output() *Area {
	layout := must(newModel("@jupyter-widgets/base", baseVersion, "LayoutModel", "LayoutView", nil))
	return &Area{model: must(newModel("@jupyter-widgets/output", outputVersion, "OutputModel", "OutputView", map[string]any{
		"msg_id": "", "outputs": []any{}, "layout": layout.reference(),
	}))}
}

// Write adds text: an Area is an io.Writer.
func (a *Area) Write(b []byte) (int, error) {
	a.mu.Lock()
	if n := len(a.outputs); n > 0 {
		if last := a.outputs[n-1].(map[string]any); last["output_type"] == "stream" {
			a.outputs[n-1] = stream(last["text"].(string) + string(b))
			return len(b), a.send()
		}
	}
	a.outputs = append(a.outputs, stream(string(b)))
	return len(b), a.send()
}

func stream(text string) map[string]any {
	return map[string]any{"output_type": "stream", "name": "stdout", "text": text}
}

// Show adds an output.
func (a *Area) Show(o jupyter.Output) error {
	a.mu.Lock()
	metadata := o.Metadata
	if metadata == nil {
		metadata = map[string]any{}
	}
	a.outputs = append(a.outputs, map[string]any{"output_type": "display_data", "data": o.Data, "metadata": metadata})
	return a.send()
}

// Clear removes all outputs.
func (a *Area) Clear() error {
	a.mu.Lock()
	a.outputs = nil
	return a.send()
}

// send sends the outputs, and gives the mutex back.
func (a *Area) send() error {
	defer a.mu.Unlock()
	return a.model.set("outputs", append([]any{}, a.outputs...))
}

// String is the text in the area.
func (a *Area) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var text strings.Builder
	for _, o := range a.outputs {
		o := o.(map[string]any)
		if t, ok := o["text"].(string); ok {
			text.WriteString(t)
		} else if data, ok := o["data"].(map[string]any); ok {
			fmt.Fprintln(&text, data["text/plain"])
		}
	}
	return text.String()
}

// MIMEBundle shows the area where it stands last in a cell.
func (a *Area) MIMEBundle() map[string]any { return a.model.bundle(a.String()) }

// Display shows the area.
func (a *Area) Display() error { return jupyter.Display(jupyter.Output{Data: a.MIMEBundle()}) }
