// Package session is one notebook's session: its Go module, its worker process,
// and a cell's way from text to output.
//
// A cell is planned (package program), built (package build), loaded into the
// worker, committed to the program and run. What the worker writes comes back
// through pumps: standard output and error, GoNB's display pipe, and the frames
// of package wire. When the worker dies, the declarations of the cells so far
// are still known, and the next cell gets a new worker.
//
// Commands of cells (%cd, !ls) are rows of a table. They act on the session, at
// their place among the cell's statements.
//
// It knows nothing of sockets and notebook files: outputs go to a
// message.Output.
package session
