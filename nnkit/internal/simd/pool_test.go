package simd

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// anyPool is a pooling of any shape, some with windows that are taken in pieces.
func anyPool(s random.Stream) Pool {
	i := 0
	upTo := func(n int) int { i++; return 1 + s.Int(i, n) }
	p := Pool{
		Batch: upTo(3), Height: upTo(9), Width: upTo(20), Channels: upTo(40), WindowHeight: upTo(4), WindowWidth: upTo(4),
		StrideHeight: upTo(4) - 1, StrideWidth: upTo(4) - 1,
		PadTop: upTo(4) - 2, PadBottom: upTo(4) - 2, PadLeft: upTo(4) - 2, PadRight: upTo(4) - 2,
	}
	switch upTo(8) {
	case 1:
		p = GlobalPool(p.Batch, p.Height, p.Width, p.Channels)
	case 2:
		p = GlobalPool(1, upTo(3), upTo(1500), upTo(10))
	case 3:
		p = GlobalPool(1, upTo(5), upTo(5), upTo(1500))
	case 4:
		p.Height, p.WindowHeight, p.PadTop, p.PadBottom = 1, 1, 0, 0
	case 5: // as it is usual
		p.WindowHeight, p.WindowWidth, p.StrideHeight, p.StrideWidth = 2, 2, 0, 0
		p.PadTop, p.PadBottom, p.PadLeft, p.PadRight = 0, 0, 0, 0
	case 6:
		p.Batch *= upTo(30)
	}
	if upTo(30) == 1 {
		p.Batch = 0
	}
	return p
}

// each visits what every window covers of the image, its numbers row by row.
func (p *Pool) each(visit func(y int, x []int)) {
	for n := range p.Batch {
		for oh := range p.OutHeight() {
			for ow := range p.OutWidth() {
				for c := range p.Channels {
					var x []int
					for i := range p.WindowHeight {
						for j := range p.WindowWidth {
							h, w := oh*p.strideHeight()+i-p.PadTop, ow*p.strideWidth()+j-p.PadLeft
							if h >= 0 && h < p.Height && w >= 0 && w < p.Width {
								x = append(x, ((n*p.Height+h)*p.Width+w)*p.Channels+c)
							}
						}
					}
					visit(((n*p.OutHeight()+oh)*p.OutWidth()+ow)*p.Channels+c, x)
				}
			}
		}
	}
}

// The loop over all windows is the specification, to the bit, for every set; nothing outside of the arrays is touched.
func TestPool(t *testing.T) {
	defer Use(Active())
	var guards [4]*guard
	for i := range guards {
		guards[i] = newGuard(t, 1<<21)
	}
	pieces, overlaps := 0, 0
	for round := range fewer(1500) {
		s := random.Stream{Seed: 22, Index: uint32(round)}
		p := anyPool(s)
		size, results := p.Batch*p.Height*p.Width*p.Channels, p.Batch*p.OutHeight()*p.OutWidth()*p.Channels
		x, dy := wild(size, 3*round), wild(results, 3*round+1)
		switch round % 3 {
		case 0:
			x, dy = normals(size, 3*round), normals(results, 3*round+1)
		case 1: // many equal ones
			for i := range x {
				x[i] = float32(s.Int(i+100, 5)-2) / 2
			}
		}
		relu, countPadding := round%2 == 0, round%4 < 2
		largest, mean := make([]float32, results), make([]float32, results)
		dLargest, dMean := make([]float32, size), make([]float32, size)
		p.each(func(y int, covered []int) {
			best, sum := float32(math.Inf(-1)), float32(0)
			winner := -1
			for _, i := range covered {
				// Of several NaN the first has the gradient, of the rest the first that nothing exceeds.
				if x[i] > best || x[i] != x[i] && best == best || winner < 0 && x[i] == best {
					best, winner = x[i], i
				}
				sum += x[i]
			}
			n := float32(max(1, len(covered)))
			if countPadding {
				n = float32(p.WindowHeight * p.WindowWidth)
			}
			largest[y], mean[y] = best, sum/n
			if winner >= 0 && !(relu && best <= 0) {
				dLargest[winner] += dy[y]
			}
			for _, i := range covered {
				dMean[i] += dy[y] / n
			}
			if len(covered)*p.Channels/16 > 600 {
				pieces++
			}
		})
		if p.strideWidth() < p.WindowWidth && results > 0 {
			overlaps++
		}
		for _, set := range sets {
			Use(set)
			what := fmt.Sprintf("round %d, %s, %+v: ", round, set, p)
			at := func(i int, x []float32) []float32 { return guarded(t, guards[i], x, round%4 < 2) }
			junk := func(i, n int) []float32 { return at(i, repeated(n, []float32{float32(math.NaN()), 7})) }

			m := MaxPool{Pool: p, X: at(0, x), Y: junk(1, results)}
			runBackwards(&m)
			expectBits(t, what+"MaxPool", m.Y, largest)
			g := MaxPoolGradient{Pool: p, X: m.X, Y: m.Y, DY: at(2, dy), DX: junk(3, size), ReLU: relu}
			runBackwards(&g)
			expectBits(t, what+"MaxPoolGradient", g.DX, dLargest)
			expectBits(t, what+"MaxPoolGradient's DY", g.DY, dy)

			a := AveragePool{Pool: p, X: m.X, Y: junk(1, results), CountPadding: countPadding}
			runBackwards(&a)
			expectBits(t, what+"AveragePool", a.Y, mean)
			h := AveragePoolGradient{Pool: p, DY: g.DY, DX: junk(3, size), CountPadding: countPadding}
			runBackwards(&h)
			expectBits(t, what+"AveragePoolGradient", h.DX, dMean)
		}
	}
	if pieces < fewer(10) || overlaps < fewer(100) {
		t.Errorf("only %d windows in pieces and %d poolings that overlap", pieces, overlaps)
	}
}

// BenchmarkPool reports nanoseconds for each number of the image: the poolings behind BenchmarkConv's layers.
func BenchmarkPool(b *testing.B) {
	defer Use(Active())
	for _, set := range sets {
		for _, layer := range []struct {
			name           string
			size, channels int
		}{{"LeNet1", 28, 6}, {"LeNet2", 10, 16}, {"CNN1", 32, 32}, {"CNN2", 16, 64}} {
			p := Pool{
				Batch: 64, Height: layer.size, Width: layer.size, Channels: layer.channels, WindowHeight: 2, WindowWidth: 2,
			}
			size := p.Batch * p.Height * p.Width * p.Channels
			x, dy := normals(size, 1), normals(size/4, 2)
			ReLU(x, x)
			y, dx := make([]float32, size/4), make([]float32, size)
			forward, backward := MaxPool{p, x, y}, MaxPoolGradient{p, x, y, dy, dx, true}
			average, averageBackward := AveragePool{p, x, y, false}, AveragePoolGradient{p, dy, dx, false}
			for _, form := range []struct {
				name string
				task task
			}{{"max", &forward}, {"maxGradient", &backward}, {"average", &average}, {"averageGradient", &averageBackward}} {
				b.Run(fmt.Sprintf("%s/%s/%s", set, layer.name, form.name), func(b *testing.B) {
					Use(set)
					for b.Loop() {
						onAllCores(form.task)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/number")
				})
			}
		}
	}
}

func TestPoolAllocatesNothing(t *testing.T) {
	defer Use(Active())
	for _, p := range []Pool{{Batch: 3, Height: 9, Width: 9, Channels: 5, WindowHeight: 3, WindowWidth: 2, PadTop: 1}, GlobalPool(1, 30, 30, 40)} {
		size, results := p.Batch*p.Height*p.Width*p.Channels, p.Batch*p.OutHeight()*p.OutWidth()*p.Channels
		x, y, dx := normals(size, 1), make([]float32, results), make([]float32, size)
		tasks := []task{
			&MaxPool{p, x, y}, &MaxPoolGradient{p, x, y, y, dx, true}, &AveragePool{p, x, y, false},
			&AveragePoolGradient{p, y, dx, false},
		}
		for _, set := range sets {
			Use(set)
			for _, task := range tasks {
				if allocated := testing.AllocsPerRun(5, func() { runBackwards(task) }); allocated != 0 {
					t.Errorf("%s: %T allocates %v times", set, task, allocated)
				}
			}
		}
	}
}
