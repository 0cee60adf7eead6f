package nnkit

import (
	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// product runs a matrix product, split over the cores if it is large. It is a value that lives as long as the pass it
// belongs to, so that starting one allocates nothing.
type product struct {
	p    simd.Product
	rows int // rows of C in a block
}

// Below this many multiply-adds waking another core costs more than it saves; a block has about half as many.
const parallelFrom = 1 << 18

func (j *product) run(p simd.Product) {
	work := p.M * p.N * p.K
	if work < parallelFrom {
		p.Rows(0, p.M)
		return
	}
	j.p = p
	// The blocks depend on the shapes alone, though any split of the rows gives the same bits.
	j.rows = max(4, parallelFrom/2/max(1, p.N*p.K)&^3)
	parallel.Run((p.M+j.rows-1)/j.rows, j)
}

// Block implements parallel.Task.
func (j *product) Block(i int) { j.p.Rows(i*j.rows, min(j.p.M, (i+1)*j.rows)) }
