package main

import (
	"fmt"
	"math"
	"time"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/bench/model"
	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// workload is something to time. The peers know it by its name.
type workload struct {
	name       string
	peers      []string
	operations int // of floating point in a step; 0 where that is not what counts
	trains     bool
	threads    []int
	prepare    func() (run func() error, steps int, err error)
}

var workloads = []workload{
	trained(model.W1, 200, 20, "PyTorch", "scikit-learn"), trained(model.W2, 8, 1, "PyTorch", "scikit-learn"), trained(model.W3a, 4, 1, "PyTorch"),
	trained(model.W3b, 1, 1, "PyTorch"), trained(model.W4, 2, 1, "PyTorch"), trained(model.W5, 1, 4, "PyTorch"),
	{"predict", []string{"PyTorch", "scikit-learn"}, 0, false, []int{1}, prediction},
	gemm(128, 128, 128), gemm(256, 256, 256), gemm(512, 512, 512), gemm(128, 512, 784), gemm(1024, 1024, 1024),
}

// trained is a training that goes through so many batches and epochs in a turn.
func trained(t model.Training, batches, epochs int, peers ...string) workload {
	return workload{t.Name, peers, 0, true, []int{1, 2}, func() (func() error, int, error) { return training(t, batches, epochs) }}
}

// training prepares a Fit that goes through so many batches and epochs in a turn.
func training(t model.Training, batches, epochs int) (func() error, int, error) {
	rows, truth, err := t.Data(t.Batch * batches)
	if err != nil {
		return nil, 0, err
	}
	m, err := t.Compiled()
	if err != nil {
		return nil, 0, err
	}
	p := &paused{goOn: make(chan int), stopped: make(chan error)}
	steps := batches * epochs
	begun := false
	return func() error {
		if !begun {
			begun = true
			go func() {
				p.left = <-p.goOn
				_, err := m.Fit(rows, truth, nnkit.BatchSize(t.Batch), nnkit.Epochs(math.MaxInt32), nnkit.Verbose(0), p)
				p.stopped <- fmt.Errorf("the training has ended: %w", err)
			}()
		}
		p.goOn <- steps
		return <-p.stopped
	}, steps, nil
}

// paused is a training that stops after some steps until it may go on: a Fit for each turn would begin with memory of
// its own, which belongs to no step. It waits for ever in the end.
type paused struct {
	nnkit.BaseCallback
	left    int
	goOn    chan int
	stopped chan error
}

// BatchEnd counts the steps.
func (p *paused) BatchEnd(*nnkit.Training) {
	if p.left--; p.left == 0 {
		p.stopped <- nil
		p.left = <-p.goOn
	}
}

// prediction prepares the network of W1 to answer for one row.
func prediction() (func() error, int, error) {
	m := nnkit.Sequential(nnkit.Input(8), nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(8, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))
	row := []float64{1, 1, 1, 1, 1, 1, 1, 1}
	return func() error {
		for range 1000 {
			if _, err := m.Predict(row); err != nil {
				return err
			}
		}
		return nil
	}, 1000, nil
}

// gemm is the product of matrices of m×k and k×n numbers.
func gemm(m, n, k int) workload {
	name := fmt.Sprint("gemm", m)
	if n != m || k != m {
		name = fmt.Sprintf("gemm%dx%dx%d", m, n, k)
	}
	return workload{name, []string{"PyTorch"}, 2 * m * n * k, false, []int{1, 2}, func() (func() error, int, error) {
		a, b := make([]float32, m*k), make([]float32, k*n)
		for i := range a {
			a[i] = 1
		}
		for i := range b {
			b[i] = 1
		}
		p := &simd.Product{M: m, N: n, K: k, A: simd.RowMajor(a, k), B: simd.RowMajor(b, n), C: make([]float32, m*n), Stride: n}
		return func() error {
			parallel.Run(p.Blocks(), p)
			return nil
		}, 1, nil
	}}
}

// peak returns the operations a nanosecond that the cores can do without touching memory. Each is timed by itself, so that
// a core that is busy with something else counts in full.
func peak(cores int) float64 {
	p := &peakTask{fastest: make([]float64, cores)}
	for range 20 {
		parallel.Run(cores, p)
	}
	sum := 0.0
	for _, f := range p.fastest {
		sum += f
	}
	return sum
}

type peakTask struct{ fastest []float64 }

// Block implements parallel.Task.
func (p *peakTask) Block(i int) {
	for range 10 {
		began, operations := time.Now(), 0
		for range 20 {
			operations += simd.Peak(500) // some 2 µs, in which nothing can preempt it
		}
		p.fastest[i] = max(p.fastest[i], float64(operations)/float64(time.Since(began).Nanoseconds()))
	}
}
