// Package carry takes the values of variables from one process into another that
// has the same types: by a file, which [Save] writes and [Restore] reads.
//
// What variables lead to is memory. Save finds it, each piece once, so that what is
// shared stays shared: two slices of one array, a pointer into a struct, a ring.
// Pieces that lie in another are not written twice. Restore makes the pieces anew and
// fills them. Fields need not be exported.
//
// Types and what packages hold are named, not written: a type by its path and the
// layout that it must still have; a function, or a pointer to a package's variable,
// by its place in the library that both processes load.
//
// What means something in one process only cannot be carried: channels, function literals,
// open files, locked mutexes, memory of C. A variable that leads to such a thing is
// not kept, and told with the reason. The state of packages is not carried, and what a
// sync.Pool holds is not.
package carry
