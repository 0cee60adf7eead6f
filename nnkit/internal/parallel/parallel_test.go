package parallel

import (
	"runtime"
	"sync"
	"testing"
)

type count struct {
	hits []int
	deep *count
}

func (c *count) Block(i int) {
	c.hits[i]++
	if c.deep != nil && i == 0 {
		Run(len(c.deep.hits), c.deep)
	}
}

func TestEveryBlockOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(procs)
		for n := range 40 {
			c := &count{hits: make([]int, n), deep: &count{hits: make([]int, 5)}} // a run within a run must not hang
			Run(n, c)
			for i, h := range c.hits {
				if h != 1 {
					t.Fatalf("GOMAXPROCS %d: block %d of %d ran %d times", procs, i, n, h)
				}
			}
			for _, h := range c.deep.hits {
				if n > 0 && h != 1 {
					t.Fatalf("GOMAXPROCS %d: a block of the inner run ran %d times", procs, h)
				}
			}
		}
	}
}

func TestManyCallers(t *testing.T) {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 200 {
				c := &count{hits: make([]int, 7)}
				Run(7, c)
				for _, h := range c.hits {
					if h != 1 {
						t.Errorf("a block ran %d times", h)
					}
				}
			}
		})
	}
	wait.Wait()
}

func TestNoAllocation(t *testing.T) {
	c := &count{hits: make([]int, 4)}
	Run(4, c)
	if n := testing.AllocsPerRun(100, func() { Run(4, c) }); n != 0 {
		t.Errorf("a run allocates %v times", n)
	}
}
