// Package parallel splits work into fixed blocks and runs them on all cores. The blocks are the caller's choice. No
// result depends on the number of cores, as long as no block writes what another one reads or writes, and how the work
// is cut does not depend on that number either, or does not matter, as for a matrix product.
//
// It leaves out reductions: a sum over blocks is taken by the caller, in the order of the blocks. And it leaves to the
// caller what is worth several cores: a run costs about a microsecond while the workers are awake, and some hundred
// when they must be woken.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Task is work in blocks, which may run in any order and at the same time.
type Task interface{ Block(i int) }

// Run runs blocks 0 to n-1 of a task and returns when all are done. The caller's goroutine takes part. With one core,
// one block, or while another Run has the workers, it does everything by itself. It does not allocate, except for
// workers when there are more cores than ever before.
func Run(n int, t Task) {
	helpers := min(Cores(), n, mostHelpers+1) - 1
	if helpers < 1 || n > mostBlocks || !group.mu.TryLock() {
		for i := range n {
			t.Block(i)
		}
		return
	}
	defer group.mu.Unlock()
	for len(group.workers) < helpers {
		w := &worker{index: len(group.workers), wake: make(chan struct{}, 1)}
		group.workers = append(group.workers, w)
		go w.work()
	}
	group.task = t
	group.done.Store(0)
	group.state.Store(newState(n, helpers))
	for _, w := range group.workers[:helpers] {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	claimAll(-1)
	for spins := 0; group.done.Load() < int64(n); spins++ {
		if spins > briefly { // the system may have taken a worker's core away
			runtime.Gosched()
		}
	}
	group.task = nil
}

// Cores returns how many cores a Run may use.
func Cores() int {
	cores := runtime.GOMAXPROCS(0)
	if l := int(limit.Load()); l > 0 {
		cores = min(cores, l)
	}
	return cores
}

// SetLimit sets how many cores a Run may use at most; 0 is no limit but GOMAXPROCS.
func SetLimit(cores int) { limit.Store(int64(cores)) }

var limit atomic.Int64

// The workers are shared by the process and live as long as it does. What different cores write lies on cache lines
// of its own.
var group struct {
	mu      sync.Mutex // held by the caller of Run
	workers []*worker
	task    Task // written while nothing can be claimed
	_       [64]byte
	state   atomic.Uint64
	_       [64]byte
	done    atomic.Int64
	_       [64]byte
}

// state says in one word what there is to claim and by whom, so that a worker that comes late cannot take the end of
// one run for the beginning of the next: helpers in 8 bits, blocks in 28, claimed blocks in 28.
type state uint64

const (
	mostHelpers = 1<<8 - 1
	mostBlocks  = 1<<28 - 1
)

func newState(blocks, helpers int) uint64 { return uint64(helpers)<<56 | uint64(blocks)<<28 }

// next returns the next block for a worker, the caller of Run being worker -1.
func (s state) next(worker int) (block int, ok bool) {
	block = int(s & mostBlocks)
	return block, block < int(s>>28&mostBlocks) && worker < int(s>>56)
}

type worker struct {
	index  int
	parked atomic.Bool // who sets it to false must see to it that the worker goes on
	wake   chan struct{}
}

// So often a worker looks for work before it parks, some 15 µs: the next step of a training comes sooner, and waking
// takes longer. And so often Run looks whether all is done before it lets others run.
const (
	awhile  = 30_000
	briefly = 2_000
)

func (w *worker) work() {
	for {
		for spins := 0; spins < awhile; spins++ {
			if claimAll(w.index) {
				spins = 0
			}
		}
		w.parked.Store(true)
		// Work may have come before that was seen: then the worker goes on, unless Run has seen it and wakes it.
		_, wanted := state(group.state.Load()).next(w.index)
		if wanted && w.parked.CompareAndSwap(true, false) {
			continue
		}
		<-w.wake
	}
}

// claimAll runs blocks until none is left for a worker, and says whether there were any.
func claimAll(worker int) (any bool) {
	for {
		s := group.state.Load()
		block, ok := state(s).next(worker)
		if !ok {
			return any
		}
		if group.state.CompareAndSwap(s, s+1) {
			group.task.Block(block)
			group.done.Add(1)
			any = true
		}
	}
}
