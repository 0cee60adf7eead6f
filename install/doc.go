// Command install puts the nnkit kernel into Jupyter, examines the machine it
// is to run on, and takes it out again.
//
//	go run ./install                 for the user
//	go run ./install --prefix DIR    into DIR/share/jupyter/kernels/nnkit
//	go run ./install --sys-prefix    into the active Python environment
//	go run ./install --check         what is there, what is missing, what to do
//	go run ./install --uninstall     remove what was installed
//
// What it installs is one directory that no longer needs the clone: the kernel's
// binary, its kernel.json and logos, and in src the packages that cells import.
// The directory is made beside its final place and moved there when it is
// complete, so an interrupted installation leaves the old one as it was.
//
// It deliberately installs nothing else: Go, the C compiler and Jupyter are
// looked for and reported, never fetched.
package main
