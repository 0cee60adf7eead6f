package simd

import (
	"fmt"
	"math"
	"testing"
)

// exactSoftmax is the softmax of a row in float64 of the numbers that are seen, with its largest number and its sum.
func exactSoftmax(x, mask []float32, scale float64, seen int) (y []float64, top, sum float64) {
	y = make([]float64, len(x))
	top = math.Inf(-1)
	for i := range min(max(0, seen), len(x)) {
		y[i] = float64(x[i]) * scale
		if mask != nil {
			y[i] += float64(mask[i])
		}
		top = max(top, y[i])
	}
	for i := range y {
		if i >= seen || math.IsInf(y[i], -1) {
			y[i] = 0
			continue
		}
		y[i] = math.Exp(y[i] - top)
		sum += y[i]
	}
	for i := range y {
		if sum > 0 {
			y[i] /= sum
		}
	}
	return y, top, sum
}

// Against float64, with masks of all kinds, rows that see nothing, and rows that are taken in parts.
func TestSoftmaxRows(t *testing.T) {
	defer Use(Active())
	infinite := float32(math.Inf(-1))
	for _, set := range sets {
		Use(set)
		for _, width := range []int{1, 2, 7, 10, 16, 33, 64, 100, 2048, 2049, 5000} {
			for variant := range 8 {
				const rows = 5
				x := normals(rows*(width+1), width)
				Scale(x, x, 4)
				s := SoftmaxRows{
					Rows: rows, Width: width, Dst: make([]float32, rows*width), DstStride: width, Src: x, SrcStride: width + 1,
					Scale: 0.7, Stats: make([]float32, 2*rows),
				}
				if variant&1 != 0 {
					s.Causal, s.Seen = true, width/2-2
				}
				if variant&2 != 0 {
					s.Mask, s.MaskStride = make([]float32, rows*width), width
					for i := range s.Mask {
						if i%3 == 0 || i < width {
							s.Mask[i] = infinite
						}
					}
					if variant&4 != 0 {
						s.MaskStride = 0
					}
				}
				logs := s
				logs.Dst = make([]float32, rows*width)
				s.Run()
				logs.Log()
				for r := range rows {
					var mask []float32
					if s.Mask != nil {
						mask = s.Mask[r*s.MaskStride:][:width]
					}
					seen := width
					if s.Causal {
						seen = s.Seen + r
					}
					row := x[r*(width+1):][:width]
					want, top, sum := exactSoftmax(row, mask, float64(s.Scale), seen)
					if sum > 0 && (math.Abs(float64(s.Stats[2*r])-top) > 1e-5 || math.Abs(float64(s.Stats[2*r+1])/sum-1) > 1e-5) {
						t.Fatalf("%s, width %d, variant %d: the statistics are %v, want %v and %v", set, width, variant, s.Stats[2*r:2*r+2], top, sum)
					}
					for i, w := range want {
						got, log := float64(s.Dst[r*width+i]), float64(logs.Dst[r*width+i])
						below := -math.Log(w * sum)
						if w == 0 && (got != 0 || sum > 0 && !math.IsInf(log, -1)) {
							t.Fatalf("%s, width %d, variant %d: number %d of row %d is %v and its logarithm %v, want 0", set, width, variant, i, r, got, log)
						}
						// The number itself is scaled and masked in float32, too.
						if w > 0 && math.Abs(got-w) > w*(2*below+math.Abs(top)+6)*0x1p-23 {
							t.Fatalf("%s, width %d, variant %d: number %d of row %d is %v, want %v", set, width, variant, i, r, got, w)
						}
						if w > 0 && math.Abs(log-math.Log(w)) > (below+math.Abs(top)+4)*0x1p-22 {
							t.Fatalf("%s, width %d, variant %d: logarithm %d of row %d is %v, want %v", set, width, variant, i, r, log, math.Log(w))
						}
					}
				}
			}
		}
	}
}

// Without a mask, infinities and NaN do as in PyTorch.
func TestSoftmaxOfSpecialNumbers(t *testing.T) {
	defer Use(Active())
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, set := range sets {
		Use(set)
		for _, test := range []struct{ x, want []float32 }{
			{[]float32{-inf, 0, -inf}, []float32{0, 1, 0}},
			{[]float32{-inf, -inf}, []float32{nan, nan}},
			{[]float32{inf, 0}, []float32{nan, 0}},
			{[]float32{nan, 0}, []float32{nan, nan}},
			{[]float32{1e38, -1e38}, []float32{1, 0}},
			{[]float32{5}, []float32{1}},
		} {
			got := make([]float32, len(test.x))
			Softmax(got, test.x, 1, len(got))
			for i, w := range test.want {
				if !sameBits(got[i], w) && !(test.x[0] == inf && got[i] != got[i]) {
					t.Errorf("%s: softmax of %v is %v, want %v", set, test.x, got, test.want)
				}
			}
		}
	}
}

// Gradients against differences in float64, in one call and in parts.
func TestSoftmaxGradients(t *testing.T) {
	const h, rows = 1e-4, 2
	for _, width := range []int{1, 3, 37, part + 5} {
		x, dy := normals(rows*width, 1), normals(rows*width, 2)
		y, logs := make([]float32, len(x)), make([]float32, len(x))
		Softmax(y, x, rows, width)
		LogSoftmax(logs, x, rows, width)
		gotY, gotLogs := append([]float32(nil), dy...), append([]float32(nil), dy...)
		scaledSoftmaxGradient(RowMajor(gotY, width), RowMajor(y, width), rows, width, 0.5)
		LogSoftmaxGradient(gotLogs, logs, rows, width)
		// loss is Σ dy·softmax and Σ dy·log softmax of a row of which number i is moved.
		loss := func(r, i int, h float64) (plain, log float64) {
			sum, weighted, linear, all := 0.0, 0.0, 0.0, 0.0
			for j := range width {
				z, d := float64(x[r*width+j]), float64(dy[r*width+j])
				if i == j {
					z += h
				}
				sum += math.Exp(z)
				weighted += math.Exp(z) * d
				linear += z * d
				all += d
			}
			return weighted / sum, linear - all*math.Log(sum)
		}
		for r := range rows {
			for i := 0; i < width; i += 1 + width/50 {
				a, logA := loss(r, i, h)
				b, logB := loss(r, i, -h)
				if want := (a - b) / (2 * h) / 2; math.Abs(float64(gotY[r*width+i])-want) > 1e-6 {
					t.Errorf("width %d: the gradient of softmax at %d is %v, want %v", width, i, gotY[r*width+i], want)
				}
				if want := (logA - logB) / (2 * h); math.Abs(float64(gotLogs[r*width+i])-want) > 1e-5 {
					t.Errorf("width %d: the gradient of its logarithm at %d is %v, want %v", width, i, gotLogs[r*width+i], want)
				}
			}
		}
	}
}

func TestSoftmaxAllocatesNothing(t *testing.T) {
	x, y := normals(640, 1), make([]float32, 640)
	if n := testing.AllocsPerRun(20, func() {
		Softmax(y, x, 64, 10)
		SoftmaxGradient(x, y, 64, 10)
	}); n != 0 {
		t.Errorf("softmax allocates %v times", n)
	}
}

func BenchmarkSoftmax(b *testing.B) {
	defer Use(Active())
	for _, set := range sets {
		for _, size := range [][2]int{{128, 10}, {64, 64}, {16, 512}, {2, 2048}} {
			rows, width := size[0], size[1]
			x, y := normals(rows*width, 1), make([]float32, rows*width)
			perElement := func(b *testing.B) {
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows*width), "ns/element")
			}
			b.Run(fmt.Sprintf("%s/%dx%d", set, rows, width), func(b *testing.B) {
				Use(set)
				for b.Loop() {
					Softmax(y, x, rows, width)
				}
				perElement(b)
			})
			b.Run(fmt.Sprintf("%s/%dx%d/gradient", set, rows, width), func(b *testing.B) {
				Use(set)
				Softmax(y, x, rows, width)
				dy := make([]float32, len(x))
				for b.Loop() {
					copy(dy, x) // it would become denormal
					SoftmaxGradient(dy, y, rows, width)
				}
				perElement(b)
			})
		}
	}
}
