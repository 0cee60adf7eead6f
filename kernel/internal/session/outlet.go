package session

import (
	"errors"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// outlet is where the worker's output goes: to the cell that runs, or to the
// last one that ran. It takes generated names out of texts.
type outlet struct {
	mu  sync.Mutex
	out message.Output
}

func (o *outlet) set(out message.Output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.out = out
}

func (o *outlet) get() message.Output {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out
}

// Stream implements message.Output.
func (o *outlet) Stream(name, text string) {
	if out := o.get(); out != nil {
		out.Stream(name, program.Unversioned(text))
	}
}

// Display implements message.Output.
func (o *outlet) Display(data message.DisplayData) {
	if out := o.get(); out != nil {
		out.Display(data)
	}
}

// Update implements message.Output.
func (o *outlet) Update(data message.DisplayData) {
	if out := o.get(); out != nil {
		out.Update(data)
	}
}

// Result implements message.Output.
func (o *outlet) Result(data message.MIMEBundle, metadata map[string]any) {
	if text, ok := data["text/plain"].(string); ok {
		data["text/plain"] = program.Unversioned(text)
	}
	if out := o.get(); out != nil {
		out.Result(data, metadata)
	}
}

// Clear implements message.Output.
func (o *outlet) Clear(wait bool) {
	if out := o.get(); out != nil {
		out.Clear(wait)
	}
}

// Input implements message.Output.
func (o *outlet) Input(prompt string, password bool) (string, error) {
	if out := o.get(); out != nil {
		return out.Input(prompt, password)
	}
	return "", errors.New("there is no cell to ask from")
}
