// Package build makes, from the text of a cell, a shared library that a running
// worker can load: a few tens of kilobytes that hold the cell's own code and refer
// by name to everything that is loaded already.
//
// The way of a cell: the Go compiler translates its text, with export data of the
// packages loaded so far (packages.go). For the Go linker a stub is written, a
// small ELF file that stands for all loaded libraries but holds only the symbols
// this cell refers to (index.go, stub.go): reading the real ones would take ten
// times as long. The linker lays out the cell's object, and a library is made of it
// (shared.go), with whatever is undefined left to the dynamic linker. Compiler and
// linker for the next cell are started ahead and wait for their input (tools.go).
//
// The packages that cells import are linked into larger libraries, once, and kept
// in a cache (library.go): the first library with the runtime and the usual
// packages, and one more whenever a cell imports what is not there yet.
//
// The package knows nothing of what the text means, and does not load or run
// anything.
package build
