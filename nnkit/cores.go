package nnkit

import (
	"sync"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// LimitCores lets training, evaluation and prediction use at most so many cores; 0, the default, is as many as Go may
// use ([runtime.GOMAXPROCS]). The numbers they compute are the same for any limit, to the last bit.
func LimitCores(cores int) { parallel.SetLimit(cores) }

// work is a task that knows how it is best cut.
type work interface {
	parallel.Task
	Blocks() int
}

// compute runs work, on several cores if it is large. It allocates nothing if w lives longer than the call.
func compute(w work) {
	if n := w.Blocks(); n > 1 {
		parallel.Run(n, w)
	} else if n == 1 {
		w.Block(0)
	}
}

// computeProduct computes p, which need not live longer than the call; if it is large it is copied to where it does.
func computeProduct(p, lasting *simd.Product) {
	n := p.Blocks()
	if n == 1 {
		p.Part(0, p.M, 0, p.N)
		return
	}
	*lasting = *p
	parallel.Run(n, lasting)
}

// A function of each number is worth several cores from two of these on.
const spreadBlock = 1 << 14

// spread calls f for all of dst and src, in parts on several cores if they are long.
func spread(f func(dst, src []float32), dst, src []float32) {
	if len(dst) < 2*spreadBlock {
		f(dst, src)
		return
	}
	s := spreads.Get().(*spreading)
	*s = spreading{two: f, dst: dst, a: src}
	s.run()
}

// spread3 is spread for functions of two arrays.
func spread3(f func(dst, a, b []float32), dst, a, b []float32) {
	if len(dst) < 2*spreadBlock {
		f(dst, a, b)
		return
	}
	s := spreads.Get().(*spreading)
	*s = spreading{three: f, dst: dst, a: a, b: b}
	s.run()
}

var spreads = sync.Pool{New: func() any { return new(spreading) }}

type spreading struct {
	two       func(dst, src []float32)
	three     func(dst, a, b []float32)
	dst, a, b []float32
}

func (s *spreading) run() {
	parallel.Run((len(s.dst)+spreadBlock-1)/spreadBlock, s)
	*s = spreading{}
	spreads.Put(s)
}

// Block implements parallel.Task.
func (s *spreading) Block(i int) {
	lo, hi := i*spreadBlock, min(len(s.dst), (i+1)*spreadBlock)
	if s.two != nil {
		s.two(s.dst[lo:hi], s.a[lo:hi])
	} else {
		s.three(s.dst[lo:hi], s.a[lo:hi], s.b[lo:hi])
	}
}
