package nnkit

import (
	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// LimitCores lets training, evaluation and prediction use at most so many cores; 0, the default, is as many as Go may
// use ([runtime.GOMAXPROCS]). The numbers they compute are the same for any limit, to the last bit.
func LimitCores(cores int) { parallel.SetLimit(cores) }

// compute computes a matrix product, on several cores if it is large. It allocates nothing if p lives longer than the
// call.
func compute(p *simd.Product) {
	if n := p.Blocks(); n > 1 {
		parallel.Run(n, p)
	} else {
		p.Block(0)
	}
}
