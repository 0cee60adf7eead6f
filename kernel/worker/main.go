//go:build linux && amd64 && cgo

// Worker is the process that holds a session's state: it loads the libraries
// that the session has compiled from a notebook's cells, and runs the cells.
//
// It is linked against the session's first library and started by the session,
// never by hand. All of it is in package host: whatever this package declared
// would get in the way of the cells, which are compiled as package main too.
package main

import "github.com/seed5607215b/nnkit/kernel/worker/internal/host"

func main() { host.Main() }
