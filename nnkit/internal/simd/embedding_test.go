package simd

import (
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// drawnIndices are random, with many repetitions.
func drawnIndices(n, rows int) []int32 {
	s, index := random.Stream{Seed: 4}, make([]int32, n)
	for i := range index {
		index[i] = int32(s.Int(i, rows))
	}
	return index
}

func TestEmbedding(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for _, size := range [][3]int{{0, 3, 4}, {1, 1, 1}, {50, 7, 5}, {2000, 30, 70}, {300, 9, 300}} {
			n, rows, width := size[0], size[1], size[2]
			table, index := normals(rows*width, 1), drawnIndices(n, rows)
			e := Embedding{Table: table, Width: width, Index: index, Y: make([]float32, n*width)}
			runBackwards(&e)
			dy := normals(n*width, 2)
			g := EmbeddingGradient{Gradient: normals(rows*width, 3), Width: width, Index: index, DY: dy}
			want := append([]float32(nil), g.Gradient...)
			for i, row := range index {
				for j := range width {
					if got, w := e.Y[i*width+j], table[int(row)*width+j]; got != w {
						t.Fatalf("%s: number %d of row %d is %v, want %v", set, j, i, got, w)
					}
					want[int(row)*width+j] += dy[i*width+j]
				}
			}
			runBackwards(&g)
			for i, w := range want {
				if got := g.Gradient[i]; got != w {
					t.Fatalf("%s: number %d of the gradient is %v, want %v", set, i, got, w)
				}
			}
			ClearRows(g.Gradient, width, index)
			seen := map[int]bool{}
			for _, row := range index {
				seen[int(row)] = true
			}
			for i, got := range g.Gradient {
				if w := want[i]; seen[i/width] && got != 0 || !seen[i/width] && got != w {
					t.Fatalf("%s: number %d is %v after clearing", set, i, got)
				}
			}
		}
	}
	large := EmbeddingGradient{Width: 300, Index: make([]int32, 3000)}
	if large.Blocks() < 2 {
		t.Errorf("a large gradient is %d blocks", large.Blocks())
	}
}

func TestIndices(t *testing.T) {
	dst := make([]int32, 3)
	if bad := Indices(dst, []float32{0, 4, 2}, 5); bad != -1 || dst[1] != 4 {
		t.Errorf("good indices become %v, the bad one is %d", dst, bad)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, v := range []float32{-1, 5, 0.5, nan, inf, -inf, 3e9, 1 << 31} {
		if bad := Indices(dst, []float32{1, v}, 5); bad != 1 {
			t.Errorf("the bad one of 1 and %v is %d", v, bad)
		}
	}
	for _, n := range []int{0, 1, 63, 64, 200} {
		index := make([]int32, n)
		if bad := OutOfRange(index, 1); bad != -1 {
			t.Errorf("index %d of zeros is out of range", bad)
		}
		for i := range index {
			for _, v := range []int32{-1, 7, math.MaxInt32, math.MinInt32} {
				index[i] = v
				if bad := OutOfRange(index, 7); bad != i {
					t.Errorf("index %d of %d is %d, but %d is said to be out of range", i, n, v, bad)
				}
			}
			index[i] = 6
		}
	}
}

func BenchmarkEmbedding(b *testing.B) {
	const n, rows, width = 2048, 1000, 128
	index := drawnIndices(n, rows)
	for name, task := range map[string]task{
		"lookup":   &Embedding{Table: normals(rows*width, 1), Width: width, Index: index, Y: make([]float32, n*width)},
		"gradient": &EmbeddingGradient{Gradient: make([]float32, rows*width), Width: width, Index: index, DY: normals(n*width, 1)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				runBackwards(task)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*width), "ns/element")
		})
	}
	b.Run("range", func(b *testing.B) {
		for b.Loop() {
			OutOfRange(index, rows)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/element")
	})
}
