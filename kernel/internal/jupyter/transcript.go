package jupyter

import (
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// transcript is what a cell has printed, as long as it is short and there is nothing
// else among its outputs. With it the field can be taken away that a front end has
// opened for a question: the protocol has no message for that, and front ends leave
// the field there after an interrupt, but they remove it with all outputs of the cell.
type transcript struct {
	mu      sync.Mutex
	printed []printed
	size    int
	spoilt  bool // there is something that cannot be shown again
}

type printed struct{ name, text string }

// transcriptSize is how much may be printed before a question, in bytes.
const transcriptSize = 16 << 10

// add notes what is printed by publish.
func (t *transcript) add(name, text string, publish func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.size += len(text); t.size > transcriptSize {
		t.spoilt, t.printed = true, nil
	}
	if !t.spoilt {
		t.printed = append(t.printed, printed{name, text})
	}
	publish()
}

// spoil says that the cell has an output which is no text, or that a person has typed
// something, which the front end shows among the outputs.
func (t *transcript) spoil() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spoilt, t.printed = true, nil
}

// withdraw takes away the field of a question that nobody is to answer any more. What
// the cell has printed is shown again; the front end does both at once, with the next output.
func (x *execution) withdraw() {
	t, r := &x.shown, x.running
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spoilt || x.silent || !r.redraws {
		return
	}
	r.iopub.publish(x.parent, "clear_output", message.ClearOutput{Wait: true})
	for _, p := range t.printed {
		r.iopub.stream(x.parent, p.name, p.text)
	}
}
