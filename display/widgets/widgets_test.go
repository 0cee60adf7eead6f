package widgets

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/display/jupyter"
)

func update(state map[string]any) jupyter.Message {
	return jupyter.Message{Data: map[string]any{"method": "update", "state": state, "buffer_paths": []any{}}}
}

func TestSlider(t *testing.T) {
	whole := Slider("epochs", 1, 10, 3)
	var heard []int
	whole.OnChange(func(v int) { heard = append(heard, v) })
	whole.model.take(update(map[string]any{"value": 7.0}))
	whole.model.take(update(map[string]any{"unheard_of": 1.0}))
	if whole.Value() != 7 || fmt.Sprint(heard) != "[7]" {
		t.Errorf("the slider is at %d and told %v, want 7 and [7]", whole.Value(), heard)
	}
	if err := whole.SetValue(11); err == nil || err.Error() != `widgets: slider "epochs" goes from 1 to 10, not to 11` {
		t.Errorf("beyond the end: %v", err)
	}
	if err := whole.SetValue(9); err != nil || whole.Value() != 9 {
		t.Errorf("set to 9 it is at %d (%v)", whole.Value(), err)
	}
	part := Slider("rate", 0.0, 0.5, 0.1)
	if got, want := part.MIMEBundle()["text/plain"], "rate: 0.1 (a slider from 0 to 0.5)"; got != want {
		t.Errorf("shown as %q, want %q", got, want)
	}
	if step := part.model.get("step"); step != 0.005 {
		t.Errorf("a step is %v", step)
	}
}

func TestButton(t *testing.T) {
	b := Button("go")
	clicks := 0
	b.OnClick(func() { clicks++ })
	for _, event := range []string{"click", "hover", "click"} {
		b.model.take(jupyter.Message{Data: map[string]any{"method": "custom", "content": map[string]any{"event": event}}})
	}
	b.model.take(jupyter.Message{Data: map[string]any{"method": "custom"}})
	b.model.take(jupyter.Message{})
	if clicks != 2 {
		t.Errorf("%d clicks, want 2", clicks)
	}
}

func TestProgress(t *testing.T) {
	b := Progress("training", 4)
	for _, tt := range []struct {
		set  float64
		want string
	}{
		{-1, "training ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   0 %"},
		{1, "training ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  25 %"},
		{9, "training ████████████████████████████████████████ 100 %"},
	} {
		if err := b.Set(tt.set); err != nil || b.String() != tt.want {
			t.Errorf("at %v it is\n%s (%v), want\n%s", tt.set, b, err, tt.want)
		}
	}
}

func TestOutput(t *testing.T) {
	a := Output()
	fmt.Fprint(a, "one ")
	fmt.Fprintln(a, "line")
	if err := a.Show(jupyter.Output{Data: map[string]any{"text/plain": "shown"}}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(a, "end")
	if got, want := a.String(), "one line\nshown\nend"; got != want {
		t.Errorf("it holds %q, want %q", got, want)
	}
	if n := len(a.model.get("outputs").([]any)); n != 3 {
		t.Errorf("%d outputs, want 3: text is joined", n)
	}
	if err := a.Clear(); err != nil || a.String() != "" {
		t.Errorf("cleared, it holds %q (%v)", a, err)
	}
}

// TestBadInput has constructors called wrongly.
func TestBadInput(t *testing.T) {
	for want, f := range map[string]func(){
		`widgets: Slider "x" from 3 to 1, at 2: give a finite range, low below high, and a value inside`:    func() { Slider("x", 3, 1, 2) },
		`widgets: Slider "x" from 0 to 1, at 2: give a finite range, low below high, and a value inside`:    func() { Slider("x", 0, 1, 2) },
		`widgets: Slider "x" from 0 to +Inf, at 2: give a finite range, low below high, and a value inside`: func() { Slider("x", 0, math.Inf(1), 2) },
		`widgets: Progress "x" of 0: the total is to be positive`:                                           func() { Progress("x", 0) },
		`widgets: Progress "x" of NaN: the total is to be positive`:                                         func() { Progress("x", math.NaN()) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("got %v, want %s", got, want)
				}
			}()
			f()
		}()
	}
}
