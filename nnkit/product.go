package nnkit

import (
	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// product runs a matrix product, split over the cores if it is large. It is a value that lives as long as the pass it
// belongs to, so that starting one allocates nothing.
type product struct {
	p             simd.Product
	rows, columns int // of a block
}

// Below this many multiply-adds waking another core costs more than it saves.
const parallelFrom = 1 << 18

func (j *product) run(p simd.Product) {
	if p.M*p.N*p.K < parallelFrom {
		p.Part(0, p.M, 0, p.N)
		return
	}
	// Blocks of whole columns read each part of B once; a narrow product is cut by rows. What a block is depends on the
	// shape alone, though no cut changes a bit.
	j.p, j.rows, j.columns = p, p.M, p.N
	blocks := 0
	if p.N >= 64 {
		j.columns = max(16, (p.N+15)/16)
		blocks = (p.N + j.columns - 1) / j.columns
	} else {
		j.rows = max(4, (p.M+15)/16)
		blocks = (p.M + j.rows - 1) / j.rows
	}
	parallel.Run(blocks, j)
}

// Block implements parallel.Task.
func (j *product) Block(i int) {
	if j.columns < j.p.N {
		j.p.Part(0, j.p.M, i*j.columns, min(j.p.N, (i+1)*j.columns))
		return
	}
	j.p.Part(i*j.rows, min(j.p.M, (i+1)*j.rows), 0, j.p.N)
}
