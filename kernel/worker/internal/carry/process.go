package carry

import (
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"unsafe"
)

// A Process is what has to be known of the process around the variables.
type Process struct {
	// InHeap tells whether an address is in an object that Go's collector knows.
	InHeap func(p unsafe.Pointer) bool
	// Library tells in which file an address was loaded, at which offset, and whether
	// that is the library of a cell. The file is "" for memory that was not loaded.
	Library func(p unsafe.Pointer) (file string, offset uintptr, ofCell bool)
	// Base is where a file is loaded that is no cell's; nil if it is not.
	Base func(file string) unsafe.Pointer
	// Types calls yield for all types that there are descriptors of.
	Types func(yield func(reflect.Type) bool)
}

// Here is the process that the package works in. The worker's host sets it; without
// it nothing can be carried.
var Here *Process

// standard are values that each process has for itself, known by their addresses.
var standard = []unsafe.Pointer{unsafe.Pointer(os.Stdin), unsafe.Pointer(os.Stdout), unsafe.Pointer(os.Stderr)}

// Busy tells of a goroutine of a cell, other than the caller's, that does not wait for
// another: it may be changing what is to be kept. The text is such as "a goroutine that
// /cell/3.go:5 has started goes on (sleep)"; it is empty if there is none.
func Busy() string {
	stacks := make([]byte, 1<<16)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	for i, stack := range strings.Split(string(stacks), "\n\n") {
		state, frames, ok := strings.Cut(stack, "]:\n")
		if i == 0 || !ok { // the caller's own comes first
			continue
		}
		_, state, _ = strings.Cut(state, "[")
		if place := startedBy(frames); place != "" && !waits(state) {
			return "a goroutine that " + place + " has started goes on (" + state + ")"
		}
	}
	return ""
}

// waits tells of a goroutine's state whether another one has to wake it.
func waits(state string) bool {
	state, _, _ = strings.Cut(state, ",")
	return slices.ContainsFunc([]string{"chan ", "select", "sync.", "semacquire"}, func(s string) bool { return strings.HasPrefix(state, s) })
}

// startedBy is where a cell has started a goroutine, "" if no cell has.
func startedBy(frames string) string {
	_, starter, _ := strings.Cut(frames, "\ncreated by ")
	_, place, ok := strings.Cut(starter, "\n\t")
	if place, _, _ = strings.Cut(place, " "); !ok || !strings.HasPrefix(starter, "main.") {
		return ""
	}
	return place
}
