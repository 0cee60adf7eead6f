package session

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
)

// outlet is where the worker's output goes: to the cell that runs, or to the
// last one that ran. It takes generated names out of texts.
type outlet struct {
	mu     sync.Mutex
	out    message.Output
	labels sync.Map // plan ID -> the number that the cell is shown by
}

var trace = regexp.MustCompile(`/cell/([0-9]+)\.go:([0-9]+)( \+0x[0-9a-f]+)?`)

// clean takes generated names and files out of a text, a stack trace say.
func (o *outlet) clean(text string) string {
	text = program.Unversioned(text)
	if !strings.Contains(text, "/cell/") {
		return text
	}
	return trace.ReplaceAllStringFunc(text, func(place string) string {
		m := trace.FindStringSubmatch(place)
		id, _ := strconv.Atoi(m[1])
		label, ok := o.labels.Load(id)
		if !ok {
			return place
		}
		return fmt.Sprintf("Cell [%d], line %s", label, m[2])
	})
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

func (o *outlet) get() message.Output {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out
}

// Stream implements message.Output.
func (o *outlet) Stream(name, text string) {
	if out := o.get(); out != nil {
		out.Stream(name, o.clean(text))
	}
}

// Display implements message.Output.
func (o *outlet) Display(data message.DisplayData) {
	if out := o.get(); out != nil {
		data.Data = o.cleanTexts(data.Data)
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
	if out := o.get(); out != nil {
		out.Result(o.cleanTexts(data), metadata)
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
