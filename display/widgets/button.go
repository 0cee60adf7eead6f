package widgets

import (
	"fmt"
	"sync"

	"github.com/seed5607215b/nnkit/display/jupyter"
)

// Clickable is a button.
type Clickable struct {
	model *model

	mu      sync.Mutex
	clicked func()
}

// Button makes a button.
func Button(label string) *Clickable {
	b := &Clickable{model: must(newControl("ButtonModel", "ButtonView", "ButtonStyleModel", map[string]any{
		"description": label, "disabled": false,
	}))}
	b.model.event = func(content map[string]any) {
		b.mu.Lock()
		f := b.clicked
		b.mu.Unlock()
		if content["event"] == "click" && f != nil {
			f()
		}
	}
	return b
}

// OnClick has f called for each click, one after the other.
func (b *Clickable) OnClick(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clicked = f
}

// Disable makes the button deaf, or enables it again.
func (b *Clickable) Disable(disabled bool) error { return b.model.set("disabled", disabled) }

// MIMEBundle shows the button where it stands last in a cell.
func (b *Clickable) MIMEBundle() map[string]any {
	return b.model.bundle(fmt.Sprintf("[%v] (a button)", b.model.get("description")))
}

// Display shows the button.
func (b *Clickable) Display() error { return jupyter.Display(jupyter.Output{Data: b.MIMEBundle()}) }
