// Package cell takes the text of a notebook cell apart: imports, declarations,
// statements and the trailing expression, which may stand in any order.
//
// A cell is cut at the semicolons of depth zero (written or inserted), each
// chunk is a declaration or a statement by its first token, and go/parser then
// sees files of the cell's own shape: its imports, its declarations, and its
// statements inside a function, each with all else blanked. So every position of the
// syntax trees is, less a constant, an offset in the cell.
//
// Lines that are commands are no Go. They are found first, and blanked.
//
// It knows no types and does no input or output: what a name means is package
// program's business.
package cell
