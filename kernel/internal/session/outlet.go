package session

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// outlet is where the worker's output goes: to the cell that runs, or to the
// last one that ran. It takes generated names out of texts, and holds back what
// looks like the last words of a program.
type outlet struct {
	mu     sync.Mutex
	out    message.Output
	shown  atomic.Bool // the cell has shown something
	words  lastWords
	labels sync.Map // plan ID -> the number that the cell is shown by
}

// cleanTexts cleans those of a bundle's forms that are texts.
func (o *outlet) cleanTexts(data message.MIMEBundle) message.MIMEBundle {
	for mime, form := range data {
		if text, ok := form.(string); ok && strings.HasPrefix(mime, "text/") {
			data[mime] = o.clean(text)
		}
	}
	return data
}

func (o *outlet) set(out message.Output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.out = out
}

// begin is set for a cell that has shown nothing yet.
func (o *outlet) begin(out message.Output) {
	o.set(out)
	o.shown.Store(false)
}

func (o *outlet) show() message.Output {
	o.shown.Store(true)
	return o.get()
}

func (o *outlet) get() message.Output {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out
}

// Stream implements message.Output.
func (o *outlet) Stream(name, text string) {
	if name == "stderr" {
		text = o.words.take(text, o.release)
	}
	o.stream(name, text)
}

func (o *outlet) stream(name, text string) {
	if text == "" {
		return
	}
	if out := o.show(); out != nil {
		out.Stream(name, o.clean(text))
	}
}

// release publishes what was held back: the program lives on, so they were not
// its last words.
func (o *outlet) release() { o.stream("stderr", o.words.give()) }

// Display implements message.Output.
func (o *outlet) Display(data message.DisplayData) {
	if out := o.show(); out != nil {
		data.Data = o.cleanTexts(data.Data)
		out.Display(data)
	}
}

// Update implements message.Output.
func (o *outlet) Update(data message.DisplayData) {
	if out := o.show(); out != nil {
		out.Update(data)
	}
}

// Result implements message.Output.
func (o *outlet) Result(data message.MIMEBundle, metadata map[string]any) {
	if out := o.show(); out != nil {
		out.Result(o.cleanTexts(data), metadata)
	}
}

// Clear implements message.Output.
func (o *outlet) Clear(wait bool) {
	if out := o.show(); out != nil {
		out.Clear(wait)
	}
}

// Flush implements message.Output.
func (o *outlet) Flush() {
	if out := o.get(); out != nil {
		out.Flush()
	}
}

// Comm implements message.Output.
func (o *outlet) Comm(m message.Comm) {
	if out := o.get(); out != nil {
		out.Comm(m)
	}
}

// Input implements message.Output.
func (o *outlet) Input(prompt string, password bool) (string, error) {
	if out := o.show(); out != nil {
		return out.Input(prompt, password)
	}
	return "", errors.New("there is no cell to ask from")
}
