// Package show turns values into what a notebook shows of them.
//
// A value has a text always, and richer forms where its type offers them by a
// method, HTML say, or where its shape does: pictures, matrices, tables. A text is
// what Go's syntax says of the value, within 80 columns where that can be.
//
// Whatever the value, its output is bounded: what is large is cut in its middle,
// with the size told, what leads back to itself is cut there, and methods that
// panic are told of. Nothing is loaded, parsed or linked for it but the standard
// library, so types of other modules are known by their methods alone.
package show
