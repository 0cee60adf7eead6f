// Package debug is the worker's part of the debugger: it stops cells and looks at
// their variables.
//
// Cells that are to be debugged are compiled with calls of a [Frame]'s methods: each
// of their functions tells when it begins and ends, and before each statement where
// it has come to, with a function that returns pointers to what can be seen from
// there. So a stop is a goroutine that waits in such a call, and the process goes
// on: it serves its session, it can be interrupted, and nothing is lost if the client
// of the debugger goes away. Variables are read by reflection, scopes are Go's own.
//
// While one goroutine is stopped, others of the notebook wait at their next
// statement. The one that is stopped is always thread 1, the only one that
// JupyterLab asks about.
//
// Left out on purpose: what a machine-level debugger can do besides, which is to stop
// in functions of packages. A ptrace-based debugger was tried (delve 1.27 attached to
// the worker): it found no goroutines, since the runtime is in a library; the Go
// linker makes no debug information for a cell that is linked by itself; and when the
// debugger was killed, its breakpoints killed the worker.
package debug
