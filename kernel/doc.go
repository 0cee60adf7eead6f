// Kernel is a Jupyter kernel for Go, and what makes experiments of Go notebooks: it
// executes them without a client, with other parameters, in sweeps, and again.
//
//	kernel run NOTEBOOK
//	kernel verify NOTEBOOK
//	kernel lock NOTEBOOK
//	kernel convert NOTEBOOK
//	kernel strip [NOTEBOOK…]
//	kernel build NOTEBOOK
//	kernel jupyter CONNECTION_FILE
//	kernel version
//	kernel help [COMMAND]
//
// kernel help COMMAND has the flags, and docs/experiments.md what each of them prints.
//
// This package is flags and wiring: each command is a row of a table in a file of its
// name. What they do is done in the packages below kernel/internal; nothing below logs
// or exits.
package main
