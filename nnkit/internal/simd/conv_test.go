package simd

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// anyConv is a small convolution of any shape.
func anyConv(s random.Stream) Conv {
	i := 0
	upTo := func(n int) int { i++; return 1 + s.Int(i, n) }
	c := Conv{
		Batch: upTo(3), Height: upTo(12), Width: upTo(40), Channels: upTo(4), Filters: upTo(5),
		KernelHeight: upTo(4), KernelWidth: upTo(5), StrideHeight: upTo(3), StrideWidth: upTo(3),
		DilationHeight: upTo(3) / 2, DilationWidth: upTo(3) / 2,
		PadTop: upTo(6) - 2, PadBottom: upTo(6) - 2, PadLeft: upTo(7) - 2, PadRight: upTo(7) - 2,
	}
	switch upTo(6) {
	case 1: // one dimension
		c.Height, c.KernelHeight, c.PadTop, c.PadBottom = 1, 1, 0, 0
	case 2:
		c.KernelHeight, c.KernelWidth, c.PadTop, c.PadBottom, c.PadLeft, c.PadRight = 1, 1, 0, 0, 0, 0
	case 3:
		c.Groups = upTo(4)
		c.Channels *= c.Groups
		c.Filters *= c.Groups
	case 4: // a layer as it is usual
		c.Channels, c.Filters, c.KernelHeight, c.KernelWidth = upTo(40), upTo(70), 3, 3
		c.StrideHeight, c.StrideWidth, c.DilationHeight, c.DilationWidth = 0, 0, 0, 0
		c.PadTop, c.PadBottom, c.PadLeft, c.PadRight = 1, 1, 1, 1
	case 6: // many small images
		c.Batch, c.Height, c.Width, c.Channels = 7+upTo(9), upTo(6), upTo(8), upTo(13)
		c.DilationWidth, c.PadLeft = 0, upTo(3)
	case 5:
		c.StrideHeight, c.StrideWidth, c.DilationHeight, c.DilationWidth = 0, 0, 0, 0
		if upTo(2) == 1 {
			c.PadLeft, c.PadRight = 0, 0
		}
	}
	if upTo(40) == 1 {
		c.Batch = 0
	}
	return c
}

func (c *Conv) images() int { return c.Batch * c.Height * c.Width * c.Channels }
func (c *Conv) kernel() int {
	return c.KernelHeight * c.KernelWidth * c.Channels / c.groups() * c.Filters
}
func (c *Conv) results() int { return c.Batch * c.OutHeight() * c.OutWidth() * c.Filters }

// each visits all multiply-adds: the places in the image, in the kernel and in the result, in ascending order of the
// latter's pixels and then of the kernel's taps.
func (c *Conv) each(visit func(x, w, y int)) {
	channels, filters := c.Channels/c.groups(), c.Filters/c.groups()
	high, wide := c.OutHeight(), c.OutWidth()
	for n := range c.Batch {
		for p := range high {
			for q := range wide {
				for kh := range c.KernelHeight {
					for kw := range c.KernelWidth {
						h := p*max(1, c.StrideHeight) + kh*max(1, c.DilationHeight) - c.PadTop
						w := q*max(1, c.StrideWidth) + kw*max(1, c.DilationWidth) - c.PadLeft
						if h < 0 || h >= c.Height || w < 0 || w >= c.Width {
							continue
						}
						for ci := range c.Channels {
							for co := range filters {
								g := ci / channels
								visit(((n*c.Height+h)*c.Width+w)*c.Channels+ci,
									((kh*c.KernelWidth+kw)*channels+ci%channels)*c.Filters+g*filters+co,
									((n*high+p)*wide+q)*c.Filters+g*filters+co)
							}
						}
					}
				}
			}
		}
	}
}

// finish is what is done to sums on the way out.
func finish(sums []float32, relu bool, gate []float32) {
	for i, v := range sums {
		if relu && v < 0 || gate != nil && gate[i] <= 0 {
			sums[i] = 0
		}
	}
}

// repeated fills n numbers with x again and again; with zeros if there is none.
func repeated(n int, x []float32) []float32 {
	all := make([]float32, n)
	for i := range all {
		if len(x) > 0 {
			all[i] = x[i%len(x)]
		}
	}
	return all
}

// guarded copies x to where memory ends, or begins.
func guarded(t *testing.T, g *guard, x []float32, atEnd bool) []float32 {
	t.Helper()
	if x == nil {
		return nil
	}
	to := g.begin(len(x))
	if atEnd {
		to = g.end(len(x))
	}
	copy(to, x)
	return to
}

type task interface {
	Blocks() int
	Block(i int)
}

// runBackwards computes the blocks of a task, the last one first.
func runBackwards(t task) {
	for i := t.Blocks() - 1; i >= 0; i-- {
		t.Block(i)
	}
}

func expectBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if !sameBits(got[i], want[i]) {
			t.Fatalf("%s: number %d of %d is %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

// The loop over all multiply-adds is the specification, to the bit: for all shapes, for every set, with NaN and
// infinities among the numbers, however the work is cut, and nothing outside of the arrays is touched.
func TestConv(t *testing.T) {
	defer Use(Active())
	const most = 1 << 17
	var guards [5]*guard
	for i := range guards {
		guards[i] = newGuard(t, 4*most)
	}
	seen := 0
	for round := range fewer(1000) {
		s := random.Stream{Seed: 21, Index: uint32(round)}
		c := anyConv(s)
		numbers := wild
		if round%2 == 0 {
			numbers = normals
		}
		if c.results() > 0 {
			seen++
		}
		x, w, dy := numbers(c.images(), 4*round), numbers(c.kernel(), 4*round+1), numbers(c.results(), 4*round+2)
		var bias, other, gate []float32
		relu := round%3 == 0
		if round%5 < 3 {
			bias, other = numbers(c.Filters, 4*round+3), numbers(c.Channels, 4*round+3)
		}
		if round%7 < 3 {
			gate = wild(len(x), 4*round+4)
		}
		y, dx := repeated(len(dy), bias), repeated(len(x), other)
		kernelBefore, biasBefore := numbers(len(w), 4*round+5), numbers(c.Filters, 4*round+6)
		dw, db := slices.Clone(kernelBefore), slices.Clone(biasBefore)
		c.each(func(i, j, k int) {
			y[k] = fma(x[i], w[j], y[k])
			dx[i] = fma(dy[k], w[j], dx[i])
			dw[j] = fma(x[i], dy[k], dw[j])
		})
		for i, v := range dy {
			db[i%c.Filters] += v
		}
		finish(y, relu, nil)
		finish(dx, relu, gate)
		for _, set := range sets {
			Use(set)
			what := fmt.Sprintf("round %d, %s, %+v: ", round, set, c)
			at := func(i int, x []float32) []float32 { return guarded(t, guards[i], x, round%2 == 0) }
			junk := func(i, n int) []float32 { return at(i, repeated(n, []float32{float32(math.NaN()), 7})) }

			f := ConvForward{Conv: c, X: at(0, x), W: at(1, w), Bias: at(2, bias), Y: junk(3, len(y)), ReLU: relu}
			runBackwards(&f)
			expectBits(t, what+"Y", f.Y, y)

			g := ConvInputGradient{
				Conv: c, DY: at(0, dy), W: at(1, w), Bias: at(2, other), DX: junk(3, len(dx)), ReLU: relu,
				Gate: at(4, gate), Packed: make([]float32, len(w)),
			}
			g.Pack()
			runBackwards(&g)
			expectBits(t, what+"DX", g.DX, dx)

			h := ConvWeightGradient{Conv: c, X: at(0, x), DY: at(1, dy), DW: at(2, kernelBefore)}
			if bias != nil {
				h.DBias = at(3, biasBefore)
			}
			runBackwards(&h)
			expectBits(t, what+"DW", h.DW, dw)
			if bias != nil {
				expectBits(t, what+"DBias", h.DBias, db)
			}
		}
	}
	if seen < fewer(700) {
		t.Errorf("only %d convolutions have a result", seen)
	}
}

// expectNear judges by float64, with the bound that a chain of roundings has; size is the sum of the magnitudes.
func expectNear(t *testing.T, what string, got []float32, want, size []float64, steps int) {
	t.Helper()
	for i, w := range want {
		if e := math.Abs(float64(got[i]) - w); e > size[i]*float64(steps+1)*0x1p-24 {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// Large ones, of many blocks and calls, against float64, and each set's bits against the others'.
func TestConvIsAccurate(t *testing.T) {
	defer Use(Active())
	for _, c := range []Conv{
		{Batch: 3, Height: 16, Width: 16, Channels: 64, Filters: 64, KernelHeight: 3, KernelWidth: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1},
		{Batch: 2, Height: 30, Width: 31, Channels: 3, Filters: 40, KernelHeight: 7, KernelWidth: 7, StrideHeight: 2, StrideWidth: 2, PadTop: 3, PadBottom: 3, PadLeft: 3, PadRight: 3},
		{Batch: 1, Height: 1, Width: 900, Channels: 600, Filters: 33, KernelHeight: 1, KernelWidth: 1},
		{Batch: 1, Height: 3, Width: 28, Channels: 512, Filters: 32, KernelHeight: 1, KernelWidth: 1, StrideHeight: 2},
		{Batch: 1, Height: 40, Width: 5, Channels: 8, Filters: 8, KernelHeight: 3, KernelWidth: 3, DilationHeight: 2, DilationWidth: 2, Groups: 4},
		{Batch: 1, Height: 150, Width: 100, Channels: 16, Filters: 8, KernelHeight: 3, KernelWidth: 3, PadTop: 1, PadBottom: 1, PadLeft: 1},
		{Batch: 9, Height: 6, Width: 8, Channels: 7, Filters: 5, KernelHeight: 3, KernelWidth: 5, PadTop: 1, PadLeft: 2, PadRight: 1},
		{Batch: 17, Height: 4, Width: 4, Channels: 130, Filters: 140, KernelHeight: 3, KernelWidth: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1},
		{Batch: 40, Height: 9, Width: 9, Channels: 1, Filters: 6, KernelHeight: 5, KernelWidth: 5, PadTop: 2, PadBottom: 2, PadLeft: 2, PadRight: 2},
	} {
		x, w, dy := normals(c.images(), 1), normals(c.kernel(), 2), normals(c.results(), 3)
		y, dx, dw := make([]float64, len(dy)), make([]float64, len(x)), make([]float64, len(w))
		sizeY, sizeX, sizeW := slices.Clone(y), slices.Clone(dx), slices.Clone(dw)
		c.each(func(i, j, k int) {
			add := func(to, size []float64, at int, a, b float32) {
				v := float64(a) * float64(b)
				to[at] += v
				size[at] += math.Abs(v)
			}
			add(y, sizeY, k, x[i], w[j])
			add(dx, sizeX, i, dy[k], w[j])
			add(dw, sizeW, j, x[i], dy[k])
		})
		var first []float32
		for _, set := range sets {
			Use(set)
			what := fmt.Sprintf("%s, %+v: ", set, c)
			f := ConvForward{Conv: c, X: x, W: w, Y: make([]float32, len(y))}
			runBackwards(&f)
			expectNear(t, what+"Y", f.Y, y, sizeY, len(w)/c.Filters)
			g := ConvInputGradient{Conv: c, DY: dy, W: w, DX: make([]float32, len(x)), Packed: make([]float32, len(w))}
			g.Pack()
			runBackwards(&g)
			expectNear(t, what+"DX", g.DX, dx, sizeX, len(w)/c.Channels)
			h := ConvWeightGradient{Conv: c, X: x, DY: dy, DW: make([]float32, len(w))}
			runBackwards(&h)
			expectNear(t, what+"DW", h.DW, dw, sizeW, len(dy)/c.Filters)
			if all := slices.Concat(f.Y, g.DX, h.DW); first == nil {
				first = all
			} else {
				expectBits(t, what+"all", all, first)
			}
		}
	}
}

// The gradients are those of the sum of Y·DY, by central differences in float64, which are exact but for rounding since
// the sum is linear in each argument.
func TestConvGradient(t *testing.T) {
	c := Conv{
		Batch: 2, Height: 5, Width: 6, Channels: 4, Filters: 6, KernelHeight: 3, KernelWidth: 2, StrideHeight: 2,
		DilationWidth: 2, PadTop: 1, PadLeft: 2, PadRight: 1, Groups: 2,
	}
	x, w, dy := normals(c.images(), 1), normals(c.kernel(), 2), normals(c.results(), 3)
	sum := func() (total float64) {
		c.each(func(i, j, k int) { total += float64(x[i]) * float64(w[j]) * float64(dy[k]) })
		return total
	}
	g := ConvInputGradient{Conv: c, DY: dy, W: w, DX: make([]float32, len(x)), Packed: make([]float32, len(w))}
	g.Pack()
	runBackwards(&g)
	h := ConvWeightGradient{Conv: c, X: x, DY: dy, DW: make([]float32, len(w))}
	runBackwards(&h)
	for _, of := range []struct {
		name            string
		value, gradient []float32
	}{{"X", x, g.DX}, {"W", w, h.DW}} {
		for i, v := range of.value {
			const step = 0.25 // of which float32 adds all of
			of.value[i] = v + step
			up, more := sum(), float64(of.value[i])
			of.value[i] = v - step
			want := (up - sum()) / (more - float64(of.value[i]))
			of.value[i] = v
			if got := float64(of.gradient[i]); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
				t.Errorf("the gradient for number %d of %s is %v, want %v", i, of.name, got, want)
			}
		}
	}
}

func TestConvAllocatesNothing(t *testing.T) {
	defer Use(Active())
	for _, c := range []Conv{square(9, 3, 5, 3, 1), square(8, 20, 40, 3, 1), {
		Batch: 2, Height: 9, Width: 8, Channels: 4, Filters: 4, KernelHeight: 3, KernelWidth: 3, StrideWidth: 2, Groups: 2,
	}} {
		x, w, dy := normals(c.images(), 1), normals(c.kernel(), 2), normals(c.results(), 3)
		f := ConvForward{Conv: c, X: x, W: w, Y: make([]float32, len(dy))}
		g := ConvInputGradient{Conv: c, DY: dy, W: w, Gate: x, DX: make([]float32, len(x)), Packed: make([]float32, len(w))}
		h := ConvWeightGradient{Conv: c, X: x, DY: dy, DW: make([]float32, len(w)), DBias: make([]float32, c.Filters)}
		for _, set := range sets {
			Use(set)
			allocated := testing.AllocsPerRun(3, func() {
				runBackwards(&f)
				g.Pack()
				runBackwards(&g)
				runBackwards(&h)
			})
			if allocated != 0 {
				t.Errorf("%s: %+v allocates %v times", set, c, allocated)
			}
		}
	}
}
