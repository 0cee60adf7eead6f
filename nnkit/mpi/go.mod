// Package mpi has a module of its own: it wants Open MPI's C library, which a machine without it must not miss.
module github.com/seed5607215b/nnkit/nnkit/mpi

go 1.26.0

require github.com/seed5607215b/nnkit v0.0.0

replace github.com/seed5607215b/nnkit => ../..
