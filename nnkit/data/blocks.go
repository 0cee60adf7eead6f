package data

import "github.com/seed5607215b/nnkit/nnkit/internal/parallel"

// inBlocks runs f for the rows 0 to n-1, some at a time, on all cores. Rows do not depend on each other, so that how
// they are cut does not show.
func inBlocks(n int, f func(lo, hi int)) {
	const rows = 16
	parallel.Run((n+rows-1)/rows, block(func(i int) { f(i*rows, min((i+1)*rows, n)) }))
}

type block func(i int)

func (b block) Block(i int) { b(i) }
