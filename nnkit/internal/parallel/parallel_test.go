package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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

type most struct{ now, ever, hits atomic.Int64 }

func (m *most) Block(int) {
	now := m.now.Add(1)
	for ever := m.ever.Load(); now > ever && !m.ever.CompareAndSwap(ever, now); ever = m.ever.Load() {
	}
	time.Sleep(time.Millisecond)
	m.hits.Add(1)
	m.now.Add(-1)
}

func TestLimit(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	defer SetLimit(0)
	for _, limit := range []int{0, 3, 2, 1, 100} {
		SetLimit(limit)
		m := new(most)
		Run(40, m)
		want := limit
		if limit == 0 || limit > 8 {
			want = 8
		}
		if Cores() != want || int(m.ever.Load()) > want || m.hits.Load() != 40 {
			t.Errorf("with a limit of %d, %d blocks ran, up to %d at a time of %d cores; want %d", limit, m.hits.Load(), m.ever.Load(), Cores(), want)
		}
	}
}

// meeting ends when two of its blocks run at the same time.
type meeting struct{ arrived atomic.Int64 }

func (m *meeting) Block(int) {
	m.arrived.Add(1)
	for m.arrived.Load() < 2 {
		time.Sleep(time.Microsecond)
	}
}

// Workers take part, awake or parked.
func TestWaking(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for round := range 50 {
		time.Sleep(time.Duration(round%5) * 100 * time.Microsecond)
		m := new(meeting)
		Run(2, m)
		if m.arrived.Load() != 2 {
			t.Fatalf("%d blocks ran, want 2", m.arrived.Load())
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

func BenchmarkRun(b *testing.B) {
	c := &count{hits: make([]int, 4)}
	for b.Loop() {
		Run(4, c)
	}
}

func TestNoAllocation(t *testing.T) {
	c := &count{hits: make([]int, 4)}
	Run(4, c)
	if n := testing.AllocsPerRun(100, func() { Run(4, c) }); n != 0 {
		t.Errorf("a run allocates %v times", n)
	}
}
