package simd

import (
	"math"
	"testing"
)

func TestReductions(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for _, n := range []int{0, 1, 5, 31, 32, 33, 100, part, part + 1, 3*part + 77} {
			x, y := normals(n, 1), normals(n, 2)
			sum, dot, squares, size, most := 0.0, 0.0, 0.0, 0.0, math.Inf(-1)
			for i, v := range x {
				sum += float64(v)
				dot += float64(v) * float64(y[i])
				squares += float64(v) * float64(v)
				size += math.Abs(float64(v)) + math.Abs(float64(v)*float64(y[i])) + float64(v)*float64(v)
				most = max(most, float64(v))
			}
			for _, r := range []struct {
				name      string
				got, want float64
			}{
				{"Sum", Sum(x), sum},
				{"Mean", Mean(x) * float64(n), sum},
				{"Dot", Dot(x, y), dot},
				{"SumOfSquares", SumOfSquares(x), squares},
			} {
				// A chain has part/32 roundings, and 5 follow.
				if e := math.Abs(r.got - r.want); e > size*(part/32+5)*0x1p-24 || n == 0 && r.name == "Mean" != math.IsNaN(r.got) {
					t.Errorf("%s of %s: %d numbers give %v, want %v", r.name, set, n, r.got, r.want)
				}
			}
			if got := Max(x); float64(got) != most {
				t.Errorf("Max of %s: %d numbers give %v, want %v", set, n, got, most)
			}
		}
		nan := float32(math.NaN())
		for i := range 40 {
			x := make([]float32, 40)
			for j := range x {
				x[j] = nan
			}
			x[i] = -3
			if got := Max(x); got != -3 {
				t.Errorf("Max of %s passes over no NaN: %v", set, got)
			}
			if got := Sum(x); !math.IsNaN(got) {
				t.Errorf("Sum of %s loses NaN: %v", set, got)
			}
		}
	}
}

// The bound of Softmax's comment, and rows whose exponentials cannot be had.
func TestSoftmax(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for width := 1; width < 80; width++ {
			const rows = 3
			x := normals(rows*width, 5)
			x[0], x[len(x)-1] = 1000, -1000
			got, logs := make([]float32, len(x)), make([]float32, len(x))
			Softmax(got, x, rows, width)
			LogSoftmax(logs, x, rows, width)
			for r := range rows {
				row := x[r*width : (r+1)*width]
				most, sum := math.Inf(-1), 0.0
				for _, v := range row {
					most = max(most, float64(v))
				}
				for _, v := range row {
					sum += math.Exp(float64(v) - most)
				}
				for i, v := range row {
					below := most - float64(v)
					want := math.Exp(-below) / sum
					if g := float64(got[r*width+i]); math.Abs(g-want) > want*(below+4)*0x1p-23+0x1p-149 {
						t.Errorf("%s, width %d: softmax is %v, want %v", set, width, g, want)
					}
					if g := float64(logs[r*width+i]); math.Abs(g+below+math.Log(sum)) > (below+4)*0x1p-22 {
						t.Errorf("%s, width %d: log softmax is %v, want %v", set, width, g, -below-math.Log(sum))
					}
				}
				if lse := LogSumExp(row); math.Abs(lse-most-math.Log(sum)) > 1e-9 {
					t.Errorf("width %d: LogSumExp is %v, want %v", width, lse, most+math.Log(sum))
				}
			}
		}
	}
}

// Against differences in float64.
func TestSoftmaxGradient(t *testing.T) {
	const width = 37
	x, dy := normals(width, 1), normals(width, 2)
	y := make([]float32, width)
	Softmax(y, x, 1, width)
	loss := func(i int, h float64) float64 {
		sum, weighted := 0.0, 0.0
		for j, v := range x {
			z := float64(v)
			if i == j {
				z += h
			}
			sum += math.Exp(z)
			weighted += math.Exp(z) * float64(dy[j])
		}
		return weighted / sum
	}
	got := append([]float32(nil), dy...)
	SoftmaxGradient(got, y, 1, width)
	for i, g := range got {
		const h = 1e-5
		if want := (loss(i, h) - loss(i, -h)) / (2 * h); math.Abs(float64(g)-want) > 1e-6 {
			t.Errorf("the gradient of %d is %v, want %v", i, g, want)
		}
	}
}
