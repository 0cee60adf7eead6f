package widgets

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/display/jupyter"
)

// Bar is a progress bar.
type Bar struct {
	model *model
	label string
	total float64

	mu    sync.Mutex
	value float64
	sent  time.Time
	shown bool
}

// Progress makes a bar that is full at total. It panics where total is not positive.
func Progress(label string, total float64) *Bar {
	if !(total > 0) {
		panic(fmt.Sprintf("widgets: Progress %q of %v: the total is to be positive", label, total))
	}
	return &Bar{
		label: label, total: total,
		model: must(newControl("FloatProgressModel", "ProgressView", "ProgressStyleModel", map[string]any{
			"description": label, "min": 0.0, "max": total, "value": 0.0, "bar_style": "",
		})),
	}
}

// frame is how often a bar is drawn at most.
const frame = 50 * time.Millisecond

// Set says how far it is: up to the total. It may be called as often as one likes.
func (b *Bar) Set(value float64) error {
	b.mu.Lock()
	b.value = min(max(value, 0), b.total)
	now := time.Now()
	if b.value < b.total && now.Sub(b.sent) < frame {
		b.mu.Unlock()
		return nil
	}
	b.sent = now
	value, shown := b.value, b.shown
	b.mu.Unlock()
	if err := b.model.set("value", value); err != nil || !shown {
		return err
	}
	return jupyter.Update(jupyter.Output{ID: b.id(), Data: map[string]any{"text/plain": b.String()}, Plain: true})
}

// Value is how far it is.
func (b *Bar) Value() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.value
}

func (b *Bar) id() string { return "progress-" + b.model.comm.ID() }

// String draws the bar with letters.
func (b *Bar) String() string {
	const width = 40
	part := b.Value() / b.total
	full := int(part * width)
	return fmt.Sprintf("%s %s%s %3.0f %%", b.label, strings.Repeat("█", full), strings.Repeat("░", width-full), 100*part)
}

// Display shows the bar.
func (b *Bar) Display() error {
	b.mu.Lock()
	b.shown = true
	b.mu.Unlock()
	return jupyter.Display(jupyter.Output{ID: b.id(), Data: b.MIMEBundle()})
}

// MIMEBundle shows the bar where it stands last in a cell. By Display it goes on also
// in front ends without ipywidgets.
func (b *Bar) MIMEBundle() map[string]any { return b.model.bundle(b.String()) }
