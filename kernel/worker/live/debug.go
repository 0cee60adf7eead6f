package live

import "github.com/seed5607215b/nnkit/kernel/worker/internal/debug"

// Frame is a call of a function that stops for the debugger. Its methods At and
// Leave are called by generated text.
type Frame = debug.Frame

// Pointers are those to the variables that can be seen from a statement.
type Pointers = []any

// Enter begins a call of a function that stops for the debugger, in the file of a
// cell.
func Enter(file, function string) *Frame { return debug.Enter(file, function) }

// Globals takes pointers to all of the notebook's variables, whose names are parted
// by blanks.
func Globals(names string) func(pointers ...any) { return debug.Globals(names) }
