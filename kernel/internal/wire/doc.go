// Package wire holds the few frames that a session and its worker exchange: one
// JSON value a line, requests on the worker's descriptor 3, events on its
// descriptor 4. Descriptors of their own leave standard input, output and error
// to the user's program.
//
// What a program prints or displays does not pass here, and neither does any
// of Jupyter's vocabulary.
package wire
