// Package host is the inside of the worker: it serves the session's requests to
// load libraries and to run cells.
//
// It relies on the insides of the Go runtime (see load.go) and is meaningful
// only in a program linked against a shared library that holds the runtime. It
// knows nothing of notebooks: what a cell is called, where its output goes and
// what to do when it fails is the session's business.
package host
