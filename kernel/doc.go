// Kernel is a Jupyter kernel for Go, and a headless runner of Go notebooks.
//
//	kernel run NOTEBOOK [--output FILE] [--html FILE]
//	kernel jupyter CONNECTION_FILE
//	kernel version
//
// Run executes a notebook and writes the executed notebook and a web page beside
// it, or where it is told. Jupyter is what Jupyter starts: it serves one notebook
// until a client asks it to end.
//
// This package is flags and wiring. What the commands do is done in the packages
// below kernel/internal; nothing below logs or exits.
package main
