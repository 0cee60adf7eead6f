// Package history keeps the cells that were executed, in this kernel and in those
// before it: a client lets a person page and search through them.
//
// They are lines of JSON in one file of the user, which all kernels append to. That
// is all that is needed of a database here: a kernel reads the whole file, which is
// bounded.
package history
