package widgets

import (
	"fmt"
	"math"
	"sync"

	"github.com/seed5607215b/nnkit/display/jupyter"
)

// Number is a slider: a number that the person moves.
type Number[T int | float64] struct {
	model *model
	label string
	low   T
	high  T

	mu      sync.Mutex
	changed func(T)
}

// Slider makes a slider from low to high that begins at value: of whole numbers, or of
// a hundred steps where the numbers have fractions. It panics where low is not below
// high, or value is not between them.
func Slider[T int | float64](label string, low, high, value T) *Number[T] {
	if !(low < high) || value < low || value > high || math.IsInf(float64(high-low), 0) {
		panic(fmt.Sprintf("widgets: Slider %q from %v to %v, at %v: give a finite range, low below high, and a value inside", label, low, high, value))
	}
	name, step := "IntSlider", any(1)
	if _, ok := any(value).(float64); ok {
		name, step = "FloatSlider", float64(high-low)/100
	}
	s := &Number[T]{label: label, low: low, high: high}
	s.model = must(newControl(name+"Model", name+"View", "SliderStyleModel", map[string]any{
		"description": label, "min": low, "max": high, "value": value, "step": step, "continuous_update": true,
	}))
	s.model.changed = func(key string, v any) {
		s.mu.Lock()
		f := s.changed
		s.mu.Unlock()
		if key == "value" && f != nil {
			f(number[T](v))
		}
	}
	return s
}

// number is a number of JSON.
func number[T int | float64](v any) T {
	switch v := v.(type) {
	case float64:
		return T(v)
	case T:
		return v
	}
	return 0
}

// Value is where the slider stands.
func (s *Number[T]) Value() T { return number[T](s.model.get("value")) }

// SetValue moves the slider.
func (s *Number[T]) SetValue(value T) error {
	if value < s.low || value > s.high {
		return fmt.Errorf("widgets: slider %q goes from %v to %v, not to %v", s.label, s.low, s.high, value)
	}
	return s.model.set("value", value)
}

// OnChange has f called with the value whenever the person moves the slider.
func (s *Number[T]) OnChange(f func(value T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = f
}

// MIMEBundle shows the slider where it stands last in a cell.
func (s *Number[T]) MIMEBundle() map[string]any {
	return s.model.bundle(fmt.Sprintf("%s: %v (a slider from %v to %v)", s.label, s.Value(), s.low, s.high))
}

// Display shows the slider.
func (s *Number[T]) Display() error { return jupyter.Display(jupyter.Output{Data: s.MIMEBundle()}) }
