package running

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// panicked describes a panic. The deferred function that has recovered it calls
// it: the frames of the panic are still on the stack then.
func panicked(value any) wire.Outcome {
	o := wire.Outcome{Status: wire.Panicked, Name: "panic", Value: panicText(value), Frames: frames()}
	if err, ok := value.(error); ok {
		if _, ok := errors.AsType[runtime.Error](err); ok {
			o.Name = "runtime error"
			o.Value = strings.TrimPrefix(o.Value, "runtime error: ")
		}
	}
	return o
}

// panicText is what Go prints of a panic's value, and a little more: Go prints
// most kinds of values as an address.
func panicText(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T (and its text panics too)", value)
		}
	}()
	switch v := value.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	}
	switch reflect.TypeOf(value).Kind() {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map, reflect.Pointer:
		return fmt.Sprintf("%#v", value)
	default:
		return fmt.Sprint(value)
	}
}

// frames returns the stack of the panic, from where it came up to the cell's
// entry function. Of a stack that a recursion has made deep it returns both ends.
func frames() []wire.Frame {
	pcs := make([]uintptr, 4*ends)
	n := runtime.Callers(1, pcs)
	for ; n == len(pcs); n = runtime.Callers(1, pcs) {
		pcs = make([]uintptr, 4*len(pcs))
	}
	pcs = pcs[:n]
	if n <= 2*ends {
		return trimmed(described(pcs))
	}
	// Each is one frame, inlined ones too.
	top, bottom := described(pcs[:ends]), described(pcs[n-ends:])
	bottom[0].Omitted = n - 2*ends
	return trimmed(append(top, bottom...))
}

// ends is how many frames are told of either end of a deep stack.
const ends = 64

func described(pcs []uintptr) []wire.Frame {
	var all []wire.Frame
	for it := runtime.CallersFrames(pcs); ; {
		f, more := it.Next()
		all = append(all, wire.Frame{Function: f.Function, File: f.File, Line: f.Line})
		if !more {
			return all
		}
	}
}

// trimmed is a stack without what is above the panic and below the cell.
func trimmed(all []wire.Frame) []wire.Frame {
	isCall := func(f wire.Frame) bool { return strings.HasSuffix(f.Function, "/worker/internal/running.(*Cell).Run") }
	if end := slices.IndexFunc(all, isCall); end >= 0 {
		all = all[:end]
	}
	isPanic := func(f wire.Frame) bool { return f.Function == "runtime.gopanic" }
	all = all[slices.IndexFunc(all, isPanic)+1:]
	for len(all) > 0 && strings.HasPrefix(all[0].Function, "runtime.") {
		all = all[1:] // panicmem, sigpanic, goPanicIndex
	}
	return all
}
