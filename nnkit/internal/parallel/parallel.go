// Package parallel splits work into fixed blocks and runs them on all cores. The blocks are the caller's choice and
// must not depend on the number of cores; then neither does any result, as long as no two blocks write the same memory
// and no block reads what another writes.
//
// It leaves out reductions: a sum over blocks is taken by the caller, in the order of the blocks.
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
	helpers := min(runtime.GOMAXPROCS(0), n) - 1
	if helpers < 1 || !group.mu.TryLock() {
		for i := range n {
			t.Block(i)
		}
		return
	}
	defer group.mu.Unlock()
	for group.workers < helpers {
		group.workers++
		go work()
	}
	group.task, group.n = t, int64(n)
	group.next.Store(0)
	group.done.Add(helpers)
	for range helpers {
		group.wake <- struct{}{}
	}
	claim()
	group.done.Wait()
	group.task = nil
}

// The workers are shared by the process and live as long as it does, parked between runs.
var group = struct {
	mu      sync.Mutex // held by the caller of Run
	workers int
	wake    chan struct{}
	done    sync.WaitGroup
	task    Task
	n       int64
	next    atomic.Int64
}{wake: make(chan struct{}, 1024)}

func work() {
	for range group.wake {
		claim()
		group.done.Done()
	}
}

func claim() {
	for {
		i := group.next.Add(1) - 1
		if i >= group.n {
			return
		}
		group.task.Block(int(i))
	}
}
