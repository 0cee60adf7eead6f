package main

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/bench/model"
)

// stepModel is the time of a step, in microseconds, on r ranks with s shards of a batch of n rows:
//
//	compute   ⌈s/r⌉·shard + ⌈s/r⌉·⌈n/s⌉·row + step
//	reduction 2·(r-1)/r·bytes/bandwidth + (r-1)/r·bytes/adding, of gradients
//	latency   (2·log₂ r + 2·log₂ r)·latency, of the two passes of the reduction and of two small gatherings
//
// shard, row and step are fitted to steps of one rank and one thread with several numbers of shards.
type stepModel struct {
	training         model.Training
	bytes            float64 // of the gradient
	shard, row, step float64
	error            float64 // largest relative, of the fit
}

// link is a network between ranks.
type link struct {
	name      string
	latency   float64 // µs, of a message
	bandwidth float64 // bytes a µs, in each direction
	adding    float64 // bytes a µs that a rank adds up
}

func (s stepModel) compute(shards, ranks, rows int) float64 {
	own := math.Ceil(float64(shards) / float64(ranks))
	return own*s.shard + own*math.Ceil(float64(rows)/float64(shards))*s.row + s.step
}

func (s stepModel) reduction(ranks int, l link) float64 {
	share := float64(ranks-1) / float64(ranks)
	return share * s.bytes * (2/l.bandwidth + 1/l.adding)
}

func (s stepModel) latency(ranks int, l link) float64 {
	if ranks == 1 {
		return 0
	}
	return 4 * float64(bits.Len(uint(ranks-1))) * l.latency
}

func (s stepModel) all(shards, ranks, rows int, l link) float64 {
	return s.compute(shards, ranks, rows) + s.reduction(ranks, l) + s.latency(ranks, l)
}

// find returns a measured step.
func (f figures) find(t model.Training, shards, ranks, threads int) (figure, bool) {
	for _, s := range f.Steps {
		if s.Training == t.Name && s.Batch == t.Batch && s.Shards == shards && s.Ranks == ranks && s.Threads == threads {
			return s, true
		}
	}
	return figure{}, false
}

// fit finds the model of a training by weighted least squares: relative errors count.
func (f figures) fit(t model.Training) stepModel {
	m := stepModel{training: t}
	net := nnkit.Sequential(append([]nnkit.Layer{nnkit.Input(t.Row...)}, t.Layers()...)...)
	for _, p := range net.Parameters() {
		m.bytes += 4 * float64(p.Len())
	}
	var a [3][4]float64 // normal equations
	for _, s := range f.Steps {
		if s.Training != t.Name || s.Ranks != 1 || s.Threads != 1 || s.Shards == 0 {
			continue
		}
		terms := [3]float64{float64(s.Shards), float64(s.Batch), 1}
		for i := range 3 {
			for j := range 3 {
				a[i][j] += terms[i] * terms[j] / (s.CPU * s.CPU)
			}
			a[i][3] += terms[i] / s.CPU
		}
	}
	for i := range 3 { // elimination
		for k := range 3 {
			if k != i {
				factor := a[k][i] / a[i][i]
				for j := range 4 {
					a[k][j] -= factor * a[i][j]
				}
			}
		}
	}
	m.shard, m.row, m.step = a[0][3]/a[0][0], a[1][3]/a[1][1], a[2][3]/a[2][2]
	for _, s := range f.Steps {
		if s.Training == t.Name && s.Ranks == 1 && s.Threads == 1 && s.Shards > 0 {
			m.error = max(m.error, math.Abs(m.compute(s.Shards, 1, s.Batch)/s.CPU-1))
		}
	}
	return m
}

// within is the link between the ranks of this machine, fitted to messages: the time of a short one, and the most that long ones bring.
func (f figures) within() link {
	l := link{name: "this machine", adding: addingRate}
	for _, s := range f.Sent {
		if s.Bytes <= 64 {
			l.latency = s.Best
		}
		l.bandwidth = max(l.bandwidth, float64(s.Bytes)/s.Best)
	}
	return l
}

// addingRate is how many bytes of a gradient are added to another in a microsecond, both from memory.
const addingRate = 10e3

// networks are what is predicted for: what Ethernet with TCP, and what RDMA, ordinarily have.
var networks = []link{
	{"10 Gb/s", 25, 10e3 / 8 * 0.9, addingRate},
	{"100 Gb/s", 3, 100e3 / 8 * 0.9, addingRate},
}

// load returns the least and the highest load of the machine.
func (f figures) load() (low, high float64) {
	low = math.Inf(1)
	for _, s := range slices.Concat(f.Steps, f.Sent) {
		low, high = min(low, s.Load), max(high, s.Load)
	}
	return low, high
}

func (f figures) print() {
	fmt.Println(f.Machine)
	if low, high := f.load(); high > 0 {
		fmt.Printf("load of the machine while it measured: %.1f to %.1f; a free one has at most the ranks' own\n", low, high)
	}
	fmt.Println("\nmeasured, ms a step (the fastest tenth; the median; of processors)")
	fmt.Printf("%-5s %6s  %-28s %14s\n", "", "batch", "", "ms")
	for _, t := range trainings {
		base, _ := f.find(t, 0, 1, 1)
		for _, s := range f.Steps {
			if s.Training != t.Name || s.Batch != t.Batch || s.Shards != 0 && s.Shards != 2 && s.Shards != 8 || s.Ranks == 1 && s.Shards == 2 {
				continue
			}
			shards := "without shards"
			if s.Shards > 0 {
				shards = fmt.Sprintf("%d shards", s.Shards)
			}
			fmt.Printf("%-5s %6d  %d × %d thread, %-14s %7.2f (%.2f; %.2f)  %.2f times as fast, load %.1f\n", t.Name, s.Batch, s.Ranks, s.Threads, shards,
				s.Best/1e3, s.Median/1e3, s.CPU/1e3, base.Best/s.Best, s.Load)
		}
	}
	here := f.within()
	fmt.Println("\nmessages between two ranks, both ways at once")
	for _, s := range f.Sent {
		fmt.Printf("%9d bytes  %9.1f µs (%.1f)  %6.2f GB/s\n", s.Bytes, s.Best, s.Median, float64(s.Bytes)/s.Best/1e3)
	}
	fmt.Println("\nmodel, fitted to one rank and one thread")
	var models []stepModel
	for _, t := range trainings {
		m := f.fit(t)
		models = append(models, m)
		fmt.Printf("%-5s gradient %.2f MB, a shard %.0f µs, a row %.1f µs, a step %.0f µs; the fit is off by at most %.0f %%\n",
			t.Name, m.bytes/1e6, m.shard, m.row, m.step, 100*m.error)
		for _, shards := range []int{2, 8} {
			if s, ok := f.find(t, shards, 2, 1); ok {
				fmt.Printf("      2 ranks, %d shards: %.2f ms by the model, %.2f measured\n", shards, m.all(shards, 2, s.Batch, here)/1e3, s.Best/1e3)
			}
		}
	}
	for _, l := range networks {
		fmt.Printf("\npredicted over %s (%.0f µs a message, %.2f GB/s), ms a step: compute + reduction + latency; efficiency\n", l.name, l.latency, l.bandwidth/1e3)
		for _, m := range models {
			one := m.all(1, 1, m.training.Batch, l)
			for _, ranks := range []int{1, 8, 64, 512} {
				rows := m.training.Batch * ranks
				all := m.all(ranks, ranks, rows, l)
				fmt.Printf("%-5s %3d ranks, batch %6d (%3d rows each): %7.2f = %.2f + %.2f + %.2f   %3.0f %%\n", m.training.Name, ranks, rows, m.training.Batch,
					all/1e3, m.compute(ranks, ranks, rows)/1e3, m.reduction(ranks, l)/1e3, m.latency(ranks, l)/1e3, 100*one/all)
			}
			const rows = 4096
			one = m.compute(8, 1, rows)
			for _, ranks := range []int{8, 64, 512} {
				all := m.all(ranks, ranks, rows, l)
				fmt.Printf("%-5s %3d ranks, batch %6d (%3d rows each): %7.2f = %.2f + %.2f + %.2f   %3.0f times as fast as one\n", m.training.Name, ranks, rows, rows/ranks,
					all/1e3, m.compute(ranks, ranks, rows)/1e3, m.reduction(ranks, l)/1e3, m.latency(ranks, l)/1e3, one/all)
			}
		}
	}
}
