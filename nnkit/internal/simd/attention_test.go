package simd

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// newAttention makes an attention whose queries, keys and values lie in one matrix if they are as many and as wide, and
// have gaps between their rows otherwise.
func newAttention(batch, heads, queries, keys, width, valueWidth int) *Attention {
	a := &Attention{
		Batch: batch, Heads: heads, Queries: queries, Keys: keys, Width: width, ValueWidth: valueWidth,
		Scale: float32(1 / math.Sqrt(float64(width))),
	}
	all := heads * width
	if queries == keys && width == valueWidth {
		qkv := normals((batch*queries+1)*3*all, 1)
		a.Q, a.K, a.V = Heads{qkv, 3 * all, width}, Heads{qkv[all:], 3 * all, width}, Heads{qkv[2*all:], 3 * all, width}
	} else {
		a.Q = Heads{normals(batch*queries*(all+1), 1), all + 1, width}
		a.K = Heads{normals(batch*keys*(all+2), 2), all + 2, width}
		a.V = Heads{normals(batch*keys*heads*(valueWidth+1), 3), heads * (valueWidth + 1), valueWidth + 1}
	}
	a.O = Heads{make([]float32, batch*queries*heads*valueWidth), heads * valueWidth, valueWidth}
	return a
}

// gradientOf makes the gradient of an attention with the layouts of its inputs.
func gradientOf(a *Attention) *AttentionGradient {
	g := &AttentionGradient{Attention: *a, DO: a.O, DQ: a.Q, DK: a.K, DV: a.V}
	g.DO.Data = normals(len(a.O.Data), 4)
	if len(a.Q.Data) > 0 && len(a.K.Data) > 0 && &a.Q.Data[a.Heads*a.Width] == &a.K.Data[0] {
		all := a.Heads * a.Width
		d := make([]float32, len(a.Q.Data))
		g.DQ.Data, g.DK.Data, g.DV.Data = d, d[all:], d[2*all:]
	} else {
		g.DQ.Data, g.DK.Data, g.DV.Data = make([]float32, len(a.Q.Data)), make([]float32, len(a.K.Data)), make([]float32, len(a.V.Data))
	}
	return g
}

// number is number i of a head's vector at a position of a sequence.
func (h Heads) number(row, head, i int) *float32 { return &h.Data[row*h.RowStride+head*h.HeadStride+i] }

// exactly computes the output at one position of one head in float64, with a change to one of the inputs.
func (a *Attention) exactly(b, head, q int, moved *float32, by float64) []float64 {
	value := func(of Heads, row, i int) float64 {
		at := of.number(row, head, i)
		if at == moved {
			return float64(*at) + by
		}
		return float64(*at)
	}
	scores, top, sum := make([]float64, a.Keys), math.Inf(-1), 0.0
	for k := range scores {
		for i := range a.Width {
			scores[k] += value(a.Q, b*a.Queries+q, i) * value(a.K, b*a.Keys+k, i)
		}
		scores[k] *= float64(a.Scale)
		if a.Mask != nil {
			scores[k] += float64(a.Mask[b*a.MaskBatch+q*a.MaskRow+k])
		}
		if a.Causal && k > q {
			scores[k] = math.Inf(-1)
		}
		top = max(top, scores[k])
	}
	o := make([]float64, a.ValueWidth)
	if math.IsInf(top, -1) {
		return o
	}
	for _, s := range scores {
		sum += math.Exp(s - top)
	}
	kept := make([]float32, a.Keys)
	for k := range kept {
		kept[k] = 1
	}
	Dropout(kept, kept, a.Stream, a.At+uint64(((b*a.Heads+head)*a.Queries+q)*a.dropoutStride()), a.DropoutRate)
	for k, s := range scores {
		for i := range o {
			o[i] += math.Exp(s-top) / sum * float64(kept[k]) * value(a.V, b*a.Keys+k, i)
		}
	}
	return o
}

// withMask adds a mask: 1 is key padding, different for each sequence, 2 a mask for each query.
func (a *Attention) withMask(kind int) {
	switch kind {
	case 1:
		a.Mask, a.MaskBatch = make([]float32, a.Batch*a.Keys), a.Keys
		for i := range a.Mask {
			if i%a.Keys > a.Keys-2-i/a.Keys {
				a.Mask[i] = float32(math.Inf(-1))
			}
		}
	case 2:
		a.Mask, a.MaskRow = make([]float32, a.Queries*a.Keys), a.Keys
		for i := range a.Mask {
			if i%3 == 0 || i < a.Keys {
				a.Mask[i] = float32(math.Inf(-1))
			}
		}
	}
}

func TestAttention(t *testing.T) {
	defer Use(Active())
	for _, size := range [][6]int{
		{1, 1, 1, 1, 1, 1},
		{2, 3, 5, 5, 4, 4},
		{2, 2, 7, 9, 3, 6},
		{1, 2, 33, 20, 17, 8},
		{2, 1, 64, 64, 32, 32},
		{1, 1, 60, 2100, 5, 3},
		{0, 2, 3, 3, 2, 2},
		{1, 2, 0, 3, 2, 2},
	} {
		for mask := range 3 {
			for _, causal := range []bool{false, true} {
				a := newAttention(size[0], size[1], size[2], size[3], size[4], size[5])
				a.withMask(mask)
				a.Causal = causal
				if (mask == 1) == causal {
					a.DropoutRate, a.Stream, a.At = 0.3, random.Stream{Seed: 5, Purpose: random.Dropout}, 1000
				}
				var first []float32
				for _, set := range sets {
					Use(set)
					for _, kept := range []bool{false, true} {
						a.Probabilities = nil
						if kept {
							a.Probabilities = make([]float32, a.Scores())
						}
						a.O.Data = make([]float32, len(a.O.Data))
						runBackwards(a)
						g := gradientOf(a)
						runBackwards(g)
						var all []float32
						for _, d := range [][]float32{a.O.Data, g.DQ.Data, g.DK.Data, g.DV.Data} {
							all = append(all, d...)
						}
						if first == nil {
							first = all
							a.compare(t, g)
						}
						for i, v := range first {
							if !sameBits(all[i], v) {
								t.Fatalf("%v, mask %d, causal %v: number %d of %s is %v, kept %v, want %v", size, mask, causal, i, set, all[i], kept, v)
							}
						}
					}
				}
			}
		}
	}
}

// compare judges outputs by float64, and gradients by its differences.
func (a *Attention) compare(t *testing.T, g *AttentionGradient) {
	t.Helper()
	// loss is Σ dO·O of a head.
	loss := func(b, head int, moved *float32, by float64) (sum float64) {
		for q := range a.Queries {
			for i, o := range a.exactly(b, head, q, moved, by) {
				sum += o * float64(*g.DO.number(b*a.Queries+q, head, i))
			}
		}
		return sum
	}
	for b := range a.Batch {
		for head := range a.Heads {
			for q := range a.Queries {
				for i, want := range a.exactly(b, head, q, nil, 0) {
					if got := float64(*a.O.number(b*a.Queries+q, head, i)); math.Abs(got-want) > 1e-5 {
						t.Fatalf("%d×%d, %d queries, %d keys: output %d of query %d is %v, want %v", a.Batch, a.Heads, a.Queries, a.Keys, i, q, got, want)
					}
				}
			}
			if a.Queries*a.Keys > 2000 {
				continue // differences take too long
			}
			for _, in := range []struct {
				name        string
				x, dx       Heads
				rows, width int
			}{{"Q", a.Q, g.DQ, a.Queries, a.Width}, {"K", a.K, g.DK, a.Keys, a.Width}, {"V", a.V, g.DV, a.Keys, a.ValueWidth}} {
				for r := 0; r < in.rows; r += 1 + in.rows/8 {
					for i := 0; i < in.width; i += 1 + in.width/4 {
						const h = 1e-4
						x := in.x.number(b*in.rows+r, head, i)
						want := (loss(b, head, x, h) - loss(b, head, x, -h)) / (2 * h)
						if got := float64(*in.dx.number(b*in.rows+r, head, i)); math.Abs(got-want) > 3e-5 {
							t.Fatalf("%d×%d, %d queries, %d keys: the gradient of %s[%d,%d] is %v, want %v", a.Batch, a.Heads, a.Queries, a.Keys, in.name, r, i, got, want)
						}
					}
				}
			}
		}
	}
}

// How the queries are cut changes no bit, neither of the outputs nor of the gradients.
func TestAttentionInPieces(t *testing.T) {
	const queries, keys, width = 250, 1500, 4
	a := newAttention(1, 1, queries, keys, width, width)
	if a.pieces() < 3 {
		t.Fatalf("there are %d pieces: too few to tell", a.pieces())
	}
	a.withMask(2)
	g := gradientOf(a)
	runBackwards(a)
	runBackwards(g)
	// One query after the other, adding the gradients of keys and values in ascending order.
	one := newAttention(1, 1, 1, keys, width, width)
	dk, dv := make([]float32, len(a.K.Data)), make([]float32, len(a.V.Data))
	stride := one.stride()
	p, ds := make([]float32, queries*stride), make([]float32, queries*stride)
	for i := range queries {
		one.Q.Data, one.K, one.V = a.Q.Data[i*a.Q.RowStride:], a.K, a.V
		one.Mask, one.Probabilities = a.Mask[i*keys:], p[i*stride:][:stride]
		runBackwards(one)
		for j, v := range one.O.Data {
			if got := a.O.Data[i*width+j]; got != v {
				t.Fatalf("output %d of query %d is %v, alone %v", j, i, got, v)
			}
		}
	}
	q, do := RowMajor(a.Q.Data, a.Q.RowStride), RowMajor(g.DO.Data, g.DO.RowStride)
	multiply(RowMajor(ds, stride), do, RowMajor(a.V.Data, a.V.RowStride).Transposed(), queries, keys, width, false)
	scaledSoftmaxGradient(RowMajor(ds, stride), RowMajor(p, stride), queries, keys, a.Scale)
	multiply(RowMajor(dv, a.V.RowStride), RowMajor(p, stride).Transposed(), do, keys, width, queries, false)
	multiply(RowMajor(dk, a.K.RowStride), RowMajor(ds, stride).Transposed(), q, keys, width, queries, false)
	for i, v := range dk {
		if g.DK.Data[i] != v {
			t.Fatalf("number %d of the keys' gradient is %v, at once %v", i, g.DK.Data[i], v)
		}
	}
	for i, v := range dv {
		if g.DV.Data[i] != v {
			t.Fatalf("number %d of the values' gradient is %v, at once %v", i, g.DV.Data[i], v)
		}
	}
}

func TestAttentionAllocatesNothing(t *testing.T) {
	a := newAttention(2, 2, 20, 20, 8, 8)
	a.DropoutRate = 0.1
	g := gradientOf(a)
	runBackwards(a)
	runBackwards(g)
	if n := testing.AllocsPerRun(20, func() {
		a.Block(0)
		g.Block(0)
	}); n != 0 {
		t.Errorf("an attention allocates %v times", n)
	}
}

func BenchmarkAttention(b *testing.B) {
	defer Use(Active())
	for _, set := range sets[:len(sets)-1] {
		for _, size := range [][3]int{{32, 64, 32}, {4, 512, 64}, {1, 2048, 64}} {
			batch, length, width := size[0], size[1], size[2]
			a := newAttention(batch, 4, length, length, width, width)
			if length <= 512 {
				a.Probabilities = make([]float32, a.Scores())
			}
			g := gradientOf(a)
			for _, task := range []struct {
				name     string
				b        task
				products int
			}{{"forward", a, 2}, {"backward", g, 4}} {
				b.Run(fmt.Sprintf("%s/%dx4x%dx%d/%s", set, batch, length, width, task.name), func(b *testing.B) {
					Use(set)
					peak := 0.0
					for range 200 { // the fastest of some, since others use the machine, too
						start := time.Now()
						operations := Peak(2000)
						peak = max(peak, float64(operations)/float64(time.Since(start).Nanoseconds()))
					}
					for b.Loop() {
						runBackwards(task.b)
					}
					rate := 2 * float64(task.products*batch*4*length*length*width) * float64(b.N) / float64(b.Elapsed().Nanoseconds())
					b.ReportMetric(rate, "gflops")
					b.ReportMetric(rate/peak, "of-peak")
				})
			}
		}
	}
}
