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
