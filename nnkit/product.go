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
	across        int // blocks in a row of blocks
}

// Below this many multiply-adds a run on several cores costs more than it saves.
const parallelFrom = 1 << 18

// A block is as wide as two of the widest tiles; it is high enough to use its part of B often, and low enough that many
// cores have something to do.
const blockColumns, blockRows = 64, 256

func (j *product) run(p simd.Product) {
	if p.M*p.N*p.K < parallelFrom {
		p.Part(0, p.M, 0, p.N)
		return
	}
	j.p, j.rows, j.columns = p, blockRows, min(blockColumns, p.N)
	if p.N < 2*blockColumns { // few columns: low blocks instead
		j.rows = 28
	}
	j.across = (p.N + j.columns - 1) / j.columns
	parallel.Run((p.M+j.rows-1)/j.rows*j.across, j)
}

// Block implements parallel.Task.
func (j *product) Block(i int) {
	row, column := i/j.across*j.rows, i%j.across*j.columns
	j.p.Part(row, min(row+j.rows, j.p.M), column, min(column+j.columns, j.p.N))
}

// LimitCores lets training, evaluation and prediction use at most so many cores; 0, the default, is as many as Go may
// use ([runtime.GOMAXPROCS]). The numbers they compute are the same for any limit, to the last bit.
func LimitCores(cores int) { parallel.SetLimit(cores) }
