package nnkit

import (
	"math/bits"
	"sync"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// The gradients of a batch's shards are added along a fixed tree: shards 0 and 1, 2 and 3 and so on, then the sums of these,
// until one is left; where there is no neighbour a sum goes up as it is. So the order of every addition is that of the
// shards, whoever has computed them.
//
// A rank has neighbouring shards. It adds what it can by itself, the subtrees whose shards are all its own. The rest is
// added in two passes over the network. In the first each rank gets its part of the numbers of all subtrees, and adds them up; in the second it
// sends its part of the sum to all. That is how an MPI_Allreduce of long messages works, but there the library chooses the order. With a
// power of two as ranks, each of which has one subtree, ranks 1, 2, 4 … apart exchange halves, quarters and so on of what they have (R.
// Thakur, R. Rabenseifner and W. Gropp, Optimization of collective communication operations in MPICH, 2005): 2·log₂ r messages.
// Otherwise each exchanges parts with each, 2·(r-1) messages. The bytes that a rank sends are in both cases 2·(r-1)/r times
// those of the gradient, and more only where ranks have several subtrees.

// subtree is the sum over shards index·2^level and so on, 2^level of them or as many as there are.
type subtree struct {
	level, index int
	data         []float32
}

// tree adds up subtrees that come in the order of their shards.
type tree struct {
	shards int
	open   []subtree
	free   func(data []float32) // called with what has been added to something else; may be nil
	left   [][]float32          // to which the present one is added
}

func (t *tree) begin(shards int) { t.shards, t.open = shards, t.open[:0] }

func (t *tree) add(s subtree) {
	data := s.data
	t.left = t.left[:0]
	for {
		// Where the right neighbour would have no shards, there is none.
		for s.index&1 == 0 && (s.index+1)<<s.level >= t.shards && 1<<s.level < t.shards {
			s.level, s.index = s.level+1, s.index/2
		}
		n := len(t.open)
		if n == 0 || s.index&1 == 0 || t.open[n-1].level != s.level || t.open[n-1].index != s.index-1 {
			break
		}
		t.left = append(t.left, t.open[n-1].data)
		s = subtree{s.level + 1, s.index / 2, t.open[n-1].data}
		t.open = t.open[:n-1]
	}
	t.open = append(t.open, s)
	if n := len(t.left); n > 0 && data != nil {
		addUp(t.left, data)
		if t.free != nil {
			t.free(data)
			for _, left := range t.left[:n-1] {
				t.free(left)
			}
		}
	}
}

// addUp adds an array, which is used up, to the first of others, their sum to the second and so on: the last one has it all. That
// goes block by block, so that between two additions nothing leaves the caches.
func addUp(left [][]float32, data []float32) {
	a := addings.Get().(*adding)
	*a = adding{left, data}
	parallel.Run((len(data)+spreadBlock-1)/spreadBlock, a)
	*a = adding{}
	addings.Put(a)
}

var addings = sync.Pool{New: func() any { return new(adding) }}

type adding struct {
	left [][]float32
	data []float32
}

// Block implements parallel.Task.
func (a *adding) Block(i int) {
	lo, hi := i*spreadBlock, min(len(a.data), (i+1)*spreadBlock)
	sum, last := a.data[lo:hi], len(a.left)-1
	for _, left := range a.left[:last] {
		simd.Add(sum, left[lo:hi], sum)
	}
	whole := a.left[last][lo:hi]
	simd.Add(whole, whole, sum)
}

// reduction adds up gradients over the ranks.
type reduction struct {
	*crew
	tree     tree
	out      []float32   // to send
	received [][]float32 // from each rank, or in each step
	bounds   [][2]int
}

// span returns the shards of a rank.
func (c *crew) span(rank, shards int) (lo, hi int) {
	return rank * shards / c.size, (rank + 1) * shards / c.size
}

// part returns which numbers of n a rank adds up.
func (c *crew) part(rank, n int) (lo, hi int) {
	lines := (n + 15) / 16
	return min(n, rank*lines/c.size*16), min(n, (rank+1)*lines/c.size*16)
}

// subtrees returns those of a rank, without data.
func (r *reduction) subtrees(rank, shards int) []subtree {
	r.tree.begin(shards)
	lo, hi := r.span(rank, shards)
	for i := lo; i < hi; i++ {
		r.tree.add(subtree{index: i})
	}
	return r.tree.open
}

// halves says whether the ranks can exchange halves: each has one subtree.
func (r *reduction) halves(shards int) bool {
	each := shards / r.size
	return bits.OnesCount(uint(r.size)) == 1 && shards%r.size == 0 && bits.OnesCount(uint(each)) == 1
}

// all makes sum, on all ranks, the sum of the subtrees that they have. The first of a rank's own lies in sum.
func (r *reduction) all(own []subtree, shards int, sum []float32) error {
	switch {
	case r.size == 1:
		return nil // it is there
	case r.halves(shards):
		return r.byHalves(sum)
	}
	return r.byParts(own, shards, sum)
}

// exchange sends and receives numbers.
func (r *reduction) exchange(to int, message []float32, from int, received []float32) error {
	if err := r.ranks.Exchange(to, rawBytes(message), from, rawBytes(received)); err != nil {
		return r.broken(err)
	}
	return nil
}

// byHalves works in sum, of which a rank has less and less that counts.
func (r *reduction) byHalves(sum []float32) error {
	lo, hi := 0, len(sum)
	r.bounds = r.bounds[:0]
	r.out = grown(r.out, len(sum))
	for d := 1; d < r.size; d *= 2 {
		r.bounds = append(r.bounds, [2]int{lo, hi})
		partner, mid := r.rank^d, min(hi, lo+((hi-lo)/2+15)&^15)
		keep, give := sum[lo:mid], sum[mid:hi]
		if r.rank&d != 0 {
			keep, give = give, keep
			lo = mid
		} else {
			hi = mid
		}
		other := r.out[:len(keep)]
		if err := r.exchange(partner, give, partner, other); err != nil {
			return err
		}
		spread3(simd.Add, keep, keep, other) // the same in either order
	}
	for d := r.size / 2; d >= 1; d /= 2 {
		partner, n := r.rank^d, len(r.bounds)-1
		whole := r.bounds[n]
		r.bounds = r.bounds[:n]
		other := sum[whole[0]:lo]
		if r.rank&d == 0 {
			other = sum[hi:whole[1]]
		}
		if err := r.exchange(partner, sum[lo:hi], partner, other); err != nil {
			return err
		}
		lo, hi = whole[0], whole[1]
	}
	return nil
}

// byParts has each rank add up its part.
func (r *reduction) byParts(own []subtree, shards int, sum []float32) error {
	lo, hi := r.part(r.rank, len(sum))
	r.received = grown(r.received, r.size)
	for step := 1; step < r.size; step++ {
		to, from := (r.rank+step)%r.size, (r.rank-step+r.size)%r.size
		first, end := r.part(to, len(sum))
		r.out = r.out[:0]
		for _, s := range own {
			r.out = append(r.out, s.data[first:end]...)
		}
		r.received[from] = grown(r.received[from], len(r.subtrees(from, shards))*(hi-lo))
		if err := r.exchange(to, r.out, from, r.received[from]); err != nil {
			return err
		}
	}
	var parts []subtree
	for from := range r.size {
		if from == r.rank {
			for _, s := range own {
				parts = append(parts, subtree{s.level, s.index, s.data[lo:hi]})
			}
			continue
		}
		for i, s := range r.subtrees(from, shards) {
			s.data = r.received[from][i*(hi-lo):][:hi-lo]
			parts = append(parts, s)
		}
	}
	r.tree.begin(shards)
	for _, s := range parts {
		r.tree.add(s)
	}
	copy(sum[lo:hi], r.tree.open[0].data)
	for step := 1; step < r.size; step++ {
		to, from := (r.rank+step)%r.size, (r.rank-step+r.size)%r.size
		first, end := r.part(from, len(sum))
		if err := r.exchange(to, sum[lo:hi], from, sum[first:end]); err != nil {
			return err
		}
	}
	return nil
}
