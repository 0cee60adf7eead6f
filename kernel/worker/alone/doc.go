// Package alone is the main program of a cell that has a process of its own, as
// cells have where they cannot share a worker.
//
// To the session the process is a worker that holds one cell from the start: it
// serves the same requests and tells the same events. It is an ordinary Go
// program, though, and ends as one: an interrupt that it does not ask for ends
// it, and nothing of it stays. It relies on nothing but the standard library,
// for any system that has pipes, signals and process groups.
package alone
