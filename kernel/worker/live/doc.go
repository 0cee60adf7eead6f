// Package live is what the text generated for a cell calls: for the value of the
// trailing expression, for errors that the cell leaves to the session, and for
// interrupts.
//
// It is part of the first library of every session, so it stays small and
// imports the standard library only. It is not meant to be called by hand.
package live
