// Package mpi lets the processes of an MPI program train one model together, on one machine or many.
//
//	func main() {
//		defer mpi.Finalize()
//		…
//		history, err := model.Fit(x, y, nnkit.Epochs(10), mpi.World())
//	}
//
//	mpirun -n 4 ./program
//
// Each process, a rank, computes some shards of every batch (see [nnkit.Distribute]), and all come to the same weights: those, to
// the last bit, that one process comes to with the same [nnkit.Shards]. Every rank reads all data.
//
// A notebook needs none of this: kernel run NOTEBOOK --ranks 4 makes a program of it in which every Fit is shared.
//
// The package is for Open MPI (Debian: libopenmpi-dev to build, openmpi-bin to run). Of MPI it uses the exchange of two
// messages and the gathering of small ones; in which order gradients are added is nnkit's, since MPI leaves the order of its own
// reductions open. It leaves out communicators other than the world, and ranks that come and go: one that dies ends the program.
package mpi
