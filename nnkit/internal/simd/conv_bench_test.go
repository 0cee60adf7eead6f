package simd

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
)

// square is a convolution with a square kernel over square images, 64 of them.
func square(size, channels, filters, kernel, pad int) Conv {
	return Conv{
		Batch: 64, Height: size, Width: size, Channels: channels, Filters: filters, KernelHeight: kernel, KernelWidth: kernel,
		PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad,
	}
}

// The layers of two networks: LeNet on 28×28×1, and four convolutions on 32×32×3; and one of the last of a deep one.
var convolutions = []struct {
	name string
	conv Conv
}{
	{"LeNet1", square(28, 1, 6, 5, 2)},
	{"LeNet2", square(14, 6, 16, 5, 0)},
	{"CNN1", square(32, 3, 32, 3, 1)},
	{"CNN2", square(32, 32, 32, 3, 1)},
	{"CNN3", square(16, 32, 64, 3, 1)},
	{"CNN4", square(16, 64, 64, 3, 1)},
	{"deep", square(7, 256, 256, 3, 1)},
}

// BenchmarkConv reports how much of the set's peak, measured at the same time, the runs reached.
func BenchmarkConv(b *testing.B) {
	defer Use(Active())
	for _, set := range sets[:max(1, len(sets)-1)] {
		for _, layer := range convolutions {
			c := layer.conv
			rows, columns := c.axes()
			operations := 2 * c.Batch * rows.inImage() * columns.inImage() * c.Channels * c.Filters
			x, w, dy := normals(c.images(), 1), normals(c.kernel(), 2), normals(c.results(), 3)
			f := ConvForward{Conv: c, X: x, W: w, Bias: normals(c.Filters, 4), Y: make([]float32, len(dy)), ReLU: true}
			g := ConvInputGradient{Conv: c, DY: dy, W: w, DX: make([]float32, len(x)), Gate: x, Packed: make([]float32, len(w))}
			h := ConvWeightGradient{Conv: c, X: x, DY: dy, DW: make([]float32, len(w)), DBias: make([]float32, c.Filters)}
			for _, form := range []struct {
				name string
				run  func()
			}{
				{"forward", func() { onAllCores(&f) }},
				{"dx", func() { g.Pack(); onAllCores(&g) }},
				{"dw", func() { onAllCores(&h) }},
			} {
				b.Run(fmt.Sprintf("%s/%s/%s", set, layer.name, form.name), func(b *testing.B) {
					Use(set)
					share(b, operations, form.run)
				})
			}
		}
	}
}

func onAllCores(t task) { parallel.Run(t.Blocks(), t) }

// share reports the operations in a second as a share of the peak, as often as there are cores, measured right before
// and after, in percent: the median of all runs, and the time of the fastest.
func share(b *testing.B, operations int, run func()) {
	b.Helper()
	peak := func() float64 { // operations in a nanosecond
		var best float64
		for range 10 {
			start := time.Now()
			n := Peak(1000)
			best = max(best, float64(n)/float64(time.Since(start).Nanoseconds()))
		}
		return best * float64(parallel.Cores())
	}
	var shares []float64
	fastest, before := time.Hour, peak()
	for b.Loop() {
		start := time.Now()
		run()
		took := time.Since(start)
		after := peak()
		shares = append(shares, 2*float64(operations)/float64(took.Nanoseconds())/(before+after)*100)
		fastest, before = min(fastest, took), after
	}
	slices.Sort(shares)
	b.ReportMetric(shares[len(shares)/2], "%peak")
	b.ReportMetric(float64(fastest.Nanoseconds())/1000, "µs")
	b.ReportMetric(0, "ns/op")
}

// inImage is how many taps of all outputs lie in the image.
func (a axis) inImage() (n int) {
	for t := range a.taps {
		lo, hi := a.outputs(t)
		n += hi - lo
	}
	return n
}
