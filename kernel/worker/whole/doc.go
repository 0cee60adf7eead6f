// Package whole is the main program of a notebook that has become one program: its
// cells run in order, in one process that needs no Go and no Jupyter.
//
// What a cell prints is printed, the values that it ends with are printed as texts,
// and those that are pictures become files. The parameters of the notebook are flags.
// A cell that fails ends the program.
package whole
