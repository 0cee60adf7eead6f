// Package program keeps a notebook as one Go program. Plan takes a cell and
// prints the package that is to be compiled for it: what the cell declares, what
// it reaches of the declarations of earlier cells, and an entry function with its
// statements. Commit makes the cell's declarations live, once the package has
// been loaded.
//
// The program is at any time what it would be if the latest declarations of
// all names stood in one file. Since a symbol, once loaded, keeps its first
// definition, a changed declaration gets a new name, its version: scaleʹ2. So
// does whatever depends on it. The prime is a letter to Go that nobody types;
// Unversioned takes it out of texts that people see.
//
// Variables of a cell's top level are declared without their initial values,
// which the entry function assigns. The types that they need are found by
// checking the statements as a function body, where := has its ordinary meaning.
//
// The package does no input or output. Type information of imported packages
// comes from the types.Importer that it is given.
package program
