package running

import "runtime/debug"

// maxStack is the most that a goroutine's stack may take, a quarter of what Go allows:
// enough for millions of calls. A function that calls itself without an end is told so
// in half the time, and before it takes the memory of a small container, whose system
// would kill the process without a word. A cell that needs more calls
// debug.SetMaxStack.
const maxStack = 256 << 20

// LimitStacks sets the limit.
func LimitStacks() { debug.SetMaxStack(maxStack) }
