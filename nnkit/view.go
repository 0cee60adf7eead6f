package nnkit

import (
	"maps"
	"sync/atomic"
)

// view is how values of a type show themselves in a notebook beside their text, as a package that can draw has registered it.
type view[T any] struct {
	f atomic.Pointer[func(T) map[string]any]
}

func (v *view[T]) register(f func(T) map[string]any) {
	if f == nil {
		v.f.Store(nil)
		return
	}
	v.f.Store(&f)
}

// add adds what the view shows of a value to a bundle. It reports whether that is anything.
func (v *view[T]) add(bundle map[string]any, value T) bool {
	f := v.f.Load()
	if f == nil {
		return false
	}
	seen := (*f)(value)
	maps.Copy(bundle, seen)
	return len(seen) > 0
}
