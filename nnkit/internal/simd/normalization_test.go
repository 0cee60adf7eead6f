package simd

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
)

// close64 fails where numbers are not as close to those wanted as float32 can be.
func close64(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i, w := range want {
		if e := math.Abs(float64(got[i]) - w); !(e <= tolerance*(1+math.Abs(w))) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// slopes are the central differences of a loss.
func slopes(x []float64, loss func() float64) []float64 {
	s := make([]float64, len(x))
	for i := range x {
		const h = 1e-5
		before := x[i]
		x[i] = before + h
		up := loss()
		x[i] = before - h
		s[i] = (up - loss()) / (2 * h)
		x[i] = before
	}
	return s
}

func weighted(dy []float32, y []float64) (sum float64) {
	for i, d := range dy {
		sum += float64(d) * y[i]
	}
	return sum
}

// layerNorm64 is LayerNorm in float64.
func layerNorm64(x, gamma, beta []float64, width int, epsilon float64, rms bool) []float64 {
	y := make([]float64, len(x))
	for lo := 0; lo < len(x); lo += width {
		mean, variance := 0.0, 0.0
		if !rms {
			for _, v := range x[lo : lo+width] {
				mean += v / float64(width)
			}
		}
		for _, v := range x[lo : lo+width] {
			variance += (v - mean) * (v - mean) / float64(width)
		}
		for i, v := range x[lo : lo+width] {
			y[lo+i] = (v-mean)/math.Sqrt(variance+epsilon)*gamma[i] + beta[i]
		}
	}
	return y
}

// layerNormGradient is both halves.
type layerNormGradient struct {
	LayerNormGradient
	columns LayerNormColumns
}

func (g *layerNormGradient) run() {
	runBackwards(g)
	runBackwards(&g.columns)
}

// newLayerNorm fills a layer and its gradient with random numbers.
func newLayerNorm(rows, width int, residual, rms bool) (*LayerNorm, *layerNormGradient) {
	n := &LayerNorm{
		Rows: rows, Width: width, X: normals(rows*width, 1), Y: make([]float32, rows*width),
		Gamma: normals(width, 2), Beta: normals(width, 3), Epsilon: 1e-3, RMS: rms, Stats: make([]float32, 3*rows),
	}
	if residual {
		n.Residual, n.Sum = normals(rows*width, 4), make([]float32, rows*width)
	}
	g := &layerNormGradient{LayerNormGradient: LayerNormGradient{
		LayerNorm: n, DY: normals(rows*width, 5), DX: make([]float32, rows*width),
		DGamma: make([]float32, width), DBeta: make([]float32, width),
	}}
	g.columns.LayerNormGradient = &g.LayerNormGradient
	g.Workspace = make([]float32, g.WorkspaceSize())
	for i := range g.Workspace {
		g.Workspace[i] = float32(math.NaN())
	}
	return n, g
}

// Values and gradients against float64, the same bits from all sets, with a residual and without.
func TestLayerNorm(t *testing.T) {
	defer Use(Active())
	for _, size := range [][2]int{{1, 1}, {0, 4}, {3, 5}, {7, 33}, {40, 16}, {2, 2100}, {300, 200}} {
		for option := range 8 {
			residual, rms, inPlace := option&1 > 0, option&2 > 0, option&4 > 0
			var first [4][]float32
			for s, set := range sets {
				Use(set)
				n, g := newLayerNorm(size[0], size[1], residual, rms)
				x := doubles(n.X)
				if residual {
					for i, v := range n.Residual {
						x[i] += float64(v)
					}
				}
				if inPlace && residual { // X is not needed any more
					n.Y, n.X = n.X, slices.Clone(n.X)
				}
				if inPlace {
					g.DX = g.DY
				}
				dy := slices.Clone(g.DY)
				runBackwards(n)
				g.run()
				got := [4][]float32{n.Y, g.DX, g.DGamma, g.DBeta}
				what := fmt.Sprintf("%v, option %03b, %s", size, option, set)
				if s > 0 {
					for a := range got {
						for i, v := range got[a] {
							if !sameBits(v, first[a][i]) {
								t.Fatalf("%s: number %d of array %d is %v, want %v", what, i, a, v, first[a][i])
							}
						}
					}
					continue
				}
				first = got
				gamma, beta := doubles(n.Gamma), doubles(n.Beta)
				value := func() []float64 { return layerNorm64(x, gamma, beta, n.Width, n.Epsilon, rms) }
				close64(t, what, n.Y, value(), 1e-5)
				if len(x) > 1000 {
					continue
				}
				loss := func() float64 { return weighted(dy, value()) }
				close64(t, what+", DX", g.DX, slopes(x, loss), 1e-4)
				close64(t, what+", DGamma", g.DGamma, slopes(gamma, loss), 1e-4)
				close64(t, what+", DBeta", g.DBeta, slopes(beta, loss), 1e-4)
			}
		}
	}
}

// A gradient that comes to the sum itself is added, and a residual needs no place of its own for predictions.
func TestLayerNormSum(t *testing.T) {
	n, g := newLayerNorm(9, 40, true, false)
	runBackwards(n)
	g.run()
	without := slices.Clone(g.DX)
	g.DSum = normals(len(g.DX), 9)
	g.run()
	for i, v := range g.DX {
		if want := without[i] + g.DSum[i]; v != want {
			t.Fatalf("number %d is %v, want %v", i, v, want)
		}
	}
	trained := slices.Clone(n.Y)
	n.Sum, n.Stats = nil, nil
	runBackwards(n)
	if !slices.Equal(n.Y, trained) {
		t.Error("without Sum the values are others")
	}
}

// batchNorm64 is BatchNorm in float64.
func batchNorm64(x, gamma, beta []float64, epsilon float64) (y, mean, variance []float64) {
	channels := len(gamma)
	y, mean, variance = make([]float64, len(x)), make([]float64, channels), make([]float64, channels)
	rows := float64(len(x) / channels)
	for i, v := range x {
		mean[i%channels] += v / rows
	}
	for i, v := range x {
		d := v - mean[i%channels]
		variance[i%channels] += d * d / rows
	}
	for i, v := range x {
		c := i % channels
		y[i] = (v-mean[c])/math.Sqrt(variance[c]+epsilon)*gamma[c] + beta[c]
	}
	return y, mean, variance
}

// batch is a layer with all its passes.
type batch struct {
	BatchNorm
	moments  BatchMoments
	sums     BatchNormSums
	gradient BatchNormGradient
}

func newBatch(rows, channels int) *batch {
	b := &batch{BatchNorm: BatchNorm{
		Rows: rows, Channels: channels, X: normals(rows*channels, 1), Y: make([]float32, rows*channels),
		Gamma: normals(channels, 2), Beta: normals(channels, 3), Epsilon: 1e-3,
		Mean: make([]float64, channels), Variance: make([]float64, channels),
	}}
	b.Workspace, b.Partial = make([]float32, b.WorkspaceSize()), make([]float64, b.PartialSize())
	for i := range b.Workspace {
		b.Workspace[i] = float32(math.NaN())
	}
	b.moments = BatchMoments{&b.BatchNorm}
	dy := normals(rows*channels, 4)
	b.sums = BatchNormSums{BatchNorm: &b.BatchNorm, DY: dy, DGamma: make([]float32, channels), DBeta: make([]float32, channels)}
	b.gradient = BatchNormGradient{&b.BatchNorm, dy, make([]float32, rows*channels)}
	return b
}

func (b *batch) forward() {
	runBackwards(&b.moments)
	b.moments.Join()
	runBackwards(&b.BatchNorm)
}

func (b *batch) backward() {
	runBackwards(&b.sums)
	b.sums.Join()
	runBackwards(&b.gradient)
}

// Statistics, values and gradients against float64, the same bits from all sets.
func TestBatchNorm(t *testing.T) {
	defer Use(Active())
	for _, size := range [][2]int{{1, 1}, {0, 3}, {5, 1}, {64, 3}, {9, 33}, {1000, 7}, {300, 300}, {3, 2100}, {70_000, 2}} {
		var first [4][]float32
		for s, set := range sets {
			Use(set)
			b := newBatch(size[0], size[1])
			b.forward()
			b.backward()
			got := [4][]float32{b.Y, b.gradient.DX, b.sums.DGamma, b.sums.DBeta}
			what := fmt.Sprintf("%v, %s", size, set)
			if s > 0 {
				for a := range got {
					for i, v := range got[a] {
						if !sameBits(v, first[a][i]) {
							t.Fatalf("%s: number %d of array %d is %v, want %v", what, i, a, v, first[a][i])
						}
					}
				}
				continue
			}
			first = got
			x, gamma, beta := doubles(b.X), doubles(b.Gamma), doubles(b.Beta)
			y, mean, variance := batchNorm64(x, gamma, beta, b.Epsilon)
			close64(t, what, b.Y, y, 1e-5)
			for c := range b.Channels {
				if b.Rows > 0 && (math.Abs(b.Mean[c]-mean[c]) > 1e-6 || math.Abs(b.Variance[c]-variance[c]) > 3e-6*variance[c]) {
					t.Errorf("%s: channel %d has %v and %v, want %v and %v", what, c, b.Mean[c], b.Variance[c], mean[c], variance[c])
				}
			}
			if len(x) > 1000 {
				continue
			}
			loss := func() float64 {
				y, _, _ := batchNorm64(x, gamma, beta, b.Epsilon)
				return weighted(b.sums.DY, y)
			}
			close64(t, what+", DX", b.gradient.DX, slopes(x, loss), 1e-4)
			close64(t, what+", DGamma", b.sums.DGamma, slopes(gamma, loss), 1e-4)
			close64(t, what+", DBeta", b.sums.DBeta, slopes(beta, loss), 1e-4)
		}
	}
}

// Statistics that are given stay as they are: dx is gamma/√(variance+epsilon)·dy.
func TestBatchNormFixed(t *testing.T) {
	b := newBatch(50, 6)
	mean, variance := normals(6, 7), []float32{1, 2, 3, 0.5, 0.25, 4}
	b.Use(mean, variance)
	runBackwards(&b.BatchNorm)
	b.sums.Fixed = true
	b.backward()
	for i, x := range b.X {
		c := i % 6
		factor := float64(b.Gamma[c]) / math.Sqrt(float64(variance[c])+b.Epsilon)
		if want := (float64(x)-float64(mean[c]))*factor + float64(b.Beta[c]); math.Abs(float64(b.Y[i])-want) > 1e-5 {
			t.Fatalf("number %d is %v, want %v", i, b.Y[i], want)
		}
		if want := factor * float64(b.sums.DY[i]); math.Abs(float64(b.gradient.DX[i])-want) > 1e-5 {
			t.Fatalf("the gradient of %d is %v, want %v", i, b.gradient.DX[i], want)
		}
	}
}

func TestBatchNormAverage(t *testing.T) {
	b := newBatch(5, 1)
	b.Mean[0], b.Variance[0] = 3, 2
	mean, variance := []float32{1}, []float32{1}
	b.Average(mean, variance, 0.9, false)
	if close64(t, "mean", mean, []float64{1.2}, 1e-7); math.Abs(float64(variance[0])-1.1) > 1e-7 {
		t.Errorf("Keras' moving variance is %v, want 1.1", variance[0])
	}
	variance[0] = 1
	b.Average(mean, variance, 0.9, true)
	if math.Abs(float64(variance[0])-1.15) > 1e-7 {
		t.Errorf("PyTorch's moving variance is %v, want 1.15", variance[0])
	}
}

// groupNorm64 is GroupNorm in float64.
func groupNorm64(n *GroupNorm, x, gamma, beta []float64) []float64 {
	y := make([]float64, len(x))
	size := n.Channels / n.Groups
	for s := range n.Samples {
		for first := 0; first < n.Channels; first += size {
			at := func(visit func(i, channel int)) {
				for r := range n.Rows {
					for c := first; c < first+size; c++ {
						visit((s*n.Rows+r)*n.Channels+c, c)
					}
				}
			}
			count, mean, variance := float64(n.Rows*size), 0.0, 0.0
			at(func(i, _ int) { mean += x[i] / count })
			at(func(i, _ int) { variance += (x[i] - mean) * (x[i] - mean) / count })
			at(func(i, c int) { y[i] = (x[i]-mean)/math.Sqrt(variance+n.Epsilon)*gamma[c] + beta[c] })
		}
	}
	return y
}

func newGroupNorm(samples, rows, channels, groups int) (*GroupNorm, *GroupNormGradient) {
	size := samples * rows * channels
	n := &GroupNorm{
		Samples: samples, Rows: rows, Channels: channels, Groups: groups, X: normals(size, 1), Y: make([]float32, size),
		Gamma: normals(channels, 2), Beta: normals(channels, 3), Epsilon: 1e-3,
	}
	n.Workspace, n.Partial = make([]float32, n.WorkspaceSize()), make([]float64, n.PartialSize())
	return n, &GroupNormGradient{
		GroupNorm: n, DY: normals(size, 4), DX: make([]float32, size),
		DGamma: make([]float32, channels), DBeta: make([]float32, channels), Sums: make([]float32, 2*samples*channels),
	}
}

// Values and gradients against float64, the same bits from all sets, from one group to as many as channels.
func TestGroupNorm(t *testing.T) {
	defer Use(Active())
	for _, size := range [][4]int{{0, 3, 4, 2}, {1, 1, 2, 1}, {3, 4, 6, 3}, {2, 9, 6, 6}, {2, 5, 33, 1}, {3, 7000, 10, 5}} {
		var first []float32
		for s, set := range sets {
			Use(set)
			n, g := newGroupNorm(size[0], size[1], size[2], size[3])
			runBackwards(n)
			runBackwards(g)
			g.Join()
			got := slices.Concat(n.Y, g.DX, g.DGamma, g.DBeta)
			what := fmt.Sprintf("%v, %s", size, set)
			if s > 0 {
				for i, v := range got {
					if !sameBits(v, first[i]) {
						t.Fatalf("%s: number %d is %v, want %v", what, i, v, first[i])
					}
				}
				continue
			}
			first = got
			x, gamma, beta := doubles(n.X), doubles(n.Gamma), doubles(n.Beta)
			close64(t, what, n.Y, groupNorm64(n, x, gamma, beta), 1e-5)
			if len(x) > 1000 {
				continue
			}
			loss := func() float64 { return weighted(g.DY, groupNorm64(n, x, gamma, beta)) }
			close64(t, what+", DX", g.DX, slopes(x, loss), 1e-4)
			close64(t, what+", DGamma", g.DGamma, slopes(gamma, loss), 1e-4)
			close64(t, what+", DBeta", g.DBeta, slopes(beta, loss), 1e-4)
		}
	}
}

// A large mean costs no accuracy, nor do rows that drift.
func TestNormalizationOfLargeMeans(t *testing.T) {
	shifted := func(x []float32) {
		for i := range x {
			x[i] += 10_000
		}
	}
	n, _ := newLayerNorm(10, 700, false, false)
	shifted(n.X)
	runBackwards(n)
	close64(t, "layer", n.Y, layerNorm64(doubles(n.X), doubles(n.Gamma), doubles(n.Beta), 700, n.Epsilon, false), 1e-5)
	for _, drift := range []float32{0, 0.01} {
		b := newBatch(40_000, 4)
		shifted(b.X)
		for i := range b.X {
			b.X[i] += drift * float32(i/4)
		}
		b.forward()
		y, _, variance := batchNorm64(doubles(b.X), doubles(b.Gamma), doubles(b.Beta), b.Epsilon)
		close64(t, "batch", b.Y, y, 1e-5)
		for c, v := range variance {
			if math.Abs(b.Variance[c]-v) > 3e-6*v {
				t.Errorf("drift %v: the variance is %v, want %v", drift, b.Variance[c], v)
			}
		}
	}
}

func TestNormalizationAllocatesNothing(t *testing.T) {
	n, g := newLayerNorm(100, 300, true, false)
	b := newBatch(1000, 70)
	of, dof := newGroupNorm(3, 100, 8, 2)
	if a := testing.AllocsPerRun(5, func() {
		runBackwards(n)
		g.run()
		b.forward()
		b.backward()
		runBackwards(of)
		runBackwards(dof)
		dof.Join()
	}); a != 0 {
		t.Errorf("a step allocates %v times", a)
	}
}

// Gigabytes a second of the arrays that must be read or written at least, with all of a step's arrays in memory: x and y
// forward, x, dy and dx back; batch normalization reads x, and x and dy, once more. Copying shows what the memory gives.
func BenchmarkNormalization(b *testing.B) {
	defer parallel.SetLimit(0)
	const rows, width = 1 << 15, 256 // 32 MB an array
	n, g := newLayerNorm(rows, width, false, false)
	c := newBatch(rows, width)
	for cores := 1; cores <= 2; cores++ {
		for _, f := range []struct {
			name   string
			arrays int
			run    func()
		}{
			{"copy", 2, func() { copy(n.Y, n.X) }},
			{"layer/forward", 2, func() { parallel.Run(n.Blocks(), n) }},
			{"layer/backward", 3, func() {
				parallel.Run(g.Blocks(), g)
				parallel.Run(g.columns.Blocks(), &g.columns)
			}},
			{"batch/forward", 3, func() {
				parallel.Run(c.moments.Blocks(), &c.moments)
				c.moments.Join()
				parallel.Run(c.Blocks(), &c.BatchNorm)
			}},
			{"batch/backward", 5, func() {
				parallel.Run(c.sums.Blocks(), &c.sums)
				c.sums.Join()
				parallel.Run(c.gradient.Blocks(), &c.gradient)
			}},
		} {
			b.Run(fmt.Sprintf("%s/cores=%d", f.name, cores), func(b *testing.B) {
				parallel.SetLimit(cores)
				best := time.Hour
				for b.Loop() {
					began := time.Now()
					f.run()
					best = min(best, time.Since(began))
				}
				b.ReportMetric(float64(4*rows*width*f.arrays)/float64(best.Nanoseconds()), "GB/s-best")
			})
		}
	}
}
