package notebook

import (
	"maps"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// A collector puts the outputs of an execution into the cells of a notebook. A
// goroutine that a cell started may go on showing things while later cells run,
// so every cell's outputs stay open until the collector is closed.
type collector struct {
	mu     sync.Mutex
	closed bool
	cells  []*cellOutput
	shown  map[string][]*Output // by display id, in all cells
}

func newCollector() *collector {
	return &collector{shown: make(map[string][]*Output)}
}

// cell returns where the outputs of c go.
func (col *collector) cell(c *Cell, count int) *cellOutput {
	col.mu.Lock()
	defer col.mu.Unlock()
	out := &cellOutput{col: col, cell: c, count: count}
	col.cells = append(col.cells, out)
	return out
}

// close ends the collecting; afterwards nothing touches the notebook.
func (col *collector) close() {
	col.mu.Lock()
	defer col.mu.Unlock()
	for _, out := range col.cells {
		out.endStream()
	}
	col.closed = true
}

// A cellOutput is the message.Output of one cell.
type cellOutput struct {
	col   *collector
	cell  *Cell
	count int

	stream       *strings.Builder // text of the cell's last output while that is a stream
	clearPending bool             // clear when the next output arrives
}

var _ message.Output = (*cellOutput)(nil)

// Stream implements message.Output.
func (o *cellOutput) Stream(name, text string) {
	o.col.mu.Lock()
	defer o.col.mu.Unlock()
	if text == "" || !o.begin() {
		return
	}
	if o.stream == nil || o.last().Name != name {
		o.add(&Output{Type: Stream, Name: name})
		o.stream = new(strings.Builder)
	}
	o.stream.WriteString(text)
}

// Display implements message.Output.
func (o *cellOutput) Display(data message.DisplayData) {
	o.col.mu.Lock()
	defer o.col.mu.Unlock()
	if !o.begin() {
		return
	}
	out := &Output{Type: DisplayData, Data: maps.Clone(data.Data), Metadata: maps.Clone(data.Metadata)}
	if id := data.Transient.DisplayID; id != "" {
		// As in Jupyter, showing an id again updates where it was shown before.
		o.col.update(data)
		o.col.shown[id] = append(o.col.shown[id], out)
	}
	o.add(out)
}

// Update implements message.Output. What was never shown is not updated.
func (o *cellOutput) Update(data message.DisplayData) {
	o.col.mu.Lock()
	defer o.col.mu.Unlock()
	if !o.col.closed {
		o.col.update(data)
	}
}

func (col *collector) update(data message.DisplayData) {
	for _, out := range col.shown[data.Transient.DisplayID] {
		out.Data = maps.Clone(data.Data)
		out.Metadata = maps.Clone(data.Metadata)
	}
}

// Result implements message.Output.
func (o *cellOutput) Result(data message.MIMEBundle, metadata map[string]any) {
	o.col.mu.Lock()
	defer o.col.mu.Unlock()
	if o.begin() {
		o.add(&Output{Type: ExecuteResult, ExecutionCount: o.count, Data: maps.Clone(data), Metadata: maps.Clone(metadata)})
	}
}

// Clear implements message.Output.
func (o *cellOutput) Clear(wait bool) {
	o.col.mu.Lock()
	defer o.col.mu.Unlock()
	if o.col.closed {
		return
	}
	o.clearPending = wait
	if !wait {
		o.clear()
	}
}

// Flush implements message.Output: nothing is held back.
func (o *cellOutput) Flush() {}

// Comm implements message.Output: there is no front end.
func (o *cellOutput) Comm(message.Comm) {}

// Input implements message.Output: there is nobody to ask.
func (o *cellOutput) Input(string, bool) (string, error) {
	return "", errNoInput
}

// fail adds the error that ended the cell.
func (o *cellOutput) fail(reply message.ExecuteReply) {
	o.col.mu.Lock()
	defer o.col.mu.Unlock()
	if o.begin() {
		o.add(&Output{Type: Error, ErrorName: reply.ErrorName, ErrorValue: reply.ErrorValue, Traceback: reply.Traceback})
	}
}

// begin makes ready for an output and reports whether it is still wanted.
func (o *cellOutput) begin() bool {
	if o.col.closed {
		return false
	}
	if o.clearPending {
		o.clearPending = false
		o.clear()
	}
	return true
}

func (o *cellOutput) add(out *Output) {
	o.endStream()
	o.cell.Outputs = append(o.cell.Outputs, out)
}

func (o *cellOutput) last() *Output {
	return o.cell.Outputs[len(o.cell.Outputs)-1]
}

func (o *cellOutput) endStream() {
	if o.stream != nil {
		o.last().Text = overwrite(strings.ToValidUTF8(o.stream.String(), "\ufffd"))
		o.stream = nil
	}
}

func (o *cellOutput) clear() {
	o.stream = nil
	gone := make(map[*Output]bool, len(o.cell.Outputs))
	for _, out := range o.cell.Outputs {
		gone[out] = true
	}
	for id, outs := range o.col.shown {
		kept := outs[:0]
		for _, out := range outs {
			if !gone[out] {
				kept = append(kept, out)
			}
		}
		o.col.shown[id] = kept
	}
	o.cell.Outputs = nil
}
