// Package complete tells what can be typed at a place in a cell, and what stands
// there.
//
// The text is seldom Go while it is being typed. So package cell makes trees of it
// that are as good as they can be, package program type-checks them together with
// what the notebook declares, and here is looked at what the cursor is in. All that
// is known of packages comes from their export data, or from their sources where nobody has
// compiled them yet. Both say where an object is declared: its comment is read there.
//
// It asks no language server. One would want the session printed as files, a
// process of more than a hundred megabytes for each notebook, and to be built and
// fetched first; what a session has already at hand answers as fast.
//
// Left out: commands, which are the session's; snippets, which Jupyter's protocol
// does not know; matches that do not begin with what is typed.
package complete
