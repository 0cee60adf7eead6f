package live

import (
	"errors"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/carry"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// Keep returns a function that writes what variables hold to a file, and sends rows as
// Who does: for each variable why it is not kept, or an empty text; then, one a row,
// the functions and types that Restore has to be given.
func Keep(file string) func(pointers ...any) {
	return func(pointers ...any) {
		if carry.Here == nil {
			fail(errors.New("this Go runtime does not tell what is needed to keep values: %restart loses them, and Model.Save and the like keep them in files"))
			return
		}
		if busy := carry.Busy(); busy != "" {
			fail(errors.New(busy + ", and may be changing what is to be kept: end it first, or write %restart, which keeps no values"))
			return
		}
		reasons, needs, err := carry.Save(file, pointers)
		if err != nil {
			fail(err)
			return
		}
		sendRows(append(reasons, needs...))
	}
}

// Restore returns a function that gives variables what Keep has written of them, given
// pointers to the variables and then the functions and types that it has asked for, by
// these names. It sends for each variable why that cannot be done, or an empty text.
func Restore(file string, needs ...string) func(values ...any) {
	return func(values ...any) {
		pointers := values[:len(values)-len(needs)]
		functions := map[string]any{}
		for i, name := range needs {
			functions[name] = values[len(pointers)+i]
		}
		reasons, err := carry.Restore(file, pointers, functions)
		if err != nil {
			fail(err)
			return
		}
		sendRows(reasons)
	}
}

func sendRows(texts []string) {
	rows := make([][2]string, len(texts))
	for i, text := range texts {
		rows[i][0] = text
	}
	if c := running.Own(); c != nil {
		c.Show([]wire.Bundle{{Data: map[string]any{WhoKey: rows}}})
	}
}

// fail ends the cell with an error.
func fail(err error) {
	if c := running.Own(); c != nil {
		c.Fail(wire.Outcome{Status: wire.Failed, Name: "error", Value: err.Error()})
	}
}
