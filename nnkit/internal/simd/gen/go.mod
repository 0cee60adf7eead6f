// The generator of the assembly. It has a module of its own, since every requirement of the main module is a version
// floor in every notebook.
module github.com/seed5607215b/nnkit/nnkit/internal/simd/gen

go 1.26.0

require github.com/mmcloughlin/avo v0.5.0

require (
	golang.org/x/mod v0.29.0 // indirect
	golang.org/x/sync v0.17.0 // indirect
	golang.org/x/tools v0.38.0 // indirect
)
