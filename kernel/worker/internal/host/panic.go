package host

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
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
// entry function.
func frames() []wire.Frame {
	pcs := make([]uintptr, 256)
	pcs = pcs[:runtime.Callers(1, pcs)]
	var all []wire.Frame
	start := 0
	for it := runtime.CallersFrames(pcs); ; {
		f, more := it.Next()
		if start == 0 && f.Function == "runtime.gopanic" {
			start = len(all) + 1
		}
		if strings.HasSuffix(f.Function, "/worker/internal/host.(*run).call") {
			break
		}
		all = append(all, wire.Frame{Function: f.Function, File: f.File, Line: f.Line})
		if !more {
			break
		}
	}
	all = all[start:]
	for len(all) > 0 && strings.HasPrefix(all[0].Function, "runtime.") {
		all = all[1:] // panicmem, sigpanic, goPanicIndex
	}
	return all
}
